"""Silence: how often a pause of a feed that went on publishing would have been told as silence, and how soon an end is.

The pauses are those between the dates in the real feeds, hour by hour; each is judged by those before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from pipeline import care, vitals
from quality import sets

LEAST = 8
"""Hours with news that a feed must show to be counted."""


def measure() -> dict[str, float]:
    """Feeds, their months, false alarms by our rule and by thirty days for everybody, and days until an end is told."""
    ours = flat = pauses = feeds = 0
    months = 0.0
    limits = []
    for hours in _hours():
        if len(hours) < LEAST:
            continue
        feeds += 1
        months += (hours[-1] - hours[0]) / timedelta(days=30)
        for at in range(1, len(hours)):
            pauses += 1
            ours += hours[at] - hours[at - 1] > _limit(hours[:at])
            flat += hours[at] - hours[at - 1] > vitals.QUIET_AFTER
        limits.append(_limit(hours) / timedelta(days=1))
    return {
        "feeds": float(feeds),
        "feed_months": months,
        "pauses": float(pauses),
        "pauses_let_be": 1 - ours / pauses,
        "months_between_false_alarms": months / ours,
        "months_between_them_by_30_days": months / flat,
        "days_until_an_end_is_told_median": median(limits),
    }


def _limit(hours: list[datetime]) -> timedelta:
    """How long a feed with news in these hours may pause before it is called silent."""
    gaps = [later - earlier for earlier, later in pairwise(hours)]
    recent = [gap for gap, earlier in zip(gaps, hours, strict=False) if earlier >= hours[-1] - care.PAUSES]
    usual = care.usual_gap(care.pauses(recent, gaps[1 - care.DATED :]))
    return max(care.SILENT_LEAST, usual * care.SILENT_TIMES) if usual else vitals.QUIET_AFTER


def _hours() -> Iterator[list[datetime]]:
    """The hours in which the articles of each real feed are dated."""
    for parsed in sets.real_feeds():
        dates = [entry.published_at for entry in parsed.entries if entry.published_at]
        yield sorted({date.replace(minute=0, second=0, microsecond=0) for date in dates})
