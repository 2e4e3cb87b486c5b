"""Which feeds bring nothing for longer than is their way: what `care.silent` wants to know, read for the site.

It is the rule of `newsbeat doctor`. Only feeds that brought nothing for a day are looked up, since no other can be
silent, and what six weeks tell of them is kept for some minutes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from pipeline import care
from pipeline.care import FeedFacts

from . import queries, times
from .queries import Row, ids, rows
from .times import Clock

_KEPT_FOR = 600.0


@dataclass(slots=True)
class _Known:
    """What was looked up, and when: pauses by feed and the moment of its last news, the usual day by the day it is."""

    gaps: dict[tuple[int, object], tuple[float, tuple[timedelta, ...]]] = field(default_factory=dict)
    usual: dict[str, tuple[float, float | None]] = field(default_factory=dict)


def _facts(feed: Row, gaps: tuple[timedelta, ...] = ()) -> FeedFacts:
    return FeedFacts(
        url=feed["url"], state=feed["state"], failures=feed["failures"], last_ok_at=times.parse(feed["last_ok_at"]),
        last_new_at=times.parse(feed["last_new_at"]), added_at=times.parse(feed["added_at"]), gaps=gaps,
        told=bool(feed["told"]),
    )  # fmt: skip


async def silences(datasette: Any, clock: Clock, feeds: Sequence[Row]) -> dict[int, tuple[str, str]]:
    """Of the feeds that are silent, why they are called so, and the cure, by number. Rows are those of `FEEDS`."""
    since = clock.now - care.SILENT_LEAST
    doubted = [
        feed for feed in feeds
        if feed["state"] in ("ok", "moved") and not feed["failures"]
        and (brought := times.parse(feed["last_new_at"] or feed["added_at"])) and brought < since
    ]  # fmt: skip
    if not doubted:
        return {}
    known: _Known | None = getattr(datasette, "newsbeat_rhythms", None)
    if known is None:
        known = datasette.newsbeat_rhythms = _Known()
    gaps = await _gaps(datasette, clock, known, doubted)
    today = await _tempo(datasette, clock, known)
    found = {}
    for feed in doubted:
        facts = _facts(feed, gaps[feed["id"]])
        lasts = care.silent(facts, clock.now, today)
        if lasts is not None:
            found[feed["id"]] = care.silence_told(facts, lasts)
    return found


async def count(datasette: Any, clock: Clock) -> int:
    """How many feeds are silent."""
    before = times.stamp(clock.now - care.SILENT_LEAST)
    return len(await silences(datasette, clock, await rows(datasette, queries.FEEDS_WITHOUT_NEWS, before=before)))


async def _gaps(datasette: Any, clock: Clock, known: _Known, feeds: list[Row]) -> dict[int, tuple[timedelta, ...]]:
    """The pauses of each of these feeds, by polls with news or by the dates of its articles."""
    moment = time.monotonic()
    keys = {feed["id"]: (feed["id"], feed["last_new_at"]) for feed in feeds}
    known.gaps = {key: held for key, held in known.gaps.items() if moment - held[0] < _KEPT_FOR}
    missing = [number for number, key in keys.items() if key not in known.gaps]
    if missing:
        since = times.stamp(clock.now - care.PAUSES)
        told = await rows(datasette, queries.FEED_PAUSES, ids=ids(missing), since=since)
        polled = {row["feed_id"]: [timedelta(seconds=int(gap)) for gap in row["gaps"].split(",")] for row in told}
        for number in missing:
            recent = polled.get(number, [])
            dated = () if len(recent) >= care.RECENT else await _dated(datasette, clock, number)
            known.gaps[keys[number]] = (moment, care.pauses(recent, dated))
    return {number: known.gaps[key][1] for number, key in keys.items()}


async def _dated(datasette: Any, clock: Clock, feed: int) -> tuple[timedelta, ...]:
    told = await rows(datasette, queries.FEED_DATES, feed=feed, until=times.stamp(clock.now), most=care.DATED)
    hours = [datetime.fromisoformat(f"{row['hour']}:00:00+00:00") for row in told]
    return tuple(later - earlier for later, earlier in pairwise(hours))


async def _tempo(datasette: Any, clock: Clock, known: _Known) -> float:
    """The day's tempo, as `care.tempo` says it: what it brought against the same day of four weeks."""
    held = known.usual.get(clock.today)
    if held is None or time.monotonic() - held[0] > _KEPT_FOR:
        known.usual = {clock.today: (time.monotonic(), await _usual_day(datasette, clock))}
    usual = known.usual[clock.today][1]
    new = await queries.first(datasette, queries.NEW_ARTICLES, since=clock.before(hours=24))
    return min(1.0, (new["n"] if new else 0) / usual) if usual else 1.0


async def _usual_day(datasette: Any, clock: Clock) -> float | None:
    counts = []
    for week in range(1, care.WEEKS + 1):
        span = {"since": clock.before(days=7 * week + 1), "until": clock.before(days=7 * week)}
        day = await queries.first(datasette, queries.DAY_BROUGHT, **span)
        if day is None or not day["asked"]:
            return None
        counts.append(day["n"])
    mean = sum(counts) / len(counts)
    return mean if mean >= care.ENOUGH else None
