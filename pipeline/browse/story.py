"""The page of one story: every outlet's version in time order, and how their headlines differ."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from . import queries, site, times, wording
from .queries import Row, ids, rows
from .safe import marked
from .views import headline, topics


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


async def story(datasette: Any, request: Any) -> Any:
    """One event as every outlet told it, in time order, copies folded under the text they repeat."""
    number = site.whole(request.url_vars["id"])
    row = await queries.first(datasette, queries.STORY, story=number) if number is not None else None
    if row is None:
        return await site.missing(
            datasette,
            request,
            "There is no story of that number.",
            "Stories are regrouped when a late report joins two of them. Search for its words instead.",
        )
    clock, known = site.clock(datasette), await topics(datasette)
    versions = await rows(datasette, queries.STORY_VERSIONS, ids=ids([row["id"]]), most=400)
    here = {version["id"] for version in versions}
    originals = [v for v in versions if v["copy_of"] not in here]
    copies: dict[int, list[Row]] = defaultdict(list)
    first_at = versions[0]["at"] if versions else row["first_at"]
    for version in versions:
        version["title"] = headline(version)
        version["lag"] = times.lag(first_at, version["at"])
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
        versions=originals,
        copy_count=len(versions) - len(originals),
        edit_count=sum(len(v["edits"]) for v in originals),
        topics=on,
        shared=wording.shared([v["title"] for v in originals]),
        any_unique=any(unique),
        nearby=nearby,
        running=_length(row["first_at"], row["last_at"]),
        latest=versions[-1] if versions else None,
    )


def _shift(text: str, days: int) -> str:
    moment = times.parse(text)
    return times.stamp(moment + timedelta(days=days)) if moment else text


def _length(first: str, last: str) -> str:
    start, end = times.parse(first), times.parse(last)
    return times.span((end - start).total_seconds()) if start and end else ""
