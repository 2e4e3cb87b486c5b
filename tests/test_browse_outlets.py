"""Pages that hold newsrooms beside each other: an outlet, a comparison, how a story spread."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sample
from desk import METADATA, Reader, get, numbers, words

from pipeline.browse import lines, races
from pipeline.browse.serve import build


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return sample.build(tmp_path_factory.mktemp("db"))


@pytest.fixture(scope="module")
def site(files: tuple[Path, Path]) -> Any:
    return build(*files, METADATA, title="The Desk", now=sample.NOW, texts_open=True)


# --- an outlet ------------------------------------------------------------------------------------------------


def test_an_outlet_shows_its_speed_its_edits_its_wire_and_its_feeds(site: Any) -> None:
    shown = words(get(site, "/outlet/Capital%20Ledger"))
    assert "Outlet of Ledger Group" in shown
    assert "One newsroom with Ledger Tech" in shown
    assert "Else behind by" in shown
    assert "Treasury lets TikTok deadline" in shown.split("What it edits")[1]
    assert "before" in shown.split("What it edits")[1]
    assert "TikTok's US sale" in shown.split("What it covers of your topics")[1].replace("&#39;", "'")
    assert "48 hours" in shown.split("Its feeds")[1]
    page = get(site, "/outlet/Capital%20Ledger").text
    assert "<del>" in page.split("What it edits")[1]
    assert 'class="chart lane"' in page


def test_an_outlet_that_copies_says_from_whom(site: Any) -> None:
    shown = words(get(site, "/outlet/Valley%20Chronicle"))
    assert "1 article is largely another outlet's text" in shown
    assert "as at Pacific Daily Wire" in shown
    first = words(get(site, "/outlet/Pacific%20Daily%20Wire"))
    assert "Others ran its texts 4 times" in first
    assert re.search(r"Had it first [1-9]", first)


def test_every_outlet_has_a_page_by_name_and_by_number(files: tuple[Path, Path], site: Any) -> None:
    with sqlite3.connect(files[0]) as db:
        for number, name in db.execute("SELECT id, name FROM outlets").fetchall():
            assert name in words(get(site, lines.outlet_path(name, number)))
            assert name in words(get(site, f"/outlet/{number}"))
    assert get(site, "/outlet/Nobody").status_code == 404


@pytest.mark.parametrize("name", ["..", ".", "a/b", "c\\d", "", "50% & more?", "Le Courrier des Îles", "<b>"])
def test_no_name_of_an_outlet_leads_elsewhere(name: str) -> None:
    path = lines.outlet_path(name, 7)
    assert re.fullmatch(r"/outlet/[A-Za-z0-9%._~-]+", path)
    assert path == "/outlet/7" or path == f"/outlet/{quote(name, safe='')}"


# --- a comparison ---------------------------------------------------------------------------------------------


def test_compare_tells_who_has_it_and_who_has_not(files: tuple[Path, Path], site: Any) -> None:
    page = get(site, "/compare/chip-merger")
    shown = words(page)
    covering, silent = shown.split("Published, but not on this")
    assert "Ledger Group" in covering
    assert "Ledger Group" not in silent
    with sqlite3.connect(files[0]) as db:
        told = {row[0] for row in db.execute("SELECT DISTINCT family FROM outlets")}
        on = {
            row[0]
            for row in db.execute(
                "SELECT DISTINCT o.family FROM article_topics t JOIN articles a ON a.id = t.article_id"
                " JOIN outlets o ON o.id = a.outlet_id WHERE topic = 'chip-merger' AND on_topic = 1"
            )
        }
    assert {family for family in told if family in silent} == told - on
    assert get(site, "/compare/nope").status_code == 404


def test_compare_holds_the_numbers_of_its_pictures(site: Any) -> None:
    page = Reader(get(site, "/compare/tiktok-sale").text)
    drawn = [svg for svg in page.all("svg") if "bars" in (svg["class"] or "")]
    assert drawn
    shown = words(get(site, "/compare/tiktok-sale"))
    table = shown.split("Day by day as a table")[1].split("Story by story")[0]
    for svg in drawn:
        total = re.search(r"(\d+) in all", svg["aria-label"] or "")
        assert total
    assert sum(int(re.search(r"(\d+) in all", svg["aria-label"] or "").group(1)) for svg in drawn) == sum(  # type: ignore[union-attr]
        int(number) for number in re.findall(r"(?<=\s)\d+(?=\s|$)", table.split("5 Dec", 1)[1])
    )
    assert "wire only" in shown.split("Story by story")[1]
    assert "first" in shown.split("Story by story")[1]


def test_compare_of_many_newsrooms_shows_the_busiest_and_leads_to_the_rest(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = Reader(get(site, "/compare/tiktok-sale").text)
    monkeypatch.setattr("pipeline.browse.compare._ROOMS", 2)
    monkeypatch.setattr("pipeline.browse.compare._COLUMNS", 2)
    page = get(site, "/compare/tiktok-sale")
    drawn = [[svg for svg in one.all("svg") if "bars" in (svg["class"] or "")] for one in (everyone, Reader(page.text))]
    assert len(drawn[1]) == 2 < len(drawn[0])
    assert f"and {len(drawn[0]) - 2} newsroom" in words(page)
    assert "the 2 newsrooms with the most articles" in words(page)
    assert f"{len(drawn[0])} newsrooms with" in words(page)


# --- how a story spread ---------------------------------------------------------------------------------------


def test_a_story_shows_how_it_spread_and_whose_words_they_were(site: Any) -> None:
    shown = words(get(site, f"/story/{numbers(site)['story']}"))
    spread = shown.split("How it spread")[1].split("Every outlet's version")[0]
    assert "first printed first; 3 ran the same text" in spread
    assert "+14 min text as at Pacific Daily Wire" in spread
    assert "Only ran the wire" in shown


def test_a_report_says_when_it_was_seen_here_as_against_when_it_says_it_came_out(
    files: tuple[Path, Path], site: Any
) -> None:
    story = numbers(site)["story"]
    with sqlite3.connect(files[0]) as db:
        number = db.execute(
            "SELECT article_id FROM story_articles WHERE story_id = ? ORDER BY article_id LIMIT 1", (story,)
        ).fetchone()[0]
        before = db.execute("SELECT first_seen_at FROM articles WHERE id = ?", (number,)).fetchone()
        db.execute(
            "UPDATE articles SET first_seen_at = strftime('%Y-%m-%dT%H:%M:%SZ', first_seen_at, '+25 minutes')"
            " WHERE id = ?",
            (number,),
        )
    assert "seen here 25 min later" in words(get(site, f"/story/{story}"))
    assert "seen here 25 min later" in words(get(site, f"/article/{number}"))
    with sqlite3.connect(files[0]) as db:
        db.execute("UPDATE articles SET first_seen_at = ? WHERE id = ?", (*before, number))


def test_a_story_that_became_another_leads_there(files: tuple[Path, Path], site: Any) -> None:
    story = numbers(site)["story"]
    with sqlite3.connect(files[0]) as db:
        db.executemany("INSERT INTO story_merges VALUES (?, ?, '2020-12-05T00:00:00Z')", [(9001, story), (9000, 9001)])
    for number in (9000, 9001):
        answer = asyncio.run(site.client.get(f"/story/{number}", follow_redirects=False))
        assert answer.status_code == 301
        assert answer.headers["location"] == f"/story/{story}"
    assert get(site, "/story/9002").status_code == 404


# --- the race itself ------------------------------------------------------------------------------------------


def _report(family: str, minute: int, copy_of: int | None = None, agency: str | None = None) -> dict[str, Any]:
    at = f"2020-12-05T10:{minute:02}:00Z"
    return {"family": family, "outlet": f"{family} Post", "at": at, "copy_of": copy_of, "agency": agency}


def test_newsrooms_come_in_order_and_wire_alone_is_called_so() -> None:
    field = races.runners([_report("B", 30), _report("A", 0), _report("C", 20, 1), _report("B", 5, agency="AP")])
    assert [runner.family for runner in field] == ["A", "B", "C"]
    assert [runner.lag_s for runner in field] == [0, 300, 1200]
    assert [runner.only_wire for runner in field] == [False, False, True]
    place = races.place(field, "C")
    assert place == races.Place(3, 3, 1200, True)
    assert races.place(field, "D") is None


def test_who_came_in_the_same_second_shares_the_place() -> None:
    field = races.runners([_report("A", 0), _report("B", 0), _report("C", 1)])
    assert [races.place(field, family).place for family in "ABC"] == [1, 1, 3]  # type: ignore[union-attr]


def test_form_counts_firsts_apart_from_lags() -> None:
    form = races.form([races.Place(1, 4, 0, False), races.Place(2, 4, 1800, False), races.Place(3, 4, 7200, True)])
    assert form == races.Form(3, 1, 1, 1, 4500)
    assert races.form([]) == races.Form(0, 0, 0, 0, None)


def test_times_that_cannot_be_read_come_last_and_break_nothing() -> None:
    field = races.runners([{**_report("A", 0), "at": "soon"}, _report("B", 3)])
    assert [runner.family for runner in field] == ["B", "A"]
    assert field[1].lag_s == 0
