"""Labelled articles let into a real database one by one, and how well what came out agrees with their labels.

The protocol of stories and copies: a real Store in a temporary directory, `ingest.import_entries` as for any file of
articles, the labelled ones among 2,225 others in the order of `sets.shuffled`. Without dates all arrive at one moment,
so that nothing but their words can tell them apart; `dated` lets each arrive at midnight of its day.
"""

from __future__ import annotations

import math
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline import ingest, text
from pipeline.config import FetchSettings
from pipeline.model import Entry, Outlet
from pipeline.service import pace_of
from pipeline.store import Store
from pipeline.text import digest
from pipeline.urls import OutletBook
from quality import sets
from quality.sets import Sample

ARRIVAL = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""When what has no date arrives."""

SHORT = 300
"""Characters of text that a feed with summaries gives."""

BATCH = 500


@dataclass(frozen=True, slots=True)
class Score:
    """BCubed, over the labelled articles; an unlabelled one in their story counts against precision."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of the articles, by their ids: the story of each, and which it copies."""

    story: dict[str, int]
    copy_of: dict[str, str]


def shortened(samples: Sequence[Sample]) -> list[Sample]:
    """The same articles as a feed of summaries would bring them."""
    return [replace(sample, text=sample.text[:SHORT]) for sample in samples]


def stream(labelled: Sequence[Sample]) -> list[Sample]:
    """The labelled articles among the background, in the protocol's order."""
    return sets.shuffled([*labelled, *sets.background()])


def told(samples: Sequence[Sample], *, dated: bool = False) -> Placed:
    """Lets these articles into a fresh database in this order, and reads what became of them.

    An article without a source is an outlet's of its own.
    """
    with tempfile.TemporaryDirectory() as scratch:
        with Store.open(Path(scratch) / "news.db") as store:
            desk = ingest.Desk(store, OutletBook(), {}, (), pace_of(FetchSettings()))
            with store.transaction():
                feed_id = store.archive.feed_id("import:quality", "quality", ARRIVAL)
            state = store.feeds.state(feed_id)
            for start in range(0, len(samples), BATCH):
                arrivals = [_arrival(state.feed_url, one, dated) for one in samples[start : start + BATCH]]
                ingest.import_entries(state, desk, arrivals, ARRIVAL)
        with closing(sqlite3.connect(Path(scratch) / "news.db")) as rows:
            names = dict(rows.execute("SELECT article_id, guid FROM entries"))
            story = {
                names[article]: story
                for article, story in rows.execute("SELECT article_id, story_id FROM story_articles")
            }
            copy_of = {
                names[article]: names[original]
                for article, original in rows.execute("SELECT id, copy_of FROM articles WHERE copy_of IS NOT NULL")
            }
    return Placed(story, copy_of)


def _arrival(feed_url: str, sample: Sample, dated: bool) -> ingest.Arrival:
    name = sample.source.lower() if sample.source else f"outlet of {sample.id}"
    at = sample.date if dated else None
    url = f"https://quality.example/{digest(sample.id)}"
    entry = Entry(feed_url, sample.id, url, sample.title, None, sample.text, (), at, "en", digest(sample.id))
    return ingest.Arrival(entry, Outlet(name, (), name), at or ARRIVAL)


def bcubed(samples: Sequence[Sample], story: dict[str, int]) -> Score:
    """How well stories agree with labels: for each labelled article, how many of those in its story carry its label,
    and how many of those with its label are in its story."""
    of_story = Counter(story[sample.id] for sample in samples)
    of_label = Counter(sample.story for sample in samples if sample.story is not None)
    both = Counter((story[sample.id], sample.story) for sample in samples)
    labelled = [sample for sample in samples if sample.story is not None]
    precision = sum(both[story[s.id], s.story] / of_story[story[s.id]] for s in labelled)
    recall = sum(both[story[s.id], s.story] / of_label[s.story] for s in labelled)
    return Score(precision / len(labelled), recall / len(labelled))


def greedy_cosine(samples: Sequence[Sample], threshold: float) -> dict[str, int]:
    """What a user would write first: TF-IDF (log tf, idf of the whole pool, whole text, headline once), and each
    article joins the story of its nearest neighbour when that is near enough. The yardstick, not the product.

    Words in more than a tenth of all articles are left out: they weigh next to nothing and cost the most.
    """
    near = _nearest(samples)
    story: dict[str, int] = {}
    for number, sample in enumerate(samples):
        other, value = near[number]
        story[sample.id] = story[samples[other].id] if value >= threshold else number
    return story


def best_greedy(pools: Sequence[Sequence[Sample]]) -> tuple[float, list[Score]]:
    """The one threshold that serves these pools best together (an oracle's choice), and the score of each under it."""
    steps = [step / 100 for step in range(6, 60)]
    scores = {step: [bcubed(pool, greedy_cosine(pool, step)) for pool in pools] for step in steps}
    best = max(steps, key=lambda step: sum(score.f1 for score in scores[step]))
    return best, scores[best]


_cache: dict[int, tuple[Sequence[Sample], list[tuple[int, float]]]] = {}


def _nearest(samples: Sequence[Sample]) -> list[tuple[int, float]]:
    """For each article the nearest that came before, as its index and the cosine; computed once a pool."""
    if id(samples) in _cache:
        return _cache[id(samples)][1]
    counts = [Counter(text.tokens(f"{sample.title or ''} {sample.text}")) for sample in samples]
    holding = Counter(word for count in counts for word in count)
    idf = {word: math.log(len(samples) / n) for word, n in holding.items() if n <= len(samples) / 10}
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    found = []
    for number, count in enumerate(counts):
        vector = {word: (1 + math.log(n)) * idf[word] for word, n in count.items() if word in idf}
        length = math.sqrt(sum(value**2 for value in vector.values())) or 1.0
        dots: dict[int, float] = defaultdict(float)
        for word, value in vector.items():
            share = value / length
            for other, theirs in postings[word]:
                dots[other] += share * theirs
            postings[word].append((number, share))
        found.append(max(dots.items(), key=lambda item: item[1], default=(0, 0.0)))
    _cache[id(samples)] = (samples, found)
    return found
