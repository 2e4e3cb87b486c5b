"""Copies: which texts are known for the same text, held against every pair of FNC-1 that shares five-word runs.

A pair is found when both point to one original, or one to the other. What is called one text across different story
labels is counted over all pairs that come out, also those the list does not name; stated as what is right, since floors
only know "at least".
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from quality import sets, streams


def measure() -> dict[str, float]:
    """Recall by exact Jaccard; pairs across labels, of those listed and of all; whether every chain is flat."""
    figures = held_against(streams.told(streams.stream(sets.whole("fnc1"))).copy_of)
    del figures["across"]
    return figures


def held_against(copy_of: Mapping[str, str]) -> dict[str, float]:
    """The same of copies that were found in whatever way; `across` is the number of pairs across labels."""
    samples, pairs = sets.whole("fnc1"), sets.copies()
    found = [_together(copy_of, pair["a"], pair["b"]) for pair in pairs]
    high = [hit for hit, pair in zip(found, pairs, strict=True) if pair["jaccard"] >= 0.5]
    middle = [hit for hit, pair in zip(found, pairs, strict=True) if 0.3 <= pair["jaccard"] < 0.5]
    label = {sample.id: sample.story for sample in samples}
    texts = [[first, *(one for one, of in copy_of.items() if of == first)] for first in set(copy_of.values())]
    across = [
        (one, other)
        for text in texts
        for one, other in combinations([name for name in text if name in label], 2)
        if label[one] != label[other]
    ]
    listed = sum(hit for hit, pair in zip(found, pairs, strict=True) if not pair["same_cluster"])
    return {
        "recall_from_.5": sum(high) / len(high),
        "recall_.3_to_.5": sum(middle) / len(middle),
        "listed_not_across_labels": 1 - listed / len(pairs),
        "all_not_across_labels": 1 - len(across) / len(pairs),
        "across": float(len(across)),
        "flat": float(not set(copy_of) & set(copy_of.values())),
        "copies": float(len(copy_of)),
    }


def _together(copy_of: Mapping[str, str], one: str, other: str) -> bool:
    return copy_of.get(one, one) == copy_of.get(other, other)
