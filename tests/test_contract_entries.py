"""The fetch contract through the real service, sections 8 and 9: from a body to entries, and who an entry is.

A test is named after its case in the contract. It asserts on the rows: feeds, entries, articles, revisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from contract import BRIDGE, DAY, HOUR, TUNNEL, Item, Room, feed_answer, not_modified, redirect, room
from fakes import NOW, answer, item, rss

from pipeline.times import stamp

TITLE = BRIDGE.title or ""
LINK = BRIDGE.url or ""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        yield made


# --- 8 body to entries ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "media_type",
    ["application/rss+xml", "text/html", "text/plain", "application/json", "application/octet-stream", "", "garbage"],
)
def test_ctype_is_a_hint_only(media_type: str, desk: Room) -> None:
    desk.asks(feed_answer(Content_Type=media_type))
    assert desk.titles() == [TITLE]


def declared(encoding: str, title: str) -> str:
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>T</title>'
        f"<item><guid>1</guid><title>{title}</title></item></channel></rss>"
    )


CAFE = "Café opens – at last"
CHARSETS = {
    "cs-bom-over-param": ("\ufeff" + declared("iso-8859-1", CAFE)).encode(),
    "cs-utf16": declared("utf-16", CAFE).encode("utf-16"),
    "cs-declared": declared("windows-1252", CAFE).encode("cp1252"),
    "cs-none": declared("utf-8", CAFE).replace(' encoding="utf-8"', "").encode(),
    "cs-fallback-1252": declared("utf-8", CAFE).replace(' encoding="utf-8"', "").encode("cp1252"),
}
PARAMETERS = {
    "cs-bom-over-param": "text/xml; charset=iso-8859-1",
    "cs-param-over-declaration": "text/xml; charset=windows-1252",
}


@pytest.mark.parametrize("name", [*CHARSETS, "cs-param-over-declaration"])
def test_cs_encoding_is_found(name: str, desk: Room) -> None:
    body = CHARSETS.get(name, declared("utf-8", CAFE).encode("cp1252"))
    desk.asks(feed_answer(body, Content_Type=PARAMETERS.get(name, "application/rss+xml")))
    assert desk.titles() == [CAFE]


def test_cs_what_cannot_be_decoded_is_replaced_and_the_entry_stays(desk: Room) -> None:
    desk.asks(
        feed_answer(declared("utf-8", "Opens \x81 now").encode("latin-1"), Content_Type="text/xml; charset=utf-8")
    )
    (title,) = desk.titles()
    assert (title or "").startswith("Opens ")
    assert desk.count("entries") == 1


def broken(inside: bytes) -> bytes:
    return rss(item("bridge", title="@"), TUNNEL).replace(b"<title>@", b"<title>" + inside)


ILL_FORMED = {
    "xml-leading-space": (b"\n\n  " + rss(item("bridge", title="Q"), TUNNEL), "Q", True),
    "xml-control": (broken(b"A\x0bB"), "A", True),
    "xml-undefined-entity": (broken(b"A &nbsp;&unknown; B"), "A", True),
    "xml-ampersand": (broken(b"Smith & Sons"), "Smith & Sons", True),
    "xml-no-declaration": (broken(b"plain").partition(b"?>")[2], "plain", False),
    "xml-cut": (rss(item("bridge", title="first"), TUNNEL)[:-60], "first", True),
}


@pytest.mark.parametrize(("body", "begins", "flagged"), ILL_FORMED.values(), ids=ILL_FORMED)
def test_xml_that_is_ill_formed_is_salvaged_and_flagged(body: bytes, begins: str, flagged: bool, desk: Room) -> None:
    """`xml-*`"""
    (outcome,) = desk.asks(feed_answer(body))
    assert outcome.outcome == "ok"
    assert (desk.titles()[0] or "").startswith(begins)
    assert bool(desk.feed("last_error")) == flagged
    assert desk.feed("failures, state") == (0, "ok")


@pytest.mark.parametrize("later", [feed_answer(broken(b"A & B")), not_modified()], ids=["the same body", "304"])
def test_flag_stays_for_as_long_as_the_flawed_document_does(later: bytes, desk: Room) -> None:
    desk.asks(feed_answer(broken(b"A & B")))
    said, since = desk.feed("last_error, last_error_at")
    assert "not well-formed" in said
    desk.asks(later)
    assert desk.feed("last_error, last_error_at, failures, state") == (said, since, 0, "ok")
    desk.asks(answer(b"", "500 No"), later)
    assert desk.feed("last_error") == said
    desk.asks(feed_answer())
    assert desk.feed("last_error, flaw") == (None, None)


@pytest.mark.parametrize("keep", [-1, -40, -200])
@pytest.mark.parametrize("coded", [False, True], ids=["plain", "gzip"])
def test_truncated_answer_stores_nothing(keep: int, coded: bool, desk: Room) -> None:
    """`truncated-length`, `truncated-gzip`"""
    import gzip

    body = rss(BRIDGE, TUNNEL)
    raw = gzip.compress(body)[: keep // 4] if coded else body[:keep]
    length = {} if coded else {"Content_Length": str(len(body))}
    coding = {"Content_Encoding": "gzip"} if coded else {}
    desk.asks(feed_answer(raw, ETag='"cut"', **length, **coding))
    assert desk.feed("error_kind, etag") == ("truncated", None)
    assert desk.count("articles") == 0
    desk.asks(feed_answer(body))
    assert desk.count("articles") == 2


ATOM = (
    f'<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>f</id><entry><id>1</id><title>{TITLE}</title>'
    f'<link href="{LINK}"/><updated>2026-03-02T08:00:00Z</updated></entry></feed>'
)
RSS1 = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="c"><title>T</title></channel>'
    f'<item rdf:about="{LINK}"><title>{TITLE}</title><link>{LINK}</link><dc:date>2026-03-02T08:00:00Z</dc:date></item>'
    "</rdf:RDF>"
)
RSS091 = f'<rss version="0.91"><channel><title>T</title><item><title>{TITLE}</title><link>{LINK}</link></item>'
RSS091 += "</channel></rss>"
JSON = (
    '{"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [{"id": "1", '
    f'"url": "{LINK}", "title": "{TITLE}", "content_text": "x", "date_published": "2026-03-02T08:00:00Z"}}]}}'
)
FORMATS = {
    "fmt-rss20": rss(BRIDGE), "fmt-rss091": RSS091.encode(), "fmt-rss10": RSS1.encode(), "fmt-atom": ATOM.encode(),
    "fmt-json": JSON.encode(),
}  # fmt: skip


@pytest.mark.parametrize("body", FORMATS.values(), ids=FORMATS)
def test_fmt_of_every_kind_gives_the_article(body: bytes, desk: Room) -> None:
    desk.asks(feed_answer(body))
    assert desk.one("SELECT title, url FROM articles") == (TITLE, LINK)


def based(base: str, link: str) -> bytes:
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" {base}><title>T</title><id>f</id><entry><id>1</id>'
        f'<title>{TITLE}</title><link href="{link}"/></entry></feed>'
    ).encode()


LINKS = {
    "link-relative": (based("", "news/1"), "{here}/deep/news/1"),
    "link-root": (based("", "/news/1"), "{here}/news/1"),
    "link-xml-base": (based('xml:base="https://example.org/sub/"', "news/1"), "https://example.org/sub/news/1"),
    "link-scheme": (based("", "//example.org/1"), "http://example.org/1"),
}


@pytest.mark.parametrize(("body", "url"), LINKS.values(), ids=LINKS)
def test_link_is_absolute_by_xml_base_else_by_where_redirects_ended(body: bytes, url: str, desk: Room) -> None:
    desk.says(feed_answer(body), "/deep/feed")
    desk.asks(redirect("/deep/feed"))
    assert desk.one("SELECT url FROM articles") == (url.format(here=desk.server.url("")),)


# --- 9 entry identity -----------------------------------------------------------------------------------------


def test_id_case_counts(desk: Room) -> None:
    desk.asks(feed_answer(rss(item("a", guid="Story-A"), item("b", guid="story-a"))))
    assert desk.count("entries") == desk.count("articles") == 2


def test_id_collide_in_two_feeds_are_two_entries(tmp_path: Path) -> None:
    with room(tmp_path, "/a", "/b") as desk:
        for target, name in (("/a", "bridge"), ("/b", "tunnel")):
            desk.says(feed_answer(rss(item(name, guid="1"))), target)
        desk.poll()
        # both are asked at once, so either may be stored first
        assert desk.rows("SELECT guid, article_id FROM entries ORDER BY article_id") == [("1", 1), ("1", 2)]
        assert desk.rows("SELECT count(DISTINCT feed_id), count(DISTINCT article_id) FROM entries") == [(2, 2)]


POOR = {
    "id-none": [item("a", guid=None), item("b", guid=None)],
    "id-bare": [item("a", guid=None, url=None), item("b", guid=None, url=None)],
    "id-bare no date": [item(name, guid=None, url=None, published_at=None) for name in "ab"],
    "id-dup": [item("a", guid="1"), item("b", guid="1")],
    "id-dup everything": [item("a", guid="1", url=LINK, title="T"), item("b", guid="1", url=LINK + "2", title="T")],
}


@pytest.mark.parametrize("items", POOR.values(), ids=POOR)
def test_id_that_is_missing_or_repeated_keeps_every_entry_once(items: list[Item], desk: Room) -> None:
    """`id-none`, `id-bare`, `id-dup`"""
    news = [
        outcome.new for outcome in desk.asks(*[feed_answer(rss(*items, extra=f"<ttl>{n}</ttl>")) for n in (1, 2, 3)])
    ]
    assert news == [2, 0, 0]
    assert desk.count("entries") == desk.count("articles") == desk.count("revisions") == 2


def churned(n: int) -> list[Item]:
    return [replace(BRIDGE, guid=f"{n}-a"), replace(TUNNEL, guid=f"{n}-b")]


def test_id_churn_replaces_the_guid_and_keeps_the_entry(desk: Room) -> None:
    began = stamp(desk.now)
    news = [outcome.new for outcome in desk.asks(*[feed_answer(rss(*churned(n))) for n in range(3)])]
    assert news == [2, 0, 0]
    assert desk.rows("SELECT guid, article_id, first_seen_at FROM entries ORDER BY guid") == [
        ("2-a", 1, began), ("2-b", 2, began),
    ]  # fmt: skip
    assert desk.count("articles") == desk.count("revisions") == 2


def test_id_churn_with_the_old_guid_still_listed_is_an_alias(desk: Room) -> None:
    desk.asks(feed_answer(rss(BRIDGE)), feed_answer(rss(BRIDGE, replace(BRIDGE, guid="other"))))
    assert desk.count("entries") == 2
    assert desk.count("articles") == 1


def tokened(n: int, **changes: object) -> Item:
    return replace(BRIDGE, guid=None, url=f"{LINK}?ticket=t{n}", **changes)  # type: ignore[arg-type]


def test_id_token_in_a_link_without_guid_is_the_same_entry(desk: Room) -> None:
    news = [outcome.new for outcome in desk.asks(*[feed_answer(rss(tokened(n), TUNNEL)) for n in range(4)])]
    assert news == [2, 0, 0, 0]
    assert desk.count("articles") == desk.count("entries") == desk.count("revisions") == 2
    (guid,) = desk.one("SELECT guid FROM entries WHERE article_id = 1")
    assert guid.endswith("t3")


@pytest.mark.parametrize(
    "later",
    [
        pytest.param([tokened(2, title="Council closes the bridge")], id="another title"),
        pytest.param([tokened(2, published_at=NOW)], id="another date"),
        pytest.param([replace(tokened(2), guid="own")], id="a guid of its own"),
        pytest.param([tokened(1), tokened(2)], id="the old one is still there"),
        pytest.param([replace(tokened(2), url="https://example.net/x")], id="another host"),
    ],
)
def test_id_token_is_never_guessed(later: list[Item], desk: Room) -> None:
    desk.asks(feed_answer(rss(tokened(1))), feed_answer(rss(*later)))
    assert desk.count("articles") == 2


def test_entry_edited_is_a_revision_in_place(desk: Room) -> None:
    edited = replace(BRIDGE, title="Council closes the bridge")
    began = stamp(desk.now)
    outcomes = desk.asks(feed_answer(rss(BRIDGE)), feed_answer(rss(edited)))
    assert [(outcome.new, outcome.revised) for outcome in outcomes] == [(1, 0), (0, 1)]
    assert desk.one("SELECT title, first_seen_at, revision_count FROM articles") == (edited.title, began, 2)
    assert desk.rows("SELECT n, title, kind FROM revisions ORDER BY n") == [
        (1, TITLE, "first"), (2, edited.title, "headline"),
    ]  # fmt: skip


def dated(words: str) -> bytes:
    return rss(replace(BRIDGE, published_at=None)).replace(b"</item>", f"<pubDate>{words}</pubDate></item>".encode())


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss(replace(BRIDGE, published_at=None)), id="entry-nodate"),
        pytest.param(dated("last Tuesday, about noon"), id="entry-baddate"),
        pytest.param(rss(replace(BRIDGE, published_at=NOW + 3 * DAY)), id="entry-future"),
    ],
)
def test_entry_without_a_credible_date_has_none_and_is_never_new_again(body: bytes, desk: Room) -> None:
    """`entry-nodate`, `entry-baddate`, `entry-future`"""
    began = stamp(desk.now)
    news = [outcome.new for outcome in desk.asks(*[feed_answer(body + b"\n" * n) for n in range(3)])]
    assert news == [1, 0, 0]
    assert desk.one("SELECT published_at, first_seen_at FROM articles") == (None, began)
    assert desk.count("revisions") == 1


def test_entry_notitle_is_stored_without_one(desk: Room) -> None:
    desk.asks(feed_answer(rss(replace(BRIDGE, title=None))))
    title, summary = desk.one("SELECT title, summary FROM articles")
    assert title is None
    assert summary == BRIDGE.summary


def test_poll_is_one_transaction(desk: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """I9: entries, validators and due time are kept together or not at all."""
    desk.asks(feed_answer(ETag='"1"'))

    def dies(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(desk.running.store.polls.__class__, "keep", dies)
        desk.says(feed_answer(rss(BRIDGE, TUNNEL), ETag='"2"'))
        desk.now += 2 * HOUR
        with pytest.raises(ZeroDivisionError):
            desk.poll()
    assert desk.feed("etag") == '"1"'
    assert (desk.count("articles"), desk.count("polls")) == (1, 1)
    desk.poll(timedelta(seconds=1))
    assert (desk.feed("etag"), desk.count("articles")) == ('"2"', 2)
    assert answer(b"")
