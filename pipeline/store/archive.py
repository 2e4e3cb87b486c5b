"""The archive as a whole: read out a few hundred articles at a time for `newsbeat export`, and the name under which an
`import` fills it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from pipeline.model import Article
from pipeline.store.articles import Articles
from pipeline.times import maybe_stamp, stamp

BATCH = 500
"""Articles held in memory at a time."""

Kept: TypeAlias = tuple[Article, int | None, tuple[str, ...]]
"""An article, the id of the one it copies, and the topics it is on."""

# A NULL asks for everything.
_WANTED = (
    "(:since IS NULL OR coalesce(a.published_at, a.first_seen_at) >= :since) AND (:topic IS NULL OR EXISTS"
    " (SELECT 1 FROM article_topics t WHERE t.article_id = a.id AND t.topic = :topic AND t.on_topic = 1))"
)


class Archive:
    """Reads articles in bulk; the one write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, articles: Articles) -> None:
        self._db, self._articles = connection, articles

    def feed_id(self, url: str, title: str, now: datetime) -> int:
        """The feed that what is handed over hangs on, made when missing: paused, so that it is never asked."""
        self._db.execute(
            "INSERT INTO feeds (url, current_url, title, state, added_at) VALUES (?, ?, ?, 'paused', ?)"
            " ON CONFLICT (url) DO NOTHING",
            (url, url, title, stamp(now)),
        )
        return int(self._db.execute("SELECT id FROM feeds WHERE url = ?", (url,)).fetchone()[0])

    def titles(self) -> dict[str, str]:
        """What each feed calls itself, by its address."""
        return dict(self._db.execute("SELECT url, title FROM feeds WHERE title IS NOT NULL"))

    def topics(self) -> tuple[str, ...]:
        """The slug of every topic that articles were ever judged on."""
        return tuple(row[0] for row in self._db.execute("SELECT slug FROM topics ORDER BY slug"))

    def articles(self, topic: str | None = None, since: datetime | None = None) -> Iterator[Kept]:
        """Articles in order of their ids: those on a topic, those that came out at or after a moment, or all."""
        wanted = {"topic": topic, "since": maybe_stamp(since), "most": BATCH, "after": 0}
        while True:
            rows = self._db.execute(
                f"SELECT a.id FROM articles a WHERE a.id > :after AND {_WANTED} ORDER BY a.id LIMIT :most",  # noqa: S608
                wanted,
            )
            if not (ids := [row[0] for row in rows]):
                return
            yield from self._whole(ids)
            wanted["after"] = ids[-1]

    def newest(self, most: int, topic: str | None = None, since: datetime | None = None) -> list[Kept]:
        """The articles that came out last, the last first."""
        rows = self._db.execute(
            f"SELECT a.id FROM articles a WHERE {_WANTED}"  # noqa: S608
            " ORDER BY coalesce(a.published_at, a.first_seen_at) DESC, a.id DESC LIMIT :most",
            {"topic": topic, "since": maybe_stamp(since), "most": most},
        )
        ids = [row[0] for row in rows]
        whole = {kept[0].id: kept for kept in self._whole(ids)}
        return [whole[article_id] for article_id in ids]

    def _whole(self, ids: Sequence[int]) -> Iterator[Kept]:
        named = json.dumps(list(ids))
        copies = dict(
            self._db.execute(
                "SELECT id, copy_of FROM articles WHERE copy_of IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
                (named,),
            )
        )
        topics: dict[int, list[str]] = {}
        for article_id, slug in self._db.execute(
            "SELECT article_id, topic FROM article_topics WHERE on_topic = 1"
            " AND article_id IN (SELECT value FROM json_each(?)) ORDER BY topic",
            (named,),
        ):
            topics.setdefault(article_id, []).append(slug)
        for article in self._articles.get(ids):
            yield article, copies.get(article.id), tuple(topics.get(article.id or 0, ()))
