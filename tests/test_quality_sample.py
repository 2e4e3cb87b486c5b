"""A sample of the quality measurements, where the labelled articles lie beside the project; else passed over."""

from __future__ import annotations

import pytest
from quality import sets, streams

pytestmark = [
    pytest.mark.skipif(not sets.there(), reason="no labelled articles beside the project"),
    pytest.mark.slow,
]


def test_stories_of_a_few_hundred_labelled_articles_hold_their_floors() -> None:
    """BASIL's hundred events among every twentieth article of the background, each at its day."""
    pool = sets.shuffled([*sets.labelled("basil"), *sets.background()[::20]])
    score = streams.bcubed(pool, streams.told(pool, dated=True).story)
    assert score.precision >= 0.98, "a false merge claims that two newsrooms agreed"
    assert score.recall >= 0.86


def test_texts_that_share_most_of_their_runs_are_copies_and_others_are_not() -> None:
    pairs = [pair for pair in sets.copies() if pair["jaccard"] >= 0.5][:60]
    wanted = {name for pair in pairs for name in (pair["a"], pair["b"])}
    pool = sets.shuffled([sample for sample in sets.whole("fnc1") if sample.id in wanted])
    copy_of = streams.told(pool).copy_of
    found = [copy_of.get(pair["a"], pair["a"]) == copy_of.get(pair["b"], pair["b"]) for pair in pairs]
    assert sum(found) >= 0.97 * len(pairs)
    assert not set(copy_of) & set(copy_of.values())
    label = {sample.id: sample.story for sample in pool}
    assert sum(label[one] != label[other] for one, other in copy_of.items()) <= 1
