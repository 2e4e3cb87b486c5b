"""One line of JSON to an entry: how articles are handed over by a program rather than by a feed.

The keys are those of `newsbeat topic score` and `newsbeat export`: id, title, summary, text, url, published_at, lang,
outlet, authors; others are passed over. Like a feed's, title, summary and text may hold markup.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline import text
from pipeline.errors import ParseError
from pipeline.model import Entry
from pipeline.parse import entry
from pipeline.parse.jsonfeed import _clean
from pipeline.times import http_date
from pipeline.urls import canonical

MAX_LINE = 8 * 1024 * 1024
"""Longest line read, in bytes; texts are cut at 500,000 characters anyway (fetch contract N12)."""

EARLIEST = 1000
"""The first year that a date may have; stamps are four digits."""


@dataclass(frozen=True, slots=True)
class Line:
    """One article as handed over. `seen_at` is when it came out, as far as the line says; `outlet` who published it."""

    entry: Entry
    outlet: str | None
    seen_at: datetime | None


def read(raw: bytes, origin: str) -> Line:
    """The article of one line. `origin` stands for the feed. Raises ParseError, in words, when the line has none.

    Its name is its id; without one the link, else title and date, else the text, as in feeds.
    """
    if len(raw) > MAX_LINE:
        raise ParseError(origin, f"longer than {MAX_LINE // 2**20} MiB")
    try:
        said = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParseError(origin, f"not UTF-8 (byte {error.start + 1} of the line)") from None
    except (ValueError, RecursionError) as error:
        raise ParseError(origin, f"not JSON: {error}") from None
    if not isinstance(said, dict):
        raise ParseError(origin, "not a JSON object")
    words = {key: _words(said, key, origin) for key in ("title", "summary", "text", "url", "lang", "outlet")}
    if not (words["title"] or words["text"] or words["url"]):
        raise ParseError(origin, 'nothing to keep: give at least one of "title", "text" and "url"')
    identifier = said.get("id")
    if identifier is not None and (isinstance(identifier, bool) or not isinstance(identifier, str | int | float)):
        raise ParseError(origin, '"id" is neither text nor a number')
    published = _moment(said, "published_at", origin)
    # What an export shows as text where there was none (the headline, the summary) does not become one here.
    body = words["text"] if words["text"] not in (words["title"], words["summary"]) else None
    draft = entry.Draft(
        guid=_clean(str(identifier)).strip() or None if identifier is not None else None,
        url=_url(words["url"], origin),
        title=words["title"],
        summary=words["summary"],
        content=body,
        authors=_authors(said, origin),
        published_at=published,
        lang=words["lang"],
    )
    outlet = text.line(words["outlet"])
    return Line(
        entry=entry.name(origin, [draft])[0],
        outlet=text.clip(outlet, 200) if outlet else None,
        seen_at=published or _moment(said, "first_seen_at", origin),
    )


def _words(said: dict[str, object], key: str, origin: str) -> str | None:
    value = said.get(key)
    if value is not None and not isinstance(value, str):
        raise ParseError(origin, f'"{key}" is not text')
    return _clean(value).strip() or None if value else None


def _url(said: str | None, origin: str) -> str | None:
    """The canonical address; a name that we gave to an article without a link stays as it is."""
    if said is None or said.startswith("urn:newsbeat:"):
        return said
    url = canonical(said)
    if url is None:
        raise ParseError(origin, f'"url" is no web address: {said[:80]!r}')
    return url


def _authors(said: dict[str, object], origin: str) -> tuple[str, ...]:
    value = said.get("authors") or []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ParseError(origin, '"authors" is not a list of names')
    return tuple(cleaned for name in names if (cleaned := _clean(name).strip()))


def _moment(said: dict[str, object], key: str, origin: str) -> datetime | None:
    """A date in ISO 8601 or as in mail headers, aware UTC. One that cannot be read is told, not dropped."""
    value = said.get(key)
    if value is None or value == "":
        return None
    found: datetime | None = None
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            found = http_date(value)
    if found is None or found.year < EARLIEST:
        raise ParseError(origin, f'"{key}" is no date: {str(value)[:40]!r}. Write it like 2020-12-05T10:00:00Z')
    return found.replace(microsecond=0)
