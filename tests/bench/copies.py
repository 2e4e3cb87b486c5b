"""Copies found by fingerprints, as we do, and by MinHash with a banded index (rensa): which, and at what cost.

    ./run bench copies [--json]      needs the labelled articles, as `./run quality` does

The pairs of FNC-1 that share five-word runs, among 2,225 others. Both name texts to be compared run by run, and the
same rule says which are copies; so what differs is who is looked at. A pair is found when both lead to one text.
MinHash hashes all runs of every text; fingerprints are there for stories anyway, and only what they cost more is
counted: the choice of texts, and the comparing. Processor time; bytes of index as in SQLite, 12 a row of a band.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from quality import part_copies, sets, streams
from rensa import RMinHash, RMinHashLSH

from pipeline import stories, text
from tests.bench.stories import Clock

PERMUTATIONS = 128
ROW = 12


def minhash(bands: int) -> dict[str, float]:
    """Copies by a banded index of so many bands over 128 permutations."""
    began, hashing = time.process_time(), 0.0
    index = RMinHashLSH(0.5, PERMUTATIONS, bands)
    copy_of: dict[str, str] = {}
    names: list[str] = []
    runs: list[frozenset[int]] = []
    looks = 0
    for number, sample in enumerate(samples := streams.stream(sets.whole("fnc1"))):
        words = text.tokens(sample.text[: stories.LONGEST_READ])
        start = time.process_time()
        print_ = RMinHash(PERMUTATIONS, 42)
        print_.update([" ".join(words[at : at + 5]) for at in range(len(words) - 4)])
        near = sorted(index.query(print_))
        index.insert(number, print_)
        hashing += time.process_time() - start
        runs.append(stories.runs(sample.text))
        names.append(sample.id)
        looks += len(near)
        same = next((one for one in near if stories.same_text(runs[number], runs[one])), None)
        if same is not None:
            copy_of[sample.id] = copy_of.get(names[same], names[same])
    spent = time.process_time() - began
    return {
        **_found(copy_of),
        "looks_an_article": round(looks / len(samples), 2),
        "ms_an_article": round(1000 * spent / len(samples), 3),
        "ms_of_hashing": round(1000 * hashing / len(samples), 3),
        "index_bytes_an_article": bands * ROW,
    }


def fingerprints() -> dict[str, float]:
    """Copies as the service finds them; what finding them costs beyond stories."""
    clocks = {name: Clock(getattr(stories, name)) for name in ("look_twice", "_copied")}
    for name, clock in clocks.items():
        setattr(stories, name, clock)
    samples = streams.stream(sets.whole("fnc1"))
    copy_of = streams.told(samples).copy_of
    spent = sum(clock.spent for clock in clocks.values())
    return {
        **_found(copy_of),
        "looks_an_article": round(clocks["look_twice"].items / len(samples), 2),
        "ms_an_article": round(1000 * spent / len(samples), 3),
        "ms_of_hashing": 0.0,
        "index_bytes_an_article": 0,
    }


def _found(copy_of: dict[str, str]) -> dict[str, float]:
    figures = part_copies.held_against(copy_of)
    return {
        "recall_from_.5": round(figures["recall_from_.5"], 3),
        "recall_.3_to_.5": round(figures["recall_.3_to_.5"], 3),
        "pairs_across_labels": figures["across"],
        "copies": figures["copies"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench copies", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if not sets.there():
        parser.exit(2, f"No labelled articles in {sets.DATA}; name their folder in NEWSBEAT_DATA.\n")
    made: dict[str, dict[str, float]] = defaultdict(dict)
    made["fingerprints"] = fingerprints()
    for bands in (16, 32, 64):
        made[f"minhash, {bands} bands of {PERMUTATIONS // bands}"] = minhash(bands)
    if asked.json:
        print(json.dumps(made))
        return
    for name, figures in made.items():
        print(f"{name:<24}" + "   ".join(f"{what.replace('_', ' ')} {value}" for what, value in figures.items()))


if __name__ == "__main__":
    main()
