"""A whole archive out and in again: nothing that a person would miss is lost, and nothing is doubled."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from grown import LINES, configured, everything, grown, line, newsbeat
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import archive, ingest, schedule
from pipeline.store import FEEDBACK, Store
from pipeline.urls import OutletBook


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return grown(tmp_path)


def out(place: Path, name: str = "whole.jsonl") -> Path:
    ran = newsbeat(place, "export", "--format", "archive", "-o", place / name)
    assert ran.exit_code == 0, ran.stderr
    return place / name


def elsewhere(place: Path) -> Path:
    """Another place with the same configuration."""
    return configured(place / "elsewhere")


def content(file: Path) -> dict[str, list[dict[str, Any]]]:
    """The records by their kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for raw in file.read_text(encoding="utf-8").splitlines():
        record = json.loads(raw)
        found.setdefault(record.pop("kind"), []).append(record)
    return found


KEPT = (
    "SELECT * FROM outlets", "SELECT * FROM article_texts", "SELECT * FROM revisions", "SELECT * FROM article_topics",
    "SELECT * FROM articles", "SELECT * FROM entries", "SELECT * FROM stories", "SELECT * FROM story_articles",
    "SELECT * FROM story_merges", "SELECT * FROM article_names", "SELECT * FROM pruned",
    "SELECT rowid, title, summary FROM articles_fts",
)  # fmt: skip


def rows(place: Path) -> list[object]:
    with closing(sqlite3.connect(place / "news.db")) as db:
        return [db.execute(f"{query} ORDER BY 1, 2").fetchall() for query in KEPT]


def test_what_goes_out_comes_in_the_same_row_by_row(place: Path) -> None:
    with closing(sqlite3.connect(place / "news.db")) as db:
        db.execute("INSERT INTO pruned VALUES (-7, '2020-12-09')")
        db.execute("INSERT INTO story_merges VALUES (99, 4, '2020-12-09T00:00:00Z')")
        db.commit()
    there = elsewhere(place)
    ran = newsbeat(there, "import", out(place))
    assert (ran.exit_code, "12 articles, 0 there already; 2 words of people" in ran.stdout) == (0, True), ran.output
    assert rows(there) == rows(place)
    assert out(there).read_bytes() == out(place).read_bytes()
    assert newsbeat(there, "verify").exit_code == 0


def test_every_kind_of_thing_is_in_it(place: Path) -> None:
    found = content(out(place))
    assert set(found) == {"newsbeat", "outlet", "feed", "topic", "story", "article", "label", "correction"}
    edited = found["article"][2]
    assert [one["title"] for one in edited["wordings"]] == [
        "Violins stolen from orchestra bus",
        "Violins stolen from theatre bus",
    ]
    assert edited["wordings"][0]["text"].startswith("Eleven violins")
    assert edited["text"].startswith("Nine violins")
    assert edited["entries"][0]["feed"] == "import:archive.jsonl"
    assert found["article"][10]["copy"] == found["article"][9]["url"]
    assert found["label"][0]["verdict"] == "on_topic"
    assert found["correction"][0]["action"] == "together"
    assert not {"etag", "secret", "id"} & found["feed"][0].keys()


def test_importing_it_twice_changes_nothing(place: Path) -> None:
    file = out(place)
    before, said = rows(place), everything(place / FEEDBACK)
    ran = newsbeat(place, "import", file, "--json")
    assert json.loads(ran.stdout) == {"new": 0, "known": 12, "words": 0}
    assert rows(place) == before
    assert everything(place / FEEDBACK) == said


def test_two_archives_become_one_and_no_number_stands_for_two(place: Path) -> None:
    """The other archive has the same numbers for other articles, stories and entries, and one article in common."""
    file, there = out(place), elsewhere(place)
    headlines = ("A tram derails in Wexlow", "Geese stop the traffic", "The mayor resigns")
    mine = [
        line(number, title=title, url=f"https://wexlow.example/{number}", outlet="Wexlow Post")
        for number, title in enumerate(headlines, 1)
    ]
    (there / "archive.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (*mine, LINES[4])), encoding="utf-8")
    assert newsbeat(there, "import", there / "archive.jsonl").exit_code == 0
    ran = newsbeat(there, "import", file, "--json")
    assert json.loads(ran.stdout) == {"new": 11, "known": 1, "words": 2}
    assert newsbeat(there, "verify").stdout.endswith("clean.\n")
    with Store.read(there / "news.db") as store:
        urls = {one.url for one in store.articles.all()}
        assert len(urls) == 15
        labels = store.feedback.resolved(None, store.articles.ids)
        assert [store.articles.get([one.article_id])[0].title for one in labels] == [
            "TikTok videos of a goat are popular"
        ]
        assert dict(store.numbers.copies()) == {"https://echo.example/22": "https://times.example/news/21"}
        assert len(store.numbers.story_of("https://echo.example/22") or ()) == 5


def test_words_taken_back_elsewhere_are_taken_back_here(place: Path) -> None:
    before = out(place, "before.jsonl")
    newsbeat(place, "topic", "label", "tiktok-us-sale", "12", "--forget")
    after = out(place)
    there = elsewhere(place)
    newsbeat(there, "import", before)
    newsbeat(there, "import", after)
    with Store.read(there / "news.db") as store:
        assert store.feedback.labels() == ()


def test_what_is_of_these_days_is_found_by_what_comes_next(place: Path) -> None:
    """Stories go on in the archive that was taken in."""
    now = datetime(2020, 12, 9, 12, tzinfo=UTC)
    there = elsewhere(place)
    with Store.open(there / "news.db") as store:
        desk = ingest.Desk(store, OutletBook(), {}, (), schedule.Pace())
        with out(place).open("rb") as source:
            archive.take_in(enumerate(source, 1), desk, now, lambda _: None)
    more = line(
        60, title="Old cinema becomes a library", text="The old cinema on Weir Street becomes a library.",
        url="https://echo.example/60", outlet="Coast Echo", published_at="2020-12-09T12:00:00Z",
    )  # fmt: skip
    (there / "more.jsonl").write_text(json.dumps(more) + "\n")
    newsbeat(there, "import", there / "more.jsonl")
    with Store.read(there / "news.db") as store:
        assert store.numbers.story_of("https://echo.example/60") == (8, "Old cinema becomes a library", 2, 2, 2)
    assert newsbeat(there, "verify").exit_code == 0


def cut(lines: list[str]) -> None:
    lines[-3] = lines[-3][: len(lines[-3]) // 2]


def newer(lines: list[str]) -> None:
    lines[0] = '{"kind": "newsbeat", "schema": "m9999_telepathy"}'


def unknown_kind(lines: list[str]) -> None:
    lines.append('{"kind": "horoscope"}')


def unknown_column(lines: list[str]) -> None:
    lines[1] = '{"kind": "outlet", "name": "A", "family": "A", "aura": "blue"}'


def missing(lines: list[str]) -> None:
    at = next(number for number, one in enumerate(lines) if '"kind": "article"' in one)
    record = json.loads(lines[at])
    del record["text"]
    lines[at] = json.dumps(record)


def wrong_type(lines: list[str]) -> None:
    at = next(number for number, one in enumerate(lines) if '"kind": "article"' in one)
    lines[at] = lines[at].replace('"first_seen_at": "', '"first_seen_at": null, "title": "', 1)


def no_feed(lines: list[str]) -> None:
    lines[:] = [one for one in lines if '"kind": "feed"' not in one]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut, "not JSON"), (newer, "made by a newer Newsbeat"), (unknown_kind, "'horoscope' is no kind of record"),
        (unknown_column, "has no aura"), (missing, "has no 'text'"), (wrong_type, "does not fit"),
        (no_feed, "which no record names"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_refused_with_its_line_and_nothing_is_kept(
    place: Path, spoil: Callable[[list[str]], None], said: str
) -> None:
    lines = out(place).read_text(encoding="utf-8").splitlines()
    spoil(lines)
    there = elsewhere(place)
    (there / "spoiled.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ran = newsbeat(there, "import", there / "spoiled.jsonl")
    assert ran.exit_code == 2, ran.output
    assert said in ran.stderr
    assert "line " in ran.stderr
    with Store.read(there / "news.db") as store:
        assert list(store.articles.all()) == []
        assert store.feedback.labels() == ()


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
article = st.fixed_dictionaries(
    {"title": words, "text": words, "outlet": st.sampled_from(["A", "B"]), "url": st.integers(0, 5)},
    optional={"summary": words, "authors": st.lists(words, max_size=2), "lang": st.sampled_from(["en", "de"])},
)


@settings(max_examples=8, deadline=None)
@given(st.lists(article, min_size=1, max_size=5), st.lists(article, max_size=3))
def test_any_archive_survives_the_journey(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as name:
        place = configured(Path(name))
        (place / "config" / "topics" / "tiktok-us-sale.toml").unlink()
        for batch in (first, second):
            lines = [{**one, "url": f"https://x.example/{one['url']}", "id": one["url"]} for one in batch]
            (place / "some.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
            newsbeat(place, "import", place / "some.jsonl")
        there = place / "there"
        there.mkdir()
        (place / "config").rename(there / "config")
        for here in (place, there):
            if here == there:
                assert newsbeat(there, "import", place / "whole.jsonl").exit_code == 0
            with Store.read(here / "news.db") as store:
                (here / "whole.jsonl").write_text("".join(archive.lines(store)), encoding="utf-8")
        assert (there / "whole.jsonl").read_bytes() == (place / "whole.jsonl").read_bytes()
        assert newsbeat(there, "verify").exit_code == 0
