"""Which answer teaches most, and where the threshold goes: laws that hold for any scores and any answers."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import learn, topics
from pipeline.learn import Candidate
from pipeline.model import Evidence

scores = st.floats(0, 1).map(lambda score: round(score, 4))
thresholds = st.floats(0.02, 0.9).map(lambda value: round(value, 3))


@st.composite
def archives(draw: st.DrawFn, labels: int = 8) -> tuple[list[Candidate], dict[int, bool]]:
    """Articles and what was said of some of them."""
    found = draw(st.lists(scores, min_size=1, max_size=40))
    candidates = [Candidate(at, score, at // 3, f"2026-03-{1 + at % 28:02d}") for at, score in enumerate(found)]
    said = draw(st.dictionaries(st.sampled_from(range(len(found))), st.booleans(), max_size=labels))
    return candidates, said


def wrong(candidates: list[Candidate], said: dict[int, bool], threshold: float) -> int:
    return sum((one.score >= threshold) != said[one.number] for one in candidates if one.number in said)


@given(archives(labels=0), thresholds)
def test_without_labels_the_threshold_stays(archive: tuple[list[Candidate], dict[int, bool]], present: float) -> None:
    assert learn.threshold(archive[0], {}, present) == present


@settings(deadline=None)
@given(archives(), thresholds)
def test_the_threshold_agrees_with_as_many_labels_as_any_can(
    archive: tuple[list[Candidate], dict[int, bool]], present: float
) -> None:
    candidates, said = archive
    found = learn.threshold(candidates, said, present)
    assert 0 < found < 1
    edges = [one.score for one in candidates] + [0.00005, 0.99999]
    best = min(wrong(candidates, said, edge) for at in edges for edge in (at, at + 0.00005) if 0 < edge < 1)
    assert wrong(candidates, said, found) == best
    if wrong(candidates, said, present) == best:
        assert found == present, "no label speaks against it"


@settings(deadline=None)
@given(archives(), thresholds, st.floats(0.05, 0.95))
def test_answers_that_scores_can_tell_apart_have_the_threshold_between_them(
    archive: tuple[list[Candidate], dict[int, bool]], present: float, border: float
) -> None:
    candidates, said = archive
    said = {number: candidates[number].score >= border for number in said}
    found = learn.threshold(candidates, said, present)
    assert all((candidates[number].score >= found) == on for number, on in said.items())


@settings(deadline=None)
@given(archives(), thresholds, st.randoms(use_true_random=False))
def test_neither_the_order_of_articles_nor_of_answers_counts(
    archive: tuple[list[Candidate], dict[int, bool]], present: float, dice: random.Random
) -> None:
    candidates, said = archive
    mixed, told = list(candidates), list(said.items())
    dice.shuffle(mixed)
    dice.shuffle(told)
    assert learn.threshold(mixed, dict(told), present) == learn.threshold(candidates, said, present)
    assert learn.question(mixed, dict(told), present) == learn.question(candidates, said, present)


@settings(deadline=None)
@given(archives(), thresholds)
def test_a_threshold_that_was_taken_over_is_proposed_again(
    archive: tuple[list[Candidate], dict[int, bool]], present: float
) -> None:
    candidates, said = archive
    taken_over = learn.threshold(candidates, said, present)
    assert learn.threshold(candidates, said, taken_over) == taken_over


@settings(deadline=None, max_examples=50)
@given(archives(), thresholds)
def test_questions_are_different_and_of_articles_nobody_spoke_of(
    archive: tuple[list[Candidate], dict[int, bool]], present: float
) -> None:
    candidates, said = archive
    asked = learn.questions(candidates, said, present)
    assert len({one.number for one in asked}) == len(asked) <= 3
    assert not {one.number for one in asked} & said.keys()
    near = [one for one in candidates if one.number not in said and one.score >= learn.LOWEST * present]
    assert bool(asked) == bool(near)
    if asked:
        assert asked[0] == learn.question(candidates, said, present)


def test_the_first_question_is_near_the_threshold_and_answers_halve_what_is_open() -> None:
    candidates = [Candidate(at, 0.05 + at / 100, at) for at in range(60)]
    border = 0.345
    said: dict[int, bool] = {}
    threshold = 0.2
    for _ in range(6):
        one = learn.question(candidates, said, threshold)
        assert one is not None
        said[one.number] = one.score >= border
    assert abs(math.log(candidates[min(said)].score / threshold)) < 1.5
    assert learn.threshold(candidates, said, threshold) == pytest.approx(border, rel=0.12)


def test_three_questions_are_about_three_stories_where_they_teach_as_much() -> None:
    crowd = [Candidate(at, 0.2 + at / 10_000, group=1) for at in range(20)]
    others = [Candidate(100 + at, 0.2 + at / 10_000, group=2 + at) for at in range(5)]
    asked = learn.questions(crowd + others, {}, 0.2)
    assert len({one.group for one in asked}) == 3


def test_of_articles_that_teach_as_much_the_latest_is_asked_about() -> None:
    old = [Candidate(at, 0.2, at, "2026-01-01") for at in range(5)]
    new = Candidate(9, 0.2, 9, "2026-03-01")
    assert learn.question([*old, new], {}, 0.2) == new


# --- marks ----------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_marks_count_every_label_once(pairs: list[tuple[bool, bool]]) -> None:
    found = topics.marks(pairs)
    assert found.labels == len(pairs)
    assert found.right == sum(verdict == label for verdict, label in pairs)
    for value in (found.precision, found.recall):
        assert value is None or 0 <= value <= 1


def test_marks_say_nothing_where_there_is_nothing_to_say() -> None:
    assert topics.marks([(False, False)]).precision is None
    assert topics.marks([(True, False)]).recall is None
    assert (topics.marks([(True, True), (True, False)]).precision, topics.marks([(False, True)]).recall) == (0.5, 0.0)


def test_differences_name_the_terms_that_moved_the_greatest_first() -> None:
    was = [Evidence("barrage", "title", 1, 0.1), Evidence("barrage", "text", 2, 0.1), Evidence("tide", "text", 1, 0.03)]
    now = [Evidence("barrage", "title", 1, 0.15), Evidence("tide", "text", 1, 0.031), Evidence("weir", "text", 1, 0.2)]
    found = topics.differences(was, now)
    assert [(one.term, one.was, one.now) for one in found] == [("weir", 0.0, 0.2), ("barrage", 0.2, 0.15)]


# --- weights --------------------------------------------------------------------------------------------------

terms = st.sets(st.sampled_from(["barrage", "estuary", "sluice", "tide"]))


@given(st.lists(terms, max_size=20), st.lists(terms, max_size=20))
def test_weights_move_only_with_labels_enough_and_never_far(on: list[set[str]], off: list[set[str]]) -> None:
    found = learn.factors(on, off)
    assert all(1 / learn.BOUND <= factor <= learn.BOUND for factor in found.values())
    if min(len(on), len(off)) < learn.ENOUGH:
        assert found == {}
    assert found == learn.factors(on[::-1], off[::-1])


def test_a_term_that_stands_in_as_many_of_either_keeps_its_weight() -> None:
    both = [{"barrage", "tide"}] * 10
    assert learn.factors(both, both) == {}
    found = learn.factors([{"barrage", "sluice"}] * 10, [{"barrage"}] * 10)
    assert found.keys() == {"sluice"}
    assert found["sluice"] > 1
