"""The house as drawn in docs/design.md, held against the code: floors, file sizes, the schema, the promises."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store.store import schema

ROOT = Path(__file__).parents[1]
PIPELINE = ROOT / "pipeline"

FLOORS = {
    "errors": 1, "hiding": 1, "model": 1, "patterns": 1, "urls": 1, "trackers": 1, "unwrap": 1, "variants": 1,
    "text": 1, "reading": 1, "prints": 1, "linkage": 1, "worddiff": 1, "edits": 1, "agencies": 1, "rarity": 1,
    "compared": 1, "times": 1, "log": 1, "learn": 1, "vitals": 1, "care": 1, "retention": 1, "supervisor": 1,
    "parse": 2, "extract": 2, "changes": 2, "stories": 2, "topics": 2, "schedule": 2, "memory": 2,
    "discover": 2, "export": 2, "websub": 2,
    "config": 2, "fetch": 2, "store": 2, "workers": 2,
    "regroup": 2.3, "judging": 2.5, "restory": 2.7, "ingest": 3, "retag": 3.5, "history": 3.5, "hub": 3.5,
    "importing": 3.5,
    "backtest": 3.5, "checkup": 3.5, "teaching": 3.6, "doctor": 3.6, "prune": 3.5, "archive": 3.5, "housekeeping": 3.7,
    "browse": 3, "service": 4, "demo": 5, "cli": 6,
}  # fmt: skip

FILES = sorted(PIPELINE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PIPELINE).parts[0].removesuffix(".py")


def rooms_imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            parts = node.module.split(".")
            if parts == ["pipeline"]:
                found |= {alias.name for alias in node.names if not alias.name.startswith("_")}
            elif parts[0] == "pipeline":
                found.add(parts[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("pipeline.")}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PIPELINE)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    for other in rooms_imported(path) - {room}:
        assert other in FLOORS, f"{other} is on no floor; draw it in tests/test_house.py and docs/design.md"
        assert FLOORS[other] < FLOORS[room] or FLOORS[other] == 1 == FLOORS[room], (
            f"{path.name} ({room}) climbs to {other}"
        )


def test_the_site_knows_only_the_ground_floor() -> None:
    for path in sorted((PIPELINE / "browse").rglob("*.py")):
        assert all(FLOORS[room] == 1 for room in rooms_imported(path) - {"browse"}), path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PIPELINE)))
def test_a_room_is_at_most_450_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PIPELINE)))
def test_a_room_opens_with_its_scope(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


@pytest.mark.parametrize(
    ("word", "rooms"),
    [
        ("sqlite3", {"store", "browse"}),
        ("tomllib", {"config", "demo"}),
        ("tomlkit", {"config"}),
        ("feedparser", {"parse"}),
        ("httpx", {"fetch"}),
        ("apscheduler", {"service"}),
        ("nh3", {"text"}),
        ("re2", {"patterns"}),
        ("wordfreq", {"rarity"}),
    ],
)
def test_only_one_room_knows(word: str, rooms: set[str]) -> None:
    users = {
        room_of(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == word for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == word)
    }
    assert users <= rooms, f"{word} is known to {users}"


def test_the_schema_file_is_what_the_migrations_make() -> None:
    assert (ROOT / "db" / "schema.sql").read_text(encoding="utf-8") == schema(), "stale: ./run schema"


def test_the_lock_files_name_no_index_and_pin_every_package_with_hashes() -> None:
    for name in ("requirements.lock", "requirements-editors.lock", "requirements-dev.lock", "requirements-bench.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "index-url" not in text
        assert "://" not in text
        blocks = [block for block in text.replace("\\\n", " ").splitlines() if block.strip()]
        assert all("==" in block and "--hash=sha256:" in block for block in blocks), name


def test_no_path_of_a_machine_stands_in_the_program() -> None:
    for path in [*FILES, ROOT / "README.md", ROOT / "run", *sorted((ROOT / "docs").glob("*.md"))]:
        assert "/root/" not in path.read_text(encoding="utf-8"), path


def test_the_readme_opens_with_its_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.index("./run demo") < text.index("./run test") < 1500


def test_starting_the_command_does_not_import_the_site() -> None:
    code = "import sys, pipeline.cli; sys.exit('datasette' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
