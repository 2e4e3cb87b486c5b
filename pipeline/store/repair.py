"""Derives anew what does not hold any more: numbers, the full-text index, names, stories' numbers and centres, tags put
down for judging, rows whose other end is gone. Touches nothing that is kept, and does one thing a transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection

from pipeline.store.laws import DERIVED, LAWS
from pipeline.store.names import NAME
from pipeline.store.store import Store
from pipeline.store.verify import Finding, nameless, unreadable


def repair(store: Store, findings: Collection[Finding], told: Callable[[str], None] = lambda _: None) -> list[str]:
    """Makes the laws of these findings hold again where they can be; returns what was done, in words.

    The store must be held for writing. Raises StoreError when the disk refuses; what was done before stays done.
    """
    names = {finding.name for finding in findings if finding.repairable}
    db = store.connection
    work: list[tuple[bool, str, Callable[[], object]]] = [
        ("sqlite-index" in names, "indexes written anew", lambda: db.execute("REINDEX")),
        ("reference" in names, "derived rows without their other end removed", lambda: _orphans(db)),
        *((law.name in names, f"mended: {law.broken}", _run(db, law.repair)) for law in LAWS if law.repair),
        # Stories that articles came to, or whose copies have another original, have other numbers now.
        (bool(names & {"copy-of-copy", "copy-order", "story", "reference"}), "stories counted anew",
         _run(db, (*_repair_of("empty-story"), *_repair_of("story-counts"), "DELETE FROM story_centres"))),
        ("words" in names, "telling words cleaned", lambda: _words(db)),
        ("prints" in names, "prints and centres that cannot be read removed", _run(db, (
            "DELETE FROM story_prints WHERE length(print) % 8 != 0",
            "DELETE FROM story_centres WHERE length(centre) % 8 != 0",
        ))),
        ("names" in names, "names of articles added", lambda: _names(db)),
        (bool(names & {"index-extra", "index-missing", "index-other"}), "the full-text index made anew",
         lambda: db.execute("INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')")),
    ]  # fmt: skip
    done = []
    for wanted, words, work_of in work:
        if wanted:
            told(words)
            with store.transaction():
                work_of()
            done.append(words)
    return done


def _repair_of(name: str) -> tuple[str, ...]:
    return next(law.repair for law in LAWS if law.name == name)


def _run(db: sqlite3.Connection, statements: tuple[str, ...]) -> Callable[[], object]:
    def work() -> None:
        for statement in statements:
            db.execute(statement)

    return work


def _orphans(db: sqlite3.Connection) -> None:
    for table in DERIVED:
        for _, _, parent, own, key, *_ in db.execute(f"PRAGMA foreign_key_list({table})").fetchall():
            db.execute(
                f"DELETE FROM {table} WHERE {own} IS NOT NULL AND {own} NOT IN (SELECT {key} FROM {parent})"  # noqa: S608
            )


def _words(db: sqlite3.Connection) -> None:
    for word, day, _, latest in list(unreadable(db, lambda: None)):
        if latest is None:
            db.execute("DELETE FROM story_words WHERE word = ? AND day = ?", (word, day))
        else:
            db.execute("UPDATE story_words SET latest = ? WHERE word = ? AND day = ?", (latest, word, day))


def _names(db: sqlite3.Connection) -> None:
    db.executemany(NAME, list(nameless(db, lambda: None)))
