"""The page of one outlet: what it covers, how fast, what it edits, how much of it is wire, and how its feeds are."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from . import charts, health, queries, races, site, times
from .article import KINDS, wordings_of
from .lines import by_day, headline, lines_of, outlet_path, topics
from .queries import Row, ids, rows
from .story import revisions_of
from .times import Clock

DAYS = 30
# An outlet that publishes more in thirty days is judged by its latest; the page says so.
_MOST = 1000
_STORIES = 30
# Newsrooms that are drawn on the line of one story, its first.
_MARKS = 40
_LINES = 25
_EDITS = 12
_COPIES = 8


async def find(datasette: Any, where: str) -> Row | None:
    """The outlet an address means: by name, else by number."""
    name = unquote(where)
    found = await queries.first(datasette, queries.OUTLET, name=name)
    number = site.whole(name)
    if found is None and number is not None:
        found = await queries.first(datasette, queries.OUTLET_OF_NUMBER, outlet=number)
    return found


def _mark(runner: races.Runner, longest: float, is_self: bool) -> tuple[float, charts.Mark, str]:
    kind: charts.Mark = "self" if is_self else "wire" if runner.only_wire else "own"
    when = f"+{times.span(runner.lag_s)}" if runner.lag_s else "first"
    return runner.lag_s / longest, kind, f"{runner.outlets[0]} {when}"


async def _stories(datasette: Any, outlet: Row, numbers: list[int]) -> tuple[list[Row], races.Form]:
    """The shared stories among these, latest first, with the newsroom's place in each; and the sum of the places."""
    shared = await rows(datasette, queries.SHARED_STORIES, ids=ids(numbers), most=_STORIES)
    reports: dict[int, list[Row]] = defaultdict(list)
    for row in await rows(datasette, queries.RUNNERS, ids=ids(s["id"] for s in shared)):
        reports[row["story_id"]].append(row)
    told, places = [], []
    for story in shared:
        # The outlet's own pace, not its sisters': they stand aside.
        held = [r for r in reports[story["id"]] if r["family"] != outlet["family"] or r["outlet"] == outlet["name"]]
        field = races.runners(held)
        place = races.place(field, outlet["family"])
        if place is None or place.among < 2:
            continue
        longest = max(1.0, max(runner.lag_s for runner in field))
        shown = [*field[:_MARKS], *(runner for runner in field[_MARKS:] if runner.family == outlet["family"])]
        marks = [_mark(runner, longest, runner.family == outlet["family"]) for runner in shown]
        places.append(place)
        lag = "first" if place.place == 1 else f"+{times.span(place.lag_s)}"
        told.append({**story, "place": place, "lag": lag, "lane": charts.lane(marks)})
    return told, races.form(places)


async def _copied(datasette: Any, articles: list[Row]) -> list[Row]:
    """What it took over, latest first: the article, and whose text it is."""
    copies = [row for row in articles if races.wire(row)][:_COPIES]
    numbers = ids(row["copy_of"] for row in copies if row["copy_of"])
    originals = {row["id"]: row for row in await rows(datasette, queries.ORIGINALS, ids=numbers)}
    return [{**row, "title": headline(row), "original": originals.get(row["copy_of"])} for row in copies]


def _numbers(clock: Clock, articles: list[Row]) -> tuple[list[str], list[int], list[int]]:
    """The days, how many articles each had, and how many of them were wire."""
    days = list(clock.days(DAYS))
    every = Counter(str(row["at"])[:10] for row in articles)
    wire = Counter(str(row["at"])[:10] for row in articles if races.wire(row))
    return days, [every[day] for day in days], [wire[day] for day in days]


async def outlet(datasette: Any, request: Any) -> Any:
    """One outlet, in the last thirty days."""
    row = await find(datasette, request.url_vars["name"])
    if row is None:
        return await site.missing(
            datasette, request, "There is no outlet of that name.", "The table of outlets has every one there is."
        )
    clock, known = site.clock(datasette), await topics(datasette)
    since = clock.before(days=DAYS)
    articles = await rows(datasette, queries.OUTLET_ARTICLES, outlet=row["id"], since=since, most=_MOST)
    numbers = [article["id"] for article in articles]
    days, counts, wire = _numbers(clock, articles)
    stories, form = await _stories(
        datasette, row, list(dict.fromkeys(a["story_id"] for a in articles if a["story_id"] is not None))
    )
    on = await rows(datasette, queries.OUTLET_TOPICS, ids=ids(numbers))
    beside = [
        {**known[row["topic"]], "n": row["n"], "share": charts.share(row["n"], on[0]["n"])}
        for row in on
        if row["topic"] in known
    ]
    edited = [article for article in articles if article["revision_count"] > 1]
    held = await revisions_of(datasette, [article["id"] for article in edited])
    changes = [(after["seen_at"], article, pair) for article in edited for pair in pairwise(held[article["id"]])
               for after in pair[1:]]  # fmt: skip
    changes.sort(key=lambda change: str(change[0]), reverse=True)
    # Only what is shown is compared word by word.
    edits = [
        {**change, "article_id": article["id"], "headline": headline(article)}
        for _, article, pair in changes[:_EDITS]
        for change in wordings_of(list(pair))
    ]
    taken = await rows(datasette, queries.COPY_COUNTS, ids=ids(numbers))
    feeds = await health.in_order(datasette, clock, await rows(datasette, queries.OUTLET_FEEDS, outlet=row["id"]))
    return await site.page(
        datasette,
        request,
        "outlet",
        clock=clock,
        outlet=row,
        here=outlet_path(row["name"], row["id"]),
        sisters=await rows(datasette, queries.SISTERS, family=row["family"], outlet=row["id"]),
        total=len(articles),
        clipped=len(articles) == _MOST,
        wire=sum(wire),
        copies=sum(article["copy_of"] is not None for article in articles),
        agencies=Counter(article["agency"] for article in articles if article["agency"]).most_common(6),
        copied=await _copied(datasette, articles),
        taken=sum(found["n"] for found in taken),
        columns=charts.columns(days, counts, wire),
        days=[
            (day, times.short_day(day), count, copied) for day, count, copied in zip(days, counts, wire, strict=True)
        ],
        form=form,
        median=times.span(form.median_lag_s) if form.median_lag_s is not None else None,
        stories=stories,
        topics=beside,
        edits=edits,
        edit_count=len(changes),
        kinds=Counter(KINDS.get(pair[1]["kind"], pair[1]["kind"]) for _, _, pair in changes).most_common(),
        feeds=await health.told(datasette, clock, feeds),
        hours=health.STRIP_HOURS,
        lines=by_day(clock, await lines_of(datasette, numbers[:_LINES], known)),
        span=DAYS,
    )
