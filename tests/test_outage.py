"""Whose fault it is that nobody answers: from a row of polls to whether the line here is down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes import NOW

from pipeline import schedule
from pipeline.schedule import Line

MINUTE = timedelta(minutes=1)
FIVE = [(f"host{n}", "dns", 0) for n in range(5)]

ROWS = {
    "nobody was asked": ([], False),
    "five hosts without a name": (FIVE, True),
    "unreachable and timeout are alike": ([("a", "timeout", 0), ("b", "unreachable", 0), *FIVE[:3]], True),
    "four are too few": (FIVE[:4], False),
    "one host with many feeds": ([("a", "timeout", 0)] * 20, False),
    "an answer in between": ([*FIVE[:3], ("z", None, 0), *FIVE[3:]], False),
    "an error is an answer": ([*FIVE[:4], ("z", "status", 0), *FIVE[4:]], False),
    "a refused connection is an answer": ([*FIVE[:4], ("z", "connect", 0), *FIVE[4:]], False),
    "an address that is never asked says nothing": ([*FIVE[:4], ("z", "address", 0), *FIVE[4:]], True),
    "too long ago": ([(host, kind, n * 5) for n, (host, kind, _) in enumerate(FIVE)], False),
    "down until one answers": ([*FIVE, *FIVE, ("z", None, 1)], False),
    "still down": ([*FIVE, *[(host, "dns", 5) for host, _, _ in FIVE]], True),
}


@pytest.mark.parametrize(("polls", "down"), ROWS.values(), ids=ROWS)
def test_line_is_down_when_nobody_at_all_can_be_reached(polls: list[tuple[str, str | None, int]], down: bool) -> None:
    line = Line()
    for host, kind, minutes in polls:
        line = schedule.heard(line, host, kind, NOW + minutes * MINUTE)
    assert line.down == down
    assert len(line.unreached) <= 5


def test_line_knows_since_when_it_is_down() -> None:
    line = Line()
    assert line.since is None
    for n in range(5):
        line = schedule.heard(line, f"host{n}", "dns", NOW + n * MINUTE)
    assert line.since == NOW


def test_clock_set_back_forgets_what_was_heard_in_what_is_the_future_now() -> None:
    line = Line()
    for n in range(5):
        line = schedule.heard(line, f"host{n}", "dns", NOW - n * timedelta(hours=1))
    assert not line.down
