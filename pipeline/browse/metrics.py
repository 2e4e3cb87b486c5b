"""What machines ask: is it alive (JSON), how much of everything (Prometheus text), and may robots read it (no)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from datasette import Response
from datasette.database import QueryInterrupted

from pipeline import vitals

from . import health, queries, silence, site, times
from .queries import rows

_FRESH = {"cache-control": "no-store"}
# Every state stands in each answer, so that a series does not vanish when its last feed recovers.
_STATES = ("ok", "failing", "gone", "moved", "paused")
_OUTCOMES = ("ok", "not_modified", "failed")

Sample = tuple[dict[str, str], float]


async def alive(datasette: Any, request: Any) -> Any:
    """JSON for a watchdog: 200 while polls succeed, 503 when none did for an hour or the database is not there."""
    clock = site.clock(datasette)
    try:
        told = await health.summary(datasette, clock)
        quiet = await silence.count(datasette, clock)
    except (sqlite3.Error, QueryInterrupted, KeyError):
        body = {"ok": False, "why": "the news database cannot be read"}
        return Response.json(body, status=503, headers=_FRESH)
    last = times.parse(told["last_ok_at"])
    why = vitals.silence(last, clock.now)
    body = {
        "ok": why is None,
        "why": why,
        "now": times.stamp(clock.now),
        "last_ok_at": told["last_ok_at"],
        "seconds_since_ok": int((clock.now - last).total_seconds()) if last else None,
        "feeds": told["feeds"],
        "states": told["states"],
        "quiet": quiet,
        "new_articles_24h": told["new"],
    }
    return Response.json(body, status=200 if why is None else 503, headers=_FRESH)


def _label(value: str) -> str:
    """A label's value, escaped as the text format asks."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def family(name: str, kind: str, told: str, samples: Iterable[Sample]) -> str:
    """One metric in Prometheus' text format 0.0.4: its help, its type, a line a sample."""
    lines = [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inside = ",".join(f'{key}="{_label(word)}"' for key, word in labels.items())
        lines.append(f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}")
    return "\n".join(lines) + "\n"


async def metrics(datasette: Any, request: Any) -> Any:
    """How many feeds in which state, when polls last succeeded, what came of them, what is new, in Prometheus text.

    Says `newsbeat_up 0`, and nothing else, when the database cannot be read.
    """
    clock = site.clock(datasette)
    up = "newsbeat_up", "gauge", "1 when the database can be read and a poll succeeded within the hour."
    content_type = "text/plain; version=0.0.4; charset=utf-8"
    try:
        told = await health.summary(datasette, clock)
        polls = {
            row["outcome"]: row["n"]
            for row in await rows(datasette, queries.POLLS_SINCE, since=clock.before(hours=1))
        }  # fmt: skip
        quiet = await silence.count(datasette, clock)
        late = await queries.first(datasette, queries.LATE_FEEDS, before=clock.before(hours=1))
        newest = await queries.first(datasette, queries.NEWEST_ARTICLE)
        notices = await queries.first(datasette, queries.NOTICES)
        topics = await rows(datasette, queries.TOPICS)
        days = await rows(datasette, queries.TOPIC_COUNTS, since=clock.before(hours=24))
        size = await queries.first(datasette, queries.SIZE)
    except (sqlite3.Error, QueryInterrupted, KeyError):
        return Response(family(*up, [({}, 0)]), status=503, headers=_FRESH, content_type=content_type)
    last_ok, last_polled = times.parse(told["last_ok_at"]), times.parse(told["last_polled_at"])
    on = {row["topic"]: row["n"] for row in days}
    families = [
        family(*up, [({}, vitals.silence(last_ok, clock.now) is None)]),
        family("newsbeat_feeds", "gauge", "Feeds by state.",
               [({"state": state}, told["states"].get(state, 0)) for state in _STATES]),
        family("newsbeat_feeds_quiet", "gauge", "Feeds that answer and bring nothing, against their own rhythm.",
               [({}, quiet)]),
        family("newsbeat_feeds_late", "gauge", "Feeds that were due more than an hour ago.",
               [({}, late["n"] if late else 0)]),
        family("newsbeat_last_ok_timestamp_seconds", "gauge", "When a poll last succeeded; 0 for never.",
               [({}, last_ok.timestamp() if last_ok else 0)]),
        family("newsbeat_last_poll_timestamp_seconds", "gauge", "When a feed was last asked; 0 for never.",
               [({}, last_polled.timestamp() if last_polled else 0)]),
        family("newsbeat_polls_1h", "gauge", "Polls of the last hour by outcome.",
               [({"outcome": outcome}, polls.get(outcome, 0)) for outcome in _OUTCOMES]),
        family("newsbeat_articles_total", "counter", "Articles ever kept.",
               [({}, (newest["id"] if newest else 0) or 0)]),
        family("newsbeat_new_articles_24h", "gauge", "Articles first seen in the last 24 hours.",
               [({}, told["new"])]),
        family("newsbeat_topic_articles_24h", "gauge", "Articles on a topic that appeared in the last 24 hours.",
               [({"topic": row["slug"]}, on.get(row["slug"], 0)) for row in topics]),
        family("newsbeat_notices", "gauge", "What is amiss with the service itself, such as a refused configuration.",
               [({}, notices["n"] if notices else 0)]),
        family("newsbeat_database_bytes", "gauge", "Size of the database.", [({}, size["n"] if size else 0)]),
    ]  # fmt: skip
    return Response("".join(families), headers=_FRESH, content_type=content_type)


async def robots(datasette: Any, request: Any) -> Any:
    """Other people's headlines are not ours to offer to search engines."""
    return Response.text("User-agent: *\nDisallow: /\n", headers={"cache-control": "max-age=86400"})
