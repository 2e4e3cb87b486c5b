"""How far a seed's sentences speak of one thing, and that scores follow it, so that one threshold serves all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import article
from hypothesis import given
from hypothesis import strategies as st

from pipeline import config, topics
from pipeline.model import TopicProfile
from pipeline.topics import coherence

NARROW = """Veldrix yard sold to Ostrander

The Veldrix shipyard was sold to the Ostrander group on Monday, and Ostrander keeps every shipwright of Veldrix.
Ostrander had bid twice for the Veldrix shipyard, and the shipwrights of Veldrix had asked Ostrander to bid again.
The sale of Veldrix to Ostrander ends a strike of the shipwrights, who had feared that Ostrander would close the yard.
Ostrander said that the shipyard and the shipwrights were worth the bid for Veldrix, and that the sale was fair.
"""
BROAD = """A shipyard, a bakery and a lost hound

The Veldrix shipyard has a new owner from Pentire, whose widow paints herons in a boathouse beside the estuary.
Meanwhile the bakers of Lower Tannet have won a medal for a loaf of spelt and caraway, baked in a wood oven.
In Gaverne a hound called Bosun walked forty leagues over the moor to the cottage where his litter had been born.
Elsewhere a choir of fishermen sang shanties for a hospice, and an orchard gave cider to the pilgrims of Marrow.
"""


def profile(seed: str) -> TopicProfile:
    return topics.profile(topics.document(seed, "seed.txt"), "yard")


def test_a_seed_that_keeps_to_a_few_words_scores_less_and_one_that_strays_more() -> None:
    assert coherence.LEAST <= profile(NARROW).scale < 1 < profile(BROAD).scale <= coherence.MOST


def test_a_seed_of_a_few_lines_is_taken_as_it_is() -> None:
    assert profile("\n\n".join(NARROW.split("\n\n")[:1]) + "\n\nThe Veldrix shipyard was sold to Ostrander.").scale == 1


def test_of_several_seeds_the_scale_lies_between_theirs() -> None:
    both = topics.profile([topics.document(seed, "seed.txt") for seed in (NARROW, BROAD)], "yard")
    assert profile(NARROW).scale < both.scale < profile(BROAD).scale


def test_scores_and_evidence_are_multiplied_and_nothing_else() -> None:
    report = article(
        title="Ostrander buys a yard", summary=None, text="Shipwrights of Veldrix welcome the sale, say bids."
    )
    narrow = replace(profile(NARROW), scale=1.0, threshold=0.9)
    plain, scaled = (topics.match(report, [topics.compiled(one)])[0] for one in (narrow, replace(narrow, scale=0.8)))
    assert scaled.score == pytest.approx(0.8 * plain.score, abs=0.0002)
    assert sum(one.points for one in scaled.evidence) == pytest.approx(scaled.score, abs=0.002)
    assert [one.spans for one in scaled.evidence] == [one.spans for one in plain.evidence]


def test_the_scale_is_written_with_its_reason_and_read_back(tmp_path: Path) -> None:
    made = profile(BROAD)
    path = tmp_path / "yard.toml"
    path.write_text(topics.toml(made), encoding="utf-8")
    read = config.topic(path)
    assert (read.scale, read.terms) == (made.scale, made.terms)
    assert "the seed strays" in path.read_text(encoding="utf-8")
    path.write_text(topics.toml(replace(made, scale=1.0)), encoding="utf-8")
    assert "scale" not in path.read_text(encoding="utf-8")
    assert config.topic(path).profile_hash != read.profile_hash


WORDS = st.lists(st.sampled_from("veldrix ostrander heron bosun gaverne spelt the of and sale".split()), max_size=30)


@given(st.lists(st.lists(WORDS, max_size=12), max_size=3))
def test_whatever_a_seed_says_its_scale_is_within_bounds(sources: list[list[list[str]]]) -> None:
    found = coherence.scale(sources, lambda word: len(word) < 4, "en")
    assert found == 1 or coherence.LEAST <= found <= coherence.MOST
