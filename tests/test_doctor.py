"""What needs a person: each trouble once, told apart from what passes and from a quiet day."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fakes import NOW
from grown import grown, newsbeat

from pipeline import care
from pipeline.care import Facts, FeedFacts
from pipeline.store import Store
from pipeline.store.facts import facts, holder
from pipeline.times import stamp

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WELL = FeedFacts(
    "https://a.example/feed", "ok", last_ok_at=NOW, last_new_at=NOW - HOUR, gaps=(HOUR * 9,) * 40,
    current_url="https://a.example/feed",
)  # fmt: skip
ALL_WELL = Facts((WELL,), "newsbeat run (process 7)", NOW, NOW, 0, 100, 100.0, disk_free=10**11, db_bytes=10**8)


def failing(why: str, kind: str, status: int | None = None, **changes: Any) -> FeedFacts:
    values: dict[str, Any] = {
        "state": "failing", "failures": 5, "error": why, "error_kind": kind, "status": status,
        "error_since": NOW - 2 * DAY, **changes,
    }  # fmt: skip
    return replace(WELL, **values)


def told(facts: Facts) -> list[tuple[str, str]]:
    found = care.findings(facts, NOW)
    assert all(one.why and one.cure for one in found)
    return [(one.level, one.kind) for one in found]


def test_where_all_is_well_nothing_is_told() -> None:
    assert told(ALL_WELL) == []


@pytest.mark.parametrize(
    ("feed", "level", "kind", "cure"),
    [
        (replace(WELL, state="gone"), "broken", "gone", "feeds add"),
        (replace(WELL, state="moved", current_url="https://b.example/f"), "care", "moved", "feeds.toml"),
        (failing("the server answered 403 Forbidden", "status", 403), "broken", "wall", "contact"),
        (failing("the server answered 429 Too Many Requests", "status", 429), "care", "wall", "every"),
        (failing("the server answered 404 Not Found", "status", 404), "broken", "missing", "new address"),
        (failing("the server answered 503 Unavailable", "status", 503), "care", "failing", "we keep asking"),
        (failing("its certificate or TLS is not in order (x)", "tls"), "broken", "certificate", "certificate"),
        (failing("the answer is an HTML page, not a feed", "not_a_feed", 200), "broken", "page", "browser"),
        (
            failing("the answer is an HTML page, not a feed; it names feeds: x", "not_a_feed"),
            "broken",
            "page",
            "feeds add",
        ),
        (failing("x.example is not known", "dns"), "broken", "name", "typing error"),
        (failing("the server does not answer", "timeout"), "care", "slow", "browser"),
        (failing("address 10.0.0.1 is not allowed", "address"), "broken", "address", "allow_addresses"),
        (replace(WELL, last_new_at=NOW - 40 * DAY, gaps=()), "care", "quiet", "feeds add"),
    ],
)
def test_a_feed_in_trouble_is_told_with_its_kind_and_its_cure(
    feed: FeedFacts, level: str, kind: str, cure: str
) -> None:
    (found,) = care.findings(replace(ALL_WELL, feeds=(feed,)), NOW)
    assert (found.level, found.kind, found.about) == (level, kind, WELL.url)
    assert cure in found.cure


def test_trouble_that_may_pass_is_only_counted() -> None:
    young = failing("the server answered 502", "status", 502, failures=2, error_since=NOW - HOUR)
    assert told(replace(ALL_WELL, feeds=(young, WELL))) == [("note", "failing")]


def test_feeds_of_one_host_in_one_trouble_are_one_finding() -> None:
    wall = failing("the server answered 403 Forbidden; backing off 1 day, failure 5 in a row", "status", 403)
    feeds = tuple(replace(wall, url=f"https://a.example/{n}") for n in range(3))
    (found,) = care.findings(replace(ALL_WELL, feeds=feeds), NOW)
    assert found.about == "3 feeds of a.example, such as https://a.example/0"
    assert found.why == "The server answered 403 Forbidden (for 48 h)." or "days" in found.why


@pytest.mark.parametrize(
    ("changes", "findings"),
    [
        ({"running": None}, []),
        ({"running": None, "last_ok_at": NOW - 3 * HOUR}, [("broken", "service")]),
        ({"last_ok_at": NOW - 9 * HOUR, "last_polled_at": NOW - 9 * HOUR, "late": 3}, [("broken", "stale")]),
        ({"last_ok_at": NOW - 9 * HOUR}, [("broken", "network")]),
        ({"last_ok_at": None, "running": None, "feeds": ()}, []),
        ({"last_polled_at": NOW + DAY}, [("broken", "clock")]),
        ({"ahead": 0.9}, [("broken", "clock")]),
        ({"disk_free": 10**8}, [("broken", "disk")]),
        ({"disk_free": 5 * 10**8, "db_bytes": 10**10}, [("care", "disk")]),
        ({"disk_free": 5 * 10**8}, []),
        ({"wal_bytes": 10**9}, [("care", "wal")]),
        ({"stale": (("energy", 12),)}, [("care", "tags")]),
        ({"notices": (("configuration", "feeds.toml: no"),)}, [("broken", "configuration")]),
        ({"notices": (("network", "down"),)}, [("broken", "network")]),
        ({"copies": 3, "copies_bytes": 10**9}, [("note", "copies")]),
        ({"today": 30}, [("note", "quiet-day")]),
        ({"today": 30, "usual_day": None}, []),
    ],
)
def test_the_machine_and_the_service_are_looked_at(changes: dict[str, Any], findings: list[tuple[str, str]]) -> None:
    assert told(replace(ALL_WELL, **changes)) == findings


# --- silent, or only quiet ------------------------------------------------------------------------------------


def hourly(draw: random.Random, day: datetime) -> list[datetime]:
    return [day + HOUR * hour for hour in range(6, 23) if draw.random() < 0.7]


def daily(draw: random.Random, day: datetime) -> list[datetime]:
    return [day + HOUR * 6 + timedelta(minutes=draw.randrange(90))]


def workdays(draw: random.Random, day: datetime) -> list[datetime]:
    return hourly(draw, day) if day.weekday() < 5 else []


def weekly(draw: random.Random, day: datetime) -> list[datetime]:
    return daily(draw, day) if day.weekday() == 3 else []


def now_and_then(draw: random.Random, day: datetime) -> list[datetime]:
    return [day + HOUR * draw.randrange(24)] if draw.random() < 0.4 else []


def seldom(draw: random.Random, day: datetime) -> list[datetime]:
    return [day] if (day - datetime(2026, 1, 5, tzinfo=UTC)).days % 40 in (0, 3) else []


Habit = Callable[[random.Random, datetime], list[datetime]]
HABITS: list[tuple[Habit, int]] = [
    (hourly, 60), (daily, 60), (workdays, 60), (weekly, 60), (now_and_then, 60), (seldom, 200),
]  # fmt: skip
"""With the days after which a habit is known."""


def at(moment: datetime, news: list[datetime]) -> FeedFacts:
    """The feed as it is known at a moment, its pauses of six weeks."""
    seen = sorted(one for one in news if one <= moment)
    recent = [one for one in seen if one >= moment - timedelta(days=42)]
    gaps = care.pauses([b - a for a, b in pairwise(recent)], [b - a for a, b in pairwise(seen[-30:])])
    return replace(WELL, last_ok_at=moment, last_new_at=seen[-1], gaps=gaps)


@pytest.mark.parametrize(("habit", "known"), HABITS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_feed_is_silent_when_it_stops_and_not_while_it_keeps_its_habit(habit: Habit, known: int) -> None:
    draw = random.Random(7)
    start = datetime(2026, 1, 5, tzinfo=UTC)
    days = [start + DAY * n for n in range(known + 120)]
    news = [moment for day in days for moment in habit(draw, day)]
    alarms = sum(
        care.silent(at(day + HOUR * hour, news), day + HOUR * hour) is not None
        for day in days[known:]
        for hour in (0, 8, 16)
    )
    assert alarms == 0
    last = max(news)
    feed = at(last, news)
    usual = care.usual_gap(feed.gaps)
    limit = max(DAY, usual * care.SILENT_TIMES) if usual else timedelta(days=30)
    for late in (-HOUR, HOUR):
        moment = last + limit + late
        assert (care.silent(replace(feed, last_ok_at=moment), moment) is None) == (late < timedelta())


def test_pauses_that_do_not_hold_two_weekends_say_nothing_yet() -> None:
    assert care.usual_gap((HOUR,) * 300) is None
    assert care.usual_gap((HOUR,) * 336) == HOUR
    assert care.usual_gap((DAY * 9,) * 4) is None


def test_on_a_quiet_day_every_feed_may_be_silent_for_longer() -> None:
    quiet = replace(WELL, last_new_at=NOW - timedelta(hours=30))
    assert told(replace(ALL_WELL, feeds=(quiet,))) == [("care", "quiet")]
    assert told(replace(ALL_WELL, feeds=(quiet,), today=60)) == []
    assert told(replace(ALL_WELL, feeds=(quiet,), today=30)) == [("note", "quiet-day")]
    dead = replace(WELL, last_new_at=NOW - timedelta(days=5))
    assert ("care", "quiet") in told(replace(ALL_WELL, feeds=(dead,), today=0)), "four times as long at most"


def test_of_a_feed_that_was_not_asked_nothing_is_said() -> None:
    assert care.silent(replace(WELL, last_ok_at=NOW - 3 * DAY, last_new_at=NOW - 4 * DAY), NOW) is None
    assert care.silent(replace(WELL, told=True, last_new_at=NOW - 4 * DAY), NOW) is None, "a hub tells of its news"


# --- from the database ----------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return grown(tmp_path)


def run(place: Path, *statements: str) -> None:
    with closing(sqlite3.connect(place / "news.db")) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_pauses_and_the_usual_day_are_read_from_polls_and_articles(place: Path) -> None:
    moments = [NOW - DAY * 30 + HOUR * 6 * n for n in range(120)]
    with closing(sqlite3.connect(place / "news.db")) as db:
        db.executemany(
            "INSERT INTO polls (feed_id, started_at, outcome, new) VALUES (1, ?, 'ok', ?)",
            [(stamp(moment), n % 2) for n, moment in enumerate(moments)],
        )
        db.executemany(
            "INSERT INTO articles (url, outlet_id, first_seen_at, text_from, text_hash) VALUES (?, 1, ?, 'title', '')",
            [(f"urn:{n}", stamp(NOW - HOUR * n)) for n in range(24 * 29 + 1)],
        )
        db.commit()
    with Store.read(place / "news.db") as store:
        known = facts(store, NOW)
    assert set(known.feeds[0].gaps) == {HOUR * 12}
    assert len(known.feeds[0].gaps) == 59
    assert known.usual_day == 24
    assert known.today in (24, 25)
    assert known.running is None


def test_the_pauses_of_a_feed_that_brings_little_are_those_between_the_dates_of_its_articles(place: Path) -> None:
    with closing(sqlite3.connect(place / "news.db")) as db:
        (feed_id,) = db.execute("SELECT min(feed_id) FROM entries").fetchone()
        held = [row[0] for row in db.execute("SELECT article_id FROM entries WHERE feed_id = ?", (feed_id,))]
        for n, article_id in enumerate(held):
            db.execute(
                "UPDATE articles SET published_at = ? WHERE id = ?", (stamp(NOW - 20 * DAY * (n // 2)), article_id)
            )
        db.commit()
    with Store.read(place / "news.db") as store:
        known = {feed.url: feed.gaps for feed in facts(store, NOW).feeds}
        (url,) = store.connection.execute("SELECT url FROM feeds WHERE id = ?", (feed_id,)).fetchone()
    assert known[url] == (20 * DAY,) * ((len(held) - 1) // 2), "two articles of one hour are one"
    assert len(known[url]) > 1


def test_who_holds_the_database_is_told_without_taking_it(place: Path) -> None:
    assert holder(place / "news.db") is None
    assert holder(place / "nothing.db") is None
    with Store.open(place / "news.db", what="newsbeat run"):
        assert (holder(place / "news.db") or "").startswith("newsbeat run (process ")
    Store.open(place / "news.db").close()


def test_the_command_tells_everything_at_once_and_exits_1(place: Path) -> None:
    (place / "config" / "topics" / "energy.toml").write_text("title = 1\n")
    run(
        place,
        "UPDATE feeds SET state = 'gone', url = 'https://gone.example/feed', next_poll_at = '2020-12-01T00:00:00Z'",
    )
    ran = newsbeat(place, "doctor")
    assert ran.exit_code == 1
    assert "energy.toml" in ran.stdout
    assert "https://gone.example/feed" in ran.stdout
    assert "2 broken" in ran.stdout or "3 broken" in ran.stdout
    told = json.loads(newsbeat(place, "doctor", "--json").stdout)
    assert not told["ok"]
    assert {"configuration", "gone"} <= {one["kind"] for one in told["findings"]}
    assert all(set(one) == {"level", "kind", "about", "why", "cure"} for one in told["findings"])


def test_copies_beside_the_database_are_counted(place: Path) -> None:
    run(place, "UPDATE stories SET article_count = 9")
    assert newsbeat(place, "verify", "--repair").exit_code == 0
    with Store.read(place / "news.db") as store:
        known = facts(store, NOW)
    assert known.copies == 2, "with what people said"
    assert known.copies_bytes > 100_000


def test_the_command_says_that_all_is_well(place: Path) -> None:
    (place / "config" / "newsbeat.toml").write_text('[fetch]\ncontact = "you@example.org"\n')
    (place / "config" / "topics" / "tiktok-us-sale.toml").unlink()
    ran = newsbeat(place, "doctor")
    assert (ran.exit_code, ran.stdout.splitlines()[0]) == (0, "All is well.")


def test_a_database_that_cannot_be_read_is_a_finding(place: Path) -> None:
    (place / "news.db").write_bytes(b"these are my notes and no database, " * 200)
    ran = newsbeat(place, "doctor")
    assert ran.exit_code == 1
    assert "not an intact SQLite database" in ran.stdout
    assert "Restore a backup" in ran.stdout
