"""What the service found, held against what the script of the newsroom says. Pure but for the store it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.demo.newsroom import DEADLINE, Script
from pipeline.store import Store

TOPIC = "tiktok-us-sale"

TOGETHER = 0.8
"""Share of the pairs of reports of one event that must stand in one story; a first cut at stories."""


@dataclass(frozen=True, slots=True)
class Line:
    """One number: what it is, what the script says, what was found, and whether that will do."""

    name: str
    said: str
    found: str
    good: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything the demo says at its end."""

    lines: tuple[Line, ...]
    numbers: Mapping[str, object]
    deadline: tuple[int, str, int, int, int] | None

    @property
    def good(self) -> bool:
        """Whether every number is what the script says it must be."""
        return all(line.good for line in self.lines)


def findings(store: Store, script: Script, *, states: Mapping[str, str], server: Mapping[str, int]) -> Findings:
    """The numbers of the finished demo. `states` are feed states by outlet key, `server` what the server counted."""
    on_topic = store.numbers.on_topic(TOPIC)
    copies = store.numbers.copies()
    edits = store.numbers.edits()
    articles = sum(1 for _ in store.articles.all())
    stories = store.numbers.stories()
    apart, together, mixed = _stories(stories, script.stories, script.on_topic)
    pairs = apart + together
    polls = store.numbers.verdicts()
    missed, extra = script.on_topic - on_topic, on_topic - script.on_topic
    first = next(iter(sorted(url for url in script.stories[DEADLINE] if any(url == o for _, o in script.copies))))
    deadline = store.numbers.story_of(first)
    lines = (
        _same("articles, each kept once", script.articles, articles),
        _same("edits seen", script.edits, sum(edits.values())),
        _same("of them headlines", script.headline_edits, edits.get("headline", 0)),
        Line(
            "wire copies", str(len(script.copies)), _hits(copies & script.copies, copies - script.copies),
            copies == script.copies,
        ),
        Line(
            "articles on the sale of TikTok", str(len(script.on_topic)), _hits(on_topic & script.on_topic, extra),
            not missed and not extra,
        ),
        Line(
            "pairs of reports on one event in one story", f"{pairs}, at least {TOGETHER:.0%}", str(together),
            together >= TOGETHER * pairs,
        ),
        _same("stories that mix two events", 0, mixed),
        _same("outlets that reported the deadline", len(script.stories[DEADLINE]), deadline[3] if deadline else 0),
        _same("independent versions of it", script.deadline_families, deadline[4] if deadline else 0),
        _same("the feed that moved", "moved", states["techweek"]),
        _same("the feed that is gone", "gone", states["tradedesk"]),
        _same("the feed that broke and recovered", "ok", states["cityline"]),
        _same("the feed that repeats its guids", "ok", states["eastgate"]),
    )  # fmt: skip
    numbers = {
        "outlets": script.outlets,
        "families": script.families,
        "polls": sum(polls.values()),
        "not_modified": polls.get("not_modified", 0),
        "failed": polls.get("failed", 0),
        **server,
        "articles": articles,
        "edits": sum(edits.values()),
        "headline_edits": edits.get("headline", 0),
        "copies": len(copies),
        "on_topic": len(on_topic),
        "on_topic_missed": sorted(missed),
        "on_topic_wrong": sorted(extra),
        "stories": len(stories),
        "story_pairs": pairs,
        "story_pairs_together": together,
        "stories_mixed": mixed,
        "deadline_outlets": deadline[3] if deadline else 0,
        "deadline_families": deadline[4] if deadline else 0,
        "good": all(line.good for line in lines),
    }
    return Findings(lines, numbers, deadline)


def _same(name: str, said: object, found: object) -> Line:
    return Line(name, str(said), str(found), said == found)


def _hits(right: Iterable[object], wrong: Iterable[object]) -> str:
    wrong_count = len(list(wrong))
    return f"{len(list(right))}" + (f" and {wrong_count} wrong" if wrong_count else "")


def _stories(
    found: Sequence[frozenset[str]], said: Mapping[str, frozenset[str]], loose: frozenset[str]
) -> tuple[int, int, int]:
    """Pairs of reports of one event kept apart, pairs together, and stories that mix events.

    A lone piece about the matter (an analysis, an explainer) may stand with one of its events; any other lone piece in
    a story is a mistake.
    """
    event = {url: slug for slug, urls in said.items() for url in urls}
    home = {url: number for number, urls in enumerate(found) for url in urls}
    together = apart = 0
    for urls in said.values():
        for one, other in combinations(sorted(urls), 2):
            same = one in home and home[one] == home.get(other)
            together, apart = together + same, apart + (not same)
    mixed = sum(1 for urls in found if len({event.get(url, url) for url in urls - (loose - event.keys())}) > 1)
    return apart, together, mixed
