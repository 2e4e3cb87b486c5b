"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1) to a ParsedFeed."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed
from pipeline.parse import entry
from pipeline.urls import canonical

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def read(body: bytes, url: str) -> ParsedFeed:
    """The feed's items. A JSON document without an `items` list is no feed: ParseError."""
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise ParseError(url, f"the answer starts like JSON but is not: {error}") from None
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise ParseError(url, 'the answer is JSON without a list "items", not a JSON Feed')
    lang = _text(document.get("language"))
    drafts = [_draft(item, url, lang) for item in items[: entry.MAX_ENTRIES] if isinstance(item, dict)]
    kept = [draft for draft in drafts if not entry.is_empty(draft)]
    return ParsedFeed(
        title=_text(document.get("title")),
        entries=entry.name(url, kept),
        lang=lang,
        skipped=min(len(items), entry.MAX_ENTRIES) - len(kept),
        flaw="; ".join(entry.cuts(drafts, len(items))) or None,
        links=entry.links(_links(document), url),
    )


def _links(document: dict[str, Any]) -> list[tuple[str, str]]:
    """next_url, feed_url and hubs under the names that Atom has for them."""
    said = [("next", _text(document.get("next_url"))), ("self", _text(document.get("feed_url")))]
    hubs = document.get("hubs") if isinstance(document.get("hubs"), list) else []
    for one in hubs or []:
        if isinstance(one, dict) and str(one.get("type")).lower() == "websub":
            said.append(("hub", _text(one.get("url"))))
    return [(rel, link) for rel, link in said if link]


def _draft(item: dict[str, Any], base: str, lang: str | None) -> entry.Draft:
    link = _text(item.get("url")) or _text(item.get("external_url"))
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    body = _text(item.get("content_html"))
    if body is None and (words := _text(item.get("content_text"))):
        body = html.escape(words, quote=False)
    summary = _text(item.get("summary"))
    identifier = item.get("id")
    guid = _clean(str(identifier)) if isinstance(identifier, str | int | float) else None
    return entry.Draft(
        guid=guid or None,
        url=canonical(link, base) if link else None,
        title=_text(item.get("title")),
        summary=html.escape(summary, quote=False) if summary else None,
        content=body,
        authors=tuple(
            name for author in authors or [] if isinstance(author, dict) and (name := _text(author.get("name")))
        ),
        published_at=entry.iso_moment(_text(item.get("date_published")) or _text(item.get("date_modified"))),
        lang=_text(item.get("language")) or lang,
    )


def _text(value: object) -> str | None:
    return _clean(value).strip() or None if isinstance(value, str) else None


def _clean(value: str) -> str:
    """Half a surrogate pair is a legal escape in JSON and no character: no database takes it (contract B2)."""
    return _SURROGATE.sub("\ufffd", value)
