"""How much the sentences of a seed speak of one thing, and what its scores are multiplied by for that. Pure.

A report whose every sentence comes back to the same names and words has a profile of few strong terms: other reports of
its event score high, and so does much else. One that strays has a broad profile, and its own event scores lower. So the
same threshold is strict on the one and lax on the other. Each of the first sentences is held against all others; how
alike they are says how high texts about this event score.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.topics.words import telling

USUAL = 0.173
"""The likeness of a sentence and the rest of its report, as it mostly is (.171 and .178 in two sets of reports)."""

POWER = 0.3
"""How much of that likeness scores follow. From .2 to .45 both sets gain about the same."""

LEAST, MOST = 0.8, 1.35
"""The narrowest and the broadest seed's scale: some 2 % of reports lie beyond."""

OPENING = 8
"""Sentences that are held against the rest; what a report is about stands in the first."""

SHORTEST = 4
"""Words; a shorter sentence is a heading, an exclamation, a name."""

ENOUGH = 60
"""Words; a shorter seed has too few sentences to tell."""


def scale(sources: Iterable[Sequence[Sequence[str]]], dull: Callable[[str], bool], lang: str) -> float:
    """What the scores of a profile are multiplied by, LEAST to MOST. Sources are documents, these are sentences, and
    these stems; `dull` ones are passed over. 1 where the sources are too short to tell."""
    found = [one for source in sources if (one := _coherence(source, dull, lang)) > 0]
    if not found:
        return 1.0
    middle = math.exp(sum(map(math.log, found)) / len(found))
    return round(min(MOST, max(LEAST, math.pow(USUAL / middle, POWER))), 2)


def _coherence(sentences: Sequence[Sequence[str]], dull: Callable[[str], bool], lang: str) -> float:
    """The mean cosine of each of the first sentences with all others; 0 where there is too little to tell."""
    long = [one for one in sentences if len(one) >= SHORTEST]
    if sum(map(len, long)) < ENOUGH:
        return 0.0
    said = [counts for one in long if (counts := Counter(word for word in one if not dull(word)))]
    if len(said) < 2:
        return 0.0
    whole: Counter[str] = Counter()
    for one in said:
        whole.update(one)
    likeness = [_cosine(_vector(one, lang), _vector(whole - one, lang)) for one in said[:OPENING]]
    return sum(likeness) / len(likeness)


def _vector(counts: Mapping[str, int], lang: str) -> dict[str, float]:
    return {word: (1 + math.log(count)) * telling(word, lang) for word, count in counts.items()}


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    lengths = math.sqrt(sum(value**2 for value in one.values()) * sum(value**2 for value in other.values()))
    return sum(value * other[word] for word, value in one.items() if word in other) / lengths if lengths else 0.0
