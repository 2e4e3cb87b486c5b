"""What all processes of a large service hold: 10,000 feeds, a million articles stored, and people who read the site.

    ./run bench memory [--archive FILE] [--feeds 10000] [--minutes 15] [--json]

`newsbeat up` as anybody starts it, on a copy of an archive (`tests/bench/archive.py` makes one that is not there), with
20 topics and feeds on 200 addresses of this machine, three new entries each. A page is asked for each second, until all
feeds were polled once and a minute more. Memory is the proportional share of every process (`Pss`), added up each
second: what two processes share counts once. The server of the feeds is not counted. Linux only.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from tests.bench import archive, compare, corpus, local

ROOT = Path(__file__).parents[2]
HOSTS, TOPICS, ENTRIES = 200, 20, 3
PAGES = ("/", "/feeds", "/search?q=minister", "/-/newsbeat/health.json")
LINGER = 60
"""Seconds from the last first poll to the end."""
REACH = 500
"""Megabytes."""


def main() -> int:
    """0 when the peak is within reach, else 1."""
    parser = argparse.ArgumentParser(prog="./run bench memory", description=__doc__)
    parser.add_argument("--archive", type=Path, help="the database to begin with, copied; made when it is not there")
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=15, help="at most")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    file: Path = asked.archive or Path(tempfile.gettempdir()) / "newsbeat-bench" / "news-1000000.db"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        archive.build(
            file, 1_000_000, corpus.START, lambda done: print(f"\r{done:,} articles", end="", file=sys.stderr)
        )
    with tempfile.TemporaryDirectory() as place:
        found = measure(file, asked.feeds, asked.minutes * 60, Path(place))
    print(json.dumps(found) if asked.json else "\n".join(f"{name:<20} {value}" for name, value in found.items()))
    return 0 if found["peak_mb"] <= REACH else 1


def measure(source: Path, feeds: int, seconds: float, place: Path) -> dict[str, object]:
    """The highest sum of all processes in megabytes, what each held at that moment, and what was done meanwhile."""
    db = place / "news.db"
    shutil.copyfile(source, db)
    polls, stored = _so_far(db)
    peak, apart, asked, answered = 0.0, [0.0], 0, 0
    with local.serving(feeds, ENTRIES, HOSTS) as served, httpx.Client(timeout=20) as client:
        _configure(place / "config", [served.url(number) for number in range(feeds)])
        port, log = served.port + 1, (place / "log").open("w")
        running = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "--config", place / "config", "--db", db, "up", "--port", str(port)],
            cwd=place, stdout=log, stderr=log,
        )  # fmt: skip
        began, until = time.monotonic(), time.monotonic() + seconds
        try:
            while time.monotonic() < until and running.poll() is None:
                time.sleep(1)
                held = [_share(pid) for pid in _family(running.pid)]
                if sum(held) > peak:
                    peak, apart = sum(held), sorted(held, reverse=True)
                asked += 1
                answered += _answers(client, f"http://127.0.0.1:{port}{PAGES[asked % len(PAGES)]}")
                done = _so_far(db)[0] - polls
                _say(f"{done:,} of {feeds:,} feeds, {sum(held):.0f} MB in {len(held)} processes")
                if done >= feeds:
                    until = min(until, time.monotonic() + LINGER)
            if running.poll() is not None:
                raise SystemExit(f"It ended by itself: {(place / 'log').read_text()[-2000:]}")
        finally:
            running.terminate()
            running.wait(60)
    after = _so_far(db)
    return {
        "feeds": feeds, "stored before": stored, "polls": after[0] - polls, "new articles": after[1] - stored,
        "seconds": round(time.monotonic() - began), "pages asked": asked, "pages answered": answered,
        "peak_mb": round(peak, 1), "by process": [round(one, 1) for one in apart], "reach_mb": REACH,
    }  # fmt: skip


def _configure(directory: Path, urls: list[str]) -> None:
    compare.configure(directory, urls, TOPICS)
    shutil.copy(ROOT / "config" / "datasette.yaml", directory)
    settings = directory / "newsbeat.toml"
    settings.write_text(settings.read_text().replace("127.0.0.1/32", "127.0.0.0/16"))


def _so_far(db: Path) -> tuple[int, int]:
    """Polls and articles."""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=30)) as held:
        (polls,) = held.execute("SELECT coalesce(max(id), 0) FROM polls").fetchone()
        (articles,) = held.execute("SELECT coalesce(max(id), 0) FROM articles").fetchone()
    return polls, articles


def _family(pid: int) -> list[int]:
    """This process and all that came from it."""
    found = [pid]
    for one in found:
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _share(pid: int) -> float:
    """Megabytes of one process, what it shares with others counted in parts; 0 for one that ended."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return int(told.partition("\nPss:")[2].split()[0]) / 1024


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.HTTPError:
        return False


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[2K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
