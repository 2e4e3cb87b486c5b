"""What the archive teaches a topic. Pure: a profile and stored articles in, a better profile out.

A seed says what one report says; the archive says what else is written. Three lessons, and a person can read each in
the profile that comes out:

- what stands in many articles off topic, above all side by side with other terms, weighs less: the weights are
  multiplied by the inverse of how terms occur together off topic, so that "court", "judge" and "ruling" count for about
  one of them where courts are news every day;
- words that the nearest articles share, and the seed does not have, become terms (lessons.py);
- the threshold goes where most is right, going by how likely each article is on topic (likely.py): its score, and what
  the other reports of its story score.

All is written into the profile's terms, weights and threshold. Scoring knows no archive: the same profile gives an
article the same score on every machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.model import Article, Term, TopicProfile
from pipeline.topics import lessons, likely
from pipeline.topics.match import FEW_TERMS, SINGLE_TERM, Compiled, Heard, Panel, compiled, hear
from pipeline.topics.seed import MOST_TERMS
from pipeline.topics.words import telling

LEAST_ARTICLES = 200
"""An archive smaller than this teaches nothing."""

OFF = 0.2
"""Score by the seed alone below which an article is taken to be off topic."""

TOGETHER = 0.1
"""How much each article off topic sets back the terms that stand in it."""

LEARNED = 0.4
"""Share of the nearest articles in the weights; the rest is the seed's. All are measured on labelled stories, see
docs/design.md."""

LIKELY = 0.5
"""From this chance on, an article is no measure of what stands off topic."""

ROUNDS = 3
"""What one term alone may bring depends on the threshold, and the threshold on the scores: so often is it looked at."""

LEAST_ADDED = 0.04
"""Share of a profile's length from which a learned word is worth a term in a file that a person keeps."""

WORTH_IT = 1.02
"""By what the expected F1 must grow before another threshold is proposed."""

LEFT = 0.001
"""The weight of a term that tells nothing in this archive, where it stands in a file already."""

NEAREST = 8
"""On-topic articles that the notes at the terms speak of, at most."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A profile fitted to an archive: what came out, a note on each term, how many articles were read, how many of
    them are on topic by it, and how many of its terms the seed does not have."""

    profile: TopicProfile
    notes: Mapping[str, str]
    articles: int
    on_topic: int
    learned: int

    def onto(self, profile: TopicProfile) -> tuple[dict[int, float], dict[Term, str]]:
        """What the profile that was fitted would become term by term: other weights by their place in it, and terms to
        add with a note on each. A term that fitting left out stays, next to nothing."""
        now = {term.text: term for term in self.profile.terms}
        weights = {at: now[term.text].weight if term.text in now else LEFT for at, term in enumerate(profile.terms)}
        known = {term.text for term in profile.terms}
        return weights, {term: self.notes[term.text] for term in self.profile.terms if term.text not in known}


@dataclass(frozen=True, slots=True)
class Refitted:
    """What an archive proposes for a profile in use: a threshold (its own where it is good), terms to add with a note
    on each, how many articles were read, and how many of them are on topic, as it seems."""

    threshold: float
    added: Mapping[Term, str]
    articles: int
    expected: int


Values = dict[int, float]
"""Term (by its place) to what it stands for in an article, its share of the article's vector."""


def fitted(
    profile: TopicProfile, archive: Sequence[Heard], stories: Sequence[int] = (), lang: str = "en"
) -> Fitted | None:
    """The profile as this archive would have it; `None` when the archive is too small to say anything.

    `stories` has the story of each article, by its place; 0 where it stands alone. Rules, title and seed stay. Costs
    two passes over the archive.
    """
    if len(archive) < LEAST_ARTICLES or not profile.terms:
        return None
    # The archive says where the threshold lies; what the seed says of it by its scale is no help beside that.
    profile = replace(profile, scale=1.0)
    one = compiled(profile)
    said = _values(one, archive)
    rarer, rare, first = _first(one, said, len(archive), lang)
    chances = likely.chances(first, stories)
    teaching = lessons.teachers(chances, first)
    taught = lessons.words(profile, archive, teaching, lang)
    if teaching:
        near = [
            more * sum(said[at].get(index, 0.0) * weight for at, weight in teaching.items())
            for index, more in enumerate(rarer)
        ]
        mixed = _mixed(rare, [*near, *(lesson.term.weight for lesson in taught)])
        # What was learned has its places: the least of a long seed's words say less.
        own = sorted(range(len(rare)), key=lambda at: (-mixed[at], at))[: MOST_TERMS - len(taught)]
        kept = sorted([*own, *range(len(rare), len(mixed))])
        terms = (*profile.terms, *(lesson.term for lesson in taught))
        profile = replace(profile, terms=tuple(terms[at] for at in kept))
        rare = _unit([mixed[at] for at in kept])
        one = compiled(profile)
        said = _values(one, archive)
    off = [at for at, values in said.items() if _score(rare, values) < OFF and chances.get(at, 0.0) < LIKELY]
    weights = _told_apart(rare, said, off)
    length = math.sqrt(sum(weight**2 for weight in weights)) or 1.0
    threshold, scores = _parted(weights, said, chances)
    on = sorted((at for at in scores if scores[at] >= threshold), key=lambda at: (-scores[at], at))
    threshold = round(min(0.9, threshold / length), 3)
    fit = [replace(term, weight=round(weights[at] / length, 3)) for at, term in enumerate(profile.terms)]
    order = [at for at in sorted(range(len(fit)), key=lambda at: (-fit[at].weight, at)) if fit[at].weight > 0]
    among = {lesson.term.text: lesson.among for lesson in taught}
    held = Counter(index for values in said.values() for index in values)
    nearest = Counter(index for at in on[:NEAREST] for index in said[at])
    notes = {
        fit[at].text: _learned(among[fit[at].text], len(teaching), held[at], len(archive))
        if fit[at].text in among
        else _note(nearest[at], len(on[:NEAREST]), held[at], len(archive))
        for at in order
    }
    made = replace(profile, terms=tuple(fit[at] for at in order), threshold=threshold, fitted=len(archive))
    return Fitted(made, notes, len(archive), len(on), sum(term.text in among for term in made.terms))


def refitted(
    profile: TopicProfile, archive: Sequence[Heard], stories: Sequence[int] = (), lang: str = "en"
) -> Refitted | None:
    """What the archive proposes for a profile that a person may have edited; `None` when it is too small. Weights stay,
    since those of a fitted profile were set back already. The present threshold stays where another promises next to
    nothing."""
    if len(archive) < LEAST_ARTICLES or not profile.terms:
        return None
    one = compiled(profile)
    said = _values(one, archive)
    _, _, first = _first(one, said, len(archive), lang)
    chances = likely.chances(first, stories)
    if one.gates:  # what the rules keep out is no example
        fields = {at: [(field.raw, field.words) for field in archive[at].fields] for at in chances}
        chances = {at: chance for at, chance in chances.items() if not one.gates.closed(fields[at])}
    teaching = lessons.teachers(chances, first)
    taught = lessons.words(profile, archive, teaching, lang)[: max(0, MOST_TERMS - len(profile.terms))]
    near = [
        sum(said[at].get(index, 0.0) * weight for at, weight in teaching.items()) for index in range(len(one.weights))
    ]
    shares = _unit([*near, *(lesson.term.weight for lesson in taught)])[len(near) :]
    length = math.sqrt(sum(term.weight**2 for term in profile.terms)) or 1.0
    added = {
        replace(
            lesson.term, weight=weight
        ): f"learned from {lesson.among} of the {len(teaching)} nearest stored articles"
        for lesson, share in zip(taught, shares, strict=True)
        if (weight := round(LEARNED / (1 - LEARNED) * share * length, 3)) >= length * LEAST_ADDED
    }
    one = compiled(replace(profile, terms=(*profile.terms, *added)))
    said = _values(one, archive)
    threshold, scores = _parted(one.weights, said, chances)
    present = likely.expected(_scores(one.weights, said, profile.threshold), chances, profile.threshold)
    if likely.expected(scores, chances, threshold) < present * WORTH_IT or sum(chances.values()) < 1:
        threshold = profile.threshold
    return Refitted(round(threshold, 3), added, len(archive), round(sum(chances.values())))


def _first(
    one: Compiled, said: Mapping[int, Values], articles: int, lang: str
) -> tuple[list[float], list[float], dict[int, float]]:
    """By what each term is rarer here, the weights with that in them, and what articles score once these are told
    apart: the scores from which `likely` says who is on topic."""
    off = [at for at, values in said.items() if _score(one.weights, values) < OFF]
    rarer = _rarer(one, said, off, articles, lang)
    rare = _unit([weight * more for weight, more in zip(one.weights, rarer, strict=True)])
    return rarer, rare, _scores(_told_apart(rare, said, off), said, likely.USUAL)


def _parted(
    weights: Sequence[float], said: Mapping[int, Values], chances: Mapping[int, float]
) -> tuple[float, dict[int, float]]:
    """The threshold that parts the likely from the others, and the scores where it is in force."""
    threshold = likely.USUAL
    for _ in range(ROUNDS):
        threshold = likely.threshold(_scores(weights, said, threshold), chances)
    return threshold, _scores(weights, said, threshold)


def heard(articles: Iterable[Article]) -> list[Heard]:
    """An archive made ready, for one profile or many."""
    return [hear(article) for article in articles]


def _values(one: Compiled, archive: Sequence[Heard]) -> dict[int, Values]:
    """What the terms stand for in each article that has any of them."""
    panel = Panel((one,))
    found = ((at, panel.values(article).get(0)) for at, article in enumerate(archive))
    return {at: values for at, values in found if values}


def _rarer(one: Compiled, said: Mapping[int, Values], off: Iterable[int], articles: int, lang: str) -> list[float]:
    """By what each term is rarer here than in general. Counted is what is off topic: what many articles on topic hold
    is no company, and would set back the very name of a topic in the news."""
    held = Counter(index for at in off for index in said[at])
    general: dict[int, float] = {}
    for form, index in one.forms:
        general.setdefault(index, math.sqrt(sum(telling(word, lang) ** 2 for word in form)))
    return [lessons.rarer(held[at], articles, general.get(at, 0.0)) for at in range(len(one.weights))]


def _score(weights: Sequence[float], values: Values) -> float:
    return sum([weights[index] * value for index, value in values.items()])


def _scores(weights: Sequence[float], said: Mapping[int, Values], threshold: float) -> dict[int, float]:
    """What each article scores where no term alone may bring more than its share of this threshold."""
    cap = threshold * SINGLE_TERM if len(weights) >= FEW_TERMS else 1.0
    found = {
        at: sum([min(cap, weights[index] * value) for index, value in values.items()]) for at, values in said.items()
    }
    return {at: score for at, score in found.items() if score > 0}


def _unit(weights: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(weight**2 for weight in weights)) or 1.0
    return [weight / length for weight in weights]


def _mixed(seed: Sequence[float], near: Sequence[float]) -> list[float]:
    """The seed's weights and those of the nearest articles, who have terms of their own at the end."""
    own = [*seed, *[0.0] * (len(near) - len(seed))]
    return _unit([(1 - LEARNED) * mine + LEARNED * theirs for mine, theirs in zip(own, _unit(near), strict=True)])


def _told_apart(weights: Sequence[float], said: Mapping[int, Values], off: Iterable[int]) -> list[float]:
    """The weights, less where terms stand off topic, and stand there together: (1 + TOGETHER * C)^-1 w, where C sums
    the products of values over the articles off topic. Their length shrinks by half of what they lost, since a topic
    in a crowd should score less."""
    size = len(weights)
    together = [[0.0] * size for _ in range(size)]
    for at in off:
        pairs = list(said[at].items())
        for one, value in pairs:
            row = together[one]
            for other, theirs in pairs:
                row[other] += TOGETHER * value * theirs
    for at in range(size):
        together[at][at] += 1.0
    found = [max(0.0, weight) for weight in _solved(together, weights)]
    lost = math.sqrt(sum(weight**2 for weight in found) / (sum(weight**2 for weight in weights) or 1.0)) or 1.0
    return [weight / math.sqrt(lost) for weight in found]


def _solved(matrix: list[list[float]], right: Sequence[float]) -> list[float]:
    """The solution of a symmetric, positive definite system, by elimination; `matrix` is used up."""
    values = list(right)
    for at, row in enumerate(matrix):
        for below in range(at + 1, len(matrix)):
            if share := matrix[below][at] / row[at]:
                other = matrix[below]
                for column in range(at, len(row)):
                    other[column] -= share * row[column]
                values[below] -= share * values[at]
    for at in range(len(matrix) - 1, -1, -1):
        row = matrix[at]
        values[at] = (values[at] - sum(row[k] * values[k] for k in range(at + 1, len(row)))) / row[at]
    return values


def _note(near: int, nearest: int, held: int, articles: int) -> str:
    there = f"in {held:,} of {articles:,} stored articles"
    return f"in {near} of the {nearest} nearest articles, {there}" if nearest else there


def _learned(among: int, teaching: int, held: int, articles: int) -> str:
    return f"learned from {among} of the {teaching} nearest articles in your archive, in {held:,} of {articles:,}"
