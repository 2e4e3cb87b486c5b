"""Stories: which articles stand together, held against the labels of FNC-1/Emergent and BASIL.

BASIL is measured twice: all at one moment, as FNC-1 has no dates, and `dated`, each at its day (2010 to 2019), where
the window keeps what is years apart from each other. The short figures are title and 300 characters, and how much F1
that is above a greedy cosine with the threshold that serves both sets best.
"""

from __future__ import annotations

from quality import sets, streams


def measure() -> dict[str, float]:
    """BCubed precision, recall and F1 of each set."""
    figures: dict[str, float] = {}
    for name in ("fnc1", "basil"):
        pool = streams.stream(sets.labelled(name))
        figures |= _named(name, streams.bcubed(pool, streams.told(pool).story))
    pool = streams.stream(sets.labelled("basil"))
    figures |= _named("basil_dated", streams.bcubed(pool, streams.told(pool, dated=True).story))
    short = [streams.stream(streams.shortened(sets.labelled(name))) for name in ("fnc1", "basil")]
    _, greedy = streams.best_greedy(short)
    for name, pool, theirs in zip(("fnc1_short", "basil_short"), short, greedy, strict=True):
        ours = streams.bcubed(pool, streams.told(pool).story)
        figures |= _named(name, ours)
        figures[f"{name}_greedy_f1"] = theirs.f1
        figures[f"{name}_over_greedy"] = ours.f1 - theirs.f1
    return figures


def _named(name: str, score: streams.Score) -> dict[str, float]:
    return {f"{name}_precision": score.precision, f"{name}_recall": score.recall, f"{name}_f1": score.f1}
