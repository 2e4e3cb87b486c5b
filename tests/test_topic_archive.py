"""What an archive teaches a new topic: common company weighs less, near articles teach words, stories hold together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import article
from hypothesis import given
from hypothesis import strategies as st

from pipeline import topics
from pipeline.model import Article, Rules, TopicProfile
from pipeline.topics import likely
from pipeline.topics.archive import LEAST_ARTICLES, _solved

SEED = """Judge halts sale of the Veldrix ferry yard

A court ruling in Korvik halted the sale of the Veldrix ferry yard on Monday. The judge said the tribunal had not heard
the shipwrights of Veldrix. The yard builds ferries for the Saltmere crossing.
"""
COURTS = "A judge in {} gave a court ruling on a {} case. The tribunal heard the verdict and adjourned the appeal."
PLACES = ["Lower Tannet", "Gaverne", "Ostrava", "Marrow", "Helmsley", "Pentire"]


def profile() -> TopicProfile:
    return topics.profile(topics.document(SEED, "seed.txt"), "yard")


def weight(one: TopicProfile, term: str) -> float:
    return next((found.weight for found in one.terms if found.text.lower() == term.lower()), 0.0)


def archive(count: int = 300) -> list[Article]:
    """Courts every day, and the yard three times."""
    off = [article(title=f"Case {n}", text=COURTS.format(PLACES[n % 6], f"number {n}")) for n in range(count)]
    on = [
        article(
            title="Veldrix yard waits", text=f"Shipwrights of the Veldrix ferry yard wait, day {n}. Korvik objects."
        )
        for n in range(3)
    ]
    return [*off, *on]


def test_what_stands_off_topic_every_day_weighs_less_and_says_so() -> None:
    alone = profile()
    found = topics.fitted(alone, topics.heard(archive()))
    assert found is not None
    assert found.articles == 303
    for term in ("tribunal", "judge"):
        assert weight(found.profile, term) / weight(found.profile, "Veldrix") < weight(alone, term) / weight(
            alone, "Veldrix"
        )
        assert "in 300 of 303 stored articles" in found.notes[term]
    assert found.on_topic == 3
    assert "in 3 of the 3 nearest articles" in found.notes["Veldrix"]


def test_a_fitted_topic_finds_its_reports_and_leaves_the_daily_company_out() -> None:
    found = topics.fitted(profile(), topics.heard(archive()))
    assert found is not None
    panel = topics.Panel((topics.compiled(found.profile),))
    verdicts = [any(match.on_topic for match in panel.match(one)) for one in archive()]
    assert verdicts == [False] * 300 + [True] * 3


@pytest.mark.parametrize("count", [0, LEAST_ARTICLES - 4])
def test_a_small_archive_teaches_nothing(count: int) -> None:
    assert topics.fitted(profile(), topics.heard(archive(count))) is None


def test_the_fitted_profile_is_the_same_each_time_and_reads_back(tmp_path: Path) -> None:
    one, other = (topics.fitted(profile(), topics.heard(archive())) for _ in range(2))
    assert one is not None
    assert one == other
    assert 0 < one.profile.threshold < 1
    assert "# in 3 of the 3 nearest articles, in 3 of 303 stored articles" in topics.toml(one.profile, one.notes)


def test_words_of_the_nearest_articles_become_terms_that_say_where_they_come_from() -> None:
    near = [
        article(
            title=f"Veldrix yard, bid {n}",
            text="Shipwrights of the Veldrix ferry yard in Korvik weigh a Pontefract bid.",
        )
        for n in range(3)
    ]
    found = topics.fitted(profile(), topics.heard([*archive(), *near]))
    assert found is not None
    learned = next(term for term in found.profile.terms if term.text == "Pontefract")
    assert learned.kind == "name"
    assert "learned from 3 of the 6 nearest articles" in found.notes["Pontefract"]
    assert found.learned >= 1
    later = article(title="Pontefract bids for the Korvik yard", text="Pontefract bids for the ferry yard of Korvik.")

    def score(one: TopicProfile) -> float:
        return topics.match(later, (topics.compiled(one),))[0].score / one.threshold

    assert score(found.profile) > score(profile())


def test_a_topic_that_nothing_is_near_learns_no_word_and_keeps_the_usual_threshold() -> None:
    found = topics.fitted(profile(), topics.heard(archive()[:300]))
    assert found is not None
    assert found.learned == 0
    assert {term.text for term in found.profile.terms} <= {term.text for term in profile().terms}
    assert found.profile.threshold >= 0.2


def test_a_topic_in_use_keeps_its_weights_and_is_offered_words_and_a_threshold() -> None:
    near = [
        article(
            title=f"Veldrix yard, bid {n}",
            text="Shipwrights of the Veldrix ferry yard in Korvik weigh a Pontefract bid.",
        )
        for n in range(3)
    ]
    strict = replace(profile(), threshold=0.9)
    found = topics.refitted(strict, topics.heard([*archive(), *near]))
    assert found is not None
    assert "Pontefract" in {term.text for term in found.added}
    assert all("nearest stored articles" in note for note in found.added.values())
    assert 0.05 < found.threshold < 0.9
    closed = replace(strict, rules=Rules(none=("Veldrix",)))
    kept_out = topics.refitted(closed, topics.heard([*archive(), *near]))
    assert kept_out is not None
    assert (kept_out.added, kept_out.threshold) == ({}, 0.9), "what the rules keep out is no example"


def test_where_nothing_is_near_a_topic_in_use_stays_as_it_is() -> None:
    found = topics.refitted(profile(), topics.heard(archive()[:300]))
    assert found is not None
    assert (found.added, found.threshold) == ({}, profile().threshold)
    assert topics.refitted(profile(), topics.heard(archive(LEAST_ARTICLES - 4))) is None


def test_the_others_of_a_story_speak_for_an_article_and_against_it() -> None:
    scores = {0: 0.5, 1: 0.2, 2: 0.2, 3: 0.2, 4: 0.1}
    alone = likely.chances(scores, [0, 0, 0, 0, 0])
    beside = likely.chances(scores, [7, 7, 0, 9, 9])
    assert alone[4] > 0
    assert beside[4] == 0, "a chance next to none is none"
    assert alone[1] == alone[2] == alone[3] == beside[2]
    assert beside[1] > beside[2] > beside[3]


def test_the_threshold_lies_where_the_likely_end() -> None:
    scores = {0: 0.6, 1: 0.5, 2: 0.4, 3: 0.16, 4: 0.15, 5: 0.14}
    assert 0.16 < likely.threshold(scores, {0: 0.99, 1: 0.98, 2: 0.97, 3: 0.1, 4: 0.1, 5: 0.1}) < 0.4
    assert likely.threshold(scores, {0: 0.3}) == likely.USUAL
    assert likely.threshold(scores, {0: 0.0, 1: 0.9, 2: 0.9}) < 0.4, "also where what scores highest is unlikely"
    assert likely.threshold({}, {}) == likely.USUAL


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 3)), max_size=40))
def test_whatever_scores_there_are_the_threshold_is_one_that_articles_can_reach(
    articles: list[tuple[float, float, int]],
) -> None:
    scores = {at: score for at, (score, _, _) in enumerate(articles)}
    told = likely.chances(scores, [story for _, _, story in articles])
    assert all(0 <= chance <= 1 for chance in told.values())
    for chances in (told, {at: chance for at, (_, chance, _) in enumerate(articles)}):
        found = likely.threshold(scores, chances)
        assert found == likely.USUAL or likely.FAR < found < max(scores.values())
        assert 0 <= likely.expected(scores, chances, found) <= 1


def test_a_system_of_equations_is_solved() -> None:
    assert _solved([[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0]) == pytest.approx([1 / 11, 7 / 11])
