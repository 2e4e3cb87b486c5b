"""Stored JSON and texts to values a page can show. Nothing here raises: what cannot be read is left out.

Evidence and profiles are written by us, but from words of strangers, and a database may come from elsewhere.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from pipeline import vitals
from pipeline.model import Evidence

from .safe import Span, coded

_FIELDS = ("title", "summary", "text")
_MOST_TERMS = 200
_MOST_SPANS = 200
_LONGEST = 200


def _json(text: object) -> object:
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def number(value: object) -> float:
    """A finite number; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        real = float(value)
    except OverflowError:
        return 0.0
    return real if math.isfinite(real) else 0.0


def _span(value: object) -> Span | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    start, end = value
    good = type(start) is int and type(end) is int and 0 <= start < end < 10_000_000
    return (start, end) if good else None


def evidence(text: object) -> tuple[Evidence, ...]:
    """The evidence column as values, most telling first. Entries without a term or a field are left out."""
    rows = _json(text)
    found = []
    for row in rows[:_MOST_TERMS] if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        term, field, spans = row.get("term"), row.get("field"), row.get("spans")
        if not isinstance(term, str) or not term.strip() or field not in _FIELDS:
            continue
        places = [_span(span) for span in spans[:_MOST_SPANS]] if isinstance(spans, list) else []
        found.append(
            Evidence(
                term=term[:_LONGEST],
                field=field,
                count=max(0, int(min(number(row.get("count")), 1e6))),
                points=number(row.get("points")),
                spans=tuple(span for span in places if span),
            )
        )
    return tuple(sorted(found, key=lambda item: -item.points))


@lru_cache(maxsize=512)  # the lists that everybody reads hold the same few dozen
def terms(text: object, most: int = 4) -> tuple[str, ...]:
    """The names of the terms that matched, most telling first, each once."""
    return tuple(dict.fromkeys(item.term for item in evidence(text)))[:most]


def places(items: tuple[Evidence, ...], field: str) -> tuple[Span, ...]:
    """Every span of one field."""
    return tuple(span for item in items if item.field == field for span in item.spans)


@dataclass(frozen=True, slots=True)
class ProfileTerm:
    """A term of a profile as the page tells it."""

    text: str
    weight: float
    kind: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A topic's profile to be read; `alone` when it knows its seed and no archive; `raw` holds the text when it was in
    no form we know."""

    terms: tuple[ProfileTerm, ...] = ()
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    alone: bool = False
    raw: str = ""


def _strings(value: object) -> tuple[str, ...]:
    return tuple(item[:_LONGEST] for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def profile(text: object) -> Profile:
    """The profile column as values, heaviest term first.

    JSON as the store writes it: {"terms": [...], "rules": {...}}.
    """
    data = _json(text)
    if not isinstance(data, dict):
        return Profile(raw=text[:20_000] if isinstance(text, str) else "")
    rows = data.get("terms")
    found = [
        ProfileTerm(
            text=row["text"][:_LONGEST],
            weight=number(row.get("weight")),
            kind=row["kind"] if isinstance(row.get("kind"), str) else "word",
            aliases=_strings(row.get("aliases")),
        )
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and isinstance(row.get("text"), str)
    ]
    rules = data.get("rules")
    rules = rules if isinstance(rules, dict) else {}
    return Profile(
        terms=tuple(sorted(found, key=lambda term: -term.weight)),
        any=_strings(rules.get("any")),
        all=_strings(rules.get("all")),
        none=_strings(rules.get("none")),
        alone=data.get("fitted") == 0,
    )


def cure(error: object) -> Markup:
    """What to do about a feed's last error, its commands as `<code>`; "" when there was none."""
    return coded(vitals.cure(error)) if isinstance(error, str) else Markup()
