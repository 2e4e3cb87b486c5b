"""`./run bench site`: how fast the site answers on an archive of a million articles, beside a writer that never rests.

The real `newsbeat serve`, asked over HTTP: each page alone, first cold and then warm, and all of them mixed by 4 and by
16 readers at once while a writer commits an article every 50 ms by the store's own functions. Under five minutes on an
archive that is there; one that is not is made first (`tests/bench/archive.py`), which takes a quarter of an hour.
The archive grows by what the writer writes. `--write` puts the table into docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline.model import Article, Entry, Evidence, Match, Placement, PollOutcome
from pipeline.store import Store
from pipeline.times import stamp
from tests.bench import archive, corpus, report
from tests.bench.clients import Answer, Reader, ask, quantile

ROOT = Path(__file__).parents[2]
EVERY = 0.05
"""Seconds from one commit of the writer to the next."""
LOADS = {4: 400, 16: 800}
"""Requests by readers at once."""
SHARES = {
    "front": 12, "topic": 14, "story": 18, "article": 20, "feeds": 4, "outlet": 4, "compare": 2, "search, rare word": 6,
    "search, common word": 5, "search, best match": 2, "atom": 4, "health": 2, "metrics": 2, "table": 3, "view": 1,
    "row": 1, "story as CSV": 1, "table as JSON": 1,
}  # fmt: skip
"""The mix, as parts: what a newsroom reads. Long exports are measured alone."""
REACH = {
    "front": 20, "story": 20, "article": 20, "atom": 20, "topic": 30, "feeds": 30, "search, rare word": 25,
    "search, common word": 120,
}  # fmt: skip
"""Milliseconds, p50, warm and alone."""


@dataclass(slots=True)
class Row:
    """One page: cold and warm alone (`cpu` is the site's processor time), and its part of each mix; milliseconds."""

    page: str
    bytes: int = 0
    cold: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    cpu: float = 0.0
    mixed: dict[int, tuple[float, float]] = field(default_factory=dict)
    errors: int = 0


def main() -> int:
    """0 when every figure is within reach and nothing failed, else 1."""
    parser = argparse.ArgumentParser(prog="./run bench site", description=__doc__)
    place = Path(tempfile.gettempdir()) / "newsbeat-bench"
    parser.add_argument("--archive", type=Path, help="the database to ask; made when it is not there")
    parser.add_argument("--articles", type=int, default=1_000_000, help="articles of an archive that is to be made")
    parser.add_argument("--rounds", type=int, default=25, help="warm requests of each page alone")
    parser.add_argument("--processes", type=int, default=2, help="processes of the site")
    parser.add_argument("--json", action="store_true", help="one object instead of tables")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    asked = parser.parse_args()
    file: Path = asked.archive or place / f"news-{asked.articles}.db"
    if not file.exists():
        _say(f"making an archive of {asked.articles:,} articles in {file} ...")
        file.parent.mkdir(parents=True, exist_ok=True)
        made = file.with_suffix(".making")
        archive.build(made, asked.articles, corpus.START, lambda done: _say(f"{done:,} articles", end="\r"))
        made.rename(file)
    figures = measure(file, asked.rounds, asked.processes)
    if asked.json:
        print(json.dumps(figures, default=asdict))
    else:
        print("\n".join(table(figures)))
    if asked.write:
        report.write_site(table(figures))
    return 0 if not figures["beyond"] else 1


def measure(file: Path, rounds: int, processes: int) -> dict[str, Any]:
    """Everything, on this archive."""
    began = time.monotonic()
    with Store.open(file, what="bench") as store:  # also brings it up to date
        newest = store.articles.newest_at()
        assert newest is not None
        # As if the service had asked every feed a moment ago; a fifth of them brought nothing for a day.
        store.connection.execute(
            "UPDATE feeds SET last_ok_at = ?1, last_polled_at = ?1, last_new_at ="
            " strftime('%Y-%m-%dT%H:%M:%SZ', ?1, '-' || (id % 30) || ' hours') WHERE state = 'ok'",
            (stamp(newest),),
        )  # fmt: skip
        pages = choose(store.connection, newest)
        (articles,) = store.connection.execute("SELECT count(*) FROM articles").fetchone()
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    upgrade = time.monotonic() - began
    rows = {page: Row(page) for page in pages}
    figures: dict[str, Any] = {
        "articles": articles, "megabytes": file.stat().st_size // 2**20, "opened_s": upgrade, "processes": processes,
    }  # fmt: skip

    load = [os.getloadavg()[0]]
    with serving(file, newest, processes) as (port, process, startup):
        figures["startup_s"] = startup
        figures["start_mb"], figures["startup_cpu_s"] = _memory(process.pid)[0], _cpu(process.pid)
        asyncio.run(_alone(port, process.pid, pages, rows, rounds, file))
        load.append(os.getloadavg()[0])
        for readers, requests in LOADS.items():
            draw = random.Random(readers)
            names = draw.choices(list(SHARES), list(SHARES.values()), k=requests)
            asking = [(name, draw.choice(pages[name])) for name in names]
            with writing(file) as writer:
                start, cpu = time.monotonic(), _cpu(process.pid)
                answers = asyncio.run(ask(port, asking, readers))
                took = time.monotonic() - start
            commits, worst = writer.recv()
            _count(rows, answers, readers)
            figures[f"readers_{readers}"] = {
                "requests_per_s": round(requests / took, 1), "p50": quantile((a.ms for a in answers), 0.5),
                "p95": quantile((a.ms for a in answers), 0.95), "errors": sum(a.status != 200 for a in answers),
                "locked": sum(a.locked for a in answers),
                "cpu_ms_per_request": 1000 * (_cpu(process.pid) - cpu) / requests,
                "commits_per_s": round(commits / took, 1), "longest_commit_ms": worst * 1000,
            }  # fmt: skip
            load.append(os.getloadavg()[0])
        figures["end_mb"], figures["peak_mb"] = _memory(process.pid)
    figures["load"] = [round(one, 1) for one in load]
    figures["rows"] = list(rows.values())
    figures["beyond"] = beyond(figures)
    return figures


def choose(db: sqlite3.Connection, newest: datetime) -> dict[str, list[str]]:
    """Paths of each page: what readers look at most, and the heaviest of its kind."""
    since = stamp(newest - timedelta(hours=36))

    def some(sql: str, *values: object) -> list[Any]:
        return [row[0] for row in db.execute(sql, values)]

    large = some("SELECT id FROM stories WHERE last_at >= ? ORDER BY article_count DESC LIMIT 2", since)
    wide = some("SELECT id FROM stories WHERE last_at >= ? AND article_count BETWEEN 5 AND 80"
                " ORDER BY last_at DESC LIMIT 10", since)  # fmt: skip
    on = some("SELECT article_id FROM article_topics WHERE on_topic = 1 ORDER BY published_at DESC LIMIT 10")
    any_one = some("SELECT id FROM articles ORDER BY id DESC LIMIT 10 OFFSET 3000")
    topics = some("SELECT slug FROM topics ORDER BY slug")
    names = some("SELECT title FROM stories WHERE last_at >= ? AND article_count BETWEEN 2 AND 30 LIMIT 10", since)
    rare = [str(name).split()[0] for name in names]
    return {
        "front": ["/"],
        "topic": [f"/topic/{slug}" for slug in topics[:6]],
        "story": [f"/story/{number}" for number in [*large[:1], *wide]],
        "article": [f"/article/{number}" for number in on + any_one],
        "feeds": ["/feeds"],
        "outlet": [f"/outlet/{number}" for number in (1, 5, 40, 200)],
        "compare": [f"/compare/{slug}" for slug in topics[:3]],
        "search, rare word": [f"/search?q={word}" for word in rare],
        "search, common word": [f"/search?q={word}&days={days}" for word in ("people", "the", "time")
                                for days in (30, 0)],
        "search, best match": [f"/search?q={word}&order=best&days=0" for word in ("people", "time+people", rare[0])],
        "atom": ["/feed.atom", *(f"/topic/{slug}.atom" for slug in topics[:3])],
        "health": ["/-/newsbeat/health.json"],
        "metrics": ["/-/newsbeat/metrics"],
        "database": ["/news"],
        "table": ["/news/articles", "/news/stories", "/news/polls", "/news/article_topics", "/news/entries"],
        "view": ["/news/articles_browse"],
        "row": [f"/news/articles/{any_one[0]}", f"/news/stories/{wide[0]}"],
        "canned query": ["/news/who_had_it_first", "/news/headlines_changed", "/news/covered_but_no_topic"],
        "story as CSV": [f"/story/{number}.csv" for number in wide],
        "table as JSON": ["/news/articles.json?_size=100"],
        "topic as CSV, whole": [f"/topic/{topics[1]}.csv"],
    }  # fmt: skip


async def _alone(
    port: int, pid: int, pages: dict[str, list[str]], rows: dict[str, Row], rounds: int, file: Path
) -> None:
    """Each page by one reader: the first time from the disk, then warm."""
    reader = Reader(port)
    for page, paths in pages.items():
        _say(f"{page} ...", end="\r")
        _forget(file)
        row = rows[page]
        row.cold = (await reader.get(page, paths[0])).ms
        for path in paths:  # now its rows are in memory
            await reader.get(page, path)
        times = rounds if "whole" not in page else 2
        before = _cpu(pid)
        answers = [await reader.get(page, paths[nth % len(paths)]) for nth in range(max(times, len(paths)))]
        row.cpu = 1000 * (_cpu(pid) - before) / len(answers)
        row.p50, row.p95 = (quantile((one.ms for one in answers), part) for part in (0.5, 0.95))
        row.bytes = int(quantile((one.size for one in answers), 0.5))
        row.errors += sum(one.status != 200 or one.locked for one in answers)
    reader.close()


def _count(rows: dict[str, Row], answers: Sequence[Answer], readers: int) -> None:
    for page, row in rows.items():
        own = [one.ms for one in answers if one.page == page]
        if own:
            row.mixed[readers] = (quantile(own, 0.5), quantile(own, 0.95))
        row.errors += sum(one.page == page and (one.status != 200 or one.locked) for one in answers)


def beyond(figures: dict[str, Any]) -> list[str]:
    """What is out of reach, in words."""
    found = [f"{row.page}: p50 {row.p50:.0f} ms, the reach is {REACH[row.page]}" for row in figures["rows"]
             if row.page in REACH and row.p50 > REACH[row.page]]  # fmt: skip
    found += [f"{row.page}: {row.errors} errors" for row in figures["rows"] if row.errors]
    if (held := figures["readers_16"])["p95"] > 300:
        found.append(f"16 readers and a writer: p95 {held['p95']:.0f} ms, the reach is 300")
    if figures["startup_s"] > 2:
        found.append(f"startup: {figures['startup_s']:.1f} s, the reach is 2")
    return found


@contextmanager
def serving(file: Path, newest: datetime, processes: int) -> Iterator[tuple[int, subprocess.Popen[bytes], float]]:
    """The site on the archive: its port, its process, and the seconds until it first answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    moment = stamp(newest + timedelta(minutes=5))
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "--config", str(ROOT / "config"), "--db", str(file),
         "serve", "--port", str(port), "--now", moment, "--processes", str(processes)],
        cwd=ROOT,
    )  # fmt: skip
    try:
        while process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), 1):
                    break
            except OSError:
                time.sleep(0.01)
        answer = asyncio.run(ask(port, [("robots", "/robots.txt")], 1))[0]
        if answer.status != 200:
            raise SystemExit("the site did not start")
        startup = time.monotonic() - began
        # The others start beside the first, and are asked only once all are there and at rest.
        while len(_all(process.pid)) < processes or _busy(process.pid):
            time.sleep(0.05)
        yield port, process, startup
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@contextmanager
def writing(file: Path) -> Iterator[Any]:
    """A process that commits an article every 50 ms until the block ends; then the pipe tells (commits, longest)."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    stop = context.Event()
    process = context.Process(target=_write, args=(file, stop, theirs), daemon=True)
    process.start()
    ours.recv()  # it is at work
    try:
        yield ours
    finally:
        stop.set()
        ours.poll(30)
        process.join(10)


def _write(file: Path, stop: Event, told: Any) -> None:
    """What a poll with one new entry writes, by the functions it is written with. A day of the archive's in 500 s."""
    with Store.open(file, what="bench") as store:
        draw = random.Random(os.getpid())
        at = store.articles.newest_at()
        assert at is not None
        stories = [row[0] for row in store.connection.execute("SELECT id FROM stories ORDER BY id DESC LIMIT 2000")]
        told.send(True)
        commits, longest, due = 0, 0.0, time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            due += EVERY
            at += timedelta(days=1 / archive.PER_DAY)
            began = time.monotonic()
            _one(store, draw, at, draw.choice(stories) if draw.random() < 0.6 else None)
            longest = max(longest, time.monotonic() - began)
            commits += 1
        told.send((commits, longest))


def _one(store: Store, draw: random.Random, at: datetime, story: int | None) -> None:
    outlet, number = draw.randint(1, archive.OUTLETS), draw.randrange(2**48)
    title, text = corpus.sentence(draw, 9)[:-1], corpus.sentence(draw, 60)
    url = f"https://outlet{outlet}.example/late/{number}"
    article = Article(url, f"Outlet {outlet}", title, text[:200], text, "summary", "en", (), at, at, f"{number:x}")
    entry = Entry(url, url, url, title, text, None, (), at, "en", f"{number:x}")
    with store.transaction():
        known = store.articles.add(article, outlet)
        assert known is not None
        store.articles.index([known])
        store.articles.name(outlet, [(entry, known)], at)
        store.stories.place(known, title, at, Placement(story, 0.4))
        if draw.random() < 0.1:
            evidence = (Evidence(title.split()[0], "title", 1, 0.3, ((0, 4),)),)
            store.topics.tag(known, at, [Match(url, f"archive-{draw.randrange(archive.TOPICS)}", 0.4,
                                               draw.random() < 0.5, evidence, "x")])  # fmt: skip
        store.polls.keep(outlet, PollOutcome(url, "ok", 200, 1, 0, 19, 20_000, 80, "", None, at))


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as lines of Markdown."""
    lines = [
        f"{figures['articles']:,} articles, {figures['megabytes']:,} MB; first answer {figures['startup_s']:.1f} s"
        f" after the start ({figures['startup_cpu_s']:.1f} s of processor time), {figures['start_mb']:.0f} MB of memory"
        f" in {figures['processes']} processes then and {figures['peak_mb']:.0f} MB at most."
        f" Load average while measuring: {', '.join(map(str, figures['load']))}.",
        "",
        "| page | kB | cold ms | p50 | p95 | reach | CPU ms | 4 readers: p50 | p95 | 16 readers: p50 | p95 | errors |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in figures["rows"]:
        mixed = [f"{value:.0f}" for load in LOADS for value in row.mixed.get(load, ())] or [""] * 4
        lines.append(
            f"| {row.page} | {row.bytes / 1000:.1f} | {row.cold:.0f} | {row.p50:.1f} | {row.p95:.1f} |"
            f" {REACH.get(row.page, '')} | {row.cpu:.1f} | {' | '.join(mixed)} | {row.errors} |"
        )
    lines.append("")
    for readers in LOADS:
        held = figures[f"readers_{readers}"]
        lines.append(
            f"- {readers} readers and a writer: {held['requests_per_s']} pages/s, p50 {held['p50']:.0f} ms, p95"
            f" {held['p95']:.0f} ms, {held['cpu_ms_per_request']:.1f} ms of the site's processor time a page;"
            f' {held["errors"]} errors, {held["locked"]} times "database is locked"; the writer made'
            f" {held['commits_per_s']} commits/s, the longest took {held['longest_commit_ms']:.0f} ms."
        )
    lines += ["", *(f"- Out of reach: {words}." for words in figures["beyond"])]
    return lines


def _forget(file: Path) -> None:
    """Lets the system forget what it holds of the file, so that the next look comes from the disk."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def _all(pid: int) -> list[int]:
    """A process and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def _memory(pid: int) -> tuple[float, float]:
    """Megabytes that all processes of the site hold, and held at most."""
    now = most = 0
    for one in _all(pid):
        lines = Path(f"/proc/{one}/status").read_text().splitlines()
        told = dict(line.split(":", 1) for line in lines if ":" in line)
        now, most = now + int(told["VmRSS"].split()[0]), most + int(told["VmHWM"].split()[0])
    return now / 1024, most / 1024


def _cpu(pid: int) -> float:
    """Processor seconds of all processes of the site so far."""
    spent = 0
    for one in _all(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / os.sysconf("SC_CLK_TCK")


def _busy(pid: int) -> bool:
    """Whether the processes of the site compute just now."""
    before = _cpu(pid)
    time.sleep(0.5)
    return _cpu(pid) > before


def _say(words: str, end: str = "\n") -> None:
    print(f"\x1b[2K{words}" if end == "\r" else words, end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
