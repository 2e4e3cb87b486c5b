"""Times as a reader wants them: "4 h ago" with the exact moment behind it. Text in, text out; no clock here.

The database keeps UTC text, `YYYY-MM-DDTHH:MM:SSZ`. What cannot be read as a time is shown as "unknown".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from markupsafe import Markup

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@lru_cache(maxsize=4096)  # a page tells one moment in several ways
def parse(text: object) -> datetime | None:
    """An aware UTC time from the database's text; `None` for what is not one. Never raises."""
    # A page reads hundreds, and `strptime` takes thirty times as long.
    if not isinstance(text, str) or not _STAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def stamp(moment: datetime) -> str:
    """The database's text of a time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(seconds: float) -> str:
    """A duration in at most two units: "40 min", "1 h 14 min", "3 days 2 h"."""
    minutes = int(abs(seconds) // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        unit = "day" if days == 1 else "days"
        return f"{days} {unit} {hours} h" if hours and days < 10 else f"{days} {unit}"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else "under a minute"


def lag(first: object, then: object) -> str:
    """How long after the first: "+1 h 14 min"; "first" for the first itself and "" where a time is missing."""
    start, end = parse(first), parse(then)
    if start is None or end is None:
        return ""
    seconds = (end - start).total_seconds()
    return f"+{span(seconds)}" if seconds >= 60 else "same minute"


def full(text: object) -> str:
    """The exact moment in words: "5 Dec 2020, 04:10 UTC"."""
    moment = parse(text)
    if moment is None:
        return "unknown"
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"


def short_day(day: str) -> str:
    """A day of the database (`2020-12-05`) as "5 Dec"."""
    try:
        value = date.fromisoformat(day)
    except ValueError:
        return day
    return f"{value.day} {MONTHS[value.month - 1]}"


DATED_AFTER = timedelta(days=14)
"""From then on a moment is told by its date."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What "now" is for one page, and times told from it."""

    now: datetime

    def before(self, **delta: float) -> str:
        """The database's text of a moment before now: `before(hours=36)`."""
        return stamp(self.now - timedelta(**delta))

    @property
    def today(self) -> str:
        """The day it is, in UTC: `2020-12-05`."""
        return self.now.date().isoformat()

    @property
    def date_line(self) -> str:
        """The line under a newspaper's name: "Saturday, 5 December 2020"."""
        day = self.now
        return f"{WEEKDAYS[day.weekday()]}, {day.day} {LONG_MONTHS[day.month - 1]} {day.year}"

    def days(self, count: int) -> Iterator[str]:
        """The last `count` days, oldest first, today last."""
        today = self.now.date()
        return ((today - timedelta(days=back)).isoformat() for back in range(count - 1, -1, -1))

    def hours(self, count: int) -> Iterator[str]:
        """The last `count` hours as `2020-12-05T04`, oldest first, the hour that runs last."""
        return (f"{self.now - timedelta(hours=back):%Y-%m-%dT%H}" for back in range(count - 1, -1, -1))

    def day_label(self, day: str) -> str:
        """A heading for a day: "Today, 5 December", "Yesterday, 4 December", "Thursday, 3 December"."""
        try:
            value = date.fromisoformat(day)
        except ValueError:
            return "Undated"
        back = (self.now.date() - value).days
        name = {0: "Today", 1: "Yesterday"}.get(back, WEEKDAYS[value.weekday()])
        year = "" if value.year == self.now.year else f" {value.year}"
        return f"{name}, {value.day} {LONG_MONTHS[value.month - 1]}{year}"

    def words(self, text: object) -> str:
        """How long ago, in one unit: "just now", "4 h ago", "3 days ago", "in 12 min", "never". Beyond two weeks the
        date, which tells more: "21 Nov", "7 May 2018".
        """
        moment = parse(text)
        if moment is None:
            return "never" if text is None else "unknown"
        seconds = (self.now - moment).total_seconds()
        if abs(seconds) < 60:
            return "just now"
        size = abs(seconds)
        if size >= DATED_AFTER.total_seconds():
            day = f"{moment.day} {MONTHS[moment.month - 1]}"
            return day if moment.year == self.now.year else f"{day} {moment.year}"
        for limit, unit, name in (
            (3600, 60, "min"),
            (48 * 3600, 3600, "h"),
            (float("inf"), 86400, "day"),
        ):
            if size < limit:
                count = int(size // unit)
                plural = "s" if count != 1 and name == "day" else ""
                told = f"{count} {name}{plural}"
                break
        return f"{told} ago" if seconds > 0 else f"in {told}"

    def ago(self, text: object) -> Markup:
        """A `<time>` element: relative to read, exact on hover and for machines."""
        return self._element(text, self.words(text))

    def at(self, text: object) -> Markup:
        """A `<time>` element with the hour and minute: "04:10"."""
        moment = parse(text)
        return self._element(text, f"{moment:%H:%M}" if moment else "–")

    def exact(self, text: object) -> Markup:
        """A `<time>` element with the whole moment written out."""
        return self._element(text, full(text))

    def _element(self, text: object, words: str) -> Markup:
        if parse(text) is None:
            return Markup("<span>{}</span>").format(words)
        # `text` is a moment and nothing else, as `parse` says; the words are ours.
        return Markup(f'<time datetime="{text}" title="{full(text)}">{words}</time>')  # noqa: S704
