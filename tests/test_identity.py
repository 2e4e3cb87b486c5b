"""One article under many names: Google News and the outlet's own feed, AMP and mobile addresses, no names at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fakes import FEED, NOW, Item, entry, feed, item
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database
from test_ingest import Newsroom

from pipeline import changes
from pipeline.model import Entry, Headlined, Known
from pipeline.parse.entry import Draft, name
from pipeline.store import Store
from pipeline.store.migrations import migrations
from pipeline.store.verify import verify

GOOGLE = "https://news.google.com/rss/search?q=bridge"
TIMES = ("Example Times", "https://www.example.org")
TITLE = "Council opens the new harbour bridge after two years"


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with Store.open(tmp_path / "news.db") as store:
        made = Newsroom(store)
        made.subscribe(feed(), feed(GOOGLE, outlet=None))
        yield made


def token(number: int) -> str:
    return f"https://news.google.com/rss/articles/CBMiAAAAAAAAAAAAAAAAAAAA{number:04d}?oc=5"


def found(number: int, title: str = TITLE, source: tuple[str, str] = TIMES, **changes: object) -> Item:
    """An item of Google News: opaque link and guid, the outlet at the end of the headline, a list of links below."""
    made = Item(
        title=f"{title} - {source[0]}",
        url=token(number),
        guid=f"CBMiAAAAAAAAAAAAAAAAAAAA{number:04d}",
        summary=f'<ol><li><a href="{token(number)}">{title}</a>&nbsp;<font>{source[0]}</font></li></ol>',
        source=source,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


OWN = item("bridge", title=TITLE)


def test_a_google_news_link_that_changes_at_every_fetch_is_one_article_under_one_name(newsroom: Newsroom) -> None:
    for number in range(1, 6):
        newsroom.publish(found(number), url=GOOGLE)
        newsroom.poll(GOOGLE)
    assert newsroom.rows("SELECT title, o.name FROM articles a JOIN outlets o ON o.id = a.outlet_id") == [
        (TITLE, "Example Times")
    ]
    assert newsroom.count("entries") == 1
    assert newsroom.count("revisions") == 1
    assert newsroom.one("SELECT text FROM article_texts") == (TITLE,)


def test_the_outlets_own_feed_gives_the_article_its_address_and_its_words(newsroom: Newsroom) -> None:
    newsroom.publish(found(1), url=GOOGLE)
    newsroom.poll(GOOGLE)
    newsroom.publish(OWN)
    assert newsroom.poll().new == 0
    assert newsroom.one("SELECT url, title, summary, revision_count FROM articles") == (OWN.url, TITLE, OWN.summary, 1)
    assert newsroom.one("SELECT text FROM article_texts") == (OWN.summary,)
    assert newsroom.one("SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'monday'") == (1,)
    newsroom.publish(replace(OWN, summary="The bridge was shut again on Tuesday."))
    newsroom.poll()
    assert len(newsroom.kinds()) == 1, "its own feed is its home now"


def test_google_news_after_the_outlets_own_feed_adds_a_name_only(newsroom: Newsroom) -> None:
    newsroom.publish(OWN)
    newsroom.poll()
    for number in (1, 2, 3):
        newsroom.publish(found(number), url=GOOGLE)
        assert newsroom.poll(GOOGLE).new == 0
    assert newsroom.one("SELECT url FROM articles") == (OWN.url,)
    assert newsroom.kinds() == []


def test_google_news_may_name_the_outlet_otherwise_than_its_domain_does(newsroom: Newsroom) -> None:
    newsroom.publish(OWN)
    newsroom.poll()
    newsroom.publish(found(1, source=("The Times of Example", "https://example.org")), url=GOOGLE)
    assert newsroom.poll(GOOGLE).new == 0


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(found(2, title="Council opens the new harbour tunnel after two years"), id="another headline"),
        pytest.param(found(2, source=("Example Post", "https://example.net")), id="another outlet"),
        pytest.param(found(2, published_at=NOW - timedelta(hours=25)), id="a day before"),
    ],
)
def test_what_differs_in_headline_outlet_or_day_is_another_article(newsroom: Newsroom, other: Item) -> None:
    newsroom.publish(found(1), url=GOOGLE)
    newsroom.poll(GOOGLE)
    newsroom.publish(found(1), other, url=GOOGLE)
    assert newsroom.poll(GOOGLE).new == 1


def test_two_pages_of_one_outlet_under_one_headline_stay_two(newsroom: Newsroom) -> None:
    newsroom.publish(OWN, replace(OWN, url="https://example.org/news/other", guid="other"))
    assert newsroom.poll().new == 2


def test_two_own_pages_under_the_headline_of_one_found_article_are_two(newsroom: Newsroom) -> None:
    newsroom.publish(found(1), url=GOOGLE)
    newsroom.poll(GOOGLE)
    newsroom.publish(OWN, replace(OWN, url="https://example.org/news/other", guid="other"))
    assert newsroom.poll().new == 1
    assert newsroom.count("articles") == 2


SAME = {"published_at": NOW}


@pytest.mark.parametrize(
    ("one", "stored", "same"),
    [
        pytest.param({}, {}, True, id="same words, same moment"),
        pytest.param({"published_at": NOW + timedelta(hours=19)}, {}, True, id="the same day"),
        pytest.param({"published_at": NOW + timedelta(hours=21)}, {}, False, id="the next day's column"),
        pytest.param({"title": "Morning briefing"}, {"title": "Morning briefing"}, True, id="short, at one moment"),
        pytest.param(
            {"title": "Morning briefing", "published_at": NOW + timedelta(minutes=1)},
            {"title": "Morning briefing"}, False, id="short, a minute later",
        ),
        pytest.param({"title": "COUNCIL opens the “bridge”"}, {"title": "Council opens the bridge"}, True, id="type"),
        pytest.param({"title": None}, {}, False, id="no headline"),
        pytest.param({"url": "https://example.org/1"}, {}, True, id="the outlet's own, found by Google before"),
        pytest.param({"url": "https://example.org/1"}, {"url": "https://example.org/2"}, False, id="two real pages"),
        pytest.param({"published_at": None}, {}, True, id="no date, still listed"),
    ],
)  # fmt: skip
def test_a_headline_stands_for_its_article_or_not(
    one: dict[str, object], stored: dict[str, object], same: bool
) -> None:
    shown: Entry = replace(entry(url=token(1), published_at=NOW), **one)  # type: ignore[arg-type]
    known = Known(7, str(stored.get("url", token(2))), str(stored.get("title", entry().title)), None, "x", FEED)
    headlined = Headlined(known, "Example Times", NOW, NOW)
    assert (changes.twin(shown, "Example Times", NOW, [headlined]) is not None) is same
    assert changes.twin(shown, "Example Post", NOW, [headlined]) is None
    assert changes.twin(shown, "Example Times", NOW, [headlined], taken={7}) is None


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://example.org/news/bridge", id="the other scheme"),
        pytest.param("https://www.example.org/news/bridge/", id="www and a slash"),
        pytest.param("https://m.example.org/news/bridge?utm_source=rss", id="mobile"),
        pytest.param("https://example.org/news/bridge?outputType=amp", id="AMP"),
        pytest.param("https://www.google.com/url?q=https%3A%2F%2Fexample.org%2Fnews%2Fbridge", id="a redirector"),
    ],
)
def test_another_address_of_the_page_is_an_alias(newsroom: Newsroom, url: str) -> None:
    other = "https://feeds.example.org/other.xml"
    newsroom.subscribe(feed(), feed(other))
    newsroom.publish(OWN)
    newsroom.poll()
    newsroom.publish(replace(OWN, url=url, guid="other"), url=other)
    assert newsroom.poll(other).new == 0
    assert newsroom.count("articles") == 1
    assert newsroom.count("entries") == 2
    found = newsroom.store.articles.find(url)
    assert found is not None
    assert found.url == OWN.url


def test_an_address_that_a_guid_moved_to_is_a_name_of_the_article_too(newsroom: Newsroom) -> None:
    other = "https://feeds.example.org/other.xml"
    newsroom.subscribe(feed(), feed(other))
    newsroom.publish(OWN)
    newsroom.poll()
    moved = replace(OWN, url="https://example.org/news/new-words")
    newsroom.publish(moved)
    newsroom.poll()
    newsroom.publish(replace(moved, guid="other"), url=other)
    assert newsroom.poll(other).new == 0


def test_a_feed_without_ids_links_and_dates_is_kept_whole_and_once(newsroom: Newsroom) -> None:
    bare = [Item(title=f"Note {number}", url=None, summary="Said.", published_at=None) for number in range(300)]
    newsroom.publish(*bare)
    assert newsroom.poll().new == 300
    newsroom.publish(Item(title="One more", url=None, summary="Said.", published_at=None), *bare)
    assert newsroom.poll().new == 1
    assert newsroom.count("articles") == 301


def test_a_collected_entry_is_told_as_its_outlet_would() -> None:
    (made,) = name(GOOGLE, [Draft("g", token(1), "A - B story - Example Times", "<ol></ol>", None)])
    assert (made.title, made.publisher, made.summary) == ("A - B story", "Example Times", None)
    (plain,) = name(FEED, [Draft("g", "https://example.org/1", "A - B", "x", None, publisher="Elsewhere")])
    assert (plain.title, plain.publisher, plain.summary) == ("A - B", None, "x")
    (again,) = name(GOOGLE, [Draft("h", token(2), "A - B story - Example Times", "<ul></ul>", None)])
    assert again.raw_hash == made.raw_hash, "a token of a day says nothing"


@pytest.mark.parametrize(
    ("items", "articles"),
    [
        pytest.param([("a", "One"), ("b", "Two"), ("c", "Three")], 3, id="a front page for three items"),
        pytest.param(
            [("https://example.org/notes#i", "One"), ("https://example.org/notes#ii", "Two")], 2, id="anchors"
        ),
        pytest.param(
            [("https://example.org/notes#0", "One"), ("https://example.org/notes#1", "Two")], 1, id="versions"
        ),
        pytest.param([("a", "One"), ("b", "Two")], 1, id="one page listed twice"),
        pytest.param([("a", "One"), ("b", "One"), ("c", "One")], 1, id="one headline thrice"),
    ],
)
def test_a_page_that_many_items_share_names_none_of_them(
    newsroom: Newsroom, items: list[tuple[str, str]], articles: int
) -> None:
    listed = [Item(title=title, url="https://example.org/notes", guid=guid, summary=None) for guid, title in items]
    newsroom.publish(*listed)
    newsroom.poll()
    assert newsroom.count("articles") == articles
    assert all(row[0].startswith("https://example.org/notes") for row in newsroom.rows("SELECT url FROM articles"))
    newsroom.publish(*listed, extra="<!-- again -->")
    assert newsroom.poll().new == 0
    assert newsroom.count("articles") == articles


def test_a_feed_that_tries_two_headlines_in_turn_has_two_wordings_however_often(newsroom: Newsroom) -> None:
    other = replace(OWN, title="Bridge opens at last")
    for number in range(12):
        newsroom.publish(OWN if number % 2 == 0 else other)
        assert newsroom.poll().revised == (1 if number == 1 else 0)
    assert newsroom.rows("SELECT n, kind, title, returns, text FROM revisions ORDER BY n") == [
        (1, "first", OWN.title, 5, OWN.summary),
        (2, "headline", other.title, 5, None),
    ]
    assert newsroom.one("SELECT title, revision_count FROM articles") == (other.title, 2)
    assert newsroom.one("SELECT returned_at FROM revisions WHERE n = 2") == ("2026-03-02T20:00:00Z",)
    assert newsroom.one("SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'last'") == (1,)


def test_after_a_return_a_new_wording_is_kept_beside_both(newsroom: Newsroom) -> None:
    texts = ["It was opened.", "It was shut.", "It was opened.", "It fell down."]
    for words in texts:
        newsroom.publish(replace(OWN, summary=words))
        newsroom.poll()
    assert newsroom.rows("SELECT n, summary, text FROM revisions ORDER BY n") == [
        (1, texts[0], texts[0]), (2, texts[1], texts[1]), (3, texts[3], None),
    ]  # fmt: skip
    assert newsroom.one("SELECT text FROM article_texts") == (texts[3],)


def test_an_article_that_vanished_stays_with_the_moment_it_was_last_seen(newsroom: Newsroom) -> None:
    newsroom.publish(OWN)
    newsroom.poll()
    newsroom.poll()
    newsroom.publish(item("tunnel"))
    newsroom.poll()
    newsroom.poll()
    assert newsroom.one("SELECT first_seen_at, last_seen_at FROM entries WHERE guid = ?", OWN.guid) == (
        "2026-03-02T09:00:00Z",
        "2026-03-02T09:00:00Z",
    )


def test_a_database_from_before_knows_its_pages_again(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "news.db") as db:
        migrations.apply(Database(db), stop_before="m0006_names_kinds_and_agencies")
        db.execute("INSERT INTO outlets VALUES (1, 'Example Times', 'example.org', 'Example Times')")
        db.execute(
            "INSERT INTO articles (id, url, outlet_id, title, first_seen_at, text_from, text_hash)"
            " VALUES (7, 'http://www.example.org/news/bridge', 1, ?, '2026-03-01T00:00:00Z', 'title', 'x')",
            (TITLE,),
        )
        db.execute("INSERT INTO article_texts VALUES (7, ?)", (TITLE,))
    db.close()
    with Store.open(tmp_path / "news.db") as store:
        made = Newsroom(store)
        made.subscribe(feed())
        made.publish(OWN)
        assert made.poll().new == 0
        assert made.one("SELECT article_id FROM entries") == (7,)


def test_what_people_said_of_an_article_goes_with_it_to_its_own_address(newsroom: Newsroom) -> None:
    newsroom.publish(found(1), found(2, title="Ferries stop for the winter, and nobody knows why"), url=GOOGLE)
    newsroom.poll(GOOGLE)
    (one, token_url), other = newsroom.rows("SELECT id, url FROM articles ORDER BY title")
    newsroom.store.feedback.say(one, token_url, "bridges", True, "ada", NOW)
    newsroom.store.corrections.merge([(one, token_url), other], "ada", NOW)
    newsroom.publish(OWN)
    newsroom.poll()
    assert newsroom.one("SELECT url FROM articles WHERE id = ?", one) == (OWN.url,)
    assert newsroom.store.feedback.on(one, OWN.url or "") == {"bridges": True}
    assert newsroom.store.corrections.resolved(newsroom.store.articles.ids).together == ((other[0], one),)


# --- laws -----------------------------------------------------------------------------------------------------

POOR_ITEMS = st.builds(
    Item,
    title=st.sampled_from([None, "Bridge opens", "Bridge closed", "Ferry sails"]),
    url=st.sampled_from(
        [None, "https://example.org/1", "https://example.org/2", "https://example.org/1/?utm_source=x"]
    ),
    guid=st.sampled_from([None, "1", "2", "https://example.org/1"]),
    summary=st.sampled_from([None, "It rained.", "The sun shone on the bridge all day."]),
    published_at=st.sampled_from([None, NOW - timedelta(hours=1), NOW - timedelta(days=3)]),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.lists(POOR_ITEMS, max_size=4), min_size=1, max_size=3))
def test_whatever_names_a_feed_gives_its_items_a_second_poll_of_a_document_changes_nothing(
    documents: list[list[Item]],
) -> None:
    with TemporaryDirectory() as place, Store.open(Path(place) / "news.db") as store:
        room = Newsroom(store)
        room.subscribe(feed())
        for number, items in enumerate(documents):
            room.publish(*items)
            room.poll()
            before = room.rows(KEPT_ROWS)
            room.publish(*items, extra=f"<ttl>{number + 1}</ttl>")  # so that the body is read again
            room.poll()
            assert room.rows(KEPT_ROWS) == before
        assert verify(store, NOW + timedelta(days=1)).findings == ()


KEPT_ROWS = (
    "SELECT a.id, a.url, a.title, a.revision_count, r.n, r.kind, r.text_hash, r.returns FROM articles a"
    " JOIN revisions r ON r.article_id = a.id ORDER BY 1, 5"
)
