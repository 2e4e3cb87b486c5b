"""What is broken, and the cure: facts are gathered from configuration, database and machine, and judged by `care`.

For `newsbeat doctor`. Whatever cannot be looked at (a database that is not there, a configuration that is refused) is a
finding itself, and the rest is looked at all the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pipeline import care, checkup, config
from pipeline.care import LEVELS, Finding
from pipeline.errors import ConfigErrors, StoreError
from pipeline.store import Store
from pipeline.store.facts import facts


def look(directory: Path, db: Path, now: datetime) -> tuple[Finding, ...]:
    """Every finding, what is worst first. Reads only; asks no server. Takes some seconds where there are topics."""
    found = list(_look(directory, db, now))
    # A configuration that is refused is told once, by its files rather than by the service's word on them.
    if any(one.kind == "configuration" and one.about != "configuration" for one in found):
        found = [one for one in found if (one.kind, one.about) != ("configuration", "configuration")]
    return tuple(sorted(found, key=lambda one: LEVELS.index(one.level)))


def _look(directory: Path, db: Path, now: datetime) -> Iterator[Finding]:
    setup = None
    try:
        setup = config.load(directory)
    except ConfigErrors as error:
        for finding in error.findings:
            place = f"{finding.file}: {finding.key}" if finding.key else finding.file
            yield Finding("broken", "configuration", place, finding.why, finding.hint or "`newsbeat check` says more.")
    if setup and not setup.fetch.contact:
        yield Finding(
            "broken", "configuration", f"{directory / 'newsbeat.toml'}: fetch.contact", "It is empty.",
            "Say how servers can reach you: a web page or a mail address; the service does not start without it.",
        )  # fmt: skip
    for doubt in config.doubts(setup, directory) if setup else ():
        yield Finding("note", "configuration", f"{doubt.file}: {doubt.key}", doubt.why, doubt.hint)
    try:
        with Store.read(db) as store:
            yield from care.findings(facts(store, now, free(db)), now)
            for profile, topical in checkup.of_topics(setup.topics, store, now) if setup else ():
                where = str(directory / "topics" / f"{profile.slug}.toml")
                about = f"{where}: {topical.key}" if topical.key else where
                yield Finding("broken" if topical.grave else "care", "topic", about, topical.why, topical.cure)
    except StoreError as error:
        why, _, cure = str(error).partition(". ")
        yield Finding("broken", "database", str(db), f"{why.removeprefix(f'{db}: ').rstrip('.')}.", cure)


def free(db: Path) -> int | None:
    """Bytes free where the database lies."""
    try:
        return shutil.disk_usage(db.parent).free
    except OSError:
        return None
