"""The table `websub`: which hub tells of which feed. Holds secrets, and is never shown."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from pipeline.model import Subscription
from pipeline.times import from_stamp, maybe_stamp, stamp

_COLUMNS = "feed_id, hub_url, topic_url, callback_url, secret, state, asked_at, lease_until, next_try_at, failures, why"
_ASLEEP = "feed_id IN (SELECT id FROM feeds WHERE state IN ('paused', 'gone'))"
_TOLD = "state IN ('confirmed', 'renewing')"


class Websub:
    """Reads and writes subscriptions; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def offered(self, feed_id: int, hub_url: str, topic_url: str, now: datetime) -> None:
        """Notes what a feed says of its hub. Another hub or topic than before is a new subscription."""
        self._db.execute(
            "INSERT INTO websub (feed_id, hub_url, topic_url, next_try_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (feed_id) DO UPDATE SET hub_url = excluded.hub_url, topic_url = excluded.topic_url,"
            " callback_url = NULL, secret = NULL, state = 'offered', asked_at = NULL, lease_until = NULL,"
            " next_try_at = excluded.next_try_at, failures = 0, why = NULL"
            " WHERE hub_url != excluded.hub_url OR topic_url != excluded.topic_url OR state = 'leaving'",
            (feed_id, hub_url, topic_url, stamp(now)),
        )

    def withdrawn(self, feed_id: int, now: datetime) -> None:
        """The feed names no hub any more."""
        self._db.execute(
            "UPDATE websub SET state = 'leaving', failures = 0, next_try_at = ?"
            " WHERE feed_id = ? AND state != 'leaving'",
            (stamp(now), feed_id),
        )

    def settle(self, base: str | None, now: datetime) -> list[int]:
        """Makes the table agree with configuration and clock; the feeds that no hub tells of any more.

        Without a `base` every subscription is left, as are those of feeds that are not asked; one made for another
        base is made anew, and so is one whose lease is over.
        """
        other = f"callback_url IS NOT NULL AND substr(callback_url, 1, {len(base)}) != ?" if base else "? IS NOT NULL"
        leave = f"state != 'leaving' AND ({_ASLEEP}{'' if base else ' OR 1'})"
        anew = f"state != 'leaving' AND (({other}) OR ({_TOLD} AND lease_until <= ?))"
        fresh = "state = 'offered', callback_url = NULL, secret = NULL, asked_at = NULL, lease_until = NULL"
        wanted = f"SELECT 1 FROM websub WHERE ({leave}) OR ({anew}) LIMIT 1"  # noqa: S608
        if not self._db.execute(wanted, (base, stamp(now))).fetchone():
            return []
        told = {row[0] for row in self._db.execute(f"SELECT feed_id FROM websub WHERE {_TOLD}")}  # noqa: S608
        self._db.execute(
            f"UPDATE websub SET state = 'leaving', failures = 0, next_try_at = ? WHERE {leave}",  # noqa: S608
            (stamp(now),),
        )
        self._db.execute(
            f"UPDATE websub SET {fresh}, failures = 0, next_try_at = ? WHERE {anew}",  # noqa: S608
            (stamp(now), base, stamp(now)),
        )
        return sorted(told - {row[0] for row in self._db.execute(f"SELECT feed_id FROM websub WHERE {_TOLD}")})  # noqa: S608

    def told(self, now: datetime) -> list[int]:
        """The feeds that a hub promised to tell of."""
        rows = self._db.execute(
            f"SELECT feed_id FROM websub WHERE {_TOLD} AND lease_until > ?",  # noqa: S608
            (stamp(now),),
        )
        return [row[0] for row in rows]

    def due(self, now: datetime, limit: int) -> list[Subscription]:
        """Subscriptions with something to ask their hub, longest waiting first."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM websub WHERE next_try_at <= ? ORDER BY next_try_at LIMIT ?",  # noqa: S608
            (stamp(now), limit),
        )
        return [_read(row) for row in rows]

    def get(self, feed_id: int) -> Subscription | None:
        """The subscription of a feed."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM websub WHERE feed_id = ?", (feed_id,)).fetchone()  # noqa: S608
        return _read(row) if row else None

    def by_path(self, path: str) -> Subscription | None:
        """The subscription whose callback ends in this path."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM websub WHERE substr(callback_url, -length(?)) = ?",  # noqa: S608
            (path, path),
        ).fetchone()
        return _read(row) if row else None

    def keep(self, one: Subscription) -> None:
        """Writes a subscription as it is now."""
        self._db.execute(
            "UPDATE websub SET callback_url = ?, secret = ?, state = ?, asked_at = ?, lease_until = ?, next_try_at = ?,"
            " failures = ?, why = ? WHERE feed_id = ?",
            (
                one.callback_url, one.secret, one.state, maybe_stamp(one.asked_at), maybe_stamp(one.lease_until),
                maybe_stamp(one.next_try_at), one.failures, one.why, one.feed_id,
            ),
        )  # fmt: skip

    def said(self, feed_id: int, why: str | None) -> None:
        """Notes what came of asking a hub, in words."""
        self._db.execute("UPDATE websub SET why = ? WHERE feed_id = ?", (why, feed_id))

    def delivered(self, feed_id: int, now: datetime) -> None:
        """Notes that a delivery came."""
        self._db.execute("UPDATE websub SET delivered_at = ? WHERE feed_id = ?", (stamp(now), feed_id))

    def forget(self, feed_id: int) -> None:
        """Lets go of a subscription."""
        self._db.execute("DELETE FROM websub WHERE feed_id = ?", (feed_id,))

    def count(self) -> int:
        """How many subscriptions there are, in any state."""
        return int(self._db.execute("SELECT count(*) FROM websub").fetchone()[0])


def _read(row: tuple[Any, ...]) -> Subscription:
    asked, lease, next_try = (from_stamp(moment) for moment in row[6:9])
    return Subscription(row[0], row[1], row[2], row[3], row[4], row[5], asked, lease, next_try, row[9], row[10])
