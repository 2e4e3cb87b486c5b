"""Feeds for benches: real ones where they lie beside the project, and invented ones shaped like them.

Invented: RSS with summaries, RSS with whole articles as HTML, Atom, RSS 1.0.

English words drawn as often as they are used, events that several feeds tell, wire copies that several feeds run.
Deterministic: feed `number` in version `fresh` has the same bytes everywhere; `fresh` counts what came since.
"""

from __future__ import annotations

import io
import os
import random
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from itertools import accumulate
from pathlib import Path

from wordfreq import top_n_list, word_frequency

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
WORDS = 30_000
EVENT_SHARE = 0.12
"""Of the entries, how many tell an event that other feeds tell too."""
COPY_SHARE = 0.03
"""Of the entries, how many carry the words of a wire service."""
EVENTS = 300


DATA = Path(os.environ.get("NEWSBEAT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
_REAL = "kagisearch+fastfeedparser/benchmark_data_"
_ITEM = re.compile(rb"<(item|entry)[\s>].*?</\1>", re.S)
_NAME = re.compile(rb"(<(?:guid|id|link|title)(?:\s[^>]*)?>\s*(?:<!\[CDATA\[)?|<link\s[^>]*href=[\"'])([^<\]\"'>]+)")


@dataclass(frozen=True, slots=True)
class Item:
    """One invented entry in plain words."""

    link: str
    title: str
    lead: str
    paragraphs: tuple[str, ...]
    at: datetime


@cache
def vocabulary() -> tuple[list[str], list[float]]:
    """Words, the commonest first, and their frequencies added up."""
    words = top_n_list("en", WORDS)
    return words, list(accumulate(word_frequency(word, "en") for word in words))


def sentence(draw: random.Random, length: int, extra: tuple[str, ...] = ()) -> str:
    """`length` words as English uses them, those of `extra` among them, with a capital and a full stop."""
    words, weights = vocabulary()
    drawn = draw.choices(words, cum_weights=weights, k=length)
    for word in extra:
        drawn[draw.randrange(length)] = word
    return " ".join(drawn).capitalize() + "."


def item(number: int, index: int, entries: int) -> Item:
    """Entry `index` of feed `number`; the higher the index, the newer."""
    draw = random.Random(number * 100_003 + index)
    link = f"https://site{number}.example/news/{index}-{draw.randrange(10**6)}"
    at = START - timedelta(minutes=13 * (entries - index))
    event: tuple[str, ...] = ()
    kind = draw.random()
    if kind < EVENT_SHARE + COPY_SHARE:
        same = random.Random(draw.randrange(EVENTS))
        words, _ = vocabulary()
        event = tuple(same.choices(words[4000:], k=9))
        if kind < COPY_SHARE:
            draw = same
    title = sentence(draw, 9, event[:4])[:-1]
    lead = sentence(draw, draw.randint(18, 40), event[2:7])
    paragraphs = tuple(sentence(draw, draw.randint(25, 60), event[4:]) for _ in range(draw.randint(4, 9)))
    return Item(link, title, lead, paragraphs, at)


def feed(number: int, entries: int, fresh: int = 0) -> bytes:
    """Feed `number` with its `entries` latest entries, `fresh` of which came since version 0."""
    items = [item(number, index, entries) for index in range(fresh, entries + fresh)]
    items.reverse()
    kind = number % 20
    if kind < 11:
        return _rss(number, items, whole=False)
    if kind < 16:
        return _rss(number, items, whole=True)
    if kind < 19:
        return _atom(number, items)
    return _rdf(number, items)


def _rss(number: int, items: list[Item], *, whole: bool) -> bytes:
    def one(entry: Item) -> str:
        body = f"<content:encoded><![CDATA[{_html(entry)}]]></content:encoded>" if whole else ""
        return (
            f"<item><title><![CDATA[{entry.title}]]></title><link>{entry.link}?utm_source=rss</link>"
            f'<guid isPermaLink="false">{entry.link}</guid><pubDate>{format_datetime(entry.at)}</pubDate>'
            f"<description>&lt;p&gt;{entry.lead}&lt;/p&gt;</description><category>news</category>{body}"
            f'<media:thumbnail url="{entry.link}.jpg" width="144" height="81"/></item>'
        )

    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/"'
        ' xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>Site {number}</title><link>https://site{number}.example/</link><description>News</description>"
        f"<language>en</language>{''.join(map(one, items))}</channel></rss>"
    ).encode()


def _atom(number: int, items: list[Item]) -> bytes:
    def one(entry: Item) -> str:
        html = _html(entry).replace("&", "&amp;").replace("<", "&lt;")
        return (
            f"<entry><id>tag:site{number}.example,2026:{entry.link}</id><title>{entry.title}</title>"
            f'<link rel="alternate" href="{entry.link}"/><published>{entry.at:%Y-%m-%dT%H:%M:%SZ}</published>'
            f"<updated>{entry.at:%Y-%m-%dT%H:%M:%SZ}</updated><author><name>Desk</name></author>"
            f'<content type="html">{html}</content></entry>'
        )

    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>tag:site{number}.example,2026:feed</id><title>Site {number}</title>"
        f"<updated>{START:%Y-%m-%dT%H:%M:%SZ}</updated>{''.join(map(one, items))}</feed>"
    ).encode()


def _rdf(number: int, items: list[Item]) -> bytes:
    def one(entry: Item) -> str:
        return (
            f'<item rdf:about="{entry.link}"><title>{entry.title}</title><link>{entry.link}</link>'
            f"<description>{entry.lead}</description><dc:date>{entry.at:%Y-%m-%dT%H:%M:%SZ}</dc:date></item>"
        )

    return (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<channel rdf:about="https://site{number}.example/"><title>Site {number}</title>'
        f"<link>https://site{number}.example/</link></channel>{''.join(map(one, items))}</rdf:RDF>"
    ).encode()


def _html(entry: Item) -> str:
    """The lead and the paragraphs as a content system writes them: classes, links, a picture, a list."""
    picture = (
        '<figure class="wp-block-image size-large">'
        f'<img decoding="async" width="1024" height="683" src="{entry.link}.jpg"'
        f' srcset="{entry.link}-300.jpg 300w, {entry.link}-768.jpg 768w" alt="{entry.title}"/>'
        f"<figcaption>{entry.title}</figcaption></figure>"
    )
    body = "".join(
        f'<p class="wp-block-paragraph">{words[:40]}<a href="{entry.link}/{n}" rel="noopener">{words[40:60]}</a>'
        f"<strong>{words[60:75]}</strong>{words[75:]}</p>\n"
        for n, words in enumerate((entry.lead, *entry.paragraphs))
    )
    return picture + body


@cache
def real() -> tuple[bytes, ...]:
    """The documents of 200 real feeds that `../shared/data/feeds.tar.gz` holds; none when it is not there."""
    try:
        with tarfile.open(DATA / "feeds.tar.gz") as archive:
            members = sorted((one for one in archive if _REAL in one.name), key=lambda one: one.name)
            found = [(archive.extractfile(one) or io.BytesIO()).read() for one in members if one.isfile()]
    except OSError:
        return ()
    return tuple(found)


def renewed(document: bytes, fresh: int) -> bytes:
    """A real document with `fresh` more entries: its first one again under other names and with another headline."""
    first = _ITEM.search(document)
    if first is None:
        return document
    more = b"".join(
        _NAME.sub(lambda found, n=n: found[1] + found[2].strip() + b"-%d" % n, first[0])  # type: ignore[misc]
        for n in range(fresh, 0, -1)
    )
    return document[: first.start()] + more + document[first.start() :]


def documents(count: int) -> Iterator[str]:
    """Texts to seed topics from, about events that the feeds tell."""
    for number in range(count):
        same = random.Random(number)
        words, _ = vocabulary()
        event = tuple(same.choices(words[4000:], k=9))
        yield "\n\n".join(sentence(same, 45, event) for _ in range(6))
