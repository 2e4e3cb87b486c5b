"""RSS 0.9x to 2.0, RSS 1.0 and Atom to a ParsedFeed, in two tiers: `exact` where it knows all, `judge` for the rest.

Encodings are told apart as RFC 7303 says: byte order mark, then the charset parameter, then the XML declaration.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace

from pipeline.model import ParsedFeed
from pipeline.parse import dates, entry, exact, judge, mend, names
from pipeline.parse.exact import IllFormed
from pipeline.parse.fields import Document, Item
from pipeline.parse.names import Refused
from pipeline.urls import canonical

AT_ONCE = 0.05
"""Longest time in seconds that a process which serves others is kept by one feed: what the largest of 604 real feeds
takes (2.5 MB, 235 entries), and less than keeping a hundred new entries does."""

MAX_AT_ONCE = 3 * 1024 * 1024
MAX_EQUALS = 40_000
"""Most bytes, and most "=", of a feed read at once: expat hands over all attributes of an element in one piece."""

UNCLOSED = "a field of an entry is never closed"

_HOUR = re.compile(r"\d{1,2}", re.A)


def read(body: bytes, url: str, content_type: str | None = None) -> ParsedFeed:
    """The feed's entries; what is ill-formed is salvaged and said in `flaw`.

    `whole` is False when the document is cut off: its complete entries count, the cut one is left for the next poll.
    Raises ParseError when nothing in the body is a feed, or when it is dangerous to read (contract N13).
    """
    first, rest, fault = _first_tier(body, url, content_type)
    return first if isinstance(first, ParsedFeed) else _flawed(judge.read(rest, url), fault)


def at_once(body: bytes, url: str, content_type: str | None = None) -> ParsedFeed | None:
    """The feed, if the first tier can read it as it stands and within `AT_ONCE` seconds; else `None`, and no harm done.

    For the process that must not be kept: what is too large, too slow or in need of mending is left to a worker.
    """
    if len(body) > MAX_AT_ONCE or body.count(b"=") > MAX_EQUALS:
        return None
    until = time.thread_time() + AT_ONCE
    tried = mend.encodings(body, content_type)
    plain = body if tried[0] == "utf-8" else mend.utf8(body, tried)
    try:
        return _feed(exact.read(plain, url, lambda: time.thread_time() > until), url, until)
    except (Refused, IllFormed):
        return None


def quick(body: bytes, url: str, content_type: str | None = None) -> ParsedFeed | Refused:
    """What the first tier makes of a feed, or why it leaves it to the second. Takes time in proportion to the body."""
    return _first_tier(body, url, content_type)[0]


def _first_tier(body: bytes, url: str, content_type: str | None) -> tuple[ParsedFeed | Refused, bytes, str | None]:
    """What the first tier says; the body in UTF-8, mended where that helps; and what was mended."""
    tried = mend.encodings(body, content_type)
    plain = body if tried[0] == "utf-8" else mend.utf8(body, tried)
    fault = None
    if plain[:1].isspace():
        plain = plain.lstrip()
        fault = "white space before the XML declaration" if plain.startswith(b"<?xml") else None
    refused: Refused | None = None
    first = second = fault
    try:
        return _flawed(_feed(exact.read(plain, url), url), fault), plain, fault
    except Refused as why:
        refused = why
    except IllFormed as error:
        first = str(error)
    better = plain = plain if tried[0] != "utf-8" else mend.utf8(plain, tried)
    if refused is None:
        better = mend.mended(plain)
        try:
            return _flawed(_feed(exact.read(better, url), url), first), better, first
        except Refused as why:
            refused = why
        except IllFormed as error:
            second = str(error)
    # What is not known within a field may be the next field, of one that is never closed.
    closed = mend.closed(better)
    if refused and (closed == better or mend.is_well_formed(better)):
        return refused, better, first
    try:
        return _flawed(_feed(exact.read(closed, url), url), first or UNCLOSED), closed, first or UNCLOSED
    except Refused as why:
        return why, closed, first or UNCLOSED
    except IllFormed:
        return (refused, better, first) if refused else (Refused(f"not well-formed: {second}"), plain, fault)


def _flawed(parsed: ParsedFeed, fault: str | None) -> ParsedFeed:
    """Also says what was mended before the document could be read, unless worse is said already."""
    if fault is None or (parsed.flaw and ("not well-formed" in parsed.flaw or not parsed.whole)):
        return parsed
    said = f"not well-formed ({fault}); what could be read was kept"
    return replace(parsed, flaw=f"{said}; {parsed.flaw}" if parsed.flaw else said)


def _feed(document: Document, url: str, until: float | None = None) -> ParsedFeed:
    lang = document.lang or None
    drafts = []
    for item in document.items:
        if until and time.thread_time() > until:
            raise Refused("it takes long")
        drafts.append(_draft(item, url, lang))
    kept = [draft for draft in drafts if not entry.is_empty(draft)]
    return ParsedFeed(
        title=document.title or None,
        entries=entry.name(url, kept),
        lang=lang,
        hint=entry.hint(document.said),
        skip_hours=frozenset(int(hour) % 24 for hour in document.hours if _HOUR.fullmatch(hour) and int(hour) <= 24),
        skip_days=frozenset(entry.DAYS.index(day.lower()) for day in document.days if day.lower() in entry.DAYS),
        skipped=len(drafts) - len(kept),
        flaw="; ".join(([document.flaw] if document.flaw else []) + entry.cuts(drafts, document.seen)) or None,
        whole=document.whole,
        links=entry.links(document.links, url),
    )


def _draft(item: Item, base: str, lang: str | None) -> entry.Draft:
    contents = item.contents
    content = (contents[0] if len(contents) == 1 else max(contents, key=len)) if contents else None
    summary = item.summary or item.caption
    if content and content == summary:
        summary = None
    # Where a service counts clicks, the address behind its own is told too.
    guid, link = item.id, item.link
    if item.origins:
        link = next((item.origins[name] for name in names.ORIGINS if item.origins.get(name)), link)
    if link and link == guid and not link.lower().startswith(("http://", "https://")):
        # A guid counts as a link unless it says isPermaLink="false"; one that is no address is no link.
        link = None
    if not link:
        link = next((href for rel, href in item.links if rel == "alternate"), None)
    at = dates.read(item.published) if item.published else None
    if at is None and item.updated:
        at = dates.read(item.updated)
    return entry.Draft(
        guid=(guid.strip() or None) if guid else None,
        url=canonical(link, base) if link else None,
        title=item.title or None,
        summary=summary or None,
        content=content or None,
        authors=_authors(item) if item.authors else (),
        published_at=at,
        lang=lang,
        publisher=item.publisher or None,
        publisher_url=item.publisher_url or None,
    )


def _authors(item: Item) -> tuple[str, ...]:
    said = [person.get("name") or "" for person in item.authors]
    return tuple(dict.fromkeys(name.strip() for name in said if name.strip()))
