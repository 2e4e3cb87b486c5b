"""Letting go of articles, and the table `pruned`: by what they are known, should a feed list them again.

A feed may list an entry for years. Without a memory of what was let go, the next poll would bring it back as new.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from pipeline import text
from pipeline.model import Entry
from pipeline.retention import Kept
from pipeline.store.names import page_name
from pipeline.times import from_stamp, maybe_stamp, stamp
from pipeline.unwrap import is_opaque

# Children before parents; every row that is about an article.
_ROWS = ("article_topics", "article_names", "story_prints", "story_articles", "revisions", "entries", "article_texts")


class Pruned:
    """Reads what may go and lets it go; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def stories(self, before: datetime, after: tuple[str, int], most: int) -> list[tuple[str, int]]:
        """The next stories that ended before a moment, as (last moment, number), in that order, after one of them.

        The newest story and article are never among them: their numbers must not be used again.
        """
        rows = self._db.execute(
            "SELECT last_at, id FROM stories WHERE last_at < ?1 AND (last_at, id) > (?2, ?3)"
            " AND id <> (SELECT max(id) FROM stories)"
            " AND id <> coalesce((SELECT story_id FROM story_articles WHERE article_id ="
            " (SELECT max(id) FROM articles)), 0) ORDER BY last_at, id LIMIT ?4",
            (stamp(before), *after, most),
        )
        return rows.fetchall()

    def members(self, story_ids: Sequence[int], said: frozenset[str | int]) -> dict[int, list[Kept]]:
        """What decides about the articles of these stories; `said` are those people said something
        of, by address or number."""
        rows = self._db.execute(
            "SELECT s.story_id, a.id, a.url, o.name, max(a.first_seen_at, coalesce((SELECT min(e.first_seen_at) FROM"
            " entries e WHERE e.article_id = a.id), a.first_seen_at)), (SELECT group_concat(t.topic, char(10))"
            " FROM article_topics t WHERE t.article_id = a.id AND t.on_topic = 1),"
            " EXISTS (SELECT 1 FROM articles c JOIN story_articles x ON x.article_id = c.id WHERE c.copy_of = a.id"
            " AND x.story_id <> s.story_id),"
            " EXISTS (SELECT 1 FROM article_topics t WHERE t.article_id = a.id AND t.decided_by = 'person')"
            " FROM json_each(?) j CROSS JOIN story_articles s ON s.story_id = j.value"
            " JOIN articles a ON a.id = s.article_id JOIN outlets o ON o.id = a.outlet_id",
            (json.dumps(list(story_ids)),),
        )
        found: dict[int, list[Kept]] = {story_id: [] for story_id in story_ids}
        for story_id, article_id, url, outlet, since, topics, copied, labelled in rows:
            at = from_stamp(since)
            assert at is not None
            heard = bool(labelled) or url in said or article_id in said
            found[story_id].append(Kept(article_id, outlet, at, tuple((topics or "").split()), heard, bool(copied)))
        return found

    def let_go(self, story_ids: Sequence[int], now: datetime) -> int:
        """Lets go of stories with all their articles and what hangs on them; returns how many. Their names stay."""
        stories = json.dumps(list(story_ids))
        rows = self._db.execute(
            "SELECT article_id FROM json_each(?) j CROSS JOIN story_articles s ON s.story_id = j.value", (stories,)
        )
        ids = [row[0] for row in rows]
        named = json.dumps(ids)
        self._db.executemany(
            "INSERT INTO pruned (name, on_day) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(name, f"{now:%Y-%m-%d}") for name in self._names_of(named)],
        )
        self._db.execute(
            "INSERT INTO articles_fts (articles_fts, rowid, title, summary, text)"
            " SELECT 'delete', w.id, w.title, w.summary, w.text FROM json_each(?) j"
            " JOIN article_words w ON w.id = j.value",
            (named,),
        )
        self._db.execute("DELETE FROM story_centres WHERE story_id IN (SELECT value FROM json_each(?))", (stories,))
        for table in _ROWS:
            self._db.execute(
                f"DELETE FROM {table} WHERE article_id IN (SELECT value FROM json_each(?))",  # noqa: S608
                (named,),
            )
        # Copies go before what they copy.
        for condition in ("copy_of IS NOT NULL", "1"):
            self._db.execute(
                f"DELETE FROM articles WHERE id IN (SELECT value FROM json_each(?)) AND {condition}",  # noqa: S608
                (named,),
            )
        self._db.execute("DELETE FROM stories WHERE id IN (SELECT value FROM json_each(?))", (stories,))
        return len(ids)

    def polls_before(self, before: datetime) -> int:
        """How many rows of `polls` are older."""
        return int(self._db.execute("SELECT count(*) FROM polls WHERE started_at < ?", (stamp(before),)).fetchone()[0])

    def forget_polls(self, before: datetime, most: int) -> int:
        """Lets go of so many of the oldest polls; the last one of each feed stays, since it says why it is as it is."""
        return self._db.execute(
            "DELETE FROM polls WHERE id IN (SELECT p.id FROM polls p WHERE p.started_at < ? AND EXISTS"
            " (SELECT 1 FROM polls later WHERE later.feed_id = p.feed_id AND (later.started_at, later.id) >"
            " (p.started_at, p.id)) ORDER BY p.started_at LIMIT ?)",
            (stamp(before), most),
        ).rowcount

    def known(self, feed_id: int, entries: Iterable[Entry]) -> set[str]:
        """The guids of those of these entries whose article was let go of."""
        names = {name: entry.guid for entry in entries for name in _names(feed_id, entry)}
        if not names:
            return set()
        rows = self._db.execute(
            "SELECT p.name FROM json_each(?) j CROSS JOIN pruned p ON p.name = j.value", (json.dumps(list(names)),)
        )
        return {names[row[0]] for row in rows}

    def welcome(self, feed_id: int, entries: Iterable[Entry]) -> None:
        """These may come back: somebody hands them over on purpose."""
        names = [name for entry in entries for name in _names(feed_id, entry)]
        self._db.execute("DELETE FROM pruned WHERE name IN (SELECT value FROM json_each(?))", (json.dumps(names),))

    def _names_of(self, ids: str) -> set[int]:
        """By what these articles would be known again: their pages, their entries; under an aggregator's address, which
        is another at every fetch, headline and moment."""
        names: set[int] = set()
        rows = self._db.execute(
            "SELECT a.url, a.title, a.published_at, e.feed_id, e.guid, e.link FROM json_each(?) j"
            " JOIN articles a ON a.id = j.value LEFT JOIN entries e ON e.article_id = a.id",
            (ids,),
        )
        for url, title, published, feed_id, guid, link in rows:
            for address in (url, link):
                if is_opaque(address):
                    names.add(_headline(title, published))
                elif address:
                    names.add(page_name(address))
            if guid is not None:
                names.add(_guid(feed_id, guid))
        return names


def _names(feed_id: int, entry: Entry) -> list[int]:
    found = [_guid(feed_id, entry.guid)]
    if is_opaque(entry.url):
        found.append(_headline(text.line(entry.title), maybe_stamp(entry.published_at)))
    elif entry.url:
        found.append(page_name(entry.url))
    return found


def _guid(feed_id: int, guid: str) -> int:
    return _hash(f"g{feed_id} {guid}")


def _headline(title: str | None, published: str | None) -> int:
    return _hash(f"t{published or ''} {' '.join(text.tokens(title or ''))}")


def _hash(value: str) -> int:
    return int.from_bytes(hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)
