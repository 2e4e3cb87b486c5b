"""What the archive teaches a new topic. Pure: a profile and stored articles in, a better profile out.

A seed says what one report says; the archive says what else is written. Two lessons, and a person can read both in the
profile that comes out:

- what stands in many articles off topic, above all side by side with other terms, weighs less: the weights are
  multiplied by the inverse of how terms occur together off topic, so that "court", "judge" and "ruling" count for about
  one of them where courts are news every day;
- the threshold goes where the archive leaves a gap between scores, near to where it usually lies.

All is written into the profile's weights and threshold. Scoring knows no archive: the same profile gives an article the
same score on every machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.model import Article, TopicProfile
from pipeline.topics.match import Compiled, Heard, Panel, compiled, hear
from pipeline.topics.words import telling

LEAST_ARTICLES = 200
"""An archive smaller than this teaches nothing."""

OFF = 0.2
"""Score by the seed alone below which an article is taken to be off topic."""

TOGETHER = 0.1
"""How much each article off topic sets back the terms that stand in it."""

USUAL = 0.19
"""Where the threshold usually lies then, on the scale of scores whose weights were set back."""

SPREAD, GAP, NEAR = 0.3, 0.3, 0.1
"""How far from there it may lie (standard deviation of its logarithm), how much a gap counts, and how wide one is. All
five are measured on labelled stories, see docs/design.md."""

NEAREST = 8
"""On-topic articles that the notes at the terms speak of, at most."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A profile fitted to an archive: what came out, a note on each term, how many articles were read, and how many of
    them are on topic by it."""

    profile: TopicProfile
    notes: Mapping[str, str]
    articles: int
    on_topic: int


Values = dict[int, float]
"""Term (by its place) to what it stands for in an article, its share of the article's vector."""


def fitted(profile: TopicProfile, archive: Sequence[Heard], lang: str = "en") -> Fitted | None:
    """The profile as this archive would have it; `None` when the archive is too small to say anything.

    Terms, rules, title and seed stay. Costs a pass over the archive.
    """
    if len(archive) < LEAST_ARTICLES or not profile.terms:
        return None
    one = compiled(profile)
    said = _values(one, archive)
    held = Counter(index for values in said.values() for index in values)
    # What many articles on topic hold is no company: their share would set back the very name of a topic in the news.
    off = Counter(index for values in said.values() if _score(one.weights, values) < OFF for index in values)
    rare = _unit([weight * _rarer(one, at, off[at], len(archive), lang) for at, weight in enumerate(one.weights)])
    weights = _told_apart(rare, said)
    scores = {at: score for at, values in said.items() if (score := _score(weights, values)) > 0}
    threshold = _gap(list(scores.values()))
    on = sorted((at for at in scores if scores[at] >= threshold), key=lambda at: (-scores[at], at))
    length = math.sqrt(sum(weight**2 for weight in weights)) or 1.0
    terms = [replace(term, weight=round(weights[at] / length, 3)) for at, term in enumerate(profile.terms)]
    order = sorted(range(len(terms)), key=lambda at: (-terms[at].weight, at))
    kept = [at for at in order if terms[at].weight > 0]
    among = Counter(index for at in on[:NEAREST] for index in said[at])
    notes = {terms[at].text: _note(among[at], len(on[:NEAREST]), held[at], len(archive)) for at in kept}
    made = replace(profile, terms=tuple(terms[at] for at in kept), threshold=min(0.9, round(threshold / length, 2)))
    return Fitted(made, notes, len(archive), len(on))


def heard(articles: Iterable[Article]) -> list[Heard]:
    """An archive made ready, for one profile or many."""
    return [hear(article) for article in articles]


def _values(one: Compiled, archive: Sequence[Heard]) -> dict[int, Values]:
    """What the terms stand for in each article that has any of them."""
    panel = Panel((one,))
    found = ((at, panel.values(article).get(0)) for at, article in enumerate(archive))
    return {at: values for at, values in found if values}


def _rarer(one: Compiled, at: int, held: int, among: int, lang: str) -> float:
    """By what a term is rarer here than in general; half of that is believed."""
    form = next((form for form, index in one.forms if index == at), ())
    general = math.sqrt(sum(telling(word, lang) ** 2 for word in form))
    if not general:
        return 1.0
    return 0.5 + 0.5 * math.log((among + 1) / (held + 0.5)) / general


def _score(weights: Sequence[float], values: Values) -> float:
    return sum([weights[index] * value for index, value in values.items()])


def _unit(weights: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(weight**2 for weight in weights)) or 1.0
    return [weight / length for weight in weights]


def _told_apart(weights: Sequence[float], said: Mapping[int, Values]) -> list[float]:
    """The weights, less where terms stand off topic, and stand there together: (1 + TOGETHER * C)^-1 w, where C sums
    the products of values over the articles off topic. Their length shrinks by half of what they lost, since a topic
    in a crowd should score less."""
    size = len(weights)
    together = [[0.0] * size for _ in range(size)]
    for values in said.values():
        if _score(weights, values) < OFF:
            pairs = list(values.items())
            for one, value in pairs:
                row = together[one]
                for other, theirs in pairs:
                    row[other] += TOGETHER * value * theirs
    for at in range(size):
        together[at][at] += 1.0
    found = [max(0.0, weight) for weight in _solved(together, weights)]
    length = math.sqrt(sum(weight**2 for weight in found)) or 1.0
    return [weight / math.sqrt(length) for weight in found]


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


def _gap(scores: Sequence[float]) -> float:
    """Where few scores lie, near the usual place."""
    logs = [math.log(score) for score in scores if score >= USUAL / 3]
    best, place = -math.inf, USUAL
    for step in range(-28, 29):
        away = step * 0.025
        at = math.log(USUAL) + away
        crowd = sum(math.exp(-((log - at) ** 2) / (2 * NEAR**2)) for log in logs if abs(log - at) < 4 * NEAR)
        worth = -GAP * math.log1p(crowd) - away**2 / (2 * SPREAD**2)
        if worth > best:
            best, place = worth, math.exp(at)
    return place


def _note(near: int, nearest: int, held: int, articles: int) -> str:
    there = f"in {held:,} of {articles:,} stored articles"
    return f"in {near} of the {nearest} nearest articles, {there}" if nearest else there
