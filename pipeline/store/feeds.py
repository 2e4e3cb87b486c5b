"""The tables `outlets`, `feeds` and `hosts`: what we poll and what we remember of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.hiding import masked
from pipeline.model import Feed, FeedState, Outlet
from pipeline.store.stories import Stories
from pipeline.times import from_stamp, maybe_stamp, stamp
from pipeline.urls import host_of

_STATE = """
    SELECT f.id, f.url AS feed_url, f.current_url AS url, f.title, o.name AS outlet, f.outlet_id, f.state,
        f.every_s, f.etag, f.last_modified, f.validators_url, f.body_hash, f.same_bodies, f.failures,
        f.error_kind, f.gone_seen, f.moved_to, f.moved_seen, f.rhythm,
        f.hint_s, f.fresh_s, f.skip_hours, f.skip_days, f.next_poll_at, w.lease_until, f.not_before, f.certificate,
        f.flaw
    FROM feeds f LEFT JOIN outlets o ON o.id = f.outlet_id
    LEFT JOIN websub w ON w.feed_id = f.id AND w.state IN ('confirmed', 'renewing')
"""


ASKED_FOR = "asked for by hand"


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A feed as `newsbeat feeds list` and `status` show it. `why` says what the last poll came to, and why the next one
    comes when it does."""

    url: str
    outlet: str | None
    state: str
    failures: int
    last_ok_at: datetime | None
    last_new_at: datetime | None
    next_poll_at: datetime | None
    last_error: str | None
    error_kind: str | None = None
    error_since: datetime | None = None
    why: str | None = None
    certificate: str | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Followed:
    """A feed as an operator may name it, and what decides when it may be asked."""

    id: int
    url: str
    current_url: str
    outlet: str | None
    state: str
    failures: int
    last_polled_at: datetime | None
    not_before: datetime | None
    merged: bool
    """Paused because it moved onto another feed that is asked (contract R6)."""


class Feeds:
    """Reads and writes feeds; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def subscribe(
        self,
        feeds: Iterable[Feed],
        outlet_of: Callable[[Feed], Outlet | None],
        now: datetime,
    ) -> tuple[int, int]:
        """Makes the table agree with the configuration; returns how many feeds were added and how many paused.

        A feed no longer configured is paused and keeps everything; one that comes back goes on where it was. A new feed
        is due at once; pacing per host keeps a long list from starting as a storm.
        """
        known = {row[0]: (row[1], row[2]) for row in self._db.execute("SELECT url, id, state FROM feeds")}
        configured = {feed.url: feed for feed in feeds}
        added = 0
        dropped = [url for url, (_, state) in known.items() if url not in configured and state != "paused"]
        self._db.executemany("UPDATE feeds SET state = 'paused' WHERE url = ?", [(url,) for url in dropped])
        # One that was never asked has nothing to keep.
        self._db.executemany(
            "DELETE FROM feeds WHERE url = ? AND last_polled_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM entries WHERE feed_id = feeds.id)"
            " AND NOT EXISTS (SELECT 1 FROM polls WHERE feed_id = feeds.id)",
            [(url,) for url in dropped],
        )
        for feed in configured.values():
            outlet = outlet_of(feed)
            outlet_id = self.outlet_id(outlet) if outlet else None
            every = int(feed.every.total_seconds()) if feed.every else None
            if feed.url not in known:
                self._db.execute(
                    "INSERT INTO feeds (url, current_url, title, outlet_id, every_s, certificate, added_at,"
                    " next_poll_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (feed.url, feed.url, feed.title, outlet_id, every, feed.certificate, stamp(now), stamp(now)),
                )
                added += 1
                continue
            self._db.execute(
                # A feed that moved onto another one stays paused for as long as that one is asked (contract R6).
                "UPDATE feeds SET every_s = ?, certificate = ?, outlet_id = coalesce(?, outlet_id),"
                " title = coalesce(?, title), state = CASE WHEN state = 'paused' AND NOT EXISTS"
                " (SELECT 1 FROM feeds other WHERE other.current_url = feeds.current_url AND other.id != feeds.id"
                " AND other.state NOT IN ('gone', 'paused'))"
                # It comes back as what it was; one that was gone is asked again, since somebody wants it again.
                " THEN CASE WHEN failures > 0 THEN 'failing' WHEN current_url != url THEN 'moved' ELSE 'ok' END"
                " ELSE state END WHERE url = ?",
                (every, feed.certificate, outlet_id, feed.title, feed.url),
            )
        return added, len(dropped)

    def outlet_id(self, outlet: Outlet) -> int:
        """The row of an outlet, made or brought up to date. Stories are counted by families: anew, then."""
        domain = outlet.domains[0] if outlet.domains else None
        was = self._db.execute("SELECT id, domain, family FROM outlets WHERE name = ?", (outlet.name,)).fetchone()
        if was and was[1:] == (domain or was[1], outlet.family):
            return int(was[0])
        row = self._db.execute(
            "INSERT INTO outlets (name, domain, family) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET domain = coalesce(excluded.domain, domain), family = excluded.family"
            " RETURNING id",
            (outlet.name, domain, outlet.family),
        ).fetchone()
        if was and was[2] != outlet.family:
            Stories(self._db).recount_of(row[0])
        return int(row[0])

    def due(
        self,
        now: datetime,
        limit: int,
        but: Container[int] = frozenset(),
        may: Callable[[str], bool] = lambda _: True,
    ) -> list[FeedState]:
        """Feeds whose time has come, longest waiting first, without those in `but` (in flight).

        `may` is asked with each address in turn: whom it refuses (their host has enough to do) keeps nobody else from
        being found, however many they are.
        """
        found: list[int] = []
        rows = self._db.execute(
            "SELECT id, current_url FROM feeds WHERE state NOT IN ('gone', 'paused') AND next_poll_at <= ?"
            " ORDER BY next_poll_at",
            (stamp(now),),
        )
        for feed_id, url in rows:
            if len(found) == limit:
                break
            if feed_id not in but and may(url):
                found.append(feed_id)
        rows.close()
        return [self.state(feed_id) for feed_id in found]

    def state(self, feed_id: int) -> FeedState:
        """What is remembered of one feed."""
        return _state(self._db.execute(_STATE + " WHERE f.id = ?", (feed_id,)).fetchone())

    def by_current_url(self, url: str) -> FeedState | None:
        """The feed that is asked at this address, if there is one."""
        row = self._db.execute(
            _STATE + " WHERE f.current_url = ? AND f.state NOT IN ('gone', 'paused') LIMIT 1", (url,)
        ).fetchone()
        return _state(row) if row else None

    def keep(self, state: FeedState, now: datetime, *, ok: bool, new: bool, error: str | None) -> None:
        """Writes what is remembered after a poll that began at `now`. `error` is the last error in words, kept until
        the next success, or the flaw of the document we hold, which begins but once.

        Where the operator asked for the feed while the poll was under way, it is due for that, as soon as its server
        allows; one that was taken out of the configuration meanwhile stays paused.
        """
        error = masked(error) if error else error
        self._db.execute(
            """UPDATE feeds SET current_url = ?, title = ?, outlet_id = ?,
                state = CASE WHEN state = 'paused' THEN state ELSE ? END, etag = ?, last_modified = ?,
                validators_url = ?, body_hash = ?, same_bodies = ?, failures = ?, gone_seen = ?, moved_to = ?,
                moved_seen = ?, rhythm = ?, hint_s = ?, fresh_s = ?, skip_hours = ?, skip_days = ?,
                next_poll_at = CASE WHEN asked_for_at > ? THEN max(asked_for_at, coalesce(?, '')) ELSE ? END,
                asked_for_at = CASE WHEN asked_for_at > ? THEN asked_for_at END, not_before = ?, last_polled_at = ?,
                last_ok_at = CASE WHEN ? THEN ? ELSE last_ok_at END,
                last_new_at = CASE WHEN ? THEN ? ELSE last_new_at END,
                last_error = ?,
                last_error_at = CASE WHEN ? AND last_error IS ? THEN last_error_at WHEN ? IS NOT NULL THEN ?
                    ELSE last_error_at END, flaw = ?,
                error_kind = ?, error_since = CASE WHEN ? IS NOT NULL THEN coalesce(error_since, ?) END
            WHERE id = ?""",
            (
                state.url, state.title, state.outlet_id, state.state, state.etag, state.last_modified,
                state.validators_url, state.body_hash, state.same_bodies, state.failures, state.gone_seen,
                state.moved_to, state.moved_seen, state.rhythm, _seconds(state.hint), _seconds(state.fresh),
                _listed(state.skip_hours), _listed(state.skip_days),
                stamp(now), maybe_stamp(state.not_before), maybe_stamp(state.next_poll_at), stamp(now),
                maybe_stamp(state.not_before), stamp(now),
                ok, stamp(now), new, stamp(now), error, ok, error, error, stamp(now), state.flaw,
                state.error_kind, state.error_kind, stamp(now), state.id,
            ),
        )  # fmt: skip

    def delivered(self, feed_id: int, rhythm: str, now: datetime, *, new: bool) -> None:
        """Notes what came without being asked for."""
        self._db.execute(
            "UPDATE feeds SET rhythm = ?, last_new_at = CASE WHEN ? THEN ? ELSE last_new_at END WHERE id = ?",
            (rhythm, new, stamp(now), feed_id),
        )

    def rest(self, feed_id: int, until: datetime) -> None:
        """A hub tells of this feed now: no poll before `until`, or later if that was planned."""
        self._db.execute("UPDATE feeds SET next_poll_at = max(next_poll_at, ?) WHERE id = ?", (stamp(until), feed_id))

    def hasten(self, feed_id: int, now: datetime, every: timedelta) -> None:
        """No hub tells of this feed any more: it is due as if none ever had, not before what feed and server asked for.

        A feed in trouble, and one that is not asked, stays as planned.
        """
        self._db.execute(
            "UPDATE feeds SET next_poll_at = min(next_poll_at, max(?, strftime('%Y-%m-%dT%H:%M:%SZ', last_polled_at,"
            " '+' || max(coalesce(every_s, ?), coalesce(hint_s, 0), coalesce(fresh_s, 0)) || ' seconds')))"
            " WHERE id = ? AND failures = 0 AND last_polled_at IS NOT NULL",
            (stamp(now), round(every.total_seconds()), feed_id),
        )

    def is_known(self, feed_id: int) -> bool:
        """Whether there is such a feed (one that was never asked is let go of when it leaves the configuration)."""
        return bool(self._db.execute("SELECT 1 FROM feeds WHERE id = ?", (feed_id,)).fetchone())

    def forgive(self, since: datetime, until: datetime, kinds: Sequence[str]) -> None:
        """Feeds whose poll since then failed in such a way are due by `until`: the fault was ours."""
        self._db.execute(
            "UPDATE feeds SET next_poll_at = ?, failures = max(1, failures - 1) WHERE state = 'failing'"
            " AND last_polled_at >= ? AND next_poll_at > ?"
            " AND error_kind IN (SELECT value FROM json_each(?))",
            (stamp(until), stamp(since), stamp(until), json.dumps(kinds)),
        )

    def followed(self) -> list[Followed]:
        """Every feed that can be asked for, in the order of their addresses; not the imports."""
        rows = self._db.execute(
            """SELECT f.id, f.url, f.current_url, o.name, f.state, f.failures, f.last_polled_at, f.not_before,
                f.state = 'paused' AND EXISTS (SELECT 1 FROM feeds other WHERE other.current_url = f.current_url
                    AND other.id != f.id AND other.state NOT IN ('gone', 'paused'))
            FROM feeds f LEFT JOIN outlets o ON o.id = f.outlet_id WHERE f.next_poll_at IS NOT NULL ORDER BY f.url"""
        )
        return [
            Followed(r[0], r[1], r[2], r[3], r[4], r[5], from_stamp(r[6]), from_stamp(r[7]), bool(r[8])) for r in rows
        ]

    def ask_for(self, feed_id: int, at: datetime, now: datetime) -> None:
        """The operator wants this feed asked at `at`. A poll under way does not undo that (`keep`)."""
        self._db.execute(
            "UPDATE feeds SET next_poll_at = ?, asked_for_at = ? WHERE id = ?", (stamp(at), stamp(now), feed_id)
        )

    def revive(self, feed_id: int, gone_seen: int) -> None:
        """A feed that is gone, or was merged with another, is asked again, at its own address.

        `gone_seen` is how many 410 still count: one more may be enough to believe it.
        """
        self._db.execute(
            "UPDATE feeds SET current_url = url, moved_to = NULL, moved_seen = 0, gone_seen = ?,"
            " state = CASE WHEN failures > 0 THEN 'failing' ELSE 'ok' END WHERE id = ?",
            (gone_seen, feed_id),
        )

    def hold_host(self, host: str, until: datetime, why: str) -> None:
        """No feed of this host is asked before `until` (a 429 speaks for the whole host, contract T5)."""
        self._db.execute(
            "INSERT INTO hosts (host, next_ok_at, why) VALUES (?, ?, ?) ON CONFLICT (host) DO UPDATE SET"
            " next_ok_at = max(next_ok_at, excluded.next_ok_at), why = excluded.why",
            (host, stamp(until), masked(why)),
        )

    def held(self, host: str, now: datetime) -> tuple[datetime, str] | None:
        """Until when and why this host is not to be asked; `None` when it may be."""
        row = self._db.execute(
            "SELECT next_ok_at, why FROM hosts WHERE host = ? AND next_ok_at > ?", (host, stamp(now))
        ).fetchone()
        until = from_stamp(row[0]) if row else None
        return (until, row[1]) if until else None

    def postpone(self, feed_id: int, until: datetime) -> None:
        """Moves a feed's due time without a poll (its host is held)."""
        self._db.execute("UPDATE feeds SET next_poll_at = ? WHERE id = ?", (stamp(until), feed_id))

    def set_back(self, now: datetime, host_cap: timedelta) -> None:
        """After the clock was set back: who was polled in what is the future now waits as long as planned, from now on
        (contract T11), and a host no longer than `host_cap`."""
        self._db.execute(
            "UPDATE feeds SET next_poll_at = strftime('%Y-%m-%dT%H:%M:%SZ', ?, '+' ||"
            " (strftime('%s', next_poll_at) - strftime('%s', last_polled_at)) || ' seconds'), last_polled_at = ?"
            " WHERE last_polled_at > ? AND next_poll_at >= last_polled_at",
            (stamp(now), stamp(now), stamp(now)),
        )
        latest = stamp(now + host_cap)
        self._db.execute("UPDATE feeds SET asked_for_at = NULL WHERE asked_for_at > ?", (stamp(now),))
        self._db.execute("UPDATE feeds SET not_before = ? WHERE not_before > ?", (latest, latest))
        self._db.execute("UPDATE hosts SET next_ok_at = ? WHERE next_ok_at > ?", (latest, latest))

    def lines(self) -> list[FeedLine]:
        """Every feed, those in trouble first."""
        held = dict(self._db.execute("SELECT host, why FROM hosts"))
        rows = self._db.execute(
            """SELECT f.url, o.name, f.state, f.failures, f.last_ok_at, f.last_new_at, f.next_poll_at, f.last_error,
                f.error_kind, f.error_since, p.why, p.next_poll_at IS NOT f.next_poll_at, f.current_url,
                f.asked_for_at IS NOT NULL, f.certificate, f.id
            FROM feeds f LEFT JOIN outlets o ON o.id = f.outlet_id
            LEFT JOIN polls p ON p.id = (SELECT id FROM polls WHERE feed_id = f.id ORDER BY started_at DESC, id DESC
                LIMIT 1)
            ORDER BY CASE f.state WHEN 'gone' THEN 0 WHEN 'failing' THEN 1 WHEN 'moved' THEN 2
                WHEN 'ok' THEN 3 ELSE 4 END,
                o.name, f.url"""
        )
        return [
            FeedLine(
                r[0], r[1], r[2], r[3], from_stamp(r[4]), from_stamp(r[5]), from_stamp(r[6]), r[7],
                r[8], from_stamp(r[9]),
                # A due time other than the last poll's plan: the host asked all to wait, or somebody asked for it.
                held.get(host_of(r[12]), ASKED_FOR if r[13] else r[10]) if r[11] else r[10],
                r[14], r[15],
            )
            for r in rows
        ]  # fmt: skip


def _state(row: tuple[Any, ...]) -> FeedState:
    values = dict(zip(_COLUMNS, row, strict=True))
    for key in ("every", "hint", "fresh"):
        values[key] = timedelta(seconds=values[key]) if values[key] else None
    for key in ("skip_hours", "skip_days"):
        values[key] = frozenset(int(number) for number in (values[key] or "").split())
    values["next_poll_at"] = from_stamp(values["next_poll_at"])
    for key in ("told_until", "not_before"):
        values[key] = from_stamp(values[key])
    return FeedState(**values)


def _seconds(wait: timedelta | None) -> int | None:
    return round(wait.total_seconds()) if wait else None


def _listed(numbers: frozenset[int]) -> str | None:
    return " ".join(str(number) for number in sorted(numbers)) or None


_COLUMNS = (
    "id feed_url url title outlet outlet_id state every etag last_modified validators_url body_hash same_bodies"
    " failures error_kind gone_seen moved_to moved_seen rhythm hint fresh skip_hours skip_days next_poll_at told_until"
    " not_before certificate flaw"
).split()
