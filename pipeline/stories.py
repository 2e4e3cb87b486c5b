"""Is it the same text (copy), and which story does it join. Pure: the store finds the neighbours, this room judges.

A copy shares runs of five words. Two reports share an event when their rare words do: the cosine of headline and lead,
weighed by general rarity. Two things keep a story from swallowing its neighbours. No single word counts for more than
`WORD_CAP`: one name is a matter, not an event. And a word that several nearby stories hold ("TikTok", in a week of
TikTok news) tells them apart less, so it counts less.
"""

from __future__ import annotations

import heapq
import math
import struct
import zlib
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

COPY_LOOK = 0.4
"""Likeness from which two texts are compared run by run. A copy's headline may be new, but its words are not."""

MIN_COPY_WORDS = 60
"""Shorter texts say the same thing by chance too often to be called copies."""

LONGEST_READ = 20_000
"""Characters of a text that are compared; a wire story is a tenth of that."""

LEAD_WORDS = 220
"""Words of the text that tell the event; what follows is background, which other events share."""

TITLE_WEIGHT, LEAD_WEIGHT = 2.0, 1.0
TELLING_WORDS = 20
PRINT_WORDS = 120
LEAD_CHARS = 4000


Vector = Mapping[int, float]
"""Rare words, as 32-bit hashes, and their weights; of unit length."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored article near a new one: who, when, in which story (and whether alone there), and its fingerprint."""

    article_id: int
    outlet: str
    seen_at: datetime
    copy_of: int | None
    story_id: int | None
    print: Vector
    alone: bool = False


def fingerprint(title: str | None, body: str) -> Vector:
    """The fingerprint of a wording: its PRINT_WORDS most telling words. `body` is the text, or the summary."""
    counts: dict[str, float] = defaultdict(float)
    for word in text.tokens(title or ""):
        counts[text.stem(word)] += TITLE_WEIGHT
    for word in text.tokens(body[:LEAD_CHARS])[:LEAD_WORDS]:
        counts[text.stem(word)] += LEAD_WEIGHT
    weights = {
        word: (1 + math.log(count)) * weight
        for word, count in counts.items()
        if (weight := rarity(word)) > 1.5 and len(word) > 1
    }
    best = heapq.nsmallest(PRINT_WORDS, weights.items(), key=lambda item: (-item[1], item[0]))
    length = math.sqrt(sum(value**2 for _, value in best)) or 1.0
    return {zlib.crc32(word.encode()): value / length for word, value in best}


def packed(vector: Vector) -> bytes:
    """A fingerprint as bytes, 8 a word, most telling first; `unpacked` reads them back."""
    ordered = sorted(vector.items(), key=lambda item: (-item[1], item[0]))
    return struct.pack(f"<{len(ordered)}I{len(ordered)}f", *(k for k, _ in ordered), *(v for _, v in ordered))


def unpacked(raw: bytes) -> Vector:
    """The fingerprint that `packed` made, its weights rounded to 7 digits."""
    count = len(raw) // 8
    values = struct.unpack(f"<{count}I{count}f", raw)
    return dict(zip(values[:count], values[count:], strict=True))


def telling_words(vector: Vector) -> dict[int, float]:
    """The words by which articles find each other and their weights, rarest and most stressed first."""
    return dict(heapq.nsmallest(TELLING_WORDS, vector.items(), key=lambda item: (-item[1], item[0])))


def likeness(one: Vector, other: Vector, common: Mapping[int, float] = MappingProxyType({})) -> float:
    """How much two fingerprints say of one event, 0 to 1: a cosine in which no word adds more than WORD_CAP.

    `common` holds factors (0 to 1) of words that count less here.
    """
    if not one or not other:
        return 0.0
    shared = [value * other[word] * common.get(word, 1.0) for word, value in one.items() if word in other]
    if not shared:
        return 0.0
    length = math.sqrt(_square(one, common) * _square(other, common))
    return sum(min(part / length, WORD_CAP) for part in shared) if length else 0.0


def _square(vector: Vector, common: Mapping[int, float]) -> float:
    """The squared length of a vector whose common words count less; 1 when none does."""
    return max(0.0, 1.0 - sum(value**2 * (1 - common[word]) for word, value in vector.items() if word in common))


def look_twice(own: Vector, candidates: Iterable[Candidate]) -> list[int]:
    """Ids of the candidates so alike that their texts are worth comparing: a copy shares its words."""
    return [candidate.article_id for candidate in candidates if likeness(own, candidate.print) >= COPY_LOOK]


def runs(body: str) -> frozenset[int]:
    """A text's five-word runs; none when it is too short to tell a copy from chance."""
    words = text.tokens(body[:LONGEST_READ])
    return text.shingles(words) if len(words) >= MIN_COPY_WORDS else frozenset()


def shared_text(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of the shorter text's runs that the other holds, 0 to 1."""
    least = min(len(one), len(other))
    return len(one & other) / least if least else 0.0


def place(article: Article, own: Vector, candidates: Sequence[Candidate], texts: Mapping[int, str]) -> Placement:
    """Copy of, joins, or opens.

    A copy is the same text at another outlet; it points to the earliest version and joins its story. Otherwise the
    article joins the story whose nearest reports are most like it, when that is enough after fading with time; reports
    that stand alone and are like enough come along, so that the order in which feeds are read matters less.
    `texts` are those of the candidates that `look_twice` named.
    """
    own_runs = runs(article.text) if texts else frozenset[int]()
    for candidate in sorted(candidates, key=lambda candidate: candidate.article_id):
        if candidate.outlet == article.outlet or candidate.article_id not in texts:
            continue
        if shared_text(own_runs, runs(texts[candidate.article_id])) >= COPY_SHARE:
            return Placement(candidate.story_id, 1.0, candidate.copy_of or candidate.article_id)
    stories: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.story_id is not None:
            stories[candidate.story_id].append(candidate)
    common = _common(stories.values())
    near = {}
    for story_id, reports in stories.items():
        values = sorted((_faded(article, own, report, common) for report in reports), reverse=True)[:NEAREST]
        value = sum(values) / len(values)
        if value >= SAME_EVENT:
            near[story_id] = value
    if not near:
        return Placement(None, 1.0)
    best = max(near, key=lambda story_id: (near[story_id], -story_id))
    alone = sorted(story_id for story_id in near if story_id != best and stories[story_id][0].alone)
    return Placement(best, near[best], absorbs=tuple(alone))


def _common(stories: Iterable[Sequence[Candidate]]) -> dict[int, float]:
    """Factors of words that several of these stories hold: 1/(1 + ln n) for a word in n of them."""
    holding: Counter[int] = Counter()
    for reports in stories:
        holding.update(set().union(*(report.print for report in reports)))
    return {word: 1 / (1 + math.log(count)) for word, count in holding.items() if count > 1}


def _faded(article: Article, own: Vector, report: Candidate, common: Mapping[int, float]) -> float:
    apart = abs(article.first_seen_at - report.seen_at)
    return likeness(own, report.print, common) * math.exp2(-(apart / HALF_LIFE))
