"""The second tier of reading RSS and Atom: feedparser, with the few rules in which it is wrong put right.

feedparser's own sanitising is off: it is two thirds of its time, and what we keep is made plain text by `extract`.
Hostile input may keep it busy for long: it belongs in a worker process.
"""

from __future__ import annotations

import calendar
import io
import re
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat

import feedparser
from feedparser.mixin import _FeedParserMixin as FeedParserMixin

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed
from pipeline.parse import entry, names
from pipeline.urls import canonical

# A guid is opaque (contract I1): feedparser would make "story-7" an address of the feed's host, and another one after
# the feed moves.
FeedParserMixin.can_be_relative_uri = FeedParserMixin.can_be_relative_uri - {"id"}


def _start_caption(self: FeedParserMixin, _attributes: dict[str, str]) -> None:
    self.push("media_description", 1)


def _end_caption(self: FeedParserMixin) -> None:
    if said := self.pop("media_description"):
        self._get_context().setdefault("media_caption", said)


# A media:description is the caption of a picture. feedparser lets it take the place of <description>.
FeedParserMixin._start_media_description = _start_caption
FeedParserMixin._end_media_description = _end_caption


_sync_author = FeedParserMixin._sync_author_detail


def _own_author_detail(self: FeedParserMixin, key: str = "author") -> None:
    _sync_author(self, key)
    context = self._get_context()
    detail = dict.get(context, f"{key}_detail")
    if any(detail is person for person in dict.get(context, f"{key}s", ())):
        context[f"{key}_detail"] = feedparser.FeedParserDict(detail)


# feedparser keeps the first author's details as those of the entry, and writes the second author's name over them.
FeedParserMixin._sync_author_detail = _own_author_detail


def _start_unread(self: FeedParserMixin, _attributes: dict[str, str]) -> None:
    self.push("unread", 0)


def _end_unread(self: FeedParserMixin) -> None:
    self.pop("unread")


for _name in names.RESERVED:
    setattr(FeedParserMixin, f"_start_{_name}", _start_unread)
    setattr(FeedParserMixin, f"_end_{_name}", _end_unread)

MAX_DEPTH = 256
"""Deepest nesting of elements that is read (fetch contract N13)."""

# How feedparser trips over markup no feed would hold on purpose, such as </link> in an odd place or &#xd800;.
_STUMBLES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)

_ENTITY = re.compile(rb"<!ENTITY", re.I)
_ITEM_END = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>", re.I)
_ROOT_END = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>", re.I)
_SKIP_HOURS = re.compile(rb"<skipHours\b.*?</skipHours", re.I | re.S)
_SKIP_DAYS = re.compile(rb"<skipDays\b.*?</skipDays", re.I | re.S)
_HOUR = re.compile(rb"<hour>\s*(\d{1,2})\s*<", re.I)
_DAY = re.compile(rb"<day>\s*([a-z]+)\s*<", re.I)


def read(body: bytes, url: str) -> ParsedFeed:
    """The entries of the feed in `body`, which is UTF-8; what is ill-formed is salvaged and said in `flaw`.

    `whole` is False when the document is cut off: its complete entries count, the cut one is left for the next poll.
    Raises ParseError when nothing in the body is a feed, or when it is dangerous to read (contract N13).
    """
    _refuse_hostile(body, url)
    try:
        read = _parsed(body, url)
    except _STUMBLES as error:
        raise ParseError(url, f"the answer is too broken to read ({type(error).__name__})") from None
    if not read.get("version") and not read.entries:  # of some bodies feedparser says nothing at all
        why = f": {_said(read.bozo_exception)}" if read.bozo else ""
        raise ParseError(url, f"the answer is not a feed{why}")
    items = list(read.entries)
    whole = not read.bozo or bool(_ROOT_END.search(body[-4096:]))
    if not whole and len(items) > len(_ITEM_END.findall(body)):
        items = items[:-1]
    lang = read.feed.get("language") or None
    drafts = [_draft(item, url, lang) for item in items[: entry.MAX_ENTRIES]]
    kept = [draft for draft in drafts if not entry.is_empty(draft)]
    return ParsedFeed(
        title=read.feed.get("title") or None,
        entries=entry.name(url, kept),
        lang=lang,
        hint=entry.hint({key: read.feed.get(key) for key in entry.HINTS}),
        skip_hours=_skip_hours(body) if "hour" in read.feed else frozenset(),
        skip_days=_skip_days(body) if "day" in read.feed else frozenset(),
        skipped=len(drafts) - len(kept),
        flaw="; ".join(_flaws(read, whole) + entry.cuts(drafts, len(items))) or None,
        whole=whole,
        links=entry.links(
            [(str(one.get("rel")), str(one.get("href") or "")) for one in read.feed.get("links", ())], url
        ),
    )


def _refuse_hostile(body: bytes, url: str) -> None:
    """Raises ParseError for entity declarations and for nesting that no feed needs, before feedparser sees them.

    Read as Latin-1, in which every byte is a character: what matters here is ASCII. Where the document is ill-formed
    this stops; feedparser then reads it loosely, and expands none but plain entities.
    """
    depth = 0

    def start(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ParseError(url, f"nested more than {MAX_DEPTH} deep; no feed is")

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def declared(name: str, *_: object) -> None:
        raise ParseError(url, f"declares the entity {name!r}; entity declarations are refused")

    parser = expat.ParserCreate("iso-8859-1")
    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = start, end, declared
    try:
        parser.Parse(body.lstrip(), True)
    except expat.ExpatError:
        if _ENTITY.search(body[:65536]):
            raise ParseError(url, "declares XML entities, which are refused") from None


def _parsed(body: bytes, url: str) -> Any:
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    return feedparser.parse(
        io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )


def _draft(item: Any, base: str, lang: str | None) -> entry.Draft:
    content = max((part.get("value") or "" for part in item.get("content", ())), key=len, default="")
    summary = item.get("summary") or item.get("media_caption") or None
    if content and content == summary:
        summary = None
    # Where a service counts clicks, the address behind its own is told too. Of an element with attributes that it does
    # not know feedparser gives those in place of its words.
    told = (item.get(key) for key in ("feedburner_origlink", "pheedo_origlink", "link"))
    link = next((said for said in told if isinstance(said, str) and said), None)
    source = item.get("source") or {}
    if link and link == item.get("id") and not link.lower().startswith(("http://", "https://")):
        # feedparser takes a guid for a link unless it says isPermaLink="false"; one that is no address is no link.
        link = None
    if not link:
        link = next((e.get("href") for e in item.get("links", ()) if e.get("rel") == "alternate"), None)
    return entry.Draft(
        guid=(item.get("id") or "").strip() or None,
        url=canonical(link, base) if link else None,
        title=item.get("title") or None,
        summary=summary,
        content=content or None,
        authors=_authors(item),
        # dict.get, since feedparser's own warns and then gives the date of publication.
        published_at=_moment(item.get("published_parsed")) or _moment(dict.get(item, "updated_parsed")),
        lang=lang,
        publisher=source.get("title") or None,
        publisher_url=source.get("href") or None,
    )


def _authors(item: Any) -> tuple[str, ...]:
    names = [person.get("name") or "" for person in item.get("authors", ())] or [item.get("author") or ""]
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def _moment(parsed: Any) -> datetime | None:
    if not parsed:
        return None
    try:
        return entry.moment(datetime.fromtimestamp(calendar.timegm(parsed), tz=UTC))
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _skip_hours(body: bytes) -> frozenset[int]:
    """The hours listed in skipHours. From the body: feedparser keeps only the last one."""
    listed = _SKIP_HOURS.search(body)
    hours = [int(hour) for hour in _HOUR.findall(listed.group())] if listed else []
    return frozenset(hour % 24 for hour in hours if hour <= 24)


def _skip_days(body: bytes) -> frozenset[int]:
    """The weekdays listed in skipDays, Monday as 0."""
    listed = _SKIP_DAYS.search(body)
    days = [day.decode().lower() for day in _DAY.findall(listed.group())] if listed else []
    return frozenset(entry.DAYS.index(day) for day in days if day in entry.DAYS)


def _flaws(read: Any, whole: bool) -> list[str]:
    if not whole:
        return ["the document is cut off; its complete entries were kept"]
    if read.bozo and not isinstance(
        read.bozo_exception, feedparser.CharacterEncodingOverride | feedparser.NonXMLContentType
    ):
        return [f"not well-formed ({_said(read.bozo_exception)}); what could be read was kept"]
    return []


def _said(error: BaseException | None) -> str:
    """feedparser's finding in one short line, without the document in it."""
    message = getattr(error, "getMessage", lambda: str(error))()
    return " ".join(str(message).split())[:120]
