"""Is it the same text (copy), and which story does it join. Pure: the store finds the neighbours, this room judges.

A copy shares runs of five words. Two reports share an event when their rare words do: the cosine of headline and lead,
weighed by general rarity. Two things keep a story from swallowing its neighbours. No single word counts for more than
`WORD_CAP`: one name is a matter, not an event. And a word that several nearby stories hold ("TikTok", in a week of
TikTok news) tells them apart less, so it counts less.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from pipeline import text
from pipeline.model import Article, Placement
from pipeline.rarity import rarity

WINDOW = timedelta(hours=72)
"""How far back a story is looked for. A story goes on for as long as each report follows the last within this."""

SAME_EVENT = 0.18
"""Likeness from which two reports are of one event. Measured on labelled stories, see docs/design.md."""

WORD_CAP = 0.08
"""The most that one shared word adds to a likeness."""

HALF_LIFE = timedelta(hours=36)
"""Time apart in which a likeness fades to half."""

NEAREST = 2
"""Reports of a story that an article is held against, the nearest: one odd likeness is not enough."""

COPY_SHARE = 0.5
"""Share of the shorter text's five-word runs that stand in the other, from which it is a copy."""

MIN_COPY_WORDS = 60
"""Shorter texts say the same thing by chance too often to be called copies."""

LONGEST_READ = 20_000
"""Characters of a text that are compared; a wire story is a tenth of that."""

LEAD_WORDS = 220
"""Words of the text that tell the event; what follows is background, which other events share."""

TITLE_WEIGHT, LEAD_WEIGHT = 2.0, 1.0
TELLING_WORDS = 20


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


def telling_words(article: Print) -> dict[str, float]:
    """The words by which articles find each other and their weights, rarest and most stressed first."""
    return dict(sorted(article.vector.items(), key=lambda item: (-item[1], item[0]))[:TELLING_WORDS])


def likeness(one: Print, other: Print, common: Mapping[str, float] = MappingProxyType({})) -> float:
    """How much two fingerprints say of one event, 0 to 1: a cosine in which no word adds more than WORD_CAP.

    `common` holds factors (0 to 1) of words that count less here.
    """
    if not one.vector or not other.vector:
        return 0.0
    small, large = (one.vector, other.vector) if len(one.vector) < len(other.vector) else (other.vector, one.vector)
    shared = [value * large[word] * common.get(word, 1.0) for word, value in small.items() if word in large]
    length = math.sqrt(_square(small, common) * _square(large, common))
    return sum(min(part / length, WORD_CAP) for part in shared) if length else 0.0


def _square(vector: Mapping[str, float], common: Mapping[str, float]) -> float:
    """The squared length of a vector whose common words count less; 1 when none does."""
    return max(0.0, 1.0 - sum(vector[word] ** 2 * (1 - factor) for word, factor in common.items() if word in vector))


def shared_text(one: Print, other: Print) -> float:
    """The share of the shorter text's five-word runs that the other holds, 0 to 1."""
    least = min(len(one.shingles), len(other.shingles))
    return len(one.shingles & other.shingles) / least if least else 0.0


def place(article: Article, own: Print, candidates: Sequence[Candidate]) -> Placement:
    """Copy of, joins, or opens.

    A copy is the same text at another outlet; it points to the earliest version and joins its story. Otherwise the
    article joins the story whose nearest reports are most like it, when that is enough after fading with time.
    """
    for candidate in sorted(candidates, key=lambda candidate: candidate.article_id):
        if candidate.outlet != article.outlet and _is_copy(own, candidate.print):
            return Placement(candidate.story_id, 1.0, candidate.copy_of or candidate.article_id)
    stories: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.story_id is not None:
            stories[candidate.story_id].append(candidate)
    common = _common(stories.values())
    best = Placement(None, 1.0)
    nearest = SAME_EVENT
    for story_id, reports in stories.items():
        near = sorted((_faded(article, own, report, common) for report in reports), reverse=True)[:NEAREST]
        value = sum(near) / len(near)
        if value >= nearest:
            best, nearest = Placement(story_id, value), value
    return best


def _common(stories: Iterable[Sequence[Candidate]]) -> dict[str, float]:
    """Factors of words that several of these stories hold: 1/(1 + ln n) for a word in n of them."""
    holding: Counter[str] = Counter()
    for reports in stories:
        holding.update(set().union(*(report.print.vector for report in reports)))
    return {word: 1 / (1 + math.log(count)) for word, count in holding.items() if count > 1}


def _faded(article: Article, own: Print, report: Candidate, common: Mapping[str, float]) -> float:
    apart = abs(article.first_seen_at - report.seen_at)
    return likeness(own, report.print, common) * math.exp2(-(apart / HALF_LIFE))


def _is_copy(one: Print, other: Print) -> bool:
    return min(one.words, other.words) >= MIN_COPY_WORDS and shared_text(one, other) >= COPY_SHARE
