"""`./run bench parse [--json]`: parsing alone, and whether the two tiers say what feedparser says.

On the 200 real feeds beside the project, or on 200 invented ones where those are not there. CPU seconds of this
process: each document is read by every reader in turn, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from xml.parsers import expat

sys.path.insert(0, str(Path(__file__).parents[2]))

import feedparser

from pipeline import parse
from pipeline.errors import ParseError
from pipeline.model import ParsedFeed, Response
from pipeline.parse import sniff, xml
from pipeline.parse.names import Refused
from tests import side_by_side
from tests.bench import corpus

INVENTED = 200
TIMES = 5
"""How often the fast ones read each document; the median counts. feedparser reads each once, long enough to count."""

AT = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(slots=True)
class Measured:
    """What came of all documents. Seconds are CPU, of all documents together."""

    files: int = 0
    megabytes: float = 0.0
    feedparser: float = 0.0
    feedparser_unsanitised: float = 0.0
    newsbeat: float = 0.0
    first_tier: float = 0.0
    expat: float = 0.0
    fastfeedparser: float | None = None
    fastfeedparser_refused: int = 0
    entries: int = 0
    entries_lost: int = 0
    fields_compared: int = 0
    differing: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    on_purpose: Counter[str] = field(default_factory=Counter)


def measure() -> dict[str, Any]:
    """The figures by name; ratios are of feedparser's CPU (its defaults, sanitising on) over the reader's.

    `differing` counts values in which the first tier differs from feedparser with our rules put in: there must be none.
    `on_purpose` counts values that differ from feedparser as it is released, by kind. `entries_lost` are entries that
    feedparser as it is released has, and we have not.
    """
    made = _measured()
    return {
        "corpus": "real" if corpus.real() else "invented",
        "files": made.files,
        "megabytes": round(made.megabytes, 1),
        "parse_ratio": round(made.feedparser / made.newsbeat, 1),
        "parse_ratio_first_tier": round(made.feedparser / made.first_tier, 1),
        "parse_ratio_unsanitised": round(made.feedparser_unsanitised / made.newsbeat, 1),
        "expat_ratio": round(made.feedparser / made.expat, 1),
        "fastfeedparser_ratio": round(made.feedparser / made.fastfeedparser, 1) if made.fastfeedparser else None,
        "fastfeedparser_refused": made.fastfeedparser_refused if made.fastfeedparser else None,
        "cpu_s": {
            one.name: round(getattr(made, one.name), 3)
            for one in fields(made)
            if isinstance(getattr(made, one.name), float) and one.name != "megabytes"
        },
        "entries": made.entries,
        "entries_lost": made.entries_lost,
        "refused": sum(made.refused.values()),
        "refused_why": dict(made.refused),
        "fields_compared": made.fields_compared,
        "differing": made.differing,
        "on_purpose": dict(made.on_purpose),
    }


def _measured() -> Measured:
    bodies = corpus.real() or tuple(corpus.feed(number, 20) for number in range(INVENTED))
    made = Measured()
    fast = _fastfeedparser()
    for number, body in enumerate(bodies, 1):
        if sys.stderr.isatty():
            print(f"\r{number} of {len(bodies)} documents", end="", file=sys.stderr)
        answer = Response(side_by_side.URL, side_by_side.URL, 200, (), body, AT)
        if side_by_side.both(body) is None:
            continue
        made.files += 1
        made.megabytes += len(body) / 1e6
        made.feedparser += _cost(lambda body=body: feedparser.parse(io.BytesIO(body), response_headers=_headers()), 1)  # type: ignore[misc]
        made.feedparser_unsanitised += _cost(lambda body=body: _unsanitised(body), 1)  # type: ignore[misc]
        made.newsbeat += _cost(lambda answer=answer: _quietly(answer), TIMES)  # type: ignore[misc]
        made.first_tier += _cost(lambda body=body: xml.quick(sniff.utf8(body)[0], side_by_side.URL), TIMES)  # type: ignore[misc]
        made.expat += _cost(lambda body=body: _bare(body), TIMES)  # type: ignore[misc]
        if fast:
            made.fastfeedparser = (made.fastfeedparser or 0.0) + _cost(lambda body=body: _tried(made, fast, body), 1)  # type: ignore[misc]
        _compare(made, body)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return made


def _cost(work: Callable[[], object], times: int) -> float:
    """CPU seconds of doing it once: the median of `times`."""
    seconds = []
    gc.collect()  # what others left behind is not this one's cost
    for _ in range(times):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return median(seconds)


def _headers() -> dict[str, str]:
    return {"content-type": "application/xml", "content-location": side_by_side.URL}


def _unsanitised(body: bytes) -> object:
    return feedparser.parse(
        io.BytesIO(body), response_headers=_headers(), sanitize_html=False, resolve_relative_uris=False
    )


def _quietly(answer: Response) -> object:
    try:
        return parse.feed(answer)
    except ParseError as error:
        return error


def _bare(body: bytes) -> None:
    """The floor: expat telling a handler that does nothing of every element and every text."""
    parser = expat.ParserCreate(None, " ")
    parser.buffer_text = True
    parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = _nothing
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        return


def _nothing(*_: object) -> None:
    return


def _fastfeedparser() -> Callable[[bytes], object] | None:
    try:
        import fastfeedparser  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    return fastfeedparser.parse  # type: ignore[no-any-return, unused-ignore]


def _tried(made: Measured, fast: Callable[[bytes], object], body: bytes) -> None:
    try:
        fast(body)
    except Exception:  # whatever it raises, it has not read the feed
        made.fastfeedparser_refused += 1


def _compare(made: Measured, body: bytes) -> None:
    sides = side_by_side.both(body)
    assert sides is not None
    ours = sides.first if isinstance(sides.first, ParsedFeed) else sides.second
    if isinstance(sides.first, Refused):
        made.refused[str(sides.first)] += 1
    elif isinstance(sides.second, ParsedFeed):
        made.differing += len(side_by_side.differences(sides.first, sides.second))
        made.fields_compared += len(sides.first.entries) * len(side_by_side.OF_ENTRY) + len(side_by_side.OF_FEED)
    if not isinstance(ours, ParsedFeed):
        ours = ParsedFeed(None, ())
    released = side_by_side.released(body)
    made.entries += len(ours.entries)
    # Of a document that is cut off, the entry that the cut goes through is left for the next poll.
    made.entries_lost += max(0, len(released.entries) - len(ours.entries) - (not ours.whole))
    if len(ours.entries) != len(released.entries):
        made.on_purpose["entries"] += abs(len(ours.entries) - len(released.entries))
        return
    for place, _, _ in side_by_side.differences(side_by_side.head_alike(ours), released):
        why = "captions" if sides.fault is None and not ours.flaw else "mended"
        made.on_purpose[f"{place.rpartition('.')[2]}, {why}"] += 1


def _print(figures: dict[str, Any]) -> None:
    cpu = figures["cpu_s"]
    print(f"{figures['files']} {figures['corpus']} feeds, {figures['megabytes']} MB, {figures['entries']} entries\n")
    print(f"{'reader':<38}{'CPU s':>8}{'ratio':>8}")
    for name, seconds, ratio in (
        ("feedparser, its defaults", cpu["feedparser"], 1.0),
        (
            "feedparser, sanitising off",
            cpu["feedparser_unsanitised"],
            cpu["feedparser"] / cpu["feedparser_unsanitised"],
        ),
        ("fastfeedparser", cpu.get("fastfeedparser"), figures["fastfeedparser_ratio"]),
        ("Newsbeat, feedparser as fallback", cpu["newsbeat"], figures["parse_ratio"]),
        ("Newsbeat, first tier alone", cpu["first_tier"], figures["parse_ratio_first_tier"]),
        ("expat alone (the floor)", cpu["expat"], figures["expat_ratio"]),
    ):
        if seconds:
            print(f"{name:<38}{seconds:>8.3f}{ratio:>8.1f}")
    print(f"\nleft to feedparser: {figures['refused']} of {figures['files']}")
    for why, count in figures["refused_why"].items():
        print(f"  {count:>4}  {why}")
    print(f"values compared: {figures['fields_compared']:,}; differing: {figures['differing']}")
    print(f"entries lost: {figures['entries_lost']}")
    print("differing from feedparser as released, on purpose (docs/design.md):")
    for place, count in sorted(figures["on_purpose"].items()):
        print(f"  {count:>4}  {place}")


def main() -> int:
    """0 when nothing differs and nothing is lost, else 1."""
    parser = argparse.ArgumentParser(prog="./run bench parse", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object instead of tables")
    asked = parser.parse_args()
    warnings.simplefilter(
        "ignore", DeprecationWarning
    )  # feedparser's own, when a date is looked for under its old name
    figures = measure()
    if asked.json:
        print(json.dumps(figures))
    else:
        _print(figures)
    return 1 if figures["differing"] or figures["entries_lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
