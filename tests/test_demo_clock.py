"""The demo's clock: forward only, never past its end, and still while a poll is under way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.demo.clock import LONGEST_STEP, FastClock

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


class Real:
    """Seconds one can pass, and whether somebody works."""

    def __init__(self) -> None:
        self.seconds, self.is_busy = 1000.0, False

    def __call__(self) -> float:
        return self.seconds

    def busy(self) -> bool:
        return self.is_busy


def made(real: Real, rate: float = 60.0, length: timedelta = timedelta(days=10)) -> FastClock:
    return FastClock(START, START + length, rate, real.busy, real)


def test_the_clock_starts_at_its_start_and_runs_at_its_rate() -> None:
    real = Real()
    clock = made(real, rate=60)
    assert clock.now() == clock.peek() == START
    real.seconds += 2
    assert clock.peek() == START, "peeking does not move it"
    assert clock.now() == clock.peek() == START + timedelta(minutes=2)


def test_the_clock_stands_still_while_busy_and_does_not_catch_up() -> None:
    real = Real()
    clock = made(real)
    real.is_busy = True
    for _ in range(5):
        real.seconds += 100
        assert clock.now() == START
    real.is_busy = False
    assert clock.now() == START
    real.seconds += 1
    assert clock.now() == START + timedelta(minutes=1)


def test_the_clock_moves_on_by_its_longest_step_at_most() -> None:
    real = Real()
    clock = made(real, rate=10_000)
    real.seconds += 10_000
    assert clock.now() == START + LONGEST_STEP


def test_the_clock_stops_at_its_end() -> None:
    real = Real()
    clock = made(real, length=timedelta(minutes=3))
    for _ in range(5):
        real.seconds += 1
        clock.now()
    assert clock.now() == START + timedelta(minutes=3)


looks = st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), max_size=30)


@settings(max_examples=150, deadline=None)
@given(looks, st.floats(0, 1e6), st.timedeltas(min_value=timedelta(), max_value=timedelta(days=2)))
def test_the_clock_never_runs_backwards_nor_past_its_end_and_stands_still_while_busy(
    steps: list[tuple[float, bool]], rate: float, length: timedelta
) -> None:
    real = Real()
    clock = made(real, rate, length)
    before = clock.now()
    for passed, busy in steps:
        real.seconds += passed
        real.is_busy = busy
        seen = clock.peek()
        now = clock.now()
        assert seen == before
        assert before <= now <= START + length
        assert now - before <= LONGEST_STEP
        if busy:
            assert now == before
        before = now
