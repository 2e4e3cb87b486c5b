"""The table `archives`: older documents of a feed (RFC 5005), each asked for at most once."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from pipeline.times import stamp

DAY = timedelta(hours=24)


class History:
    """Reads and writes archive addresses; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def want(self, feed_id: int, url: str) -> bool:
        """Puts an address on the list; False when it is there, asked or not."""
        made = self._db.execute(
            "INSERT INTO archives (feed_id, url) SELECT ?, ?"
            " WHERE ? NOT IN (SELECT current_url FROM feeds WHERE id = ? UNION SELECT url FROM feeds WHERE id = ?)"
            " ON CONFLICT DO NOTHING",
            (feed_id, url, url, feed_id, feed_id),
        )
        return made.rowcount == 1

    def next(self, feed_id: int, now: datetime, most: int) -> str | None:
        """The address to ask next; `None` when there is none, or `most` were asked within a day."""
        row = self._db.execute(
            "SELECT url FROM archives WHERE feed_id = ? AND fetched_at IS NULL"
            " AND (SELECT count(*) FROM archives WHERE feed_id = ? AND fetched_at > ?) < ? ORDER BY rowid LIMIT 1",
            (feed_id, feed_id, stamp(now - DAY), most),
        ).fetchone()
        return str(row[0]) if row else None

    def asked(self, feed_id: int, url: str, now: datetime) -> None:
        """Notes that an address was asked for: it never is again, whatever comes of it."""
        self._db.execute("UPDATE archives SET fetched_at = ? WHERE feed_id = ? AND url = ?", (stamp(now), feed_id, url))
