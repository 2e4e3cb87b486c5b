"""Counts over the whole database, for `status` and the demo's summary. Reads only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.times import from_stamp, stamp


@dataclass(frozen=True, slots=True)
class TopicLine:
    """How one topic stands: articles on it, verdicts of an older profile (`stale`), articles still to be judged by the
    present one (`left`), and verdicts that a person gave."""

    slug: str
    title: str
    on_topic: int
    stale: int
    left: int
    labelled: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What `newsbeat status` tells. `late` feeds were due more than an hour ago."""

    feeds: int
    failing: int
    gone: int
    paused: int
    late: int
    polls_24h: int
    failed_24h: int
    articles: int
    articles_24h: int
    copies: int
    edits: int
    stories: int
    shared_stories: int
    topics: tuple[TopicLine, ...]
    last_ok_at: datetime | None
    last_polled_at: datetime | None
    next_poll_at: datetime | None
    bytes: int


class Numbers:
    """Reads counts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def totals(self, now: datetime) -> Totals:
        """Everything `status` shows."""
        day = stamp(now - timedelta(hours=24))
        return Totals(
            feeds=self._one("SELECT count(*) FROM feeds WHERE state != 'paused'"),
            failing=self._one("SELECT count(*) FROM feeds WHERE state = 'failing'"),
            gone=self._one("SELECT count(*) FROM feeds WHERE state = 'gone'"),
            paused=self._one("SELECT count(*) FROM feeds WHERE state = 'paused'"),
            late=self._one(
                "SELECT count(*) FROM feeds WHERE state NOT IN ('gone', 'paused') AND next_poll_at < ?",
                stamp(now - timedelta(hours=1)),
            ),
            polls_24h=self._one("SELECT count(*) FROM polls WHERE started_at >= ?", day),
            failed_24h=self._one("SELECT count(*) FROM polls WHERE started_at >= ? AND outcome = 'failed'", day),
            articles=self._one("SELECT count(*) FROM articles"),
            articles_24h=self._one("SELECT count(*) FROM articles WHERE first_seen_at >= ?", day),
            copies=self._one("SELECT count(*) FROM articles WHERE copy_of IS NOT NULL"),
            edits=self._one("SELECT coalesce(sum(revision_count - 1), 0) FROM articles WHERE revision_count > 1"),
            stories=self._one("SELECT count(*) FROM stories"),
            shared_stories=self._one("SELECT count(*) FROM stories WHERE family_count > 1"),
            topics=self.topics(),
            last_ok_at=from_stamp(self._db.execute("SELECT max(last_ok_at) FROM feeds").fetchone()[0]),
            last_polled_at=from_stamp(self._db.execute("SELECT max(last_polled_at) FROM feeds").fetchone()[0]),
            next_poll_at=from_stamp(
                self._db.execute(
                    "SELECT min(next_poll_at) FROM feeds WHERE state NOT IN ('gone', 'paused')"
                ).fetchone()[0]
            ),
            bytes=self._one("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
        )

    def topics(self) -> tuple[TopicLine, ...]:
        """Every active topic, by its title."""
        rows = self._db.execute(
            "SELECT t.slug, t.title,"
            " (SELECT count(*) FROM article_topics x WHERE x.topic = t.slug AND x.on_topic = 1),"
            " (SELECT count(*) FROM article_topics x WHERE x.topic = t.slug AND x.profile_hash < t.profile_hash)"
            " + (SELECT count(*) FROM article_topics x WHERE x.topic = t.slug AND x.profile_hash > t.profile_hash),"
            " (SELECT count(*) FROM articles a WHERE a.id > t.judged_to AND a.id <= t.judge_until),"
            " (SELECT count(*) FROM article_topics x WHERE x.topic = t.slug AND x.decided_by = 'person')"
            " FROM topics t WHERE t.active ORDER BY t.title, t.slug"
        )
        return tuple(TopicLine(*row) for row in rows)

    def copies(self) -> frozenset[tuple[str, str]]:
        """Every (copy, original) as addresses."""
        rows = self._db.execute("SELECT c.url, o.url FROM articles c JOIN articles o ON o.id = c.copy_of")
        return frozenset((row[0], row[1]) for row in rows)

    def on_topic(self, topic: str) -> frozenset[str]:
        """Addresses of the articles on a topic."""
        rows = self._db.execute(
            "SELECT a.url FROM article_topics t JOIN articles a ON a.id = t.article_id"
            " WHERE t.topic = ? AND t.on_topic = 1",
            (topic,),
        )
        return frozenset(row[0] for row in rows)

    def stories(self) -> tuple[frozenset[str], ...]:
        """Every story of two articles and more, as the addresses of its articles."""
        rows = self._db.execute(
            "SELECT s.story_id, a.url FROM story_articles s JOIN articles a ON a.id = s.article_id"
            " WHERE s.story_id IN (SELECT id FROM stories WHERE article_count > 1)"
        )
        found: dict[int, set[str]] = {}
        for story_id, url in rows:
            found.setdefault(story_id, set()).add(url)
        return tuple(frozenset(urls) for urls in found.values())

    def edits(self) -> dict[str, int]:
        """How many edits there were of each kind."""
        return dict(self._db.execute("SELECT kind, count(*) FROM revisions WHERE n > 1 GROUP BY kind"))

    def verdicts(self) -> dict[str, int]:
        """How many polls came to what."""
        return dict(self._db.execute("SELECT outcome, count(*) FROM polls GROUP BY outcome"))

    def story_of(self, url: str) -> tuple[int, str, int, int, int] | None:
        """Id, title, articles, outlets and families of an article's story; `None` when there is none."""
        row = self._db.execute(
            "SELECT s.id, s.title, s.article_count, s.outlet_count, s.family_count FROM articles a"
            " JOIN story_articles x ON x.article_id = a.id JOIN stories s ON s.id = x.story_id WHERE a.url = ?",
            (url,),
        ).fetchone()
        return (row[0], row[1], row[2], row[3], row[4]) if row else None

    def _one(self, query: str, *values: object) -> int:
        return int(self._db.execute(query, values).fetchone()[0])
