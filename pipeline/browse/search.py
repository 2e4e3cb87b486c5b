"""The search page: what a person types, read kindly, to a full-text question that cannot be malformed.

Every word is quoted before SQLite sees it, so no syntax of FTS5 leaks through; what we do understand is
"exact phrases", a word left out with a minus, OR between words, and a star at a word's end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from datasette.database import QueryInterrupted
from markupsafe import Markup

from . import queries, site
from .lines import headline
from .queries import Row, ids, rows
from .safe import snippet

PERIODS = (("1", "Last 24 hours"), ("7", "7 days"), ("30", "30 days"), ("365", "One year"), ("0", "Any time"))
ORDERS = (("new", "Newest first"), ("best", "Best match first"))
BEST_AMONG = 2000
"""The best match is sought among so many of the latest that match: a common word stands in hundreds of thousands."""
_PER_PAGE = 20
_LAST_PAGE = 25
_LONGEST = 300
_MOST_WORDS = 24
_PIECE = re.compile(r'(-?)"([^"]*)"|(\S+)')


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, as FTS5 takes it; `match` is empty when there is nothing to look for. `note` says why."""

    match: str
    note: str = ""


def _quoted(text: str) -> str:
    """One FTS5 string; "" when there is no letter or digit in it."""
    star = "*" if text.endswith("*") and len(text) > 2 else ""
    words = re.findall(r"\w+", text)
    return f'"{" ".join(words)}"{star}' if words else ""


def read(text: str) -> Asked:
    """What a person typed, as a question. Never raises, never yields a malformed one."""
    note = ""
    if len(text) > _LONGEST:
        text, note = text[:_LONGEST], "That was long; only the beginning was searched."
    if text.count('"') % 2:
        text, note = text.replace('"', " "), "A quotation mark was left open, so its words were searched one by one."
    wanted: list[str] = []
    left_out: list[str] = []
    either = False
    for minus, phrase, word in _PIECE.findall(text)[:_MOST_WORDS]:
        if word in {"OR", "|"}:
            either = bool(wanted)
            continue
        if word in {"AND", "NOT", "NEAR"}:
            continue
        negative = bool(minus) or (word.startswith("-") and len(word) > 1)
        quoted = _quoted(phrase or word.lstrip("-+"))
        if not quoted:
            continue
        if negative:
            left_out.append(quoted)
        elif either:
            wanted[-1] = f"{wanted[-1]} OR {quoted}"
            either = False
        else:
            wanted.append(quoted)
    if not wanted:
        if left_out:
            return Asked("", "There are only words to leave out. Add one to look for.")
        return Asked(
            "", "There is no word in that to look for. Letters and digits are searched." if text.strip() else ""
        )
    match = " AND ".join(f"({part})" for part in wanted)
    if left_out:
        match = f"({match}) NOT ({' OR '.join(left_out)})"
    return Asked(match, note)


@dataclass(frozen=True, slots=True)
class Question:
    """A search as its address asks it. `first` is the lowest article that may be found; `since` "" is any time."""

    typed: str
    asked: Asked
    topic: str
    outlet: int
    days: str
    order: str
    first: int
    since: str


async def question(datasette: Any, request: Any) -> Question:
    """What an address asks for; what makes no sense there counts as not said. Raises QueryInterrupted."""
    typed = (request.args.get("q") or "").replace("\x00", " ").strip()
    known = {row["slug"] for row in await rows(datasette, queries.TOPICS)}
    topic = request.args.get("topic") or ""
    days = request.args.get("days") or "30"
    days = days if days in dict(PERIODS) else "30"
    since = site.clock(datasette).before(days=int(days)) if days != "0" else ""
    first = 0
    # Over a year the index range costs more than it saves.
    if days in {"1", "7", "30"}:
        oldest = await queries.first(datasette, queries.FIRST_ID_SINCE, since=since)
        first = oldest["id"] or 2**62 if oldest else 2**62
    return Question(
        typed=typed,
        asked=read(typed),
        topic=topic if topic in known else "",
        outlet=site.whole(request.args.get("outlet") or "") or 0,
        days=days,
        order="best" if request.args.get("order") == "best" else "new",
        first=first,
        since=since,
    )


async def numbers(datasette: Any, asked: Question, below: int, most: int, skip: int = 0) -> list[int]:
    """The articles found, in the order asked for: those with a number under `below`, without the first `skip`."""
    if not asked.asked.match:
        return []
    values: dict[str, object] = {
        "words": asked.asked.match,
        "first": asked.first,
        "below": below,
        "since": asked.since,
        "topic": asked.topic,
        "outlet": asked.outlet,
    }
    query = queries.SEARCH_NEWEST
    if asked.order == "best":
        query = queries.SEARCH_BEST
        reach = await queries.first(datasette, queries.SEARCH_REACH, **values, most=BEST_AMONG, skip=0)
        if reach is None or reach["id"] is None:
            return []
        values["first"] = reach["id"]
    found = await rows(datasette, query, **values, most=most, skip=skip)
    return [row["id"] for row in found]


async def _hits(datasette: Any, asked: Question, chosen: list[int]) -> list[Row]:
    """These articles, each with its snippet."""
    articles = {row["id"]: row for row in await rows(datasette, queries.ARTICLES, ids=ids(chosen))}
    told = await rows(datasette, queries.SNIPPETS, words=asked.asked.match, ids=ids(chosen))
    words = {row["id"]: snippet(row["words"]) for row in told}
    return [_hit(articles[number], words.get(number, Markup())) for number in chosen if number in articles]


def _hit(article: Row, words: Markup) -> Row:
    """An article with its headline and snippet; where the snippet is the headline, it stands once, marked."""
    title = headline(article)
    return {**article, "title": words, "words": ""} if words.striptags() == title else {
        **article, "title": title, "words": words
    }  # fmt: skip


async def search(datasette: Any, request: Any) -> Any:
    """Full text with snippets, by topic, outlet and time."""
    number = min(_LAST_PAGE, max(1, site.whole(request.args.get("page") or "1") or 1))
    asked = await question(datasette, request)
    hits: list[Row] = []
    trouble = ""
    try:
        chosen = await numbers(datasette, asked, 2**62, _PER_PAGE + 1, (number - 1) * _PER_PAGE)
        hits = await _hits(datasette, asked, chosen) if chosen else []
    except QueryInterrupted:
        trouble = "That search took too long. Add a word, or choose a shorter time."
    return await site.page(
        datasette,
        request,
        "search",
        q=asked.typed,
        asked=asked.asked,
        hits=hits[:_PER_PAGE],
        trouble=trouble,
        more=len(hits) > _PER_PAGE and number < _LAST_PAGE,
        number=number,
        topic=asked.topic,
        outlet=asked.outlet,
        days=asked.days,
        order=asked.order,
        topics=await rows(datasette, queries.TOPICS),
        outlets=await rows(datasette, queries.OUTLETS),
        periods=PERIODS,
        orders=ORDERS,
        best_among=BEST_AMONG,
        kept={
            "q": asked.typed,
            "topic": asked.topic,
            "outlet": asked.outlet or "",
            "days": asked.days,
            "order": asked.order,
        },
    )
