"""The two tiers of reading feeds, and feedparser as it is released, on one body: what each says, where they differ."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import feedparser
import feedparser.datetimes
from feedparser.mixin import _FeedParserMixin as Mixin
from feedparser.namespaces import mediarss

from pipeline.errors import ParseError
from pipeline.model import Entry, ParsedFeed
from pipeline.parse import dates, entry, judge, sniff, xml
from pipeline.parse.names import Refused
from tests.bench.corpus import DATA

URL = "https://feeds.example.org/news/world.xml"
OF_ENTRY = tuple(one.name for one in fields(Entry) if one.name != "raw_hash")
OF_FEED = tuple(one.name for one in fields(ParsedFeed) if one.name not in ("entries", "flaw"))


@dataclass(frozen=True, slots=True)
class Sides:
    """What the first tier says of a body, or why it refuses it, and what the second says of the same."""

    first: ParsedFeed | Refused
    second: ParsedFeed | ParseError
    fault: str | None


def both(body: bytes, content_type: str | None = None, url: str = URL) -> Sides | None:
    """Both tiers on one body; `None` when it is no XML."""
    sniffed, is_utf8 = sniff.utf8(body)
    if sniff.kind(sniffed) != "xml":
        return None
    first, rest, fault = xml._first_tier(sniffed, url, "charset=utf-8" if is_utf8 else content_type)
    try:
        return Sides(first, judge.read(rest, url), fault)
    except ParseError as error:
        return Sides(first, error, fault)


def differences(ours: ParsedFeed, theirs: ParsedFeed) -> list[tuple[str, object, object]]:
    """Every value our product uses that differs: (place, ours, theirs)."""
    found: list[tuple[str, object, object]] = [
        (name, getattr(ours, name), getattr(theirs, name))
        for name in OF_FEED
        if getattr(ours, name) != getattr(theirs, name)
    ]
    if len(ours.entries) != len(theirs.entries):
        return [*found, ("entries", len(ours.entries), len(theirs.entries))]
    for n, (our, their) in enumerate(zip(ours.entries, theirs.entries, strict=True)):
        found += [
            (f"entries[{n}].{name}", getattr(our, name), getattr(their, name))
            for name in OF_ENTRY
            if getattr(our, name) != getattr(their, name)
        ]
    return found


def released(body: bytes, url: str = URL) -> ParsedFeed:
    """What feedparser says as it is released, sanitising off: without our rules, on the body as it came."""
    with _without_our_rules():
        headers = {"content-type": "application/xml", "content-location": url}
        read = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
        lang = read.feed.get("language") or None
        drafts = [judge._draft(item, url, lang) for item in read.entries[: entry.MAX_ENTRIES]]
    kept = [draft for draft in drafts if not entry.is_empty(draft)]
    links = [(str(one.get("rel")), str(one.get("href") or "")) for one in read.feed.get("links", ())]
    return ParsedFeed(
        title=read.feed.get("title") or None,
        entries=entry.name(url, kept),
        lang=lang,
        links=entry.links(links, url),
    )


def head_alike(parsed: ParsedFeed) -> ParsedFeed:
    """A feed with only those of its own values that `released` gives."""
    return replace(ParsedFeed(parsed.title, parsed.entries, parsed.lang), links=parsed.links)


@contextmanager
def _without_our_rules() -> Iterator[None]:
    ours = (Mixin._start_media_description, Mixin._end_media_description)
    Mixin._start_media_description = mediarss.Namespace._start_media_description
    Mixin._end_media_description = mediarss.Namespace._end_media_description
    feedparser.datetimes._date_handlers.remove(dates._first)
    try:
        yield
    finally:
        feedparser.datetimes._date_handlers.insert(0, dates._first)
        Mixin._start_media_description, Mixin._end_media_description = ours


def real_feeds() -> Iterator[tuple[str, bytes]]:
    """Every feed in XML of the data beside the project: (name, body). Nothing when the data is not there."""
    path = DATA / "feeds.tar.gz"
    if not path.exists():
        return
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and not member.name.endswith((".jsonl", ".opml")):
                body = archive.extractfile(member)
                assert body is not None
                yield member.name.removeprefix("feeds/"), body.read()
