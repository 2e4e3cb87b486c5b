"""The invented newsroom of the demo: its outlets, what they publish in ten days, and the truth about it.

The content lies beside this module in `newsroom/*.toml`; all but reading it is pure. What a feed looks like is
known to `rendering`, HTTP to `server`.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

START = datetime(2020, 12, 1, tzinfo=UTC)
END = datetime(2020, 12, 11, tzinfo=UTC)
DEADLINE = "tiktok-deadline"
"""The story the demo is asked about: who had it first, who only ran the wire."""

# Outlets that set curly quotes and dashes in every word they publish.
TYPOGRAPHIC = frozenset({"eastgate"})


@dataclass(frozen=True, slots=True)
class DemoOutlet:
    """Who publishes, in which `format` (rss2, rss1, atom, json, sitemap), and how many items its feed holds (`window`).

    `quirk` is what it does to its readers from `day` (1 to 10) on: moves, gone, broken, same-guid; `None` for nothing.
    """

    key: str
    name: str
    domain: str
    family: str
    format: str
    window: int
    quirk: str | None = None
    day: int | None = None

    def has(self, quirk: str, now: datetime) -> bool:
        """Whether this quirk has begun at `now`."""
        return self.quirk == quirk and self.day is not None and day(now) >= self.day


@dataclass(frozen=True, slots=True)
class Edit:
    """A later wording: what is not `None` replaces what stood there."""

    at: datetime
    title: str | None = None
    summary: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class DemoArticle:
    """One page as first published. `text` has paragraphs divided by a blank line; `copy_of` is an article's id."""

    id: str
    outlet: str
    at: datetime
    title: str
    summary: str
    authors: tuple[str, ...]
    text: str
    url: str
    copy_of: str | None = None
    story: str | None = None
    topic: bool = False
    edits: tuple[Edit, ...] = ()

    @property
    def updated_at(self) -> datetime:
        """When the latest of its edits was made; without any, when it was published."""
        return self.edits[-1].at if self.edits else self.at


@dataclass(frozen=True, slots=True)
class Newsroom:
    """All outlets, and all they publish from START until END, in order of time."""

    outlets: tuple[DemoOutlet, ...]
    articles: tuple[DemoArticle, ...]

    def outlet(self, key: str) -> DemoOutlet:
        """The outlet of that key; KeyError when there is none."""
        for outlet in self.outlets:
            if outlet.key == key:
                return outlet
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class Script:
    """What a good reader must find in ten days. Addresses are canonical; `copies` are pairs of (copy, original).

    `entries` counts articles by feed format, `edits` only what a feed shows. The last three are about DEADLINE:
    the outlet that had it first, the outlets that only ran the wire, and how many families had words of their own
    (a copy counts for the family of the outlet that ran it first).
    """

    outlets: int
    families: int
    articles: int
    entries: Mapping[str, int]
    edits: int
    headline_edits: int
    copies: frozenset[tuple[str, str]]
    on_topic: frozenset[str]
    stories: Mapping[str, frozenset[str]]
    deadline_first: str
    deadline_wire_only: frozenset[str]
    deadline_families: int


def load() -> Newsroom:
    """The newsroom from the TOML files of the package. A key no article or outlet has is a TypeError."""
    folder = resources.files("pipeline.demo").joinpath("newsroom")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    documents = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    outlets = tuple(DemoOutlet(**raw) for document in documents for raw in document.get("outlet", ()))
    domains = {outlet.key: outlet.domain for outlet in outlets}
    articles = [_article(raw, domains) for document in documents for raw in document.get("article", ())]
    return Newsroom(outlets, tuple(sorted(articles, key=_order)))


def day(now: datetime) -> int:
    """Which day of the ten `now` falls on, counted from 1."""
    return (now - START) // timedelta(days=1) + 1


def as_of(article: DemoArticle, now: datetime) -> DemoArticle:
    """The article as worded at a moment: edits made by then applied, later ones left out."""
    made = tuple(edit for edit in article.edits if edit.at <= now)
    worded = replace(article, edits=made)
    for edit in made:
        worded = replace(
            worded,
            title=worded.title if edit.title is None else edit.title,
            summary=worded.summary if edit.summary is None else edit.summary,
            text=worded.text if edit.text is None else edit.text,
        )
    return worded


def published(newsroom: Newsroom, outlet_key: str, now: datetime) -> tuple[DemoArticle, ...]:
    """What stands in an outlet's feed at a moment, as worded then: newest first, at most its window."""
    out = [article for article in newsroom.articles if article.outlet == outlet_key and article.at <= now]
    newest = sorted(out, key=_order, reverse=True)[: newsroom.outlet(outlet_key).window]
    return tuple(as_of(article, now) for article in newest)


def latest_change(articles: tuple[DemoArticle, ...]) -> datetime | None:
    """When the latest of these was published or edited; `None` when there are none."""
    return max((article.updated_at for article in articles), default=None)


def feed_path(outlet: DemoOutlet, now: datetime) -> str:
    """Where on the server this outlet's feed lies at a moment."""
    return f"/{outlet.key}/v2/feed" if outlet.has("moves", now) else f"/{outlet.key}/feed"


def script(newsroom: Newsroom) -> Script:
    """The truth the demo's result is checked against, counted from the content."""
    outlets = {outlet.key: outlet for outlet in newsroom.outlets}
    by_id = {article.id: article for article in newsroom.articles}
    edits = [
        edit
        for article in newsroom.articles
        for edit in article.edits
        if edit.title is not None or outlets[article.outlet].format != "sitemap"
    ]
    slugs = {article.story for article in newsroom.articles if article.story}
    deadline = [article for article in newsroom.articles if article.story == DEADLINE]
    own = [article for article in deadline if not article.copy_of]
    spoke = {article.outlet for article in own}
    sources = {by_id[article.copy_of].outlet if article.copy_of else article.outlet for article in deadline}
    return Script(
        outlets=len(outlets),
        families=len({outlet.family for outlet in newsroom.outlets}),
        articles=len(newsroom.articles),
        entries=dict(Counter(outlets[article.outlet].format for article in newsroom.articles)),
        edits=len(edits),
        headline_edits=sum(edit.title is not None for edit in edits),
        copies=frozenset((article.url, by_id[article.copy_of].url) for article in newsroom.articles if article.copy_of),
        on_topic=frozenset(article.url for article in newsroom.articles if article.topic),
        stories={
            slug: frozenset(article.url for article in newsroom.articles if article.story == slug)
            for slug in sorted(slugs)
        },
        deadline_first=outlets[min(deadline, key=_order).outlet].name,
        deadline_wire_only=frozenset(
            outlets[article.outlet].name for article in deadline if article.outlet not in spoke
        ),
        deadline_families=len({outlets[key].family for key in sources}),
    )


def _order(article: DemoArticle) -> tuple[datetime, str]:
    return article.at, article.id


def _article(raw: dict[str, Any], domains: Mapping[str, str]) -> DemoArticle:
    fields = {key: value for key, value in raw.items() if key not in ("edit", "authors")}
    words = _typeset if raw["outlet"] in TYPOGRAPHIC else str
    edits = [Edit(**{key: _worded(value, words) for key, value in edit.items()}) for edit in raw.get("edit", ())]
    return DemoArticle(
        **{
            key: _worded(value, words) if key in ("title", "summary", "text") else value
            for key, value in fields.items()
        },
        authors=tuple(raw["authors"]),
        edits=tuple(sorted(edits, key=lambda edit: edit.at)),
        url=f"https://www.{domains[raw['outlet']]}/{raw['at']:%Y/%m/%d}/{raw['id']}",
    )


def _worded(value: Any, words: Any) -> Any:
    return words(value.strip()) if isinstance(value, str) else value


def _typeset(text: str) -> str:
    """Straight quotes curled, and a hyphen between spaces made a dash, as a typesetter would."""
    text = re.sub(r'(^|[\s(\[])"', r"\1“", text).replace('"', "”")
    text = re.sub(r"(^|[\s(\[“])'", r"\1‘", text).replace("'", "’")
    return text.replace(" - ", " – ")
