"""How the feeds are: the line on the front page, and the feeds page. What machines ask for is in `metrics`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from pipeline import vitals
from pipeline.hiding import masked

from . import charts, queries, site, stored, times
from .queries import Row, ids, rows
from .safe import coded
from .silence import silences
from .times import Clock

STRIP_HOURS = 48
_PER_PAGE = 30

# The order of the page: what needs a person first. (kind, word, shape, what it means)
KINDS: tuple[tuple[vitals.Kind, str, str, str], ...] = (
    ("gone", "gone", "■", "The outlet says the feed is gone for good. We no longer ask."),
    ("failing", "failing", "▲", "The last polls failed. We keep asking, less often."),
    ("moved", "moved", "➜", "The feed moved. Put the new address into config/feeds.toml."),
    ("shaky", "unsteady", "◆", "Works now, but a poll failed in the last 48 hours."),
    ("quiet", "quiet", "○", "Answers, but brings nothing for longer than is its way."),
    ("ok", "ok", "●", "Answers and brings news."),
    ("paused", "paused", "‖", "Switched off in the configuration."),
)
_ORDER = {kind: place for place, (kind, *_) in enumerate(KINDS)}
_WORDS = {kind: {"kind": kind, "word": word, "shape": shape, "means": means} for kind, word, shape, means in KINDS}


def kind_of(feed: Row, silent: bool, clock: Clock) -> vitals.Kind:
    """What state a person would say this feed is in."""
    return vitals.kind(feed["state"], feed["failures"], times.parse(feed["last_error_at"]), silent, clock.now)


async def summary(datasette: Any, clock: Clock) -> Row:
    """The one line of health: how many feeds, how many in trouble, when we last looked, what is new."""
    states = await rows(datasette, queries.FEED_STATES)
    counts = {row["state"]: row["n"] for row in states}
    new = await queries.first(datasette, queries.NEW_ARTICLES, since=clock.before(hours=24))
    return {
        "feeds": sum(counts.values()),
        "care": sum(counts.get(kind, 0) for kind in vitals.CARE),
        "last_polled_at": max((row["last_polled_at"] for row in states if row["last_polled_at"]), default=None),
        "last_ok_at": max((row["last_ok_at"] for row in states if row["last_ok_at"]), default=None),
        "new": new["n"] if new else 0,
        "states": counts,
    }


def _strip(hours: Sequence[str], held: dict[str, Row]) -> list[tuple[str, charts.Hour]]:
    cells: list[tuple[str, charts.Hour]] = []
    for hour in hours:
        row = held.get(hour)
        if row is None:
            cells.append((hour, "none"))
        elif not row["failed"]:
            cells.append((hour, "ok"))
        else:
            cells.append((hour, "failed" if row["failed"] == row["polls"] else "mixed"))
    return cells


async def told(datasette: Any, clock: Clock, feeds: Sequence[Row]) -> list[Row]:
    """Feeds with their state in words, 48 hours as a strip and by the hour, the last error and its cure. `feeds` are
    rows of `FEEDS`, as `in_order` gives them."""
    hours: dict[int, dict[str, Row]] = defaultdict(dict)
    strip = list(clock.hours(STRIP_HOURS))
    for row in await rows(datasette, queries.FEED_HOURS, ids=ids(feed["id"] for feed in feeds), since=strip[0]):
        hours[row["feed_id"]][row["hour"]] = row
    found = []
    for feed in feeds:
        held = hours[feed["id"]]
        polls = failed = new = 0
        for row in held.values():
            polls += row["polls"]
            failed += row["failed"]
            new += row["new"]
        state = _WORDS[feed["kind"]]
        error = feed["last_error"] if state["kind"] in {"gone", "failing", "moved", "shaky"} else ""
        if state["kind"] == "moved":
            error = f"moved for good to {feed['moved_to'] or feed['current_url']}"
        elif state["kind"] == "quiet":
            error = feed["why"].rstrip(".")
        found.append(
            {
                **feed,
                "url": masked(feed["url"]),
                "state_of": state,
                "strip": charts.strip(_strip(strip, held)),
                "by_hour": held,
                "success": f"{round(100 * (polls - failed) / polls)}%" if polls else "–",
                "new": new,
                "error": masked(error[:1].upper() + error[1:] if error else ""),
                "cure": coded(feed["help"]) if state["kind"] == "quiet" else stored.cure(error),
            }
        )
    return found


async def in_order(datasette: Any, clock: Clock, feeds: Sequence[Row]) -> list[Row]:
    """Feeds with their `kind`, those that wait for a person first, then by name; of silent ones `why` and `cure`."""
    silent = await silences(datasette, clock, feeds)
    known = []
    for feed in feeds:
        why, cure = silent.get(feed["id"], ("", ""))
        known.append({**feed, "kind": kind_of(feed, bool(why), clock), "why": why, "help": cure})
    known.sort(key=lambda feed: (_ORDER[feed["kind"]], feed["name"].casefold()))
    return known


async def feeds(datasette: Any, request: Any) -> Any:
    """Every feed, the ones in trouble first, each with its last error in words and the cure."""
    clock = site.clock(datasette)
    every = await in_order(datasette, clock, await rows(datasette, queries.FEED_RHYTHMS, most=5000))
    counted = Counter(feed["kind"] for feed in every)
    asked = request.args.get("state")
    chosen = asked if asked in _ORDER else None
    shown = [feed for feed in every if chosen is None or feed["kind"] == chosen]
    number = max(1, site.whole(request.args.get("page") or "1") or 1)
    on_page = shown[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    full = {row["id"]: row for row in await rows(datasette, queries.FEEDS_OF, ids=ids(feed["id"] for feed in on_page))}
    return await site.page(
        datasette,
        request,
        "feeds",
        clock=clock,
        feeds=await told(datasette, clock, [full[feed["id"]] | feed for feed in on_page if feed["id"] in full]),
        counts={kind: counted[kind] for kind in _ORDER},
        kinds=[_WORDS[kind] for kind in _ORDER],
        total=len(every),
        asked_for=_WORDS[chosen]["word"] if chosen else "",
        chosen=chosen,
        number=number,
        more=len(shown) > number * _PER_PAGE,
        hours=STRIP_HOURS,
    )
