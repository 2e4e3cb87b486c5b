"""What a database says, in words that do not hang on row numbers, and how two of them differ.

Read `exactly`, that is everything of articles, entries, revisions, tags and polls, with its moments; else without when
things were seen and polled, for runs whose polls came at other times. `faults` is what `newsbeat verify` finds.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.store import Store
from pipeline.store.verify import verify

Rows = dict[str, Counter[tuple[object, ...]]]

_CONTENT = {
    "articles": "SELECT a.url, o.name, a.title, a.summary, a.published_at, a.text_hash, a.revision_count, t.text"
    " FROM articles a JOIN outlets o ON o.id = a.outlet_id JOIN article_texts t ON t.article_id = a.id",
    "entries": "SELECT f.url, e.guid, a.url, e.link FROM entries e JOIN feeds f ON f.id = e.feed_id"
    " JOIN articles a ON a.id = e.article_id",
    "revisions": "SELECT a.url, r.n, r.title, r.summary, r.text_hash, r.kind, r.changed, r.returns"
    " FROM revisions r JOIN articles a ON a.id = r.article_id",
    "tags": "SELECT a.url, t.topic, round(t.score, 6), t.on_topic, t.profile_hash, t.decided_by"
    " FROM article_topics t JOIN articles a ON a.id = t.article_id",
}
_MOMENTS = {
    "first seen": "SELECT url, first_seen_at FROM articles",
    "last seen": "SELECT f.url, e.guid, e.first_seen_at, e.last_seen_at FROM entries e"
    " JOIN feeds f ON f.id = e.feed_id",
    "revised": "SELECT a.url, r.n, r.seen_at, r.returned_at FROM revisions r JOIN articles a ON a.id = r.article_id",
    "polls": "SELECT f.url, p.started_at, p.outcome, p.status, p.new, p.revised, p.unchanged, p.next_poll_at"
    " FROM polls p JOIN feeds f ON f.id = p.feed_id",
    "feeds": "SELECT url, state, etag, body_hash, next_poll_at, failures, rhythm, last_new_at FROM feeds",
}
_DERIVED = {
    "copies": "SELECT a.url, b.url FROM articles a JOIN articles b ON b.id = a.copy_of",
    "story sizes": "SELECT article_count, count(*) FROM stories GROUP BY article_count",
}

_UNCOUNTED = "SELECT (SELECT count(*) FROM articles) - (SELECT ifnull(sum(new), 0) FROM polls)"


def read(db: Path, *, exactly: bool = True) -> Rows:
    """What the database holds."""
    wanted = {**_CONTENT, **_MOMENTS} if exactly else _CONTENT
    return _read(db, wanted)


def derived(db: Path) -> Rows:
    """What may differ when two polls of one step are kept in another order: copies and stories."""
    return _read(db, _DERIVED)


def _read(db: Path, wanted: dict[str, str]) -> Rows:
    with closing(sqlite3.connect(f"{db.absolute().as_uri()}?mode=ro", uri=True)) as rows:
        return {name: Counter(rows.execute(sql).fetchall()) for name, sql in wanted.items()}


def differences(wanted: Rows, found: Rows) -> list[str]:
    """What is missing and what is too much, with an example of each; empty when the two say the same."""
    said = []
    for name, rows in wanted.items():
        for what, less in (("missing", rows - found[name]), ("too much", found[name] - rows)):
            if less:
                said.append(f"{name}: {less.total()} {what}, such as {next(iter(less))!r:.300}")
    return said


def faults(db: Path, now: datetime) -> list[str]:
    """What `newsbeat verify` finds at a moment, and articles that no poll counted as new. Nothing of one that was
    not made yet, or whose tables are not all there: the next start makes them."""
    if not db.exists() or not db.stat().st_size:
        return []
    try:
        with Store.read(db) as store:
            said = [f"{one.what}: {one.count}, such as {one.example}" for one in verify(store, now).findings]
            (uncounted,) = store.connection.execute(_UNCOUNTED).fetchone()
            return said + ([f"articles that no poll counted: {uncounted}"] if uncounted else [])
    except StoreError as error:
        return [] if "made by an older" in str(error) or "no database yet" in str(error) else [str(error)]
