"""How telling a word is: common words near nothing, names never seen at the top, the same on every machine."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wordfreq import top_n_list, zipf_frequency

from pipeline.rarity import ARTICLE_WORDS, LEAST_ZIPF, rarity

RAREST = -math.log(-math.expm1(-ARTICLE_WORDS * 10 ** (LEAST_ZIPF - 9)))


def test_rarer_words_tell_more() -> None:
    ladder = ["the", "government", "bridge", "turbine", "quatrain", "zyxxotl"]
    values = [rarity(word) for word in ladder]
    assert values == sorted(values)
    assert values[0] == pytest.approx(0, abs=0.01)
    assert values[-1] == pytest.approx(RAREST)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("2026", 1.0, id="a year"),
        pytest.param("7", 1.0, id="a digit"),
        pytest.param("zyxxotl", RAREST, id="a name no list holds"),
        pytest.param("", RAREST, id="no word at all"),
    ],
)
def test_words_outside_the_lists_have_a_set_value(word: str, expected: float) -> None:
    assert rarity(word) == pytest.approx(expected)


@pytest.mark.parametrize(
    "lang",
    [
        pytest.param("xx", id="a language without a list"),
        pytest.param("tlh", id="one nobody speaks at home"),
    ],
)
def test_a_language_without_a_list_falls_back_to_english(lang: str) -> None:
    assert rarity("bridge", lang) == rarity("bridge", "en")


def test_a_word_counts_by_its_own_language() -> None:
    assert rarity("und", "de") < 1 < rarity("und", "en")


def test_plain_english_words_are_as_rare_as_wordfreq_says() -> None:
    for word in [word for word in top_n_list("en", 20_000, wordlist="small") if word.isascii() and word.isalpha()]:
        expected = ARTICLE_WORDS * 10 ** (max(zipf_frequency(word, "en", "small"), LEAST_ZIPF) - 9)
        assert rarity(word) == -math.log(-math.expm1(-expected)), word


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_rarity_lies_between_nothing_and_the_rarest(word: str) -> None:
    assert 0 <= rarity(word) <= RAREST + 1e-9
