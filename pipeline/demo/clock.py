"""Time that runs thousands of times as fast, and stands still while a poll is under way.

Standing still is what makes the demo come out the same on a slow machine: the clock never outruns the work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

LONGEST_STEP = timedelta(minutes=10)
"""However long nobody looked at the clock, it moves on by no more than this at once."""


class FastClock:
    """From `start` to `end`, `rate` times as fast as `real` (seconds, monotonic) runs while `busy()` is False."""

    def __init__(
        self,
        start: datetime,
        end: datetime,
        rate: float,
        busy: Callable[[], bool],
        real: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at, self._end, self._rate, self._busy, self._real = start, end, rate, busy, real
        self._looked = real()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Moves the clock on, and tells the moment. For the one who drives."""
        with self._lock:
            looked = self._real()
            passed, self._looked = looked - self._looked, looked
            if not self._busy():
                self._at = min(self._at + min(timedelta(seconds=passed * self._rate), LONGEST_STEP), self._end)
            return self._at

    def peek(self) -> datetime:
        """The moment, without moving on. For everyone else."""
        with self._lock:
            return self._at
