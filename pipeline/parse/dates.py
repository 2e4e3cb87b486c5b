"""The dates of feeds: the two forms nearly all are in, quickly; the rest as feedparser reads them.

Ours is registered with feedparser as its first reader of dates, so that both ways of reading a feed agree on each.
"""

from __future__ import annotations

import calendar
import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import feedparser
from feedparser.datetimes import _parse_date
from feedparser.datetimes.rfc822 import timezone_names

LONGEST = 200
"""A longer text is no date; feedparser would look at it in nine ways."""

_MAIL = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?(\d{1,2})\s+([a-z]{3})[a-z]*\s+(\d{4})\s+"
    r"(\d\d?):(\d\d)(?::(\d\d))?\s+(?:([+-])(\d\d):?(\d\d)|([a-z]{1,5}))",
    re.I | re.A,
)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?", re.I | re.A)
_MONTHS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


def read(said: str) -> datetime | None:
    """The moment a feed's date names, as aware UTC in whole seconds; `None` when it names none after 1969."""
    if not said or len(said) > LONGEST:
        return None
    at = _quick(said) or _slow(said)
    return at if at is not None and at.year >= 1970 else None


@lru_cache(maxsize=1024)
def _slow(said: str) -> datetime | None:
    parsed = _parse_date(said)
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), tz=UTC) if parsed else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _quick(said: str) -> datetime | None:
    """RFC 822 with a year of four digits and a zone; RFC 3339. `None` for any other form."""
    try:
        if found := _MAIL.fullmatch(said):
            day, month, year, hour, minute, second, sign, hours, minutes, zone = found.groups()
            at = datetime(
                int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC
            )
            if sign:
                offset = int(hours) * 60 + int(minutes)
            else:
                zone = zone.lower()
                if zone.startswith("gmt") and zone != "gmt":
                    return None
                sign, offset = "+", timezone_names.get(zone, 0) * 60
            return at - timedelta(minutes=offset if sign == "+" else -offset) if offset else at
        if _ISO.fullmatch(said):
            at = datetime.fromisoformat(said.upper())
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
            return at.replace(microsecond=0) if at.microsecond else at
    except (KeyError, ValueError, OverflowError):
        pass
    return None


def _first(said: str) -> time.struct_time | None:
    at = _quick(said.strip())
    return at.utctimetuple() if at else None


feedparser.registerDateHandler(_first)
