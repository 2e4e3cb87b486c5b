"""What systemd hears: ready, alive, stopping; over a real socket, from the real service."""

from __future__ import annotations

import asyncio
import configparser
import logging
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from outlets import Outlets

from pipeline import service, supervisor

ROOT = Path(__file__).parents[1]


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket that systemd would listen on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        door.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield door


def all_of(door: socket.socket) -> list[str]:
    """Everything that was said so far."""
    door.setblocking(False)
    said = []
    while True:
        try:
            said.append(door.recv(1000).decode())
        except BlockingIOError:
            return said


def test_words_go_to_the_socket_that_is_named(heard: socket.socket) -> None:
    assert supervisor.tell("READY=1", "STATUS=all feeds")
    assert heard.recv(1000) == b"READY=1\nSTATUS=all feeds"


def test_an_abstract_socket_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind("\0newsbeat-test-of-the-supervisor")
        door.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@newsbeat-test-of-the-supervisor")
        assert supervisor.tell("WATCHDOG=1")
        assert door.recv(1000) == b"WATCHDOG=1"


@pytest.mark.parametrize("where", [None, "", "nonsense", "/no/such/socket"])
def test_where_nobody_listens_nothing_happens(where: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if where is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", where)
    assert not supervisor.tell("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "patience"),
    [("180000000", "", timedelta(minutes=3)), ("180000000", "1", None), ("", "", None), ("soon", "", None)],
)
def test_how_long_systemd_waits_is_read(
    usec: str, pid: str, patience: timedelta | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert supervisor.patience() == patience


def test_the_service_is_ready_gives_signs_of_life_and_says_when_it_stops(
    heard: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "50000")
    caplog.set_level(logging.WARNING, "newsbeat")
    monkeypatch.setattr(logging.getLogger("newsbeat"), "propagate", True)
    with Outlets() as served:
        config = served.configure(tmp_path / "config", "/a")

        async def work() -> None:
            stop = asyncio.Event()
            async with service.opened(config, tmp_path / "news.db", what="test") as running:
                serving = asyncio.create_task(running.run(stop))
                said: list[str] = []
                while said.count("WATCHDOG=1") < 3:
                    await asyncio.sleep(0.02)
                    said += all_of(heard)
                assert said.count("READY=1") == 1
                stop.set()
                await serving
                assert "STOPPING=1" in all_of(heard)

        asyncio.run(work())
    assert any("watchdog is shorter than two ticks" in message for message in caplog.messages)


def unit(name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "docs" / name)
    return parser


def test_the_unit_asks_for_the_words_and_checks_the_configuration_first() -> None:
    section = unit("newsbeat.service")["Service"]
    assert section["Type"] == "notify"
    assert section["WatchdogSec"] == "3min", "longer than two of the longest ticks (60 s)"
    assert section["ExecStartPre"].split()[1:] == ["check"]
    assert "AF_UNIX" in section["RestrictAddressFamilies"], "the words go over a Unix socket"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here to ask")
@pytest.mark.parametrize("name", ["newsbeat.service", "newsbeat-site.service"])
def test_systemd_finds_nothing_wrong_with_a_unit(name: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8").replace("/opt/newsbeat/.venv/bin/newsbeat", "/bin/true")
    (tmp_path / name).write_text(text.replace("User=newsbeat", "User=daemon").replace("Group=newsbeat\n", ""))
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    ours = [line for line in ran.stderr.splitlines() if name in line and "newsbeat.service not found" not in line]
    assert ours == []
