"""Articles and feeds as text that other programs read: JSON lines, CSV, Atom, OPML. Values in, text out; pure.

All but Atom come piece by piece, so that an archive of any size passes through.
"""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

from pipeline import text
from pipeline.model import Article, Feed
from pipeline.times import maybe_stamp, stamp
from pipeline.urls import OutletBook, host_of

Kept: TypeAlias = tuple[Article, int | None, tuple[str, ...]]
"""An article, the id of the one it copies, and the topics it is on."""

KEYS = (
    "id", "title", "summary", "text", "url", "published_at", "lang", "outlet",
    "first_seen_at", "authors", "copy_of", "topics", "agency",
)  # fmt: skip
"""What is told of an article. `newsbeat import` and `newsbeat topic score` read the first eight."""

MAX_TITLE, MAX_LEAD = 80, 500
"""Characters of its text that stand for an article's missing headline and summary in Atom."""

DIVIDER = "; "
"""What divides several names in one cell of CSV."""

# What XML 1.0 cannot carry (https://www.w3.org/TR/xml/#charsets).
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def fields(kept: Kept) -> dict[str, object]:
    """What is told of one article, by KEYS. Times are stamps; what nobody said is `None`."""
    article, copy_of, topics = kept
    return {
        "id": article.id,
        "title": article.title,
        "summary": article.summary,
        "text": article.text,
        "url": article.url,
        "published_at": maybe_stamp(article.published_at),
        "lang": article.lang,
        "outlet": article.outlet,
        "first_seen_at": stamp(article.first_seen_at),
        "authors": list(article.authors),
        "copy_of": copy_of,
        "topics": list(topics),
        "agency": article.agency,
    }


def jsonl(articles: Iterable[Kept]) -> Iterator[str]:
    """One JSON object a line."""
    for kept in articles:
        yield json.dumps(fields(kept), ensure_ascii=False) + "\n"


def table(articles: Iterable[Kept]) -> Iterator[str]:
    """CSV (RFC 4180) with a line of column names.

    A cell that a spreadsheet would take for a formula has an apostrophe before it.
    """
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(KEYS)
    for kept in articles:
        yield _taken(line)
        writer.writerow([_cell(value) for value in fields(kept).values()])
    yield _taken(line)


def _cell(value: object) -> object:
    words = DIVIDER.join(value) if isinstance(value, list) else value
    return text.spreadsheet(words) if isinstance(words, str) else words


def _taken(line: io.StringIO) -> str:
    """What was written since the last time."""
    words = line.getvalue()
    line.seek(0)
    line.truncate()
    return words


def atom(articles: Sequence[Kept], title: str, name: str) -> str:
    """An Atom feed (RFC 4287) of these articles, newest first. `name` tells one such feed of ours from another.

    Holds nothing that changes by itself: the same articles are the same text.
    """
    moments = [article.published_at or article.first_seen_at for article, _, _ in articles]
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{uuid.uuid5(uuid.NAMESPACE_URL, f'newsbeat:export:{name}').urn}</id>",
        f"<title>{_text(title)}</title>",
        f"<updated>{stamp(max(moments)) if moments else '1970-01-01T00:00:00Z'}</updated>",
        f"<author><name>{_text(title)}</name></author>",
        "<generator>Newsbeat</generator>",
    ]
    for (article, _, topics), at in zip(articles, moments, strict=True):
        is_page = article.url.startswith(("http://", "https://"))
        # An entry that leads nowhere has to hold its content (RFC 4287, 4.1.2).
        said = "summary" if is_page else "content"
        words = article.summary or text.clip(article.text, MAX_LEAD)
        lines += [
            "<entry>",
            f"<id>{uuid.uuid5(uuid.NAMESPACE_URL, article.url).urn}</id>",
            f"<title>{_text(article.title or text.clip(article.text, MAX_TITLE) or article.url)}</title>",
            f"<updated>{stamp(at)}</updated>",
            f"<published>{stamp(at)}</published>",
            *(f"<author><name>{_text(author)}</name></author>" for author in article.authors or (article.outlet,)),
            *([f'<link rel="alternate" type="text/html" href={_attribute(article.url)}/>'] if is_page else []),
            *(f"<category term={_attribute(topic)}/>" for topic in topics),
            f'<{said} type="text">{_text(words)}</{said}>',
            "</entry>",
        ]
    return "\n".join([*lines, "</feed>", ""])


def opml(feeds: Iterable[Feed], outlets: OutletBook, title: str) -> Iterator[str]:
    """OPML 2.0 of the feeds, those of one family under one outline, families and feeds in the order they come in."""
    families: dict[str, list[tuple[str, str]]] = {}
    for feed in feeds:
        outlet = outlets.named(feed.outlet) if feed.outlet else outlets.of_url(feed.url)
        name = feed.title or (outlet.name if outlet else host_of(feed.url))
        families.setdefault(outlet.family if outlet else name, []).append((name, feed.url))
    yield '<?xml version="1.0" encoding="utf-8"?>\n<opml version="2.0">\n'
    yield f"<head><title>{_text(title)}</title></head>\n<body>\n"
    for family, members in families.items():
        yield f"<outline text={_attribute(family)}>\n"
        for name, url in members:
            yield f'  <outline type="rss" text={_attribute(name)} title={_attribute(name)} xmlUrl={_attribute(url)}/>\n'
        yield "</outline>\n"
    yield "</body>\n</opml>\n"


def _text(words: str) -> str:
    return escape(_ILLEGAL.sub("", words))


def _attribute(words: str) -> str:
    return quoteattr(_ILLEGAL.sub("", words))
