"""Retention: what goes, what stays, and that what went does not come back by itself."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import FEED, NOW, FakeWeb, Inline, Page, feed, item, rss
from grown import MATTERS, everything, grown, newsbeat

from pipeline import ingest, prune, schedule, service
from pipeline.model import Feed
from pipeline.retention import Kept, Rules, may_go
from pipeline.store import Store
from pipeline.urls import OutletBook

DAY = timedelta(days=1)
OLD = Kept(1, "Example Times", NOW - 100 * DAY)


@pytest.mark.parametrize(
    ("rules", "article", "goes"),
    [
        (Rules(), OLD, False),
        (Rules(articles=90 * DAY), OLD, True),
        (Rules(articles=101 * DAY), OLD, False),
        (Rules(articles=90 * DAY), replace(OLD, topics=("energy",)), False),
        (Rules(on_topic=90 * DAY), OLD, False),
        (Rules(on_topic=90 * DAY), replace(OLD, topics=("energy",)), True),
        (Rules(topics={"energy": 90 * DAY}), replace(OLD, topics=("energy",)), True),
        (Rules(topics={"energy": 90 * DAY}), replace(OLD, topics=("energy", "water")), False),
        (Rules(on_topic=99 * DAY, topics={"energy": 200 * DAY}), replace(OLD, topics=("energy", "water")), False),
        (Rules(on_topic=99 * DAY, topics={"energy": 30 * DAY}), replace(OLD, topics=("energy", "water")), True),
        (Rules(articles=365 * DAY, outlets={"Example Times": 30 * DAY}), OLD, True),
        (Rules(articles=30 * DAY, outlets={"Example Times": 365 * DAY}), OLD, False),
        (Rules(articles=30 * DAY), replace(OLD, said=True), False),
        (Rules(articles=30 * DAY, labelled=30 * DAY), replace(OLD, said=True), True),
        (Rules(articles=30 * DAY, labelled=200 * DAY), replace(OLD, said=True), False),
        (Rules(articles=30 * DAY), replace(OLD, copied_elsewhere=True), False),
        (Rules(articles=30 * DAY), replace(OLD, since=NOW + DAY), False),
    ],
)
def test_what_may_go(rules: Rules, article: Kept, goes: bool) -> None:
    assert may_go([article], rules, NOW) is goes
    assert may_go([article, replace(OLD, id=2, since=NOW)], rules, NOW) is False, "a story goes whole"


# --- in an archive --------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An archive that was imported long ago: 9 is on a topic (with 4 in its story), 12 labelled, 1 and 2 spoken of."""
    place = grown(tmp_path)
    with closing(sqlite3.connect(place / "news.db")) as db:
        db.execute("UPDATE entries SET first_seen_at = '2020-12-10T00:00:00Z'")
        db.commit()
    return place


def ids(place: Path) -> list[int]:
    with closing(sqlite3.connect(place / "news.db")) as db:
        return [row[0] for row in db.execute("SELECT id FROM articles ORDER BY id")]


def run(place: Path, *words: str) -> dict[str, Any]:
    ran = newsbeat(place, "prune", "--json", *words)
    assert ran.exit_code == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def test_what_is_on_a_topic_or_spoken_of_stays_with_its_story(place: Path) -> None:
    told = run(place, "--older-than", "365d")
    assert ids(place) == [1, 2, 4, 9, 12]
    assert (told["articles"], told["outlets"]) == (7, {"Example Times": 6, "Coast Echo": 1})
    assert newsbeat(place, "verify").exit_code == 0
    with Store.read(place / "news.db") as store:
        found = store.connection.execute("SELECT rowid FROM articles_fts WHERE articles_fts MATCH 'museum'").fetchall()
    assert found == []


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--older-than", "365d", "--outlet", "Coast Echo"], [*range(1, 13)]),
        (["--older-than", "365d", "--outlet", "Coast Echo", "--outlet", "Example Times"], [1, 2, 4, 9, 12]),
        (["--older-than", "365d", "--topic", "tiktok-us-sale"], [*range(1, 13)]),
        (["--older-than", "365d", "--on-topic-too"], [1, 2, 12]),
        (["--older-than", "365d", "--on-topic-too", "--labelled-too"], [12]),
        (["--older-than", "30y"], [*range(1, 13)]),
    ],
)
def test_options_say_what_goes(place: Path, words: list[str], left: list[int]) -> None:
    run(place, *words)
    assert ids(place) == left
    assert newsbeat(place, "verify").exit_code == 0


def test_the_newest_story_and_article_stay_since_their_numbers_must_not_come_again(place: Path) -> None:
    run(place, "--older-than", "365d", "--on-topic-too", "--labelled-too")
    assert ids(place) == [12]


def test_a_dry_run_says_the_same_and_changes_nothing(place: Path) -> None:
    before = everything(place / "news.db")
    told = run(place, "--older-than", "365d", "--dry-run")
    assert everything(place / "news.db") == before
    done = run(place, "--older-than", "365d")
    assert {**told, "dry_run": False} == done
    words = newsbeat(place, "prune", "--older-than", "365d", "--dry-run").stdout
    assert words.startswith("0 articles of 0 stories would go. ")


def test_the_configuration_says_what_goes_and_an_edge_in_it_is_told(place: Path) -> None:
    file = place / "config" / "newsbeat.toml"
    assert "keeps everything for ever" in newsbeat(place, "prune").stderr
    file.write_text('[keep]\narticles = "1y"\n[keep.outlets]\n"Coast Ecko" = "30d"\n[keep.topics]\ntiktok = "2y"\n')
    assert run(place)["articles"] == 7
    check = newsbeat(place, "check").stderr
    assert '"tiktok" is no topic.' in check
    assert '"Coast Ecko" is no outlet of the configuration.' in check
    file.write_text('[keep]\narticles = "1d"\nartikles = "2d"\n')
    refused = newsbeat(place, "check").stderr
    assert "keep.articles: 24h is out of bounds" in refused
    assert '"artikles" is not a key of [keep]. Did you mean "articles"?' in refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--outlet", "Coast Echo"], "--older-than says how old"),
        (["--older-than", "1d"], "7 days is the least"),
        (["--older-than", "soon"], "Invalid value for '--older-than'"),
        (["--older-than", "1y", "--outlet", "Coast Ecko"], 'Did you mean "Coast Echo"?'),
        (["--older-than", "1y", "--topic", "energy"], "There is tiktok-us-sale"),
    ],
)
def test_what_is_asked_wrongly_gets_words_and_lets_nothing_go(place: Path, words: list[str], said: str) -> None:
    ran = newsbeat(place, "prune", *words)
    assert ran.exit_code == 2
    assert said in ran.stderr
    assert len(ids(place)) == 12


def test_old_polls_go_and_the_last_of_each_feed_stays(place: Path) -> None:
    with closing(sqlite3.connect(place / "news.db")) as db:
        db.executemany(
            "INSERT INTO polls (feed_id, started_at, outcome) VALUES (1, ?, 'ok')",
            [(f"2020-12-{day:02}T10:00:00Z",) for day in range(1, 20)],
        )
        db.commit()
    assert run(place, "--polls-older-than", "30d")["polls"] == 18
    with closing(sqlite3.connect(place / "news.db")) as db:
        assert db.execute("SELECT started_at FROM polls").fetchall() == [("2020-12-19T10:00:00Z",)]
    assert len(ids(place)) == 12


def test_the_room_is_given_back_when_asked_for(place: Path) -> None:
    with closing(sqlite3.connect(place / "news.db")) as db:
        db.execute("UPDATE article_texts SET text = hex(randomblob(400000)) WHERE article_id = 5")
        db.commit()
    newsbeat(place, "verify", "--repair")
    before = (place / "news.db").stat().st_size
    run(place, "--older-than", "365d", "--vacuum")
    assert (place / "news.db").stat().st_size < before / 2


def test_a_story_dated_in_the_future_goes_by_the_day_it_came(place: Path) -> None:
    with closing(sqlite3.connect(place / "news.db")) as db, db:
        (story,) = db.execute("SELECT story_id FROM story_articles WHERE article_id = 5").fetchone()
        db.execute("UPDATE stories SET last_at = '2199-01-01T00:00:00Z' WHERE id = ?", (story,))
    assert run(place, "--older-than", "365d", "--dry-run")["articles"] == 7
    assert run(place, "--older-than", "365d")["articles"] == 7


def test_it_works_beside_a_service(place: Path) -> None:
    with Store.open(place / "news.db", what="newsbeat run"):
        assert run(place, "--older-than", "365d")["articles"] == 7


def test_a_story_that_changed_meanwhile_is_looked_at_again(place: Path) -> None:
    with Store.open(place / "news.db") as store:
        walk = prune.steps(store, Rules(articles=DAY * 365), datetime.now(UTC), prune.Report())
        next(walk)
        (five,) = store.articles.get([5])
        store.feedback.say(5, five.url, "tiktok-us-sale", False, "ada", NOW)
        for _ in walk:
            pass
        assert store.articles.get([5])


# --- and does not come back -----------------------------------------------------------------------------------

OTHER = "https://feeds.example.net/all.xml"


class Room:
    """One feed of three items that was polled long ago, and another that may list the same pages."""

    def __init__(self, store: Store) -> None:
        self.store, self.fake, self.now = store, FakeWeb(), NOW
        self.desk = ingest.Desk(store, OutletBook(), {}, (), schedule.Pace())
        feeds = (feed(), Feed(OTHER, "Other"))
        self.desk.feeds = {one.url: one for one in feeds}
        with store.transaction():
            store.feeds.subscribe(feeds, lambda _: None, NOW)

    def poll(self, *items: Any, url: str = FEED) -> tuple[int, int]:
        """How many entries were new, and unchanged."""
        self.fake[url] = Page(rss(*items), headers={"content-type": "application/rss+xml"})
        (feed_id,) = self.store.connection.execute("SELECT id FROM feeds WHERE url = ?", (url,)).fetchone()
        web = self.fake.web(now=lambda: self.now)
        came = asyncio.run(ingest.poll(self.store.feeds.state(feed_id), self.desk, web, Inline(), self.now, draw=0.0))
        assert came.outcome == "ok", came.why
        return came.new, came.unchanged

    def prune(self) -> int:
        self.now += 60 * DAY
        return prune.everything(self.store, Rules(articles=30 * DAY), self.now).articles


BRIDGE, TUNNEL, HARBOUR, LIGHTHOUSE = (
    item(name, title=title, summary=summary)
    for name, (title, summary) in zip(("bridge", "tunnel", "harbour", "lighthouse"), MATTERS[2:], strict=False)
)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Store.open(tmp_path / "news.db") as store:
        room = Room(store)
        assert room.poll(BRIDGE, TUNNEL) == (2, 0)
        assert room.poll(BRIDGE, TUNNEL, HARBOUR) == (1, 2)
        assert room.prune() == 2, "the newest story stays"
        yield room


def titles(room: Room) -> list[str]:
    return [row[0] for row in room.store.connection.execute("SELECT title FROM articles ORDER BY title")]


def test_an_entry_that_its_feed_still_lists_does_not_come_back(room: Room) -> None:
    assert room.poll(BRIDGE, TUNNEL, HARBOUR, LIGHTHOUSE) == (1, 3)
    assert titles(room) == sorted([HARBOUR.title or "", LIGHTHOUSE.title or ""])


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"summary": "It was opened at last, said the mayor."}, FEED),
        ({"guid": "another-name"}, FEED),
        ({"url": "https://www.example.org/news/bridge/?utm_source=x"}, FEED),
        ({"guid": "theirs"}, OTHER),
    ],
)
def test_nor_does_its_page_under_another_name(room: Room, changes: dict[str, Any], url: str) -> None:
    assert room.poll(replace(BRIDGE, **changes), replace(HARBOUR, guid="x"), url=url)[0] == 0
    assert titles(room) == [HARBOUR.title]


def test_nor_does_what_an_aggregator_shows_under_an_address_that_changes(tmp_path: Path) -> None:
    title = "Ferry to the islands sails again after storm"

    def shown(token: str) -> Any:
        return item("ferry", url=f"https://news.google.com/rss/articles/{token}?oc=5", guid=token, title=title)

    with Store.open(tmp_path / "news.db") as store:
        room = Room(store)
        room.poll(shown("CBMiAAAAAAAAAAAAAAAA1"), url=OTHER)
        room.poll(HARBOUR)
        assert room.prune() == 1
        assert room.poll(shown("CBMiBBBBBBBBBBBBBBBB2"), url=OTHER) == (0, 1)


def test_an_import_brings_it_back_on_purpose(tmp_path: Path) -> None:
    place = grown(tmp_path)
    file = place / "archive.jsonl"
    assert newsbeat(place, "export", "--format", "jsonl", "-o", file).exit_code == 0
    with closing(sqlite3.connect(place / "news.db")) as db:
        db.execute("UPDATE entries SET first_seen_at = '2020-12-10T00:00:00Z'")
        db.commit()
    run(place, "--older-than", "365d")
    assert "7 new articles" in newsbeat(place, "import", file).stdout
    assert len(ids(place)) == 12
    assert newsbeat(place, "verify").exit_code == 0


def test_the_service_lets_go_once_a_day(place: Path) -> None:
    (place / "config" / "newsbeat.toml").write_text(
        '[fetch]\ncontact = "you@example.org"\n[keep]\narticles = "365d"\npolls = "90d"\n'
    )
    moments = [datetime(2022, 3, 1, tzinfo=UTC)]

    async def work() -> list[int]:
        counts = []
        async with service.opened(place / "config", place / "news.db", what="test", now=lambda: moments[-1]) as running:
            for wait in (timedelta(), timedelta(hours=3), DAY):
                moments.append(moments[-1] + wait)
                await running.once()
                counts.append(len(ids(place)))
                running.store.connection.execute("UPDATE article_topics SET on_topic = 0 WHERE decided_by = 'score'")
        return counts

    assert asyncio.run(work()) == [5, 5, 3]
