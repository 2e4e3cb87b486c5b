"""Where a topic's threshold lies, and which article's label would tell most about it. Numbers in, numbers out.

The model, as small as it can be: there is one threshold that nobody knows, and an article is the more likely on topic
the higher its score lies above it, in proportion (a logistic curve in the logarithm of the score). What is known before
any answer is that the present threshold is about right (BEFORE). Every answer moves that belief by Bayes' rule, and
labelled articles count as known. From the belief follows the F1 a threshold may expect over all articles, and so

- the threshold to propose: the one with the highest expected F1 among those that agree with as many labels as any
  threshold can. The present one stays when it is among them: no label against it, no change;
- the article to ask about: the one after whose answer, whichever it is, the highest F1 is expected.

Knows no article: a candidate is a number, a score, and a group.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

BEFORE = 0.3
"""How far off a threshold usually is before anybody answered: the standard deviation of its logarithm."""

BLUR = 0.1
"""How blurred the border is: an article that far (in logarithms) from the threshold is on the other side in 27 %."""

ODD = 0.03
"""Share of articles that do not follow their score at all."""

STEP, STEPS = 0.05, 40
"""The thresholds considered: STEPS of them, a factor of exp(STEP) apart, around the present one (0.37 to 2.7 of it)."""

LOWEST = 0.25
"""Articles with less than this share of the threshold do not come into question."""

MOST = 600
"""Articles looked at, those that score highest: enough to see the border, few enough for a page."""

AS_GOOD = 0.004
"""Questions whose expected F1 differs by less than this teach as much; then other things decide."""

ENOUGH = 8
"""Labels of each kind from which weights are touched: a term's share among eight is known to within a sixth or so."""

BOUND = 1.5
"""A weight is raised or lowered by no more than this factor at a time."""

LEAST_CHANGE = 0.05
"""A smaller change of a weight is left out: the person who reads the difference should see what matters."""

_LIKELY = 0.004
_OPEN = 0.08


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article by its number, its score, and what it belongs together with (its story). `at` sorts by time."""

    number: int
    score: float
    group: int = 0
    at: str = ""


def question(
    candidates: Iterable[Candidate],
    said: Mapping[int, bool],
    threshold: float,
    asked_groups: Iterable[int] = (),
) -> Candidate | None:
    """The article whose label would teach most; `None` when there is nothing left to ask.

    `said` is number to label, of candidates. Of articles that teach as much as each other, one of a story that was not
    asked about yet comes first, then the latest.
    """
    pool = _pool(candidates, threshold)
    belief = _Belief(pool, said, threshold)
    groups = {one.group for one in pool if one.number in said} | set(asked_groups)
    worth = [(belief.worth_of(at), pool[at]) for at in belief.open()]
    if not worth:
        return next((one for one in sorted(pool, key=lambda c: _away(c, threshold)) if one.number not in said), None)
    best = max(value for value, _ in worth)
    as_good = [(value, one) for value, one in worth if value >= best - AS_GOOD]
    return max(as_good, key=lambda pair: (pair[1].group not in groups, pair[1].at, pair[0], -pair[1].number))[1]


def questions(
    candidates: Sequence[Candidate], said: Mapping[int, bool], threshold: float, most: int = 3
) -> tuple[Candidate, ...]:
    """Several to be asked at once: the best question, then the best after a yes and after a no to it, and so on."""
    return _questions(tuple(candidates), tuple(sorted(said.items())), threshold, most)


@lru_cache(maxsize=128)
def _questions(
    candidates: tuple[Candidate, ...], said: tuple[tuple[int, bool], ...], threshold: float, most: int
) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    answers: list[dict[int, bool]] = [{}]
    while answers and len(found) < most:
        guess = answers.pop(0)
        taken = {one.number for one in found}
        rest = [one for one in candidates if one.number not in taken or one.number in guess]
        groups = [one.group for one in found]
        one = question(rest, {**dict(said), **guess}, threshold, groups)
        if one is None or one.number in taken:
            continue
        found.append(one)
        answers += [{**guess, one.number: True}, {**guess, one.number: False}]
    return tuple(found)


def threshold(candidates: Iterable[Candidate], said: Mapping[int, bool], present: float) -> float:
    """The threshold to propose, 0 to 1, at most four digits after the point. `present` when no label speaks against it.

    It agrees with as many labels as any threshold can: where they can be told apart by score, it lies above every
    article that is off topic and not above any that is on topic.
    """
    whole = list(candidates)
    labelled = [(one.score, said[one.number]) for one in whole if one.number in said]
    if not labelled:
        return present
    spans = _spans(labelled)
    fewest = min(wrong for _, _, wrong in spans)
    if sum((score >= present) != on for score, on in labelled) == fewest:
        return present
    belief = _Belief(_pool(whole, present), said, present)
    tried = [(math.exp(place), low, high) for place in belief.places for low, high in [_span_of(spans, place, fewest)]]
    inside = [(value, low, high) for value, low, high in tried if low < value <= high]
    if inside:
        worths = belief.worths(belief.weights)
        value, low, high = max(inside, key=lambda one: (worths.get(_nearest(belief.places, one[0]), -1.0), one[0]))
    else:  # the answers lie closer together than the steps, or far away
        low, high, _ = min(
            (span for span in spans if span[2] == fewest), key=lambda s: abs(math.log(_middle(s) / present))
        )
        value = _middle((low, high, 0))
    return _rounded(value, low, high)


def _spans(labelled: Sequence[tuple[float, bool]]) -> list[tuple[float, float, int]]:
    """The thresholds that tell the labelled articles apart in one way: (above, up to, labels it gets wrong)."""
    edges = [0.0, *sorted({score for score, _ in labelled if 0 < score < 1}), 1.0]
    return [(low, high, sum((score > low) != on for score, on in labelled)) for low, high in pairwise(edges)]


def _span_of(spans: Sequence[tuple[float, float, int]], place: float, fewest: int) -> tuple[float, float]:
    value = math.exp(place)
    return next(((low, high) for low, high, wrong in spans if low < value <= high and wrong == fewest), (1.0, 0.0))


def _middle(span: tuple[float, float, int]) -> float:
    """Between two answers in proportion; below the lowest, or above the highest, a tenth away."""
    low, high, _ = span
    if low <= 0:
        return high * 0.9
    return min(low * 1.1, (low + high) / 2) if high >= 1.0 else math.sqrt(low * high)


def _rounded(value: float, low: float, high: float) -> float:
    """As short as it can be written and still lie in (low, high]; scores have four digits."""
    for digits in (2, 3, 4):
        short = round(value, digits)
        if low < short <= high and 0 < short < 1:
            return short
    return high if high < 1 else value


def _nearest(places: Sequence[float], value: float) -> int:
    return min(range(len(places)), key=lambda at: abs(places[at] - math.log(value)))


def _pool(candidates: Iterable[Candidate], threshold: float) -> list[Candidate]:
    """The candidates that come into question, highest score first."""
    within = [one for one in candidates if one.score >= LOWEST * threshold]
    return sorted(within, key=lambda one: (-one.score, one.number))[:MOST]


def _away(one: Candidate, threshold: float) -> tuple[float, int]:
    return abs(math.log(one.score / threshold)), one.number


def _curve(distance: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, distance / BLUR))))


class _Belief:
    """How likely each threshold is after what was said, and the F1 each may expect."""

    def __init__(self, pool: Sequence[Candidate], said: Mapping[int, bool], threshold: float) -> None:
        middle = math.log(threshold)
        self.places = [middle + (at - (STEPS - 1) / 2) * STEP for at in range(STEPS)]
        self._logs = [math.log(one.score) for one in pool]
        self.known = {at: said[one.number] for at, one in enumerate(pool) if one.number in said}
        falling = [-log for log in self._logs]
        # How many articles each threshold lets in, and how many of those are on topic if another one is the true one.
        self._let_in = [bisect_left(falling, -place + 1e-12) for place in self.places]
        self._chances = [[_curve(log - place) for log in self._logs] for place in self.places]
        self._hits: list[list[float]] = []
        self._all: list[float] = []
        for chances in self._chances:
            sums = [0.0]
            for chance in chances:
                sums.append(sums[-1] + chance)
            self._hits.append([sums[count] for count in self._let_in])
            self._all.append(sums[-1])
        weights = [math.exp(-((place - middle) ** 2) / (2 * BEFORE**2)) for place in self.places]
        for at, on in sorted(self.known.items()):
            weights = self._after(weights, at, on)
        self.weights = _even(weights)

    def _after(self, weights: Sequence[float], at: int, on: bool) -> list[float]:
        odds = [ODD + (1 - 2 * ODD) * chances[at] for chances in self._chances]
        return [weight * (odd if on else 1 - odd) for weight, odd in zip(weights, odds, strict=True)]

    def open(self) -> list[int]:
        """The articles worth asking about: for each threshold the nearest two that nobody spoke of, where the answer
        is open."""
        near: set[int] = set()
        for place in self.places:
            at = bisect_left(self._logs, -place, key=lambda log: -log)
            below = next((k for k in range(at, len(self._logs)) if k not in self.known), None)
            above = next((k for k in range(at - 1, -1, -1) if k not in self.known), None)
            near |= {k for k in (below, above) if k is not None}
        return sorted(at for at in near if _OPEN <= self._chance(at) <= 1 - _OPEN)

    def _chance(self, at: int) -> float:
        return sum(weight * chances[at] for weight, chances in zip(self.weights, self._chances, strict=True))

    def worth_of(self, at: int) -> float:
        """The F1 to be expected after the answer on this article."""
        worth = 0.0
        for on in (True, False):
            weights = self._after(self.weights, at, on)
            chance = sum(weights)
            worth += chance * max(self.worths(_even(weights), {at: on}).values())
        return worth

    def worths(self, weights: Sequence[float], more: Mapping[int, bool] | None = None) -> dict[int, float]:
        """The expected F1 of each threshold that is likely at all (by its place), once `more` is known too."""
        known = {**self.known, **(more or {})}
        on = sum(known.values())
        likely = [k for k, weight in enumerate(weights) if weight >= _LIKELY]
        told = {k: sum(self._chances[k][at] for at in known) for k in likely}
        worths = {}
        for cut in range(likely[0], likely[-1] + 1):
            above = [at for at in known if at < self._let_in[cut]]
            picked = on + self._let_in[cut] - len(above)
            worth = 0.0
            for k in likely:
                chances = self._chances[k]
                hits = on + self._hits[k][cut] - sum(chances[at] for at in above)
                there = on + self._all[k] - told[k]
                worth += weights[k] * 2 * hits / (picked + there) if picked + there > 0 else 0.0
            worths[cut] = worth
        return worths


def _even(weights: Sequence[float]) -> list[float]:
    whole = sum(weights)
    return [weight / whole for weight in weights]


def factors(on: Sequence[Iterable[str]], off: Sequence[Iterable[str]], least: int = ENOUGH) -> dict[str, float]:
    """By what to multiply each term's weight: the terms of each article labelled on topic, and of each off topic.

    Empty while there are fewer than `least` of either. The square root of how much more often a term stands in the ones
    than in the others, both shares drawn towards a half (Laplace), within BOUND.
    """
    if min(len(on), len(off)) < least:
        return {}
    with_on, with_off = (_counts(articles) for articles in (on, off))
    found = {}
    for term in sorted(with_on.keys() | with_off.keys()):
        share_on = (with_on.get(term, 0) + 1) / (len(on) + 2)
        share_off = (with_off.get(term, 0) + 1) / (len(off) + 2)
        factor = min(BOUND, max(1 / BOUND, math.sqrt(share_on / share_off)))
        if abs(factor - 1) >= LEAST_CHANGE:
            found[term] = factor
    return found


def _counts(articles: Sequence[Iterable[str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for terms in articles:
        for term in set(terms):
            counts[term] = counts.get(term, 0) + 1
    return counts
