"""Puts a backup in the place of the database: looked over on a copy first, the old one kept beside.

Nothing of the old is touched before the new one was brought up to date and found whole; then one rename exchanges them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.errors import StoreError, UsageError
from pipeline.store.feedback import Feedback
from pipeline.store.places import FEEDBACK, beside, feedback_of
from pipeline.store.store import Store, explained, held, reader
from pipeline.store.verify import Finding, verify


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it: articles and the moment of the newest, where the old database lies (`None`: there was none),
    whose labels are in force, and what `verify` found in the backup."""

    articles: int
    newest_at: datetime | None
    old: Path | None
    labels: str
    findings: tuple[Finding, ...]


def restore(
    file: Path, db: Path, now: datetime, labels: str | None = None, told: Callable[[str], None] = lambda _: None
) -> Restored:
    """Makes `db` what the backup `file` is, brought up to the present schema.

    `labels` says whose labels count when both have some: those of the `backup`, or the `present` ones; without a word
    they are the backup's, unless something was said since. Raises UsageError (no such file, a choice to be made) and
    StoreError (a service runs, somebody reads, the backup is damaged, foreign or from a newer Newsbeat).
    """
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file. Name one that `newsbeat backup` made.")
    if db.exists() and file.samefile(db):
        raise UsageError(f"{file} is the database itself. Name a backup of it.")
    with held(db, "newsbeat restore"):
        chosen = _choose(feedback_of(file), db.with_name(FEEDBACK), labels)
        fresh = beside(db, "restoring", now)
        said = feedback_of(fresh)
        try:
            told(f"{file} is copied and looked over")
            _copied(file, fresh)
            if chosen == "backup":
                _copied(feedback_of(file), said)
            elif db.with_name(FEEDBACK).is_file():
                _copied(db.with_name(FEEDBACK), said)
            articles, newest, findings = _looked_over(fresh, file, now, told)
            told("the databases are exchanged")
            try:
                old = _exchange(fresh, db, said if chosen == "backup" else None, now)
            except OSError as error:
                raise StoreError(
                    f"{db}: could not be exchanged ({error.strerror}). Look what lies beside it."
                ) from None
        finally:
            for left in (fresh, said, *(fresh.with_name(f"{fresh.name}{end}") for end in ("-wal", "-shm", ".lock"))):
                left.unlink(missing_ok=True)
    return Restored(articles, newest, old, chosen, findings)


def _choose(theirs: Path, ours: Path, labels: str | None) -> str:
    """Whose labels will count: `backup` or `present`."""
    if not theirs.is_file():
        if labels == "backup":
            raise UsageError(f"{theirs}: there are no labels beside this backup. Leave --labels out.")
        return "present"
    if labels or not ours.is_file():
        return labels or "backup"
    try:
        since = _words(ours) - _words(theirs)
    except StoreError:
        return "backup"  # ours cannot be read: theirs is what there is
    if since:
        raise UsageError(
            f"{ours}: {len(since)} words were said (or taken back) that {theirs.name} does not have. Say whose count:"
            " --labels present keeps them, --labels backup goes back (the present file is kept beside)."
        )
    return "backup"


def _words(file: Path) -> set[tuple[object, ...]]:
    """All that was ever said in a file."""
    feedback = Feedback.read(file)
    try:
        return set(feedback.words())
    finally:
        feedback.close()


def _copied(file: Path, to: Path) -> None:
    """A copy of a database file, its write-ahead log included."""
    try:
        with (
            closing(reader(file)) as source,
            closing(sqlite3.connect(to)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise explained(error, file) from None


def _looked_over(
    fresh: Path, file: Path, now: datetime, told: Callable[[str], None]
) -> tuple[int, datetime | None, tuple[Finding, ...]]:
    """The copy brought up to date and verified. Raises StoreError when it is damaged."""
    try:
        with Store.open(fresh, what="newsbeat restore", feedback=feedback_of(fresh), copy=False) as store:
            verdict = verify(store, now, told)
            articles, newest = store.numbers.totals(now).articles, store.articles.newest_at()
    except StoreError as error:
        raise StoreError(str(error).replace(str(fresh), str(file))) from None
    for finding in verdict.findings:
        if finding.name == "damaged":
            raise StoreError(f"{file}: it is damaged ({finding.example}). Nothing was changed; try another backup.")
    with closing(sqlite3.connect(fresh)) as one:
        one.execute("PRAGMA journal_mode = DELETE")  # one file, so that one rename is all
    return articles, newest, verdict.findings


def _exchange(fresh: Path, db: Path, said: Path | None, now: datetime) -> Path | None:
    """Puts the new files in place and the old ones beside; returns where the old database lies."""
    old = beside(db, "before-restore", now) if db.exists() else None
    if old:
        _alone(db)
        _twin(db, old)
    ours = db.with_name(FEEDBACK)
    if said and ours.exists():
        _twin(ours, feedback_of(old or beside(db, "before-restore", now)))
    for end in ("-wal", "-shm"):  # of a database too broken to be asked to write them back
        left = db.with_name(f"{db.name}{end}")
        if left.exists() and old:
            left.replace(old.with_name(f"{old.name}{end}"))
    fresh.replace(db)
    if said:
        said.replace(ours)
    handle = os.open(db.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return old


def _twin(file: Path, name: Path) -> None:
    """The same file under one more name; a copy where the file system has no such thing."""
    try:
        os.link(file, name)
    except OSError:
        shutil.copy2(file, name)


def _alone(db: Path) -> None:
    """Writes the old database's log back into it. A reader's log must not come to stand beside another database, so
    while somebody reads nothing is exchanged. Raises StoreError."""
    try:
        with closing(sqlite3.connect(db, timeout=2)) as old:
            old.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise StoreError(f"{db}: somebody has it open (the site?). Stop that first, then restore.") from None
    except sqlite3.DatabaseError:
        return  # it is being replaced because it is broken
