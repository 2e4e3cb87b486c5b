"""What every format shares: limits, dates, and a name for each entry. Knows no format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urljoin

from pipeline import text
from pipeline.model import Entry
from pipeline.unwrap import is_opaque
from pipeline.urls import MAX_URL, canonical

# Fetch contract N12. What is longer is cut, and the feed's flaw says so.
MAX_ENTRIES = 2000
MAX_TITLE = 1000
MAX_TEXT = 500_000
MAX_AUTHORS = 20
MAX_AUTHOR = 200

MAX_HINT = timedelta(hours=24)
"""Longest wait taken from a feed's own hints (fetch contract N4)."""

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HINTS = ("ttl", "sy_updateperiod", "sy_updatefrequency")
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}

SHARED = 3
"""From so many headlines on one address in a document, the address is that of a page about all of them."""

LINKS = ("next", "prev-archive", "hub", "self")
"""What a document may say of itself: where older entries are (RFC 5005), and who tells of new ones (W3C WebSub)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An item before it has its name: `guid` is what the feed says, or nothing."""

    guid: str | None
    url: str | None
    title: str | None
    summary: str | None
    content: str | None
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    lang: str | None = None
    publisher: str | None = None
    publisher_url: str | None = None


def is_empty(draft: Draft) -> bool:
    """Whether an item says nothing at all, and is to be skipped and counted."""
    return not (draft.guid or draft.url or draft.title or draft.summary or draft.content)


def name(feed_url: str, drafts: Iterable[Draft]) -> tuple[Entry, ...]:
    """Each draft as an Entry whose guid is unique in the document.

    The feed's guid where it is there and used once; else the link; else title and date; else the content
    (contract I1, I2).
    An item that stands twice in one document, in every word, is one.
    """
    whole = [(draft, _raw_hash(draft)) for draft in (collected(clipped(draft)) for draft in drafts)]
    apart = {(raw_hash, draft.guid, draft.authors): draft for draft, raw_hash in whole}.values()
    crowded = _crowded(apart)
    guids = Counter(draft.guid for draft in apart)
    links = Counter(draft.url for draft in apart)
    entries: dict[str, Entry] = {}
    for draft, raw_hash in whole:
        if draft.guid and guids[draft.guid] == 1:
            guid = draft.guid
        elif draft.url and links[draft.url] == 1:
            guid = draft.url
        elif draft.title and draft.published_at:
            guid = f"urn:newsbeat:title:{text.digest(draft.title, _stamp(draft.published_at))}"
        else:
            guid = f"urn:newsbeat:content:{text.digest(draft.title, draft.summary, draft.content)}"
        if guid in entries and entries[guid].raw_hash != raw_hash:
            guid = f"urn:newsbeat:content:{raw_hash}"
        entries.setdefault(
            guid,
            Entry(
                feed_url=feed_url,
                guid=guid,
                url=_anchored(draft.url, guid, crowded),
                title=draft.title,
                summary=draft.summary,
                content=draft.content,
                authors=draft.authors,
                published_at=draft.published_at,
                lang=draft.lang,
                raw_hash=raw_hash,
                publisher=draft.publisher,
                publisher_url=draft.publisher_url,
            ),
        )
    return tuple(entries.values())


def _crowded(drafts: Iterable[Draft]) -> frozenset[str]:
    """The addresses that several items share as their home, rather than each having its page: a podcast's front page,
    one page of notes, the comments below an article. Two items are enough where the guid of each is a place on it."""
    held: dict[str, set[str | None]] = {}
    placed: Counter[str] = Counter()
    for draft in drafts:
        if draft.url:
            held.setdefault(draft.url, set()).add(draft.title or draft.summary or draft.guid)
            placed[draft.url] += _anchor(draft.url, draft.guid) is not None
    return frozenset(
        url for url, said in held.items() if len(said) >= SHARED or (len(said) > 1 and placed[url] >= len(said))
    )


def _anchor(url: str, guid: str | None) -> str | None:
    """The place on this page that a guid names. A bare number is no place: the BBC counts an article's versions so."""
    page, _, anchor = (guid or "").partition("#")
    return anchor if anchor and not anchor.isdecimal() and canonical(page) == url else None


def _anchored(url: str | None, guid: str, crowded: frozenset[str]) -> str | None:
    """An item's address; on a crowded page with the anchor of its guid, else with one of ours, which a browser passes
    over."""
    if not url or url not in crowded or is_opaque(url):
        return url
    anchor = _anchor(url, guid)
    return f"{url}#{quote(anchor, safe='/!:=&+,;@~%')[:200] if anchor else f'item-{text.digest(guid)[:12]}'}"


def _raw_hash(draft: Draft) -> str:
    # An aggregator's token is another at every fetch, and says nothing a reader could see.
    url = draft.publisher if is_opaque(draft.url) else draft.url
    return text.digest(url, draft.title, draft.summary, draft.content, _stamp(draft.published_at))


def collected(draft: Draft) -> Draft:
    """A draft of Google News as its outlet would give it: the headline without " - Outlet" at its end, the outlet's
    name, and no summary, since there it is a list of links to other outlets. Every other draft as it is.
    """
    if not is_opaque(draft.url):
        return replace(draft, publisher=None, publisher_url=None) if draft.publisher or draft.publisher_url else draft
    headline, publisher = text.line(draft.title) or "", text.line(draft.publisher)
    before, dash, after = headline.rpartition(" - ")
    if dash and before and (publisher is None or after.casefold() == publisher.casefold()):
        headline, publisher = before.strip(), publisher or after.strip()
    return replace(draft, title=headline or None, summary=None, content=None, publisher=publisher)


def clipped(draft: Draft) -> Draft:
    """The draft within the limits of N12; itself when it is."""
    if not _too_long(draft):
        return draft
    return replace(
        draft,
        guid=draft.guid[:MAX_TITLE] if draft.guid else None,
        title=draft.title[:MAX_TITLE] if draft.title else None,
        summary=draft.summary[:MAX_TEXT] if draft.summary else None,
        content=draft.content[:MAX_TEXT] if draft.content else None,
        authors=tuple(author[:MAX_AUTHOR] for author in draft.authors[:MAX_AUTHORS]),
    )


def _too_long(draft: Draft) -> bool:
    return (
        len(draft.content or "") > MAX_TEXT
        or len(draft.summary or "") > MAX_TEXT
        or len(draft.title or "") > MAX_TITLE
        or len(draft.guid or "") > MAX_TITLE
        or (len(draft.authors) > 0 and (len(draft.authors) > MAX_AUTHORS or max(map(len, draft.authors)) > MAX_AUTHOR))
    )


def cuts(drafts: Sequence[Draft], seen: int) -> list[str]:
    """What the limits of N12 took from a document of `seen` items, in words; empty when nothing."""
    said = []
    if seen > MAX_ENTRIES:
        said.append(f"only the first {MAX_ENTRIES} of {seen} entries were read")
    if long := sum(map(_too_long, drafts)):
        said.append(f"{long} {'entry was' if long == 1 else 'entries were'} too long and cut")
    return said


def links(said: Iterable[tuple[str, str]], base: str) -> tuple[tuple[str, str], ...]:
    """A document's links about itself, (rel, absolute URL), each once; a rel may name several. At most 20 are read."""
    found: dict[tuple[str, str], None] = {}
    for rels, href in said:
        for rel in rels.lower().split():
            if rel not in LINKS or not href.strip():
                continue
            try:
                url = urljoin(base, href.strip()).partition("#")[0]
            except ValueError:
                continue
            if len(url) <= MAX_URL and url.isprintable() and url.lower().startswith(("http://", "https://")):
                found[rel, url] = None
    return tuple(found)[:20]


def hint(said: Mapping[str, object]) -> timedelta | None:
    """The longest wait a feed asks for: `ttl` in minutes, or updatePeriod / updateFrequency (contract T1, T8)."""
    hours = [(_number(said.get("ttl")) or 0) / 60]
    period = _PERIODS.get(str(said.get("sy_updateperiod") or "").strip().lower())
    if period:
        hours.append(period / max(1, _number(said.get("sy_updatefrequency")) or 1))
    longest = min(timedelta(hours=min(max(hours), 10_000)), MAX_HINT)
    return longest or None


def _number(said: object) -> int | None:
    """A whole number as feeds write it; `None` for anything else."""
    words = str(said or "").strip()
    return int(words[:9]) if words.isdecimal() else None


def moment(value: datetime | None) -> datetime | None:
    """A time as aware UTC without fractions; `None` when it lies before 1970."""
    if value is None:
        return None
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return aware.replace(microsecond=0) if aware.year >= 1970 else None


def iso_moment(value: str | None) -> datetime | None:
    """A W3C or RFC 3339 date as aware UTC, `None` when it is none (contract I7)."""
    if not value:
        return None
    try:
        return moment(datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError):
        return None


def _stamp(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
