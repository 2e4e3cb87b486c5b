"""Who covers a topic and who does not: newsrooms beside each other, by day and story by story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from . import charts, queries, races, site, times
from .lines import outlet_path
from .queries import Row, ids, rows

DAYS = 30
_STORIES = 12
_SILENT = 200
_ROOMS, _COLUMNS = 60, 30
"""Newsrooms that have a row, and a column in the table of stories: the busiest. The CSV has all of them."""

_CELL, _EMPTY = Markup('<td class="n">%d</td>'), Markup('<td class="n">·</td>')


@dataclass(slots=True)
class Newsroom:
    """One family and what it had on the topic; `days` counts articles by day."""

    family: str
    outlets: dict[str, int] = field(default_factory=dict)
    days: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    articles: int = 0
    wire: int = 0
    stories: int = 0
    first: int = 0


def newsrooms(coverage: Sequence[Row]) -> dict[str, Newsroom]:
    """The families of these rows (an outlet and a day each), each with its sums."""
    found: dict[str, Newsroom] = {}
    for row in coverage:
        room = found.setdefault(row["family"], Newsroom(row["family"]))
        room.outlets[row["name"]] = row["id"]
        room.days[row["day"]] += row["n"]
        room.articles += row["n"]
        room.wire += row["wire"]
    return found


def silent(publishing: Sequence[Row], known: dict[str, Newsroom]) -> list[Row]:
    """The families that published, and nothing on the topic: each with its outlets."""
    quiet: dict[str, list[Row]] = defaultdict(list)
    for row in publishing:
        if row["family"] not in known:
            quiet[row["family"]].append(row)
    return [{"family": family, "outlets": outlets} for family, outlets in sorted(quiet.items())]


async def compare(datasette: Any, request: Any) -> Any:
    """One topic, newsroom by newsroom, in the last thirty days."""
    slug = request.url_vars["slug"]
    topic = await queries.first(datasette, queries.TOPIC, topic=slug)
    if topic is None:
        return await site.missing(
            datasette, request, "There is no topic of that name.", "The front page lists every topic there is."
        )
    clock = site.clock(datasette)
    since, days = clock.before(days=DAYS), list(clock.days(DAYS))
    coverage = await rows(datasette, queries.COVERAGE, topic=slug, since=since)
    rooms = newsrooms(coverage)
    stories = await rows(datasette, queries.TOPIC_STORIES, topic=slug, since=since, most=_STORIES)
    reports: dict[int, list[Row]] = defaultdict(list)
    for row in await rows(datasette, queries.RUNNERS, ids=ids(s["id"] for s in stories)):
        reports[row["story_id"]].append(row)
    fields = {story["id"]: races.runners(reports[story["id"]]) for story in stories}
    for runners in fields.values():
        for nth, runner in enumerate(runners):
            if runner.family in rooms:
                rooms[runner.family].stories += 1
                rooms[runner.family].first += nth == 0 and len(runners) > 1
    ordered = sorted(rooms.values(), key=lambda room: (-room.articles, room.family))
    top = max([1, *(count for room in ordered for count in room.days.values())])
    shown = ordered[:_ROOMS]
    quiet = silent(await rows(datasette, queries.PUBLISHING, since=since), rooms)
    return await site.page(
        datasette,
        request,
        "compare",
        clock=clock,
        topic=topic,
        span=DAYS,
        days=[(day, times.short_day(day)) for day in days],
        total=sum(room.articles for room in ordered),
        wire=sum(room.wire for room in ordered),
        rooms=[
            {
                "family": room.family,
                "outlets": [(name, outlet_path(name, number)) for name, number in sorted(room.outlets.items())],
                "articles": room.articles,
                "wire": room.wire,
                "stories": room.stories,
                "first": room.first,
                "bars": charts.bars(
                    days, [room.days[day] for day in days], width=240, height=30, top=top, stretch=True
                ),
                # Thousands of cells: put together here at a tenth of what a loop in the template costs.
                "days": Markup("").join(_EMPTY if not (n := room.days[day]) else _CELL % n for day in days),
            }
            for room in shown
        ],
        room_count=len(ordered),
        columns=[room.family for room in ordered[:_COLUMNS]],
        stories=[
            {
                **story,
                "cells": _cells(fields[story["id"]], ordered[:_COLUMNS]),
                "own": sum(not runner.only_wire for runner in fields[story["id"]]),
                "wire": sum(runner.only_wire for runner in fields[story["id"]]),
            }
            for story in stories
        ],
        silent=[
            {**room, "outlets": [(o["name"], outlet_path(o["name"], o["id"])) for o in room["outlets"]]}
            for room in quiet[:_SILENT]
        ],
        silent_count=len(quiet),
    )


def _cells(runners: Sequence[races.Runner], rooms: Sequence[Newsroom]) -> list[Row]:
    """What each newsroom had of one story: first, own words, wire only, or nothing."""
    held = {runner.family: (nth, runner) for nth, runner in enumerate(runners)}
    cells: list[Row] = []
    for room in rooms:
        if room.family not in held:
            cells.append({"kind": "none", "shape": "·", "word": "nothing", "lag": ""})
            continue
        nth, runner = held[room.family]
        kind, shape, word = ("wire", "○", "wire only") if runner.only_wire else ("own", "●", "own words")
        lag = "alone" if len(runners) == 1 else "first" if nth == 0 else f"+{times.span(runner.lag_s)}"
        cells.append({"kind": kind, "shape": shape, "word": word, "lag": lag})
    return cells
