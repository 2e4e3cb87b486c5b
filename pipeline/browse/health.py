"""How the feeds are: the line on the front page, the feeds page, and the answer machines ask for."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Any

from datasette import Response
from datasette.database import QueryInterrupted

from . import charts, queries, site, stored, times
from .queries import Row, ids, rows
from .times import Clock

STRIP_HOURS = 48
QUIET_DAYS = 30
SILENT_AFTER_S = 3600
_PER_PAGE = 200

# The order of the page: what needs a person first. (kind, word, shape, what it means)
KINDS: tuple[tuple[str, str, str, str], ...] = (
    ("gone", "gone", "■", "The outlet says the feed is gone for good. We no longer ask."),
    ("failing", "failing", "▲", "The last polls failed. We keep asking, less often."),
    ("moved", "moved", "➜", "The feed moved. Put the new address into config/feeds.toml."),
    ("shaky", "unsteady", "◆", "Works now, but a poll failed in the last 48 hours."),
    ("quiet", "quiet", "○", f"Answers, but brought nothing new for {QUIET_DAYS} days."),
    ("ok", "ok", "●", "Answers and brings news."),
    ("paused", "paused", "‖", "Switched off in the configuration."),
)
_ORDER = {kind: place for place, (kind, *_) in enumerate(KINDS)}
_WORDS = {kind: {"kind": kind, "word": word, "shape": shape, "means": means} for kind, word, shape, means in KINDS}


def kind_of(feed: Row, clock: Clock) -> str:
    """What state a person would say this feed is in."""
    if feed["state"] in {"gone", "failing", "moved", "paused"}:
        return str(feed["state"])
    if feed["failures"] or (feed["last_error_at"] or "") >= clock.before(hours=STRIP_HOURS):
        return "shaky"
    # A feed asked for the first time yesterday is not quiet yet.
    if max(feed["last_new_at"] or "", feed["added_at"] or "") < clock.before(days=QUIET_DAYS):
        return "quiet"
    return "ok"


async def summary(datasette: Any, clock: Clock) -> Row:
    """The one line of health: how many feeds, how many in trouble, when we last looked, what is new."""
    states = await rows(datasette, queries.FEED_STATES)
    counts = {row["state"]: row["n"] for row in states}
    new = await queries.first(datasette, queries.NEW_ARTICLES, since=clock.before(hours=24))
    return {
        "feeds": sum(counts.values()),
        "failing": counts.get("failing", 0) + counts.get("gone", 0),
        "last_polled_at": max((row["last_polled_at"] for row in states if row["last_polled_at"]), default=None),
        "last_ok_at": max((row["last_ok_at"] for row in states if row["last_ok_at"]), default=None),
        "new": new["n"] if new else 0,
        "states": counts,
    }


def _strip(clock: Clock, hours: dict[str, Row]) -> list[tuple[str, charts.Hour]]:
    cells: list[tuple[str, charts.Hour]] = []
    for hour in clock.hours(STRIP_HOURS):
        row = hours.get(hour)
        if row is None:
            cells.append((hour, "none"))
        elif not row["failed"]:
            cells.append((hour, "ok"))
        else:
            cells.append((hour, "failed" if row["failed"] == row["polls"] else "mixed"))
    return cells


async def feeds(datasette: Any, request: Any) -> Any:
    """Every feed, the ones in trouble first, each with its last error in words and the cure."""
    clock = site.clock(datasette)
    every = await rows(datasette, queries.FEEDS, most=5000)
    for feed in every:
        feed["state_of"] = _WORDS[kind_of(feed, clock)]
    counts = {kind: sum(feed["state_of"]["kind"] == kind for feed in every) for kind in _ORDER}
    every.sort(
        key=lambda feed: (
            _ORDER[feed["state_of"]["kind"]],
            str(feed["outlet"] or feed["title"] or feed["url"]).casefold(),
        )
    )
    asked = request.args.get("state")
    chosen = asked if asked in _ORDER else None
    shown = [feed for feed in every if chosen is None or feed["state_of"]["kind"] == chosen]
    number = max(1, site.whole(request.args.get("page") or "1") or 1)
    on_page = shown[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    hours: dict[int, dict[str, Row]] = defaultdict(dict)
    polled = await rows(
        datasette,
        queries.FEED_HOURS,
        ids=ids(feed["id"] for feed in on_page),
        since=next(iter(clock.hours(STRIP_HOURS))),
    )
    for row in polled:
        hours[row["feed_id"]][row["hour"]] = row
    for feed in on_page:
        held = hours[feed["id"]].values()
        polls = sum(row["polls"] for row in held)
        failed = sum(row["failed"] for row in held)
        feed["strip"] = charts.strip(_strip(clock, hours[feed["id"]]))
        feed["success"] = f"{round(100 * (polls - failed) / polls)}%" if polls else "–"
        feed["new"] = sum(row["new"] for row in held)
        troubled = feed["state_of"]["kind"] in {"gone", "failing", "moved", "shaky"}
        error = feed["last_error"] if troubled else ""
        if feed["state_of"]["kind"] == "moved":
            error = f"moved for good to {feed['moved_to'] or feed['current_url']}"
        feed["error"], feed["cure"] = error, stored.cure(error)
    return await site.page(
        datasette,
        request,
        "feeds",
        clock=clock,
        feeds=on_page,
        counts=counts,
        kinds=[_WORDS[kind] for kind in _ORDER],
        total=len(every),
        chosen=chosen,
        number=number,
        more=len(shown) > number * _PER_PAGE,
        hours=STRIP_HOURS,
        quiet_days=QUIET_DAYS,
    )


async def health(datasette: Any, request: Any) -> Any:
    """JSON for a watchdog: 200 while polls succeed, 503 when none did for an hour or the database is not there."""
    clock = site.clock(datasette)
    headers = {"cache-control": "no-store"}
    try:
        told = await summary(datasette, clock)
    except (sqlite3.Error, QueryInterrupted, KeyError):
        body = {"ok": False, "why": "the news database cannot be read"}
        return Response.json(body, status=503, headers=headers)
    last = times.parse(told["last_ok_at"])
    age = int((clock.now - last).total_seconds()) if last else None
    why = None
    if age is None:
        why = "no poll has succeeded yet"
    elif age > SILENT_AFTER_S:
        why = f"no poll has succeeded for {times.span(age)}"
    body = {
        "ok": why is None,
        "why": why,
        "now": times.stamp(clock.now),
        "last_ok_at": told["last_ok_at"],
        "seconds_since_ok": age,
        "feeds": told["feeds"],
        "states": told["states"],
        "new_articles_24h": told["new"],
    }
    return Response.json(body, status=200 if why is None else 503, headers=headers)


async def robots(datasette: Any, request: Any) -> Any:
    """Other people's headlines are not ours to offer to search engines."""
    return Response.text("User-agent: *\nDisallow: /\n", headers={"cache-control": "max-age=86400"})
