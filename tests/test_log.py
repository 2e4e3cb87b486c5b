"""Log lines: one event, its facts, one line."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import pytest

from pipeline import log


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    before = log.logger.handlers[:], log.logger.level, log.logger.propagate
    log.logger.propagate = True
    log.logger.setLevel(logging.INFO)
    yield caplog
    log.logger.handlers[:], log.logger.propagate = before[0], before[2]
    log.logger.setLevel(before[1])


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, "feed polled", id="no facts"),
        pytest.param({"new": 3, "outcome": "ok"}, "feed polled new=3 outcome=ok", id="in order"),
        pytest.param({"why": None, "new": 0}, "feed polled new=0", id="none is left out, zero is not"),
        pytest.param({"why": "no answer"}, 'feed polled why="no answer"', id="spaces are quoted"),
        pytest.param({"why": ""}, 'feed polled why=""', id="nothing is quoted"),
        pytest.param({"why": "one\ntwo\r\nthree"}, 'feed polled why="one two three"', id="one line"),
        pytest.param({"why": 'the "new" bridge'}, "feed polled why=\"the 'new' bridge\"", id="quotes inside"),
        pytest.param({"feed": "https://example.org/a%20b"}, "feed polled feed=https://example.org/a%20b", id="percent"),
        pytest.param({"ok": True}, "feed polled ok=True", id="a truth"),
    ],
)
def test_an_event_is_its_name_and_its_facts(
    lines: pytest.LogCaptureFixture, facts: dict[str, object], expected: str
) -> None:
    log.event("feed polled", **facts)  # type: ignore[arg-type]
    assert lines.messages == [expected]


def test_an_event_below_the_level_says_nothing(lines: pytest.LogCaptureFixture) -> None:
    log.event("detail", logging.DEBUG, new=1)
    assert lines.messages == []
    log.event("trouble", logging.ERROR, new=1)
    assert [record.levelname for record in lines.records] == ["ERROR"]


def test_lines_go_to_stderr_with_the_time_in_utc(
    lines: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    log.to_stderr()
    log.to_stderr()
    log.event("service started", feeds=2)
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ I service started feeds=2\n", said.err), "once, not twice"


def test_lines_are_json_when_asked_for(lines: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    log.to_stderr(form="json")
    log.event("feed polled", feed="https://a.example/f", new=3, took=0.5, ok=True, why=None, at="low")
    log.event("configuration refused", logging.ERROR, why=ValueError('a "b"\n\x1b[31mc'))
    try:
        raise KeyError("x")
    except KeyError:
        log.logger.exception("poll failed feed=%s", "https://a.example/f")
    polled, refused, failed = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", polled.pop("at"))
    assert polled == {
        "level": "info", "event": "feed polled", "feed": "https://a.example/f", "new": 3, "took": 0.5, "ok": True,
        "at_": "low",
    }  # fmt: skip
    assert (refused["level"], refused["why"]) == ("error", 'a "b" [31mc')
    assert failed["event"] == "poll failed feed=https://a.example/f"
    assert "KeyError" in failed["trace"]
