"""In and out: lists of feeds as OPML, articles as JSON lines, CSV and Atom."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from fakes import NOW, article, item, response
from hypothesis import given
from hypothesis import strategies as st
from outlets import Outlets

from pipeline import config, export, importing, parse
from pipeline.cli import carrying, main
from pipeline.errors import ParseError
from pipeline.model import Feed, Outlet
from pipeline.parse import jsonl, opml
from pipeline.urls import OutletBook

ROOT = Path(__file__).parents[1]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A configuration without feeds, with the topic that comes with Newsbeat."""
    topic = (ROOT / "config" / "topics" / "tiktok-us-sale.toml").read_text()
    (tmp_path / "config" / "topics").mkdir(parents=True)
    (tmp_path / "config" / "newsbeat.toml").write_text("")
    (tmp_path / "config" / "feeds.toml").write_text("")
    (tmp_path / "config" / "topics" / "tiktok-us-sale.toml").write_text(topic)
    return tmp_path


def newsbeat(place: Path, *words: str | Path, given: bytes | None = None) -> Result:
    """`newsbeat WORDS` in this process."""
    options = ["--config", str(place / "config"), "--db", str(place / "news.db")]
    return CliRunner().invoke(main, [*options, *map(str, words)], input=given)


def feeds_in(place: Path) -> tuple[Feed, ...]:
    return config.load(place / "config").feeds


def lines(place: Path, *values: Any, name: str = "archive.jsonl") -> Path:
    """A file of JSON lines; what is text stands in it as it is."""
    file = place / name
    file.write_text("".join((v if isinstance(v, str) else json.dumps(v)) + "\n" for v in values), encoding="utf-8")
    return file


def rows(place: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(place / "news.db") as db:
        return db.execute(query).fetchall()


def everything(place: Path) -> str:
    """The whole database as text."""
    with sqlite3.connect(place / "news.db") as db:
        return "\n".join(db.iterdump())


def story(number: int, **changes: Any) -> dict[str, Any]:
    """An article as a line holds it."""
    return {
        "id": number,
        "title": f"Council opens bridge number {number}",
        "text": f"Bridge number {number} was opened on Monday after two years of work, the council said.",
        "url": f"https://example.org/news/{number}",
        "published_at": f"2020-12-{number % 28 + 1:02}T10:00:00Z",
        "lang": "en",
        "outlet": "Example Times",
        **changes,
    }


# --- OPML in --------------------------------------------------------------------------------------------------

LIST = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="1.1"><head><title>Mine</title></head><body>
<outline text="World">
  <outline text="Europe"><outline type="rss" text="Caf\xe9 &lt;b&gt;News&lt;/b&gt;" xmlUrl="https://a.example/f?a=1&b=2"/></outline>
  <outline title="B" type="rss" xmlURL=" https://b.example/f " htmlUrl="https://b.example/"/>
</outline>
<outline text="B again" xmlUrl="http://B.example:80/f#x"/>
<outline text="Old" xmlUrl="feed://c.example/f"/>
<outline text="Empty" type="rss"/>
<outline xmlUrl="https://d.example/f"/>
</body></opml>"""


def test_a_list_of_nested_groups_becomes_feeds_under_headings(place: Path) -> None:
    (place / "mine.opml").write_bytes(LIST)
    ran = newsbeat(place, "import", place / "mine.opml")
    assert ran.exit_code == 1, "two outlines are no feeds"
    assert "6 feeds: 3 added" in ran.stdout
    assert "1 there already, 2 bad." in ran.stdout
    assert "mine.opml: line 8: Old: 'feed://c.example/f' is not a web address." in ran.stderr
    assert "mine.opml: line 9: Empty: '' is not a web address." in ran.stderr
    assert [(feed.url, feed.title) for feed in feeds_in(place)] == [
        ("https://a.example/f?a=1&b=2", "Café News"), ("https://b.example/f", "B"), ("https://d.example/f", None)
    ]  # fmt: skip
    text = (place / "config" / "feeds.toml").read_text()
    assert text.index("# ---- World / Europe ----") < text.index("a.example") < text.index("# ---- World ----")


def test_the_second_import_of_a_list_adds_nothing(place: Path) -> None:
    (place / "mine.opml").write_bytes(LIST)
    newsbeat(place, "import", place / "mine.opml")
    before = (place / "config" / "feeds.toml").read_bytes()
    said = json.loads(newsbeat(place, "import", place / "mine.opml", "--json").stdout)
    assert (said["added"], said["known"], said["bad"]) == (0, 4, 2)
    assert (place / "config" / "feeds.toml").read_bytes() == before


def outlines(count: int) -> bytes:
    one = '<outline type="rss" text="Feed {0}" xmlUrl="https://f{0}.example/rss?a=1&amp;b=2"/>'
    return f"<opml><body>{''.join(one.format(n) for n in range(count))}</body></opml>".encode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b'<!DOCTYPE x [<!ENTITY a "b">]><opml/>', "declares the entity 'a'", id="an entity"),
        pytest.param(
            b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><opml><outline text="&b;"/></opml>',
            "entity declarations are refused",
            id="a thousand laughs",
        ),
        pytest.param(
            b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml>&a;</opml>', "refused", id="a local file"
        ),
        pytest.param(b"<opml>" + b'<outline text="a">' * 300, "nested more than 256 deep", id="deep"),
        pytest.param(outlines(5)[:-30], "not well-formed XML", id="cut off"),
        pytest.param(b"<rss version='2.0'/>", "outermost element is <rss>", id="a feed"),
        pytest.param(b"", "not well-formed", id="empty"),
        pytest.param(b"\x00\x01\x02", "not well-formed", id="bytes"),
        pytest.param(b"<?xml version='1.0' encoding='klingon'?><opml/>", "klingon|unknown encoding", id="an encoding"),
        pytest.param(b"<opml>" + b" " * (50 << 20) + b"</opml>", "larger than 20 MiB", id="50 MB"),
    ],
)
def test_a_hostile_list_is_refused_in_words(place: Path, body: bytes, said: str) -> None:
    (place / "x.opml").write_bytes(body)
    began = time.process_time()
    ran = newsbeat(place, "import", place / "x.opml")
    assert ran.exit_code == 2
    assert "x.opml" in ran.stderr
    assert any(words in ran.stderr for words in said.split("|")), ran.stderr
    assert feeds_in(place) == ()
    assert time.process_time() - began < 10


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_lists(body: bytes) -> None:
    for raw in (body, b"<opml>" + body, b'<opml><outline xmlUrl="' + body + b'"/></opml>'):
        with contextlib.suppress(ParseError):
            assert isinstance(opml.read(raw, "x"), tuple)


def test_ten_thousand_feeds_are_taken_in_at_once(place: Path) -> None:
    (place / "big.opml").write_bytes(outlines(10_000))
    ran = newsbeat(place, "import", place / "big.opml")
    assert "10000 feeds: 10000 added" in ran.stdout
    assert (place / "config" / "feeds.toml").read_text().count("[[feed]]\n") == 10_000


def test_a_list_of_too_many_feeds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opml, "MAX_FEEDS", 9)
    with pytest.raises(ParseError, match="more than 9 feeds"):
        opml.read(outlines(10), "x")


# --- articles in ----------------------------------------------------------------------------------------------


def test_articles_are_kept_as_if_a_feed_had_brought_them(place: Path) -> None:
    text = (ROOT / "seeds" / "2020-12-05-tiktok.txt").read_text()
    sale = {"title": "ByteDance gets no more time to sell TikTok", "text": text, "published_at": "2020-12-05T10:00:00Z"}
    file = lines(
        place,
        story(1),
        {"id": "a", **sale, "url": "https://one.example/sale?utm_source=x", "outlet": "One"},
        {"id": "b", **sale, "url": "https://two.example/sale", "outlet": "Two"},
        {"text": "Only a text, without a name."},
    )
    ran = newsbeat(place, "import", file)
    assert ran.exit_code == 0, ran.stderr
    assert "4 lines: 4 new articles, 0 revised, 0 there already, 0 bad." in ran.stdout
    assert rows(place, "SELECT url, first_seen_at, published_at FROM articles WHERE id = 2") == [
        ("https://one.example/sale", "2020-12-05T10:00:00Z", "2020-12-05T10:00:00Z")
    ]
    assert rows(place, "SELECT copy_of FROM articles WHERE id = 3") == [(2,)], "the same text at another outlet"
    assert rows(place, "SELECT count(*) FROM article_topics WHERE on_topic = 1") == [(2,)]
    assert rows(place, "SELECT max(article_count), max(outlet_count) FROM stories") == [(2, 2)]
    assert rows(place, "SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'bytedance'") == [(2,)]
    assert rows(place, "SELECT url, title, state FROM feeds") == [("import:archive.jsonl", "archive.jsonl", "paused")]
    assert [guid for (guid,) in rows(place, "SELECT guid FROM entries ORDER BY rowid")][:3] == ["1", "a", "b"]
    assert rows(place, "SELECT name, domain FROM outlets WHERE name = 'One'") == [("One", "one.example")]


def test_the_second_import_of_a_file_changes_nothing(place: Path) -> None:
    same = story(3, url="https://example.org/news/2")
    file = lines(place, *(story(n) for n in range(210)), story(7), same, {"title": "No name, no date"})
    assert "211 new articles, 0 revised, 0 there already, 2 twice in the file" in newsbeat(place, "import", file).stdout
    before = everything(place)
    assert "0 new articles, 0 revised, 211 there already" in newsbeat(place, "import", file).stdout
    assert everything(place) == before


def test_a_line_worded_anew_is_a_revision_and_one_that_is_another_article_is_refused(place: Path) -> None:
    newsbeat(place, "import", lines(place, story(1), story(2), story(3)))
    other = story(2, url="https://elsewhere.example/2", title="Another matter")
    ran = newsbeat(place, "import", lines(place, story(1, title="Council shuts the bridge again"), other, story(3)))
    assert ran.exit_code == 1
    assert "0 new articles, 1 revised, 1 there already, 1 bad" in ran.stdout
    assert "line 2: the id '2' was https://example.org/news/2 in an earlier archive.jsonl. Rename" in ran.stderr
    assert rows(place, "SELECT title, revision_count FROM articles ORDER BY id") == [
        ("Council shuts the bridge again", 2), (story(2)["title"], 1), (story(3)["title"], 1)
    ]  # fmt: skip


def test_an_article_that_a_feed_brought_gets_one_more_name(place: Path) -> None:
    with Outlets() as outlets:
        outlets.configure(place / "config", "/a")
        outlets.bodies["/a"] = (
            b"<rss><channel><item><title>Council opens bridge number 1</title>"
            b"<link>https://example.org/news/1?utm_source=rss</link></item></channel></rss>"
        )
        assert newsbeat(place, "once").exit_code == 0
        assert (
            "1 new articles, 0 revised, 1 there already"
            in newsbeat(place, "import", lines(place, story(1), story(2))).stdout
        )
    assert rows(place, "SELECT article_id, count(*) FROM entries GROUP BY article_id") == [(1, 2), (2, 1)]
    assert rows(place, "SELECT state FROM feeds ORDER BY id") == [("ok",), ("paused",)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"id": 1}', 'give at least one of "title", "text" and "url"'),
        ('{"id": 1, "summary": "only this"}', "at least one"),
        ('{"title": 7}', '"title" is not text'),
        ('{"title": "a", "id": []}', '"id" is neither text nor a number'),
        ('{"title": "a", "id": true}', '"id" is neither'),
        ('{"title": "a", "url": "nowhere"}', "\"url\" is no web address: 'nowhere'"),
        ('{"title": "a", "url": "javascript:alert(1)"}', "no web address"),
        ('{"title": "a", "published_at": "yesterday"}', "is no date: 'yesterday'. Write it like 2020-12-05"),
        ('{"title": "a", "published_at": "0001-01-01"}', "is no date"),
        ('{"title": "a", "published_at": 99999999999999}', "is no date"),
        ('{"title": "a", "authors": [1]}', '"authors" is not a list of names'),
        ("[" * 100_000, "not JSON"),
        ('{"title": ' + "9" * 6000 + "}", "not JSON"),
        ('{"title": "' + "x" * jsonl.MAX_LINE + '"}', "longer than 8 MiB"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_line_that_holds_no_article_is_refused_in_words(line: str, why: str) -> None:
    with pytest.raises(ParseError) as caught:
        jsonl.read(line.encode(), "import:x")
    assert why in caught.value.why
    assert len(caught.value.why) < 200


def test_a_bad_line_is_told_and_costs_only_itself(place: Path) -> None:
    ran = newsbeat(place, "import", lines(place, story(1), "{", "", story(2), "x" * (jsonl.MAX_LINE + 9), {"id": 3}))
    assert ran.exit_code == 1
    told = ran.stderr.splitlines()
    assert [line.split(": ", 2)[1] for line in told] == ["line 2", "line 5", "line 6"]
    assert told[0].startswith(f"{place}/archive.jsonl: line 2: not JSON: Expecting property name")
    assert "5 lines: 2 new articles, 0 revised, 0 there already, 3 bad." in ran.stdout
    assert rows(place, "SELECT count(*) FROM articles") == [(2,)]


def test_bytes_that_are_no_text_are_a_bad_line(place: Path) -> None:
    (place / "x.jsonl").write_bytes(b'{"title": "\xff"}\n{"title": "\\ud800 half a pair"}\n')
    ran = newsbeat(place, "import", place / "x.jsonl")
    assert "line 1: not UTF-8" in ran.stderr
    assert rows(place, "SELECT count(*) FROM articles") == [(1,)]


def test_many_bad_lines_are_counted_and_the_first_told(place: Path) -> None:
    said = json.loads(newsbeat(place, "import", lines(place, *["{"] * 500), "--json").stdout)
    assert said["bad"] == 500
    assert len(said["findings"]) == importing.MAX_TOLD
    assert newsbeat(place, "import", place / "archive.jsonl").stderr.endswith("and 300 more\n")


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ({"published_at": "2020-12-05T12:00:00+02:00"}, "2020-12-05T10:00:00Z"),
        ({"published_at": "2020-12-05"}, "2020-12-05T00:00:00Z"),
        ({"published_at": "Sat, 05 Dec 2020 10:00:00 GMT"}, "2020-12-05T10:00:00Z"),
        ({"first_seen_at": "2020-12-06T10:00:00Z"}, "2020-12-06T10:00:00Z"),
        ({"published_at": "9999-01-01T00:00:00Z"}, "2026-03-02T09:00:00Z"),
        ({}, "2026-03-02T09:00:00Z"),
    ],
)
def test_an_article_is_first_seen_when_it_came_out(
    place: Path, said: dict[str, str], seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying.service, "clock", lambda: NOW)
    newsbeat(place, "import", lines(place, {"title": "A bridge", **said}))
    assert rows(place, "SELECT first_seen_at FROM articles") == [(seen,)]


@pytest.mark.parametrize(
    ("said", "outlet"),
    [
        ({"outlet": "Daily <b>Bread</b>"}, "Daily Bread"),
        ({"url": "https://news.example.org/1"}, "Example Times"),
        ({"url": "https://www.other.example/1"}, "other.example"),
        ({}, "archive.jsonl"),
    ],
)
def test_an_outlet_is_found_for_every_article(place: Path, said: dict[str, str], outlet: str) -> None:
    (place / "config" / "outlets.toml").write_text('[[outlet]]\nname = "Example Times"\ndomains = ["example.org"]\n')
    newsbeat(place, "import", lines(place, {"title": "A bridge", **said}))
    assert rows(place, "SELECT o.name FROM articles a JOIN outlets o ON o.id = a.outlet_id") == [(outlet,)]


def test_a_file_is_known_by_its_name_else_by_its_first_sign(place: Path) -> None:
    assert newsbeat(place, "import", "-", given=outlines(2)).exit_code == 0
    assert len(feeds_in(place)) == 2
    assert newsbeat(place, "import", "-", given=json.dumps(story(1)).encode()).exit_code == 0
    assert rows(place, "SELECT url FROM feeds WHERE state = 'paused'") == [("import:stdin",)]
    assert "cannot be read" in newsbeat(place, "import", place / "none.jsonl").stderr
    assert newsbeat(place, "import", place).exit_code == 2


def test_progress_is_told_once_it_takes_long(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "QUIET", 0.0)
    ran = newsbeat(place, "import", lines(place, *(story(n) for n in range(150))))
    assert "100 lines read, 100 new articles" in ran.stderr
    (place / "x.opml").write_bytes(outlines(2))
    assert "2 of 2 feeds looked at" in newsbeat(place, "import", place / "x.opml").stderr


def test_a_topic_that_changed_is_judged_anew_before_the_import(place: Path) -> None:
    newsbeat(place, "import", lines(place, story(1, title="ByteDance nears deal to sell TikTok in the US")))
    path = place / "config" / "topics" / "tiktok-us-sale.toml"
    path.write_text(re.sub(r"(?m)^threshold = .*$", "threshold = 0.99", path.read_text()))
    newsbeat(place, "import", lines(place, story(2), name="more.jsonl"))
    assert rows(place, "SELECT count(*) FROM article_topics WHERE on_topic = 1") == [(0,)]


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=9) | st.floats(), st.lists, max_leaves=4))
def test_no_value_breaks_the_reader_of_lines(value: Any) -> None:
    for key in ("id", "title", "text", "url", "published_at", "outlet", "authors", "lang", "first_seen_at"):
        with contextlib.suppress(ParseError):
            line = jsonl.read(json.dumps({"title": "x", key: value}).encode(), "import:x")
            assert line.entry.guid
            assert line.seen_at is None or line.seen_at.tzinfo is UTC


# --- out ------------------------------------------------------------------------------------------------------

KEPT = (replace(article("bridge"), id=7, title='=SUM(1) & "two"\x0b', authors=("Ada", "Bo")), 3, ("energy", "oil"))


def test_json_lines_hold_every_key_and_come_one_by_one() -> None:
    def endless() -> Iterable[export.Kept]:
        while True:
            yield KEPT

    said = json.loads(next(iter(export.jsonl(endless()))))
    assert tuple(said) == export.KEYS
    assert (said["id"], said["copy_of"], said["topics"], said["authors"]) == (7, 3, ["energy", "oil"], ["Ada", "Bo"])
    assert said["published_at"] == "2026-03-02T08:00:00Z"
    assert next(iter(export.table(endless()))).startswith("id,title,summary")


def test_a_table_holds_no_formula() -> None:
    read = list(csv.DictReader(io.StringIO("".join(export.table([KEPT])), newline="")))
    assert read[0]["title"].startswith("'=SUM(1)")
    assert read[0]["topics"] == "energy; oil"
    assert list(csv.reader(io.StringIO("".join(export.table([]))))) == [list(export.KEYS)]


def test_atom_is_read_by_our_own_reader() -> None:
    document = export.atom([KEPT, (replace(article("x"), url="urn:newsbeat:1", title=None), None, ())], "A & B", "")
    parsed = parse.feed(response(document))
    assert parsed.flaw is None
    assert parsed.title == "A &amp; B" or parsed.title == "A & B"
    assert [entry.url for entry in parsed.entries] == ["https://example.org/news/bridge", None]
    assert ET.fromstring(document).findtext(f"{ATOM}updated") == "2026-03-02T08:00:00Z"
    assert document == export.atom(
        [KEPT, (replace(article("x"), url="urn:newsbeat:1", title=None), None, ())], "A & B", ""
    )
    assert ET.fromstring(export.atom([], "A", "")).findall(f"{ATOM}entry") == []


def test_a_feed_goes_out_under_the_name_it_gives_itself(place: Path) -> None:
    with Outlets() as outlets:
        outlets.configure(place / "config", "/a")
        outlets.publish("/a", item("bridge"))
        assert 'text="127.0.0.1" title' in newsbeat(place, "export", "--format", "opml").stdout
        newsbeat(place, "once")
    assert 'text="Example Times: World" title' in newsbeat(place, "export", "--format", "opml").stdout


def test_feeds_are_grouped_by_family_and_come_back_as_they_went() -> None:
    outlets = OutletBook([Outlet("A", ("a.example",), "Group"), Outlet("B", ("b.example",), "Group")])
    feeds = [
        Feed("https://a.example/f?x=1&y=2", title='"World" <1>'), Feed("https://c.example/f"), Feed("https://b.example/f")
    ]  # fmt: skip
    document = "".join(export.opml(feeds, outlets, "Mine"))
    assert [(one.url, one.title, one.group) for one in opml.read(document.encode(), "x")] == [
        ("https://a.example/f?x=1&y=2", '"World" <1>', "Group"),
        ("https://b.example/f", "B", "Group"),
        ("https://c.example/f", "c.example", "c.example"),
    ]


@pytest.fixture
def archive(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with 130 imported articles, one of them on topic, read out in several batches."""
    monkeypatch.setattr("pipeline.store.archive.BATCH", 50)
    sale = story(0, title="ByteDance nears deal to sell TikTok in the US", published_at="2021-01-01T00:00:00Z")
    newsbeat(place, "import", lines(place, sale, *(story(n) for n in range(1, 130))))
    return place


def test_an_export_imported_elsewhere_is_the_same_archive(archive: Path) -> None:
    ran = newsbeat(archive, "export", "--format", "jsonl", "-o", archive / "out.jsonl")
    assert ran.exit_code == 0, ran.stderr
    there = archive / "there"
    there.mkdir()
    (archive / "config").rename(there / "config")
    assert "130 new articles" in newsbeat(there, "import", archive / "out.jsonl").stdout
    query = (
        "SELECT a.id, url, title, summary, text, text_from, lang, authors, published_at, first_seen_at, text_hash"
        " FROM articles a JOIN article_texts t ON t.article_id = a.id ORDER BY a.id"
    )
    assert rows(there, query) == rows(archive, query)
    (there / "config").rename(archive / "config")
    assert "0 new articles, 0 revised, 130 there" in newsbeat(archive, "import", archive / "out.jsonl").stdout


def test_an_export_is_narrowed_by_topic_and_by_day(archive: Path) -> None:
    def count(*words: str) -> int:
        return len(newsbeat(archive, "export", "--format", "jsonl", *words).stdout.splitlines())

    assert count() == 130
    assert count("--topic", "tiktok-us-sale") == 1
    assert count("--since", "2021-01-01") == 1
    assert count("--since", "2021-01-01T00:00:01Z") == 0
    atom = ET.fromstring(newsbeat(archive, "export", "--format", "atom").stdout)
    assert len(atom.findall(f"{ATOM}entry")) == 100
    assert atom.findtext(f"{ATOM}entry/{ATOM}title") == "ByteDance nears deal to sell TikTok in the US"
    one = ET.fromstring(newsbeat(archive, "export", "--format", "atom", "--topic", "tiktok-us-sale").stdout)
    assert one.findtext(f"{ATOM}title") == "TikTok's US sale – Newsbeat"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "jsonl", "--topic", "nope"], "no topic 'nope'"),
        (["--format", "opml", "--topic", "tiktok-us-sale"], "OPML holds feeds"),
        (["--format", "jsonl", "--since", "soon"], "does not match"),
        (["--format", "pdf"], "is not one of"),
        (["--format", "opml", "-o", "/none/x.opml"], "cannot be written"),
    ],
)
def test_an_export_asked_wrongly_gets_words(place: Path, words: list[str], said: str) -> None:
    newsbeat(place, "import", lines(place, story(1)))
    ran = newsbeat(place, "export", *words)
    assert ran.exit_code == 2
    assert said in ran.stderr


def test_an_export_that_breaks_off_leaves_the_old_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Iterable[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    (place / "out.csv").write_text("old")
    newsbeat(place, "import", lines(place, story(1)))
    monkeypatch.setattr(export, "table", full)
    ran = newsbeat(place, "export", "--format", "csv", "-o", place / "out.csv")
    assert ran.exit_code == 1
    assert "No space left" in ran.stderr
    assert (place / "out.csv").read_text() == "old"
    assert not list(place.glob(".out*"))


def test_an_import_waits_for_nobody_and_says_who_holds_the_database(place: Path) -> None:
    file = lines(place, story(1))
    newsbeat(place, "import", file)
    from pipeline.store import Store

    with Store.open(place / "news.db", what="newsbeat run"):
        ran = newsbeat(place, "import", file)
    assert ran.exit_code == 1
    assert "in use by newsbeat run" in ran.stderr


def test_the_commands_work_as_a_process_and_through_a_pipe(place: Path) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "--config", str(place / "config"), "--db", str(place / "n.db")]
    given = json.dumps(story(1)) + "\n{\n"
    ran = subprocess.run([*command, "import", "-"], cwd=ROOT, input=given, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "-: 2 lines: 1 new articles, 0 revised, 0 there already, 1 bad.\n")
    out = subprocess.run([*command, "export", "--format", "csv"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert out.returncode == 0
    assert out.stdout.splitlines()[1].startswith("1,Council opens bridge number 1,")


def test_stamps_before_our_time_are_kept(place: Path) -> None:
    newsbeat(place, "import", lines(place, story(1, published_at="1912-04-15T02:20:00Z")))
    assert rows(place, "SELECT published_at, first_seen_at FROM articles") == [("1912-04-15T02:20:00Z",) * 2]
