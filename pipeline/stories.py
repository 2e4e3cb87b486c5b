"""Is it the same text (copy), and which story does it join. Pure: the store finds the neighbours, this room judges.

A first cut, precision first. A copy shares runs of five words; two reports share an event when their rare words do:
the cosine of headline, lead and text, weighed by general rarity, fading as the hours between them grow.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline import text
from pipeline.model import Article, Placement
from pipeline.rarity import rarity

WINDOW = timedelta(hours=72)
"""How far back a story is looked for. A story goes on for as long as each report follows the last within this."""

SAME_EVENT = 0.32
"""Likeness from which two reports are of one event. Measured on labelled stories, see docs/design.md."""

COPY_SHARE = 0.5
"""Share of the shorter text's five-word runs that stand in the other, from which it is a copy."""

MIN_COPY_WORDS = 60
"""Shorter texts say the same thing by chance too often to be called copies."""

LONGEST_READ = 20_000
"""Characters of a text that are compared; a wire story is a tenth of that."""

LEAD_WORDS = 220
"""Words of the text that tell the event; what follows is background, which other events share."""

TITLE_WEIGHT, LEAD_WEIGHT = 2.0, 1.0
HALF_LIFE = timedelta(hours=72)
QUERY_WORDS = 12


@dataclass(frozen=True, slots=True)
class Print:
    """An article's fingerprint: the vector of its rare words (unit length) and its five-word runs."""

    vector: dict[str, float]
    shingles: frozenset[int]
    words: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored article near a new one: who, when, in which story, and its fingerprint."""

    article_id: int
    outlet: str
    seen_at: datetime
    copy_of: int | None
    story_id: int | None
    print: Print


def fingerprint(title: str | None, body: str) -> Print:
    """The fingerprint of a wording. `body` is the text, which for many feeds is the summary."""
    words = text.tokens(body[:LONGEST_READ])
    counts: dict[str, float] = defaultdict(float)
    for word in text.tokens(title or ""):
        counts[text.stem(word)] += TITLE_WEIGHT
    for word in words[:LEAD_WORDS]:
        counts[text.stem(word)] += LEAD_WEIGHT
    vector = {
        word: (1 + math.log(count)) * weight
        for word, count in counts.items()
        if (weight := rarity(word)) > 1.5 and len(word) > 1
    }
    length = math.sqrt(sum(value**2 for value in vector.values())) or 1.0
    return Print({word: value / length for word, value in vector.items()}, text.shingles(words), len(words))


def telling_words(article: Print) -> tuple[str, ...]:
    """The words by which neighbours are looked for, rarest and most stressed first."""
    best = sorted(article.vector.items(), key=lambda item: (-item[1], item[0]))
    return tuple(word for word, _ in best[:QUERY_WORDS])


def likeness(one: Print, other: Print) -> float:
    """The cosine of two fingerprints, 0 to 1."""
    small, large = sorted((one.vector, other.vector), key=len)
    return sum(value * large[word] for word, value in small.items() if word in large)


def shared_text(one: Print, other: Print) -> float:
    """The share of the shorter text's five-word runs that the other holds, 0 to 1."""
    least = min(len(one.shingles), len(other.shingles))
    return len(one.shingles & other.shingles) / least if least else 0.0


def place(article: Article, own: Print, candidates: Iterable[Candidate]) -> Placement:
    """Copy of, joins, or opens.

    A copy is the same text at another outlet; it points to the earliest version and joins its story. Otherwise the
    article joins the story of its nearest candidate, when that is near enough after fading by the time between them.
    """
    best: tuple[float, int] | None = None
    for candidate in candidates:
        if candidate.outlet != article.outlet and _is_copy(own, candidate.print):
            original = candidate.copy_of or candidate.article_id
            return Placement(candidate.story_id, 1.0, original)
        if candidate.story_id is None:
            continue
        apart = abs(article.first_seen_at - candidate.seen_at)
        near = likeness(own, candidate.print) * 0.5 ** (apart / HALF_LIFE / 2)
        if near >= SAME_EVENT and (best is None or near > best[0]):
            best = (near, candidate.story_id)
    return Placement(best[1], best[0]) if best else Placement(None, 1.0)


def _is_copy(one: Print, other: Print) -> bool:
    return min(one.words, other.words) >= MIN_COPY_WORDS and shared_text(one, other) >= COPY_SHARE


def by_id(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates in order of first sight, so that the earliest version of a wire text is met first."""
    return sorted(candidates, key=lambda candidate: candidate.article_id)
