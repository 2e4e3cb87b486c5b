"""Articles as lines of a list, one an article: outlet, topics, matched terms, copies. Shared by every page."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import quote

from . import queries, stored
from .queries import Row, ids, rows
from .times import Clock


def headline(row: Row) -> str:
    """The headline, or words that say there is none."""
    return row.get("title") or "(no headline)"


async def topics(datasette: Any) -> dict[str, Row]:
    """The active topics by slug."""
    return {row["slug"]: row for row in await rows(datasette, queries.TOPICS)}


@lru_cache(maxsize=4096)
def outlet_path(name: str, number: int) -> str:
    """The address of an outlet's page: its name, or its number where a name cannot stand in an address."""
    # Browsers resolve a dot as a step, the door refuses a backslash, and an ending asks for another form of the page.
    unfit = name in {"", ".", ".."} or "\\" in name or "/" in name or name.endswith((".csv", ".json", ".atom"))
    return f"/outlet/{number if unfit else quote(name, safe='')}"


async def listed(datasette: Any, matches: list[Row], known: dict[str, Row]) -> list[Row]:
    """Rows of article_topics as lines of a list: one an article, with its outlet, topics and matched terms."""
    chosen = ids(dict.fromkeys(row["article_id"] for row in matches))
    articles = {row["id"]: row for row in await rows(datasette, queries.ARTICLES, ids=chosen)}
    copies = {row["id"]: row["n"] for row in await rows(datasette, queries.COPY_COUNTS, ids=chosen)}
    lines: dict[int, Row] = {}
    for match in matches:
        article = articles.get(match["article_id"])
        if article is None:
            continue
        line = lines.setdefault(
            article["id"],
            {
                **article,
                "title": headline(article),
                "at": match["published_at"],
                "copies": copies.get(article["id"], 0),
                "topics": [],
                "matched": (),
                "score": match["score"],
            },
        )
        line["topics"].append(known.get(match["topic"], {"slug": match["topic"], "title": match["topic"]}))
        line["matched"] = tuple(dict.fromkeys((*line["matched"], *stored.terms(match["evidence"]))))[:5]
    return list(lines.values())


def by_day(clock: Clock, lines: list[Row]) -> list[tuple[str, list[Row]]]:
    """Lines under their days, "Today, 5 December" first."""
    days = groupby(lines, key=lambda line: str(line["at"])[:10])
    return [(clock.day_label(day), list(group)) for day, group in days]


async def lines_of(datasette: Any, chosen: list[int], known: dict[str, Row]) -> list[Row]:
    """The lines of these articles, in that order, on topic or not."""
    articles = {row["id"]: row for row in await rows(datasette, queries.ARTICLES, ids=ids(chosen))}
    copies = {row["id"]: row["n"] for row in await rows(datasette, queries.COPY_COUNTS, ids=ids(chosen))}
    on = {line["id"]: line for line in await listed(
        datasette, await rows(datasette, queries.ARTICLE_MATCHES, ids=ids(chosen)), known
    )}  # fmt: skip
    bare: Row = {"topics": [], "matched": (), "score": None}
    return [
        on.get(number)
        or {**articles[number], "title": headline(articles[number]), "copies": copies.get(number, 0), **bare}
        for number in chosen
        if number in articles
    ]
