"""A report as numbers: its telling words, weighed by how rare they are in general and of late. Pure.

A word that many recent reports hold ("TikTok", in a week of TikTok news) tells events apart less. `stories` judges by
these fingerprints, `store` keeps them as bytes.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from operator import itemgetter, mul

from pipeline import text
from pipeline.rarity import PREFIX, beginning
from pipeline.reading import LONGEST_READ

STRESS = ((100, 1.0), (400, 0.5))
"""How much a word of the text is stressed: the first hundred in full, those up to the four hundredth in half. What
comes first tells the event, what follows is more and more background, which other events share."""

_LEAST_STRESS = 0.5
"""All stress is in units of this, so that mentions are whole numbers."""

TITLE_WEIGHT = 2
PRINT_WORDS = 120
ASKED_WORDS = 60
TELLING_WORDS = 30
LEAST_RARITY = 1.5

USUAL_CHANCE = 0.6
"""What most reports share with any other; see `fingerprint`."""

SHORTEST, LONGEST = 0.8, 1.1
"""Bounds of a fingerprint's length, so that no report is like everything, or like nothing."""

SCARCE, DOUBTED = 80, 0.06
"""A fingerprint of fewer words is shorter, by up to this share: of a headline and two lines, chance decides more. It
asks more of a likeness between short reports: precision goes before recall."""

WINDOW_LEAST = 4000
"""Reports that a window is taken to hold, at least: few reports are no measure of how common a word is."""

SHORT_LEAST, DOUBTED_ROOT = 400, 1.0
"""The same for a headline and a sentence, no more than TELLING_WORDS words: it leans on each of them, and a word of its
beat ("vaccine") must not pass for its event's. There a window is taken as it stands, and a count is believed as far as
it is beyond doubt: its root errs by a half, however large it is, and two such are taken off. So three reports of a new
event hardly make its words common, and two hundred of a beat do."""

Vector = Mapping[int, float]
"""Telling words, as 32-bit hashes, and their weights."""

Told = Sequence[tuple[float, int, float]]
"""Telling words, most telling first: weight, hash, and rarity (0 to 11). As many as a fingerprint holds, and as many
more as the window may take weight from."""


def _keyed(stem: str) -> int:
    """The hash of a stem's beginning; 0 when it is too common, or too short, to tell anything."""
    rare = beginning(stem) if len(stem) > 1 else 0.0
    if rare <= LEAST_RARITY:
        return 0
    key = zlib.crc32(stem[:PREFIX].encode()) or 1
    _RARE[key] = rare
    return key


_ROOTS: text.Remembered[int, float] = text.Remembered(lambda mentions: math.sqrt(mentions * _LEAST_STRESS), 4096)
MOST_HELD = 131072
_RARE: dict[int, float] = {}
_KEYS = text.Remembered(_keyed, MOST_HELD)


def words(title: str | None, body: str) -> Told:
    """The telling words of a headline and a text, most telling first."""
    return told(text.stems(title or ""), text.stems(body[:LONGEST_READ]))


def told(title: Sequence[str], opening: Sequence[str]) -> Told:
    """The same of what was read already: stems of the headline, and of the beginning of the text."""
    if len(_RARE) > MOST_HELD:
        _RARE.clear()
        _KEYS.clear()
    keys = list(map(_KEYS.__getitem__, opening[: STRESS[-1][0]]))
    mentions = round(TITLE_WEIGHT / _LEAST_STRESS) * list(map(_KEYS.__getitem__, title))
    start = 0
    for end, stress in STRESS:
        mentions += round(stress / _LEAST_STRESS) * keys[start:end]
        start = end
    said = Counter(mentions)
    said.pop(0, None)
    # Of equal weight the greater hash comes first; in two steps, since plain numbers are sorted far faster than tuples.
    keys = sorted(said, reverse=True)
    rare = list(map(_RARE.__getitem__, keys))
    weights = map(mul, map(_ROOTS.__getitem__, map(said.__getitem__, keys)), rare)
    found = sorted(zip(weights, keys, rare, strict=True), key=itemgetter(0), reverse=True)
    return found[: PRINT_WORDS + ASKED_WORDS]


def asked(found: Told) -> list[int]:
    """The words worth asking the window about: by which neighbours are found, and that may be common of late."""
    return [key for _, key, _ in found[:ASKED_WORDS]]


def fingerprint(found: Told, held: Mapping[int, int] | None = None, among: int = 0) -> Vector:
    """The PRINT_WORDS most telling words and their weights, most telling first.

    `held` says how many of the window's `among` reports are known by a word. That can only take weight away: a word
    that the window never saw is as rare as it is in general. The length is 1 for most reports, less for one whose
    weight lies on words that any report may hold, by the fourth root of that chance: so the likeness of two reports is
    taken against what they would share by chance.
    """
    weights = list(found)
    if held:
        short = len(found) <= TELLING_WORDS
        among = max(among, SHORT_LEAST if short else WINDOW_LEAST)
        for at, (weight, key, rare) in enumerate(found):
            if (count := held.get(key, 0)) > 1:
                believed = (math.sqrt(count) - DOUBTED_ROOT) ** 2 if short else count - 1
                if (less := math.log(max(among, count) / believed)) < rare:
                    weights[at] = (weight * less / rare, key, less)
        weights.sort(reverse=True)
    del weights[PRINT_WORDS:]
    length = math.sqrt(sum([weight * weight for weight, _, _ in weights])) or 1.0
    chance = sum([weight * rare * math.exp(-rare) for weight, _, rare in weights]) / length
    length /= min(LONGEST, max(SHORTEST, (USUAL_CHANCE / chance) ** 0.25)) if chance else 1.0
    length /= 1 - DOUBTED * max(0.0, 1 - len(weights) / SCARCE)
    return {key: weight / length for weight, key, _ in weights}


def packed(vector: Vector) -> bytes:
    """A vector as bytes, 8 a word; `unpacked` reads them back in the same order."""
    return struct.pack(f"<{len(vector)}I{len(vector)}f", *vector.keys(), *vector.values())


@lru_cache(maxsize=2048)
def unpacked(raw: bytes) -> Vector:
    """The vector that `packed` made, its weights rounded to 7 digits."""
    count = len(raw) // 8
    values = struct.unpack(f"<{count}I{count}f", raw)
    return dict(zip(values[:count], values[count:], strict=True))


def telling_words(vector: Vector) -> dict[int, float]:
    """The words of a fingerprint by which articles find each other and their weights, most telling first."""
    return dict(islice(vector.items(), TELLING_WORDS))


def likeness(one: Vector, other: Vector) -> float:
    """How much two vectors say the same: their product, for fingerprints the cosine, 0 to 1."""
    return sum([one[word] * other[word] for word in one.keys() & other.keys()])
