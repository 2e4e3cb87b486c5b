"""What a feed's habits are, and what wait they allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.schedule import rhythm
from pipeline.schedule.rhythm import Rhythm

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
M, H = timedelta(minutes=1), timedelta(hours=1)
DEFAULT, LEAST, MOST = H, 30 * M, 6 * H


def wait(known: Rhythm, now: datetime) -> timedelta:
    return rhythm.wait(known, DEFAULT, LEAST, MOST, now)[0]


def weekdays_at_nine(start: datetime) -> Iterator[datetime]:
    for day in range(1000):
        moment = start + timedelta(days=day, hours=9)
        if moment.weekday() < 5:
            yield from (moment + n * 5 * M for n in range(4))


def every(gap: timedelta) -> Callable[[datetime], Iterator[datetime]]:
    return lambda start: (start + gap * n for n in range(1, 100_000))


def follow(publishes: Callable[[datetime], Iterator[datetime]], days: int) -> tuple[Rhythm, list[timedelta], datetime]:
    """A feed polled as its rhythm says for so many days: what is known then, every wait, and the last moment."""
    entries = publishes(START)
    upcoming = next(entries)
    known, waits, now = Rhythm(), [], START
    while now < START + timedelta(days=days):
        new = []
        while upcoming <= now:
            new.append(upcoming)
            upcoming = next(entries)
        known = rhythm.learn(known, new, 0.5 if new else None, now)
        waits.append(wait(known, now))
        now += waits[-1]
    return known, waits, now


def test_a_feed_not_yet_known_is_asked_at_the_default_pace() -> None:
    assert wait(Rhythm(), START) == DEFAULT
    assert wait(rhythm.learn(Rhythm(), [START] * 50, None, START), START) == DEFAULT, "what stood there teaches nothing"


def test_a_busy_feed_is_asked_as_often_as_is_allowed() -> None:
    _, waits, _ = follow(every(5 * M), 3)
    assert set(waits[-20:]) == {LEAST}


def test_a_quiet_feed_is_asked_as_rarely_as_is_allowed() -> None:
    _, waits, _ = follow(every(timedelta(days=4)), 30)
    assert max(waits) == MOST
    assert len(waits) < 30 * 24 / 5


def test_something_is_new_at_most_polls_of_a_feed_between_the_limits() -> None:
    _, waits, _ = follow(every(2 * H), 28)
    later = waits[len(waits) // 2 :]
    assert 1.5 * H < sum(later, timedelta()) / len(later) < 3 * H


def test_the_hour_of_the_week_is_learned() -> None:
    known, _, _ = follow(weekdays_at_nine, 56)
    monday = START + timedelta(days=56)
    assert wait(known, monday + 8.5 * H) < wait(known, monday + 12 * H), "before the hour it is awake"
    assert wait(known, monday + timedelta(days=5) + 8.5 * H) == MOST or known.burst_gap is not None


def test_a_feed_that_came_in_a_burst_does_not_sleep_longer_than_the_quiet_before_it() -> None:
    known = rhythm.learn(Rhythm(), [], None, START)
    known = rhythm.learn(known, [], None, START + 40 * H)
    assert wait(known, START + 40 * H) == MOST
    known = rhythm.learn(known, [START + 42 * H] * 5, 0.5, START + 42 * H)
    known = rhythm.learn(known, [START + 45 * H] * 5, 0.5, START + 45 * H)
    assert known.burst_gap == 3 * H
    known = rhythm.learn(known, [], None, START + timedelta(days=60))
    assert wait(known, START + timedelta(days=60)) == 3 * H


def test_the_second_half_of_a_burst_is_no_burst() -> None:
    known = rhythm.learn(Rhythm(), [], None, START)
    known = rhythm.learn(known, [START + 30 * H] * 5, 0.5, START + 30 * H)
    known = rhythm.learn(known, [START + 30.5 * H] * 5, 0.5, START + 30.5 * H)
    assert known.burst_gap == 30 * H


def test_an_answer_that_shares_nothing_with_the_last_one_shortens_the_wait_until_one_does() -> None:
    known = rhythm.learn(Rhythm(), [], None, START)
    known = rhythm.learn(known, [START + 26 * H], 0.9, START + 26 * H)
    assert known.hurry is None
    known = rhythm.learn(known, [START + 28 * H], 0.0, START + 28 * H)
    assert known.hurry == H
    assert rhythm.wait(known, DEFAULT, LEAST, MOST, START + 28 * H) == (
        H,
        "all entries were new last time, so some may have been missed",
    )
    assert rhythm.learn(known, [], None, START + 29 * H).hurry == H, "a 304 says nothing of it"
    assert rhythm.learn(known, [START + 29 * H], 0.9, START + 29 * H).hurry is None


def test_old_habits_fade() -> None:
    known, _, now = follow(every(30 * M), 14)
    busy = wait(known, now)
    later = now + timedelta(days=90)
    assert wait(rhythm.learn(known, [], None, later), later) > busy


@given(
    steps=st.lists(
        st.tuples(st.integers(60, 10**6), st.integers(0, 30), st.none() | st.floats(0, 1)), min_size=1, max_size=30
    )
)
@settings(max_examples=150, deadline=None)
def test_the_wait_lies_between_the_limits_and_survives_the_database(
    steps: list[tuple[int, int, float | None]],
) -> None:
    known, now = Rhythm(), START
    for seconds, new, overlap in steps:
        now += timedelta(seconds=seconds)
        known = rhythm.learn(known, [now] * new, overlap, now)
        again = rhythm.read(rhythm.written(known))
        assert LEAST <= wait(known, now) <= MOST
        assert abs(wait(again, now) - wait(known, now)) < 5 * M
        known = again


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=400)])
def test_t11_a_clock_set_back_harms_nothing(back: timedelta) -> None:
    known, _, now = follow(every(H), 3)
    known = rhythm.learn(known, [now - back], 0.5, now - back)
    assert LEAST <= wait(known, now - back) <= MOST
