"""One answer to a ParsedFeed, in every format and every state of disrepair. All outlets and words are invented.

Expectations stand beside their input. Names follow the fetch contract where it has a rule.
"""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import FEED, response
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import parse
from pipeline.errors import ParseError
from pipeline.model import Entry, ParsedFeed
from pipeline.parse import entry as limits
from pipeline.urls import canonical

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
PROLOGUE = '<?xml version="1.0"?>'


def read(body: str | bytes, content_type: str | None = None, url: str = FEED) -> ParsedFeed:
    return parse.feed(response(body, url=url, headers={"content-type": content_type} if content_type else {}))


def only(body: str | bytes, **given_: Any) -> Entry:
    [one] = read(body, **given_).entries
    return one


def parsed_or_refused(body: bytes, content_type: str | None = None) -> ParsedFeed | None:
    """The two things that may come out; anything else that is raised fails the test."""
    try:
        return read(body, content_type)
    except ParseError:
        return None


def why(body: str | bytes, content_type: str | None = None) -> str:
    with pytest.raises(ParseError) as caught:
        read(body, content_type)
    return caught.value.why


def item(inner: str = "", *, guid: str | None = "b1", link: str | None = "https://example.org/b1") -> str:
    """One RSS item: what is not given is there, what is `None` is not."""
    guid_ = f'<guid isPermaLink="false">{guid}</guid>' if guid else ""
    return f"<item>{guid_}{f'<link>{link}</link>' if link else ''}{inner}</item>"


BRIDGE = item("<title>Council opens the bridge</title><description>After two years.</description>")
HARBOUR = item("<title>Harbour floods</title>", guid="h1", link="https://example.org/h1")


def rss(items: str = BRIDGE, channel: str = "", prologue: str = PROLOGUE, attributes: str = "") -> str:
    return (
        f'{prologue}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        f' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" {attributes}>'
        f"<channel><title>Example Times</title><link>https://example.org/</link>{channel}{items}</channel></rss>"
    )


def atom(entries: str, attributes: str = "", head: str = "") -> str:
    return (
        f'{PROLOGUE}<feed xmlns="http://www.w3.org/2005/Atom" {attributes}><title>Example Times</title>'
        f"<id>tag:example.org,2026:feed</id><updated>2026-03-02T08:30:00Z</updated>{head}{entries}</feed>"
    )


def jsonfeed(*items: object, **head: object) -> str:
    version = "https://jsonfeed.org/version/1.1"
    return json.dumps({"version": version, "title": "Example Times", "items": list(items), **head})


def sitemap(*pages: str, prologue: str = PROLOGUE) -> str:
    return (
        f'{prologue}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
        ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">' + "".join(pages) + "</urlset>"
    )


def page(
    link: str = "https://example.org/b1",
    title: str = "Council opens the bridge",
    date: str = "2026-03-02T09:30:00+01:00",
) -> str:
    return (
        f"<url><loc>{link}</loc><news:news><news:publication><news:name>Example Times</news:name>"
        f"<news:language>en</news:language></news:publication><news:publication_date>{date}</news:publication_date>"
        f"<news:title>{title}</news:title></news:news></url>"
    )


# --- formats --------------------------------------------------------------------------------------------------

RSS_091 = (
    '<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"'
    ' "http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><title>Example Times</title>'
    "<item><title>Council opens the bridge</title><link>https://example.org/b1</link>"
    "<description>After two years.</description></item></channel></rss>"
)
RSS_20 = rss(
    item(
        "<title>Council opens the bridge</title><description>After two years.</description><dc:creator>Ada Fisher"
        "</dc:creator><pubDate>Mon, 02 Mar 2026 09:30:00 +0100</pubDate>"
        "<content:encoded><![CDATA[<p>After two years of work.</p>]]></content:encoded>"
    )
)
RSS_10 = (
    '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<channel rdf:about="https://example.org/"><title>Example Times</title><link>https://example.org/</link>'
    '<items><rdf:Seq><rdf:li resource="https://example.org/b1"/></rdf:Seq></items></channel>'
    '<item rdf:about="https://example.org/b1"><title>Council opens the bridge</title><link>https://example.org/b1</link>'
    "<description>After two years.</description><dc:creator>Ada Fisher</dc:creator>"
    "<dc:date>2026-03-02T09:30:00+01:00</dc:date></item></rdf:RDF>"
)
ATOM_03 = (
    '<?xml version="1.0"?><feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Example Times</title>'
    "<entry><id>b1</id><title>Council opens the bridge</title>"
    '<link rel="alternate" type="text/html" href="https://example.org/b1"/><summary>After two years.</summary>'
    "<author><name>Ada Fisher</name></author><issued>2026-03-02T08:30:00Z</issued></entry></feed>"
)
ATOM_10 = atom(
    "<entry><id>tag:example.org,2026:b1</id><title>Council opens the bridge</title>"
    '<link rel="self" href="https://example.org/b1.atom"/><link href="https://example.org/b1"/>'
    '<summary>After two years.</summary><content type="html">&lt;p&gt;After two years of work.&lt;/p&gt;</content>'
    "<author><name>Ada Fisher</name></author><published>2026-03-02T08:30:00Z</published>"
    "<updated>2026-03-02T12:00:00Z</updated></entry>"
)
JSON_11 = jsonfeed(
    {
        "id": "b1",
        "url": "https://example.org/b1",
        "title": "Council opens the bridge",
        "summary": "After two years.",
        "content_html": "<p>After two years of work.</p>",
        "date_published": "2026-03-02T09:30:00+01:00",
        "authors": [{"name": "Ada Fisher"}],
    }
)
JSON_10 = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1",
        "title": "Example Times",
        "items": [
            {
                "id": 7,
                "url": "https://example.org/b1",
                "title": "Council opens the bridge",
                "content_text": "5 < 6 & so on",
                "author": {"name": "Ada Fisher"},
                "date_modified": "2026-03-02T08:30:00Z",
            }
        ],
    }
)


@pytest.mark.parametrize(
    ("body", "guid", "summary", "content", "authors", "published_at"),
    [
        pytest.param(RSS_091, "https://example.org/b1", "After two years.", None, (), None, id="RSS 0.91"),
        pytest.param(
            RSS_20, "b1", "After two years.", "<p>After two years of work.</p>", ("Ada Fisher",), AT, id="RSS 2.0"
        ),
        pytest.param(RSS_10, "https://example.org/b1", "After two years.", None, ("Ada Fisher",), AT, id="RSS 1.0"),
        pytest.param(ATOM_03, "b1", "After two years.", None, ("Ada Fisher",), AT, id="Atom 0.3"),
        pytest.param(
            ATOM_10,
            "tag:example.org,2026:b1",
            "After two years.",
            "<p>After two years of work.</p>",
            ("Ada Fisher",),
            AT,
            id="Atom 1.0",
        ),
        pytest.param(
            JSON_11,
            "b1",
            "After two years.",
            "<p>After two years of work.</p>",
            ("Ada Fisher",),
            AT,
            id="JSON Feed 1.1",
        ),
        pytest.param(JSON_10, "7", None, "5 &lt; 6 &amp; so on", ("Ada Fisher",), AT, id="JSON Feed 1.0"),
        pytest.param(sitemap(page()), "https://example.org/b1", None, None, (), AT, id="news sitemap"),
    ],
)
def test_b5_every_format_gives_the_same_article(
    body: str,
    guid: str,
    summary: str | None,
    content: str | None,
    authors: tuple[str, ...],
    published_at: datetime | None,
) -> None:
    parsed = read(body)
    [one] = parsed.entries
    assert (parsed.title, parsed.whole, parsed.skipped, parsed.flaw) == ("Example Times", True, 0, None)
    assert (one.feed_url, one.url, one.title) == (FEED, "https://example.org/b1", "Council opens the bridge")
    assert (one.guid, one.summary, one.content) == (guid, summary, content)
    assert (one.authors, one.published_at) == (authors, published_at)


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("application/rss+xml", id="its own"),
        pytest.param("text/html; charset=utf-8", id="HTML"),
        pytest.param("text/plain", id="plain text"),
        pytest.param("application/json", id="JSON"),
        pytest.param("image/png", id="a picture"),
        pytest.param("", id="empty"),
        pytest.param(None, id="none"),
        pytest.param("nonsense;;;charset", id="nonsense"),
    ],
)
@pytest.mark.parametrize("body", [pytest.param(rss(), id="RSS"), pytest.param(JSON_11, id="JSON Feed")])
def test_b1_the_body_is_looked_at_not_the_media_type(body: str, content_type: str | None) -> None:
    assert only(body, content_type=content_type).title == "Council opens the bridge"


def test_b1_a_html_page_is_no_feed_whatever_its_media_type_says() -> None:
    assert "HTML page" in why("<!DOCTYPE html><title>Hello</title>", "application/rss+xml")


@pytest.mark.parametrize(
    ("body", "lang"),
    [
        pytest.param(rss(channel="<language>en-gb</language>"), "en-gb", id="RSS"),
        pytest.param(rss(), None, id="not said"),
        pytest.param(jsonfeed({"id": "1"}, language="de"), "de", id="JSON Feed"),
        pytest.param(jsonfeed({"id": "1", "language": "fr"}, language="de"), "fr", id="JSON Feed, of the item"),
        pytest.param(sitemap(page()), "en", id="news sitemap"),
    ],
)
def test_the_language_is_the_feeds_or_the_items(body: str, lang: str | None) -> None:
    assert only(body).lang == lang


# --- names (contract, section 9) ------------------------------------------------------------------------------


def guids(body: str) -> list[str]:
    return [one.guid for one in read(body).entries]


TITLED = "<title>Council opens the bridge</title>"
DATED = "<pubDate>Mon, 02 Mar 2026 08:30:00 GMT</pubDate>"


def test_i1_a_guid_is_opaque_and_keeps_its_case() -> None:
    assert guids(
        rss(item(TITLED, guid="Ab/C?x=1#F") + item(TITLED, guid="ab/c?x=1#f", link="https://example.org/2"))
    ) == [
        "Ab/C?x=1#F",
        "ab/c?x=1#f",
    ]


def test_i2_entry_without_guid_falls_back_to_its_link() -> None:
    assert guids(rss(item(TITLED, guid=None))) == ["https://example.org/b1"]


def test_i2_entry_without_guid_and_link_falls_back_to_title_and_date() -> None:
    [guid] = guids(rss(item(TITLED + DATED, guid=None, link=None)))
    [edited] = guids(rss(item(TITLED + DATED + "<description>More.</description>", guid=None, link=None)))
    [later] = guids(rss(item(TITLED + DATED.replace("08:30", "09:30"), guid=None, link=None)))
    assert guid.startswith("urn:newsbeat:title:")
    assert guid == edited != later


def test_i2_entry_with_a_text_alone_falls_back_to_its_hash() -> None:
    one = "<description>Rain until Monday.</description>"
    other = "<description>Sun from Tuesday.</description>"
    found = guids(rss(item(one, guid=None, link=None) + item(other, guid=None, link=None)))
    assert all(guid.startswith("urn:newsbeat:content:") for guid in found)
    assert len(set(found)) == 2


def test_i2_a_guid_that_stands_twice_names_nothing_and_links_do() -> None:
    assert guids(rss(item(TITLED, guid="same") + item(TITLED, guid="same", link="https://example.org/2"))) == [
        "https://example.org/b1",
        "https://example.org/2",
    ]


def test_i2_guid_and_link_that_stand_twice_leave_title_and_date_then_the_content() -> None:
    found = guids(
        rss(
            item("<title>One</title>" + DATED, guid="same")
            + item("<title>Two</title>" + DATED, guid="same")
            + item("<title>Three</title>", guid="same")
        )
    )
    assert len(set(found)) == 3
    assert [guid.split(":")[2] for guid in found] == ["title", "title", "content"]


def test_identical_items_are_one() -> None:
    parsed = read(rss(BRIDGE + BRIDGE + HARBOUR + BRIDGE))
    assert [one.guid for one in parsed.entries] == ["b1", "h1"]
    assert parsed.skipped == 0


def test_i7_a_missing_or_odd_date_is_none() -> None:
    for date in ("", "<pubDate></pubDate>", "<pubDate>yesterday</pubDate>", "<pubDate>Mon, 99 Foo 2026</pubDate>"):
        assert only(rss(item(TITLED + date))).published_at is None
    assert only(rss(item(TITLED + "<pubDate>Thu, 01 Jan 1960 00:00:00 GMT</pubDate>"))).published_at is None
    assert only(jsonfeed({"id": "1", "date_published": "soon"})).published_at is None
    assert only(sitemap(page(date="0000-00-00"))).published_at is None


def test_i7_a_date_ahead_is_kept_as_the_feed_gives_it() -> None:
    assert only(rss(item(TITLED + "<pubDate>Tue, 02 Mar 2126 08:30:00 GMT</pubDate>"))).published_at == AT.replace(
        year=2126
    )


def test_i8_an_entry_without_a_title_has_none() -> None:
    assert only(rss(item("<description>Rain.</description>"))).title is None
    assert only(jsonfeed({"id": "1", "content_text": "Rain."})).title is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(TITLED.replace("opens", "closes"), id="title"),
        pytest.param(TITLED + "<description>More.</description>", id="summary"),
        pytest.param(TITLED + "<content:encoded>More.</content:encoded>", id="content"),
        pytest.param(TITLED + DATED, id="date"),
    ],
)
def test_the_raw_hash_tells_an_edit(change: str) -> None:
    before, again, after = only(rss(item(TITLED))), only(rss(item(TITLED))), only(rss(item(change)))
    assert before.raw_hash == again.raw_hash != after.raw_hash
    assert before.guid == after.guid


# --- links ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "url"),
    [
        pytest.param(rss(item(TITLED, link="/b1")), "https://feeds.example.org/b1", id="from the document"),
        pytest.param(rss(item(TITLED, link="b1")), "https://feeds.example.org/b1", id="beside the document"),
        pytest.param(
            rss(item(TITLED, link="b1"), attributes='xml:base="https://example.org/news/"'),
            "https://example.org/news/b1",
            id="from xml:base",
        ),
        pytest.param(
            atom(
                '<entry xml:base="2026/"><id>b1</id><link href="b1"/></entry>', 'xml:base="https://example.org/news/"'
            ),
            "https://example.org/news/2026/b1",
            id="from xml:base in xml:base",
        ),
        pytest.param(jsonfeed({"id": "1", "url": "/b1"}), "https://feeds.example.org/b1", id="JSON Feed"),
        pytest.param(
            jsonfeed({"id": "1", "external_url": "https://example.org/b1"}), "https://example.org/b1", id="link blog"
        ),
        pytest.param(sitemap(page("/b1")), "https://feeds.example.org/b1", id="news sitemap"),
        pytest.param(rss(item(TITLED, link="//example.org/b1")), "https://example.org/b1", id="without a scheme"),
        pytest.param(
            rss(item(TITLED, link="\n https://example.org/b1 \n")), "https://example.org/b1", id="white space"
        ),
        pytest.param(
            rss(item(TITLED, link="https://example.org/?a=1&amp;b=2")), "https://example.org/?a=1&b=2", id="&amp;"
        ),
        pytest.param(
            rss(item(TITLED, link="https://example.org/b1?utm_source=rss#top")), "https://example.org/b1", id="trackers"
        ),
        pytest.param(rss(item(TITLED, link="javascript:alert(1)")), None, id="javascript"),
        pytest.param(rss(item(TITLED, link="http://[broken/")), None, id="broken"),
        pytest.param(rss(item(TITLED, link="https://example.org/" + "a" * 3000)), None, id="too long"),
        pytest.param(rss(item(TITLED, link=None)), None, id="none"),
        pytest.param(
            rss(item(TITLED + "<guid>https://example.org/b1</guid>", guid=None, link=None)),
            "https://example.org/b1",
            id="the guid is the link",
        ),
    ],
)
def test_b6_links_are_absolute_and_canonical(body: str, url: str | None) -> None:
    found = only(body).url
    assert found == url
    assert found is None or canonical(found) == found


def test_b6_links_are_taken_from_where_redirects_ended() -> None:
    made = response(rss(item(TITLED, link="b1")), url="https://cdn.example.net/feeds/world.xml", asked_url=FEED)
    [one] = parse.feed(made).entries
    assert one.url == "https://cdn.example.net/feeds/b1"


# --- encodings ------------------------------------------------------------------------------------------------

NAME = "Café “Zürich”"
NAMED = rss(item(f"<title>{NAME}</title>"), prologue="")


def declared(name: str) -> str:
    return f'<?xml version="1.0" encoding="{name}"?>{NAMED}'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(NAMED.encode(), None, id="UTF-8, undeclared"),
        pytest.param(declared("utf-8").encode(), None, id="UTF-8, declared"),
        pytest.param(declared("utf-8").encode("utf-8-sig"), None, id="UTF-8 with a byte order mark"),
        pytest.param(
            declared("iso-8859-1").encode("utf-8-sig"), "text/xml; charset=iso-8859-1", id="the mark goes first"
        ),
        pytest.param(declared("utf-16").encode("utf-16"), None, id="UTF-16"),
        pytest.param(declared("utf-16").encode("utf-16-be"), None, id="UTF-16 without a mark"),
        pytest.param(declared("utf-8").encode("utf-16"), None, id="UTF-16, declared as UTF-8"),
        pytest.param(NAMED.encode("utf-16"), None, id="UTF-16, undeclared"),
        pytest.param(declared("utf-32").encode("utf-32"), None, id="UTF-32"),
        pytest.param(declared("windows-1252").encode("cp1252"), None, id="windows-1252, declared"),
        pytest.param(NAMED.encode("cp1252"), None, id="windows-1252, undeclared"),
        pytest.param(declared("utf-8").encode("cp1252"), None, id="windows-1252, declared as UTF-8"),
        pytest.param(declared("iso-8859-1").encode("cp1252"), None, id="windows-1252, declared as Latin-1"),
        pytest.param(NAMED.encode("cp1252"), "text/xml; charset=windows-1252", id="windows-1252, in the header"),
        pytest.param(
            declared("iso-8859-1").encode(), "text/xml; charset=utf-8", id="the header before the declaration"
        ),
        pytest.param(declared("utf-8").encode(), 'text/xml; charset="UTF-8"', id="charset in quotes"),
        pytest.param(declared("utf-8").encode(), "text/xml; charset=klingon", id="a charset nobody knows"),
        pytest.param(declared("klingon").encode(), None, id="a declaration nobody knows"),
        pytest.param(declared("utf-8").encode(), "text/xml", id="text/xml without a charset is not ASCII"),
        pytest.param(jsonfeed({"id": "b1", "title": NAME}).encode(), None, id="JSON, escaped"),
        pytest.param(jsonfeed({"id": "b1", "title": NAME}).encode("utf-16"), None, id="JSON in UTF-16"),
        pytest.param(sitemap(page(title=NAME)).encode("utf-16"), None, id="news sitemap in UTF-16"),
        pytest.param(
            sitemap(page(title=NAME), prologue='<?xml version="1.0" encoding="windows-1252"?>').encode("cp1252"),
            None,
            id="news sitemap in windows-1252",
        ),
    ],
)
def test_b2_the_encoding_is_found(body: bytes, content_type: str | None) -> None:
    parsed = read(body, content_type)
    assert [one.title for one in parsed.entries] == [NAME]
    assert parsed.whole, "its validators count"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        pytest.param(
            declared("utf-8").encode("utf-8-sig").replace(b"\xc3\xa9", b"\xe9"), "Caf�", id="after a UTF-8 mark"
        ),
        pytest.param(jsonfeed({"id": "1", "title": "Caf_"}).encode().replace(b"_", b"\xe9"), "Caf�", id="in JSON"),
        pytest.param('{"items": [{"id": "1", "title": "Caf\\ud83d"}]}', "Caf�", id="half a surrogate pair in JSON"),
        pytest.param(rss(item("<title>Caf&#xd800;</title>")), "Caf�", id="half a surrogate pair in XML"),
        pytest.param(rss(item("<title>Caf&#1114112;</title>")), "Caf�", id="no character of Unicode"),
    ],
)
def test_b2_what_cannot_be_decoded_is_replaced_and_the_entry_stays(body: bytes | str, title: str) -> None:
    found = only(body).title
    assert found is not None
    assert found.startswith(title)
    found.encode("utf-8")


def test_an_emoji_written_in_two_halves_is_one_character() -> None:
    assert only(rss(item("<title>Sun &#xD83C;&#xDF1E; today</title>"))).title == "Sun 🌞 today"


# --- disrepair ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "titles"),
    [
        pytest.param(
            "\n\n  " + rss(BRIDGE + HARBOUR), ["Council opens the bridge", "Harbour floods"], id="leading space"
        ),
        pytest.param(
            rss(BRIDGE.replace("bridge", "bri\x08dge") + HARBOUR),
            ["Council opens the bridge", "Harbour floods"],
            id="control character",
        ),
        pytest.param(
            rss(BRIDGE.replace("the bridge", "caf&eacute;&nbsp;two") + HARBOUR),
            ["Council opens café\xa0two", "Harbour floods"],
            id="undefined entity",
        ),
        pytest.param(
            rss(BRIDGE.replace("the bridge", "salt & pepper") + HARBOUR),
            ["Council opens salt & pepper", "Harbour floods"],
            id="bare ampersand",
        ),
        pytest.param(
            rss(BRIDGE.replace("the bridge", "salt & pepper") + HARBOUR).encode("utf-16"),
            ["Council opens salt & pepper", "Harbour floods"],
            id="bare ampersand in UTF-16",
        ),
        pytest.param(
            rss(BRIDGE.replace("After two years.", "<p>After<br>two") + HARBOUR),
            ["Council opens the bridge", "Harbour floods"],
            id="markup that is not escaped",
        ),
        pytest.param(rss(BRIDGE + HARBOUR) + "<!-- page made in 3 ms -->junk", None, id="junk after the end"),
        pytest.param(
            rss(BRIDGE + HARBOUR)
            .replace(' xmlns:dc="http://purl.org/dc/elements/1.1/"', "")
            .replace("<title>Harbour", "<dc:creator>Bo Li</dc:creator><title>Harbour"),
            None,
            id="a prefix nobody declared",
        ),
        pytest.param(rss(BRIDGE.replace("</description>", "") + HARBOUR), None, id="a description that is not closed"),
        pytest.param(
            rss(
                BRIDGE.replace("<description>", "<description><![CDATA[<b>Yes</b>]]> ").replace("</description>", "")
                + HARBOUR
            ),
            None,
            id="a description that is not closed after its CDATA",
        ),
    ],
)
def test_b3_an_ill_formed_document_is_salvaged_and_flagged(body: str | bytes, titles: list[str] | None) -> None:
    parsed = read(body)
    assert [one.title for one in parsed.entries] == (titles or ["Council opens the bridge", "Harbour floods"])
    assert parsed.flaw is not None
    assert "not well-formed" in parsed.flaw
    assert parsed.whole, "it is odd, but it is all there"


@pytest.mark.parametrize("field", ["title", "link", "guid", "description", "pubDate"])
@pytest.mark.parametrize("markup", ["", "<![CDATA[<b>x</b>]]>", "<b>x</b>"])
def test_b3_a_field_that_is_never_closed_before_the_next_one_loses_no_entry(field: str, markup: str) -> None:
    fields = {
        "title": f"Council opens the bridge{markup}", "link": "https://example.org/b", "guid": "b9",
        "pubDate": "Mon, 02 Mar 2026 06:00:00 GMT", "description": f"After two years.{markup}",
    }  # fmt: skip
    broken = "".join(f"<{name}>{said}" + ("" if name == field else f"</{name}>") for name, said in fields.items())
    parsed = read(rss(f"{HARBOUR}<item>{broken}<author>Bo Li</author></item>{BRIDGE}"))
    assert [one.guid for one in parsed.entries] == ["h1", "b9", "b1"]
    assert parsed.flaw is not None
    assert "not well-formed" in parsed.flaw


def test_b3_a_document_that_is_well_formed_is_not_mended_for_what_stands_in_its_cdata() -> None:
    seems = BRIDGE.replace("<description>", "<x:note><![CDATA[<summary>]]></x:note><description><i>Yes</i>")
    parsed = read(rss(seems + HARBOUR).replace("<rss ", '<rss xmlns:x="http://x.example/" '))
    assert ([one.guid for one in parsed.entries], parsed.flaw) == (["b1", "h1"], None)


TWO = rss(BRIDGE + HARBOUR)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        pytest.param(TWO[: TWO.index("Harbour")], ["b1"], id="in an element"),
        pytest.param(TWO[: TWO.index("h1</guid>")], ["b1"], id="in the next guid"),
        pytest.param(TWO[: TWO.index("</item>") + 3], [], id="in the end of the first item"),
        pytest.param(TWO[: TWO.index("</item>") + 7], ["b1"], id="between items"),
        pytest.param(TWO[: TWO.index("</channel>")], ["b1", "h1"], id="after the last item"),
        pytest.param(TWO[: TWO.index("</rss>") + 3], ["b1", "h1"], id="in the last tag"),
        pytest.param(TWO[: TWO.index("Harbour")].encode("utf-16"), ["b1"], id="in UTF-16"),
        pytest.param(TWO.encode("utf-16")[:-31], ["b1", "h1"], id="in half a character of UTF-16"),
        pytest.param(
            atom("<entry><id>tag:a</id><title>One</title></entry><entry><id>tag:b</id><title>Tw")[: -len("</feed>")],
            ["tag:a"],
            id="Atom",
        ),
        pytest.param(
            sitemap(page(), page("https://example.org/2"))[:-60], ["https://example.org/b1"], id="news sitemap"
        ),
    ],
)
def test_b3_c7_of_a_cut_document_complete_entries_are_kept_and_it_vouches_for_nothing(
    body: str | bytes, kept: list[str]
) -> None:
    parsed = read(body)
    assert [one.guid for one in parsed.entries] == kept
    assert not parsed.whole
    assert parsed.flaw


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(TWO) - 1))
def test_b3_wherever_a_document_is_cut_no_half_entry_is_kept(length: int) -> None:
    whole = {one.guid: one for one in read(TWO).entries}
    parsed = parsed_or_refused(TWO[:length].encode())
    if parsed is None:
        return
    assert not parsed.whole
    for one in parsed.entries:
        assert one == whole[one.guid]


# --- what is no feed ------------------------------------------------------------------------------------------

LINKED = (
    '<!doctype html><head><link rel="stylesheet" href="a.css"><LINK REL=alternate TYPE="application/rss+xml" '
    "HREF='/news.rss'><link rel='alternate' type='application/atom+xml' href='https://example.org/news.atom'>"
    "<link rel=alternate type=application/rss+xml href=/news.rss><link rel=alternate hreflang=de href=/de></head>"
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("", "the answer was empty", id="empty"),
        pytest.param(" \n\t ", "the answer was empty", id="blank"),
        pytest.param(b"\xef\xbb\xbf", "the answer was empty", id="only a byte order mark"),
        pytest.param(b"\x00" * 50, "the answer was empty", id="only NULs"),
        pytest.param("<!DOCTYPE html><p>Hello", "HTML page", id="HTML"),
        pytest.param("<!-- a --><html><p>Hello", "HTML page", id="HTML after a comment"),
        pytest.param(f"{PROLOGUE}<html xmlns='http://www.w3.org/1999/xhtml'/>", "HTML page", id="XHTML"),
        pytest.param("<HTML><BODY>", "HTML page", id="HTML in capitals"),
        pytest.param("<!DOCTYPE html>".encode("utf-16"), "HTML page", id="HTML in UTF-16"),
        pytest.param("Not found", "not a feed", id="words"),
        pytest.param(f"{PROLOGUE}<note><to>Ada</to></note>", "not a feed", id="other XML"),
        pytest.param('{"error": "no such feed"}', 'JSON without a list "items"', id="other JSON"),
        pytest.param("[1, 2]", 'JSON without a list "items"', id="a list"),
        pytest.param('{"items": {"id": 1}}', 'JSON without a list "items"', id="items that are no list"),
        pytest.param('{"items": [', "starts like JSON but is not", id="cut JSON"),
        pytest.param("[" * 100_000, "starts like JSON but is not", id="nested JSON"),
        pytest.param(f"{PROLOGUE}<sitemapindex><sitemap/></sitemapindex>", "index of sitemaps", id="sitemap index"),
        pytest.param(sitemap()[:60], "not well-formed", id="a sitemap without a page"),
        pytest.param(
            sitemap(page(), prologue='<?xml version="1.0" encoding="klingon"?>'), "klingon", id="a sitemap's encoding"
        ),
        pytest.param(
            sitemap(page(), prologue='<?xml version="1.0" encoding="shift_jis"?>'),
            "multi-byte",
            id="a sitemap's encoding of two bytes",
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not a feed", id="a picture"),
    ],
)
def test_what_is_no_feed_says_so_in_words(body: str | bytes, expected: str) -> None:
    assert expected in why(body)


def test_e6_a_html_page_names_the_feeds_it_links_to() -> None:
    with pytest.raises(ParseError) as caught:
        read(LINKED, url="https://example.org/news/")
    assert caught.value.candidates == ("https://example.org/news.rss", "https://example.org/news.atom")
    assert "https://example.org/news.rss" in caught.value.why


def test_a_html_page_without_feed_links_names_none() -> None:
    with pytest.raises(ParseError) as caught:
        read("<!doctype html><link rel=alternate hreflang=de href=/de><link rel=alternate type=application/rss+xml>")
    assert caught.value.candidates == ()


def test_a_parse_error_crosses_the_border_of_a_process_whole() -> None:
    with pytest.raises(ParseError) as caught:
        read(LINKED)
    back = pickle.loads(pickle.dumps(caught.value))
    assert (back.url, back.why, back.candidates) == (FEED, caught.value.why, caught.value.candidates)
    assert str(back) == str(caught.value)


# --- limits and hostility -------------------------------------------------------------------------------------

ENTITY = '<!DOCTYPE rss [<!ENTITY a "rain"><!ENTITY b "&a;&a;&a;">]>'
EXPANDED = item("<title>Rain &b;</title>")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss(EXPANDED, prologue=PROLOGUE + ENTITY), id="RSS"),
        pytest.param(rss(EXPANDED, prologue=ENTITY.lower().replace("!entity", "!ENTITY")), id="without a declaration"),
        pytest.param(rss(EXPANDED, prologue=PROLOGUE + ENTITY).encode("utf-16"), id="in UTF-16"),
        pytest.param(rss(EXPANDED, prologue=PROLOGUE + ENTITY).encode("utf-16-le"), id="in UTF-16 without a mark"),
        pytest.param(rss(EXPANDED, prologue=f"{PROLOGUE}<!-- <a> -->{ENTITY}"), id="behind a comment with an element"),
        pytest.param(rss(EXPANDED, prologue=PROLOGUE + " " * 70_000 + ENTITY), id="behind 70,000 spaces"),
        pytest.param(rss(EXPANDED, prologue="\n" + PROLOGUE + ENTITY), id="behind leading space"),
        pytest.param(rss(EXPANDED + "<item>&", prologue="\x01" + PROLOGUE + ENTITY), id="in an ill-formed document"),
        pytest.param(
            rss(item("<title>&x;</title>"), prologue='<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
            id="of a file",
        ),
        pytest.param(
            rss(prologue='<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;]>'), id="of a parameter"
        ),
        pytest.param(sitemap(page(title="&b;"), prologue=PROLOGUE + ENTITY), id="news sitemap"),
    ],
)
def test_n13_entity_declarations_are_refused(body: str | bytes) -> None:
    assert "refused" in why(body)


def test_an_article_about_entities_is_no_entity() -> None:
    words = "<![CDATA[Write <!ENTITY a 'b'> in the head]]>"
    assert only(rss(item(f"<description>{words}</description>"))).summary == "Write <!ENTITY a 'b'> in the head"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("<a>" * 50_000 + "</a>" * 50_000), id="RSS"),
        pytest.param(rss("<a>" * 50_000), id="unclosed"),
        pytest.param(rss("<a>" * 50_000).encode("cp1252") + b"\xe9", id="and not UTF-8"),
        pytest.param(atom("<entry><content type='xhtml'>" + "<div>" * 300), id="in an entry"),
        pytest.param(sitemap("<a>" * 50_000), id="news sitemap"),
    ],
)
def test_n13_deep_nesting_is_refused(body: str | bytes) -> None:
    assert "nested more than 256 deep" in why(body)


def test_markup_in_an_entry_may_be_deep_as_a_page_is() -> None:
    deep = "<div xmlns='http://www.w3.org/1999/xhtml'>" + "<div>" * 100 + "Rain" + "</div>" * 101
    assert "Rain" in (only(atom(f"<entry><id>tag:a</id><content type='xhtml'>{deep}</content></entry>")).content or "")


def numbered(count: int) -> str:
    return "".join(item(f"<title>T{n}</title>", guid=f"g{n}", link=f"https://example.org/{n}") for n in range(count))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss(numbered(2001)), id="RSS"),
        pytest.param(jsonfeed(*({"id": f"g{n}"} for n in range(2001))), id="JSON Feed"),
        pytest.param(sitemap(*(page(f"https://example.org/{n}") for n in range(2001))), id="news sitemap"),
    ],
)
def test_n12_only_the_first_2000_entries_are_read_and_the_flaw_says_so(body: str) -> None:
    parsed = read(body)
    assert len(parsed.entries) == 2000
    assert parsed.entries[0].guid in ("g0", "https://example.org/0")
    assert parsed.flaw == "only the first 2000 of 2001 entries were read"
    assert (parsed.skipped, parsed.whole) == (0, True)


def test_n12_2000_entries_are_not_too_many() -> None:
    parsed = read(jsonfeed(*({"id": f"g{n}"} for n in range(2000))))
    assert (len(parsed.entries), parsed.flaw) == (2000, None)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss(item(f"<title>{'t' * 5000}</title><description>{'d' * 600_000}</description>")), id="RSS"),
        pytest.param(jsonfeed({"id": "b1", "title": "t" * 5000, "summary": "d" * 600_000}), id="JSON Feed"),
    ],
)
def test_n12_what_is_too_long_is_cut_and_flagged(body: str) -> None:
    parsed = read(body)
    [one] = parsed.entries
    assert one.title == "t" * limits.MAX_TITLE
    assert one.summary == "d" * limits.MAX_TEXT
    assert parsed.flaw == "1 entry was too long and cut"


@pytest.mark.parametrize(
    ("body", "kept", "skipped"),
    [
        pytest.param(rss("<item></item>" + BRIDGE), 1, 1, id="an empty item"),
        pytest.param(rss("<item><title> </title></item>" + BRIDGE), 1, 1, id="a blank title"),
        pytest.param(rss(f"<item>{DATED}</item>" + BRIDGE), 1, 1, id="a date alone"),
        pytest.param(rss(), 1, 0, id="none"),
        pytest.param(rss("<item/><item/>"), 0, 2, id="all of them"),
        pytest.param(rss(""), 0, 0, id="a feed without items"),
        pytest.param(jsonfeed({}, "words", None, 7, {"id": ""}, {"id": "1"}), 1, 5, id="JSON Feed"),
        pytest.param(sitemap("<url/>", "<url><loc>ftp://example.org/</loc></url>", page()), 1, 2, id="news sitemap"),
    ],
)
def test_items_that_say_nothing_are_skipped_and_counted(body: str, kept: int, skipped: int) -> None:
    parsed = read(body)
    assert (len(parsed.entries), parsed.skipped) == (kept, skipped)


# --- details of formats ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "summary", "content"),
    [
        pytest.param(
            rss(item("<description><![CDATA[<b>Rain</b> & wind]]></description>")),
            "<b>Rain</b> & wind",
            None,
            id="CDATA",
        ),
        pytest.param(
            rss(item("<description>&lt;b&gt;Rain&lt;/b&gt; &amp;amp; wind</description>")),
            "<b>Rain</b> &amp; wind",
            None,
            id="escaped",
        ),
        pytest.param(
            rss(item("<description>Rain</description><content:encoded>Rain</content:encoded>")),
            None,
            "Rain",
            id="a summary that is the content",
        ),
        pytest.param(
            rss(item("<content:encoded><![CDATA[a]]><![CDATA[b]]></content:encoded>")), None, "ab", id="CDATA in two"
        ),
        pytest.param(
            atom(
                "<entry><id>tag:a</id><summary>Wet</summary><content>Rain</content>"
                "<content>Rain and wind</content></entry>"
            ),
            "Wet",
            "Rain and wind",
            id="the longest of two",
        ),
    ],
)
def test_the_words_of_an_entry_are_kept_as_the_feed_gives_them(
    body: str, summary: str | None, content: str | None
) -> None:
    one = only(body)
    assert (one.summary, one.content) == (summary, content)


@pytest.mark.parametrize(
    ("inner", "authors"),
    [
        pytest.param("<dc:creator>Ada Fisher</dc:creator>", ("Ada Fisher",), id="dc:creator"),
        pytest.param("<dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator>", ("Ada", "Bo"), id="two"),
        pytest.param("<dc:creator>Ada</dc:creator><dc:creator>Ada</dc:creator>", ("Ada",), id="one twice"),
        pytest.param("<author>ada@example.org (Ada Fisher)</author>", ("Ada Fisher",), id="mail address with a name"),
        pytest.param("<dc:creator> </dc:creator>", (), id="blank"),
    ],
)
def test_authors_are_names(inner: str, authors: tuple[str, ...]) -> None:
    assert only(rss(item(TITLED + inner))).authors == authors


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("<pubDate>Mon, 02 Mar 2026 08:30:00 GMT</pubDate>", id="RFC 822"),
        pytest.param("<pubDate>Mon, 02 Mar 2026 09:30:00 +0100</pubDate>", id="with an offset"),
        pytest.param("<pubDate>2 Mar 2026 03:30 EST</pubDate>", id="short, with a zone's name"),
        pytest.param("<dc:date>2026-03-02T08:30:00Z</dc:date>", id="dc:date"),
        pytest.param("<dc:date>2026-03-02T09:30:00.5+01:00</dc:date>", id="with fractions"),
    ],
)
def test_dates_are_read_in_their_many_forms(date: str) -> None:
    assert only(rss(item(TITLED + date))).published_at == AT


def test_the_title_of_a_picture_is_not_the_headline_of_its_page() -> None:
    picture = "<image:image><image:loc>https://example.org/p.jpg</image:loc><image:title>P</image:title></image:image>"
    one = only(sitemap(page().replace("</url>", picture + "</url>")))
    assert (one.title, one.url) == ("Council opens the bridge", "https://example.org/b1")


def test_a_sitemap_may_open_with_white_space() -> None:
    assert only("\n " + sitemap(page())).title == "Council opens the bridge"


# --- hints ----------------------------------------------------------------------------------------------------


def period(word: str, frequency: str = "") -> str:
    often = f"<sy:updateFrequency>{frequency}</sy:updateFrequency>" if frequency else ""
    return f"<sy:updatePeriod>{word}</sy:updatePeriod>{often}"


@pytest.mark.parametrize(
    ("channel", "hours"),
    [
        pytest.param("", None, id="none"),
        pytest.param("<ttl>180</ttl>", 3, id="t1 ttl in minutes"),
        pytest.param("<ttl> 90 </ttl>", 1.5, id="t1 ttl with spaces"),
        pytest.param("<ttl>0</ttl>", None, id="t1 ttl of nothing"),
        pytest.param("<ttl>-60</ttl>", None, id="t1 negative ttl"),
        pytest.param("<ttl>an hour</ttl>", None, id="t1 ttl in words"),
        pytest.param("<ttl>²</ttl>", None, id="t1 ttl in a digit that is no number"),
        pytest.param("<ttl>999999999999999999999</ttl>", 24, id="n4 absurd ttl"),
        pytest.param(period("hourly"), 1, id="t8 hourly"),
        pytest.param(period("daily", "4"), 6, id="t8 four times a day"),
        pytest.param(period(" Daily ", "2"), 12, id="t8 in capitals and spaces"),
        pytest.param(period("yearly"), 24, id="t8 yearly is capped"),
        pytest.param(period("sometimes", "2"), None, id="t8 an unknown word"),
        pytest.param(period("daily", "0"), 24, id="t8 no times a day"),
        pytest.param(period("daily", "often"), 24, id="t8 a frequency in words"),
        pytest.param("<ttl>60</ttl>" + period("daily", "8"), 3, id="the longer of both"),
    ],
)
def test_the_feeds_own_wish_to_wait(channel: str, hours: float | None) -> None:
    assert read(rss(channel=channel)).hint == (timedelta(hours=hours) if hours else None)


@pytest.mark.parametrize(
    ("channel", "hours", "days"),
    [
        pytest.param("", set(), set(), id="none"),
        pytest.param("<skipHours><hour>6</hour><hour> 7 </hour></skipHours>", {6, 7}, set(), id="hours"),
        pytest.param("<skipHours><hour>0</hour><hour>24</hour></skipHours>", {0}, set(), id="24 is 0"),
        pytest.param(
            "<skipHours><hour>25</hour><hour>-1</hour><hour>x</hour></skipHours>", set(), set(), id="no hours"
        ),
        pytest.param(f"<skipHours><hour>{'9' * 5000}</hour><hour>3</hour></skipHours>", {3}, set(), id="absurd hour"),
        pytest.param("<skipHours><hour>²</hour></skipHours>", set(), set(), id="a digit that is no number"),
        pytest.param("<skipDays><day>Saturday</day><day>sunday</day></skipDays>", set(), {5, 6}, id="days"),
        pytest.param("<skipDays><day>Someday</day></skipDays>", set(), set(), id="no day"),
        pytest.param(
            "<skipDays><day>Monday</day></skipDays><skipHours><hour>1</hour></skipHours>", {1}, {0}, id="both"
        ),
    ],
)
def test_t7_skip_hours_and_days_are_all_read(channel: str, hours: set[int], days: set[int]) -> None:
    parsed = read(rss(channel=channel))
    assert (parsed.skip_hours, parsed.skip_days) == (hours, days)
    assert read(rss(channel=channel).encode("utf-16")).skip_hours == hours


# --- laws -----------------------------------------------------------------------------------------------------


def holds_together(parsed: ParsedFeed) -> None:
    """What everyone downstream relies on."""
    assert len(parsed.entries) <= limits.MAX_ENTRIES
    assert len({one.guid for one in parsed.entries}) == len(parsed.entries)
    for one in parsed.entries:
        assert one.guid
        assert one.feed_url == FEED
        assert one.url is None or canonical(one.url) == one.url.partition("#item-")[0]
        assert one.published_at is None or (one.published_at.tzinfo is UTC and one.published_at.year >= 1970)
        for said in (one.guid, one.title, one.summary, one.content, *one.authors):
            (said or "").encode("utf-8")
    assert parsed.hint is None or timedelta() < parsed.hint <= timedelta(hours=24)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200), st.none() | st.sampled_from(["text/html", "text/xml; charset=utf-16", "; charset=\x00"])
)
@example(b"\xff\xfe", None)
@example(b"<?xml version='1.0' encoding='\xe9'?><rss/>", None)
@example(b"<rss><channel></link><item></link></item>", None)
@example(rss(item("<title>&#x99999999;</title>") + "<textInput></name>").encode(), None)
@example(b"\x0b", None)
def test_any_bytes_are_a_feed_or_a_parse_error(body: bytes, content_type: str | None) -> None:
    parsed = parsed_or_refused(body, content_type)
    if parsed:
        holds_together(parsed)


SCRAPS = (
    "< > & ]]> <![CDATA[ <!-- --> &#xd800; &#x110000; &#99999999999999; &nbsp; <!DOCTYPE <? ?> </item> </channel>"
    ' <item> <entry> <link/> </link> <guid/> http://[ \x00 \x80 ² é 😀 { } [ ] " , : null 1e999 \\ud800 <ttl>²'
    " <hour>² <textInput> </textInput> <psc:chapters> <georss:where> <media:credit/> <source> <content type='xhtml'>"
    " xml:base='http://[' "
).split(" ")
DOCUMENTS = [RSS_091, RSS_20, RSS_10, ATOM_03, ATOM_10, JSON_10, JSON_11, sitemap(page())]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(DOCUMENTS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(SCRAPS)), min_size=1, max_size=5),
    st.sampled_from(["utf-8", "utf-8", "utf-16", "cp1252"]),
)
def test_any_damage_to_a_feed_leaves_a_feed_or_a_parse_error(
    document: str, damages: list[tuple[float, int, str]], encoding: str
) -> None:
    for place, length, scrap in damages:
        at = int(place * len(document))
        document = document[:at] + scrap + document[at + length :]
    parsed = parsed_or_refused(document.encode(encoding, "replace"))
    if parsed:
        holds_together(parsed)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["g1", "g2", None]), st.sampled_from(["/1", "/2", None]), st.sampled_from(["A", "B", ""])
        ),
        max_size=8,
    )
)
def test_i2_names_are_unique_and_the_same_again(given_: list[tuple[str | None, str | None, str]]) -> None:
    body = rss("".join(item(f"<title>{title}</title>", guid=guid, link=link) for guid, link, title in given_))
    parsed = read(body)
    holds_together(parsed)
    assert parsed == read(body)
    said = {one for one in given_ if any(one)}
    assert len({one[1:] for one in said}) <= len(parsed.entries) <= len(said), "none is lost, and none is there twice"


@pytest.mark.parametrize(
    "tag", ["feedburner:origLink", "pheedo:origLink", "dc:language", "ttl", "sy:updatePeriod", "hour"]
)
@pytest.mark.parametrize("form", ['<{0} x="y">5</{0}>', '<{0} x="y"/>', '<{0} x="y">'])
@pytest.mark.parametrize("tier", ["", "<description>Told <b>daily</b></description>"], ids=["first", "second"])
def test_attributes_that_nobody_knows_take_the_place_of_no_words(tag: str, form: str, tier: str) -> None:
    """Fuzzed: feedparser gives a dict there, which was taken for an address."""
    odd = form.format(tag)
    body = (
        '<rss version="2.0" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
        ' xmlns:pheedo="http://www.pheedo.com/namespace/pheedo" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">'
        f"<channel><title>E</title>{tier}{odd}<item><title>T</title><link>https://a.example/1</link>{odd}</item></channel></rss>"
    )
    found = parse.feed(response(body, url=FEED))
    assert [(one.title, one.url) for one in found.entries] == [("T", "https://a.example/1")]
    assert parse.at_once(response(body, url=FEED)) in (None, found)
