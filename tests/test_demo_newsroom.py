"""The demo's newsroom: laws of its content, its feeds as our own parser reads them, and its server over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pipeline import extract, parse
from pipeline.demo import rendering
from pipeline.demo.newsroom import (
    DEADLINE,
    END,
    START,
    DemoArticle,
    DemoOutlet,
    Edit,
    Newsroom,
    as_of,
    day,
    load,
    published,
    script,
)
from pipeline.demo.server import NewsroomServer
from pipeline.errors import ParseError
from pipeline.model import Article, Entry, ParsedFeed, Response
from pipeline.text import shingles, tokens
from pipeline.urls import canonical

NEWSROOM = load()
KEYS = [outlet.key for outlet in NEWSROOM.outlets]
FORMATS = {"rss2", "rss1", "atom", "json", "sitemap"}
BASE = "http://127.0.0.1:8099"


def on(number: int, hour: int = 12, minute: int = 0) -> datetime:
    """A moment of the ten days, the first being 1."""
    return START + timedelta(days=number - 1, hours=hour, minutes=minute)


MOMENTS = [START, on(1, 7, 30), on(3, 10), on(5, 8, 45), on(5, 16), on(8, 12), END - timedelta(seconds=1)]


class Clock:
    """Time as a value one can set."""

    def __init__(self) -> None:
        self.now = on(5)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[NewsroomServer]:
    with NewsroomServer(NEWSROOM, clock) as running:
        yield running


@pytest.fixture
def client(server: NewsroomServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False) as web:
        yield web


def read(body: bytes, content_type: str = "", url: str = f"{BASE}/KEY/feed") -> ParsedFeed:
    headers = (("content-type", content_type),)
    return parse.feed(Response(asked_url=url, url=url, status=200, headers=headers, body=body, fetched_at=END))


def read_outlet(outlet: DemoOutlet, now: datetime) -> ParsedFeed:
    body = rendering.feed(outlet, published(NEWSROOM, outlet.key, now), now, BASE)
    return read(body, rendering.content_type(outlet.format))


def as_article(entry: Entry, outlet: DemoOutlet) -> Article:
    return extract.article(entry, outlet.name, END)


def articles_of(key: str) -> list[DemoArticle]:
    return [article for article in NEWSROOM.articles if article.outlet == key]


# ---- laws of the content


def test_ids_and_addresses_are_unique_and_canonical() -> None:
    assert len({article.id for article in NEWSROOM.articles}) == len(NEWSROOM.articles)
    assert len({article.url for article in NEWSROOM.articles}) == len(NEWSROOM.articles)
    assert [article.url for article in NEWSROOM.articles if canonical(article.url) != article.url] == []


def test_newsroom_is_as_large_as_the_demo_promises() -> None:
    truth = script(NEWSROOM)
    assert truth.outlets >= 12
    assert truth.families >= 8
    assert truth.articles >= 200
    assert set(truth.entries) == FORMATS
    assert sum(truth.entries.values()) == truth.articles


def test_every_day_is_served_and_nothing_lies_outside_the_ten_days() -> None:
    assert {day(article.at) for article in NEWSROOM.articles} == set(range(1, 11))
    moments = [at for article in NEWSROOM.articles for at in (article.at, *(edit.at for edit in article.edits))]
    assert all(START <= at < END for at in moments)


def test_every_edit_comes_after_its_article_and_changes_its_words() -> None:
    for article in NEWSROOM.articles:
        wordings = [as_of(article, at) for at in (article.at, *(edit.at for edit in article.edits))]
        words = [(wording.title, wording.summary, wording.text) for wording in wordings]
        assert all(edit.at > article.at for edit in article.edits), article.id
        assert len(set(words)) == len(words), article.id


def test_a_feed_that_goes_away_takes_no_article_or_edit_with_it() -> None:
    for outlet in NEWSROOM.outlets:
        if outlet.quirk == "gone":
            assert outlet.day is not None
            assert articles_of(outlet.key)
            for article in articles_of(outlet.key):
                assert article.updated_at < on(outlet.day, 0), article.id


def test_what_an_outlet_publishes_stays_in_its_window_long_enough_to_be_read() -> None:
    for outlet in NEWSROOM.outlets:
        assert len(articles_of(outlet.key)) <= outlet.window


def test_a_headline_only_outlet_runs_no_copies_and_edits_no_texts() -> None:
    for outlet in NEWSROOM.outlets:
        if outlet.format == "sitemap":
            assert not any(article.copy_of for article in articles_of(outlet.key))
            assert all(edit.title for article in articles_of(outlet.key) for edit in article.edits)


def test_copies_come_later_and_share_most_words_with_their_original() -> None:
    by_id = {article.id: article for article in NEWSROOM.articles}
    copies = [article for article in NEWSROOM.articles if article.copy_of]
    assert len(copies) >= 5
    for copy in copies:
        original = by_id[copy.copy_of or ""]
        assert original.copy_of is None, copy.id
        assert original.at < copy.at, copy.id
        assert original.outlet != copy.outlet, copy.id
        assert original.story == copy.story, copy.id
        ours, theirs = shingles(tokens(copy.text)), shingles(tokens(original.text))
        assert len(ours & theirs) > 0.6 * min(len(ours), len(theirs)), copy.id


def test_no_text_that_is_not_a_copy_reads_like_another() -> None:
    texts = [(article, shingles(tokens(article.text))) for article in NEWSROOM.articles if not article.copy_of]
    for place, (one, ours) in enumerate(texts):
        for other, theirs in texts[place + 1 :]:
            assert len(ours & theirs) <= 0.3 * min(len(ours), len(theirs)), (one.id, other.id)


def test_every_story_has_several_outlets_and_one_answer_to_whether_it_is_on_topic() -> None:
    for slug, urls in script(NEWSROOM).stories.items():
        articles = [article for article in NEWSROOM.articles if article.url in urls]
        assert len({article.outlet for article in articles}) >= 3, slug
        assert len({article.topic for article in articles}) == 1, slug


def test_script_tells_who_was_first_and_who_only_ran_the_wire() -> None:
    truth = script(NEWSROOM)
    assert truth.deadline_first == "Pacific Daily Wire"
    wire = {"Harbour Courier", "Eastgate Times", "Cityline Tribune", "Northern Post"}
    assert truth.deadline_wire_only == wire
    assert truth.deadline_families == 6
    assert len(truth.stories[DEADLINE]) == 11
    assert truth.stories[DEADLINE] <= truth.on_topic
    assert (truth.edits, truth.headline_edits, len(truth.copies)) == (8, 5, 6)


# ---- wordings at a moment


def test_an_article_reads_as_first_published_until_the_minute_of_its_edit() -> None:
    article = next(article for article in NEWSROOM.articles if article.edits and article.edits[0].title)
    edit = article.edits[0]
    before, after = as_of(article, edit.at - timedelta(seconds=1)), as_of(article, edit.at)
    assert (before.title, before.updated_at) == (article.title, article.at)
    assert (after.title, after.updated_at) == (edit.title, edit.at)
    assert after.text == article.text


def test_a_feed_holds_the_newest_of_its_window_newest_first() -> None:
    small = Newsroom(tuple(replace(outlet, window=3) for outlet in NEWSROOM.outlets), NEWSROOM.articles)
    shown = published(small, "ledger", on(6))
    assert list(shown) == list(published(NEWSROOM, "ledger", on(6))[:3])
    assert [article.at for article in shown] == sorted((article.at for article in shown), reverse=True)
    assert published(NEWSROOM, "ledger", START) == ()


# ---- feeds as the parser reads them


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("now", MOMENTS, ids=lambda now: f"{now:%d-%H%M}")
def test_a_feed_parses_to_exactly_what_is_published(key: str, now: datetime) -> None:
    outlet = NEWSROOM.outlet(key)
    expected = published(NEWSROOM, key, now)
    parsed = read_outlet(outlet, now)
    assert (parsed.skipped, parsed.flaw, parsed.whole) == (0, None, True)
    assert parsed.title == (outlet.name if expected or outlet.format != "sitemap" else None)
    assert len({entry.guid for entry in parsed.entries}) == len(expected)
    got = [as_article(entry, outlet) for entry in parsed.entries]
    assert [(a.url, a.title, a.published_at) for a in got] == [(a.url, a.title, a.at) for a in expected]
    if outlet.format == "sitemap":
        assert {a.text_from for a in got} <= {"title"}
    else:
        assert [(a.summary, a.text) for a in got] == [(a.summary, a.text) for a in expected]
        assert [a.authors for a in got] == [a.authors for a in expected]


def test_the_same_articles_are_the_same_bytes_and_an_hour_alone_changes_nothing() -> None:
    for outlet in NEWSROOM.outlets:
        shown = published(NEWSROOM, outlet.key, on(7))
        assert rendering.feed(outlet, shown, on(7), BASE) == rendering.feed(outlet, shown, on(7, 13), BASE)


def test_an_edit_changes_the_update_time_and_the_tracking_of_a_link_but_not_the_article() -> None:
    outlet = NEWSROOM.outlet(rendering.TAGS_LINKS)
    article = next(article for article in articles_of(outlet.key) if article.edits)
    before, after = (
        rendering.feed(outlet, (as_of(article, now),), now, BASE) for now in (article.at, article.edits[0].at)
    )
    assert b"utm_medium=feed" in before
    assert b"utm_medium=update-1" in after
    assert read(before).entries[0].url == read(after).entries[0].url == article.url


def test_atom_says_when_an_article_was_updated() -> None:
    article = next(a for a in NEWSROOM.articles if a.edits and NEWSROOM.outlet(a.outlet).format == "atom")
    now = article.edits[0].at
    body = rendering.feed(NEWSROOM.outlet(article.outlet), (as_of(article, now),), now, BASE)
    assert body.count(f"<updated>{now:%Y-%m-%dT%H:%M:%SZ}</updated>".encode()) == 2
    assert f"<published>{article.at:%Y-%m-%dT%H:%M:%SZ}</published>".encode() in body


def test_an_edit_on_a_later_day_leaves_guid_and_publication_date_as_they_were() -> None:
    for outlet in NEWSROOM.outlets:
        first = articles_of(outlet.key)[0]
        edited = replace(first, title="Other words", edits=(Edit(first.at + timedelta(days=2), title="Other words"),))
        before, after = (read(rendering.feed(outlet, (one,), END, BASE)).entries[0] for one in (first, edited))
        assert (before.guid, before.published_at) == (after.guid, after.published_at), outlet.key
        assert before.raw_hash != after.raw_hash


def habit_windows_1252(body: bytes) -> bool:
    return b'encoding="windows-1252"' in body and b"\x92" in body and b"\x96" in body


HABITS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "one declares windows-1252 and needs it": (rendering.WINDOWS_1252, habit_windows_1252),
    "one has links without a host": (
        rendering.RELATIVE_LINKS,
        lambda body: b'xml:base="https://www.' in body and b'href="/2020/12/' in body,
    ),
    "one writes html entities": (rendering.HTML_ENTITIES, lambda body: b"&amp;#039;" in body and b"&quot;" in body),
    "one asks for an hour between polls": (rendering.HAS_TTL, lambda body: b"<ttl>60</ttl>" in body),
    "one gives every item the same guid": (
        "eastgate",
        lambda body: body.count(b'<guid isPermaLink="false">https://eastgate-times.example/</guid>') > 10,
    ),
}


@pytest.mark.parametrize("habit", HABITS)
def test_feeds_have_the_habits_of_real_ones(habit: str) -> None:
    key, shows = HABITS[habit]
    last = END - timedelta(seconds=1)
    assert shows(rendering.feed(NEWSROOM.outlet(key), published(NEWSROOM, key, last), last, BASE))


def test_markup_in_words_is_escaped_in_every_format() -> None:
    nasty = DemoArticle(
        id="nasty",
        outlet="",
        at=on(2),
        title='Marks & "Spencer" say 3 > 2',
        summary="It's <not> a tag & never was",
        authors=("A & B",),
        text="First ]]> & second, in Łódź.\n\nx < y is <b>no markup</b>, it's words.",
        url="https://www.example.org/2020/12/02/nasty&more",
    )
    for outlet in NEWSROOM.outlets:
        parsed = read(rendering.feed(outlet, (nasty,), on(2), BASE))
        assert parsed.flaw is None
        got = as_article(parsed.entries[0], outlet)
        assert (got.url, got.title) == (nasty.url, nasty.title), outlet.key
        if outlet.format != "sitemap":
            assert (got.text, got.authors) == (nasty.text, nasty.authors), outlet.key


# ---- the server


def test_every_feed_is_served_as_rendered(server: NewsroomServer, client: httpx.Client, clock: Clock) -> None:
    assert [name for _, name in server.feeds()] == [outlet.name for outlet in NEWSROOM.outlets]
    clock.now = on(2)
    for (url, _), outlet in zip(server.feeds(), NEWSROOM.outlets, strict=True):
        got = client.get(url)
        assert got.status_code == 200
        assert got.headers["content-type"] == rendering.content_type(outlet.format)
        shown = published(NEWSROOM, outlet.key, clock.now)
        assert got.content == rendering.feed(outlet, shown, clock.now, server.url)
    assert server.log == {(key, 200): 1 for key in KEYS}


def test_half_of_the_outlets_pack_their_feed_when_asked_to(client: httpx.Client, clock: Clock) -> None:
    clock.now = on(2)
    packed = [key for key in KEYS if client.get(f"/{key}/feed").headers.get("content-encoding") == "gzip"]
    assert len(packed) == len(KEYS) // 2
    plain = {"accept-encoding": "identity"}
    assert all("content-encoding" not in client.get(f"/{key}/feed", headers=plain).headers for key in packed)
    etags = {client.get(f"/{packed[0]}/feed", headers=asked).headers["etag"] for asked in ({}, plain)}
    assert len(etags) == 2


def test_a_feed_that_has_not_changed_is_not_sent_again(
    server: NewsroomServer, client: httpx.Client, clock: Clock
) -> None:
    first = client.get("/bulletin/feed")
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert etag.startswith('"')
    clock.now += timedelta(minutes=1)
    for asked in ({"if-none-match": etag}, {"if-modified-since": modified}):
        again = client.get("/bulletin/feed", headers=asked)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert server.log == {("bulletin", 200): 1, ("bulletin", 304): 2}
    assert server.conditional == 2


def test_only_the_very_bytes_of_a_validator_count(client: httpx.Client) -> None:
    first = client.get("/bulletin/feed")
    modified = first.headers["last-modified"]
    for asked in (
        {"if-none-match": f"W/{first.headers['etag']}"},
        {"if-none-match": '"other"', "if-modified-since": modified},
        {"if-modified-since": modified.lower()},
    ):
        assert client.get("/bulletin/feed", headers=asked).status_code == 200


def test_an_edit_brings_a_new_etag_and_the_time_of_the_edit(client: httpx.Client, clock: Clock) -> None:
    edit = next(edit for article in articles_of("ledger") for edit in article.edits)
    clock.now = edit.at - timedelta(seconds=1)
    before = client.get("/ledger/feed")
    clock.now = edit.at
    after = client.get("/ledger/feed", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    assert after.headers["last-modified"] == f"{edit.at:%a, %d %b %Y %H:%M:%S} GMT"


def test_one_feed_says_how_long_it_may_be_cached(client: httpx.Client) -> None:
    said = {key: client.get(f"/{key}/feed").headers.get("cache-control") for key in KEYS}
    assert [value for value in said.values() if value] == ["max-age=300"]


def test_a_moved_feed_answers_301_from_its_day_on(server: NewsroomServer, client: httpx.Client, clock: Clock) -> None:
    clock.now = on(3, 0) - timedelta(seconds=1)
    assert client.get("/techweek/feed").status_code == 200
    assert client.get("/techweek/v2/feed").status_code == 404
    clock.now = on(3, 0)
    moved = client.get("/techweek/feed")
    assert (moved.status_code, moved.headers["location"]) == (301, f"{server.url}/techweek/v2/feed")
    got = read(client.get(moved.headers["location"]).content)
    assert [entry.url for entry in got.entries] == [a.url for a in published(NEWSROOM, "techweek", clock.now)]


def test_a_feed_that_went_away_answers_410_whatever_is_asked(client: httpx.Client, clock: Clock) -> None:
    clock.now = on(6, 0) - timedelta(seconds=1)
    last = client.get("/tradedesk/feed")
    assert last.status_code == 200
    clock.now = on(6, 0)
    gone = client.get("/tradedesk/feed", headers={"if-none-match": last.headers["etag"]})
    assert gone.status_code == 410
    assert gone.headers["content-type"].startswith("text/html")


def test_a_broken_feed_is_a_page_then_cut_then_well(client: httpx.Client, clock: Clock) -> None:
    clock.now = on(4, 0) - timedelta(seconds=1)
    well = client.get("/cityline/feed")
    asked = {"if-none-match": well.headers["etag"]}
    clock.now = on(4, 0)
    page = client.get("/cityline/feed", headers=asked)
    assert (page.status_code, "etag" in page.headers, "last-modified" in page.headers) == (200, False, False)
    with pytest.raises(ParseError, match="HTML page"):
        read(page.content)
    clock.now = on(4, 12)
    cut = client.get("/cityline/feed", headers=asked)
    assert (cut.status_code, "etag" in cut.headers) == (200, False)
    assert int(cut.headers["content-length"]) == cut.num_bytes_downloaded
    parsed = read(cut.content, cut.headers["content-type"])
    expected = published(NEWSROOM, "cityline", clock.now)
    assert not parsed.whole
    got = [as_article(entry, NEWSROOM.outlet("cityline")) for entry in parsed.entries]
    assert 0 < len(got) < len(expected)
    assert [(a.url, a.text) for a in got] == [(a.url, a.text) for a in expected[: len(got)]]
    clock.now = on(5, 0)
    again = client.get("/cityline/feed")
    assert "etag" in again.headers
    assert len(read(again.content).entries) == len(published(NEWSROOM, "cityline", clock.now))


@pytest.mark.parametrize("path", ["/", "/harbour", "/harbour/other", "/nobody/feed", "/harbour/v2/feed", "/feed"])
def test_anything_else_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_server_stops_while_a_client_keeps_its_connection(clock: Clock) -> None:
    with httpx.Client(trust_env=False) as web:
        with NewsroomServer(NEWSROOM, clock) as server:
            web.get(server.feeds()[0][0])
            web.get(server.feeds()[1][0])
        with pytest.raises(httpx.TransportError):
            web.get(server.feeds()[0][0])


def test_the_moment_is_asked_at_every_request() -> None:
    moments = iter([on(1, 9), datetime(2020, 12, 9, tzinfo=UTC)])
    with NewsroomServer(NEWSROOM, lambda: next(moments)) as server, httpx.Client(trust_env=False) as web:
        early, late = (read(web.get(f"{server.url}/harbour/feed").content) for _ in range(2))
    assert len(early.entries) < len(late.entries)
