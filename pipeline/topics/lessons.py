"""Words that a topic's nearest stored articles use and its seed does not. Pure: articles in, terms out.

The next report calls the sale a divestment and names a bidder; the seed knows neither. What several of the articles
that are surely on topic say, and few others, becomes a term that a person can read, and delete.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.model import Term, TermKind, TopicProfile
from pipeline.reading import LONGEST_READ
from pipeline.topics import names
from pipeline.topics.match import Heard
from pipeline.topics.seed import LONGEST, is_dull
from pipeline.topics.words import stems, telling

SURE, TEACHERS = 0.6, 20
"""How likely on topic an article must be to teach, and how many do at most, the likeliest."""

MOST_WORDS = 20
"""Words that are learned, at most."""

CONSIDERED = 80
"""Words whose number in the archive is counted, the strongest."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A word of the nearest articles as a term, its weight being its mean share of their vectors; in how many of them
    it stands."""

    term: Term
    among: int


def teachers(likely: Mapping[int, float], scores: Mapping[int, float]) -> dict[int, float]:
    """The articles that teach, by place, and how much each counts (together 1); none when none is sure enough."""
    sure = sorted((at for at, chance in likely.items() if chance >= SURE), key=lambda at: (-likely[at], -scores[at]))
    chosen = sure[:TEACHERS]
    whole = sum(likely[at] for at in chosen)
    return {at: likely[at] / whole for at in chosen}


def words(
    profile: TopicProfile, archive: Sequence[Heard], teaching: Mapping[int, float], lang: str
) -> tuple[Lesson, ...]:
    """What these articles say that the profile does not, the strongest first. A word stands in two of them at least,
    where there are two."""
    known = {form[0] for term in profile.terms for one in (term.text, *term.aliases) if len(form := stems(one)) == 1}
    shares: dict[str, float] = defaultdict(float)
    among: Counter[str] = Counter()
    for at, weight in teaching.items():
        article = archive[at]
        for stem, count in article.counts.items():
            if stem not in known and not is_dull(stem, lang):
                shares[stem] += weight * (1 + math.log(count)) * telling(stem, article.lang) / article.length
                among[stem] += 1
    least = min(2, len(teaching))
    strongest = sorted((stem for stem in shares if among[stem] >= least), key=lambda stem: (-shares[stem], stem))
    worth = {stem: shares[stem] * _rarer(stem, archive, lang) for stem in strongest[:CONSIDERED]}
    chosen = [stem for stem in sorted(worth, key=lambda stem: (-worth[stem], stem)) if worth[stem] > 0][:MOST_WORDS]
    spelled = _spelled([archive[at] for at in teaching], set(chosen))
    return tuple(
        Lesson(Term(surface, worth[stem], kind), among[stem])
        for stem in chosen
        if stem in spelled
        for surface, kind in [spelled[stem]]
        if len(surface) <= LONGEST and stems(surface) == (stem,)
    )


def rarer(held: int, articles: int, general: float) -> float:
    """By what a word that stands in `held` of so many articles is rarer there than in general; half of it is
    believed."""
    return 0.5 + 0.5 * math.log((articles + 1) / (held + 0.5)) / general if general else 1.0


def _rarer(stem: str, archive: Sequence[Heard], lang: str) -> float:
    return rarer(sum(stem in article.counts for article in archive), len(archive), telling(stem, lang))


def _spelled(articles: Sequence[Heard], wanted: set[str]) -> dict[str, tuple[str, TermKind]]:
    """Each of these stems as it is mostly written, in small letters where it ever is; else it is a name."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for article in articles:
        for field in article.fields:
            one = names.sentence(field.raw[:LONGEST_READ], 1.0)
            for stem, written in zip(one.stems, one.written, strict=True):
                if stem in wanted and written:
                    seen[stem][written] += 1
    found: dict[str, tuple[str, TermKind]] = {}
    for stem, spellings in seen.items():
        surface = max(spellings, key=lambda w: (w[:1].islower(), spellings[w], w))
        found[stem] = (surface, "name" if surface[:1].isupper() else "word")
    return found
