"""No page goes through a table that grows without end: every statement the real site runs, by SQLite's own plan.

The statements are those that SQLite itself hears of while each page is asked, so that none can be forgotten.
"""

from __future__ import annotations

import re
import socket
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasette.database import Database

from pipeline.browse.counting import COUNT_MS
from pipeline.browse.serve import build
from pipeline.cli.main import Site as Site_
from pipeline.cli.site import listening

sys.path.insert(0, str(Path(__file__).parent / "browser"))
import sample
from desk import METADATA, get, numbers, pages

LARGE = {
    "articles", "article_topics", "entries", "polls", "revisions", "story_articles", "article_texts", "article_names",
    "stories", "story_topics", "articles_fts",
}  # fmt: skip
NAMED = re.compile(
    r"(?:FROM|JOIN)\s+[\[\"]?(\w+)[\]\"]?(?:\s+AS)?(?:\s+(?!ON\b|WHERE\b|CROSS\b|ORDER\b|LIMIT\b)(\w+))?", re.I
)


class Site:
    """The site on the sample, and every statement SQLite ran for it, with its values put in."""

    def __init__(self, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.heard = files[0], list[str]()
        connect = Database.connect

        def listened(database: Any, *args: Any, **more: Any) -> sqlite3.Connection:
            made: sqlite3.Connection = connect(database, *args, **more)
            if database.path and Path(database.path) == self.path:
                made.set_trace_callback(self.heard.append)
            return made

        monkeypatch.setattr(Database, "connect", listened)
        self.app = build(*files, METADATA, now=sample.NOW)

    def ask(self, path: str) -> list[str]:
        """What ran for this page."""
        self.heard.clear()
        assert get(self.app, path).status_code == 200, path
        own = [one for one in self.heard if not one.startswith("--") and not re.match(r"(PRAGMA|EXPLAIN)\b", one, re.I)]
        return list(dict.fromkeys(own))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(sample.build(tmp_path), monkeypatch)


def scans(db: sqlite3.Connection, sql: str) -> list[str]:
    """Steps of the plan that go through a large table from end to end. One that stops at its LIMIT does not."""
    steps = [str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    tables = {alias or table: table for table, alias in NAMED.findall(sql)} | {name: name for name in LARGE}
    bounded = re.search(r"\bLIMIT\b", sql, re.I) and not any("TEMP B-TREE" in step for step in steps)
    found = []
    for step in steps:
        scanned = re.match(r"SCAN (\w+)(.*)", step)
        if scanned is None or tables.get(scanned[1]) not in LARGE or bounded:
            continue
        # The full-text index is asked by MATCH or by row, which SQLite calls a scan.
        if "VIRTUAL TABLE" in scanned[2] and not scanned[2].rstrip().endswith("INDEX 0:"):
            continue
        # The later wordings, newest first: a partial index of few rows, left after the first hundreds.
        if "INDEX revisions_later" in scanned[2]:
            continue
        found.append(step)
    return found


def paths(site: Site) -> list[str]:
    held = numbers(site.app)
    told = yaml.safe_load(METADATA.read_text())["databases"]["news"]["queries"]
    canned = [f"/news/{name}.json?topic=tiktok-sale&story={held['story']}" for name in told]
    more = [
        "/search?q=tiktok&topic=tiktok-sale&days=0", "/search?q=tiktok&outlet=1&order=best", "/search?q=%22the+sale%22",
        "/outlet/6.csv", "/search.csv?q=tiktok&order=best&days=0", "/compare/tiktok-sale.json", "/feeds?page=2",
        "/news/articles?outlet_id=1", "/news/articles.json?_size=5", f"/news/stories/{held['story']}",
    ]  # fmt: skip
    return [*pages(site.app), *more, *canned]


def test_no_statement_of_any_page_goes_through_a_large_table(site: Site) -> None:
    bad: dict[str, object] = {}
    asked = 0
    with sqlite3.connect(site.path) as db:
        for path in paths(site):
            for sql in site.ask(path):
                # Datasette's own, bounded by a time limit: counts (see below), and how many rows have which value.
                if re.match(r"select (count\(\*\)|\w+ as value, count\(\*\))", " ".join(sql.split()), re.I):
                    continue
                asked += 1
                if found := scans(db, sql):
                    bad[f"{path}: {' '.join(sql.split())[:200]}"] = found
    assert asked > 200
    assert not bad


def test_the_test_sees_a_scan(site: Site) -> None:
    with sqlite3.connect(site.path) as db:
        for sql in (
            "SELECT a.id FROM articles AS a JOIN outlets o ON o.id = a.outlet_id WHERE a.title = 'x'",
            "SELECT count(DISTINCT title) FROM articles",
            "SELECT title FROM articles ORDER BY title LIMIT 3",
            "SELECT x.text FROM article_texts x WHERE x.text LIKE '%a%'",
        ):
            assert scans(db, sql), sql
        assert not scans(db, "SELECT id FROM articles ORDER BY id DESC LIMIT 3")


def test_datasettes_counts_are_kept_or_bounded(site: Site) -> None:
    for path in ("/news/articles", "/news/articles_browse"):
        assert not [sql for sql in site.ask(path) if re.match(r"select count\(\*\) from \[?articles", sql)], path
    with sqlite3.connect(site.path) as db:
        (count,) = db.execute("SELECT count(*) FROM articles").fetchone()
    assert f"{count:,} rows" in get(site.app, "/news/articles").text
    assert f"{count:,} rows" in get(site.app, "/news/articles_browse").text
    assert COUNT_MS > 20, "Datasette looks at the clock after every step up to 20"
    assert any("count(*)" in sql for sql in site.ask("/news"))
    assert f"{count:,} rows" in get(site.app, "/news").text
    assert not any("count(*)" in sql.lower() for sql in site.ask("/news")), "the list of tables remembers its counts"


def test_the_list_of_tables_counts_no_large_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.browse.counting.FEW", 5)
    counted = [sql for sql in site.ask("/news") if "count(*)" in sql.lower()]
    assert any("topics" in sql for sql in counted)
    assert not [sql for sql in counted if re.search(r"\[(articles|entries|revisions)\]", sql)]
    shown = get(site.app, "/news").text
    assert "any rows" in shown


def test_answers_do_not_wait_for_an_acknowledgement() -> None:
    """asyncio switches Nagle's algorithm off only where a socket is named as TCP; else each answer takes 40 ms more."""
    with listening(Site_("127.0.0.1", 0, texts=False)) as door:
        assert door.proto == socket.IPPROTO_TCP
