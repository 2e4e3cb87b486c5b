"""The table `notices`: what is amiss with the service itself, for as long as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.times import stamp


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing a person should know: what it is about (`configuration`, `network`), in words, and since when."""

    about: str
    said: str
    since: str


class Notices:
    """Reads and writes notices; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def replace(self, about: str, said: Iterable[str], now: datetime) -> None:
        """From now on this is what there is to say about that; nothing, when it is in order again.

        What was said before keeps its beginning.
        """
        before = dict(self._db.execute("SELECT said, since FROM notices WHERE about = ?", (about,)))
        self._db.execute("DELETE FROM notices WHERE about = ?", (about,))
        self._db.executemany(
            "INSERT INTO notices (about, said, since) VALUES (?, ?, ?)",
            [(about, words, before.get(words, stamp(now))) for words in said],
        )

    def all(self) -> tuple[Notice, ...]:
        """Everything that is amiss, oldest first."""
        return tuple(Notice(*row) for row in self._db.execute("SELECT about, said, since FROM notices ORDER BY id"))
