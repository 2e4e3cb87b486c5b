"""docs/security.md: every line names tests that exist, and the versions it speaks of are the locked ones."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCUMENT = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [
    line
    for line in DOCUMENT.partition("## What is secret")[0].splitlines()
    if line.startswith("| ") and "---" not in line
][1:]
LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+)", (TESTS.parent / "requirements.lock").read_text(encoding="utf-8"), re.M))


@cache
def named_in(name: str) -> frozenset[str]:
    tree = ast.parse((TESTS / name).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_line_of_what_comes_in_names_a_test() -> None:
    assert len(ROWS) > 15
    for row in ROWS:
        assert re.search(r"`test_\w+\.py::test_\w+`", row.split(" | ")[-1]), row[:80]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(test_\w+\.py::test_\w+)", DOCUMENT))))
def test_every_test_that_is_named_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert (TESTS / file).exists()
    assert test in named_in(file)


def test_the_versions_that_were_looked_at_are_those_that_are_locked() -> None:
    """Whoever locks anew reads anew."""
    said = re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \|", DOCUMENT, re.M)
    assert len(said) >= 8
    assert {name: LOCKED.get(name) for name, _ in said} == dict(said)
    assert f"{len(LOCKED)} packages run" in DOCUMENT
