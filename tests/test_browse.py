"""The site: every page through Datasette's own client, over a real schema. No network, no server.

What hostile content may not do is in browser/test_browse_safety.py, the small parts in browser/test_browse_parts.py.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
import yaml

from pipeline.browse import queries
from pipeline.browse.serve import SETTINGS, build
from pipeline.errors import ConfigError, StoreError

sys.path.insert(0, str(Path(__file__).parent / "browser"))
import itertools

import sample
from desk import ATOM, METADATA, Reader, get, numbers, pages, words


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return sample.build(tmp_path_factory.mktemp("db"))


@pytest.fixture(scope="module")
def site(files: tuple[Path, Path]) -> Any:
    return build(*files, METADATA, title="The Desk", now=sample.NOW, texts_open=True)


# --- what the pages show --------------------------------------------------------------------------------------


def test_every_page_answers_and_own_pages_carry_the_strict_policy(site: Any) -> None:
    for path in pages(site):
        answer = get(site, path)
        assert answer.status_code == 200, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';"), path
        if not path.startswith("/news") and "html" in answer.headers["content-type"]:
            assert "unsafe" not in policy


def test_every_html_page_is_well_made(site: Any) -> None:
    for path in pages(site):
        answer = get(site, path)
        if "html" not in answer.headers["content-type"]:
            continue
        page = Reader(answer.text)
        levels = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
        assert levels[0] == 1, path
        assert levels.count(1) == 1, path
        assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels)), (path, levels)
        held = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
        assert len(held) == len(set(held)), path
        assert not page.all("script"), path
        assert not [name for name, attributes in page.elements if "style" in attributes], path
        labelled = {attributes.get("for") for attributes in page.all("label")}
        for field in (*page.all("input"), *page.all("select")):
            assert field.get("type") == "hidden" or field.get("id") in labelled or field.get("aria-label"), (
                path,
                field,
            )
        for drawing in page.all("svg"):
            assert drawing.get("aria-label"), path


def test_front_leads_with_newsrooms_and_says_what_matched(site: Any) -> None:
    shown = words(get(site, "/"))
    assert "9 newsrooms" in shown
    assert "3 of 14 feeds need care · last poll 6 min ago" in shown
    assert "matched TikTok" in shown
    assert "Today, 5 December" in shown
    assert "Yesterday, 4 December" in shown
    assert "Widely covered, no topic" in shown
    blind = shown.split("Widely covered, no topic")[1].split("Headlines changed")[0]
    assert "Storm cuts power" in blind
    assert "TikTok" not in blind


def test_front_shows_the_latest_changed_headlines_those_on_topic_first(site: Any) -> None:
    page = get(site, "/").text.split("Headlines changed")[1].split("Take it with you")[0]
    assert "<del>slip without an extension</del>" in page
    assert "<ins>pass but says talks go on</ins>" in page
    assert page.index("Treasury lets") < page.index("Storm cuts power")


def test_front_counts_a_copy_on_the_line_of_its_original(site: Any) -> None:
    newest = words(get(site, "/")).split("Newest on topic")[1]
    assert newest.count("TikTok sale talks to continue past deadline") == 1
    assert "same text at 3 more" in newest


def test_story_shows_lags_copies_unique_words_and_edits(site: Any) -> None:
    page = get(site, f"/story/{numbers(site)['story']}").text
    shown = words(get(site, f"/story/{numbers(site)['story']}"))
    assert "+1 h 14 min" in shown
    assert "+41 min" in shown
    assert "Largely the same text at 3 other outlets" in shown
    assert "<u>Treasury</u>" in page
    assert "<u>TikTok</u>" not in page
    assert "<del>slip without an extension</del>" in page
    assert "<ins>pass but says talks go on</ins>" in page
    assert "Nearby in this topic" in shown
    assert "Judge blocks app ban" in shown


def test_article_shows_why_and_how_it_was_reworded(site: Any) -> None:
    held = numbers(site)
    page = get(site, f"/article/{held['edited']}").text
    shown = words(get(site, f"/article/{held['edited']}"))
    assert "Headline changed" in shown
    assert "<del>" in page
    assert "<ins>" in page
    page, shown = get(site, f"/article/{held['article']}").text, words(get(site, f"/article/{held['article']}"))
    assert "<mark>TikTok</mark>" in page
    assert re.search(r"0\.\d\d against 0\.22: on topic", shown)
    assert "ByteDance headline, summary, text 4 0.240 TikTok headline, text 3 0.224" in shown, "a line a term"
    assert "Where it came from" in shown
    assert "status" in shown
    assert "Largely the same text as" in words(get(site, f"/article/{held['copy']}"))


def test_a_large_story_is_read_in_pages_that_leave_no_report_out(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    number = numbers(site)["story"]
    whole = get(site, f"/story/{number}")
    reports = set(re.findall(r'href="/article/(\d+)"', whole.text))
    facts = words(whole).split("How it spread")[0]
    monkeypatch.setattr("pipeline.browse.story._PAGE", 5)
    pages = [get(site, f"/story/{number}?page={nth}") for nth in (1, 2, 3)]
    assert "Reports 1 to 5 of 12" in words(pages[0])
    assert "Reports 11 to 12 of 12" in words(pages[2])
    assert ["Later reports" in words(page) for page in pages] == [True, True, False]
    assert ["Earlier reports" in words(page) for page in pages] == [False, True, True]
    assert set().union(*(re.findall(r'href="/article/(\d+)"', page.text) for page in pages)) == reports
    assert re.search(r"Only ran the wire \d", words(pages[0])).group() in facts  # type: ignore[union-attr]
    assert "first" not in words(pages[1]).split("Every outlet's version")[1].split("Shared wording")[0]
    assert get(site, f"/story/{number}?page=999999999999").status_code == 200


def test_article_and_story_name_the_agency_and_what_else_an_edit_changed(files: tuple[Path, Path], site: Any) -> None:
    with sqlite3.connect(files[0]) as db:
        article, story = db.execute(
            "SELECT a.id, s.story_id FROM articles a JOIN story_articles s ON s.article_id = a.id WHERE agency = 'AP'"
        ).fetchone()
    page = get(site, f"/article/{article}").text
    assert "wire: AP" in page
    assert "Headline changed" in page
    assert "Also: number changed." in page
    assert "came back to this wording 3 times" in page
    assert "wire: AP" in get(site, f"/story/{story}").text


def test_topic_shows_the_questions_whose_answers_would_teach_it_most(files: tuple[Path, Path], site: Any) -> None:
    shown = get(site, "/topic/tiktok-sale").text.split("Three questions")[1].split("Near misses")[0]
    assert "newsbeat topic review tiktok-sale" in shown
    asked = [int(number) for number in re.findall(r"/article/(\d+)", shown)]
    assert len(set(asked)) == 3
    with sqlite3.connect(files[0]) as db:
        scores = [
            db.execute(
                "SELECT abs(score - threshold) / threshold FROM article_topics JOIN topics ON slug = topic"
                " WHERE article_id = ? AND slug = 'tiktok-sale'",
                (number,),
            ).fetchone()[0]
            for number in asked
        ]
    assert max(scores) < 0.9, "near the threshold"


def test_topic_shows_columns_scores_and_near_misses(site: Any) -> None:
    shown = words(get(site, "/topic/tiktok-sale"))
    for part in ("Articles a day, 30 days", "The same numbers as a table", "Who covers it", "The profile in words"):
        assert part in shown
    assert "Dance app rivals court creators" in shown.split("Near misses")[1]
    assert "None of these may stand in it: dance challenge" in shown
    older = re.search(r'href="(/topic/tiktok-sale\?before=[^"]+)"', get(site, "/topic/tiktok-sale").text)
    assert older
    first = set(
        re.findall(r"/article/\d+", get(site, "/topic/tiktok-sale").text.split("Every article")[1].split("Near")[0])
    )
    second = set(re.findall(r"/article/\d+", get(site, older.group(1)).text.split("Every article")[1].split("Near")[0]))
    assert second
    assert not first & second


def test_a_small_table_is_counted_whether_its_rows_have_numbers_or_not(site: Any) -> None:
    shown = words(get(site, "/news"))
    assert re.search(r"topic_days \d+ rows", shown)
    assert "many rows" not in shown


def test_feeds_come_problems_first_with_words_shape_and_cure(site: Any) -> None:
    shown = words(get(site, "/feeds")).split("Next", 1)[1]
    order = [
        shown.index(part) for part in ("■ gone", "▲ failing", "➜ moved", "◆ unsteady", "○ quiet", "● ok", "‖ paused")
    ]
    assert order == sorted(order)
    assert "HTTP 404 Not Found, 36 min ago, 9 times in a row. The address is gone." in shown
    assert "Moved for good to https://outlet12.example/feed.xml. Put the new address into config/feeds.toml" in shown
    assert "Signal Radio" not in words(get(site, "/feeds?state=failing")).split("Next", 1)[1].split("Strip")[0]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "finds the exact phrase"),
        ('"open phrase', "A quotation mark was left open"),
        ("***", "There is no word in that"),
        ("-tiktok", "only words to leave out"),
        ("title:x AND ( NEAR/2 ^", "Nothing found"),
        ("tiktok -oracle", "article"),
        ("byte* OR merger", "Page 1"),
        ("'; DROP TABLE articles; --", "Nothing found"),
        ("\x00", "finds the exact phrase"),
        ("x" * 5000, "That was long"),
    ],
)  # fmt: skip
def test_search_is_friendly_whatever_is_typed(site: Any, typed: str, said: str) -> None:
    answer = get(site, str(httpx.URL("/search", params={"q": typed})))
    assert answer.status_code == 200
    assert said in words(answer)


def test_search_marks_what_it_found_and_keeps_to_its_filters(site: Any) -> None:
    assert "<mark>TikTok</mark>" in get(site, "/search?q=tiktok").text
    once = get(site, "/search?q=cold+chain&days=0").text
    assert once.count("<mark>cold</mark>") == 1, "a snippet that is the headline stands there, marked"
    assert "Nothing found" in words(get(site, "/search?q=mackerel&topic=tiktok-sale"))
    assert "Nothing found" in words(get(site, "/search?q=mackerel&days=1"))
    only = get(site, "/search?q=mackerel&outlet=10")
    assert "Northern Post" in words(only).split("1 article")[1]


# --- machines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/feed.atom", "/topic/tiktok-sale.atom", "/topic/press-freedom.atom"])
def test_atom_is_valid_and_answers_304_to_who_has_it(site: Any, path: str) -> None:
    answer = get(site, path)
    assert answer.headers["content-type"].startswith("application/atom+xml")
    root = ET.fromstring(answer.content)
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    assert bool(entries) == ("press" not in path)
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
            assert element.findtext(f"{ATOM}{name}")
    held = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(held) == len(set(held))
    etag = answer.headers["etag"]
    for given in (etag, f'"other", W/{etag}', "*"):
        again = get(site, path, if_none_match=given)
        assert again.status_code == 304
        assert not again.content
        assert again.headers["etag"] == etag
    assert get(site, path, if_none_match='"other"').status_code == 200


def test_health_is_503_when_no_poll_succeeded_for_an_hour(files: tuple[Path, Path], site: Any) -> None:
    answer = get(site, "/-/newsbeat/health.json")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert answer.json()["feeds"] == 14
    later = build(*files, METADATA, now="2020-12-05T13:30:00Z")
    answer = get(later, "/-/newsbeat/health.json")
    assert answer.status_code == 503
    assert "for 1 h" in answer.json()["why"]


def test_an_empty_database_has_pages_too(tmp_path: Path) -> None:
    shell = sample.Database(tmp_path / "news.db")
    sample.migrations.apply(shell)
    shell.conn.close()
    empty = build(tmp_path / "news.db", None, METADATA)
    for path in ("/", "/feeds", "/search?q=x", "/feed.atom", "/news"):
        assert get(empty, path).status_code == 200, path
    answer = get(empty, "/-/newsbeat/health.json")
    assert answer.status_code == 503
    assert answer.json()["why"] == "no poll has succeeded yet"


def test_a_database_without_tables_is_told_in_words(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "news.db").execute("VACUUM").close()
    broken = build(tmp_path / "news.db", None, METADATA)
    answer = get(broken, "/")
    assert answer.status_code == 503
    assert "cannot be read" in words(answer)
    assert "newsbeat once" in words(answer)
    assert get(broken, "/-/newsbeat/health.json").status_code == 503


def test_robots_are_asked_to_stay_out(site: Any) -> None:
    assert get(site, "/robots.txt").text == "User-agent: *\nDisallow: /\n"


# --- the data -------------------------------------------------------------------------------------------------


def test_settings_are_the_safe_ones(site: Any) -> None:
    assert {name: site.setting(name) for name in SETTINGS} == SETTINGS
    assert SETTINGS["default_allow_sql"] is False
    assert SETTINGS["allow_download"] is False
    assert all(database.is_mutable for database in site.databases.values())
    assert set(site.databases) == {"_internal", "news", "feedback"}


def test_building_without_a_database_or_with_a_broken_description_says_so(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="newsbeat once"):
        build(tmp_path / "none.db", None, METADATA)
    (tmp_path / "bad.yaml").write_text("{")
    with pytest.raises(ConfigError):
        build(*files, tmp_path / "bad.yaml")
    with pytest.raises(ConfigError):
        build(*files, tmp_path / "missing.yaml")


def test_every_promised_column_is_explained(files: tuple[Path, Path]) -> None:
    told = yaml.safe_load(METADATA.read_text())["databases"]
    for name, path in zip(("news", "feedback"), files, strict=True):
        with sqlite3.connect(path) as db:
            found = [row[0] for row in db.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'articles_fts_%'"
                " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_%' ESCAPE '\\'")]  # fmt: skip
            for table in found:
                columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
                assert list(told[name]["tables"][table]["columns"]) == columns, table
                assert told[name]["tables"][table]["description"]


def test_every_canned_query_runs_is_titled_and_found(site: Any) -> None:
    told = yaml.safe_load(METADATA.read_text())["databases"]["news"]["queries"]
    assert len(told) >= 8
    for name, query in told.items():
        assert query["title"]
        assert query["description"]
        answer = get(site, f"/news/{name}.json?_shape=array&topic=tiktok-sale&story={numbers(site)['story']}")
        assert answer.status_code == 200, (name, answer.text)
        assert answer.json(), name
        assert get(site, f"/news/{name}.csv?topic=tiktok-sale&story=1").status_code == 200
        assert query["title"] in words(get(site, "/news")).replace("&#39;", "'")
    first = get(site, "/news/who_had_it_first.json?_shape=array").json()[0]
    assert first["first_outlet"] == "Pacific Daily Wire"
    assert first["minutes_alone"] == 14


def plan(db: sqlite3.Connection, sql: str, values: object) -> list[str]:
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.parametrize("name", sorted(queries.all_queries()))
def test_no_question_scans_articles_or_scores(files: tuple[Path, Path], name: str) -> None:
    query = queries.all_queries()[name]
    with sqlite3.connect(files[0]) as db:
        db.execute(query.sql, query.example).fetchall()
        told = plan(db, query.sql, query.example)
    # The tables that grow without end, under the names the questions give them.
    large = (
        r"SCAN (articles|article_topics|article_texts|revisions|entries|polls|story_articles|stories|a|t|s|sa|e|x)\b"
    )
    scans = [step for step in told if re.match(large, step)]
    assert not [step for step in scans if not name.startswith("NEWEST_O") or "article_topics_newest" not in step], told


def test_newest_and_near_misses_go_by_time_and_not_through_all_years(files: tuple[Path, Path]) -> None:
    with sqlite3.connect(files[0]) as db:
        newest = plan(db, queries.NEWEST_ON_TOPIC.sql, queries.NEWEST_ON_TOPIC.example)
        assert "article_topics_newest" in newest[0]
        assert not [step for step in newest if "ORDER BY" in step]
        assert "article_topics_near" in plan(db, queries.NEAR_MISSES.sql, queries.NEAR_MISSES.example)[0]


def test_canned_queries_do_not_scan_articles_or_scores_either(files: tuple[Path, Path]) -> None:
    told = yaml.safe_load(METADATA.read_text())["databases"]["news"]["queries"]
    with sqlite3.connect(files[0]) as db:
        for name, query in told.items():
            steps = plan(db, query["sql"], {"topic": "tiktok-sale", "story": 1})
            scans = [step for step in steps if re.match(r"SCAN (articles|article_topics|a|b|t|c)\b", step)]
            # A partial index of copies only is a short list, not the archive; `c` and `t` are also small named steps.
            scans = [s for s in scans if "articles_copy_of" not in s and not re.match(r"SCAN [ct]( |$)(?!USING)", s)]
            assert not scans, (name, steps)
