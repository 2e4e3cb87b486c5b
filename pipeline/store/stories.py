"""The tables `stories` and `story_articles`, and `articles.copy_of`: what belongs together."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.model import Placement, Story
from pipeline.times import from_stamp, stamp

POSTINGS = 60
"""Articles looked at for one word, the latest: a word in every second article tells nothing, and must cost nothing."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored article that shares telling words with a new one."""

    article_id: int
    outlet: str
    seen_at: datetime
    copy_of: int | None
    story_id: int | None
    print: bytes
    alone: bool


class Stories:
    """Reads neighbours and writes placements; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def first_since(self, moment: datetime) -> int:
        """The lowest article id first seen at or after a moment: where a window of time begins."""
        row = self._db.execute(
            "SELECT id FROM articles WHERE first_seen_at >= ? ORDER BY first_seen_at, id LIMIT 1",
            (stamp(moment),),
        ).fetchone()
        return int(row[0]) if row else 2**62

    def remember(self, article_id: int, words: Iterable[int], fingerprint: bytes) -> None:
        """Makes an article findable by these words, and comparable by its fingerprint."""
        self._db.executemany(
            "INSERT INTO story_words (word, article_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(word, article_id) for word in words],
        )
        self._db.execute(
            "INSERT INTO story_prints (article_id, print) VALUES (?, ?)"
            " ON CONFLICT (article_id) DO UPDATE SET print = excluded.print",
            (article_id, fingerprint),
        )

    def sharing(self, words: Mapping[int, float], since_id: int, limit: int) -> list[int]:
        """Ids of articles from `since_id` on that were remembered by any of these words, most weight shared first."""
        shared: dict[int, float] = defaultdict(float)
        for word, weight in words.items():
            rows = self._db.execute(
                "SELECT article_id FROM story_words WHERE word = ? AND article_id >= ?"
                " ORDER BY article_id DESC LIMIT ?",
                (word, since_id, POSTINGS),
            )
            for (article_id,) in rows:
                shared[article_id] += weight
        return [article_id for article_id, _ in sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:limit]]

    def forget(self, before_id: int) -> int:
        """Lets go of words and fingerprints that no window reaches any more; returns how many articles."""
        self._db.execute("DELETE FROM story_words WHERE article_id < ?", (before_id,))
        return self._db.execute("DELETE FROM story_prints WHERE article_id < ?", (before_id,)).rowcount

    def neighbours(self, article_ids: Sequence[int]) -> list[Neighbour]:
        """These articles as neighbours."""
        rows = self._db.execute(
            "SELECT a.id, o.name, a.first_seen_at, a.copy_of, s.story_id, p.print, coalesce(t.article_count, 0) = 1"
            " FROM json_each(?) j"
            " JOIN articles a ON a.id = j.value JOIN outlets o ON o.id = a.outlet_id"
            " JOIN story_prints p ON p.article_id = a.id"
            " LEFT JOIN story_articles s ON s.article_id = a.id LEFT JOIN stories t ON t.id = s.story_id",
            (json.dumps(list(article_ids)),),
        )
        found = []
        for row_id, outlet, seen, copy_of, story_id, fingerprint, alone in rows:
            seen_at = from_stamp(seen)
            assert seen_at is not None
            found.append(Neighbour(row_id, outlet, seen_at, copy_of, story_id, fingerprint, bool(alone)))
        return found

    def place(self, article_id: int, title: str | None, at: datetime, placement: Placement) -> int:
        """Puts an article into its story (a new one when the placement names none) and returns the story's id."""
        if placement.copy_of is not None:
            self._db.execute("UPDATE articles SET copy_of = ? WHERE id = ?", (placement.copy_of, article_id))
        story_id = placement.story_id
        if story_id is None:
            story_id = int(
                self._db.execute(
                    "INSERT INTO stories (title, first_at, last_at, article_count, outlet_count, family_count)"
                    " VALUES (?, ?, ?, 0, 0, 0) RETURNING id",
                    (title or "Untitled", stamp(at), stamp(at)),
                ).fetchone()[0]
            )
        self._db.execute(
            "INSERT INTO story_articles (story_id, article_id, similarity) VALUES (?, ?, ?)",
            (story_id, article_id, round(placement.similarity, 4)),
        )
        for absorbed in placement.absorbs:
            self._db.execute("UPDATE story_articles SET story_id = ? WHERE story_id = ?", (story_id, absorbed))
            self._db.execute("DELETE FROM stories WHERE id = ?", (absorbed,))
        self._count(story_id)
        return story_id

    def _count(self, story_id: int) -> None:
        """Brings a story's numbers and moments up to date. A copy counts for the family of who ran it first."""
        self._db.execute(
            # A story is called what its earliest report is called, in whatever order the feeds were read.
            """UPDATE stories SET title = coalesce((
                SELECT a.title FROM story_articles s JOIN articles a ON a.id = s.article_id
                WHERE s.story_id = stories.id AND a.title IS NOT NULL
                ORDER BY coalesce(a.published_at, a.first_seen_at), a.id LIMIT 1
            ), title), (first_at, last_at, article_count, outlet_count, family_count) = (
                SELECT min(coalesce(a.published_at, a.first_seen_at)), max(coalesce(a.published_at, a.first_seen_at)),
                    count(*), count(DISTINCT a.outlet_id), count(DISTINCT o.family)
                FROM story_articles s JOIN articles a ON a.id = s.article_id
                JOIN articles original ON original.id = coalesce(a.copy_of, a.id)
                JOIN outlets o ON o.id = original.outlet_id
                WHERE s.story_id = stories.id
            ) WHERE id = ?""",
            (story_id,),
        )

    def get(self, story_id: int) -> Story | None:
        """A story with the URLs of its articles in order of first sight; `None` when there is none."""
        row = self._db.execute("SELECT title, first_at, last_at FROM stories WHERE id = ?", (story_id,)).fetchone()
        if row is None:
            return None
        urls = self._db.execute(
            "SELECT a.url FROM story_articles s JOIN articles a ON a.id = s.article_id WHERE s.story_id = ?"
            " ORDER BY a.id",
            (story_id,),
        )
        first, last = from_stamp(row[1]), from_stamp(row[2])
        assert first is not None
        assert last is not None
        return Story(story_id, row[0], tuple(url[0] for url in urls), first, last)

    def of(self, article_ids: Sequence[int]) -> dict[int, int]:
        """The story of each of these articles that has one."""
        rows = self._db.execute(
            "SELECT s.article_id, s.story_id FROM json_each(?) j JOIN story_articles s ON s.article_id = j.value",
            (json.dumps(sorted(set(article_ids))),),
        )
        return dict(rows.fetchall())

    def members(self, story_id: int) -> list[int]:
        """The articles of a story, in order."""
        rows = self._db.execute(
            "SELECT article_id FROM story_articles WHERE story_id = ? ORDER BY article_id", (story_id,)
        )
        return [row[0] for row in rows]

    def move(self, article_ids: Sequence[int], story_id: int | None) -> int:
        """Puts articles into a story (`None`: a new one) by a person's word, and returns its id.

        A story that all its articles left is gone; title and numbers of those that stay are brought up to date.
        """
        left = set(self.of(article_ids).values())
        if story_id is None:
            story_id = int(
                self._db.execute(
                    "INSERT INTO stories (title, first_at, last_at, article_count, outlet_count, family_count)"
                    " VALUES ('Untitled', '', '', 0, 0, 0) RETURNING id"
                ).fetchone()[0]
            )
        self._db.execute(
            "UPDATE story_articles SET story_id = ?, similarity = 1.0"
            " WHERE article_id IN (SELECT value FROM json_each(?))",
            (story_id, json.dumps(list(article_ids))),
        )
        for old in left - {story_id}:
            if self.members(old):
                self._count(old)
            else:
                self._db.execute("DELETE FROM stories WHERE id = ?", (old,))
        self._count(story_id)
        return story_id
