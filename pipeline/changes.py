"""New, revised or unchanged, and which stored article an entry is. Pure: the store does the looking up.

An entry is known by its feed and guid (fetch contract I1); failing that, its article may be known by its URL, from
another feed or under an older guid. A revision is a wording that differs in words, not in markup or spacing, and only
in the feed that brought the article: two feeds of one outlet often carry different summaries of one page, and comparing
across them would see an edit at every poll. The one thing another feed may bring is a headline never seen before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline import edits, text
from pipeline.model import Article, Entry, Former, Headlined, Known
from pipeline.unwrap import is_opaque
from pipeline.urls import host_of
from pipeline.variants import page

SAME_DAY = timedelta(hours=20)
"""Moments further apart are two pieces under one headline: a column that comes daily keeps its name."""

STILL_LISTED = timedelta(hours=72)
"""How long after its last sight an article without a date is taken for the one that comes again under its headline."""

TELLING_WORDS = 4
"""Words of a headline that may stand for the article; "Morning briefing" may not."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """The entries of one answer: never seen; seen, but saying something else now; seen and the same.

    `aliases` are articles we have under a name that is new to us: (entry, article id). `renamed` are guids of this feed
    that were replaced by another: (old, new).
    """

    new: tuple[Entry, ...] = ()
    suspect: tuple[tuple[Entry, Known], ...] = ()
    aliases: tuple[tuple[Entry, int], ...] = ()
    unchanged: tuple[Entry, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()


def sort(
    feed_url: str,
    entries: Sequence[Entry],
    by_guid: Mapping[str, Known],
    by_url: Mapping[str, Known],
    former: Sequence[Former] = (),
    twins: Mapping[str, Known] | None = None,
) -> Sorted:
    """Each entry in its place. `by_guid` holds this feed's own entries, `by_url` articles of any feed by the entry's
    address, `former` what this feed no longer names, `twins` by guid what `twin` found.

    A page under a name that is new to us is the same article (I3). It may also be an edit, but only where this feed
    brought the article and no longer lists it under its old name. Two entries of one document that lead to one new page
    are one article; the second becomes its alias when the first is known, at the next poll.
    """
    new: list[Entry] = []
    suspect: list[tuple[Entry, Known]] = []
    aliases: list[tuple[Entry, int]] = []
    unchanged: list[Entry] = []
    opened: set[str] = set()
    earlier = _earlier(entries, by_guid, former)
    listed = {by_guid[entry.guid].article_id for entry in entries if entry.guid in by_guid}
    for entry in entries:
        known = by_guid.get(entry.guid)
        if known and known.raw_hash == entry.raw_hash:
            unchanged.append(entry)
        elif known:
            suspect.append((entry, known))
        elif (
            (known := by_url.get(entry.url or ""))
            or (entry.guid in earlier and (known := earlier[entry.guid].known))
            or (known := (twins or {}).get(entry.guid))
        ):
            aliases.append((entry, known.article_id))
            if known.home_feed == feed_url and known.article_id not in listed:
                listed.add(known.article_id)
                suspect.append((entry, known))
        elif (name := _page_of(entry)) is None or name not in opened:
            new.append(entry)
            opened.add(name or "")
    renamed = tuple((was.guid, guid) for guid, was in earlier.items())
    return Sorted(tuple(new), tuple(suspect), tuple(aliases), tuple(unchanged), renamed)


def twin(
    entry: Entry, outlet: str, seen_at: datetime, headlined: Sequence[Headlined], taken: Collection[int] = ()
) -> Known | None:
    """The stored article that an entry of `outlet` shows under another address, by its headline; `None` when none does.

    Only where one of the two addresses is an aggregator's (Google News), which tells no page: two pages of one outlet
    under one headline are two articles. The outlet and every word of the headline must be the same, and the moments no
    further apart than SAME_DAY; a headline of fewer than TELLING_WORDS words stands for its article only at the same
    moment. `taken` are articles that another entry of this document is.
    """
    words = text.tokens(text.line(entry.title) or "")
    if not words:
        return None
    fits: list[tuple[timedelta, int, Known]] = []
    for one in headlined:
        if one.outlet != outlet or one.known.article_id in taken:
            continue
        if not (is_opaque(entry.url) or is_opaque(one.known.url)) or text.tokens(one.known.title or "") != words:
            continue
        if entry.published_at and one.published_at:
            apart = abs(entry.published_at - one.published_at)
            near = apart <= SAME_DAY if len(words) >= TELLING_WORDS else not apart
        else:
            apart = abs(seen_at - one.last_seen_at)
            near = apart <= STILL_LISTED and len(words) >= TELLING_WORDS
        if near:
            fits.append((apart, one.known.article_id, one.known))
    return min(fits, key=lambda fit: fit[:2])[2] if fits else None


def _page_of(entry: Entry) -> str | None:
    """By what two entries of one document are one article that nobody knows yet."""
    if is_opaque(entry.url):
        return f"{entry.publisher}: {_words(text.line(entry.title))} {entry.published_at}"
    return page(entry.url) if entry.url else None


def _earlier(entries: Sequence[Entry], by_guid: Mapping[str, Known], former: Sequence[Former]) -> dict[str, Former]:
    """By guid, the entry that each one without a name was until now; each former one is claimed once.

    I3: the same link and title. I4: no guid of its own and a link that holds a token, so that every document names it
    anew: the same title, date and host, and nothing else with that title and date, then or now. Likewise an entry
    without a link.
    """
    found: dict[str, Former] = {}
    claimed: set[str] = set()
    unnamed = [entry for entry in entries if entry.guid not in by_guid]
    same_words = Counter(_dated(text.line(entry.title), entry.published_at) for entry in unnamed)
    for entry in unnamed:
        words = _dated(text.line(entry.title), entry.published_at)
        alike = [one for one in former if _dated(one.known.title, one.published_at) == words]
        same = [one for one in former if entry.url and one.link == entry.url and one.known.url == entry.url]
        same = [one for one in same if _words(one.known.title) == words[0]]
        token = [one for one in alike if _nameless(entry.guid, entry.url) and _nameless(one.guid, one.link)]
        token = token or [one for one in alike if is_opaque(entry.url) and is_opaque(one.link)]
        token = [one for one in token if host_of(one.link or "") == host_of(entry.url or "")]
        sure = words[0] and words[1] and same_words[words] == 1 and len({one.known.article_id for one in token}) == 1
        for one in same or (token if sure else ()):
            if one.guid not in claimed:
                claimed.add(one.guid)
                found[entry.guid] = one
                break
    return found


def _nameless(guid: str, link: str | None) -> bool:
    """Whether an entry had no guid of its own: parsing then named it by its link, or gave it a name of ours."""
    return link is None or guid == link


def _dated(title: str | None, at: datetime | None) -> tuple[str, datetime | None]:
    return _words(title), at


def what_changed(
    known: Known, stored_text: str, now: Article, feed_url: str, earlier_titles: Collection[str] = ()
) -> tuple[str, ...]:
    """What is new in this wording, as `edits.KINDS`, most telling first; empty when it is no revision.

    `stored_text` is the article's text as it stands; `earlier_titles` are all headlines it ever had, which count where
    another feed than its own brings one.
    """
    if now.text_hash == known.text_hash:
        return ()
    if feed_url != known.home_feed:
        retitled = bool(now.title) and _words(known.title) != _words(now.title)
        seen = {_words(title) for title in earlier_titles}
        return ("headline",) if retitled and _words(now.title) not in seen else ()
    before = edits.Wording(known.title, known.summary, stored_text)
    return edits.kinds(before, edits.Wording(now.title, now.summary, now.text))


def _words(value: str | None) -> str:
    return "".join(char for char in (value or "").casefold() if char.isalnum())
