"""Where a site keeps its feeds: which addresses are asked, in which order, and how often at most."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from fakes import Inline, Item, WireServer, answer, item, rss
from hypothesis import given
from hypothesis import strategies as st
from outlets import Outlets

from pipeline import discover
from pipeline.cli import seeking
from pipeline.config import FetchSettings
from pipeline.errors import FetchError

SITE = "https://example.org/"
SETTINGS = FetchSettings(
    contact="https://reader.example/", per_host_gap=timedelta(), allow_addresses=(ipaddress.ip_network("127.0.0.1/32"),)
)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("example.org", "https://example.org"),
        (" example.org/blog ", "https://example.org/blog"),
        ("http://example.org/f.xml", "http://example.org/f.xml"),
        ("HTTPS://example.org", "HTTPS://example.org"),
        ("127.0.0.1:8000/feed", "https://127.0.0.1:8000/feed"),
        ("ftp://example.org", "ftp://example.org"),
    ],
)
def test_what_a_person_types_becomes_an_address(said: str, asked: str) -> None:
    assert discover.address(said) == asked


def test_announced_feeds_of_the_own_host_come_first_and_each_once() -> None:
    links = ["https://feeds.example.net/a", "https://example.org/b", "http://example.org/b#top", SITE]
    assert discover.candidates(SITE, links) == ("https://example.org/b", "https://feeds.example.net/a")


def test_guesses_lie_at_the_root_of_the_host_and_leave_out_what_was_asked() -> None:
    found = discover.guesses("https://example.org/news/today.html?x=1", ["https://example.org/rss.xml"])
    assert found[0] == "https://example.org/feed"
    assert "https://example.org/rss.xml" not in found
    assert len(found) == len(discover.FEED_PATHS) - 1


@pytest.mark.parametrize(
    ("robots", "found"),
    [
        pytest.param(None, [SITE[:-1] + path for path in discover.NEWS_PATHS], id="no robots.txt"),
        pytest.param(b"User-agent: *\nDisallow: /\n", [SITE[:-1] + path for path in discover.NEWS_PATHS], id="no line"),
        pytest.param(b"Sitemap: https://example.org/sitemap.xml\n", [], id="a sitemap, none of news: nothing to guess"),
        pytest.param(
            b"sitemap:https://cdn.example.net/news.xml\r\nSITEMAP: /sitemaps/News-1.xml\r\n",
            ["https://example.org/sitemaps/News-1.xml", "https://cdn.example.net/news.xml"],
            id="own host first, relative, any case",
        ),
        pytest.param(b"Sitemap: https://example.org/news.xml.gz\n", [], id="a packed file"),
        pytest.param(
            b"".join(b"Sitemap: /news/%d.xml\n" % n for n in range(50)),
            [f"https://example.org/news/{n}.xml" for n in range(3)],
            id="fifty of them",
        ),
        pytest.param(b"Sitemap: ftp://a/news\n", [SITE[:-1] + path for path in discover.NEWS_PATHS], id="no address"),
    ],
)
def test_news_sitemaps_come_from_robots_txt_else_from_the_usual_places(robots: bytes | None, found: list[str]) -> None:
    assert list(discover.sitemaps(SITE, robots)) == found


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("https://Example.org/feed", "http://example.org:80/feed#x", True),
        ("https://example.org", "https://example.org/", True),
        ("https://example.org/feed", "https://example.org/feed/", False),
        ("https://example.org/f?feedname=world", "https://example.org/f?feedname=sport", False),
        ("https://example.org/f?a=1&b=2", "https://example.org/f?b=2&a=1", False),
        ("http://example.org:8080/f", "http://example.org/f", False),
        ("https://example.org:x/f", "https://example.org/f", False),
    ],
)
def test_two_spellings_of_one_feed_are_known_as_one(one: str, other: str, equal: bool) -> None:
    assert (discover.same(one) == discover.same(other)) is equal


@given(st.text(max_size=60))
def test_no_text_is_too_odd_for_a_key(words: str) -> None:
    assert isinstance(discover.same("http://" + words), str)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (rss(item("a")), "RSS 2.0"),
        (b'<rss version="0.91">', "RSS 0.91"),
        (b"<rss>", "RSS"),
        (b'<?xml version="1.0"?><!-- news --><feed xmlns="http://www.w3.org/2005/Atom">', "Atom"),
        (b'<rdf:RDF xmlns:rdf="x">', "RSS 1.0"),
        (b'\xef\xbb\xbf {"version": "https://jsonfeed.org/version/1.1"}', "JSON Feed"),
        (b"<urlset>", "news sitemap"),
        (b"", "feed"),
    ],
)
def test_a_feed_is_called_by_its_format(body: bytes, name: str) -> None:
    assert discover.kind(body) == name


# --- asking ---------------------------------------------------------------------------------------------------


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outlets]:
    """A site on 127.0.0.1; what it answers is read here and now rather than in a worker process."""
    monkeypatch.setattr(seeking, "Workers", lambda *_, **__: Inline())
    with Outlets() as served:
        yield served


def seek(url: str, settings: FetchSettings = SETTINGS) -> tuple[list[str], int]:
    """The addresses of the feeds found at `url`, and how many requests that took."""

    async def work() -> tuple[list[str], int]:
        seeker = seeking.Seeker(settings, (), lambda _: None)
        try:
            return [found.url for found in await seeker.seek(url)], seeker.pacer.asked
        finally:
            await seeker.close()

    return asyncio.run(work())


def page(*links: str) -> bytes:
    """A home page that announces feeds."""
    return b"<!doctype html><title>News</title>" + b"".join(
        b'<link rel="alternate" type="application/rss+xml" href="%s">' % link.encode() for link in links
    )


NEWS_SITEMAP = b"""<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://example.org/1</loc>
 <news:news><news:title>Bridge opens</news:title></news:news></url></urlset>"""


def test_a_feed_address_costs_one_request(site: Outlets) -> None:
    site.publish("/a.xml", item("bridge"))
    assert seek(f"{site.url}/a.xml") == ([f"{site.url}/a.xml"], 1)


def test_a_site_that_announces_feeds_is_not_guessed_at(site: Outlets) -> None:
    site.bodies["/"] = page("/world.xml", "/gone.xml", "/empty.xml", "/world.xml#again")
    site.publish("/world.xml", item("bridge"))
    site.publish("/empty.xml")
    assert seek(site.url) == ([f"{site.url}/world.xml"], 4)
    assert site.asked == ["/", "/world.xml", "/gone.xml", "/empty.xml"]


@pytest.mark.parametrize("path", discover.FEED_PATHS)
def test_a_silent_site_is_asked_at_the_usual_places(site: Outlets, path: str) -> None:
    site.bodies["/"] = page()
    site.bodies[path] = b'{"version": "x", "title": "T", "items": [{"id": "1", "title": "Bridge"}]}'
    assert seek(f"{site.url}/") == ([f"{site.url}{path}"], 2 + discover.FEED_PATHS.index(path))


def test_the_news_sitemap_that_robots_txt_names_is_found(site: Outlets) -> None:
    site.bodies["/robots.txt"] = f"Sitemap: {site.url}/a/news-1.xml\n".encode()
    site.bodies["/a/news-1.xml"] = NEWS_SITEMAP
    assert seek(f"{site.url}/section/today") == ([f"{site.url}/a/news-1.xml"], 11)


def test_without_robots_txt_the_usual_news_sitemap_is_found(site: Outlets) -> None:
    site.bodies["/sitemap-news.xml"] = NEWS_SITEMAP
    assert seek(site.url) == ([f"{site.url}/sitemap-news.xml"], 12)


def test_no_discovery_makes_more_than_twelve_requests(site: Outlets) -> None:
    assert seek(site.url) == ([], 12)
    assert len(site.asked) == 12
    site.asked.clear()
    site.bodies["/"] = page(*(f"/{n}.xml" for n in range(30)))
    assert seek(site.url)[0] == []
    assert len(site.asked) == 12


def test_redirects_count_among_the_twelve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeking, "Workers", lambda *_, **__: Inline())
    bounce = {path: answer(status="302 Found", Location=f"{path}x") for path in ("/", *discover.FEED_PATHS)}
    with WireServer(bounce) as server:
        assert seek(server.url()) == ([], 12)
        assert len(server.requests) == 12


def test_a_feed_that_moved_for_good_is_named_where_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeking, "Workers", lambda *_, **__: Inline())
    answers = {
        "/old": answer(status="301 Moved Permanently", Location="/new"),
        "/away": answer(status="302 Found", Location="/new"),
        "/new": answer(rss(Item())),
    }
    with WireServer(answers) as server:
        assert seek(server.url("/old")) == ([server.url("/new")], 2)
        assert seek(server.url("/away")) == ([server.url("/away")], 2)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_to_be_left_alone_is(site: Outlets, status: int) -> None:
    site.bodies["/"] = page()
    site.bodies["/feed"] = status
    with pytest.raises(FetchError, match=str(status)):
        seek(site.url)
    assert site.asked == ["/", "/feed"]


def test_an_address_inside_the_own_network_is_not_asked(site: Outlets) -> None:
    with pytest.raises(FetchError, match="not a public address"):
        seek(site.url, FetchSettings(contact="https://reader.example/"))
    assert site.asked == []


def test_requests_keep_the_hosts_gap(site: Outlets) -> None:
    site.bodies["/"] = page("/a.xml")
    site.publish("/a.xml", item("bridge"))
    began = time.monotonic()
    seek(site.url, replace(SETTINGS, per_host_gap=timedelta(seconds=0.2)))
    assert time.monotonic() - began >= 0.2
