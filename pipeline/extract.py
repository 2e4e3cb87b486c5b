"""Entry to Article: the words a reader sees, without markup. Pure.

The only room that knows article HTML. What comes from a feed is made plain text here, so that nothing an outlet writes
can ever act in a page of ours.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from pipeline import agencies, text
from pipeline.model import Article, Entry, TextFrom

FUTURE_SLACK = timedelta(hours=24)
"""A publication date further ahead than this is not believed (fetch contract I7)."""

MAX_SUMMARY = 2000
"""Longest summary kept, in characters; a longer one is the text itself."""


def article(entry: Entry, outlet: str, now: datetime) -> Article:
    """The article behind an entry, as its outlet words it today. `now` is when we first see this wording.

    The text is the longest of what the feed gives: its content, its summary, or only the title. An entry without a link
    is kept under a name of its own, `urn:newsbeat:...`, made from feed and guid.
    """
    headline = title(entry.title)
    summary = text.plain(entry.summary)
    content = text.plain(entry.content)
    body: str
    source: TextFrom
    if content and len(content) >= len(summary):
        body, source = content, "content"
    elif summary:
        body, source = summary, "summary"
    else:
        body, source = headline or "", "title"
    # Plain text has one space or two line ends between words, so that twice as much of it is enough.
    lead = text.clip(" ".join(summary[: 2 * MAX_SUMMARY].split()), MAX_SUMMARY) if summary else None
    authors = tuple(name for author in entry.authors if (name := text.line(author)))
    published = entry.published_at
    if published is not None and published > now + FUTURE_SLACK:
        published = None
    return Article(
        url=entry.url or f"urn:newsbeat:{text.digest(entry.feed_url, entry.guid)}",
        outlet=outlet,
        title=headline,
        summary=lead,
        text=body,
        text_from=source,
        lang=_language(entry.lang),
        authors=authors,
        published_at=published,
        first_seen_at=now,
        text_hash=text.wording(headline, lead, body),
        agency=agencies.of(authors, body),
    )


def retitled(known: Article, headline: str | None) -> Article:
    """An article under another headline; everything else stays as it was."""
    body = headline or "" if known.text_from == "title" else known.text
    return replace(known, title=headline, text=body, text_hash=text.wording(headline, known.summary, body))


def given(
    *,
    title: str | None,
    summary: str | None,
    text: str | None,
    url: str | None,
    lang: str | None,
    now: datetime,
) -> Article:
    """An article handed over as fields rather than by a feed, as `topic score` gets them."""
    entry = Entry("", url or "", url, title, summary, text, (), None, lang, "")
    return article(entry, "", now)


def title(markup: str | None) -> str | None:
    """A headline or a feed's own title as one line of plain text; `None` when nothing is left."""
    return text.line(markup)


def _language(said: str | None) -> str | None:
    """The primary subtag of a language tag ("en-GB" is "en"); `None` for what is no tag."""
    primary = (said or "").strip().replace("_", "-").split("-")[0].lower()
    return primary if primary.isalpha() and 2 <= len(primary) <= 3 else None
