"""The table `polls`: what each poll came to, in numbers and in words."""

from __future__ import annotations

import sqlite3

from pipeline.hiding import masked
from pipeline.model import PollOutcome
from pipeline.times import maybe_stamp, stamp


class Polls:
    """Writes polls; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def keep(self, feed_id: int, outcome: PollOutcome, skipped: int = 0) -> None:
        """One row. `skipped` counts entries that could not be read."""
        self._db.execute(
            "INSERT INTO polls (feed_id, started_at, outcome, status, new, revised, unchanged, skipped, bytes, ms,"
            " next_poll_at, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                feed_id, stamp(outcome.started_at), outcome.outcome, outcome.status, outcome.new, outcome.revised,
                outcome.unchanged, skipped, outcome.bytes, outcome.ms, maybe_stamp(outcome.next_poll_at),
                masked(outcome.why),
            ),
        )  # fmt: skip
