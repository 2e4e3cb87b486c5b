"""What an archive teaches a new topic: common company weighs less, and the threshold lies in a gap."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import article

from pipeline import topics
from pipeline.model import Article, TopicProfile
from pipeline.topics.archive import LEAST_ARTICLES, _gap, _solved

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


def test_the_threshold_lies_where_scores_leave_a_gap() -> None:
    assert 0.19 < _gap([0.15, 0.16, 0.17, 0.18, 0.19, 0.3, 0.31, 0.32]) < 0.3
    assert _gap([]) == pytest.approx(0.19)


def test_a_system_of_equations_is_solved() -> None:
    assert _solved([[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0]) == pytest.approx([1 / 11, 7 / 11])
