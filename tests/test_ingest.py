"""One poll and one article, as scenarios: an invented web, the program's own rooms, a real database."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from fakes import FEED, NOW, FakeWeb, Inline, Item, Page, feed, item, rss
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import parse, retag, schedule, topics
from pipeline.errors import StoreError
from pipeline.fetch import Web
from pipeline.ingest import Desk, poll
from pipeline.model import Feed, Outlet, PollOutcome, Rules, Term, TopicProfile
from pipeline.store import Store
from pipeline.urls import OutletBook
from pipeline.workers import WorkerLost

LOCAL = "https://feeds.example.org/local.xml"
POST_FEED = "https://feeds.example.net/rss"
WIRE_FEED = "https://wire.example/rss"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

TIMES = Outlet("Example Times", ("example.org",), "Example Media Group")
POST = Outlet("Example Post", ("example.net",), "Example Media Group")
WIRE = Outlet("Coast Wire", ("wire.example",), "Coast Wire")
BOOK = OutletBook([TIMES, POST, WIRE])

BRIDGE, TUNNEL, HARBOUR = item("bridge"), item("tunnel"), item("harbour")


@dataclass
class Newsroom:
    """A desk, a web, and a clock that goes an hour forward with each poll."""

    store: Store
    fake: FakeWeb = field(default_factory=FakeWeb)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.desk = Desk(self.store, BOOK, {}, (), schedule.Pace())
        self.web: Web = self.fake.web(now=lambda: self.now)
        self.workers = Inline()

    def subscribe(self, *feeds: Feed) -> None:
        self.desk.feeds = {one.url: one for one in feeds}
        with self.store.transaction():
            self.store.feeds.subscribe(feeds, lambda one: BOOK.of_url(one.url), self.now)

    def follow(self, *profiles: TopicProfile) -> tuple[str, ...]:
        self.desk.topics = tuple(topics.compiled(profile) for profile in profiles)
        with self.store.transaction():
            return self.store.topics.subscribe(profiles)

    def poll(self, url: str = FEED, after: timedelta = HOUR) -> PollOutcome:
        """Polls a feed, whether it is due or not; then time goes on."""
        (feed_id,) = self.one("SELECT id FROM feeds WHERE url = ?", url)
        outcome = asyncio.run(
            poll(self.store.feeds.state(feed_id), self.desk, self.web, self.workers, self.now, draw=0.0)
        )
        self.now += after
        return outcome

    def publish(self, *items: Item, url: str = FEED, extra: str = "", **headers: str) -> None:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        self.fake[url] = Page(rss(*items, extra=extra), headers={"content-type": "application/rss+xml", **named})

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a reader beside us sees."""
        with sqlite3.connect(f"{self.store.path.as_uri()}?mode=ro", uri=True) as db:
            found = db.execute(sql, values).fetchall()
        db.close()
        return found

    def one(self, sql: str, *values: object) -> tuple[Any, ...]:
        (row,) = self.rows(sql, *values)
        return row

    def count(self, table: str) -> int:
        return int(self.one(f"SELECT count(*) FROM {table}")[0])

    def titles(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT title FROM articles ORDER BY title")]

    def kinds(self) -> list[tuple[str, str]]:
        """Every later wording: its kind and its headline."""
        return self.rows("SELECT kind, title FROM revisions WHERE n > 1 ORDER BY rowid")

    def kept(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that a second poll of the same words must leave as it was."""
        queries = {
            "articles": "SELECT * FROM articles",
            "texts": "SELECT * FROM article_texts",
            "words": "SELECT rowid, title, summary, text FROM articles_fts",
            "entries": "SELECT feed_id, guid, article_id, link, raw_hash, first_seen_at FROM entries",
            "revisions": "SELECT * FROM revisions",
            "stories": "SELECT * FROM stories",
            "placed": "SELECT * FROM story_articles",
            "tags": "SELECT * FROM article_topics",
        }
        return {name: self.rows(f"{sql} ORDER BY 1, 2") for name, sql in queries.items()}


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with Store.open(tmp_path / "news.db") as store:
        made = Newsroom(store)
        made.subscribe(feed())
        yield made


# --- the verbs of the scenarios -------------------------------------------------------------------------------


def outlet_goes_down(room: Newsroom, url: str = FEED, status: int = 503, **headers: str) -> None:
    room.fake[url] = Page("sorry", status, {key.replace("_", "-"): value for key, value in headers.items()})


def network_fails(room: Newsroom, url: str = FEED) -> None:
    room.fake[url] = httpx.ConnectError("no route")


def outlet_moves(room: Newsroom, to: str, url: str = FEED, status: int = 301) -> None:
    room.fake[url] = Page("", status, {"location": to})


# --- new entries ----------------------------------------------------------------------------------------------


def test_new_entry_is_kept_once_with_everything_that_belongs_to_it(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE, etag='W/"v1"', last_modified="yesterday")
    outcome = newsroom.poll()
    assert (outcome.outcome, outcome.status, outcome.new, outcome.revised, outcome.unchanged) == ("ok", 200, 1, 0, 0)
    assert newsroom.one("SELECT url, title, summary, lang, published_at, first_seen_at, text_from FROM articles") == (
        "https://example.org/news/bridge", "Council opens the bridge",
        "The bridge was opened on Monday after two years of work.", None,
        "2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z", "summary",
    )  # fmt: skip
    assert newsroom.one("SELECT text FROM article_texts") == (
        "The bridge was opened on Monday after two years of work.",
    )
    assert newsroom.one("SELECT n, kind, title, seen_at FROM revisions") == (
        1, "first", "Council opens the bridge", "2026-03-02T09:00:00Z"
    )  # fmt: skip
    assert newsroom.one("SELECT guid, article_id, link, first_seen_at FROM entries") == (
        "tag:example.org,2026:bridge", 1, "https://example.org/news/bridge", "2026-03-02T09:00:00Z"
    )  # fmt: skip
    assert newsroom.one("SELECT title, article_count, outlet_count, family_count FROM stories") == (
        "Council opens the bridge", 1, 1, 1
    )  # fmt: skip
    assert newsroom.one("SELECT name, family FROM outlets") == ("Example Times", "Example Media Group")
    assert newsroom.one("SELECT outcome, status, new, why FROM polls") == (
        "ok", 200, 1, "1 new, 0 revised, 0 unchanged; next in 1 h: every 1 h, until its rhythm is known"
    )  # fmt: skip
    state = newsroom.store.feeds.state(1)
    assert (state.etag, state.last_modified, state.validators_url) == ('W/"v1"', "yesterday", FEED)
    assert (state.title, state.state, state.failures) == ("Example Times: World", "ok", 0)
    assert state.next_poll_at == NOW + HOUR
    assert newsroom.rows("SELECT rowid FROM articles_fts WHERE articles_fts MATCH 'bridge'") == [(1,)]


def test_full_text_in_the_feed_is_the_text(newsroom: Newsroom) -> None:
    newsroom.publish(replace(BRIDGE, content="<p>Two years of work.</p><p>The mayor <b>cut</b> the ribbon.</p>" * 3))
    newsroom.poll()
    text, text_from = newsroom.one(
        "SELECT text, text_from FROM articles JOIN article_texts ON article_id = articles.id"
    )
    assert text_from == "content"
    assert text.startswith("Two years of work.\n\nThe mayor cut the ribbon.")


def test_poll_with_validators_gets_a_304_and_changes_nothing(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE, etag='"v1"')
    newsroom.poll()
    before = newsroom.kept()
    outcome = newsroom.poll()
    assert (outcome.outcome, outcome.status, outcome.why.split(";")[0]) == ("not_modified", 304, "nothing new (304)")
    assert newsroom.fake.requests[1].headers["if-none-match"] == '"v1"'
    assert newsroom.kept() == before
    assert newsroom.store.feeds.state(1).etag == '"v1"'


def test_polling_twice_changes_nothing(newsroom: Newsroom) -> None:
    """Another body with the same entries, which has to be read and compared."""
    newsroom.publish(BRIDGE, TUNNEL)
    newsroom.poll()
    before = newsroom.kept()
    newsroom.publish(BRIDGE, TUNNEL, extra="<lastBuildDate>Mon, 02 Mar 2026 10:00:00 GMT</lastBuildDate>")
    outcome = newsroom.poll()
    assert (outcome.new, outcome.revised, outcome.unchanged) == (0, 0, 2)
    assert newsroom.kept() == before
    assert newsroom.rows("SELECT DISTINCT last_seen_at FROM entries") == [("2026-03-02T10:00:00Z",)]


def test_identical_body_is_not_even_read(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE)
    newsroom.poll()

    async def nobody_reads(_function: object, _given: object) -> None:
        raise AssertionError("an identical body was read")

    newsroom.workers.run = nobody_reads  # type: ignore[method-assign, assignment]
    outcome = newsroom.poll()
    assert (outcome.outcome, outcome.new, outcome.why.split(";")[0]) == ("ok", 0, "the same body as last time")
    assert newsroom.store.feeds.state(1).same_bodies == 1


def test_second_poll_brings_only_what_is_new(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE)
    newsroom.poll()
    newsroom.publish(TUNNEL, BRIDGE)
    outcome = newsroom.poll()
    assert (outcome.new, outcome.unchanged) == (1, 1)
    assert newsroom.rows("SELECT id, first_seen_at FROM articles") == [
        (1, "2026-03-02T09:00:00Z"),
        (2, "2026-03-02T10:00:00Z"),
    ]


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([replace(one, guid="the-same") for one in (BRIDGE, TUNNEL, HARBOUR)], id="one guid for all"),
        pytest.param([replace(one, guid=None) for one in (BRIDGE, TUNNEL, HARBOUR)], id="no guid"),
        pytest.param([replace(one, guid=None, url=None) for one in (BRIDGE, TUNNEL, HARBOUR)], id="no guid, no link"),
        pytest.param([replace(one, published_at=None) for one in (BRIDGE, TUNNEL, HARBOUR)], id="no date"),
        pytest.param(
            [replace(one, guid="tag:same", url=None, published_at=None) for one in (BRIDGE, TUNNEL, HARBOUR)],
            id="one guid, no link, no date",
        ),
    ],
)
def test_poor_names_keep_every_article_once(items: list[Item], newsroom: Newsroom) -> None:
    for extra in ("", "<ttl>5</ttl>"):
        newsroom.publish(*items, extra=extra)
        newsroom.poll()
    assert newsroom.titles() == [f"Council opens the {name}" for name in ("bridge", "harbour", "tunnel")]
    assert newsroom.count("revisions") == 3


def test_entry_whose_guid_changes_is_the_same_article(newsroom: Newsroom) -> None:
    """I3: some feeds make up new guids at every answer."""
    for n in range(3):
        newsroom.publish(replace(BRIDGE, guid=f"session-{n}"), replace(TUNNEL, guid=f"session-{n}-b"))
        assert newsroom.poll().revised == 0
    assert (newsroom.count("articles"), newsroom.count("revisions"), newsroom.count("entries")) == (2, 2, 2)


def test_vanished_entries_stay_and_returned_ones_are_not_new(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE, TUNNEL)
    newsroom.poll()
    before = newsroom.kept()
    newsroom.publish(TUNNEL)
    newsroom.poll()
    assert newsroom.kept() == before
    newsroom.publish(BRIDGE, TUNNEL)
    outcome = newsroom.poll()
    assert (outcome.new, outcome.revised, outcome.unchanged) == (0, 0, 2)
    assert newsroom.kept() == before


def test_empty_feed_is_no_failure_and_deletes_nothing(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE)
    newsroom.poll()
    newsroom.publish()
    assert newsroom.poll().outcome == "ok"
    assert newsroom.titles() == ["Council opens the bridge"]


# --- one article, several feeds -------------------------------------------------------------------------------


def test_same_page_in_two_feeds_is_one_article_with_two_names(newsroom: Newsroom) -> None:
    newsroom.subscribe(feed(), feed(LOCAL))
    newsroom.publish(BRIDGE)
    newsroom.publish(replace(BRIDGE, guid="tag:local-7", url=f"{BRIDGE.url}?utm_source=rss#top"), url=LOCAL)
    newsroom.poll()
    outcome = newsroom.poll(LOCAL)
    assert (outcome.new, outcome.revised) == (0, 0)
    assert newsroom.count("articles") == newsroom.count("stories") == 1
    assert newsroom.rows("SELECT feed_id, guid, article_id FROM entries") == [
        (1, "tag:example.org,2026:bridge", 1),
        (2, "tag:local-7", 1),
    ]


def test_two_feeds_with_their_own_summaries_of_a_page_make_no_revisions(newsroom: Newsroom) -> None:
    newsroom.subscribe(feed(), feed(LOCAL))
    for n in range(3):
        newsroom.publish(BRIDGE, extra=f"<ttl>{n}</ttl>")
        newsroom.publish(
            replace(BRIDGE, guid="tag:local-7", summary="Our town has a bridge."), url=LOCAL, extra=f"<!--{n}-->"
        )
        assert newsroom.poll().revised == 0
        assert newsroom.poll(LOCAL).revised == 0
    assert newsroom.one("SELECT summary FROM articles") == (BRIDGE.summary,)


def test_new_headline_in_another_feed_is_a_revision_of_the_headline_alone(newsroom: Newsroom) -> None:
    """What the home feed said otherwise stays: the other one often carries less."""
    newsroom.subscribe(feed(), feed(LOCAL))
    long = "The mayor cut the ribbon. " * 20
    newsroom.publish(replace(BRIDGE, content=long))
    newsroom.publish(replace(BRIDGE, guid="tag:local-7", summary="Short."), url=LOCAL)
    newsroom.poll()
    newsroom.poll(LOCAL)
    renamed = "Bridge opens at last"
    newsroom.publish(replace(BRIDGE, guid="tag:local-7", summary="Short.", title=renamed), url=LOCAL)
    assert newsroom.poll(LOCAL).revised == 1
    assert newsroom.kinds() == [("headline", renamed)]
    shown = "SELECT title, summary, text_from, text FROM articles JOIN article_texts ON article_id = id"
    assert newsroom.one(shown) == (renamed, BRIDGE.summary, "content", long.strip())
    newsroom.publish(replace(BRIDGE, content=long, title=renamed))
    assert newsroom.poll().revised == 0
    newsroom.publish(replace(BRIDGE, guid="tag:local-7", summary="Short."), url=LOCAL)
    assert newsroom.poll(LOCAL).revised == 0


def test_article_belongs_to_the_outlet_of_its_address_when_the_feed_names_none(newsroom: Newsroom) -> None:
    newsroom.subscribe(feed(outlet=None))
    newsroom.publish(
        BRIDGE, replace(TUNNEL, url="https://news.example.net/tunnel"), replace(HARBOUR, url="https://x.example/h")
    )
    newsroom.poll()
    outlets = dict(newsroom.rows("SELECT a.title, o.name FROM articles a JOIN outlets o ON o.id = a.outlet_id"))
    assert outlets == {BRIDGE.title: "Example Times", TUNNEL.title: "Example Post", HARBOUR.title: "Example Times"}


WIRE_STORY = " ".join(
    f"On day {n} the harbour pilots of Port Selwyn refused berth {n * 7} and the container ship waited offshore."
    for n in range(1, 9)
)


def test_wire_copy_points_to_the_earliest(newsroom: Newsroom) -> None:
    newsroom.subscribe(feed(), feed(POST_FEED, outlet=None), feed(WIRE_FEED, outlet=None))
    story = Item("Pilots of Port Selwyn refuse to berth ships", "", None, "Pilots refuse.", WIRE_STORY)
    newsroom.publish(replace(story, url="https://wire.example/1", content=f"PORT SELWYN. {WIRE_STORY}"), url=WIRE_FEED)
    newsroom.publish(replace(story, url="https://example.net/2", title="Ships wait off Port Selwyn"), url=POST_FEED)
    newsroom.publish(replace(story, url="https://example.org/3"))
    for url in (WIRE_FEED, POST_FEED, FEED):
        newsroom.poll(url)
    assert newsroom.rows("SELECT id, copy_of FROM articles ORDER BY id") == [(1, None), (2, 1), (3, 1)]
    assert newsroom.one("SELECT article_count, outlet_count, family_count FROM stories") == (3, 3, 1)


def test_copies_within_one_poll_never_point_to_themselves(newsroom: Newsroom) -> None:
    """A feed of several outlets brings original and copy in one document."""
    newsroom.subscribe(feed(WIRE_FEED, outlet=None))
    story = Item("Pilots of Port Selwyn refuse to berth ships", "", None, "Pilots refuse.", WIRE_STORY)
    hosts = ("wire.example", "example.net", "example.org")
    newsroom.publish(*(replace(story, url=f"https://{host}/pilots") for host in hosts), url=WIRE_FEED)
    newsroom.poll(WIRE_FEED)
    assert newsroom.rows("SELECT id, copy_of FROM articles ORDER BY id") == [(1, None), (2, 1), (3, 1)]
    assert newsroom.count("stories") == 1


def test_copy_of_a_revised_text_is_recognised(newsroom: Newsroom) -> None:
    """An article is found by what it says now."""
    newsroom.subscribe(feed(POST_FEED, outlet=None), feed(WIRE_FEED, outlet=None))
    early = Item(
        "Pilots of Port Selwyn refuse to berth ships", "https://wire.example/1", "w", "Pilots.", "More follows."
    )
    late = replace(early, content=WIRE_STORY)
    newsroom.publish(early, url=WIRE_FEED)
    newsroom.poll(WIRE_FEED)
    newsroom.publish(late, url=WIRE_FEED)
    assert newsroom.poll(WIRE_FEED).revised == 1
    newsroom.publish(replace(late, url="https://example.net/2"), url=POST_FEED)
    newsroom.poll(POST_FEED)
    assert newsroom.rows("SELECT id, copy_of FROM articles ORDER BY id") == [(1, None), (2, 1)]


NAMES = ["bridge", "tunnel", "harbour", "market", "library", "tram"]


@given(
    feeds=st.tuples(*[st.lists(st.sampled_from(NAMES), max_size=4, unique=True) for _ in range(3)]),
    orders=st.tuples(*[st.sampled_from(list(permutations(range(3)))) for _ in range(2)]),
)
@settings(max_examples=25, deadline=None)
def test_order_of_the_feeds_does_not_change_the_articles(
    feeds: tuple[list[str], ...], orders: tuple[tuple[int, ...], ...]
) -> None:
    urls = [FEED, LOCAL, POST_FEED]

    def articles(order: tuple[int, ...]) -> list[tuple[Any, ...]]:
        with TemporaryDirectory() as name, Store.open(Path(name) / "news.db") as store:
            room = Newsroom(store)
            room.subscribe(*(feed(url) for url in urls))
            for url, names in zip(urls, feeds, strict=True):
                room.publish(*(item(name) for name in names), url=url)
            for n in order:
                room.poll(urls[n], after=timedelta())
            return room.rows(
                "SELECT a.url, a.title, a.summary, a.published_at, t.text, o.name, a.revision_count,"
                " (SELECT count(*) FROM entries e WHERE e.article_id = a.id) FROM articles a"
                " JOIN article_texts t ON t.article_id = a.id JOIN outlets o ON o.id = a.outlet_id ORDER BY a.url"
            )

    first, second = (articles(order) for order in orders)
    assert first == second
    assert {row[0] for row in first} == {item(name).url for names in feeds for name in names}


# --- revisions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        pytest.param(replace(BRIDGE, title="Bridge closed after a day"), "headline", id="headline"),
        pytest.param(replace(BRIDGE, summary="The bridge was closed on Tuesday."), "text", id="summary"),
        pytest.param(replace(BRIDGE, content="The bridge was closed on Tuesday. " * 3), "text", id="text"),
        pytest.param(replace(BRIDGE, title="Bridge closed", summary="Cracks."), "headline", id="headline and summary"),
        pytest.param(replace(BRIDGE, title="COUNCIL opens the bridge!"), None, id="case and punctuation"),
        pytest.param(replace(BRIDGE, title="  Council  opens the bridge "), None, id="white space"),
        pytest.param(replace(BRIDGE, summary=f"<p><b>{BRIDGE.summary}</b><img src='x.gif'></p>"), None, id="markup"),
        pytest.param(replace(BRIDGE, published_at=NOW), None, id="another date"),
        pytest.param(replace(BRIDGE, url=f"{BRIDGE.url}?utm_medium=rss"), None, id="a tracker in the link"),
    ],
)  # fmt: skip
def test_edit_is_a_revision_of_its_kind_and_cosmetics_are_none(
    changed: Item, kind: str | None, newsroom: Newsroom
) -> None:
    newsroom.publish(BRIDGE)
    newsroom.poll()
    newsroom.publish(changed)
    outcome = newsroom.poll()
    assert (outcome.new, outcome.revised) == (0, 1 if kind else 0)
    assert [found for found, _ in newsroom.kinds()] == ([kind] if kind else [])
    assert newsroom.one("SELECT first_seen_at, published_at FROM articles") == (
        "2026-03-02T09:00:00Z", "2026-03-02T08:00:00Z"
    )  # fmt: skip
    newsroom.publish(changed, extra="<ttl>1</ttl>")
    assert newsroom.poll().revised == 0


def test_edited_headline_is_shown_and_the_old_one_kept(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE)
    newsroom.poll()
    newsroom.publish(replace(BRIDGE, title="Bridge closed after a day"))
    newsroom.poll()
    assert newsroom.titles() == ["Bridge closed after a day"]
    assert newsroom.rows("SELECT n, title, seen_at FROM revisions ORDER BY n") == [
        (1, "Council opens the bridge", "2026-03-02T09:00:00Z"),
        (2, "Bridge closed after a day", "2026-03-02T10:00:00Z"),
    ]


def test_headline_that_goes_back_and_forth_is_one_revision_and_a_return(newsroom: Newsroom) -> None:
    other = replace(BRIDGE, title="Bridge closed after a day")
    for version in (BRIDGE, other, BRIDGE):
        newsroom.publish(version)
        newsroom.poll()
    assert [kind for kind, _ in newsroom.kinds()] == ["headline"]
    assert newsroom.titles() == [BRIDGE.title]
    assert newsroom.rows("SELECT n, returns, returned_at FROM revisions") == [
        (1, 1, "2026-03-02T11:00:00Z"),
        (2, 0, None),
    ]


# --- trouble --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "status", "said"),
    [
        pytest.param(outlet_goes_down, 503, "the server answered 503 Service Unavailable; backing off 1 h", id="503"),
        pytest.param(network_fails, None, "no connection (no route); backing off 1 h", id="network"),
        pytest.param(
            lambda room: room.fake.update({FEED: Page("<!doctype html><title>Sorry</title>")}), None,
            "the answer is an HTML page, not a feed; backing off 1 h", id="html",
        ),
        pytest.param(
            lambda room: room.fake.update(
                {FEED: Page('<html><link rel="alternate" type="application/rss+xml" href="/new.xml"></html>')}
            ),
            None,
            "the answer is an HTML page, not a feed; it links to the feed https://feeds.example.org/new.xml;"
            " backing off 1 h",
            id="html-discovery",
        ),
        pytest.param(
            lambda room: room.fake.update({FEED: Page(b"")}), None,
            "the answer was empty, not a feed; backing off 1 h", id="empty-body",
        ),
    ],
)  # fmt: skip
def test_failing_feed_keeps_validators_and_articles_and_says_why(
    trouble: Any, status: int | None, said: str, newsroom: Newsroom
) -> None:
    newsroom.publish(BRIDGE, etag='"v1"', last_modified="yesterday")
    newsroom.poll()
    before = newsroom.kept()
    trouble(newsroom)
    outcome = newsroom.poll()
    assert (outcome.outcome, outcome.status, outcome.why) == ("failed", status, said)
    assert newsroom.kept() == before
    state = newsroom.store.feeds.state(1)
    assert (state.state, state.failures, state.etag, state.last_modified) == ("failing", 1, '"v1"', "yesterday")
    assert newsroom.one("SELECT last_error, last_ok_at FROM feeds") == (said, "2026-03-02T09:00:00Z")
    assert newsroom.one("SELECT why FROM polls WHERE outcome = 'failed'") == (said,)


def test_failures_in_a_row_wait_longer_and_a_success_ends_them(newsroom: Newsroom) -> None:
    outlet_goes_down(newsroom)
    waits = []
    for _ in range(7):
        at = newsroom.now
        outcome = newsroom.poll()
        assert outcome.next_poll_at is not None
        waits.append((outcome.next_poll_at - at) // HOUR)
    assert waits == [1, 2, 4, 8, 16, 24, 24]
    newsroom.publish(BRIDGE)
    assert newsroom.poll().new == 1
    state = newsroom.store.feeds.state(1)
    assert (state.state, state.failures) == ("ok", 0)
    assert newsroom.one("SELECT last_error FROM feeds") == (None,)


def test_worker_that_is_lost_is_a_failed_poll(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    newsroom.publish(BRIDGE)
    monkeypatch.setattr(parse.xml, "MAX_AT_ONCE", 0)  # so that a worker is asked

    async def lost(_function: object, _given: object) -> None:
        raise WorkerLost("reading it took more than 20 s")

    newsroom.workers.run = lost  # type: ignore[method-assign, assignment]
    outcome = newsroom.poll()
    assert (outcome.outcome, outcome.why) == ("failed", "reading it took more than 20 s; backing off 1 h")


def test_cut_document_keeps_its_complete_entries_but_no_validators(newsroom: Newsroom) -> None:
    whole = rss(BRIDGE, TUNNEL, HARBOUR)
    newsroom.fake[FEED] = Page(whole[: whole.index(b"<title>Council opens the harbour") + 20], headers={"etag": '"v1"'})
    outcome = newsroom.poll()
    assert (outcome.outcome, outcome.new) == ("ok", 2)
    assert "the document is cut off; its complete entries were kept" in outcome.why
    state = newsroom.store.feeds.state(1)
    assert (state.etag, state.body_hash) == (None, None)
    assert newsroom.one("SELECT last_error FROM feeds") == ("the document is cut off; its complete entries were kept",)
    newsroom.fake[FEED] = Page(whole, headers={"etag": '"v1"'})
    assert newsroom.poll().new == 1
    assert newsroom.titles() == [f"Council opens the {name}" for name in ("bridge", "harbour", "tunnel")]
    assert newsroom.store.feeds.state(1).etag == '"v1"'


def test_validators_are_replaced_by_each_answer_and_cleared_when_it_has_none(newsroom: Newsroom) -> None:
    """C5: `validators-change`, `validators-dropped`."""
    seen = []
    for headers in ({"etag": '"v1"', "last_modified": "yesterday"}, {"etag": '"v2"'}, {}):
        newsroom.publish(BRIDGE, extra=f"<!--{len(seen)}-->", **headers)
        newsroom.poll()
        state = newsroom.store.feeds.state(1)
        seen.append((state.etag, state.last_modified))
    assert seen == [('"v1"', "yesterday"), ('"v2"', None), (None, None)]


@pytest.mark.parametrize("host_wide", [True, False], ids=["host-wide", "this feed alone"])
def test_429_holds_the_whole_host_for_as_long_as_it_asks(host_wide: bool, newsroom: Newsroom) -> None:
    newsroom.desk.host_wide_429 = host_wide
    outlet_goes_down(newsroom, status=429, retry_after="7200")
    outcome = newsroom.poll()
    assert outcome.next_poll_at == NOW + 2 * HOUR
    held = newsroom.store.feeds.held("feeds.example.org", NOW)
    why = f"{FEED} answered 429: the server asks us to wait 2 h (Retry-After)"
    assert held == ((NOW + 2 * HOUR, why) if host_wide else None)
    assert newsroom.store.feeds.held("example.org", NOW) is None


def test_503_holds_nobody_else(newsroom: Newsroom) -> None:
    outlet_goes_down(newsroom, retry_after="7200")
    assert newsroom.poll().next_poll_at == NOW + 2 * HOUR
    assert newsroom.count("hosts") == 0


def test_410_three_times_a_day_apart_is_gone_and_not_asked_again(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE)
    newsroom.poll()
    outlet_goes_down(newsroom, status=410)
    for _ in range(2):
        at = newsroom.now
        assert newsroom.poll(after=DAY).next_poll_at == at + DAY
        assert newsroom.store.feeds.state(1).state == "failing"
    last = newsroom.poll(after=DAY)
    assert (last.next_poll_at, last.why) == (None, "gone for good (410, asked three times); it is not asked again")
    assert newsroom.store.feeds.state(1).state == "gone"
    assert newsroom.store.feeds.due(newsroom.now + 1000 * DAY, 10) == []
    assert newsroom.titles() == ["Council opens the bridge"]


def test_410_with_an_answer_in_between_is_not_gone(newsroom: Newsroom) -> None:
    for _ in range(2):
        outlet_goes_down(newsroom, status=410)
        newsroom.poll(after=DAY)
        newsroom.poll(after=DAY)
        newsroom.publish(BRIDGE)
        newsroom.poll(after=DAY)
    assert newsroom.store.feeds.state(1).state == "ok"


# --- moving ---------------------------------------------------------------------------------------------------

NEW = "https://feeds.example.org/new.xml"


@pytest.mark.parametrize("status", [301, 308])
def test_feed_that_says_twice_that_it_moved_is_asked_at_its_new_place(status: int, newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE)
    newsroom.poll()
    before = newsroom.kept()
    newsroom.publish(BRIDGE, url=NEW, etag='"n1"')
    outlet_moves(newsroom, NEW, status=status)
    assert newsroom.poll().outcome == "ok"
    assert newsroom.store.feeds.state(1).url == FEED
    outcome = newsroom.poll()
    assert f"moved to {NEW} for good" in outcome.why
    state = newsroom.store.feeds.state(1)
    assert (state.feed_url, state.url, state.state, state.etag) == (FEED, NEW, "moved", '"n1"')
    newsroom.poll()
    assert newsroom.fake.asked[-1] == NEW
    assert newsroom.fake.asked.count(FEED) == 3
    assert newsroom.kept() == before


def test_temporary_redirect_is_never_remembered(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE, url=NEW)
    outlet_moves(newsroom, NEW, status=302)
    for _ in range(3):
        newsroom.poll()
    state = newsroom.store.feeds.state(1)
    assert (state.url, state.state) == (FEED, "ok")


def test_move_to_a_page_that_is_no_feed_is_not_believed(newsroom: Newsroom) -> None:
    """`redirect-301-hijack`: an expired domain sends everybody to a page of advertisements."""
    newsroom.fake[NEW] = Page("<html>Buy this domain</html>")
    outlet_moves(newsroom, NEW)
    for _ in range(3):
        assert newsroom.poll().outcome == "failed"
    assert newsroom.store.feeds.state(1).url == FEED


def test_feed_that_moves_onto_another_subscribed_one_is_paused(newsroom: Newsroom) -> None:
    """R6"""
    newsroom.subscribe(feed(), feed(LOCAL))
    newsroom.publish(BRIDGE, url=LOCAL)
    newsroom.poll(LOCAL)
    outlet_moves(newsroom, LOCAL)
    newsroom.poll()
    outcome = newsroom.poll()
    assert "which is subscribed already" in outcome.why
    assert newsroom.store.feeds.state(1).state == "paused"
    newsroom.subscribe(feed(), feed(LOCAL))
    assert [state.feed_url for state in newsroom.store.feeds.due(newsroom.now + DAY, 10)] == [LOCAL]
    assert newsroom.count("articles") == 1


def test_feed_that_moves_onto_one_nobody_asks_any_more_goes_on(newsroom: Newsroom) -> None:
    newsroom.subscribe(feed(), feed(LOCAL))
    newsroom.subscribe(feed())
    newsroom.publish(BRIDGE, url=LOCAL)
    outlet_moves(newsroom, LOCAL)
    newsroom.poll()
    newsroom.poll()
    state = newsroom.store.feeds.state(1)
    assert (state.url, state.state) == (LOCAL, "moved")


# --- the database refuses -------------------------------------------------------------------------------------


def test_full_disk_leaves_nothing_of_the_poll_and_a_repeat_succeeds(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE, etag='"v0"')
    newsroom.poll()
    before, state, polls = newsroom.kept(), newsroom.store.feeds.state(1), newsroom.count("polls")
    items = [replace(item(f"bridge-{n}"), content=f"Pillar {n} of the bridge. " * 200) for n in range(60)]
    newsroom.publish(*items, etag='"v1"')
    pages = newsroom.one("PRAGMA page_count")[0]
    newsroom.store._connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    with pytest.raises(StoreError, match="the disk is full"):
        newsroom.poll()
    assert newsroom.kept() == before
    assert newsroom.store.feeds.state(1) == state
    assert newsroom.count("polls") == polls
    newsroom.store._connection.execute("PRAGMA max_page_count = 1000000")
    assert newsroom.poll().new == 60
    assert newsroom.store.feeds.state(1).etag == '"v1"'


def test_bug_in_the_middle_leaves_nothing_of_the_poll(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE, TUNNEL)
    newsroom.desk.outlets = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        newsroom.poll()
    assert (newsroom.count("articles"), newsroom.count("polls")) == (0, 0)
    newsroom.desk.outlets = BOOK
    assert newsroom.poll().new == 2


# --- topics ---------------------------------------------------------------------------------------------------

PROFILE = TopicProfile(
    slug="barrage",
    title="The river barrage",
    terms=(Term("barrage", 1.0, "name"), Term("turbine", 0.8), Term("estuary", 0.6)),
    rules=Rules(),
    threshold=0.3,
    profile_hash="h1",
)
ON_TOPIC = replace(
    item("barrage"),
    title="Barrage turbine fails in the estuary",
    summary="A turbine of the barrage across the estuary failed on Monday.",
)


def tags(room: Newsroom) -> list[tuple[Any, ...]]:
    return room.rows("SELECT article_id, topic, on_topic, profile_hash FROM article_topics ORDER BY 1, 2")


def test_article_on_topic_is_marked_with_its_evidence(newsroom: Newsroom) -> None:
    newsroom.follow(PROFILE)
    newsroom.publish(ON_TOPIC, TUNNEL)
    newsroom.poll()
    article_id, topic, score, on_topic, evidence, published = newsroom.one(
        "SELECT article_id, topic, score, on_topic, evidence, published_at FROM article_topics"
    )
    assert (article_id, topic, on_topic, published) == (1, "barrage", 1, "2026-03-02T08:00:00Z")
    found = json.loads(evidence)
    assert {one["term"] for one in found} == {"barrage", "turbine", "estuary"}
    assert sum(one["points"] for one in found) == pytest.approx(score, abs=0.001)
    in_title = next(one for one in found if (one["term"], one["field"]) == ("barrage", "title"))
    start, end = in_title["spans"][0]
    assert (ON_TOPIC.title or "")[start:end] == "Barrage"


def test_revision_is_judged_anew_under_its_first_date(newsroom: Newsroom) -> None:
    newsroom.follow(PROFILE)
    newsroom.publish(replace(ON_TOPIC, title="Storm over the coast", summary="It rained.", published_at=None))
    newsroom.poll()
    assert tags(newsroom) == []
    newsroom.publish(replace(ON_TOPIC, published_at=None))
    newsroom.poll()
    assert tags(newsroom) == [(1, "barrage", 1, "h1")]
    assert newsroom.one("SELECT published_at FROM article_topics") == ("2026-03-02T09:00:00Z",)
    newsroom.publish(replace(ON_TOPIC, title="Storm over the coast", summary="It rained.", published_at=None))
    newsroom.poll()
    assert tags(newsroom) == []


def test_retag_takes_up_a_changed_profile_and_may_run_twice(newsroom: Newsroom) -> None:
    assert newsroom.follow(PROFILE) == ("barrage",)
    newsroom.publish(ON_TOPIC, TUNNEL, *(item(f"bridge-{n}") for n in range(250)))
    newsroom.poll()
    assert tags(newsroom) == [(1, "barrage", 1, "h1")]
    tunnels = replace(PROFILE, terms=(Term("tunnel", 1.0), Term("council", 0.8)), profile_hash="h2")
    assert newsroom.follow(tunnels) == ("barrage",)
    told: list[int] = []
    assert retag.everything(newsroom.desk, ["barrage"], told.append) == 252
    assert told[-1] == 252
    changed = newsroom.kept()
    assert (2, "barrage", 1, "h2") in tags(newsroom)
    assert all(article_id != 1 and profile_hash == "h2" for article_id, _, _, profile_hash in tags(newsroom))
    retag.everything(newsroom.desk, ["barrage"])
    assert newsroom.kept() == changed
    assert newsroom.follow(tunnels) == ()


def test_retag_without_a_change_changes_nothing(newsroom: Newsroom) -> None:
    newsroom.follow(PROFILE)
    newsroom.publish(ON_TOPIC, replace(BRIDGE, title="Barrage again", published_at=None))
    newsroom.poll()
    newsroom.publish(replace(ON_TOPIC, title="Barrage turbine and estuary saved", published_at=NOW))
    newsroom.poll()
    before = newsroom.kept()
    retag.everything(newsroom.desk, ["barrage"])
    assert newsroom.kept() == before


def test_retag_touches_only_the_topics_named(newsroom: Newsroom) -> None:
    newsroom.follow(PROFILE, replace(PROFILE, slug="weir"))
    newsroom.publish(ON_TOPIC)
    newsroom.poll()
    newsroom.follow(replace(PROFILE, profile_hash="h2"), replace(PROFILE, slug="weir", profile_hash="h2"))
    retag.everything(newsroom.desk, ["weir"])
    assert tags(newsroom) == [(1, "barrage", 1, "h1"), (1, "weir", 1, "h2")]


def test_retag_of_an_empty_archive_is_nothing(newsroom: Newsroom) -> None:
    newsroom.follow(PROFILE)
    assert retag.everything(newsroom.desk, ["barrage"]) == 0


def test_retag_in_the_background_does_the_same(newsroom: Newsroom) -> None:
    newsroom.follow(PROFILE)
    newsroom.publish(ON_TOPIC, *(item(f"bridge-{n}") for n in range(450)))
    newsroom.poll()
    newsroom.follow(replace(PROFILE, terms=(Term("bridge", 1.0), Term("council", 0.8)), profile_hash="h2"))
    asyncio.run(retag.in_background(newsroom.desk))
    assert len(tags(newsroom)) == 450


# --- stories --------------------------------------------------------------------------------------------------


def test_reports_of_one_event_join_one_story(newsroom: Newsroom) -> None:
    newsroom.subscribe(feed(), feed(WIRE_FEED, outlet=None))
    aground = item(
        "ferry",
        title="Ferry Selkie runs aground off Cape Morven",
        summary="The ferry Selkie ran aground off Cape Morven in fog with forty passengers aboard.",
    )
    rescue = item(
        "selkie",
        url="https://wire.example/9",
        title="Passengers taken off ferry Selkie at Cape Morven",
        summary="Lifeboats took forty passengers off the Selkie, aground at Cape Morven in fog.",
    )
    budget = item("budget", url="https://wire.example/10", title="Parliament passes the budget", summary="It voted.")
    newsroom.publish(aground)
    newsroom.publish(rescue, budget, url=WIRE_FEED)
    newsroom.poll()
    newsroom.poll(WIRE_FEED)
    assert newsroom.rows("SELECT article_count, family_count FROM stories ORDER BY id") == [(2, 2), (1, 1)]
