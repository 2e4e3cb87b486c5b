"""New, revised or unchanged: every entry has its place, and a revision is a wording that differs in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import FEED, article, entry
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import changes
from pipeline.model import Article, Entry, Known

OTHER_FEED = "https://feeds.example.org/local.xml"


def known(one: Entry, article_id: int = 1, **different: object) -> Known:
    """What is stored of an entry, as this feed last gave it."""
    made = Known(
        article_id=article_id,
        url=one.url or f"urn:newsbeat:{one.guid}",
        title=one.title,
        summary=one.summary,
        text_hash="stored",
        home_feed=FEED,
        raw_hash=one.raw_hash,
    )
    return replace(made, **different)  # type: ignore[arg-type]


BRIDGE = entry("bridge")
EDITED = entry("bridge", title="Council closes the bridge")
RENAMED = replace(BRIDGE, guid="tag:example.org,2026:renamed")


def test_an_entry_nobody_knows_is_new() -> None:
    assert changes.sort(FEED, [BRIDGE], {}, {}) == changes.Sorted(new=(BRIDGE,))


def test_an_entry_that_says_what_it_said_is_unchanged() -> None:
    stored = known(BRIDGE)
    assert changes.sort(FEED, [BRIDGE], {BRIDGE.guid: stored}, {}).unchanged == (BRIDGE,)


def test_i5_an_entry_that_says_something_else_is_suspect() -> None:
    stored = known(BRIDGE)
    assert changes.sort(FEED, [EDITED], {BRIDGE.guid: stored}, {}) == changes.Sorted(suspect=((EDITED, stored),))


def test_i5_a_changed_link_under_the_same_guid_is_the_same_article() -> None:
    moved = entry("bridge", url="https://example.org/news/the-bridge")
    stored = known(BRIDGE)
    assert changes.sort(FEED, [moved], {BRIDGE.guid: stored}, {}).suspect == ((moved, stored),)


def test_i1_a_guid_counts_in_its_case() -> None:
    upper = replace(BRIDGE, guid=BRIDGE.guid.upper(), url="https://example.org/news/other")
    assert changes.sort(FEED, [upper], {BRIDGE.guid: known(BRIDGE)}, {}).new == (upper,)


def test_i3_a_new_guid_on_a_known_page_is_the_same_article_and_may_be_an_edit() -> None:
    stored = known(BRIDGE, raw_hash=None)
    made = changes.sort(FEED, [RENAMED], {}, {BRIDGE.url or "": stored})
    assert made.new == ()
    assert made.aliases == ((RENAMED, 1),)
    assert made.suspect == ((RENAMED, stored),)


def test_i3_a_page_listed_under_its_old_name_too_is_not_compared_with_the_new_one() -> None:
    stored = known(BRIDGE)
    made = changes.sort(
        FEED, [BRIDGE, RENAMED], {BRIDGE.guid: stored}, {BRIDGE.url or "": replace(stored, raw_hash=None)}
    )
    assert made == changes.Sorted(aliases=((RENAMED, 1),), unchanged=(BRIDGE,))


def test_a_page_another_feed_brought_is_an_alias_and_no_edit() -> None:
    stored = known(BRIDGE, home_feed=OTHER_FEED, raw_hash=None)
    made = changes.sort(FEED, [BRIDGE], {}, {BRIDGE.url or "": stored})
    assert made == changes.Sorted(aliases=((BRIDGE, 1),))


def test_two_entries_that_lead_to_one_new_page_open_one_article() -> None:
    assert changes.sort(FEED, [BRIDGE, RENAMED], {}, {}) == changes.Sorted(new=(BRIDGE,))


def test_two_entries_without_a_link_are_two_articles() -> None:
    one, other = entry("bridge", url=None), entry("harbour", url=None)
    assert changes.sort(FEED, [one, other], {}, {}).new == (one, other)


GUIDS = ["g1", "g2", "g3", "g4", "g5"]
URLS = [None, "https://example.org/1", "https://example.org/2", "https://example.org/3"]
listed = st.lists(
    st.builds(
        lambda guid, url, raw: entry(guid=guid, url=url, raw_hash=raw),
        st.sampled_from(GUIDS),
        st.sampled_from(URLS),
        st.sampled_from(["a", "b"]),
    ),
    unique_by=lambda one: one.guid,
    max_size=5,
)
stored_ = st.builds(
    lambda number, feed, raw: known(BRIDGE, number, home_feed=feed, raw_hash=raw),
    st.integers(1, 4),
    st.sampled_from([FEED, OTHER_FEED]),
    st.sampled_from(["a", "b", None]),
)


@settings(max_examples=200, deadline=None)
@given(
    listed,
    st.dictionaries(st.sampled_from(GUIDS), stored_, max_size=4),
    st.dictionaries(st.sampled_from([url for url in URLS if url]), stored_, max_size=3),
)
def test_every_entry_is_in_exactly_one_place_or_an_alias(
    entries: list[Entry], by_guid: dict[str, Known], by_url: dict[str, Known]
) -> None:
    made = changes.sort(FEED, entries, by_guid, by_url)
    new_pages = {one.url for one in made.new if one.url}
    for one in entries:
        is_alias = any(one is other for other, _ in made.aliases)
        is_suspect = any(one is other for other, _ in made.suspect)
        places = [one in made.new, one in made.unchanged, is_suspect and not is_alias, is_alias]
        waits = one.url in new_pages and one not in made.new and one.guid not in by_guid and one.url not in by_url
        assert sum(places) == (0 if waits else 1)
        assert is_alias == (one.guid not in by_guid and one.url in by_url)
    # An article is compared with one entry at most by way of its page.
    through_page = [known_.article_id for one, known_ in made.suspect if one.guid not in by_guid]
    assert len(through_page) == len(set(through_page))
    assert all(known_.home_feed == FEED for one, known_ in made.suspect if one.guid not in by_guid)
    assert len(new_pages) == sum(1 for one in made.new if one.url)


@settings(max_examples=100, deadline=None)
@given(listed)
def test_what_was_new_is_unchanged_the_next_time(entries: list[Entry]) -> None:
    first = changes.sort(FEED, entries, {}, {})
    by_guid = {one.guid: known(one, number) for number, one in enumerate(first.new)}
    by_url = {one.url: known_ for one in first.new if one.url and (known_ := by_guid[one.guid])}
    again = changes.sort(FEED, entries, by_guid, by_url)
    assert again.new == ()
    assert again.suspect == ()
    assert again.unchanged == first.new


NOW_SAYS = article(title="Rain today", summary="It rains.", text="It rains all day.", text_from="content")
STORED = Known(1, NOW_SAYS.url, "Rain today", "It rains.", NOW_SAYS.text_hash, FEED)


@pytest.mark.parametrize(
    ("stored", "now", "feed", "earlier", "kind"),
    [
        pytest.param({}, {}, FEED, (), (), id="the same wording"),
        pytest.param({"title": "Rain soon"}, {}, FEED, (), ("headline",), id="another headline"),
        pytest.param({"title": "Rain  TO-DAY!"}, {}, FEED, (), ("cosmetic",), id="a headline in other type only"),
        pytest.param({}, {"title": None}, FEED, (), ("text",), id="the headline is gone"),
        pytest.param({"title": None}, {}, FEED, (), ("headline",), id="a first headline"),
        pytest.param({"summary": "It may rain."}, {"text_from": "summary"}, FEED, (), ("text",), id="another summary"),
        pytest.param({"title": "Rain soon"}, {}, OTHER_FEED, ("Rain soon",), ("headline",), id="elsewhere, never seen"),
        pytest.param({"title": "Rain soon"}, {}, OTHER_FEED, ("rain TODAY",), (), id="elsewhere, seen before"),
        pytest.param({"summary": "It may."}, {"text_from": "summary"}, OTHER_FEED, (), (), id="elsewhere, a summary"),
        pytest.param({}, {"title": None}, OTHER_FEED, ("Rain today",), (), id="elsewhere, no headline"),
    ],
)
def test_a_revision_is_named_by_what_changed(
    stored: dict[str, object], now: dict[str, object], feed: str, earlier: tuple[str, ...], kind: tuple[str, ...]
) -> None:
    differs = {"text_hash": "other"} if stored or now else {}
    before = replace(STORED, **{**stored, **differs})  # type: ignore[arg-type]
    says: Article = replace(NOW_SAYS, **now)  # type: ignore[arg-type]
    assert changes.what_changed(before, NOW_SAYS.text, says, feed, earlier) == kind


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([FEED, OTHER_FEED]), st.none() | st.text(max_size=10), st.none() | st.text(max_size=10))
def test_one_hash_is_never_a_revision(feed: str, title: str | None, summary: str | None) -> None:
    assert changes.what_changed(replace(STORED, title=title, summary=summary), title or "", NOW_SAYS, feed) == ()
