"""Damaged input through the real code: feeds, configurations, seeds, lists of feeds, lines of articles.

    ./run fuzz [--feeds 20000] [--files 2000] [--seed 1] [--workers 2] [--save DIR] [--json FILE]

Real feeds and lists where they lie beside the project, invented ones otherwise. Exit 1 when something crashed, hung,
took more memory than it may, or left a trace it may not; the documents that did so are saved. 20,000 feeds take a
quarter of an hour of two processors.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fuzz import feeds, files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--save", type=Path, help="leave what did something it may not here")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.save:
        options.save.mkdir(parents=True, exist_ok=True)
        feeds.SAVED.append(options.save)
    found = {}
    for name, room, count in (("feeds", feeds, options.feeds), ("files", files, options.files)):
        if not count:
            continue
        began = time.monotonic()
        tally = found[name] = room.tried(count, options.seed, options.workers)
        print(f"\n{tally.tried} {name} in {time.monotonic() - began:.0f} s, {len(tally.bugs)} that may not be")
        for outcome, times in sorted(tally.outcomes.items()):
            print(f"    {times:>6} {outcome}")
        for note, value in tally.notes.items():
            print(f"    {note}: {value}")
        for bug in tally.bugs[:40]:
            print(f"    ! {bug}")
        sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps({name: vars(tally) for name, tally in found.items()}, indent=1))
    return int(any(tally.bugs for tally in found.values()))


if __name__ == "__main__":
    raise SystemExit(main())
