"""An article is read once: its parts hold the words of the whole, and what says nothing of its own is left out."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import article
from hypothesis import given
from hypothesis import strategies as st

from pipeline import prints, reading, text


@given(st.text("abé中'’s. ", max_size=40), st.integers(1, 400))
def test_the_parts_of_a_text_hold_the_words_of_the_whole(piece: str, times: int) -> None:
    report = article(text=piece * times, text_from="content")
    read = reading.of(report)
    body = read.passages[-1]
    assert body.raw == report.text
    assert body.read == report.text[: len(body.read)]
    assert body.stems == read.opening == text.stems(body.read)
    assert read.title == text.stems(report.title or "")


@pytest.mark.parametrize("signs", [0, 10, reading.LONGEST_READ - 3, reading.LONGEST_READ + 9])
def test_the_opening_is_the_beginning_without_a_word_that_is_cut(signs: int) -> None:
    body = "x" * signs + " word" * 2000
    opening = reading.of(article(text=body, text_from="content")).opening
    whole = text.stems(body)
    assert opening == whole[: len(opening)] or signs > reading.LONGEST_READ
    assert sum(map(len, opening)) <= reading.LONGEST_READ
    assert prints.told((), opening) == prints.words(None, " ".join(opening))


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        pytest.param("title", ["title"], id="a text that is the headline again"),
        pytest.param("summary", ["title", "text"], id="a text that is the summary again"),
        pytest.param("content", ["title", "summary", "text"], id="all three"),
    ],
)
def test_a_field_that_says_another_again_is_not_heard_twice(source: Any, fields: list[str]) -> None:
    report = article(title="Ferry aground", summary="It ran aground.", text="The ferry ran aground.", text_from=source)
    assert [one.name for one in reading.of(report).passages] == fields
