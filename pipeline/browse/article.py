"""The page of one article: its words with what matched, why it is here, how it was reworded, where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pipeline.hiding import masked
from pipeline.model import Evidence

from . import charts, editing, queries, site, stored, times, wording
from .lines import topics
from .queries import Row, rows
from .safe import marked, paragraphs, passages
from .story import revisions_of, seen_after

TEXT_FROM = {
    "content": "the feed carried the full text",
    "summary": "the feed carried a summary only",
    "page": "the text was read from the outlet's page",
    "title": "only the headline is known",
}
KINDS = {
    "headline": "Headline changed",
    "correction": "Correction appended",
    "quote_removed": "Quote removed",
    "number": "Number changed",
    "text": "Text changed",
    "summary": "Summary changed",
    "cosmetic": "Spelling changed",
}
FIELDS = {"title": "headline", "summary": "summary", "text": "text"}


def _by_term(items: Sequence[Evidence]) -> list[Row]:
    """What each term brought, wherever it stands, most points first."""
    found: dict[str, Row] = {}
    for item in items:
        row = found.setdefault(item.term, {"term": item.term, "fields": [], "count": 0, "points": 0.0})
        row["fields"].append(FIELDS[item.field])
        row["count"] += item.count
        row["points"] += item.points
    for row in found.values():
        row["fields"] = [name for name in FIELDS.values() if name in row["fields"]]
    return sorted(found.values(), key=lambda row: -row["points"])


def _why(matches: list[Row]) -> list[Row]:
    """Each topic with its verdict, its points by term, and the bar against the threshold."""
    found = []
    for match in matches:
        items = stored.evidence(match["evidence"])
        found.append(
            {
                **match,
                "items": _by_term(items),
                "meter": charts.meter(match["score"], match["threshold"], 112),
                "stale": match["profile_hash"] != match["current_hash"],
                "spans": {name: stored.places(items, name) for name in FIELDS},
            }
        )
    return found


def wordings_of(found: list[Row]) -> list[Row]:
    """Each later wording beside the one before it: headline and summary, before and after."""
    changes = []
    for before, after in pairwise(found):
        change: Row = {
            "n": after["n"],
            "seen_at": after["seen_at"],
            "kind": KINDS.get(after["kind"], after["kind"]),
            "also": [
                KINDS[kind].lower()
                for kind in (after["changed"] or "").split(",")
                if kind in KINDS and kind != after["kind"] and kind != "text"
            ],
            "returns": after["returns"],
            "returned_at": after["returned_at"],
        }
        for name in ("title", "summary"):
            old, new = before[name] or "", after[name] or ""
            change[name] = wording.diff(old, new) if old != new else None
        changes.append(change)
    return changes[::-1]


def _word(said: dict[str, Row], topic: str) -> Row | None:
    """What people say of the article on a topic, or `None`."""
    found = said.get(topic)
    return {**found, "on": found["verdict"] == "on_topic"} if found else None


async def article(datasette: Any, request: Any) -> Any:
    """One article. Whole texts only for readers who may see them; others get the passages that matched."""
    number = site.whole(request.url_vars["id"])
    row = await queries.first(datasette, queries.ARTICLE, article=number) if number is not None else None
    if row is None:
        return await site.missing(
            datasette, request, "There is no article of that number.", "Search for its words instead."
        )
    clock = site.clock(datasette)
    why = _why(await rows(datasette, queries.ARTICLE_TOPICS, article=row["id"]))
    name = editing.editor(datasette, request)
    said = await editing.said_of(datasette, (row["id"], row["url"]))
    known = await topics(datasette)
    for match in why:
        match["said"] = _word(said, match["topic"])
        match["behind"] = match["said"] is not None and bool(match["on_topic"]) != match["said"]["on"]
    judged = {match["topic"] for match in why}
    telling = [match for match in why if match["on_topic"]] or why[:1]
    spans = {name: tuple(s for match in telling for s in match["spans"][name]) for name in FIELDS}
    text, summary = row["text"] or "", row["summary"] or ""
    whole = await site.texts_open(datasette, request)
    entries = await rows(datasette, queries.ARTICLE_ENTRIES, article=row["id"])
    arrival = None
    if entries:
        arrival = await queries.first(
            datasette, queries.ARRIVAL, feed=entries[0]["feed_id"], seen=entries[0]["first_seen_at"]
        )
    siblings = []
    if row["story_id"]:
        told = await rows(datasette, queries.STORY_VERSIONS, story=row["story_id"], most=60, skip=0)
        siblings = [
            {**other, "lag": times.lag(*sorted((row["at"], other["at"]))), "later": other["at"] >= row["at"]}
            for other in told
            # A copy of what is already listed adds an outlet, not a version; the story page has them all.
            if other["id"] != row["id"] and (other["copy_of"] is None or other["copy_of"] == row["id"])
        ]
    found = (await revisions_of(datasette, [row["id"]]))[row["id"]]
    title = row["title"] or "(no headline)"
    return await site.page(
        datasette,
        request,
        "article",
        clock=clock,
        article={**row, "title": title},
        headline=marked(title, spans["title"] if row["title"] else ()),
        summary=marked(summary, spans["summary"]) if summary else "",
        # Where the text is no more than the summary, it is shown once.
        body=paragraphs(text, spans["text"]) if whole and text.strip() != summary.strip() else (),
        passages=() if whole else passages(text, spans["text"]),
        whole=whole,
        seen=seen_after(row),
        words=len(text.split()),
        why=why,
        editor=name,
        # A verdict on a topic that the article comes nowhere near, said and not taken up yet, or still to be said.
        unheard=[{**known[slug], "said": _word(said, slug)} for slug in said if slug in known and slug not in judged],
        others=[topic for slug, topic in known.items() if slug not in judged and slug not in said],
        wordings=wordings_of(found),
        siblings=siblings,
        entries=[{**entry, "url": masked(entry["url"])} for entry in entries],
        arrival=arrival,
        text_from=TEXT_FROM.get(row["text_from"], row["text_from"]),
    )
