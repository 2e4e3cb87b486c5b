"""RSS 0.9x to 2.0, RSS 1.0 and Atom to a ParsedFeed, by feedparser.

feedparser's own sanitising is off: it is two thirds of its time, and what we keep is made plain text by `extract`.
Encodings are told apart as RFC 7303 says: byte order mark, then the charset parameter, then the XML declaration.
"""

from __future__ import annotations

import calendar
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed
from pipeline.parse import entry
from pipeline.urls import canonical

MAX_HINT = timedelta(hours=24)
"""Longest wait taken from a feed's own hints (fetch contract N4)."""

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.I)
_ENTITY = re.compile(rb"<!ENTITY", re.I)
_ITEM_END = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>", re.I)
_ROOT_END = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>", re.I)
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def read(body: bytes, url: str, content_type: str | None = None) -> ParsedFeed:
    """The feed's entries; what is ill-formed is salvaged and said in `flaw`.

    `whole` is False when the document is cut off: its complete entries count, the cut one is left for the next poll.
    Raises ParseError when nothing in the body is a feed, or when it declares entities (contract N13).
    """
    if _ENTITY.search(body[:65536]):
        raise ParseError(url, "declares XML entities, which are refused")
    charset = _CHARSET.search(content_type or "")
    headers = {
        "content-type": "application/xml" + (f"; charset={charset.group(1)}" if charset else ""),
        "content-location": url,
    }
    read = feedparser.parse(
        io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    if not read.version and not read.entries:
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
        hint=_hint(read.feed),
        skip_hours=_skip_hours(read.feed),
        skip_days=_skip_days(read.feed),
        skipped=len(items) - len(kept),
        flaw=_flaw(read, whole, len(items)),
        whole=whole,
    )


def _draft(item: Any, base: str, lang: str | None) -> entry.Draft:
    content = max((part.get("value") or "" for part in item.get("content", ())), key=len, default="")
    summary = item.get("summary") or None
    if content and content == summary:
        summary = None
    link = item.get("link")
    if not link:
        link = next((e.get("href") for e in item.get("links", ()) if e.get("rel") == "alternate"), None)
    return entry.Draft(
        guid=(item.get("id") or "").strip() or None,
        url=canonical(link, base) if link else None,
        title=item.get("title") or None,
        summary=summary,
        content=content or None,
        authors=_authors(item),
        published_at=_moment(item.get("published_parsed") or item.get("updated_parsed")),
        lang=lang,
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


def _hint(feed: Any) -> timedelta | None:
    """The longest wait the feed asks for: `ttl` in minutes, or updatePeriod / updateFrequency (contract T1, T8)."""
    hours = [0.0]
    if str(feed.get("ttl", "")).strip().isdigit():
        hours.append(int(feed["ttl"].strip()[:9]) / 60)
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower())
    if period:
        frequency = str(feed.get("sy_updatefrequency", "1")).strip()
        hours.append(period / max(1, int(frequency[:6]) if frequency.isdigit() else 1))
    longest = min(timedelta(hours=min(max(hours), 10_000)), MAX_HINT)
    return longest or None


def _skip_hours(feed: Any) -> frozenset[int]:
    listed = str(feed.get("hour", "") or "").split()
    return frozenset(int(hour) % 24 for hour in listed if hour.isdigit() and int(hour) <= 24)


def _skip_days(feed: Any) -> frozenset[int]:
    listed = str(feed.get("day", "") or "").lower().split()
    return frozenset(_DAYS.index(day) for day in listed if day in _DAYS)


def _flaw(read: Any, whole: bool, seen: int) -> str | None:
    flaws = []
    if not whole:
        flaws.append("the document is cut off; its complete entries were kept")
    elif read.bozo and not isinstance(
        read.bozo_exception, feedparser.CharacterEncodingOverride | feedparser.NonXMLContentType
    ):
        flaws.append(f"not well-formed ({_said(read.bozo_exception)}); what could be read was kept")
    if seen > entry.MAX_ENTRIES:
        flaws.append(f"only the first {entry.MAX_ENTRIES} of {seen} entries were read")
    return "; ".join(flaws) or None


def _said(error: BaseException | None) -> str:
    """feedparser's finding in one short line, without the document in it."""
    message = getattr(error, "getMessage", lambda: str(error))()
    return " ".join(str(message).split())[:120]
