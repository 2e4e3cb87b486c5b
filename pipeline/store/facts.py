"""What `care` judges, read from the database: how each feed is, its pauses, what a usual day brings. Reads only."""

from __future__ import annotations

import fcntl
import glob
import sqlite3
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from pipeline.care import DATED, ENOUGH, PAUSES, RECENT, WEEKS, Facts, FeedFacts, pauses
from pipeline.store.store import Store
from pipeline.times import from_stamp, stamp

LATEST = 200
SLACK = timedelta(minutes=30)


def facts(store: Store, now: datetime, disk_free: int | None = None) -> Facts:
    """Everything that is known, at one moment."""
    db = store.connection
    with store.snapshot():
        totals = store.numbers.totals(now)
        gaps = _gaps(db, now)
        feeds = tuple(
            FeedFacts(
                url=row[1], state=row[2], failures=row[3], status=row[4], error=row[5], error_kind=row[6],
                error_since=from_stamp(row[7]), current_url=row[8], last_ok_at=from_stamp(row[9]),
                last_new_at=from_stamp(row[10]), gaps=gaps.get(row[0], ()), told=bool(row[11]),
                added_at=from_stamp(row[12]),
            )
            for row in db.execute(_FEEDS)
        )  # fmt: skip
        usual = _usual_day(db, now)
        copies = list(store.path.parent.glob(f"{glob.escape(store.path.stem)}.before-*{store.path.suffix}"))
        return Facts(
            feeds=feeds,
            running=holder(store.path),
            last_ok_at=totals.last_ok_at,
            last_polled_at=totals.last_polled_at,
            late=totals.late,
            today=totals.articles_24h,
            usual_day=usual,
            ahead=_ahead(db),
            stale=tuple((line.slug, line.left or line.stale) for line in totals.topics if line.left or line.stale),
            notices=tuple((notice.about, notice.said) for notice in store.notices.all()),
            disk_free=disk_free,
            db_bytes=totals.bytes,
            copies=len(copies),
            copies_bytes=sum(map(_size, copies)),
            wal_bytes=_size(store.path.with_name(f"{store.path.name}-wal")),
        )


def holder(path: Path) -> str | None:
    """Who holds the database for writing, in words; `None` when nobody does. Leaves no trace."""
    try:
        with Path(f"{path}.lock").open(encoding="utf-8", errors="replace") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read(200).strip() or "another process"
            return None
    except OSError:
        return None


_FEEDS = """
    SELECT f.id, f.url, f.state, f.failures,
        (SELECT p.status FROM polls p WHERE p.feed_id = f.id ORDER BY p.started_at DESC, p.id DESC LIMIT 1),
        f.last_error, f.error_kind, f.error_since, f.current_url, f.last_ok_at, f.last_new_at,
        EXISTS (SELECT 1 FROM websub w WHERE w.feed_id = f.id AND w.state IN ('confirmed', 'renewing')),
        f.added_at
    FROM feeds f ORDER BY f.url
"""


def _gaps(db: sqlite3.Connection, now: datetime) -> dict[int, tuple[timedelta, ...]]:
    """The pauses of each feed, by polls with news or by the dates of its articles."""
    rows = db.execute(
        "SELECT feed_id, group_concat(gap) FROM (SELECT feed_id, unixepoch(started_at) - lag(unixepoch(started_at))"
        " OVER (PARTITION BY feed_id ORDER BY started_at, id) AS gap FROM polls INDEXED BY polls_started"
        " WHERE started_at >= ? AND new > 0) WHERE gap IS NOT NULL GROUP BY feed_id",
        (stamp(now - PAUSES),),
    )
    polled = {row[0]: [timedelta(seconds=int(gap)) for gap in row[1].split(",")] for row in rows}
    known = {}
    for (feed_id,) in db.execute("SELECT id FROM feeds").fetchall():
        recent = polled.get(feed_id, [])
        known[feed_id] = pauses(recent, () if len(recent) >= RECENT else _dated(db, feed_id, now))
    return known


def _dated(db: sqlite3.Connection, feed_id: int, now: datetime) -> tuple[timedelta, ...]:
    """The times between the latest hours in which articles of a feed are dated."""
    rows = db.execute(
        "SELECT DISTINCT substr(a.published_at, 1, 13) FROM entries e CROSS JOIN articles a ON a.id = e.article_id"
        " WHERE e.feed_id = ? AND a.published_at <= ? ORDER BY 1 DESC LIMIT ?",
        (feed_id, stamp(now), DATED),
    )
    hours = [datetime.fromisoformat(f"{row[0]}:00:00+00:00") for row in rows]
    return tuple(later - earlier for later, earlier in pairwise(hours))


def _usual_day(db: sqlite3.Connection, now: datetime) -> float | None:
    """The mean of the same 24 hours of the weeks before; `None` while they are not all there, or bring too little."""
    counts = []
    for week in range(1, WEEKS + 1):
        until = now - timedelta(days=7 * week)
        row = db.execute(
            "SELECT count(*), (SELECT count(*) FROM polls WHERE started_at >= ?1 AND started_at < ?2 AND outcome !="
            " 'failed') FROM articles WHERE first_seen_at >= ?1 AND first_seen_at < ?2",
            (stamp(until - timedelta(days=1)), stamp(until)),
        ).fetchone()
        if not row[1]:
            return None  # nobody was asked: that day says nothing
        counts.append(row[0])
    mean = sum(counts) / len(counts)
    return mean if mean >= ENOUGH else None


def _ahead(db: sqlite3.Connection) -> float:
    """The share of the latest articles that bear a date after we saw them."""
    rows = db.execute(
        "SELECT published_at, first_seen_at FROM articles WHERE published_at IS NOT NULL ORDER BY id DESC LIMIT ?",
        (LATEST,),
    ).fetchall()
    ahead = [row for row in rows if (seen := from_stamp(row[1])) and row[0] > stamp(seen + SLACK)]
    return len(ahead) / len(rows) if len(rows) >= LATEST // 4 else 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
