"""The page of one story: every outlet's version in time order, and how their headlines differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

from datasette import Response

from pipeline.text import listing

from . import charts, editing, queries, races, site, times, wording
from .lines import headline, topics
from .queries import Row, ids, rows
from .safe import marked

# Reports a page. A story of thousands is read in pages, and taken along whole.
_PAGE = 150
_MOST_PAGES = 1000


def _edits(revisions: list[Row]) -> list[Row]:
    """Every change of headline among the wordings of one article, with what went and what came marked."""
    found, last = [], None
    for row in revisions:
        if last is not None and row["title"] and last["title"] and row["title"] != last["title"]:
            before, after = wording.diff(last["title"], row["title"])
            found.append({"before": before, "after": after, "seen_at": row["seen_at"], "n": row["n"]})
        if row["title"]:
            last = row
    return found


async def revisions_of(datasette: Any, articles: list[int]) -> dict[int, list[Row]]:
    """Every wording of these articles, first to last."""
    held: dict[int, list[Row]] = defaultdict(list)
    for row in await rows(datasette, queries.REVISIONS, ids=ids(articles)):
        held[row["article_id"]].append(row)
    return held


def _spread(versions: list[Row], most: int = 60) -> list[Row]:
    """Every report on one line of time, first to last: its own words, or the way a copied text came."""
    start, end = times.parse(versions[0]["at"]), times.parse(versions[-1]["at"])
    if start is None or end is None or end <= start:
        return []
    length = (end - start).total_seconds()
    outlets = {version["id"]: version["outlet"] for version in versions}
    at = {v["id"]: (moment - start).total_seconds() / length for v in versions if (moment := times.parse(v["at"]))}
    ran = Counter(version["copy_of"] for version in versions)
    found = []
    for version in versions[:most]:
        kind: charts.Mark = "self" if version["id"] == versions[0]["id"] else "wire" if races.wire(version) else "own"
        words = f"{version['outlet']} {version['lag'] or 'first'}"
        original = version["copy_of"]
        found.append(
            {
                **version,
                "lane": charts.lane([(at.get(version["id"], 0.0), kind, words)], since=at.get(original)),
                "wire": races.wire(version),
                "as_at": outlets.get(original),
                "ran": ran[version["id"]],
            }
        )
    return found


def seen_after(version: Row) -> str:
    """How long after its own time of day we first saw a report; "" where the outlet gave none, or at once."""
    told = times.lag(version["published_at"], version["first_seen_at"])
    return told.removeprefix("+") if told.startswith("+") else ""


async def story(datasette: Any, request: Any) -> Any:
    """One event as every outlet told it, in time order, copies folded under the text they repeat."""
    number = site.whole(request.url_vars["id"])
    row = await queries.first(datasette, queries.STORY, story=number) if number is not None else None
    if row is None and number is not None:
        went = await queries.first(datasette, queries.MERGED, story=number)
        if went is not None:
            # A number is never used again, so the new address holds for good.
            where = datasette.urls.path(f"/story/{went['id']}")
            return Response.redirect(where, status=301, headers=site.cached(datasette))
    if row is None:
        return await site.missing(
            datasette,
            request,
            "There is no story of that number.",
            "Search for its words instead.",
        )
    clock, known = site.clock(datasette), await topics(datasette)
    nth = max(1, site.whole(request.args.get("page") or "1") or 1)
    skip = min(nth - 1, _MOST_PAGES) * _PAGE
    found = await rows(datasette, queries.STORY_VERSIONS, story=row["id"], most=_PAGE + 1, skip=skip)
    versions, more = found[:_PAGE], len(found) > _PAGE
    whole = not more and not skip
    here = {version["id"] for version in versions}
    originals = [v for v in versions if v["copy_of"] not in here]
    copies: dict[int, list[Row]] = defaultdict(list)
    first_at = versions[0]["at"] if versions and not skip else row["first_at"]
    for version in versions:
        version["title"] = headline(version)
        version["lag"] = times.lag(first_at, version["at"]) if skip or version is not versions[0] else "first"
        version["seen"] = seen_after(version)
        if version["copy_of"] in here:
            copies[version["copy_of"]].append(version)
    wordings = await revisions_of(datasette, [v["id"] for v in versions if v["revision_count"] > 1])
    unique = wording.unique_spans([v["title"] for v in originals])
    for version, spans in zip(originals, unique, strict=True):
        version["marked"] = marked(version["title"], spans, "u")
        version["copies"] = copies[version["id"]]
        version["edits"] = _edits(wordings[version["id"]])
    on = [known[t["topic"]] for t in await rows(datasette, queries.STORY_TOPICS, ids=ids([row["id"]]))
          if t["topic"] in known]  # fmt: skip
    nearby = await rows(
        datasette,
        queries.NEARBY,
        story=row["id"],
        topics=ids(t["slug"] for t in on),
        since=_shift(row["first_at"], -3),
        until=_shift(row["last_at"], 3),
    ) if on else []  # fmt: skip
    return await site.page(
        datasette,
        request,
        "story",
        clock=clock,
        story=row,
        editor=editing.editor(datasette, request),
        versions=originals,
        version_count=len(versions),
        short_day=times.short_day,
        copy_count=len(versions) - len(originals),
        edit_count=sum(len(v["edits"]) for v in originals),
        edited=next((v["id"] for v in originals if v["edits"]), None),
        edited_by=listing(list(dict.fromkeys(v["outlet"] for v in originals if v["edits"]))[:3]),
        topics=on,
        spread=_spread(versions) if len(versions) > 1 and not skip else [],
        wire_only=sum(runner.only_wire for runner in races.runners(await _field(datasette, row, versions, whole))),
        shared=wording.shared([v["title"] for v in originals]),
        any_unique=any(unique),
        nearby=nearby,
        running=_length(row["first_at"], row["last_at"]),
        latest=versions[-1] if versions and whole else None,
        whole=whole,
        skip=skip,
        more=more,
        page=nth,
    )


async def _field(datasette: Any, story: Row, versions: list[Row], whole: bool) -> list[Row]:
    """The reports of all of the story, for a race: those at hand, or of each outlet the first two kinds."""
    return versions if whole else await rows(datasette, queries.RUNNERS, ids=ids([story["id"]]))


def _shift(text: str, days: int) -> str:
    moment = times.parse(text)
    return times.stamp(moment + timedelta(days=days)) if moment else text


def _length(first: str, last: str) -> str:
    start, end = times.parse(first), times.parse(last)
    return times.span((end - start).total_seconds()) if start and end else ""
