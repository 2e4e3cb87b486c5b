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

from pipeline import text
from pipeline.rarity import rarity
from pipeline.reading import OPENING

LEAD_WORDS = 250
"""Words of the text that tell the event; what follows is background, which other events share."""

TITLE_WEIGHT = 2
PRINT_WORDS = 120
ASKED_WORDS = 60
TELLING_WORDS = 30
LEAST_RARITY = 1.5

WINDOW_LEAST = 4000
"""Reports that a window is taken to hold, at least: few reports are no measure of how common a word is."""

Vector = Mapping[int, float]
"""Telling words, as 32-bit hashes, and their weights."""


def _knows(stem: str) -> tuple[int, float] | None:
    """A stem's hash and rarity; None when it is too common to tell anything."""
    rare = rarity(stem)
    return (zlib.crc32(stem.encode()) or 1, rare) if rare > LEAST_RARITY and len(stem) > 1 else None


_KNOWN = text.Remembered(_knows, 131072)


def words(title: str | None, body: str) -> dict[int, tuple[float, float]]:
    """The telling words of a headline and a text, as hashes: how much each is stressed, and its rarity (0 to 11)."""
    return told(text.stems(title or ""), text.stems(body[:OPENING]))


def told(title: Sequence[str], opening: Sequence[str]) -> dict[int, tuple[float, float]]:
    """The same of what was read already: stems of the headline, and of the first OPENING characters of the text."""
    counts: dict[str, int] = Counter(opening[:LEAD_WORDS])
    for stem in title:
        counts[stem] = counts.get(stem, 0) + TITLE_WEIGHT
    known = [(one, count) for stem, count in counts.items() if (one := _KNOWN[stem])]
    found = {key: (math.sqrt(count), rare) for (key, rare), count in known}
    if len(found) < len(known):  # Two words with one hash are one word.
        stressed: Counter[int] = Counter()
        for (key, _), count in known:
            stressed[key] += count
        return {key: (math.sqrt(count), found[key][1]) for key, count in stressed.items()}
    return found


def asked(found: Mapping[int, tuple[float, float]]) -> list[int]:
    """The words worth asking the window about: by which neighbours are found, and that may be common of late."""
    ordered = sorted([(stress * rare, key) for key, (stress, rare) in found.items()], reverse=True)
    return [key for _, key in ordered[:ASKED_WORDS]]


def fingerprint(
    found: Mapping[int, tuple[float, float]], held: Mapping[int, int] | None = None, among: int = 0
) -> Vector:
    """The PRINT_WORDS most telling words and their weights, of unit length, most telling first.

    `held` says how many of the window's `among` reports are known by a word. That can only take weight away: a word
    that the window never saw is as rare as it is in general.
    """
    weights = []
    for key, (stress, rare) in found.items():
        if held and (count := held.get(key, 0)) > 1:
            rare = min(rare, math.log(max(among, WINDOW_LEAST, count) / (count - 1)))
        weights.append((stress * rare, key))
    weights.sort(reverse=True)
    del weights[PRINT_WORDS:]
    length = math.sqrt(sum([value * value for value, _ in weights])) or 1.0
    return {key: value / length for value, key in weights}


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
