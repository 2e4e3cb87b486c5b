"""Everything a person would mourn, as records that hold no number of this database alone, and back into a database.

A record is a dict with its `kind` first. Kinds come in this order: `newsbeat` (which schema), `outlet`, `feed`,
`topic`, `story`, `merge`, `article` (with text, wordings, entries, tags and its place in a story), `label`,
`correction`, `pruned`. Columns bear their own names; what refers to another row names it by address or name. Left out
is what is derived (the index, prints, counts), what polls came to, validators of feeds (the next poll asks afresh) and
secrets.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import StoreError, UsageError
from pipeline.store.migrations import migrations
from pipeline.store.names import NAME, names_of
from pipeline.store.store import Store

Record = dict[str, Any]

BATCH = 200

HOMELESS = "import:archive"
"""The feed of articles whose own entries bear names that other articles have here."""

# Columns of a feed that vouch for what this database holds, or that its configuration gives anew.
_NOT_OF_A_FEED = (
    "id", "outlet_id", "etag", "last_modified", "validators_url", "body_hash", "same_bodies", "certificate",
    "asked_for_at",
)  # fmt: skip


def records(store: Store) -> Iterator[Record]:
    """The whole archive, one record at a time. Call inside `store.snapshot()`."""
    db = store.connection
    yield {"kind": "newsbeat", "schema": migrations._migrations[-1].name}
    for row in _rows(db, "SELECT * FROM outlets ORDER BY id"):
        yield {"kind": "outlet", **_without(row, "id")}
    feeds = "SELECT f.*, o.name AS outlet FROM feeds f LEFT JOIN outlets o ON o.id = f.outlet_id ORDER BY f.id"
    for row in _rows(db, feeds):
        yield {"kind": "feed", **_without(row, *_NOT_OF_A_FEED)}
    for row in _rows(db, "SELECT * FROM topics ORDER BY slug"):
        yield {"kind": "topic", **_without(row, "judged_to", "judge_until")}
    for row in _rows(db, "SELECT id, title, first_at, last_at FROM stories ORDER BY id"):
        yield {"kind": "story", **row}
    for row in _rows(db, "SELECT * FROM story_merges ORDER BY story"):
        yield {"kind": "merge", **row}
    yield from _articles(db)
    for table, *values in store.feedback.words():
        word = dict(zip(store.feedback.COLUMNS[table], values, strict=True))
        yield {"kind": table[:-1].removeprefix("story_"), **word}
    for row in _rows(db, "SELECT * FROM pruned ORDER BY name"):
        yield {"kind": "pruned", **row}


def _articles(db: sqlite3.Connection) -> Iterator[Record]:
    after = -1
    while True:
        batch = list(
            _rows(
                db,
                "SELECT a.*, o.name AS outlet, c.url AS copy, t.text, s.story_id AS story, s.similarity FROM articles a"
                " JOIN outlets o ON o.id = a.outlet_id LEFT JOIN articles c ON c.id = a.copy_of"
                " JOIN article_texts t ON t.article_id = a.id LEFT JOIN story_articles s ON s.article_id = a.id"
                " WHERE a.id > ? ORDER BY a.id LIMIT ?",
                after, BATCH,
            )
        )  # fmt: skip
        if not batch:
            return
        ids = json.dumps([row["id"] for row in batch])
        parts = {
            "wordings": _parts(db, "SELECT * FROM revisions", "n", ids),
            "entries": _parts(
                db,
                "SELECT e.*, f.url AS feed FROM entries e JOIN feeds f ON f.id = e.feed_id",
                "e.feed_id, e.guid",
                ids,
            ),
            "tags": _parts(db, "SELECT * FROM article_topics", "topic", ids),
            "names": _parts(db, "SELECT * FROM article_names", "name", ids),
        }
        for row in batch:
            hung = {name: [_without(one, "article_id", "feed_id") for one in held.get(row["id"], ())]
                    for name, held in parts.items()}  # fmt: skip
            hung["names"] = [one["name"] for one in hung["names"]]
            yield {"kind": "article", **_without(row, "outlet_id", "copy_of", "revision_count"), **hung}
        after = batch[-1]["id"]


def _parts(db: sqlite3.Connection, select: str, order: str, ids: str) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {}
    for row in _rows(db, f"{select} WHERE article_id IN (SELECT value FROM json_each(?)) ORDER BY {order}", ids):  # noqa: S608
        found.setdefault(row["article_id"], []).append(row)
    return found


def _rows(db: sqlite3.Connection, sql: str, *values: object) -> Iterator[Record]:
    cursor = db.execute(sql, values)
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _without(row: Mapping[str, Any], *names: str) -> Record:
    return {key: value for key, value in row.items() if key not in names}


# --- back -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Taken:
    """What came of records so far. `fresh` are the numbers that new articles have here, `known` were there already."""

    articles: int = 0
    known: int = 0
    labels: int = 0
    fresh: list[int] = field(default_factory=list)


class Taker:
    """Takes records into a database, inside one transaction of the caller. What is there already stays as it is.

    An empty database gets every number it had; where one is taken, the next free one. Raises UsageError for a record
    that is none: whoever calls tells its line, and keeps nothing.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._db = store, store.connection
        self.taken = Taken()
        self._columns: dict[str, frozenset[str]] = {}
        self._stories: dict[int, int] = {}
        self._copies: list[tuple[str, str]] = []
        self._said: list[tuple[str, Record]] = []
        self._numbers: dict[int, int] = {}
        self._pending: list[int] = []

    def take(self, record: Record) -> None:
        """One record, in the order in which `records` gives them."""
        kind = record.pop("kind", None)
        work: dict[str, Callable[[Record], None]] = {
            "newsbeat": self._header, "outlet": self._outlet, "feed": self._feed, "topic": self._topic,
            "story": self._story, "merge": self._merge, "article": self._article, "pruned": self._pruned,
            "label": lambda one: self._said.append(("labels", one)),
            "correction": lambda one: self._said.append(("story_corrections", one)),
        }  # fmt: skip
        if kind not in work:
            raise UsageError(f"{kind!r} is no kind of record")
        try:
            work[kind](record)
        except KeyError as error:
            raise UsageError(f"a record of kind {kind!r} has no {error}") from None
        except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError, TypeError) as error:
            raise UsageError(f"a record of kind {kind!r} does not fit ({error})") from None

    def finish(self) -> None:
        """Ties copies to what they copy, counts what is counted, and lets go of stories that nothing came to."""
        self._index()
        self._db.executemany(
            "UPDATE articles SET copy_of = (SELECT id FROM articles WHERE url = ?2) WHERE url = ?1 AND copy_of IS NULL"
            " AND (SELECT copy_of FROM articles WHERE url = ?2) IS NULL AND ?1 <> ?2",
            self._copies,
        )
        made = json.dumps(sorted(set(self._stories.values())))
        self._db.execute(
            "DELETE FROM stories WHERE id IN (SELECT value FROM json_each(?))"
            " AND id NOT IN (SELECT story_id FROM story_articles)",
            (made,),
        )
        self._store.stories.recount(self.taken.fresh)
        self._db.execute(
            "UPDATE topics SET judged_to = 0, judge_until = (SELECT coalesce(max(id), 0) FROM articles)"
            " WHERE active = 1 AND judged_to IS NULL AND EXISTS (SELECT 1 FROM article_topics t"
            " WHERE t.topic = topics.slug AND t.profile_hash != topics.profile_hash)"
        )

    def say(self) -> None:
        """Takes what people said into feedback.db, once the rest is kept; what is there already is not doubled."""
        for _, word in self._said:
            for key in ("article_id", "other_article_id"):
                word.update({key: self._numbers.get(word[key], word[key])} if key in word else {})
        self.taken.labels = self._store.feedback.add(self._said)

    def _header(self, record: Record) -> None:
        known = {migration.name for migration in migrations._migrations}
        if record["schema"] not in known:
            raise StoreError(f"made by a newer Newsbeat ({record['schema']} is unknown here). Upgrade Newsbeat first.")

    def _outlet(self, record: Record) -> None:
        self._insert("outlets", record)

    def _feed(self, record: Record) -> None:
        outlet = record.pop("outlet", None)
        self._insert("feeds", {**record, "outlet_id": self._outlet_id(outlet) if outlet else None})

    def _topic(self, record: Record) -> None:
        self._insert("topics", record)

    def _story(self, record: Record) -> None:
        number = int(record["id"])
        taken = self._db.execute(
            "SELECT 1 FROM stories WHERE id = ?1 UNION SELECT 1 FROM story_merges WHERE story = ?1", (number,)
        ).fetchone()
        row = self._db.execute(
            "INSERT INTO stories (id, title, first_at, last_at, article_count, outlet_count, family_count) VALUES ("
            "coalesce(?, 1 + max((SELECT coalesce(max(id), 0) FROM stories),"
            " (SELECT coalesce(max(story), 0) FROM story_merges))), ?, ?, ?, 0, 0, 0) RETURNING id",
            (None if taken else number, record["title"], record["first_at"], record["last_at"]),
        ).fetchone()
        self._stories[number] = int(row[0])

    def _merge(self, record: Record) -> None:
        there = self._db.execute("SELECT 1 FROM stories WHERE id = ?", (record["story"],)).fetchone()
        if self._stories.get(record["into_id"]) == record["into_id"] and not there:  # else its numbers are another's
            self._insert("story_merges", record)

    def _article(self, record: Record) -> None:
        text, copy, story = record.pop("text"), record.pop("copy"), record.pop("story")
        similarity, outlet = record.pop("similarity"), record.pop("outlet")
        wordings, entries, tags = record.pop("wordings"), record.pop("entries"), record.pop("tags")
        names, url = record.pop("names", None), record["url"]
        known = self._db.execute("SELECT id FROM articles WHERE url = ?", (url,)).fetchone()
        if known:
            self.taken.known += 1
            self._numbers[record["id"]] = known[0]
            self._hang(known[0], entries, tags)
            return
        free = self._db.execute("SELECT 1 FROM articles WHERE id = ?", (record["id"],)).fetchone() is None
        number = record.pop("id")
        row = {**record, "outlet_id": self._outlet_id(outlet), "revision_count": max(1, len(wordings))}
        article_id = self._insert("articles", {"id": number, **row} if free else row)
        self._numbers[number] = article_id
        self._insert("article_texts", {"article_id": article_id, "text": text})
        for one in wordings:
            self._insert("revisions", {**one, "article_id": article_id})
        self._db.executemany(
            NAME,
            [(name, article_id) for name in names] if names is not None
            else list(names_of(article_id, url, record.get("title"))),
        )  # fmt: skip
        self._hang(article_id, entries, tags)
        if not self._db.execute("SELECT 1 FROM entries WHERE article_id = ?", (article_id,)).fetchone():
            self._name(article_id, url, record["first_seen_at"])  # its names are other articles' here
        if story is not None and story in self._stories:
            place = {"story_id": self._stories[story], "article_id": article_id, "similarity": similarity}
            self._insert("story_articles", place)
        if copy:
            self._copies.append((url, copy))
        self.taken.articles += 1
        self.taken.fresh.append(article_id)
        self._pending.append(article_id)
        if len(self._pending) >= BATCH:
            self._index()

    def _hang(self, article_id: int, entries: list[Record], tags: list[Record]) -> None:
        for one in entries:
            feed = one.pop("feed")
            row = self._db.execute("SELECT id FROM feeds WHERE url = ?", (feed,)).fetchone()
            if row is None:
                raise UsageError(f"an entry is of the feed {feed!r}, which no record names")
            self._insert("entries", {**one, "feed_id": row[0], "article_id": article_id})
        for one in tags:
            self._insert("article_topics", {**one, "article_id": article_id})

    def _name(self, article_id: int, url: str, at: str) -> None:
        """An entry of no feed, under the article's own address."""
        self._insert("feeds", {"url": HOMELESS, "current_url": HOMELESS, "state": "paused", "added_at": at})
        feed_id = self._db.execute("SELECT id FROM feeds WHERE url = ?", (HOMELESS,)).fetchone()[0]
        named = {"feed_id": feed_id, "guid": url, "article_id": article_id, "link": url, "raw_hash": ""}
        self._insert("entries", {**named, "first_seen_at": at, "last_seen_at": at})

    def _pruned(self, record: Record) -> None:
        self._insert("pruned", record)

    def _index(self) -> None:
        self._store.articles.index(self._pending)
        self._pending.clear()

    def _outlet_id(self, name: str) -> int:
        row = self._db.execute("SELECT id FROM outlets WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise UsageError(f"no record names the outlet {name!r}")
        return int(row[0])

    def _insert(self, table: str, row: Record) -> int:
        """One row; where its name is taken, the present one stays."""
        if table not in self._columns:
            self._columns[table] = frozenset(one[1] for one in self._db.execute(f"PRAGMA table_info({table})"))
        if unknown := row.keys() - self._columns[table]:
            raise UsageError(f"`{table}` has no {', '.join(sorted(unknown))}")
        marks = ", ".join("?" * len(row))
        made = self._db.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608
            tuple(row.values()),
        )
        return int(made.lastrowid or 0)
