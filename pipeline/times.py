"""Times as text: stamps in the database, dates in HTTP, waits in words. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

STAMP = "%Y-%m-%dT%H:%M:%SZ"


def stamp(moment: datetime) -> str:
    """UTC text as stored everywhere, `YYYY-MM-DDTHH:MM:SSZ`; sorts as time does."""
    # Four times as fast as strftime, and every article has ten of them.
    if moment.year < 1000:
        return "0001-01-01T00:00:00Z"
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()[:19] + "Z"


def maybe_stamp(moment: datetime | None) -> str | None:
    """`stamp`, or `None` for `None`."""
    return stamp(moment) if moment else None


def from_stamp(value: str | None) -> datetime | None:
    """A stored stamp as aware UTC; `None` for `None`."""
    # Ten times as fast as strptime, and this runs for every row that is read.
    return datetime.fromisoformat(value) if value else None


def http_date(value: str | None) -> datetime | None:
    """Any of the three HTTP date forms (RFC 9110, 5.6.7) as aware UTC; `None` for anything else."""
    if not value:
        return None
    try:
        parsed = parsedate_to_datetime(value.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        try:
            parsed = datetime.strptime(value.strip(), "%a %b %d %H:%M:%S %Y")  # noqa: DTZ007  asctime is UTC
        except ValueError:
            return None
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:
        return None


def retry_after(value: str | None, date: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header as a wait: seconds, or an HTTP date counted from the answer's Date (contract T3, T5)."""
    if not value:
        return None
    if value.strip().isdecimal():
        return timedelta(seconds=int(value.strip()[:9]))
    until = http_date(value)
    return max(until - (http_date(date) or now), timedelta()) if until else None


def spoken(wait: timedelta) -> str:
    """A wait as a person says it: "45 min", "1 h 30 min", "2 days"."""
    if wait < timedelta(minutes=1):
        return f"{max(0, round(wait.total_seconds()))} s"
    minutes = round(wait.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(minutes / 1440)} days"
