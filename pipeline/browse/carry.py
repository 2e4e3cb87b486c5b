"""Every list of the site to take along, as CSV or JSON: complete, piece by piece, newest first.

A list is read in steps, each a bounded question that goes on where the last one ended, so that one of any length passes
through. Trouble on the way breaks the connection off: what ends properly is whole.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from datasette import Response
from datasette.utils.asgi import AsgiStream

from pipeline.hiding import masked
from pipeline.text import spreadsheet

from . import compare, health, queries, search, site, stored
from .lines import lines_of, listed, topics
from .outlet import find
from .queries import Row, rows
from .safe import safe_url

TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8"}
ARTICLE_KEYS = (
    "id", "title", "outlet", "family", "published_at", "first_seen_at", "url", "page", "story", "copy_of", "edits",
    "agency", "topics", "score", "matched",
)  # fmt: skip
FEED_KEYS = (
    "id", "title", "outlet", "url", "state", "failures", "last_ok_at", "last_new_at", "next_poll_at", "trouble", "cure",
)  # fmt: skip
COVERAGE_KEYS = ("family", "outlet", "day", "articles", "wire")
_STEP = 500
_DIVIDER = "; "

Batches = AsyncIterator[Sequence[Row]]


def _csv(keys: Sequence[str], found: Sequence[Row], head: bool = False) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    if head:
        writer.writerow(keys)
    for row in found:
        told = (_DIVIDER.join(value) if isinstance(value := row[key], list) else value for key in keys)
        writer.writerow([spreadsheet(value) if isinstance(value, str) else value for value in told])
    return out.getvalue()


def answer(kind: str, keys: Sequence[str], batches: Batches, name: str, headers: dict[str, str]) -> Any:
    """The list as a stream. `name` names the file that a browser keeps it in."""

    async def csv_file(out: Any) -> None:
        queries.PATIENT.set(True)
        await out.write(_csv(keys, (), head=True))
        async for batch in batches:
            await out.write(_csv(keys, batch))

    async def json_array(out: Any) -> None:
        queries.PATIENT.set(True)
        lead = "["
        async for batch in batches:
            for row in batch:
                await out.write(f"{lead}\n{json.dumps({key: row[key] for key in keys}, ensure_ascii=False)}")
                lead = ","
        await out.write("\n]\n" if lead == "," else "[]\n")

    file = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:80].strip("-.") or "list"
    kept = {**headers, "content-disposition": f'attachment; filename="{file}.csv"'} if kind == "csv" else headers
    return AsgiStream(csv_file if kind == "csv" else json_array, headers=kept, content_type=TYPES[kind])


def _articles(datasette: Any, request: Any, lines: Sequence[Row]) -> list[Row]:
    """Lines of a list as rows to take along."""

    def page(number: int) -> str:
        return str(datasette.absolute_url(request, datasette.urls.path(f"/article/{number}")))

    return [
        {
            **{key: line.get(key) for key in ARTICLE_KEYS},
            "url": safe_url(line["url"]),
            "page": page(line["id"]),
            "story": line["story_id"],
            "edits": line["revision_count"] - 1,
            "topics": [topic["slug"] for topic in line["topics"]],
            "matched": list(line["matched"]),
        }
        for line in lines
    ]


async def _on_topic(datasette: Any, request: Any, slug: str | None) -> Batches:
    """Every article on a topic; of all active topics where `slug` is `None`, an article once for each of them."""
    known = await topics(datasette)
    at: Row = {"published_at": "9999", "article_id": 0, "topic": ""}
    while True:
        before = {"before": at["published_at"], "before_id": at["article_id"], "most": _STEP}
        if slug is None:
            found = await rows(datasette, queries.EVERY_ON_TOPIC, before_topic=at["topic"], **before)
        else:
            found = await rows(datasette, queries.TOPIC_ARTICLES, topic=slug, **before)
        if not found:
            return
        # One line a match: an article on two topics has two scores.
        by_topic: dict[str, list[Row]] = {}
        for match in found:
            by_topic.setdefault(match["topic"], []).append(match)
        held = {
            (line["id"], topic): line
            for topic, matches in by_topic.items()
            for line in await listed(datasette, matches, known)
        }
        single = [held[key] for match in found if (key := (match["article_id"], match["topic"])) in held]
        yield _articles(datasette, request, single)
        at = found[-1]


async def _of_outlet(datasette: Any, request: Any, outlet: Row) -> Batches:
    known = await topics(datasette)
    seen, last = "9999", 0
    while True:
        found = await rows(
            datasette, queries.OUTLET_EVERY, outlet=outlet["id"], before=seen, before_id=last, most=_STEP
        )  # fmt: skip
        if not found:
            return
        yield _articles(datasette, request, await lines_of(datasette, [row["id"] for row in found], known))
        seen, last = found[-1]["first_seen_at"], found[-1]["id"]


async def _of_story(datasette: Any, request: Any, story: int) -> Batches:
    known = await topics(datasette)
    members = await rows(datasette, queries.STORY_REPORTS, ids=queries.ids([story]), most=-1)
    for start in range(0, len(members), _STEP):
        step = [row["id"] for row in members[start : start + _STEP]]
        yield _articles(datasette, request, await lines_of(datasette, step, known))


async def _of_search(datasette: Any, request: Any, asked: search.Question) -> Batches:
    known = await topics(datasette)
    below = 2**62
    while True:
        found = await search.numbers(datasette, asked, below, _STEP)
        if not found:
            return
        yield _articles(datasette, request, await lines_of(datasette, found, known))
        if asked.order == "best":
            return
        below = found[-1]


async def everything(datasette: Any, request: Any) -> Any:
    """Every article on any topic."""
    kind = request.url_vars["kind"]
    return answer(kind, ARTICLE_KEYS, _on_topic(datasette, request, None), "on-topic", site.cached(datasette))


async def topic(datasette: Any, request: Any) -> Any:
    """Every article on one topic."""
    slug, kind = request.url_vars["slug"], request.url_vars["kind"]
    if await queries.first(datasette, queries.TOPIC, topic=slug) is None:
        return Response.text("There is no topic of that name.\n", status=404)
    return answer(kind, ARTICLE_KEYS, _on_topic(datasette, request, slug), slug, site.cached(datasette))


async def outlet(datasette: Any, request: Any) -> Any:
    """Every article of one outlet."""
    row = await find(datasette, request.url_vars["name"])
    if row is None:
        return Response.text("There is no outlet of that name.\n", status=404)
    batches = _of_outlet(datasette, request, row)
    return answer(request.url_vars["kind"], ARTICLE_KEYS, batches, row["name"], site.cached(datasette))


async def story(datasette: Any, request: Any) -> Any:
    """Every report of one story, first to last."""
    number = site.whole(request.url_vars["id"])
    if number is None or await queries.first(datasette, queries.STORY, story=number) is None:
        return Response.text("There is no story of that number.\n", status=404)
    batches = _of_story(datasette, request, number)
    return answer(request.url_vars["kind"], ARTICLE_KEYS, batches, f"story-{number}", site.cached(datasette))


async def found(datasette: Any, request: Any) -> Any:
    """Everything a search finds, newest first; ordered by best match, the best five hundred."""
    asked = await search.question(datasette, request)
    batches = _of_search(datasette, request, asked)
    return answer(request.url_vars["kind"], ARTICLE_KEYS, batches, "search", site.cached(datasette))


async def feeds(datasette: Any, request: Any) -> Any:
    """Every feed, those that wait for a person first."""
    clock = site.clock(datasette)

    async def batches() -> Batches:
        for feed in await health.in_order(datasette, clock, await rows(datasette, queries.FEEDS, most=-1)):
            trouble = feed["last_error"] if feed["kind"] in {"gone", "failing", "moved", "shaky"} else None
            yield [
                {
                    **feed, "url": masked(feed["url"]), "state": feed["kind"],
                    "trouble": masked(trouble or "") or feed["why"] or None,
                    "cure": stored.cure(trouble).striptags() or feed["help"].replace("`", ""),
                }
            ]  # fmt: skip

    return answer(request.url_vars["kind"], FEED_KEYS, batches(), "feeds", site.cached(datasette))


async def coverage(datasette: Any, request: Any) -> Any:
    """The numbers of a comparison: an outlet and a day a row."""
    slug = request.url_vars["slug"]
    if await queries.first(datasette, queries.TOPIC, topic=slug) is None:
        return Response.text("There is no topic of that name.\n", status=404)
    since = site.clock(datasette).before(days=compare.DAYS)

    async def batches() -> Batches:
        told = await rows(datasette, queries.COVERAGE, topic=slug, since=since)
        yield [{**row, "outlet": row["name"], "articles": row["n"]} for row in told]

    return answer(request.url_vars["kind"], COVERAGE_KEYS, batches(), f"coverage-{slug}", site.cached(datasette))
