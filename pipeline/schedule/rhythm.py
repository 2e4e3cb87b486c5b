"""How often a feed brings something new, by hour of the week, and what wait that allows. Pure.

Fetch contract N1: between 30 minutes and 6 hours, something new at most polls; a feed that came in bursts before is not
left to sleep through the next one (matrix-hookshot 910); when an answer shares nothing with the one before, entries may
have gone by unseen, and the next wait is shorter.

What was seen fades by half in a fortnight, so a feed that changes its habits is learned anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pipeline.times import from_stamp, spoken, stamp

HALF_LIFE = timedelta(days=14)
ENOUGH = timedelta(hours=24)
"""A feed watched for less than this is asked at the default pace."""

WANTED = 1.0
"""New entries to expect at a poll: something new at most polls, and seldom many at once."""

PRIOR_WEEKS = 2.0
"""How many weeks of one hour it takes until that hour counts more than the feed's average."""

BURST = 3
"""New entries in one poll that make a burst."""

QUIET = timedelta(hours=1)
"""The least time without news that makes what follows a burst, rather than its second half."""

HOURS = 168


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What is known of a feed's habits. `seen` are new entries by hour of the week (0 is Monday 0:00 UTC), faded.

    `watched` is how long it was watched, in hours, faded alike. `last_new_at` begins with the watch.
    `burst_gap` is the shortest quiet time before a burst.
    `hurry` is a cap on the next wait, after an answer that shared nothing with the one before.
    """

    seen: dict[int, float] = field(default_factory=dict)
    watched: float = 0.0
    learned_at: datetime | None = None
    last_new_at: datetime | None = None
    burst_gap: timedelta | None = None
    hurry: timedelta | None = None


def learn(before: Rhythm, new_at: Sequence[datetime], overlap: float | None, now: datetime) -> Rhythm:
    """The rhythm after a poll that was answered.

    `new_at` are the moments of the new entries (their own dates where believable, else `now`). `overlap` is the share
    of the document's entries that were known before, 0 to 1; `None` when nothing was read. The first answer teaches
    nothing but that the watch has begun.
    """
    if before.learned_at is None:
        return Rhythm(learned_at=now, last_new_at=now)
    passed = max(now - before.learned_at, timedelta())
    fading = 0.5 ** (passed / HALF_LIFE)
    seen = {hour: count * fading for hour, count in before.seen.items() if count * fading > 0.01}
    for moment in new_at:
        hour = hour_of_week(moment)
        seen[hour] = seen.get(hour, 0.0) + 1.0
    quiet = now - (before.last_new_at or before.learned_at)
    burst_gap = before.burst_gap
    if len(new_at) >= BURST and quiet >= QUIET:
        burst_gap = min(quiet, burst_gap) if burst_gap else quiet
    hurry = before.hurry
    if overlap is not None:
        # Nothing in common: as much again may have gone by. Half and more in common: nothing can have.
        hurry = passed / 2 if overlap == 0 and new_at else hurry if overlap < 0.5 else None
    return replace(
        before,
        seen=seen,
        watched=before.watched * fading + passed / timedelta(hours=1),
        learned_at=now,
        last_new_at=now if new_at else before.last_new_at,
        burst_gap=burst_gap,
        hurry=hurry,
    )


def wait(rhythm: Rhythm, default: timedelta, least: timedelta, most: timedelta, now: datetime) -> tuple[timedelta, str]:
    """How long to wait, and why in words: until WANTED new entries are to be expected, between `least` and `most`."""
    if rhythm.watched < ENOUGH / timedelta(hours=1):
        found, why = default, f"every {spoken(default)}, until its rhythm is known"
    else:
        found = _until_wanted(rhythm, most, now)
        rate = sum(rhythm.seen.values()) / rhythm.watched * 24
        why = f"it brings about {rate:.1f} new a day" if rate >= 0.05 else "it brings hardly anything new"
    if rhythm.burst_gap and rhythm.burst_gap < found:
        found, why = rhythm.burst_gap, f"it came in a burst after {spoken(rhythm.burst_gap)} before"
    if rhythm.hurry and rhythm.hurry < found:
        found, why = rhythm.hurry, "all entries were new last time, so some may have been missed"
    return min(max(found, least), most), why


def _until_wanted(rhythm: Rhythm, most: timedelta, now: datetime) -> timedelta:
    """The time in which WANTED new entries are to be expected from now on, hour by hour of the week."""
    mean = sum(rhythm.seen.values()) / rhythm.watched
    weeks = rhythm.watched / HOURS
    expected, passed = 0.0, timedelta()
    left = timedelta(hours=1) - timedelta(minutes=now.minute, seconds=now.second)
    while passed < most:
        seen = rhythm.seen.get(hour_of_week(now + passed), 0.0)
        rate = (seen + PRIOR_WEEKS * mean) / (weeks + PRIOR_WEEKS)
        share = left / timedelta(hours=1)
        if rate and expected + rate * share >= WANTED:
            return passed + timedelta(hours=(WANTED - expected) / rate)
        expected, passed, left = expected + rate * share, passed + left, timedelta(hours=1)
    return most


def hour_of_week(moment: datetime) -> int:
    """0 for Monday 0:00 to 1:00 UTC, up to 167."""
    return moment.weekday() * 24 + moment.hour


def learn_raw(raw: str | None, new_at: Sequence[datetime], overlap: float | None, now: datetime) -> str:
    """`learn` on a rhythm as it stands in the database."""
    return written(learn(read(raw), new_at, overlap, now))


def written(rhythm: Rhythm) -> str:
    """A rhythm as text, for the database; `read` reads it back."""
    return json.dumps(
        {
            "seen": {str(hour): round(count, 3) for hour, count in sorted(rhythm.seen.items())},
            "watched": round(rhythm.watched, 2),
            "learned_at": stamp(rhythm.learned_at) if rhythm.learned_at else None,
            "last_new_at": stamp(rhythm.last_new_at) if rhythm.last_new_at else None,
            "burst_gap": rhythm.burst_gap.total_seconds() if rhythm.burst_gap else None,
            "hurry": rhythm.hurry.total_seconds() if rhythm.hurry else None,
        },
        separators=(",", ":"),
    )


def read(raw: str | None) -> Rhythm:
    """The rhythm that `written` wrote; an empty one for `None`."""
    if not raw:
        return Rhythm()
    values = json.loads(raw)
    return Rhythm(
        seen={int(hour): count for hour, count in values["seen"].items()},
        watched=values["watched"],
        learned_at=from_stamp(values["learned_at"]),
        last_new_at=from_stamp(values["last_new_at"]),
        burst_gap=timedelta(seconds=values["burst_gap"]) if values["burst_gap"] else None,
        hurry=timedelta(seconds=values["hurry"]) if values["hurry"] else None,
    )
