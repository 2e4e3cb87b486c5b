"""Articles to the bytes of a feed document, in five formats, with the habits of real outlets. Pure.

Knows the formats from the writing side only; what it writes is held against `pipeline.parse` by the tests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape as html_escape
from xml.sax.saxutils import escape, quoteattr

from pipeline.demo.newsroom import DemoArticle, DemoOutlet, feed_path, latest_change

# Habits seen in the wild, one outlet each.
TAGS_LINKS = "bulletin"  # utm_ parameters on its links, other ones after each edit
RELATIVE_LINKS = "meridian"  # links without a host, to be read with xml:base
WINDOWS_1252 = "eastgate"  # declared in the XML declaration and nowhere else
HTML_ENTITIES = "valley"  # &#039; and &quot; in titles, summaries and texts
HAS_TTL = "harbour"  # asks to be read once an hour at most

_CONTENT_TYPES = {
    "rss2": "application/rss+xml",
    "rss1": "application/rdf+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
    "sitemap": "application/xml",
}
_RSS_SPACES = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
_ENTITIES = {'"': "&quot;", "'": "&#039;"}


def content_type(format: str) -> str:
    """The media type of a format, without charset: the document itself says how it is encoded."""
    return _CONTENT_TYPES[format]


def feed(outlet: DemoOutlet, articles: tuple[DemoArticle, ...], now: datetime, base: str) -> bytes:
    """The feed document with these articles, in this order, as they are worded.

    `base` is the address of the server, `http://127.0.0.1:PORT`. `now` says where the feed lies by then and, while
    nothing is published yet, its date; apart from that the document changes only when its articles do.
    """
    changed_at = latest_change(articles) or now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    document = _WRITERS[outlet.format](outlet, articles, changed_at, base + feed_path(outlet, now))
    if outlet.key == WINDOWS_1252:
        return document.encode("windows-1252", "xmlcharrefreplace")
    return document.encode()


def _rss2(outlet: DemoOutlet, articles: tuple[DemoArticle, ...], changed_at: datetime, self_url: str) -> str:
    home = f"https://www.{outlet.domain}/"
    lines = [
        _declaration(outlet),
        f'<rss version="2.0" {_RSS_SPACES} xmlns:atom="http://www.w3.org/2005/Atom">',
        "<channel>",
        _tag("title", outlet.name),
        _tag("link", home),
        _tag("description", f"The latest from {outlet.name}"),
        _tag("language", "en"),
        f'<atom:link rel="self" type="application/rss+xml" href={quoteattr(self_url)}/>',
        _tag("lastBuildDate", format_datetime(changed_at, usegmt=True)),
    ]
    if outlet.key == HAS_TTL:
        lines.append(_tag("ttl", "60"))
    for article in articles:
        guid = f"https://{outlet.domain}/" if outlet.quirk == "same-guid" else f"{outlet.domain}:{article.id}"
        entities = outlet.key == HTML_ENTITIES
        lines += [
            "<item>",
            _tag("title", _with_entities(article.title) if entities else article.title),
            _tag("link", _link(outlet, article)),
            f'<guid isPermaLink="false">{escape(guid)}</guid>',
            _tag("pubDate", format_datetime(article.at, usegmt=True)),
            *(_tag("dc:creator", author) for author in article.authors),
            _tag("description", _with_entities(article.summary) if entities else html_escape(article.summary, False)),
            _tag_cdata("content:encoded", _html(outlet, article)),
            "</item>",
        ]
    return "\n".join([*lines, "</channel>", "</rss>", ""])


def _rss1(outlet: DemoOutlet, articles: tuple[DemoArticle, ...], changed_at: datetime, self_url: str) -> str:
    lines = [
        _declaration(outlet),
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        f" {_RSS_SPACES}>",
        f"<channel rdf:about={quoteattr(self_url)}>",
        _tag("title", outlet.name),
        _tag("link", f"https://www.{outlet.domain}/"),
        _tag("description", f"The latest from {outlet.name}"),
        _tag("dc:language", "en"),
        _tag("dc:date", _iso(changed_at)),
        "<items><rdf:Seq>",
        *(f"<rdf:li rdf:resource={quoteattr(article.url)}/>" for article in articles),
        "</rdf:Seq></items>",
        "</channel>",
    ]
    for article in articles:
        lines += [
            f"<item rdf:about={quoteattr(article.url)}>",
            _tag("title", article.title),
            _tag("link", _link(outlet, article)),
            _tag("description", article.summary),
            *(_tag("dc:creator", author) for author in article.authors),
            _tag("dc:date", _iso(article.at)),
            _tag_cdata("content:encoded", _html(outlet, article)),
            "</item>",
        ]
    return "\n".join([*lines, "</rdf:RDF>", ""])


def _atom(outlet: DemoOutlet, articles: tuple[DemoArticle, ...], changed_at: datetime, self_url: str) -> str:
    home = f"https://www.{outlet.domain}/"
    base = f" xml:base={quoteattr(home)}" if outlet.key == RELATIVE_LINKS else ""
    lines = [
        _declaration(outlet),
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"{base}>',
        _tag("title", outlet.name),
        _tag("id", f"tag:{outlet.domain},2020:feed"),
        _tag("updated", _iso(changed_at)),
        f'<link rel="self" type="application/atom+xml" href={quoteattr(self_url)}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(home)}/>',
        f"<author>{_tag('name', outlet.name)}</author>",
    ]
    for article in articles:
        lines += [
            "<entry>",
            _tag("title", article.title),
            _tag("id", f"tag:{outlet.domain},{article.at:%Y-%m-%d}:{article.id}"),
            f'<link rel="alternate" type="text/html" href={quoteattr(_link(outlet, article))}/>',
            _tag("published", _iso(article.at)),
            _tag("updated", _iso(article.updated_at)),
            *(f"<author>{_tag('name', author)}</author>" for author in article.authors),
            _tag("summary", article.summary),
            f'<content type="html">{escape(_html(outlet, article))}</content>',
            "</entry>",
        ]
    return "\n".join([*lines, "</feed>", ""])


def _json(outlet: DemoOutlet, articles: tuple[DemoArticle, ...], changed_at: datetime, self_url: str) -> str:
    items = [
        {
            "id": f"{outlet.domain}/{article.id}",
            "url": _link(outlet, article),
            "title": article.title,
            "summary": article.summary,
            "content_html": _html(outlet, article),
            "date_published": _iso(article.at),
            "date_modified": _iso(article.updated_at),
            "authors": [{"name": author} for author in article.authors],
        }
        for article in articles
    ]
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.name,
        "home_page_url": f"https://www.{outlet.domain}/",
        "feed_url": self_url,
        "language": "en",
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _sitemap(outlet: DemoOutlet, articles: tuple[DemoArticle, ...], changed_at: datetime, self_url: str) -> str:
    publication = f"<news:publication>{_tag('news:name', outlet.name)}{_tag('news:language', 'en')}</news:publication>"
    lines = [
        _declaration(outlet),
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">',
    ]
    for article in articles:
        lines += [
            "<url>",
            _tag("loc", _link(outlet, article)),
            _tag("lastmod", _iso(article.updated_at)),
            "<news:news>",
            publication,
            _tag("news:publication_date", _iso(article.at)),
            _tag("news:title", article.title),
            "</news:news>",
            "</url>",
        ]
    return "\n".join([*lines, "</urlset>", ""])


_Writer = Callable[[DemoOutlet, tuple[DemoArticle, ...], datetime, str], str]
_WRITERS: dict[str, _Writer] = {"rss2": _rss2, "rss1": _rss1, "atom": _atom, "json": _json, "sitemap": _sitemap}


def _link(outlet: DemoOutlet, article: DemoArticle) -> str:
    if outlet.key == RELATIVE_LINKS:
        return article.url.removeprefix(f"https://www.{outlet.domain}")
    if outlet.key == TAGS_LINKS:
        medium = f"update-{len(article.edits)}" if article.edits else "feed"
        return f"{article.url}?utm_source=rss&utm_medium={medium}"
    return article.url


def _html(outlet: DemoOutlet, article: DemoArticle) -> str:
    words = _with_entities if outlet.key == HTML_ENTITIES else lambda text: html_escape(text, False)
    return "\n".join(f"<p>{words(paragraph)}</p>" for paragraph in article.text.split("\n\n"))


def _with_entities(text: str) -> str:
    """HTML as some content systems write it: a name or a number for every character that could ever hurt."""
    return (
        "".join(_ENTITIES.get(char, char) for char in html_escape(text, False))
        .encode("ascii", "xmlcharrefreplace")
        .decode()
    )


def _declaration(outlet: DemoOutlet) -> str:
    return f'<?xml version="1.0" encoding="{"windows-1252" if outlet.key == WINDOWS_1252 else "utf-8"}"?>'


def _tag(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _tag_cdata(name: str, markup: str) -> str:
    return f"<{name}><![CDATA[{markup}]]></{name}>"  # no "]]>" in it: the words of our markup are escaped


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
