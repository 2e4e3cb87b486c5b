"""Thirty days of the service in the time they take: memory, handles, the database and due times, day by day.

    ./run soak [--feeds 2000] [--days 30] [--step 60] [--cache-mb 64] [--json FILE] [--keep DIR]

A server of its own answers for invented feeds as they stand at the virtual moment: some bring something every
hour, most every few hours or days, some nothing, some have no validators, some answer 503 every fifth day, some 404.
The service is opened as `newsbeat run` opens it and makes a pass every `--step` virtual seconds. A row a day goes to
stdout as it ends. Exit 1 when something grew that should not, or a feed was forgotten.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import multiprocessing.connection
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline import service
from pipeline.model import PollOutcome
from pipeline.service import Service
from pipeline.store import Store
from pipeline.store.verify import verify
from tests.bench import corpus
from tests.torture.world import Clock

START = datetime(2026, 3, 2, tzinfo=UTC)
SHOWN = 8
CACHE_MB = 67.1
"""The service's page cache (64 MiB): memory grows with the database until it is full."""
HOURS = (1, 6, 12, 24, 24, 48, 72, 168)
"""Hours between two items of a feed, by its number: four a day and feed, on average."""
QUIET, BARE, STUMBLING, GONE = range(20, 24)
"""Feeds whose number ends so, of 25: nothing new ever, no validators, 503 every fifth day, 404."""


def items(number: int, at: float) -> int:
    """How many items a feed has published by a moment, those of before the start included."""
    if number % 25 == QUIET:
        return SHOWN
    every = HOURS[number % len(HOURS)] * 3600
    return SHOWN + int((at - START.timestamp() + number * 97 % every) // every)


class _Server(asyncio.Protocol):
    """As little of HTTP/1.1 as the service speaks."""

    def __init__(self, clock: Clock, sentences: list[str]) -> None:
        self._clock, self._sentences, self._head = clock, sentences, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        while b"\r\n\r\n" in self._head:
            head, _, self._head = self._head.partition(b"\r\n\r\n")
            self._transport.write(self._answer(int(head.split(b" ", 2)[1].rpartition(b"/")[2]), head.lower()))

    def _answer(self, number: int, head: bytes) -> bytes:
        at, kind = self._clock.at, number % 25
        day = int((at - START.timestamp()) // 86400)
        if kind == GONE:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        if kind == STUMBLING and day % 5 == 4:
            return b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
        count = items(number, at)
        tag = b'"%d-%d"' % (number, count)
        if kind != BARE and b"\r\nif-none-match: " + tag in head:
            return b"HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n" % tag
        body = self._body(number, count)
        said = b"" if kind == BARE else b"ETag: %s\r\n" % tag
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n%sContent-Length: %d\r\n\r\n%s" % (
            said, len(body), body,
        )  # fmt: skip

    def _body(self, number: int, count: int) -> bytes:
        every = timedelta(hours=HOURS[number % len(HOURS)])
        rows = []
        for index in range(count, count - SHOWN, -1):
            draw = random.Random(number * 100_003 + index)
            said = [draw.choice(self._sentences) for _ in range(4)]
            # One item of thirty is reworded while it is still shown.
            title = said[0][:70] + (" (updated)" if index % 30 == 0 and count - index > 3 else "")
            moment = format_datetime(START + every * (index - SHOWN))
            rows.append(
                f"<item><guid>{number}-{index}</guid><title>{title}</title><pubDate>{moment}</pubDate>"
                f"<link>https://site{number}.example/{index}</link>"
                f"<description>{' '.join(said[1:])}</description></item>"
            )
        return f'<rss version="2.0"><channel><title>Site {number}</title>{"".join(rows)}</channel></rss>'.encode()


def _serve(pipe: multiprocessing.connection.Connection, clock: Path) -> None:
    draw = random.Random(5)
    sentences = [corpus.sentence(draw, draw.randint(12, 24)) for _ in range(20_000)]

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Server(Clock(clock), sentences), "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, pipe.recv)

    asyncio.run(main())


def configure(directory: Path, feeds: int, port: int) -> None:
    """Every feed, without pauses between two requests to the one host that they all are on."""
    (directory / "topics").mkdir(parents=True)
    topic = Path(__file__).parents[2] / "config" / "topics" / "tiktok-us-sale.toml"
    (directory / "topics" / topic.name).write_text(topic.read_text(encoding="utf-8"), encoding="utf-8")
    (directory / "newsbeat.toml").write_text(
        '[fetch]\ncontact = "https://example.org/soak"\nper_host_gap = 0\nper_host_in_flight = 8\n'
        'host_wide_429 = false\nallow_addresses = ["127.0.0.1/32"]\n'
    )
    (directory / "feeds.toml").write_text(
        "".join(f'[[feed]]\nurl = "http://127.0.0.1:{port}/feed/{number}"\n' for number in range(feeds))
    )


class Days:
    """What is noted of each day."""

    def __init__(self, running: Service) -> None:
        self.running, self.rows = running, list[dict[str, float]]()
        self._planned: dict[str, datetime] = {}
        self._cpu = time.process_time()
        self._begin()

    def _begin(self) -> None:
        self.polls = self.failed = self.new = self.revised = 0
        self.late: list[float] = []

    def heard(self, outcome: PollOutcome) -> None:
        """One poll: how long after its planned moment it came."""
        self.polls += 1
        self.failed += outcome.outcome == "failed"
        self.new += outcome.new
        self.revised += outcome.revised
        if planned := self._planned.get(outcome.feed_url):
            self.late.append((outcome.started_at - planned).total_seconds())
        if outcome.next_poll_at:
            self._planned[outcome.feed_url] = outcome.next_poll_at

    def ends(self, day: int, now: datetime, feeds: int) -> dict[str, float]:
        """The day as a row."""
        gc.collect()
        db = self.running.store.path
        wal = db.with_name(db.name + "-wal")
        connection = self.running.store.connection
        forgotten = connection.execute(
            "SELECT count(*) FROM feeds WHERE last_polled_at < ? AND state != 'gone'",
            ((now - timedelta(hours=30)).strftime("%Y-%m-%dT%H:%M:%SZ"),),
        ).fetchone()[0]
        cpu = time.process_time()
        row = {
            "day": day, "polls": self.polls, "failed": self.failed, "new": self.new, "revised": self.revised,
            "polls a feed": round(self.polls / feeds, 2),
            "late s": max(self.late, default=0.0), "early s": -min(self.late, default=0.0),
            "forgotten": forgotten, "cpu s": round(cpu - self._cpu, 1), "rss MB": round(_resident(), 1),
            "handles": len(os.listdir("/proc/self/fd")), "threads": threading.active_count(),
            "tasks": len(asyncio.all_tasks()),
            "pages MB": round(connection.execute("PRAGMA page_count").fetchone()[0] * 4096 / 1e6, 2),
            "log MB": round(wal.stat().st_size / 1e6, 2) if wal.exists() else 0.0,
        }  # fmt: skip
        self._cpu = cpu
        self._begin()
        self.rows.append(row)
        return row


def _resident() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGESIZE") / 1e6


async def soak(place: Path, clock: Clock, options: argparse.Namespace) -> list[dict[str, float]]:
    """The days, one after the other."""
    draw = random.Random(options.seed)
    async with service.opened(place / "config", place / "news.db", what="soak", now=clock, draw=draw.random) as running:
        if options.cache_mb:
            running.store.connection.execute(f"PRAGMA cache_size = {-1024 * options.cache_mb}")
        days = Days(running)
        for day in range(1, options.days + 1):
            end = START.timestamp() + day * 86400
            while clock.at < end:
                clock.at += options.step
                await running.once(days.heard)
            row = days.ends(day, clock(), options.feeds)
            if day == 1:
                print("  ".join(f"{name:>{max(7, len(name))}}" for name in row))
            print("  ".join(f"{value:>{max(7, len(name))}}" for name, value in row.items()), flush=True)
    return days.rows


def judged(rows: list[dict[str, float]], step: int) -> list[str]:
    """What is not as it should be, in words. The first days fill caches and learn rhythms; the last third is held
    against the third before it, and the database against what its own first half predicts."""
    third = max(1, len(rows) // 3)
    before, last = rows[-2 * third : -third] or rows[:1], rows[-third:]

    def mean(of: list[dict[str, float]], name: str) -> float:
        return sum(row[name] for row in of) / len(of)

    said = []
    own = [sum(row["rss MB"] - min(CACHE_MB, row["pages MB"]) for row in of) / len(of) for of in (before, last)]
    if own[1] > own[0] * 1.1 + 5:
        said.append(f"memory beside the pages held grew from {own[0]:.0f} to {own[1]:.0f} MB")
    for name in ("handles", "threads", "tasks"):
        if max(row[name] for row in last) > max(row[name] for row in before) + 3:
            said.append(f"{name} grew from {mean(before, name):.0f} to {mean(last, name):.0f}")
    if late := max(row["late s"] for row in rows[1:] or rows) > 2 * step:
        said.append(f"a poll came {late:.0f} s after its time")
    if max(row["early s"] for row in rows) > 1:
        said.append("a poll came before its time")
    if forgotten := max(row["forgotten"] for row in rows):
        said.append(f"{forgotten:.0f} feeds were not asked for more than a day")
    predicted, found = growth(rows)
    if not 0.8 < found / max(predicted, 0.001) < 1.2:
        said.append(f"the database grew by {found:.1f} MB where {predicted:.1f} were predicted")
    return said


def growth(rows: list[dict[str, float]]) -> tuple[float, float]:
    """Megabytes that the second half should add by what the first half added for each new article and each poll (a
    fifth of an article's), and those it added."""
    half = len(rows) // 2
    first, second = rows[1:half] or rows[:1], rows[half:]

    def weight(of: list[dict[str, float]]) -> float:
        return sum(row["new"] + row["revised"] + row["polls"] / 5 for row in of)

    start = rows[0]["pages MB"]
    rate = (first[-1]["pages MB"] - start) / max(1.0, weight(first))
    return rate * weight(second), second[-1]["pages MB"] - first[-1]["pages MB"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--step", type=int, default=60, help="virtual seconds from one pass to the next")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--cache-mb", type=int, help="SQLite's page cache, otherwise 64 MB: memory grows until it is full"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="leave the database here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = options.keep or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        clock = Clock(place / "clock")
        clock.at = START.timestamp()
        here, there = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, place / "clock"), daemon=True)
        server.start()
        configure(place / "config", options.feeds, here.recv())
        began = time.monotonic()
        rows = asyncio.run(soak(place, clock, options))
        here.send(None)
        server.join(5)
        with Store.read(place / "news.db") as store:
            findings = [f"{one.what}: {one.count}" for one in verify(store, clock()).findings]
        with sqlite3.connect(place / "news.db") as db:
            (articles,) = db.execute("SELECT count(*) FROM articles").fetchone()
        said = judged(rows, options.step) + findings
        predicted, found = growth(rows)
        polls = sum(row["polls"] for row in rows)
        print(f"\n{options.feeds} feeds, {options.days} days, {polls:.0f} polls, {articles} articles")
        print(f"{sum(row['cpu s'] for row in rows):.0f} s of processor time, {time.monotonic() - began:.0f} s")
        print(f"second half of the database: {predicted:.1f} MB predicted, {found:.1f} found")
        print("\n".join(f"! {words}" for words in said) or "nothing grew, nobody was forgotten, verify is clean")
        if options.json:
            options.json.write_text(json.dumps({"rows": rows, "findings": said}))
    return int(bool(said))


if __name__ == "__main__":
    raise SystemExit(main())
