"""What the containers and the systemd units say, held against the program they run. No engine needed."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from pipeline.cli import main
from pipeline.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES = COMPOSE["services"]


@pytest.mark.parametrize("name", ["newsbeat", "datasette"])
def test_a_service_is_confined_watched_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", ["newsbeat", "datasette"])
def test_the_database_volume_is_writable_in_both(name: str) -> None:
    assert "db:/app/db" in SERVICES[name]["volumes"], "SQLite cannot open a WAL database on a read-only mount"
    assert "db" in COMPOSE["volumes"]


@pytest.mark.parametrize("name", ["newsbeat", "datasette"])
def test_a_container_runs_a_command_there_is(name: str) -> None:
    word, *options = SERVICES[name]["command"]
    command = main.get_command(click.Context(main), word)
    assert command
    known = {flag for parameter in command.params for flag in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known


def test_the_health_check_of_the_service_is_a_command_there_is() -> None:
    _, program, word, *options = SERVICES["newsbeat"]["healthcheck"]["test"]
    assert program == "newsbeat"
    asked = main.get_command(click.Context(main), word)
    assert asked
    assert {flag for flag in options if flag.startswith("--")} <= {
        flag for parameter in asked.params for flag in parameter.opts
    }


def test_the_site_is_open_to_this_machine_only() -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES["datasette"]["ports"])


def test_the_image_has_no_root_and_installs_only_what_is_locked() -> None:
    lines = [line.strip() for line in DOCKERFILE.splitlines()]
    assert any(line.startswith("USER ") and line != "USER root" for line in lines)
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _ = line.split()[1:]
            assert all((ROOT / source).exists() for source in sources), line


@pytest.mark.parametrize("unit", ["newsbeat.service", "newsbeat-site.service"])
def test_a_unit_runs_a_command_there_is_in_a_sandbox(unit: str) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "docs" / unit)
    service = parser["Service"]
    assert service["ExecStart"].split()[1] in COMMANDS
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["User"] == "newsbeat"


def test_the_program_installs_from_what_the_image_copies(tmp_path: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-c", _WHEEL, str(ROOT), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert listed.returncode == 0, listed.stderr
    names = listed.stdout.split()
    for needed in ("pipeline/browse/templates/", "pipeline/browse/static/", "pipeline/demo/newsroom/outlets.toml"):
        assert any(name.startswith(needed) for name in names), needed
    assert any(name.endswith("entry_points.txt") for name in names)


_WHEEL = """
import os, shutil, sys, zipfile
from pathlib import Path
root, work = Path(sys.argv[1]), Path(sys.argv[2])
for name in ("pyproject.toml", "README.md", "LICENSE"):
    shutil.copy(root / name, work)
shutil.copytree(root / "pipeline", work / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
os.chdir(work)
sys.argv = ["setup"]
from setuptools import build_meta
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()):
    wheel = build_meta.build_wheel(str(work / "dist"))
print("\\n".join(zipfile.ZipFile(work / "dist" / wheel).namelist()))
"""
