"""What programs take from the site: metrics, lists as CSV, JSON and Atom."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import sample
from desk import ATOM, METADATA, get, words

from pipeline import care, vitals
from pipeline.browse import carry, metrics, times
from pipeline.browse.serve import build
from pipeline.store import Store
from pipeline.store.facts import facts


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return sample.build(tmp_path_factory.mktemp("db"))


@pytest.fixture(scope="module")
def site(files: tuple[Path, Path]) -> Any:
    return build(*files, METADATA, title="The Desk", now=sample.NOW, texts_open=True)


# --- metrics --------------------------------------------------------------------------------------------------

_SAMPLE = re.compile(r'[a-z_][a-z0-9_]*(\{[a-z_]+="([^"\\\n]|\\\\|\\"|\\n)*"\})? -?\d+(\.\d+)?(e[+-]?\d+)?$')


def test_metrics_are_prometheus_text_with_help_and_type_for_every_family(site: Any) -> None:
    answer = get(site, "/-/newsbeat/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    explained: set[str] = set()
    for line in answer.text.splitlines():
        if line.startswith("# HELP "):
            explained.add(line.split()[2])
        elif not line.startswith("# TYPE "):
            assert _SAMPLE.match(line), line
            assert re.split(r"[{ ]", line)[0] in explained, line
    assert "newsbeat_up 1\n" in answer.text
    assert 'newsbeat_feeds{state="failing"} 1\n' in answer.text
    assert 'newsbeat_feeds{state="gone"} 1\n' in answer.text
    assert re.search(r'newsbeat_topic_articles_24h\{topic="tiktok-sale"\} [1-9]', answer.text)


def test_metrics_say_down_when_nothing_was_heard_and_when_there_is_nothing_to_read(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    later = build(*files, METADATA, now="2020-12-05T13:30:00Z")
    assert "newsbeat_up 0\n" in get(later, "/-/newsbeat/metrics").text
    (tmp_path / "news.db").touch()
    answer = get(build(tmp_path / "news.db", None, METADATA), "/-/newsbeat/metrics")
    assert answer.status_code == 503
    assert answer.text.endswith("newsbeat_up 0\n")


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    told = metrics.family("x", "gauge", "X.", [({"topic": 'a"} 1\nb\\'}, 0.5)])
    assert told.splitlines()[2] == 'x{topic="a\\"} 1\\nb\\\\"} 0.5'


@pytest.mark.parametrize(
    ("state", "failures", "error", "silent", "kind"),
    [
        ("gone", 9, None, False, "gone"),
        ("failing", 3, None, False, "failing"),
        ("moved", 0, None, True, "moved"),
        ("paused", 0, None, True, "paused"),
        ("ok", 1, None, False, "shaky"),
        ("ok", 0, "2020-12-03T12:10:00Z", False, "shaky"),
        ("ok", 0, "2020-12-03T12:09:59Z", False, "ok"),
        ("ok", 0, None, True, "quiet"),
    ],
)
def test_a_feed_is_called_what_a_person_would_call_it(
    state: str, failures: int, error: str | None, silent: bool, kind: str
) -> None:
    now = times.parse(sample.NOW)
    assert now is not None
    assert vitals.kind(state, failures, times.parse(error), silent, now) == kind


def test_pages_and_doctor_call_the_same_feeds_quiet(tmp_path: Path) -> None:
    news, feedback = sample.build(tmp_path)
    now = times.parse(sample.NOW)
    assert now is not None
    with closing(sqlite3.connect(news)) as db, db:
        ago = {days: times.stamp(now - timedelta(days=days)) for days in range(60)}
        db.execute("UPDATE feeds SET state = 'ok', failures = 0, last_error_at = NULL, last_ok_at = ? WHERE id < 9",
                   (ago[0],))  # fmt: skip
        db.execute("DELETE FROM polls WHERE feed_id < 9")
        poll = "INSERT INTO polls(feed_id, started_at, outcome, new) VALUES (?, ?, 'ok', ?)"
        for feed, news_every, last in ((1, 1, 4), (2, 7, 9), (3, 1, 1)):
            db.executemany(poll, [(feed, ago[day], int(day % news_every == last % news_every and day >= last))
                                  for day in range(50)])  # fmt: skip
            db.execute("UPDATE feeds SET last_new_at = ? WHERE id = ?", (ago[last], feed))
        # No rhythm is known of these: one is quiet by thirty days, one was added of late, one never brought anything.
        for feed, last, added in ((5, ago[31], ago[50]), (6, None, ago[3]), (7, None, ago[40])):
            db.execute("UPDATE feeds SET last_new_at = ?, added_at = ? WHERE id = ?", (last, added, feed))
        # Of this one the dates of its articles tell.
        articles = [row[0] for row in db.execute("SELECT id FROM articles ORDER BY id LIMIT 15")]
        db.execute("UPDATE feeds SET last_new_at = ? WHERE id = 8", (ago[6],))
        db.execute("DELETE FROM entries WHERE feed_id = 8")
        for nth, article in enumerate(articles):
            db.execute("UPDATE articles SET published_at = ? WHERE id = ?", (ago[6 + nth], article))
            db.execute("INSERT INTO entries(feed_id, guid, article_id, link, raw_hash, first_seen_at, last_seen_at)"
                       " VALUES (8, ?, ?, '', '', ?, ?)", (str(nth), article, ago[6], ago[6]))  # fmt: skip
    with Store.read(news) as store:
        told = [one for one in care.findings(facts(store, now), now) if one.kind == "quiet"]
    desk = build(news, feedback, METADATA, now=sample.NOW)
    quiet = {row["url"]: row for row in get(desk, "/feeds.json").json() if row["state"] == "quiet"}
    assert set(quiet) == {one.about for one in told}
    assert {row["id"] for row in quiet.values()} >= {1, 5, 7, 8}
    assert not {row["id"] for row in quiet.values()} & {2, 3, 6}
    assert {one.why for one in told} == {row["trouble"] for row in quiet.values()}
    assert get(desk, "/-/newsbeat/health.json").json()["quiet"] == len(told)
    assert f"newsbeat_feeds_quiet {len(told)}\n" in get(desk, "/-/newsbeat/metrics").text
    assert "brought nothing new for 4 days" in words(get(desk, "/feeds"))


# --- lists to take along --------------------------------------------------------------------------------------

LISTS = ("/feed", "/topic/tiktok-sale", "/outlet/6", "/story/1", "/search", "/feeds", "/compare/tiktok-sale")


@pytest.mark.parametrize("where", LISTS)
def test_a_list_is_the_same_as_csv_and_as_json(site: Any, where: str) -> None:
    asked = "?q=tiktok&days=0" if where == "/search" else ""
    held = get(site, f"{where}.json{asked}")
    assert held.headers["content-type"] == "application/json; charset=utf-8"
    found = held.json()
    assert found
    table = get(site, f"{where}.csv{asked}")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+\.csv"', table.headers["content-disposition"])
    read = list(csv.DictReader(io.StringIO(table.text)))
    assert [set(row) for row in read] == [set(row) for row in found]
    key = "id" if "id" in found[0] else "day"
    assert [row[key] for row in read] == [str(row[key]) for row in found]


def test_a_list_is_complete_however_long_it_is(
    files: tuple[Path, Path], site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry, "_STEP", 3)
    with sqlite3.connect(files[0]) as db:
        on = db.execute(
            "SELECT article_id, topic FROM article_topics WHERE on_topic = 1 AND topic IN (SELECT slug FROM topics)"
            " ORDER BY published_at DESC, article_id DESC, topic DESC"
        ).fetchall()
        one = [number for number, topic in on if topic == "tiktok-sale"]
        outlet = db.execute(
            "SELECT id FROM articles WHERE outlet_id = 4 ORDER BY first_seen_at DESC, id DESC"
        ).fetchall()
        story = db.execute("SELECT count(*) FROM story_articles WHERE story_id = 1").fetchone()[0]
    assert len(one) > 30
    assert [row["id"] for row in get(site, "/topic/tiktok-sale.json").json()] == one
    everything = get(site, "/feed.json").json()
    assert [row["id"] for row in everything] == [number for number, _ in on]
    assert all(row["topics"] == [topic] for row, (_, topic) in zip(everything, on, strict=True))
    assert [(row["id"],) for row in get(site, "/outlet/4.json").json()] == outlet
    assert len(get(site, "/story/1.json").json()) == story
    found = [row["id"] for row in get(site, "/search.json?q=tiktok&days=0").json()]
    assert found == sorted(set(found), reverse=True)
    with sqlite3.connect(files[0]) as db:
        hits = db.execute("SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'tiktok'").fetchone()[0]
    assert len(found) == hits > 20


def test_an_empty_list_is_a_list_and_a_wrong_one_is_not_there(site: Any) -> None:
    assert get(site, "/topic/press-freedom.json").json() == []
    assert get(site, "/topic/press-freedom.csv").text.splitlines() == [",".join(carry.ARTICLE_KEYS)]
    assert get(site, "/search.json").json() == []
    for path in ("/topic/nope", "/outlet/nope", "/story/99999", "/compare/nope"):
        for kind in ("csv", "json") if "compare" in path else ("csv", "json", "atom"):
            assert get(site, f"{path}.{kind}").status_code == 404, (path, kind)


def test_no_cell_is_a_formula_and_no_link_leads_elsewhere(tmp_path: Path) -> None:
    news, feedback = sample.build(tmp_path)
    with sqlite3.connect(news) as db:
        db.execute("UPDATE articles SET title = '=HYPERLINK(\"http://evil.example\")', url = 'javascript:x' || id")
        db.execute("UPDATE outlets SET name = '@evil' || id, family = '+evil'")
    bad = build(news, feedback, METADATA, now=sample.NOW)
    for where in LISTS:
        for row in csv.reader(io.StringIO(get(bad, f"{where}.csv?q=tiktok&days=0").text)):
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))], where
        assert "javascript:" not in get(bad, f"{where}.json?q=tiktok&days=0").text, where


@pytest.mark.parametrize(
    "path", ["/outlet/Pacific%20Daily%20Wire.atom", "/story/1.atom", "/search.atom?q=tiktok&days=0"]
)
def test_outlets_stories_and_searches_can_be_followed(site: Any, path: str) -> None:
    answer = get(site, path)
    root = ET.fromstring(answer.content)
    entries = root.findall(f"{ATOM}entry")
    assert entries
    updated = [entry.findtext(f"{ATOM}updated") or "" for entry in entries]
    # A search is in the order in which articles came in.
    assert updated == sorted(updated, reverse=True) or "search" in path
    assert get(site, path, if_none_match=answer.headers["etag"]).status_code == 304
    own = root.find(f"{ATOM}link[@rel='self']")
    assert own is not None
    assert own.get("href", "").endswith(path)
