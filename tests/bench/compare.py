"""Newsbeat beside `reader` (and newsboat where it is installed) on the same local feeds, in one run.

First a poll of all, then one that brings 304s, then one with one new entry a feed. Each program runs in a process of
its own; processor seconds are those of that process and its children. Newsbeat has everything on: topics, copies,
stories, the full-text index.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import corpus
from tests.bench.local import Served, serving
from tests.bench.measure import cost, peak_of_all

STEPS = (("first", 0), ("not_modified", 0), ("one_new", 1))
"""A poll of all; a poll of what did not change; a poll after each feed got one new entry."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one step cost one program."""

    program: str
    step: str
    feeds: int
    entries: int
    cpu_s: float
    cpu_s_per_1000_feeds: float
    wall_s: float
    peak_mb: float
    db_mb: float


Pipe = multiprocessing.connection.Connection
Program = Callable[[Pipe, list[str], Path, int], None]


def measured(
    program: str, run: Program, served: Served, feeds: int, topics: int, archive: Path | None = None
) -> Iterator[Row]:
    """Each step's row, as it is done; Newsbeat may begin with an `archive` instead of nothing."""
    here, there = multiprocessing.Pipe()
    urls = [served.url(number) for number in range(feeds)]
    served.publish(0)
    with tempfile.TemporaryDirectory() as place:
        if archive:
            shutil.copy(archive, Path(place) / "news.db")
        process = multiprocessing.get_context("spawn").Process(
            target=run, args=(there, urls, Path(place), topics), daemon=False
        )
        process.start()
        there.close()  # so that its death ends our waiting
        try:
            known = here.recv()
            for step, fresh in STEPS:
                served.publish(fresh)
                here.send(step)
                cpu, wall, entries, peak, size = here.recv()
                yield Row(
                    program, step, feeds, entries - known, round(cpu, 2), round(cpu / feeds * 1000, 2),
                    round(wall, 1), round(peak), round(size / 1e6, 1),
                )  # fmt: skip
                known = entries
            here.send(None)
            process.join(20)
        finally:
            process.kill()


def newsbeat(pipe: Pipe, urls: list[str], place: Path, topics: int) -> None:
    """The service's own pass (`once`), everything on."""
    from pipeline import config, service

    configure(place / "config", urls, topics)
    moment = [corpus.START + timedelta(minutes=30)]

    async def work() -> None:
        async with service.opened(
            place / "config", place / "news.db", what="bench", now=lambda: moment[0], draw=lambda: 0.5
        ) as running:
            service.apply(config.load(place / "config"), running.desk, moment[0])
            waiting = running.store.topics.waiting()
            with (
                running.store.transaction()
            ):  # the archive is not judged on topics it never had: that is `retag`'s work
                running.store.topics.judged(waiting, max((last for _, last in waiting.values()), default=0))
            pipe.send(running.store.numbers.totals(moment[0]).articles)
            while pipe.recv() is not None:
                with cost() as spent:
                    outcomes = await running.once()
                assert len(outcomes) == len(urls), f"{len(outcomes)} polls of {len(urls)} feeds"
                if failed := [outcome for outcome in outcomes if outcome.outcome == "failed"]:
                    print(f"{len(failed)} polls failed, the first: {failed[0].why}", file=sys.stderr)
                articles = running.store.numbers.totals(moment[0]).articles
                pipe.send((spent.cpu, spent.wall, articles, peak_of_all(), size_of(place / "news.db")))
                moment[0] += timedelta(hours=25)

    _quiet()
    asyncio.run(work())


def reader(pipe: Pipe, urls: list[str], place: Path, _topics: int) -> None:
    """`reader` as its guide says: one call of update_feeds."""
    from reader import make_reader

    _quiet()
    with make_reader(str(place / "reader.db")) as made:
        for url in urls:
            made.add_feed(url)
        pipe.send(0)
        while pipe.recv() is not None:
            with cost() as spent:
                made.update_feeds(scheduled=False)
            entries = made.get_entry_counts().total or 0
            pipe.send((spent.cpu, spent.wall, entries, peak_of_all(), size_of(place / "reader.db")))


def newsboat(pipe: Pipe, urls: list[str], place: Path, _topics: int) -> None:
    """newsboat's own reload, one process a pass."""
    import sqlite3

    (place / "urls").write_text("\n".join(urls) + "\n")
    (place / "config").write_text("max-items 0\nreload-threads 4\n")
    pipe.send(0)
    command = ["newsboat", "-u", str(place / "urls"), "-c", str(place / "cache.db"), "-C", str(place / "config")]
    while pipe.recv() is not None:
        with cost() as spent:
            subprocess.run([*command, "-x", "reload"], check=True, env=os.environ | {"HOME": str(place)})
        counted = sqlite3.connect(place / "cache.db").execute("SELECT count(*) FROM rss_item").fetchone()[0]
        pipe.send((spent.cpu, spent.wall, counted, 0.0, size_of(place / "cache.db")))


def programs() -> dict[str, Program]:
    """Those that can be run here."""
    there: dict[str, Program] = {"newsbeat": newsbeat}
    try:
        import reader as _  # noqa: F401
    except ImportError:
        print("reader is not installed: the comparison is without it.", file=sys.stderr)
    else:
        there["reader"] = reader
    if shutil.which("newsboat"):
        there["newsboat"] = newsboat
    return there


def configure(directory: Path, urls: list[str], topics: int) -> None:
    """A configuration of these feeds and of invented topics, about events that the feeds tell."""
    from pipeline.topics import document, profile, toml

    (directory / "topics").mkdir(parents=True)
    for number, text in enumerate(corpus.documents(topics)):
        made = profile(document(text, f"seed {number}"), f"topic-{number}")
        (directory / "topics" / f"topic-{number}.toml").write_text(toml(made))
    (directory / "newsbeat.toml").write_text(
        '[fetch]\ncontact = "https://example.org/bench"\nper_host_gap = 0\nper_host_in_flight = 8\n'
        'host_wide_429 = false\nallow_addresses = ["127.0.0.1/32"]\n'
    )
    (directory / "feeds.toml").write_text("\n".join(f'[[feed]]\nurl = "{url}"\n' for url in urls))


def size_of(db: Path) -> int:
    """Bytes of a database and its log."""
    return sum(path.stat().st_size for path in (db, db.with_name(db.name + "-wal")) if path.exists())


def _quiet() -> None:
    import logging

    logging.disable(logging.WARNING)


def compare(feeds: int, entries: int | None, topics: int, told: Callable[[Row], None]) -> list[Row]:
    """Every program, every step."""
    rows = []
    with serving(feeds, entries) as served:
        for name, run in programs().items():
            for row in measured(name, run, served, feeds, topics):
                told(row)
                rows.append(row)
    return rows


def alone(feeds: int, entries: int, topics: int, archive: Path) -> list[Row]:
    """Newsbeat alone, with an archive to begin with."""
    with serving(feeds, entries) as served:
        return list(measured("newsbeat", newsbeat, served, feeds, topics, archive))


def ratios(rows: list[Row], peer: str = "reader") -> dict[str, float]:
    """The peer's processor time over ours, a step; empty without that peer. Above 1 we are cheaper."""
    spent = {(row.program, row.step): row.cpu_s for row in rows}
    return {
        f"{'first_poll' if step == 'first' else step}_ratio": round(
            spent[peer, step] / max(spent["newsbeat", step], 0.001), 2
        )
        for step, _ in STEPS
        if (peer, step) in spent
    }
