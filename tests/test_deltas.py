"""Answers that hold only what is new (RFC 3229, fetch contract C10; `delta-226`, `a-im-only-conditional`)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import FEED, NOW, Item, Page, WireServer, answer, feed, feed_state, item, response, rss, web
from test_ingest import Newsroom

from pipeline import memory, schedule, service
from pipeline.model import ParsedFeed
from pipeline.schedule import rhythm
from pipeline.store import Store

BRIDGE, TUNNEL, HARBOUR = item("bridge"), item("tunnel"), item("harbour")
ALL_READ = ParsedFeed(title="Example Times", entries=())
CUT_OFF = ParsedFeed(title="Example Times", entries=(), whole=False)


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with Store.open(tmp_path / "news.db", what="a test") as store:
        made = Newsroom(store)
        made.subscribe(feed())
        yield made


def delta(*items: Item, **headers: str) -> Page:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Page(rss(*items), 226, {"content-type": "application/rss+xml", "im": "feed", **named})


@pytest.mark.parametrize(
    ("validators", "asked_for"),
    [
        pytest.param({}, False, id="a-im-only-conditional"),
        pytest.param({"last_modified": "Mon, 02 Mar 2026 08:00:00 GMT"}, False, id="a date names no version"),
        pytest.param({"etag": '"v1"'}, True, id="a tag does"),
    ],
)
def test_a_delta_is_asked_for_against_a_tag_alone(validators: dict[str, str], asked_for: bool) -> None:
    async def ask(server: WireServer) -> None:
        one = web()
        try:
            await one.get(server.url("/feed"), **validators)
        finally:
            await one.close()

    with WireServer({"/feed": answer(rss())}) as server:
        asyncio.run(ask(server))
        assert (server.headers().get("a-im") == "feed") is asked_for


def test_a_delta_brings_its_entries_and_nothing_vanishes(newsroom: Newsroom) -> None:
    """`delta-226`"""
    newsroom.publish(BRIDGE, TUNNEL, etag='"v1"')
    newsroom.poll()
    body_hash = newsroom.store.feeds.state(1).body_hash
    newsroom.fake[FEED] = delta(HARBOUR, etag='"v2"')
    outcome = newsroom.poll()
    assert (outcome.outcome, outcome.status, outcome.new, outcome.unchanged) == ("ok", 226, 1, 0)
    assert "only what is new was sent (226)" in outcome.why
    assert newsroom.count("articles") == newsroom.count("entries") == 3
    state = newsroom.store.feeds.state(1)
    assert (state.etag, state.body_hash) == ('"v2"', body_hash), "a delta's body is not the document"
    newsroom.publish(HARBOUR, BRIDGE, TUNNEL, etag='"v2"')
    assert newsroom.poll().outcome == "not_modified"
    assert newsroom.fake.requests[-1].headers["if-none-match"] == '"v2"'


def test_an_entry_that_a_delta_does_not_name_keeps_its_name(newsroom: Newsroom) -> None:
    """I3 renames an entry whose guid is no longer in the document; a delta says nothing of what is no longer there."""
    newsroom.publish(BRIDGE, etag='"v1"')
    newsroom.poll()
    newsroom.fake[FEED] = delta(item("bridge", guid="another-name"), etag='"v2"')
    newsroom.poll()
    assert newsroom.count("articles") == 1
    assert newsroom.rows("SELECT guid FROM entries ORDER BY guid DESC") == [(BRIDGE.guid,), ("another-name",)]


def test_a_delta_of_new_entries_does_not_hurry_the_rhythm(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE, etag='"v1"')
    newsroom.poll()
    newsroom.fake[FEED] = delta(TUNNEL, HARBOUR, etag='"v2"')
    newsroom.poll()
    known = rhythm.read(newsroom.store.feeds.state(1).rhythm)
    assert known.hurry is None, "all entries were new, as in every delta"
    assert sum(known.seen.values()) > 0, "and they count as news"


def test_a_revised_entry_in_a_delta_is_a_revision(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE, TUNNEL, etag='"v1"')
    newsroom.poll()
    newsroom.fake[FEED] = delta(item("bridge", title="Council closes the bridge"), etag='"v2"')
    assert newsroom.poll().revised == 1
    assert newsroom.kinds() == [("headline", "Council closes the bridge")]


def test_an_empty_delta_is_a_success(newsroom: Newsroom) -> None:
    newsroom.publish(BRIDGE, etag='"v1"')
    newsroom.poll()
    newsroom.fake[FEED] = delta(etag='"v2"')
    assert (newsroom.poll().outcome, newsroom.store.feeds.state(1).etag) == ("ok", '"v2"')


@pytest.mark.parametrize(
    ("answered", "parsed", "etag", "body_hash"),
    [
        pytest.param({"headers": {"etag": '"v2"'}}, ALL_READ, '"v2"', "hash", id="read"),
        pytest.param({"headers": {}}, ALL_READ, '"v1"', "hash", id="without a tag the version we named stays"),
        pytest.param({"headers": {"etag": '"v2"'}}, CUT_OFF, '"v1"', "hash", id="cut off, it is asked for again"),
        pytest.param({"headers": {"etag": '"v2"'}, "url": "https://other.example/"}, ALL_READ, None, None, id="C8"),
    ],
)
def test_what_is_remembered_after_a_delta(
    answered: dict[str, object], parsed: ParsedFeed, etag: str | None, body_hash: str | None
) -> None:
    before = feed_state(etag='"v1"', validators_url=FEED, body_hash="hash", hint=timedelta(hours=2), failures=3)
    after = memory.after(before, response(rss(), status=226, **answered), parsed)
    assert (after.etag, after.body_hash, after.failures, after.hint) == (etag, body_hash, 0, timedelta(hours=2))


def test_a_delta_nobody_asked_for_brings_its_entries_and_no_tag(newsroom: Newsroom) -> None:
    newsroom.fake[FEED] = delta(BRIDGE, etag='"v2"')
    assert newsroom.poll().new == 1
    assert newsroom.store.feeds.state(1).etag is None, "what came before it would never be asked for"


def test_the_service_goes_on_from_a_delta(tmp_path: Path) -> None:
    """Over a real wire: whole, delta, 304."""
    asked: list[tuple[str | None, str | None]] = []

    def config(url: str) -> Path:
        (tmp_path / "newsbeat.toml").write_text(
            '[fetch]\ncontact = "https://reader.example/"\nper_host_gap = 0\nallow_addresses = ["127.0.0.1/32"]\n'
        )
        (tmp_path / "feeds.toml").write_text(f'[[feed]]\nurl = "{url}"\n')
        return tmp_path

    async def scene(server: WireServer) -> None:
        moment = [NOW]
        async with service.opened(
            config(server.url("/feed")), tmp_path / "news.db", what="a test", now=lambda: moment[0], draw=lambda: 0.0
        ) as running:
            for made in (
                answer(rss(BRIDGE), ETag='"v1"'),
                answer(rss(TUNNEL), status="226 IM Used", ETag='"v2"', IM="feed"),
                answer(status="304 Not Modified", ETag='"v2"'),
            ):
                server.answers["/feed"] = made
                (outcome,) = await running.once()
                asked.append((server.headers().get("if-none-match"), outcome.outcome))
                moment[0] += schedule.Pace().every
            assert running.store._connection.execute("SELECT count(*) FROM articles").fetchone() == (2,)

    with WireServer() as server:
        asyncio.run(scene(server))
    assert asked == [(None, "ok"), ('"v1"', "ok"), ('"v2"', "not_modified")]
