"""`./run bench [--quick] [--json]`: what polling, parsing and keeping cost, beside `reader`, in one run.

Without --quick it also polls with 100,000 and 1,000,000 articles stored, and writes the tables of docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import archive, compare, corpus, parsing, report

QUICK_FEEDS = 200


def main() -> int:
    """0 when everything was measured, 1 when a program it is held against is missing."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small part, under five minutes")
    parser.add_argument("--json", action="store_true", help="one object instead of tables")
    parser.add_argument("--feeds", type=int, default=1000, help="invented feeds (default 1000; 200 when quick)")
    parser.add_argument("--entries", type=int, default=20, help="entries of an invented feed")
    parser.add_argument("--topics", type=int, default=20, help="topics that every article is held against")
    parser.add_argument("--articles", default="100000,1000000", help="sizes of the archive, comma between them")
    parser.add_argument(
        "--archives", type=Path, help="a directory where archives stay, archive-SIZE.db, for another run"
    )
    asked = parser.parse_args()
    told = _tell if not asked.json else _whisper
    figures: dict[str, object] = {"machine": _machine()}
    loads = [os.getloadavg()[0]]
    print("parsing alone ...", file=sys.stderr)
    parsed = parsing.measure()
    figures |= parsed
    feeds = min(asked.feeds, QUICK_FEEDS) if asked.quick else asked.feeds
    runs = {}
    if real := len(corpus.real()):
        print(f"{real} real feeds ...", file=sys.stderr)
        runs["real"] = compare.compare(real, None, asked.topics, told)
        loads.append(os.getloadavg()[0])
    if not (asked.quick and real):
        print(f"{feeds} invented feeds ...", file=sys.stderr)
        runs["invented"] = compare.compare(feeds, asked.entries, asked.topics, told)
        loads.append(os.getloadavg()[0])
    first = next(iter(runs))
    figures |= {"feeds": first, **compare.ratios(runs[first])}
    grown: dict[int, list[compare.Row]] = {}
    if not asked.quick:
        for size in (int(part) for part in asked.articles.split(",")):
            grown[size] = _grown(size, asked.archives, min(feeds, 500), asked.entries, asked.topics)
            loads.append(os.getloadavg()[0])
            for row in grown[size]:
                told(row)
    figures["loads"] = [round(load, 1) for load in loads]
    figures["rows"] = {name: [asdict(row) for row in rows] for name, rows in runs.items()}
    figures["grown"] = {str(size): [asdict(row) for row in rows] for size, rows in grown.items()}
    if asked.json:
        print(json.dumps(figures))
    if not asked.quick:
        report.write(figures, runs, grown)
        print(f"written: {report.PAGE}", file=sys.stderr)
    if "first_poll_ratio" not in figures:
        print("reader is not installed, so there is nothing to hold the figures against.", file=sys.stderr)
        return 1
    if not asked.json:
        for key in ("first_poll_ratio", "one_new_ratio", "not_modified_ratio", "parse_ratio", "entries_lost"):
            print(f"{key:<20} {figures[key]}")
    return 0


def _grown(size: int, kept: Path | None, feeds: int, entries: int, topics: int) -> list[compare.Row]:
    """Newsbeat alone, on an archive of `size` articles that the feeds' own entries are added to: its last day is the
    feeds' first, so that the window behind them is full."""
    with tempfile.TemporaryDirectory() as place:
        made = (kept or Path(place)) / f"archive-{size}.db"
        if not made.exists():
            print(f"an archive of {size:,} articles ...", file=sys.stderr)
            archive.build(made, size, corpus.START)
        print(f"with {size:,} articles stored ...", file=sys.stderr)
        return compare.alone(feeds, entries, topics, made)


def _machine() -> str:
    return f"{platform.machine()}, Python {platform.python_version()}"


def _tell(row: compare.Row) -> None:
    print(
        f"  {row.program:<10}{row.step:<14}{row.entries:>7} entries {row.cpu_s_per_1000_feeds:>8} CPU s per 1,000 feeds"
        f" {row.peak_mb:>5} MB peak {row.db_mb:>7} MB database"
    )


def _whisper(row: compare.Row) -> None:
    print(f"  {row.program} {row.step}: {row.cpu_s} CPU s", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
