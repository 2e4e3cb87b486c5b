"""feedback.db: what people say about articles. Kept apart, so that the site never writes news.db.

Rows are appended; a word that is taken back is marked and stays. The latest word on an article and a topic counts.
A label names its article by URL, and by number only where it has no URL, so that it holds in a database made anew.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from pipeline.errors import StoreError
from pipeline.model import Label
from pipeline.times import from_stamp, stamp

SCHEMA = """
CREATE TABLE IF NOT EXISTS labels (
    article_id INTEGER NOT NULL,
    topic TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('on_topic', 'off_topic')),
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS labels_article ON labels(article_id, topic);
CREATE TABLE IF NOT EXISTS story_corrections (
    id INTEGER PRIMARY KEY,
    action TEXT NOT NULL CHECK (action IN ('together', 'apart')),
    article_id INTEGER NOT NULL,
    other_article_id INTEGER NOT NULL,
    url TEXT,
    other_url TEXT,
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL,
    withdrawn_at TEXT
);
CREATE INDEX IF NOT EXISTS story_corrections_one ON story_corrections(url) WHERE withdrawn_at IS NULL;
CREATE INDEX IF NOT EXISTS story_corrections_other ON story_corrections(other_url) WHERE withdrawn_at IS NULL;
"""
LATER_COLUMNS = ("url", "withdrawn_at")
"""Columns that came after the first shape; a file made by hand, or by an older Newsbeat, may lack them."""

BUSY_MS = 5000
"""How long one waits for another's write, in milliseconds; a write takes one of them."""


def create(path: Path) -> None:
    """Makes feedback.db where it is missing, and gives an older one the columns it lacks. No row is touched.

    Two programs may come at one moment: who is second waits, and finds it done.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        if _whole(connection):
            return
        connection.executescript(f"BEGIN IMMEDIATE;{SCHEMA}")
        for column in LATER_COLUMNS:
            if column not in _columns(connection):
                connection.execute(f"ALTER TABLE labels ADD COLUMN {column} TEXT")
        connection.execute("CREATE INDEX IF NOT EXISTS labels_url ON labels(url, topic)")
        connection.execute("COMMIT")


class Feedback:
    """Reads and writes labels. Every write is a transaction of its own; news.db is not part of it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = connection, path
        self._heard: int | None = None
        there = _columns(connection)
        url = "url" if "url" in there else "NULL"
        standing = "withdrawn_at IS NULL" if "withdrawn_at" in there else "1"
        # In order of time, so that the last one read is the one that counts.
        self._select = f"SELECT article_id, topic, verdict, actor, created_at, {url} FROM labels WHERE {standing}"  # noqa: S608
        self._named = f"({url} = ? OR ({url} IS NULL AND article_id = ?))"

    @classmethod
    def open(cls, path: Path) -> Feedback:
        """The file at `path`, made when missing. Raises StoreError."""
        with told(path):
            create(path)
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            return cls(connection, path)

    @classmethod
    def read(cls, path: Path) -> Feedback:
        """The same for looking only; a missing file is one without labels. Raises StoreError."""
        with told(path):
            if not path.is_file():
                connection = sqlite3.connect(":memory:", isolation_level=None)
                connection.executescript(SCHEMA)
            else:
                connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
                connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
                if not _columns(connection):
                    connection.close()
                    connection = sqlite3.connect(":memory:", isolation_level=None)
                    connection.executescript(SCHEMA)
            return cls(connection, path)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for what else is kept in this file (`corrections.py`)."""
        return self._db

    @property
    def path(self) -> Path:
        return self._path

    def say(self, article_id: int, url: str, topic: str, on_topic: bool, actor: str, now: datetime) -> None:
        """One more word of a person; it counts from now on."""
        with told(self._path):
            self._db.execute(
                "INSERT INTO labels (article_id, topic, verdict, actor, created_at, url) VALUES (?, ?, ?, ?, ?, ?)",
                (article_id, topic, "on_topic" if on_topic else "off_topic", actor, stamp(now), url),
            )

    def withdraw(self, article_id: int, url: str, topic: str, now: datetime) -> int:
        """Takes back all that was said on an article and a topic, by whomever; returns how many words that were."""
        with told(self._path):
            done = self._db.execute(
                "UPDATE labels SET withdrawn_at = ? WHERE withdrawn_at IS NULL AND topic = ?"
                " AND (url = ? OR (url IS NULL AND article_id = ?))",
                (stamp(now), topic, url, article_id),
            )
            return done.rowcount

    def on(self, article_id: int, url: str) -> Mapping[str, bool]:
        """What people say of one article: topic to whether it is on topic. By index; asked for every article judged."""
        with told(self._path):
            rows = self._db.execute(f"{self._select} AND {self._named} ORDER BY created_at, rowid", (url, article_id))
            return {row[1]: row[2] == "on_topic" for row in rows}

    def among(self, articles: Sequence[tuple[int, str]]) -> dict[int, dict[str, bool]]:
        """The same for many articles (number, URL) at once: by number, those of whom anything is said."""
        with told(self._path):
            if self._db.execute("SELECT 1 FROM labels LIMIT 1").fetchone() is None:
                return {}
        found = ((number, dict(self.on(number, url))) for number, url in articles)
        return {number: said for number, said in found if said}

    def labels(self, topic: str | None = None) -> tuple[Label, ...]:
        """The word that counts on each article, oldest first: of one topic, or of all."""
        with told(self._path):
            rows = self._db.execute(
                f"{self._select} AND (? IS NULL OR topic = ?) ORDER BY created_at, rowid", (topic, topic)
            )
            latest: dict[tuple[object, str], Label] = {}
            for article_id, slug, verdict, actor, created_at, url in rows:
                key = (url or article_id, slug)
                latest.pop(key, None)
                latest[key] = Label(article_id, slug, verdict == "on_topic", actor, moment(created_at), url)
            return tuple(latest.values())

    def resolved(self, topic: str | None, ids_of: Callable[[Sequence[str]], Mapping[str, int]]) -> tuple[Label, ...]:
        """The same, each with the number its article has now (`ids_of`: URLs to numbers); without those whose article
        is not there."""
        said = self.labels(topic)
        ids = ids_of([label.url for label in said if label.url])
        found: dict[tuple[int, str], Label] = {}
        for label in said:
            article_id = ids.get(label.url) if label.url else label.article_id
            if article_id is not None:
                found[article_id, label.topic] = Label(
                    article_id, label.topic, label.on_topic, label.actor, label.created_at, label.url
                )
        return tuple(found.values())

    def anything(self) -> bool:
        """Whether anybody ever said anything, taken back or not."""
        with told(self._path):
            tables = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return any(
                self._db.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0]  # noqa: S608
                for table in sorted(tables & {"labels", "story_corrections"})
            )

    COLUMNS: ClassVar[dict[str, tuple[str, ...]]] = {
        "labels": ("article_id", "url", "topic", "verdict", "actor", "created_at", "withdrawn_at"),
        "story_corrections": (
            "action", "article_id", "other_article_id", "url", "other_url", "actor", "created_at", "withdrawn_at",
        ),
    }  # fmt: skip

    def words(self) -> Iterator[tuple[Any, ...]]:
        """Every word as it stands, labels and corrections: its table, then its COLUMNS."""
        with told(self._path):
            for table, columns in self.COLUMNS.items():
                there = {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}
                asked = ", ".join(column if column in there else "NULL" for column in columns)
                if there:
                    rows = self._db.execute(f"SELECT {asked} FROM {table} ORDER BY rowid")  # noqa: S608
                    yield from ((table, *row) for row in rows)

    def add(self, words: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
        """Words said elsewhere, as (table, columns); one that stands here already is not doubled, and is taken back if
        it was there. Returns how many came."""
        here = {word[:-1]: word[-1] for word in self.words()}
        came = 0
        with told(self._path), transaction(self._db):
            for table, word in words:
                columns = self.COLUMNS[table]
                values = tuple(word.get(column) for column in columns)
                if (table, *values[:-1]) not in here:
                    marks = ", ".join("?" * len(columns))
                    self._db.execute(
                        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
                        values,
                    )
                    here[table, *values[:-1]] = values[-1]
                    came += 1
                elif values[-1] and not here[table, *values[:-1]]:
                    named = " AND ".join(f"{column} IS ?" for column in columns[:-1])
                    self._db.execute(
                        f"UPDATE {table} SET withdrawn_at = ? WHERE {named}",  # noqa: S608
                        (values[-1], *values[:-1]),
                    )
        return came

    def addresses(self) -> frozenset[str | int]:
        """The articles that people said something of and did not take back, labels and corrections: their addresses,
        or their numbers where they have none."""
        found: set[str | int] = set()
        for table, *word in self.words():
            if word[-1] is None:
                pairs = [(word[1], word[0])] if table == "labels" else [(word[3], word[1]), (word[4], word[2])]
                found |= {url if isinstance(url, str) else int(str(number)) for url, number in pairs}
        return frozenset(found)

    def changed(self) -> bool:
        """Whether somebody else wrote since this was last asked; at the first time, yes. One look, no reading."""
        with told(self._path):
            version = self._db.execute("PRAGMA data_version").fetchone()[0]
        heard, self._heard = self._heard, version
        return bool(heard != version)

    def copy_to(self, file: Path) -> None:
        """A consistent copy in `file`. Raises StoreError when it cannot be written."""
        with told(file), closing(sqlite3.connect(file)) as copy:
            self._db.backup(copy)

    def close(self) -> None:
        self._db.close()


def moment(value: str) -> datetime | None:
    """What stands there as a time; others write here too."""
    try:
        return from_stamp(value)
    except ValueError:
        return None


def _whole(connection: sqlite3.Connection) -> bool:
    """Whether nothing is to be made; then a file that may only be read serves too."""
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    wanted = {*re.findall(r"EXISTS (\w+)", SCHEMA), "labels_url"}
    return wanted <= there and set(LATER_COLUMNS) <= _columns(connection)


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {row[1] for row in connection.execute("PRAGMA table_info(labels)")}


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write, whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's trouble in words."""
    try:
        yield
    except sqlite3.Error as error:
        words = str(error)
        if "locked" in words:
            raise StoreError(f"{path}: another program holds it for writing. Close it and try again.") from None
        if "full" in words or "disk I/O" in words:
            raise StoreError(f"{path}: the disk is full, or failing ({words}). What is in the file stays.") from None
        if "readonly" in words or "unable to open" in words:
            raise StoreError(f"{path}: cannot be opened for writing. Check the owner of the file.") from None
        raise StoreError(f"{path}: {words}. Labels are kept there; restore a backup, or move the file away.") from None
