"""The labelled sets as values, and the protocols' choices (which seeds, which order). Reads files; judges nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import tarfile
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pipeline import parse
from pipeline.errors import ParseError
from pipeline.model import ParsedFeed, Response

DATA = Path(os.environ.get("NEWSBEAT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FLOORS = Path(__file__).with_name("floors.toml")

_READ_AT = datetime(2026, 1, 1, tzinfo=UTC)

MOST_SEEDS = 5
LEAST_CLUSTER = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled article. `story` is None for the background; `date` is midnight of its day, or None."""

    id: str
    story: str | None
    title: str | None
    text: str
    date: datetime | None
    source: str | None


def there() -> bool:
    """Whether the data lies where it is looked for: ../shared/data, or $NEWSBEAT_DATA."""
    return (DATA / "fnc1.jsonl.gz").exists()


@cache
def labelled(name: str) -> tuple[Sample, ...]:
    """The set `fnc1` or `basil`, exact doubles left out, in the order of its file."""
    rows = [row for row in _rows(name) if not row.get("exact_dup_of_earlier")]
    return tuple(_sample(row) for row in rows)


@cache
def whole(name: str) -> tuple[Sample, ...]:
    """The set with its exact doubles: what outlets that ran one text word for word published."""
    return tuple(_sample(row) for row in _rows(name))


@cache
def background() -> tuple[Sample, ...]:
    """2,225 unlabelled articles in which the labelled ones must be found."""
    return tuple(_sample(row) for row in _rows("bbc2225"))


def copies() -> tuple[dict[str, Any], ...]:
    """Pairs of fnc1 that share text: `a`, `b`, `jaccard`, `containment`, `same_cluster`."""
    return tuple(_rows("fnc1-copies"))


def seeds(samples: Sequence[Sample]) -> dict[str, tuple[int, ...]]:
    """Story to the indices of its seeds: up to five of each story of three and more, by md5 of the index as text."""
    stories: dict[str, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        if sample.story is not None:
            stories[sample.story].append(index)
    return {
        story: tuple(sorted(found, key=_draw)[:MOST_SEEDS])
        for story, found in stories.items()
        if len(found) >= LEAST_CLUSTER
    }


def shuffled(samples: Sequence[Sample], seed: int = 7) -> list[Sample]:
    """The order in which articles arrive in the streaming protocols."""
    order = list(samples)
    random.Random(seed).shuffle(order)
    return order


def floors(part: str) -> dict[str, float]:
    """The measured floors of one part; they only go up unless a commit says otherwise aloud."""
    table: dict[str, float] = tomllib.loads(FLOORS.read_text(encoding="utf-8")).get(part, {})
    return table


def _draw(index: int) -> str:
    return hashlib.md5(str(index).encode()).hexdigest()


def _rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _sample(row: dict[str, Any]) -> Sample:
    date = datetime.fromisoformat(f"{row['date'][:10]}T00:00:00+00:00") if row.get("date") else None
    return Sample(row["id"], row["cluster"], row.get("title"), row["text"], date, row.get("source"))


def real_feeds() -> Iterator[ParsedFeed]:
    """The recorded real feeds that can be read, in the order of their list."""
    with tarfile.open(DATA / "feeds.tar.gz") as archive:
        files = {member.name: member for member in archive if member.isfile()}
        listed = archive.extractfile(files["feeds/manifest.jsonl"])
        assert listed is not None
        for one in map(json.loads, listed.read().splitlines()):
            held = files.get(f"feeds/{one['file']}")
            opened = archive.extractfile(held) if held is not None and one["kind"] == "real" else None
            if opened is None:
                continue
            url = f"https://{one['host'] or 'example.org'}/feed"
            with suppress(ParseError):
                yield parse.feed(Response(url, url, 200, (), opened.read(), _READ_AT))
