"""The pages that list: front and topic. A request in; queries, a little arithmetic, a template out."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import timedelta
from typing import Any

from pipeline import learn
from pipeline.text import listing

from . import charts, editing, health, queries, site, stored, times, wording
from .lines import by_day, listed, topics
from .queries import Row, ids, rows
from .times import Clock

WINDOW_HOURS = 36
_BARS = 14
_COLUMNS = 30
_PAGE = 40
_FRONT_LINES = 24
# Reports of a story that are looked at for the names of its first newsrooms.
_FIRST_REPORTS = 12
# How far below the threshold is still "just under".
_NEAR = 0.6
_BLIND_FAMILIES = 3
_REWORDED_HOURS = 72
# Articles on either side of the threshold among which the three questions are found.
_POOL = 300
# The questions of a topic, by all that a person can change about it. Choosing them anew for every report that comes in
# would cost more than the rest of the page, and changes little.
_KEPT: dict[tuple[object, ...], tuple[float, list[Row]]] = {}
_KEPT_FOR = 60.0
_MOST_KEPT = 500


async def _with_newsrooms(datasette: Any, stories: list[Row], known: dict[str, Row]) -> list[Row]:
    """Stories with the topics they touch, and the newsrooms that had them first."""
    chosen = ids(story["id"] for story in stories)
    on: dict[int, list[Row]] = defaultdict(list)
    for row in await rows(datasette, queries.STORY_TOPICS, ids=chosen) if known else ():
        if row["topic"] in known:
            on[row["story_id"]].append(known[row["topic"]])
    reports: dict[int, list[Row]] = defaultdict(list)
    for row in await rows(datasette, queries.FIRST_REPORTS, ids=chosen, each=_FIRST_REPORTS):
        reports[row["story_id"]].append(row)
    full = []
    for story in stories:
        held = reports[story["id"]]
        names = list(dict.fromkeys(row["outlet"] for row in held))
        shown = names if len(names) == story["outlet_count"] <= 6 else names[:5]
        more = story["outlet_count"] - len(shown)
        full.append(
            {
                **story,
                "topics": on[story["id"]],
                "outlets": listing([*shown, f"{more} more"] if more > 0 else shown),
                "first_outlet": names[0] if names else "",
                "summary": next((row["summary"] for row in held if row["summary"]), ""),
            }
        )
    return full


async def _with_arrivals(datasette: Any, clock: Clock, stories: list[Row]) -> list[Row]:
    """Stories with a line of when their reports came."""
    since = clock.now - timedelta(hours=WINDOW_HOURS)
    found = await rows(
        datasette, queries.ARRIVALS, ids=ids(story["id"] for story in stories), since=times.stamp(since),
        until=times.stamp(clock.now),
    )  # fmt: skip
    slots: dict[int, dict[str, int]] = defaultdict(dict)
    for row in found:
        slots[row["story_id"]][f"{row['slot']}5:00Z"] = row["n"]
    return [{**story, "arrivals": charts.arrivals(slots[story["id"]], since, clock.now)} for story in stories]


async def _reworded(datasette: Any, clock: Clock) -> list[Row]:
    """The latest changed headlines, what went and what came marked."""
    found = await rows(datasette, queries.REWORDED, since=clock.before(hours=_REWORDED_HOURS), most=4)
    told = []
    for row in found:
        before, after = wording.diff(row["before"] or "", row["after"] or "")
        told.append({**row, "before": before, "after": after})
    return told


async def front(datasette: Any, request: Any) -> Any:
    """What is most covered, what is new on topic, and what we would miss."""
    clock, known = site.clock(datasette), await topics(datasette)
    since = clock.before(hours=WINDOW_HOURS)
    until = clock.before(hours=-2)
    # One newsroom alone is not coverage, unless nothing else happened.
    stories = await rows(datasette, queries.MOST_COVERED, since=since, until=until, most=8) or await rows(
        datasette, queries.LATEST_STORIES, since=since, until=until, most=8
    )
    blind = await rows(datasette, queries.BLIND_SPOT, since=since, families=_BLIND_FAMILIES, most=6)
    days = list(clock.days(_BARS))
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in await rows(datasette, queries.TOPIC_DAYS, since=days[0]):
        counts[row["topic"]][row["day"]] = row["n"]
    beside = []
    for topic in known.values():
        held = [counts[topic["slug"]].get(day, 0) for day in days]
        beside.append({**topic, "bars": charts.bars(days, held), "week": sum(held[-7:]), "today": held[-1]})
    beside.sort(key=lambda topic: (-topic["week"], topic["title"]))
    # A copy adds a newsroom, not news: it is counted on the line of its original.
    newest = await rows(datasette, queries.NEWEST_ORIGINALS, until=clock.before(hours=-2), most=2 * _FRONT_LINES)
    lines = (await listed(datasette, newest, known))[:_FRONT_LINES]
    return await site.page(
        datasette,
        request,
        "front",
        clock=clock,
        stories=await _with_arrivals(datasette, clock, await _with_newsrooms(datasette, stories, known)),
        blind=blind,
        topics=beside,
        days=by_day(clock, lines),
        health=await health.summary(datasette, clock),
        reworded=await _reworded(datasette, clock),
        reworded_hours=_REWORDED_HOURS,
        window=WINDOW_HOURS,
        blind_families=_BLIND_FAMILIES,
    )


async def questions(datasette: Any, topic: Row, since: str) -> list[Row]:
    """The three articles whose labels would teach the topic most, as rows of article_topics."""
    slug, threshold = topic["slug"], topic["threshold"]
    said = {row["article_id"]: row for row in await rows(datasette, queries.SAID, topic=slug)}
    labels = {number: bool(row["on_topic"]) for number, row in said.items()}
    where = str(datasette.get_database(queries.DATABASE).path)
    key = (where, slug, threshold, topic["profile_hash"], since[:10], tuple(sorted(labels.items())))
    kept = _KEPT.get(key)
    if kept is not None and time.monotonic() - kept[0] < _KEPT_FOR:
        return kept[1]
    near = await rows(datasette, queries.QUESTION_POOL, topic=slug, since=since, most=_POOL)
    pool = {
        row["article_id"]: learn.Candidate(row["article_id"], row["score"], row["story"], row["published_at"][:10])
        for row in near
    }
    for number, row in said.items():
        pool.setdefault(number, learn.Candidate(number, row["score"]))
    chosen = learn.questions([pool[number] for number in sorted(pool)], labels, threshold)
    by_number = {row["article_id"]: row for row in near}
    found = [{**by_number[one.number], "topic": slug, "evidence": None} for one in chosen if one.number in by_number]
    if len(_KEPT) >= _MOST_KEPT:
        _KEPT.clear()
    _KEPT[key] = (time.monotonic(), found)
    return found


async def topic(datasette: Any, request: Any) -> Any:
    """One topic: its days, its stories, every article against the threshold, who covers it, near misses."""
    slug = request.url_vars["slug"]
    row = await queries.first(datasette, queries.TOPIC, topic=slug)
    if row is None:
        return await site.missing(
            datasette, request, "There is no topic of that name.", "The front page lists every topic there is."
        )
    clock, known = site.clock(datasette), {slug: row}
    days = list(clock.days(_COLUMNS))
    held = {
        found["day"]: found["n"] for found in await rows(datasette, queries.ONE_TOPIC_DAYS, topic=slug, since=days[0])
    }
    counts = [held.get(day, 0) for day in days]
    before = request.args.get("before") or ""
    moment, _, last = before.partition("~")
    older = times.parse(moment) is not None and site.whole(last) is not None
    matches = await rows(
        datasette,
        queries.TOPIC_ARTICLES,
        topic=slug,
        before=moment if older else "9999",
        before_id=int(last) if older else 0,
        most=_PAGE + 1,
    )
    since = clock.before(days=_COLUMNS)
    stories = await rows(datasette, queries.TOPIC_STORIES, topic=slug, since=since, most=8)
    near = await rows(datasette, queries.NEAR_MISSES, topic=slug, since=since, floor=_NEAR * row["threshold"], most=8)
    outlets = await rows(datasette, queries.TOPIC_OUTLETS, topic=slug, since=since)
    lines = await listed(datasette, matches[:_PAGE], known)
    misses = await listed(datasette, near, known)
    asked = await listed(
        datasette, await questions(datasette, row, since) if row["active"] and not older else [], known
    )
    for line in (*lines, *misses, *asked):
        line["meter"] = charts.meter(line["score"], row["threshold"])
    return await site.page(
        datasette,
        request,
        "topic",
        clock=clock,
        topic=row,
        profile=stored.profile(row["profile"]),
        columns=charts.columns(days, counts),
        days=[(day, times.short_day(day), count) for day, count in zip(days, counts, strict=True)],
        total=sum(counts),
        peak=max(zip(counts, days, strict=True), default=(0, "")),
        short_day=times.short_day,
        stories=await _with_newsrooms(datasette, stories, {}),
        lines=by_day(clock, lines),
        older=f"{matches[_PAGE - 1]['published_at']}~{matches[_PAGE - 1]['article_id']}"
        if len(matches) > _PAGE
        else None,
        paged=older,
        outlets=[{**o, "share": charts.share(o["n"], outlets[0]["n"])} for o in outlets[:12]],
        outlet_count=len(outlets),
        family_count=len({o["family"] for o in outlets}),
        misses=misses,
        asked=asked,
        editor=editing.editor(datasette, request),
        judged=row["judged_to"] * 100 // max(1, row["judge_until"] or 1) if row["judged_to"] is not None else None,
    )
