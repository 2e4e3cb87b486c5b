"""Where a site keeps its feeds: addresses worth asking, in the order of asking. Pure; the asking is the caller's.

A site that announces feeds (`<link rel=alternate>`) has said what it has, and is not guessed at. Of one that does not,
the usual addresses are tried: feeds first, since they say more, then the news sitemaps its robots.txt names, or the
usual ones. The first that answers ends the guessing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from pipeline.urls import canonical, host_of

MAX_REQUESTS = 12
"""Requests in one discovery, redirects and robots.txt included. What is not found by then is not looked for."""

# Where publishing systems put their feeds. WordPress, Substack, Medium: /feed (most send /feed to /feed/, or back, so
# the second is tried late); Ghost: /rss; Squarespace, Drupal: /rss.xml; Jekyll: /feed.xml, /atom.xml; Hugo: /index.xml.
FEED_PATHS = ("/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feed/", "/feed.json")

# Where news sitemaps lie when robots.txt names none (developers.google.com/search/docs/crawling-indexing/sitemaps).
NEWS_PATHS = ("/news-sitemap.xml", "/sitemap-news.xml", "/sitemap_news.xml")

MAX_SITEMAPS = 3
"""News sitemaps taken from one robots.txt; large outlets list dozens, one a section."""

_SITEMAP = re.compile(r"^\s*sitemap\s*:\s*(\S+)", re.I | re.M)
_ROOT = re.compile(rb"<(?:[a-z]\w*:)?(rss|feed|rdf|urlset|channel)\b[^>]*", re.I)
_VERSION = re.compile(rb"\bversion\s*=\s*[\"']([\d.]{1,5})")
_LOOK = 65536


def address(said: str) -> str:
    """What a person typed as an address to ask: "example.org" is https://example.org/. No check that it is one."""
    words = said.strip()
    return words if re.match(r"[a-z][a-z0-9+.-]*://", words, re.I) else f"https://{words}"


def candidates(page_url: str, links: Iterable[str]) -> tuple[str, ...]:
    """The feeds a page announces, those of its own host first, each once, the page itself left out."""
    home = host_of(page_url)
    return _once(sorted(links, key=lambda link: host_of(link) != home), but=page_url)


def guesses(page_url: str, but: Iterable[str] = ()) -> tuple[str, ...]:
    """The usual addresses of feeds on the page's host, without those asked already."""
    return _once((urljoin(page_url, path) for path in FEED_PATHS), *but, but=page_url)


def robots(page_url: str) -> str:
    """Where the page's host says which sitemaps it has (RFC 9309, 2.3)."""
    return urljoin(page_url, "/robots.txt")


def sitemaps(page_url: str, robots_txt: bytes | None) -> tuple[str, ...]:
    """News sitemaps worth asking: those robots.txt names, of the page's own host first; where it names none, the usual.

    A name that ends in .gz is left out: it is a packed file rather than a packed answer, which no poll reads.
    """
    words = (robots_txt or b"")[: 8 * _LOOK].decode("utf-8", "replace")
    named = [found for name in _SITEMAP.findall(words) if (found := canonical(name, page_url))]
    news = [url for url in named if "news" in urlsplit(url).path.lower() and not url.endswith(".gz")]
    usual = () if named else (urljoin(page_url, path) for path in NEWS_PATHS)
    return (*candidates(page_url, news)[:MAX_SITEMAPS], *usual)


def same(url: str) -> str:
    """A key under which two spellings of one feed's address are equal: scheme, default port and fragment set aside.

    Unlike `urls.canonical` it leaves the query alone: `?feedname=world` and `?feedname=sport` are two feeds.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url
    place = host.rstrip(".") if port in (None, 80, 443) else f"{host}:{port}"
    return f"{place}{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


def kind(body: bytes) -> str:
    """What a feed calls itself, for people: "RSS 2.0", "Atom", "JSON Feed", "news sitemap"."""
    head = body[:_LOOK]
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return "JSON Feed"
    found = _ROOT.search(head)
    root = found.group(1).lower() if found else b""
    if found and root == b"rss":
        version = _VERSION.search(found.group())
        return f"RSS {version.group(1).decode()}" if version else "RSS"
    return {b"feed": "Atom", b"rdf": "RSS 1.0", b"channel": "RSS", b"urlset": "news sitemap"}.get(root, "feed")


def _once(found: Iterable[str], *seen: str, but: str) -> tuple[str, ...]:
    """Each address once, in order, without those that are known under any spelling."""
    known = {same(but), *(same(url) for url in seen)}
    return tuple(url for url in found if not (same(url) in known or known.add(same(url))))  # type: ignore[func-returns-value]
