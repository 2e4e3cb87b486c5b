"""The service on a real loopback server: ticks, restarts, changed files, a clean stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import NOW, item
from outlets import Outlets

from pipeline import service
from pipeline.errors import ConfigError, ConfigErrors, StoreError
from pipeline.service import Service
from pipeline.store import FEEDBACK, Feedback
from pipeline.times import stamp

TOPIC = """
title = "Bridges"
threshold = 0.1
[[term]]
text = "bridge"
weight = 1.0
"""


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def passes(self, **of: float) -> None:
        self.at += timedelta(**of)


@asynccontextmanager
async def opened(directory: Path, db: Path, now: Callable[[], datetime]) -> AsyncIterator[Service]:
    async with service.opened(directory, db, what="a test", now=now, draw=lambda: 0.0) as running:
        yield running


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scene())


def test_once_polls_what_is_due_and_then_nothing_is(tmp_path: Path) -> None:
    async def scene() -> None:
        now = Time()
        async with opened(outlets.configure(tmp_path / "config", "/a", "/b"), tmp_path / "news.db", now) as running:
            assert len(await running.once()) == 2
            assert await running.once() == []
            now.passes(minutes=61)
            assert len(await running.once()) == 2

    with Outlets() as outlets:
        outlets.publish("/a", item("bridge"))
        outlets.publish("/b", item("tunnel"))
        play(scene)
    assert sorted(outlets.asked) == ["/a", "/a", "/b", "/b"]


def test_a_restart_neither_polls_again_nor_forgets_when(tmp_path: Path) -> None:
    async def scene() -> None:
        now = Time()
        directory = outlets.configure(tmp_path / "config", "/a")
        for _ in range(3):
            async with opened(directory, tmp_path / "news.db", now) as running:
                await running.once()
            now.passes(minutes=5)
        assert outlets.asked == ["/a"]
        now.passes(minutes=60)
        async with opened(directory, tmp_path / "news.db", now) as running:
            assert [outcome.unchanged for outcome in await running.once()] == [0]
            assert outlets.asked == ["/a", "/a"]

    with Outlets() as outlets:
        outlets.publish("/a", item("bridge"))
        play(scene)


def test_a_feed_that_fails_costs_nobody_else_anything(tmp_path: Path) -> None:
    async def scene() -> None:
        directory = outlets.configure(tmp_path / "config", *outlets.bodies)
        async with opened(directory, tmp_path / "news.db", Time()) as running:
            outcomes = {outcome.feed_url.removeprefix(outlets.url): outcome for outcome in await running.once()}
            lines = {line.url.removeprefix(outlets.url): line for line in running.store.feeds.lines()}
        assert outcomes["/good"].new == 1
        for path, words in {
            "/html": "HTML page, not a feed",
            "/empty": "was empty",
            "/junk": "not a feed",
            "/missing": "404",
            "/huge": "larger than 20 MiB",
        }.items():
            assert outcomes[path].outcome == "failed"
            assert words in outcomes[path].why
            assert words in (lines[path].last_error or "")
            assert lines[path].state == "failing"

    with Outlets() as outlets:
        outlets.publish("/good", item("bridge"))
        outlets.bodies |= {
            "/html": b"<!doctype html><html><body>Please log in</body></html>",
            "/empty": b"",
            "/junk": b"once upon a time",
            "/missing": 404,
            "/huge": b"<rss>" + b" " * (50 * 1024 * 1024),
        }
        play(scene)


def test_a_feed_that_keeps_silent_costs_nobody_else_anything(tmp_path: Path) -> None:
    async def scene() -> None:
        directory = outlets.configure(tmp_path / "config", "/good", "/slow", fetch='deadline = "2s"')
        async with opened(directory, tmp_path / "news.db", Time()) as running:
            outcomes = {outcome.feed_url.removeprefix(outlets.url): outcome for outcome in await running.once()}
        assert outcomes["/good"].new == 1
        assert "no complete answer within 2 s" in outcomes["/slow"].why

    with Outlets() as outlets:
        outlets.publish("/good", item("bridge"))
        outlets.bodies["/slow"] = 20.0
        play(scene)


def test_a_changed_configuration_is_taken_up_and_a_broken_one_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        now = Time()
        directory = outlets.configure(tmp_path / "config", "/a")
        async with opened(directory, tmp_path / "news.db", now) as running:
            await running.once()
            (directory / "feeds.toml").write_text('[[feed]]\nurl = "nonsense"\n')
            now.passes(minutes=61)
            assert len(await running.once()) == 1
            assert "configuration refused" in caplog.text
            assert "is not a web address" in caplog.text
            (notice,) = running.store.notices.all()
            assert (notice.about, notice.since) == ("configuration", stamp(now.at))
            assert "is not a web address" in notice.said
            outlets.configure(directory, "/a", "/b")
            assert [outcome.feed_url for outcome in await running.once()] == [f"{outlets.url}/b"]
            assert running.store.notices.all() == ()
            outlets.configure(directory, "/b")
            now.passes(minutes=61)
            assert [outcome.feed_url for outcome in await running.once()] == [f"{outlets.url}/b"]
            states = {line.url: line.state for line in running.store.feeds.lines()}
            assert states == {f"{outlets.url}/a": "paused", f"{outlets.url}/b": "ok"}

    with Outlets() as outlets:
        outlets.publish("/a", item("bridge"))
        outlets.publish("/b", item("tunnel"))
        play(scene)


def test_a_new_topic_judges_what_is_stored_already(tmp_path: Path) -> None:
    async def scene() -> None:
        directory = outlets.configure(tmp_path / "config", "/a")
        async with opened(directory, tmp_path / "news.db", Time()) as running:
            await running.once()
            assert running.store.numbers.on_topic("bridges") == frozenset()
            (directory / "topics" / "bridges.toml").write_text(TOPIC)
            await running.once()
            await running._finish_chores()
            assert len(running.store.numbers.on_topic("bridges")) == 1
            (directory / "topics" / "bridges.toml").write_text(TOPIC.replace("bridge", "tunnel"))
            await running.tick()
            await running._finish_chores()
            assert running.store.numbers.on_topic("bridges") == frozenset()

    with Outlets() as outlets:
        outlets.publish("/a", item("bridge"))
        play(scene)


def test_judging_anew_goes_on_after_a_restart_and_labels_are_heard_while_it_runs(tmp_path: Path) -> None:
    async def scene() -> None:
        now, db = Time(), tmp_path / "news.db"
        directory = outlets.configure(tmp_path / "config", "/a")
        (directory / "topics").mkdir(exist_ok=True)
        async with opened(directory, db, now) as running:
            await running.once()
            (directory / "topics" / "bridges.toml").write_text(TOPIC)
            running._take_up_changes()  # and then the power goes
        async with opened(directory, db, now) as running:
            await running.once()
            assert len(running.store.numbers.on_topic("bridges")) == 1
            tunnel = running.store.articles.find("https://example.org/news/tunnel")
            desk = Feedback.open(tmp_path / FEEDBACK)
            desk.say(tunnel.id, tunnel.url, "bridges", True, "ada", NOW)  # type: ignore[union-attr, arg-type]
            desk.close()
            await running.tick()
            assert len(running.store.numbers.on_topic("bridges")) == 2

    with Outlets() as outlets:
        outlets.publish("/a", item("bridge"), item("tunnel"))
        play(scene)


def test_the_service_runs_until_it_is_stopped_and_stops_within_five_seconds(tmp_path: Path) -> None:
    async def scene() -> None:
        directory = outlets.configure(tmp_path / "config", "/a", "/never")
        async with service.opened(directory, tmp_path / "news.db", what="a test") as running:
            stop = asyncio.Event()
            polling = asyncio.create_task(running.run(stop))
            while not running.store.numbers.totals(datetime.now(UTC)).articles:
                await asyncio.sleep(0.02)
            began = time.monotonic()
            stop.set()
            await polling
            assert time.monotonic() - began < 15, "it does not wait for the one that keeps silent for 20 s"
            assert not running.in_flight
            line = next(line for line in running.store.feeds.lines() if line.url.endswith("/never"))
            assert line.last_ok_at is None
            assert line.failures == 0

    with Outlets() as outlets:
        outlets.publish("/a", item("bridge"))
        outlets.bodies["/never"] = 20.0
        play(scene)


def test_what_the_database_cannot_keep_is_not_counted_as_polled(tmp_path: Path) -> None:
    async def scene() -> None:
        now = Time()
        directory = outlets.configure(tmp_path / "config", "/a")
        async with opened(directory, tmp_path / "news.db", now) as running:
            running._take_up_changes()
            pages = running.store._connection.execute("PRAGMA page_count").fetchone()[0]
            running.store._connection.execute(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(StoreError, match="the disk is full"):
                await running.once()
            assert running.resume_at > time.monotonic()
            assert await running.tick() == 0, "while nothing can be kept, nobody is asked"
            running.store._connection.execute("PRAGMA max_page_count = 100000")
            running.resume_at, running.trouble = 0.0, None
            outcomes = await running.once()
            assert [outcome.new for outcome in outcomes] == [300]

    with Outlets() as outlets:
        outlets.publish("/a", *(item(f"bridge-{n}", summary=f"The bridge {n} " + "is long " * 200) for n in range(300)))
        play(scene)


def test_a_bug_in_one_poll_is_recorded_and_costs_that_poll(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        now = Time()
        directory = outlets.configure(tmp_path / "config", "/a", "/b")
        async with opened(directory, tmp_path / "news.db", now) as running:
            await running.once()
            running.store.stories.place = lambda *_: 1 / 0  # type: ignore[assignment]
            outlets.publish("/a", item("bridge"), item("ferry"))
            now.passes(minutes=61)
            outcomes = {outcome.feed_url[-2:]: outcome for outcome in await running.once()}
            assert outcomes["/b"].outcome == "ok"
            assert outcomes["/a"].outcome == "failed"
            assert "an error in Newsbeat itself (ZeroDivisionError)" in outcomes["/a"].why
            assert "ZeroDivisionError" in caplog.text
            assert await running.once() == [], "it is backed off like any failure"
            del running.store.stories.place  # type: ignore[misc]
            now.passes(minutes=70)
            assert sum(outcome.new for outcome in await running.once()) == 1, "nothing was lost by it"

    with Outlets() as outlets:
        outlets.publish("/a", item("bridge"))
        outlets.publish("/b", item("tunnel"))
        play(scene)


def test_no_contact_no_request(tmp_path: Path) -> None:
    async def scene() -> None:
        with pytest.raises(ConfigError, match="contact"):
            async with opened(outlets.configure(tmp_path / "config", "/a", contact=""), tmp_path / "news.db", Time()):
                pass

    with Outlets() as outlets:
        play(scene)
    assert outlets.asked == []


def test_a_missing_configuration_is_said_in_words(tmp_path: Path) -> None:
    async def scene() -> None:
        with pytest.raises(ConfigErrors, match="no such directory"):
            async with opened(tmp_path / "nowhere", tmp_path / "news.db", Time()):
                pass

    play(scene)


def test_one_database_has_one_service(tmp_path: Path) -> None:
    async def scene() -> None:
        directory = outlets.configure(tmp_path / "config", "/a")
        async with opened(directory, tmp_path / "news.db", Time()):
            with pytest.raises(StoreError, match=r"in use by a test \(process \d+\)"):
                async with opened(directory, tmp_path / "news.db", Time()):
                    pass

    with Outlets() as outlets:
        play(scene)
