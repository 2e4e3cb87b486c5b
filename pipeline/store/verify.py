"""Is the database what it should be? SQLite's own checks, foreign keys, and the laws of `laws.py`; reads only.

Everything is asked in one read transaction, so that the answer is about one moment also while the service writes.
What one question of SQL cannot tell is looked at here, some hundred rows at a time.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from pipeline.store.feedback import moment
from pipeline.store.laws import DERIVED, LAWS, REPAIR, RESTORE
from pipeline.store.names import names_of
from pipeline.store.store import Store
from pipeline.times import stamp

BATCH = 500

STEPS = 200_000
"""Steps of SQLite's machine between two tellings: some tens of milliseconds."""

SETTLING = timedelta(minutes=10)
"""A word of a person that is younger may not have reached the tags yet."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One law that does not hold: what breaks it (in the plural), how many do, one of them, and the cure in words.

    `repairable` says whether `repair` makes it hold again.
    """

    name: str
    what: str
    count: int
    example: str
    cure: str
    repairable: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a look: how many laws were asked, and those that do not hold."""

    asked: int
    findings: tuple[Finding, ...]


def verify(store: Store, now: datetime, told: Callable[[str], None] = lambda _: None) -> Verdict:
    """Looks at the whole database as it is at one moment. `told` hears again and again what is being looked at.

    Raises StoreError when the database cannot be read at all.
    """
    connection = store.connection
    doing = ["SQLite's own structures"]

    def tell() -> int:
        told(doing[0])
        return 0

    connection.set_progress_handler(tell, STEPS)
    asked = 0
    findings: list[Finding] = []
    try:
        with store.snapshot():
            looks: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
                ("SQLite's own structures", lambda: _intact(connection, "news.db")),
                ("foreign keys", lambda: _references(connection)),
                *((law.broken, _asked(connection, law.name, now)) for law in LAWS),
                ("the full-text index", lambda: _index(connection, tell)),
                ("names of articles", lambda: _names(connection, tell)),
                ("telling words", lambda: _words(connection, tell)),
                ("feedback.db", lambda: _intact(store.feedback.connection, "feedback.db")),
                ("what people said", lambda: _said(store, now)),
            ]
            for number, (about, look) in enumerate(looks, 1):
                doing[0] = f"{number} of {len(looks)}: {about}"
                asked += 1
                findings += look()
                if any(one.name == "damaged" for one in findings):
                    break  # what is read from a damaged file says nothing
    except sqlite3.DatabaseError as error:
        findings.append(_damaged("news.db", [str(error)]))
    finally:
        connection.set_progress_handler(None, 0)
    return Verdict(asked, tuple(findings))


def _asked(connection: sqlite3.Connection, name: str, now: datetime) -> Callable[[], Iterable[Finding]]:
    law = next(one for one in LAWS if one.name == name)

    def look() -> Iterator[Finding]:
        query = f"SELECT count(*), min(who) FROM ({law.sql})"  # noqa: S608
        count, example = connection.execute(query, {"now": stamp(now)}).fetchone()
        if count:
            yield Finding(law.name, law.broken, count, str(example), law.cure, bool(law.repair))

    return look


def _damaged(file: str, said: list[str]) -> Finding:
    return Finding("damaged", f"faults in the structure of {file}", len(said), said[0][:200], RESTORE, False)


def _intact(connection: sqlite3.Connection, file: str) -> Iterator[Finding]:
    """SQLite's own judgement. An index that lacks rows is written anew from its table; the rest is damage."""
    try:
        said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    if said == ["ok"]:
        return
    index = [line for line in said if "missing from index" in line or "wrong # of entries in index" in line]
    if len(index) == len(said):
        yield Finding("sqlite-index", f"rows of {file} missing from an index", len(said), said[0][:200], REPAIR, True)
    else:
        yield _damaged(file, said)


def _references(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Rows whose other end is gone."""
    held: dict[tuple[str, str], int] = {}
    for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        held[table, parent] = held.get((table, parent), 0) + 1
    for (table, parent), count in sorted(held.items()):
        derived = table in DERIVED
        yield Finding(
            "reference", f"rows of `{table}` whose row of `{parent}` is not there", count, table,
            REPAIR if derived else RESTORE, derived,
        )  # fmt: skip


def _index(connection: sqlite3.Connection, tell: Callable[[], int]) -> Iterator[Finding]:
    """Whether each article is in the full-text index, with as many words as it has, and is found by its headline."""
    extra, example = connection.execute(
        "SELECT count(*), min(id) FROM articles_fts_docsize WHERE id NOT IN (SELECT article_id FROM article_texts)"
    ).fetchone()
    if extra:
        yield Finding("index-extra", "rows of the full-text index without an article", extra, f"row {example}",
                      REPAIR, True)  # fmt: skip
    made = str(connection.execute("SELECT sql FROM sqlite_master WHERE name = 'articles_fts'").fetchone()[0])
    missing, other = [], []
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as again:
        again.execute(made.replace("content='article_words', content_rowid='id'", "content='', detail=none"))
        rows = connection.execute(
            "SELECT w.id, w.title, w.summary, w.text, d.sz, a.revision_count > 1 FROM article_words w"
            " JOIN articles a ON a.id = w.id LEFT JOIN articles_fts_docsize d ON d.id = w.id ORDER BY w.id"
        )
        for batch in _batches(rows):
            tell()
            again.execute("INSERT INTO articles_fts (articles_fts) VALUES ('delete-all')")
            again.execute("BEGIN")
            again.executemany("INSERT INTO articles_fts (rowid, title, summary, text) VALUES (?, ?, ?, ?)",
                              [row[:4] for row in batch])  # fmt: skip
            again.execute("COMMIT")
            sizes = dict(again.execute("SELECT id, sz FROM articles_fts_docsize"))
            for article_id, title, _, _, size, reworded in batch:
                if size is None:
                    missing.append(article_id)
                elif size != sizes[article_id] or (reworded and size[0] and not _found(connection, article_id, title)):
                    other.append(article_id)
    for name, what, ids in (
        ("index-missing", "articles that are not in the full-text index", missing),
        ("index-other", "articles that the full-text index holds with other words", other),
    ):
        if ids:
            yield Finding(name, what, len(ids), f"article {ids[0]}", REPAIR, True)


def _found(connection: sqlite3.Connection, article_id: int, title: str) -> bool:
    """Whether an article is found by its present headline: words were exchanged, and as many of them as before."""
    phrase = title.replace("\0", " ").replace('"', '""')
    query = "SELECT 1 FROM articles_fts WHERE articles_fts MATCH ? AND rowid = ?"
    return connection.execute(query, (f'title : "{phrase}"', article_id)).fetchone() is not None


def _names(connection: sqlite3.Connection, tell: Callable[[], int]) -> Iterator[Finding]:
    """Whether each article is known by its page and its headline."""
    lacking = list(nameless(connection, tell))
    if lacking:
        yield Finding("names", "names by which an article is known again, missing", len(lacking),
                      f"article {lacking[0][1]}", REPAIR, True)  # fmt: skip


def nameless(connection: sqlite3.Connection, tell: Callable[[], object]) -> Iterator[tuple[int, int]]:
    """Rows that `article_names` lacks, as (name, article id)."""
    rows = connection.execute("SELECT id, url, title FROM articles ORDER BY id")
    for batch in _batches(rows):
        tell()
        wanted = [row for article_id, url, title in batch for row in names_of(article_id, url, title)]
        there = set(
            connection.execute(
                "SELECT n.name, n.article_id FROM json_each(?) j CROSS JOIN article_names n"
                " ON n.name = j.value ->> 0 AND n.article_id = j.value ->> 1",
                (json.dumps(wanted),),
            )
        )
        yield from (row for row in wanted if row not in there)


def _words(connection: sqlite3.Connection, tell: Callable[[], int]) -> Iterator[Finding]:
    """Whether the window of stories can be read, and names articles that are there."""
    bad = sum(1 for _ in unreadable(connection, tell))
    if bad:
        yield Finding("words", "rows of `story_words` that name no article, or cannot be read", bad, "a word of a day",
                      REPAIR, True)  # fmt: skip
    for table, column in (("story_prints", "print"), ("story_centres", "centre")):
        count = connection.execute(
            f"SELECT count(*) FROM {table} WHERE length({column}) % 8 != 0"  # noqa: S608
        ).fetchone()[0]
        if count:
            yield Finding("prints", f"rows of `{table}` that cannot be read", count, table, REPAIR, True)


def unreadable(
    connection: sqlite3.Connection, tell: Callable[[], object]
) -> Iterator[tuple[int, int, int, bytes | None]]:
    """Rows of `story_words` to be mended: word, day, count, and what its articles should be (`None`: no row at all)."""
    known = {row[0] for row in connection.execute("SELECT id FROM articles")}
    for batch in _batches(connection.execute("SELECT word, day, n, latest FROM story_words")):
        tell()
        for word, day, n, latest in batch:
            ids = array("I")
            if not isinstance(latest, bytes) or len(latest) % ids.itemsize or n < 0:
                yield word, day, n, None
                continue
            ids.frombytes(latest)
            if not known.issuperset(ids):
                kept = array("I", [one for one in ids if one in known])
                yield word, day, n, kept.tobytes()


def _said(store: Store, now: datetime) -> Iterator[Finding]:
    """Whether what people said can be read, is about something, and is followed."""
    said = store.feedback.connection
    odd = [row for row in said.execute("SELECT rowid, verdict, created_at FROM labels") if _odd(row[1], row[2])]
    if odd:
        yield Finding("labels", "rows of `labels` that say nothing we understand", len(odd), f"row {odd[0][0]}",
                      "Mend them in feedback.db: a verdict is on_topic or off_topic, a moment like"
                      " 2020-12-05T10:00:00Z.", False)  # fmt: skip
    standing = store.feedback.labels()
    ids = {row[0] for row in store.connection.execute("SELECT id FROM articles")}
    lost = [one for one in standing if not one.url and one.article_id not in ids]
    if lost:
        yield Finding("labels-lost", "labels that name their article by a number that no article has", len(lost),
                      f"article {lost[0].article_id}", "Was feedback.db made for another database? Put the two that"
                      " belong together side by side.", False)  # fmt: skip
    if any(one.created_at and now - one.created_at < SETTLING for one in standing) or _withdrawn(said, now):
        return
    active = {
        row[0] for row in store.connection.execute("SELECT slug FROM topics WHERE active = 1 AND judged_to IS NULL")
    }
    heard = {(one.article_id, one.topic): one.on_topic for one in store.feedback.resolved(None, store.articles.ids)}
    stored = store.topics.decided_by_people()
    differ = sorted(
        key for key in heard.keys() | stored.keys() if key[1] in active and heard.get(key) != stored.get(key)
    )
    if differ:
        yield Finding("labels-unheard", "verdicts that do not follow what a person said", len(differ),
                      f"article {differ[0][0]} on {differ[0][1]}",
                      "A running service follows at once; `newsbeat retag` does while none runs.", False)  # fmt: skip


def _odd(verdict: object, created_at: object) -> bool:
    return verdict not in ("on_topic", "off_topic") or not isinstance(created_at, str) or moment(created_at) is None


def _withdrawn(said: sqlite3.Connection, now: datetime) -> bool:
    if "withdrawn_at" not in {row[1] for row in said.execute("PRAGMA table_info(labels)")}:
        return False
    latest = said.execute("SELECT max(withdrawn_at) FROM labels").fetchone()[0]
    at = moment(latest) if latest else None
    return at is not None and now - at < SETTLING


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        yield batch
