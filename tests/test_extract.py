"""Entry to Article: which words are the text, and that nothing an outlet writes can act."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes import FEED, NOW, entry
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import extract, text
from pipeline.model import Entry, TextFrom

LONG = "The council met for five hours and agreed on a budget for the harbour."


@pytest.mark.parametrize(
    ("title", "summary", "content", "words", "source"),
    [
        pytest.param("Rain", "Short.", f"<p>{LONG}</p>", LONG, "content", id="the full body"),
        pytest.param("Rain", LONG, "Short.", LONG, "summary", id="a body shorter than the summary"),
        pytest.param("Rain", LONG, None, LONG, "summary", id="only a summary"),
        pytest.param("Rain", None, LONG, LONG, "content", id="only a body"),
        pytest.param("Rain", None, None, "Rain", "title", id="only a headline"),
        pytest.param("Rain", "<img src=x>", "<script>x</script>", "Rain", "title", id="markup without words"),
        pytest.param(None, None, None, "", "title", id="nothing"),
        pytest.param(None, LONG, None, LONG, "summary", id="no headline"),
    ],
)
def test_the_text_is_the_longest_the_feed_gives(
    title: str | None, summary: str | None, content: str | None, words: str, source: TextFrom
) -> None:
    made = extract.article(entry(title=title, summary=summary, content=content), "Example Times", NOW)
    assert (made.text, made.text_from) == (words, source)


def test_i8_no_title_stays_no_title() -> None:
    assert extract.article(entry(title=None), "Example Times", NOW).title is None
    assert extract.article(entry(title="<b> </b>"), "Example Times", NOW).title is None


@pytest.mark.parametrize(
    ("ahead", "kept"),
    [
        pytest.param(timedelta(days=-3000), True, id="long ago"),
        pytest.param(timedelta(), True, id="now"),
        pytest.param(timedelta(hours=24), True, id="a day ahead, another zone's midnight"),
        pytest.param(timedelta(hours=24, seconds=1), False, id="more than a day ahead"),
        pytest.param(timedelta(days=3000), False, id="years ahead"),
    ],
)
def test_i7_a_date_more_than_a_day_ahead_is_not_believed(ahead: timedelta, kept: bool) -> None:
    made = extract.article(entry(published_at=NOW + ahead), "Example Times", NOW)
    assert made.published_at == (NOW + ahead if kept else None)
    assert made.first_seen_at == NOW


def test_i7_no_date_stays_no_date() -> None:
    assert extract.article(entry(published_at=None), "Example Times", NOW).published_at is None


@pytest.mark.parametrize(
    ("said", "lang"),
    [
        pytest.param("en", "en", id="plain"),
        pytest.param("en-GB", "en", id="with a region"),
        pytest.param("pt_BR", "pt", id="with an underscore"),
        pytest.param(" DE ", "de", id="capitals and spaces"),
        pytest.param("fil", "fil", id="three letters"),
        pytest.param("english", None, id="a word"),
        pytest.param("x", None, id="one letter"),
        pytest.param("e1", None, id="with a digit"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="not said"),
    ],
)
def test_the_language_is_the_primary_subtag(said: str | None, lang: str | None) -> None:
    assert extract.article(entry(lang=said), "Example Times", NOW).lang == lang


def test_an_entry_without_a_link_keeps_one_name_of_its_own() -> None:
    one = extract.article(entry(url=None), "Example Times", NOW)
    edited = extract.article(entry(url=None, title="Another headline"), "Example Times", NOW + timedelta(days=1))
    other = extract.article(entry("harbour", url=None), "Example Times", NOW)
    elsewhere = extract.article(entry(url=None, feed_url=FEED + "?b"), "Example Times", NOW)
    assert one.url == edited.url
    assert one.url.startswith("urn:newsbeat:")
    assert len({one.url, other.url, elsewhere.url}) == 3


def test_a_long_summary_is_cut_and_the_text_is_not() -> None:
    words = "word " * 1000
    made = extract.article(entry(summary=words), "Example Times", NOW)
    assert made.text == words.strip()
    assert made.summary is not None
    assert len(made.summary) <= extract.MAX_SUMMARY


def test_authors_are_names_without_markup() -> None:
    made = extract.article(entry(authors=("<b>Ada</b> Fisher", " ", "Bo\nLi")), "Example Times", NOW)
    assert made.authors == ("Ada Fisher", "Bo Li")


def test_two_spellings_of_one_wording_have_one_hash() -> None:
    one = extract.article(entry(title="Rain, today", summary="<p>It rains.</p>"), "Example Times", NOW)
    other = extract.article(entry(title="RAIN today!", summary="It  rains"), "Example Times", NOW + timedelta(hours=1))
    changed = extract.article(entry(title="Rain, today", summary="It pours."), "Example Times", NOW)
    assert one.text_hash == other.text_hash != changed.text_hash


def test_an_article_given_as_fields_is_read_like_one_from_a_feed() -> None:
    made = extract.given(
        title="<i>Rain</i>", summary=None, text=f"<p>{LONG}</p>", url="https://example.org/r", lang="en-GB", now=NOW
    )
    assert (made.title, made.text, made.text_from, made.url, made.lang) == (
        "Rain",
        LONG,
        "content",
        "https://example.org/r",
        "en",
    )
    bare = extract.given(title=None, summary=None, text=None, url=None, lang=None, now=NOW)
    assert bare.url.startswith("urn:newsbeat:")
    assert (bare.title, bare.text) == (None, "")


@pytest.mark.parametrize(
    ("before", "text_after"),
    [
        pytest.param(entry(summary=LONG), LONG, id="the text stays"),
        pytest.param(entry(summary=None), "Rain again", id="a text that is the headline goes with it"),
    ],
)
def test_an_article_under_another_headline_is_otherwise_the_same(before: Entry, text_after: str) -> None:
    known = extract.article(before, "Example Times", NOW)
    made = extract.retitled(known, "Rain again")
    assert (made.title, made.text, made.summary, made.url) == ("Rain again", text_after, known.summary, known.url)
    assert made.text_hash == text.wording(made.title, made.summary, made.text) != known.text_hash


anything = st.none() | st.text(st.characters(exclude_categories=[]), max_size=80)


@settings(max_examples=150, deadline=None)
@given(anything, anything, anything, anything)
def test_any_entry_makes_an_article_that_can_be_stored(
    title: str | None, summary: str | None, content: str | None, author: str | None
) -> None:
    made = extract.article(
        entry(title=title, summary=summary, content=content, authors=(author or "",)), "Example Times", NOW
    )
    for said in (made.title, made.summary, made.text, *made.authors):
        (said or "").encode("utf-8")
    assert made.title is None or "\n" not in made.title
    assert made.text_hash == text.wording(made.title, made.summary, made.text)
    assert made.text or made.text_from == "title"
    assert made.text_from != "title" or made.text == (made.title or "")
