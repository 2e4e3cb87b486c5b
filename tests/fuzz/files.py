"""Mutated configurations, seeds, lists of feeds and lines of articles, through the commands that read them.

Each runs in a process with a deadline and a memory limit, on a directory of its own. A command may do what it is asked
(0), fail at it (1) or refuse it in words (2); what it may not do is raise anything, write a configuration that does not
load, change the database into one that `verify` complains of, or say a traceback.
"""

from __future__ import annotations

import asyncio
import random
import re
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from pipeline import config, topics
from pipeline.errors import ConfigErrors, WorkerLost
from pipeline.workers import Workers
from tests.bench import corpus
from tests.fuzz.feeds import Tally, recorded, save
from tests.fuzz.mutate import mutant

ROOT = Path(__file__).parents[2]
DEADLINE, MEMORY_MB = 60.0, 1000
KINDS = ("newsbeat.toml", "feeds.toml", "outlets.toml", "topic", "seed", "opml", "jsonl")

_KEYS = re.compile(rb"^(\w+)\s*=\s*(.+)$", re.M)
_WRONG = [
    b"-1", b"1e400", b"nan", b'"\\u0000"', b"[]", b"{}", b"true", b"9" * 30, b'"' + b"x" * 100_000 + b'"', b"[" * 300,
    b"2026-03-02", b'"5m"', b'"-5m"', b'"999999999999999d"', b"0x10", b"''' '''", b'"\\ud800"', b'["a", 1]',
]  # fmt: skip

NEWSBEAT = b"""[site]
title = "Desk"
[fetch]
contact = "https://reader.example/about"
per_host_gap = "1s"
in_flight = 8
allow_addresses = ["127.0.0.1/32", "::1/128"]
backoff = "5m"
max_ratio = 100
archives = true
[websub]
callback = "https://reader.example/hub"
listen = "127.0.0.1:8765"
"""


def origins() -> dict[str, list[bytes]]:
    """What is mutated: the project's own files, lists of real feeds where they lie beside it, and invented lines."""
    own = {
        "newsbeat.toml": [NEWSBEAT, (ROOT / "config" / "newsbeat.toml").read_bytes()],
        "feeds.toml": [
            (ROOT / "config" / "feeds.toml").read_bytes()[:6000],
            b'feed = [{url = "https://a.example/f", every = "5m"}]\n',
        ],
        "outlets.toml": [(ROOT / "config" / "outlets.toml").read_bytes()[:6000]],
        "topic": [one.read_bytes() for one in (ROOT / "config" / "topics").glob("*.toml")],
        "seed": [one.read_bytes() for one in (ROOT / "seeds").glob("*.txt")],
        "opml": [_LIST],
        "jsonl": [_LINES],
    }
    own["seed"].append(corpus.feed(1, 8, 0))
    return own | {"opml": [_LIST, *recorded(lambda row: row["type"] == "opml", 100_000)]}


_LIST = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Desk</title></head><body><outline text="World">
<outline type="rss" text="Paper &amp; Ink" xmlUrl="https://paper.example/rss?a=1&amp;b=2" htmlUrl="https://paper.example/"/>
<outline type="rss" text="Harbour" xmlUrl="https://harbour.example/feed.xml"/></outline>
<outline text="Two"><outline text="Deeper"><outline xmlUrl="https://deep.example/feed" text="Deep"/></outline></outline>
</body></opml>
"""
_LINES = b"".join(
    b'{"id": %d, "title": "The bridge of Korvik opens %d", "url": "https://paper.example/%d", "outlet": "Paper",'
    b' "published_at": "2026-03-01T0%d:00:00Z", "lang": "en", "authors": ["Ada Fisher"], "text": "%s"}\n'
    % (n, n, n, n, b"What was said of it fills a column. " * 5)
    for n in range(6)
)


def changed(raw: bytes, kind: str, draw: random.Random, others: list[bytes]) -> tuple[bytes, str]:
    """A mutant; of a configuration, at times one whose values alone are wrong."""
    if kind.endswith("toml") or kind == "topic":
        found = list(_KEYS.finditer(raw))
        if found and draw.random() < 0.5:
            one = draw.choice(found)
            return raw[: one.start(2)] + draw.choice(_WRONG) + raw[one.end(2) :], "a value"
    return mutant(raw, draw, others)


def _asked(job: tuple[str, bytes]) -> tuple[str, str, float, float]:
    """What came of one file: an outcome, what is wrong with that (or nothing), processor seconds, megabytes."""
    kind, raw = job
    began = time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            outcome, wrong = _command(Path(scratch), kind, raw)
        except Exception as error:  # told here, as not every exception can be handed over whole
            at = traceback.extract_tb(error.__traceback__)[-1]
            outcome, wrong = f"{kind}: a bug", f"{error!r} in {at.name} of {Path(at.filename).name}"
    return outcome, wrong, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _command(place: Path, kind: str, raw: bytes) -> tuple[str, str]:
    from click.testing import CliRunner

    from pipeline.cli import main

    def newsbeat(*words: str) -> tuple[int, str]:
        options = ["--config", str(directory), "--db", str(place / "news.db")]
        ran = CliRunner().invoke(main, [*options, *words])
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        if ran.exit_code not in (0, 1, 2) or "Traceback" in ran.output:
            raise AssertionError(f"exit code {ran.exit_code}: {ran.output[-200:]}")
        if ran.exit_code and not ran.output.strip():
            raise AssertionError(f"exit code {ran.exit_code} without a word")
        return ran.exit_code, ran.output

    directory = place / "config"
    (directory / "topics").mkdir(parents=True)
    (directory / "newsbeat.toml").write_bytes(NEWSBEAT)
    (directory / "feeds.toml").write_bytes(b"")
    if kind in ("newsbeat.toml", "feeds.toml", "outlets.toml", "topic"):
        (directory / (kind if kind != "topic" else "topics/mutant.toml")).write_bytes(raw)
        code, said = newsbeat("check")
        try:
            setup = config.load(directory)
        except ConfigErrors as error:
            return (
                f"{kind}: refused in words",
                "" if code == 2 and error.findings else f"check said {code}: {said[-200:]}",
            )
        for profile in setup.topics:
            topics.compiled(profile)
        return f"{kind}: taken", ""
    file = place / {"seed": "seed.txt", "opml": "list.opml", "jsonl": "lines.jsonl"}[kind]
    file.write_bytes(raw)
    if kind == "seed":
        code, said = newsbeat("topic", "new", str(file), "-o", str(directory / "topics" / "mutant.toml"))
    else:
        code, said = newsbeat("import", str(file))
    config.load(directory)
    if kind == "jsonl" and (place / "news.db").exists():
        checked, found = newsbeat("verify")
        if checked:
            return f"{kind}: imported", found[-300:]
    return f"{kind}: " + ("taken", "taken in part", "refused in words")[code], ""


async def run(count: int, seed: int, told: Callable[[int], None] = lambda _: None, workers: int = 2) -> Tally:
    """`count` mutants, every kind in turn."""
    tally, draw, bodies = Tally(), random.Random(seed), origins()
    everything = [body for kind in bodies.values() for body in kind]
    readers = Workers(workers, deadline=DEADLINE, memory_mb=MEMORY_MB)
    slots = asyncio.Semaphore(workers * 2)

    async def one(number: int, kind: str, raw: bytes, how: str) -> None:
        try:
            outcome, wrong, seconds, megabytes = await readers.run(_asked, (kind, raw))
            tally.outcomes[outcome] += 1
            tally.most("longest, s", seconds)
            tally.most("largest process, MB", megabytes)
            if wrong:
                raise AssertionError(wrong)
        except WorkerLost as error:
            tally.bugs.append(f"{number} ({kind}, {how}): {error}")
            save(number, raw, kind)
        except Exception as error:
            tally.bugs.append(f"{number} ({kind}, {how}): {error!r}"[:500])
            save(number, raw, kind)
        finally:
            slots.release()
            tally.tried += 1
            told(tally.tried)

    tasks = set()
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        raw, how = changed(draw.choice(bodies[kind]), kind, draw, everything)
        await slots.acquire()
        task = asyncio.create_task(one(number, kind, raw, how))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    readers.close()
    return tally


def tried(count: int, seed: int, workers: int = 2) -> Tally:
    """`run`, with progress at a terminal."""

    def told(done: int) -> None:
        if sys.stderr.isatty() and done % 20 == 0:
            print(f"\r{done} of {count} files", end="", file=sys.stderr, flush=True)

    return asyncio.run(run(count, seed, told, workers))
