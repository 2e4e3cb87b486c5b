"""Opening a database: its lock, its schema, its transactions."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import sqlite_utils

from pipeline import log
from pipeline.errors import StoreError, StoreHeld
from pipeline.store.archive import Archive
from pipeline.store.articles import Articles
from pipeline.store.corrections import Corrections
from pipeline.store.feedback import Feedback
from pipeline.store.feeds import Feeds
from pipeline.store.history import History
from pipeline.store.migrations import migrations
from pipeline.store.notices import Notices
from pipeline.store.numbers import Numbers
from pipeline.store.places import FEEDBACK, beside
from pipeline.store.polls import Polls
from pipeline.store.pruned import Pruned
from pipeline.store.stories import Stories
from pipeline.store.topics import Topics
from pipeline.store.websub import Websub

BUSY_MS = 5000
"""How long a write waits for another process's write, in milliseconds."""


class Store:
    """One database, held by one writer. Close it when done; `with Store.open(path) as store:` does."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: IO[str] | None, feedback: Feedback) -> None:
        self.path = path
        self.feedback, self.corrections = feedback, Corrections(feedback)
        self._connection, self._lock = connection, lock
        self.feeds = Feeds(connection)
        self.articles = Articles(connection)
        self.stories = Stories(connection)
        self._version: int | None = None
        self.topics = Topics(connection)
        self.polls = Polls(connection)
        self.numbers = Numbers(connection)
        self.history = History(connection)
        self.websub = Websub(connection)
        self.notices = Notices(connection)
        self.archive = Archive(connection, self.articles)
        self.pruned = Pruned(connection)

    @classmethod
    def open(cls, path: Path, *, what: str = "newsbeat", feedback: Path | None = None, copy: bool = True) -> Store:
        """The database at `path`, made when missing, locked for us, migrated, feedback.db beside it.

        Raises StoreError: held by another (and by whom), from a newer version, not a database, no place to write.
        `what` is told to the next one who asks who holds it. `feedback` is where what people said lies, if elsewhere.
        Without `copy` none is kept before an upgrade.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{path.parent}: cannot be made ({error.strerror}). Choose another place with --db."
            ) from None
        lock = _lock(path, what)
        connection = None
        try:
            connection = sqlite3.connect(path, isolation_level=None)
            _prepare(connection, path, copy=copy)
            said = Feedback.open(feedback or path.with_name(FEEDBACK))
        except (sqlite3.Error, StoreError) as error:
            if connection:
                connection.close()
            lock.close()
            raise (error if isinstance(error, StoreError) else explained(error, path)) from None
        return cls(connection, path, lock, said)

    @classmethod
    def read(cls, path: Path) -> Store:
        """The database for looking only, beside a running writer.

        Also where the directory may only be read: then as the file lies, which is told in the log. Raises StoreError
        when it is missing, not ours, or of another version.
        """
        if not path.is_file() or not path.stat().st_size:
            raise StoreError(f"{path}: there is no database yet. `newsbeat once` makes it.")
        connection = None
        try:
            connection = reader(path)
            db = sqlite_utils.Database(connection)
            _refuse_foreign(db, path)
            if migrations.pending(db):
                raise StoreError(f"{path}: made by an older Newsbeat. `newsbeat once` brings it up to date.")
            feedback = Feedback.read(path.with_name(FEEDBACK))
        except (sqlite3.Error, StoreError) as error:
            if connection:
                connection.close()
            raise (error if isinstance(error, StoreError) else explained(error, path)) from None
        return cls(connection, path, None, feedback)

    @classmethod
    def beside(cls, path: Path) -> Store:
        """The database for a few short writes, also beside the service that holds it: SQLite takes turns.

        Raises StoreError when it is missing, not ours, or of another version.
        """
        cls.read(path).close()
        try:
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            feedback = Feedback.read(path.with_name(FEEDBACK))
        except sqlite3.Error as error:
            raise explained(error, path) from None
        return cls(connection, path, None, feedback)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens inside is kept, or nothing. Raises StoreError when the disk or the database refuses."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                if self._written_by_others():
                    self.stories.words.unlearn()
                yield
            except BaseException:
                self._take_back()
                raise
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._take_back()
            raise explained(error, self.path) from None

    def _take_back(self) -> None:
        self.stories.words.unlearn()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _written_by_others(self) -> bool:
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        heard, self._version = self._version, version
        return bool(heard != version)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for the rooms beside this one that look at the whole file (`verify.py`, `prune.py`)."""
        return self._connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is of one moment, whoever writes meanwhile. Raises StoreError."""
        try:
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # the moment is that of the first read
        except sqlite3.OperationalError as error:
            raise explained(error, self.path) from None
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def copy_to(self, file: Path, told: Callable[[int, int], None] = lambda _, __: None, *, pages: int = 1024) -> None:
        """A consistent copy in `file`, also beside a running writer (SQLite's backup). Raises StoreError when the copy
        cannot be written or is not intact. `told` hears how many pages are left, and of how many."""
        try:
            with closing(sqlite3.connect(file)) as copy, self.snapshot():
                # A read that goes on keeps the copy from beginning anew each time somebody writes.
                self._connection.backup(copy, pages=pages, progress=lambda _, left, all: told(left, all))
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, that may be read where nobody may write
                sound = copy.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.Error as error:
            raise explained(error, file) from None
        if sound != "ok":
            raise StoreError(f"{file}: the copy is not intact ({sound}). The original may be damaged.")

    def close(self) -> None:
        """Lets go of the database and its lock."""
        self._connection.close()
        self.feedback.close()
        if self._lock:
            self._lock.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def schema() -> str:
    """The present schema as text, as `db/schema.sql` holds it."""
    db = sqlite_utils.Database(memory=True)
    migrations.apply(db)
    rows = db.query(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%_fts_%' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE '%sqlite_migrations%' ORDER BY rowid"
    )
    lines = (str(row["sql"]).replace("\n        ", "\n").strip() for row in rows)
    return (
        "-- The present schema, written from pipeline/store/migrations.py by `./run schema`.\n\n"
        + ";\n\n".join(lines)
        + ";\n"
    )


def reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Beside a WAL database SQLite keeps two files; where it may not make them, the
    database is read as it lies, which is good while nobody writes."""
    where = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(where, uri=True, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        connection.close()
        if not isinstance(error, sqlite3.OperationalError) or _writable(path.parent):
            raise
    else:
        return connection
    newest = path.with_name(f"{path.name}-wal")
    if newest.exists() and newest.stat().st_size:
        raise StoreError(
            f"{path}: the directory cannot be written, and what came last lies in {newest.name}, which is read only"
            f" where it may be written. Copy both files to another directory, and name that with --db."
        )
    log.event("database is read as it lies, since its directory cannot be written", logging.WARNING, db=path)
    connection = sqlite3.connect(f"{where}&immutable=1", uri=True, isolation_level=None)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _writable(directory: Path) -> bool:
    return os.access(directory, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _prepare(connection: sqlite3.Connection, path: Path, *, copy: bool) -> None:
    """Makes a fresh connection ours: checked, set up, migrated, and known to take a write."""
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    db = sqlite_utils.Database(connection)
    _refuse_foreign(db, path)
    # WAL with NORMAL: a crash of the program loses nothing; a power cut may lose the last commits, never corrupts.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    if copy:
        _keep_what_was(db, path)
    migrations.apply(db)
    # A file that may only be read opens all the same; better told now than at the first poll. Deletes nothing.
    connection.execute("DELETE FROM hosts WHERE 0")


def _keep_what_was(db: sqlite_utils.Database, path: Path) -> None:
    """Before an older database is brought up to date, a copy of it is put beside: the way back to the older program."""
    if not migrations.applied(db) or not migrations.pending(db):
        return
    copy = beside(path, "before-upgrade", datetime.now(UTC))
    log.event("database is upgraded", steps=len(migrations.pending(db)), copy=copy)
    try:
        with closing(sqlite3.connect(copy)) as made:
            db.conn.backup(made)
            made.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        copy.unlink(missing_ok=True)
        raise StoreError(
            f"{path}: made by an older Newsbeat, and the copy that is kept before an upgrade could not be made"
            f" ({error}). Nothing was changed; free as much room as the database has."
        ) from None


def _refuse_foreign(db: sqlite_utils.Database, path: Path) -> None:
    """A database that a newer Newsbeat has changed is not touched, nor is one that is somebody else's."""
    if migrations.migrations_table not in db.table_names():
        if db.table_names():
            raise StoreError(f"{path}: this is another program's database. Choose another file with --db.")
        return
    known = {migration.name for migration in migrations._migrations}
    newer = sorted({applied.name for applied in migrations.applied(db)} - known)
    if newer:
        raise StoreError(
            f"{path}: made by a newer Newsbeat ({', '.join(newer)} is unknown here)."
            " Upgrade Newsbeat, or use another --db."
        )


@contextmanager
def held(path: Path, what: str) -> Iterator[None]:
    """Nobody else of ours writes to the database at `path` meanwhile, which need not be there. Raises StoreError."""
    with _lock(path, what):
        yield


def _lock(path: Path, what: str) -> IO[str]:
    """Holds `news.db.lock` for as long as the process lives; the file says who we are."""
    try:
        lock = open(f"{path}.lock", "a+", encoding="utf-8")  # noqa: SIM115  held open on purpose
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written there ({error.strerror}). Check the directory, or use --db."
        ) from None
    for wait in (0.02, 0.1, None):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if wait is not None:
                time.sleep(wait)  # somebody may only be looking who holds it (`facts.holder`)
                continue
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            lock.close()
            raise StoreHeld(f"{path} is in use by {holder}. Stop that first, or use another --db.") from None
    lock.seek(0)
    lock.truncate()
    lock.write(f"{what} (process {os.getpid()})\n")
    lock.flush()
    return lock


def explained(error: sqlite3.Error, path: Path) -> StoreError:
    """SQLite's trouble in words."""
    words = str(error)
    if "locked" in words or "busy" in words:
        return StoreError(f"{path}: another program holds the database for writing. Close it and try again.")
    if "full" in words:
        return StoreError(f"{path}: the disk is full. Nothing of this step was kept; free some room.")
    if "disk I/O" in words:
        return StoreError(
            f"{path}: the disk refuses ({words}). Nothing of this step was kept. A limit on the size of files,"
            " or a disk that is failing."
        )
    if "readonly" in words or "unable to open" in words:
        return StoreError(f"{path}: cannot be opened for writing. Check the owner of the file and of its directory.")
    if "not a database" in words or "malformed" in words:
        return StoreError(f"{path}: this is not an intact SQLite database ({words}). Restore a backup.")
    return StoreError(f"{path}: {words}")
