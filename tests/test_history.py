"""Older documents of a feed (RFC 5005, fetch contract I10; `paged`): off unless configured, slow, and each once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import FEED, NOW, Inline, Item, feed, item, response, rss
from outlets import Outlets
from test_ingest import Newsroom
from test_service import Time, play
from test_service import opened as opened_service

from pipeline import history, parse
from pipeline.schedule import rhythm
from pipeline.service import Service
from pipeline.store import Store

ATOM = "http://www.w3.org/2005/Atom"
DAY = timedelta(days=1)


@asynccontextmanager
async def opened(directory: Path, db: Path, now: Time) -> AsyncIterator[Service]:
    """A service that reads here and now: this is not about processes."""
    async with opened_service(directory, db, now) as running:
        running.workers = Inline()
        yield running


def link(rel: str, href: str) -> str:
    return f'<atom:link xmlns:atom="{ATOM}" rel="{rel}" href="{href}"/>'


def old(name: str, days: int = 300) -> Item:
    return item(name, published_at=NOW - timedelta(days=days))


def pages(outlets: Outlets, count: int, rel: str = "prev-archive") -> None:
    """A feed at /a and `count` older documents /a/1, /a/2 and so on, an entry each."""
    for n in range(count + 1):
        older = link(rel, f"/a/{n + 1}") if n < count else ""
        outlets.bodies["/a" if n == 0 else f"/a/{n}"] = rss(old(f"bridge-{n}"), extra=older)


@pytest.mark.parametrize(
    ("body", "links"),
    [
        pytest.param(rss(extra=link("next", "?page=2")), (("next", FEED + "?page=2"),), id="relative"),
        pytest.param(
            rss(extra=link("hub self", "https://x.example/") + link("alternate", "/")),
            (("hub", "https://x.example/"), ("self", "https://x.example/")),
            id="two rels in one, and one that is none of ours",
        ),
        pytest.param(rss(extra=link("next", "javascript:1")), (), id="no address"),
        pytest.param(rss(extra=link("next", "https://x.example/" + "a" * 3000)), (), id="far too long"),
        pytest.param(
            json.dumps(
                {
                    "version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [], "next_url": "/2",
                    "feed_url": FEED, "hubs": [{"type": "WebSub", "url": "https://hub.example/"}, {"type": "x"}, 7],
                }
            ).encode(),
            (("next", "https://feeds.example.org/2"), ("self", FEED), ("hub", "https://hub.example/")),
            id="JSON Feed",
        ),
    ],
)  # fmt: skip
def test_a_documents_links_are_read(body: bytes, links: tuple[tuple[str, str], ...]) -> None:
    assert parse.feed(response(body)).links == links


def test_nothing_older_is_asked_for_unless_configured(tmp_path: Path) -> None:
    async def scene() -> None:
        now = Time()
        async with opened(outlets.configure(tmp_path / "config", "/a"), tmp_path / "news.db", now) as running:
            for _ in range(3):
                await running.once()
                now.passes(minutes=61)

    with Outlets() as outlets:
        pages(outlets, 2)
        play(scene)
    assert set(outlets.asked) == {"/a"}


@pytest.mark.parametrize("rel", ["prev-archive", "next"])
def test_one_older_document_is_read_after_each_poll_and_each_once(rel: str, tmp_path: Path) -> None:
    async def scene() -> None:
        now = Time()
        directory = outlets.configure(tmp_path / "config", "/a", fetch="archives = true")
        for _ in range(5):
            async with opened(directory, tmp_path / "news.db", now) as running:
                await running.once()
                (count,) = running.store._connection.execute("SELECT count(*) FROM articles").fetchone()
                (newest,) = running.store._connection.execute("SELECT max(first_seen_at) FROM articles").fetchone()
            now.passes(hours=25)
        assert count == 4
        assert newest == "2026-03-02T09:00:00Z", "what is older is not shown as new"

    with Outlets() as outlets:
        pages(outlets, 3, rel)
        play(scene)
    assert outlets.asked[:2] == ["/a", "/a/1"]
    assert sorted(outlets.asked) == ["/a"] * 5 + ["/a/1", "/a/2", "/a/3"]


def test_at_most_ten_a_day_are_asked_for(tmp_path: Path) -> None:
    async def scene() -> None:
        now = Time()
        directory = outlets.configure(
            tmp_path / "config", "/a", fetch='archives = true\nevery = "5m"\nevery_least = "5m"'
        )
        async with opened(directory, tmp_path / "news.db", now) as running:
            for _ in range(15):
                await running.once()
                now.passes(hours=1)
                with running.store.transaction():
                    running.store.feeds.postpone(1, now())
            assert sum(path != "/a" for path in outlets.asked) == history.PER_DAY
            now.passes(hours=10)
            await running.once()
            assert sum(path != "/a" for path in outlets.asked) == history.PER_DAY + 1

    with Outlets() as outlets:
        pages(outlets, 20)
        play(scene)


def test_a_document_that_shares_an_entry_ends_the_walk(tmp_path: Path) -> None:
    async def scene() -> None:
        now = Time()
        directory = outlets.configure(tmp_path / "config", "/a", fetch="archives = true")
        async with opened(directory, tmp_path / "news.db", now) as running:
            for _ in range(4):
                await running.once()
                now.passes(hours=7)

    with Outlets() as outlets:
        pages(outlets, 3)
        outlets.bodies["/a/1"] = rss(old("bridge-0"), old("bridge-1"), extra=link("prev-archive", "/a/2"))
        play(scene)
    assert set(outlets.asked) == {"/a", "/a/1"}


def test_a_loop_of_documents_ends(tmp_path: Path) -> None:
    async def scene() -> None:
        now = Time()
        directory = outlets.configure(tmp_path / "config", "/a", fetch="archives = true")
        async with opened(directory, tmp_path / "news.db", now) as running:
            for _ in range(4):
                await running.once()
                now.passes(hours=7)

    with Outlets() as outlets:
        outlets.bodies["/a"] = rss(old("bridge"), extra=link("next", "/a/1"))
        outlets.bodies["/a/1"] = rss(old("tunnel"), extra=link("next", "/a"))
        play(scene)
    assert outlets.asked.count("/a/1") == 1


def test_what_is_older_is_asked_through_the_same_guard(tmp_path: Path) -> None:
    async def scene() -> None:
        directory = outlets.configure(tmp_path / "config", "/a", fetch="archives = true")
        async with opened(directory, tmp_path / "news.db", Time()) as running:
            await running.once()
            rows = running.store._connection.execute("SELECT url, fetched_at FROM archives").fetchall()
            assert rows == [("http://169.254.169.254/", "2026-03-02T09:00:00Z")]
            assert len(running.store.feeds.lines()) == 1

    with Outlets() as outlets:
        outlets.bodies["/a"] = rss(old("bridge"), extra=link("next", "http://169.254.169.254/"))
        play(scene)
    assert outlets.asked == ["/a"]


def test_a_host_that_asks_us_to_wait_is_waited_for(tmp_path: Path) -> None:
    async def scene() -> None:
        directory = outlets.configure(tmp_path / "config", "/a", fetch="archives = true")
        now = Time()
        async with opened(directory, tmp_path / "news.db", now) as running:
            await running.once()
            assert running.store.feeds.held("127.0.0.1", now())
            with running.store.transaction():
                running.store.history.want(1, f"{outlets.url}/a/2")
            assert await history.step_back(
                running.store.feeds.state(1), running.desk, running.web, running.workers, now
            ) is None  # fmt: skip

    with Outlets() as outlets:
        outlets.bodies |= {"/a": rss(old("bridge"), extra=link("next", "/a/1")), "/a/1": 429}
        play(scene)
    assert outlets.asked == ["/a", "/a/1"]


def test_what_is_older_teaches_the_rhythm_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "news.db", what="a test") as store:
        room = Newsroom(store)
        room.subscribe(feed())
        room.desk.archives = True
        room.publish(item("bridge"), extra=link("next", "/older"))
        room.poll()
        before = store.feeds.state(1)
        room.publish(old("tunnel"), url="https://feeds.example.org/older")
        asyncio.run(history.step_back(before, room.desk, room.web, room.workers, lambda: room.now))
        assert room.count("articles") == 2
        assert store.feeds.state(1) == before
        assert rhythm.read(before.rhythm).hurry is None
