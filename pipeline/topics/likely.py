"""How likely each stored article is on a topic nobody labelled yet, and the threshold that follows. Numbers in and out.

A score alone is a poor judge near the threshold; a score and the company an article keeps is a better one. Reports of
one story are on one side of most topics, so what the others of its story score speaks for or against an article, and
most of all whether its story is that of the article nearest to the seed. `chances` says so as a probability (logistic,
five numbers, measured on labelled stories, see docs/design.md); `threshold` is the one from which the most F1 may be
expected if these chances are true.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

USUAL = 0.2
"""Where the threshold usually lies, for weights that an archive set back."""

LOOKED_AT = 0.05
"""Score below which an article is taken to be off topic without a further look."""

ALONE, SCORE, STORY, AMONG, NEAREST = 0.25, 3.4, 0.8, -2.1, 2.3
"""What speaks for an article, in log odds: that of an article alone at the usual threshold; how its score grows them
(by the logarithm); the same for the mean score of the others of its story, and what is taken off for having others; and
that its story is that of the nearest article of all."""

UNLIKELY = 0.05
"""A smaller chance is none: a crowd of them would add up to articles on topic that nobody could name."""

FAINT = 0.02
"""The least that a story's mean is taken for."""

FAR = 0.04
"""Where the scores of all those lie that were not looked at further."""

PULL = 0.05
"""How much of the expected F1's logarithm a threshold loses by lying away from the usual place (by the square of its
logarithm)."""

MARGIN = 0.25
"""How near to the articles on its sides a threshold may lie, as a share of the way from the one to the other."""


def chances(scores: Mapping[int, float], stories: Sequence[int]) -> dict[int, float]:
    """How likely each article is on topic, 0 to 1, by its place; those that score next to nothing are left out.

    `stories` has the story of each article of the archive, by place; 0 for one that stands alone. An article without a
    score scores 0.
    """
    looked = {at: score for at, score in scores.items() if score >= LOOKED_AT}
    if not looked:
        return {}
    nearest = max(looked, key=lambda at: (looked[at], -at))
    mine = {stories[at] for at in looked if at < len(stories)} - {0}
    count: dict[int, int] = defaultdict(int)
    whole: dict[int, float] = defaultdict(float)
    for at, story in enumerate(stories):
        if story in mine:
            count[story] += 1
            whole[story] += scores.get(at, 0.0)
    found = {}
    for at, score in looked.items():
        odds = ALONE + SCORE * math.log(score / USUAL)
        story = stories[at] if at < len(stories) else 0
        if story and count[story] > 1:
            others = (whole[story] - score) / (count[story] - 1)
            odds += AMONG + STORY * math.log(max(others, FAINT) / USUAL)
            odds += NEAREST if stories[nearest] == story else 0.0
        chance = 1 / (1 + math.exp(-odds))
        found[at] = chance if chance >= UNLIKELY else 0.0
    return found


def expected(scores: Mapping[int, float], likely: Mapping[int, float], threshold: float) -> float:
    """The F1 that a threshold may expect over the articles in `likely`, 0 to 1."""
    taken = [likely[at] for at in likely if scores.get(at, 0.0) >= threshold]
    whole = len(taken) + sum(likely.values())
    return 2 * sum(taken) / whole if whole else 0.0


def threshold(scores: Mapping[int, float], likely: Mapping[int, float]) -> float:
    """The threshold with the highest expected F1 over the articles in `likely`, drawn a little to the usual one; that
    one itself where less than one article may be expected on topic."""
    there = sum(likely.values())
    if there < 1:
        return USUAL
    order = sorted(((max(scores.get(at, 0.0), FAR), likely[at]) for at in likely), reverse=True)
    usual, best, place, right = math.log(USUAL), -math.inf, USUAL, 0.0
    for taken, (score, chance) in enumerate(order, 1):
        right += chance
        above, below = math.log(score), math.log(order[taken][0] if taken < len(order) else FAR)
        if below >= above or right < UNLIKELY:
            continue
        margin = MARGIN * (above - below)
        between = min(max(usual, below + margin), above - margin)
        worth = math.log(2 * right / (taken + there)) - PULL * (between - usual) ** 2
        if worth > best:
            best, place = worth, math.exp(between)
    return place
