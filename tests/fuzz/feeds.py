"""Mutated feeds through both tiers and, a share of them, into a real database.

Each goes the way of a poll's answer: the first tier here, as in the service; a reading process with the service's own
deadline and memory limit for all of them; for every fourth, `ingest.keep` in a database that is looked over at the end.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import tarfile
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

from pipeline import export, ingest, parse, schedule, topics, urls
from pipeline.config import FetchSettings
from pipeline.errors import ParseError, WorkerLost
from pipeline.model import Feed, ParsedFeed, Response, Rules, Term, TopicProfile
from pipeline.store import Store
from pipeline.workers import Workers
from tests.bench import corpus
from tests.fuzz.mutate import mutant

SETTINGS = FetchSettings()
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LARGEST = 150_000
KEPT = 4
"""One in so many goes into a database."""
TYPES = ["application/rss+xml", "text/xml", "text/xml; charset=utf-8", "application/xml; charset=iso-8859-1",
         "text/xml; charset=utf-16", "text/html", "application/json", "text/plain; charset=klingon", ""]  # fmt: skip


@dataclass
class Tally:
    """What came of all of them. `bugs` holds what may not be: number, what was done, what it did."""

    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    bugs: list[str] = field(default_factory=list)
    notes: dict[str, float | int | str] = field(default_factory=dict)

    def most(self, name: str, value: float) -> None:
        """The highest value seen under a name."""
        self.notes[name] = max(float(self.notes.get(name, 0)), round(value, 4))


def real() -> list[bytes]:
    """Real and hostile feeds of up to 150 kB, where they lie beside the project; else invented ones."""
    found = recorded(lambda row: row["type"] != "opml", LARGEST)
    return found or [corpus.feed(number, 20, 0) for number in range(200)]


def recorded(wanted: Callable[[dict[str, Any]], bool], largest: int) -> list[bytes]:
    """Recorded files up to a size, those whose row in the list of them is wanted."""
    packed = corpus.DATA / "feeds.tar.gz"
    if not packed.is_file():
        return []
    with tarfile.open(packed) as archive:
        listed = archive.extractfile("feeds/manifest.jsonl")
        assert listed is not None
        rows = [json.loads(line) for line in listed]
        files = [archive.extractfile(f"feeds/{row['file']}") for row in rows if row["size"] <= largest and wanted(row)]
        return [file.read() for file in files if file is not None]


def _read(answer: Response) -> tuple[ParsedFeed, float, float]:
    """`parse.feed`, and what it cost: processor seconds, and the highest memory of this process in megabytes."""
    began = time.process_time()
    found = parse.feed(answer)
    return found, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _answer(body: bytes, url: str, draw: random.Random) -> Response:
    headers = (("content-type", draw.choice(TYPES)),)
    return Response(
        asked_url=url, url=url, status=200, headers=headers, body=body, fetched_at=NOW, wire_bytes=len(body)
    )


class _Archive:
    """A database that takes in what was read, as polls of forty feeds."""

    FEEDS = 40

    def __init__(self, place: Path) -> None:
        self.store = Store.open(place / "news.db", what="fuzz")
        self.urls = [f"https://feed{n}.example/rss" for n in range(self.FEEDS)]
        feeds = [Feed(url) for url in self.urls]
        profile = TopicProfile("any", "Any", (Term("new", 0.5), Term("government", 0.5)), Rules(), 0.2, None, "h")
        self.desk = ingest.Desk(
            self.store, urls.OutletBook(), {feed.url: feed for feed in feeds}, (topics.compiled(profile),),
            schedule.Pace(), archives=True, websub=True,
        )  # fmt: skip
        with self.store.transaction():
            self.store.feeds.subscribe(feeds, lambda _: None, NOW)
            self.store.topics.subscribe([profile])
        self.now = NOW
        self.ids = {state.feed_url: state.id for state in self.store.feeds.due(NOW, 1000)}

    def keep(self, number: int, answer: Response, parsed: ParsedFeed | ParseError) -> str:
        """One poll of one of the feeds."""
        self.now += timedelta(minutes=1)
        state = self.store.feeds.state(self.ids[self.urls[number % self.FEEDS]])
        said: Any = parsed if isinstance(parsed, ParseError) else answer
        outcome = ingest.keep(state, self.desk, said, None if isinstance(parsed, ParseError) else parsed, self.now, 0.5)
        return outcome.outcome


async def run(count: int, seed: int, told: Callable[[int], None] = lambda _: None, workers: int = 2) -> Tally:
    """`count` mutants of the feeds that lie there."""
    bodies, tally = real(), Tally()
    draw = random.Random(seed)
    readers = Workers(workers, deadline=SETTINGS.parse_deadline.total_seconds(), memory_mb=SETTINGS.parse_memory_mb)
    with tempfile.TemporaryDirectory() as scratch:
        archive = _Archive(Path(scratch))
        slots = asyncio.Semaphore(workers * 2)

        async def one(number: int, body: bytes, how: str, answer: Response) -> None:
            try:
                await _one(number, answer, how, readers, archive, tally)
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                tally.bugs.append(f"{number} ({how}): {error!r} in {where.name} of {Path(where.filename).name}"[:400])
                save(number, body)
            finally:
                slots.release()
                tally.tried += 1
                told(tally.tried)

        under_way = set()
        for number in range(count):
            feed = number // KEPT % archive.FEEDS
            # Those that are kept are one of three versions of their feed, so that articles are met again and reworded.
            origin = (
                bodies[(feed * 13 + draw.randrange(3)) % len(bodies)] if number % KEPT == 0 else draw.choice(bodies)
            )
            body, how = mutant(origin, draw, bodies)
            answer = _answer(body, archive.urls[feed], draw)
            await slots.acquire()
            task = asyncio.create_task(one(number, body, how, answer))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)
        readers.close()
        _look_over(archive, tally)
        archive.store.close()
    return tally


async def _one(number: int, answer: Response, how: str, readers: Workers, archive: _Archive, tally: Tally) -> None:
    began = time.thread_time()
    first = parse.at_once(answer)
    tally.most("longest at once, s", time.thread_time() - began)
    read: ParsedFeed | ParseError
    try:
        second, seconds, megabytes = await readers.run(_read, answer)
        tally.most("longest reading, s", seconds)
        tally.most("largest reader, MB", megabytes)
        read = second
        tally.outcomes["read, by the first tier" if first else "read, mended or by feedparser"] += 1
        if second.flaw:
            tally.outcomes["of these with a flaw that is told"] += 1
        if first is not None and first != second:
            raise AssertionError("the two tiers differ")
        if len({entry.guid for entry in second.entries}) != len(second.entries):
            raise AssertionError("a name stands twice")
    except ParseError as error:
        read = error
        tally.outcomes["refused in words"] += 1
        if first is not None:
            raise AssertionError(f"read at once and then refused: {error}") from None
    except WorkerLost as error:
        read = ParseError(answer.url, str(error))
        tally.outcomes[str(error)] += 1
        save(number, answer.body)
    if number % KEPT == 0:
        tally.outcomes["kept as a poll: " + archive.keep(number // KEPT, answer, read)] += 1


def _look_over(archive: _Archive, tally: Tally) -> None:
    """The database, and everything that goes out of it."""
    db = archive.store._connection
    for words in ("PRAGMA integrity_check", "PRAGMA foreign_key_check"):
        tally.bugs += [f"{words}: {row}" for row in db.execute(words) if row[0] != "ok"]
    db.execute("INSERT INTO articles_fts (articles_fts) VALUES ('integrity-check')")
    tally.notes["articles kept"] = db.execute("SELECT count(*) FROM articles").fetchone()[0]
    tally.notes["revisions kept"] = db.execute("SELECT count(*) FROM revisions").fetchone()[0]
    lines = 0
    for kept in _batches(archive.store):
        for line in export.jsonl(kept):
            json.loads(line)
            lines += 1
        "".join(export.table(kept))
        try:
            expat.ParserCreate().Parse(export.atom(kept, "Any", "any"), True)
        except expat.ExpatError as error:
            tally.bugs.append(f"the Atom feed of articles {kept[0][0].id} and later is not well-formed: {error}")
    tally.notes["exported"] = lines


def _batches(store: Store) -> Iterator[list[export.Kept]]:
    rows = store.archive.articles()
    while kept := list(islice(rows, 300)):
        yield kept


SAVED: list[Path] = []


def save(number: int, body: bytes, kind: str = "xml") -> None:
    """A document that did something it may not is left for whoever looks into it."""
    for place in SAVED:
        (place / f"{number}.{kind}").write_bytes(body)


def tried(count: int, seed: int, workers: int = 2) -> Tally:
    """`run`, with progress at a terminal."""

    def told(done: int) -> None:
        if sys.stderr.isatty() and done % 50 == 0:
            print(f"\r{done} of {count} feeds", end="", file=sys.stderr, flush=True)

    return asyncio.run(run(count, seed, told, workers))
