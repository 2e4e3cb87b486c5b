"""What another profile would change in the archive, without changing anything: the stored verdicts against new ones.

The archive is read once, a few hundred articles at a time; only counts and the changes to be listed stay in memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from pipeline import topics
from pipeline.model import Article, Label, Match, TopicProfile
from pipeline.store import Store

BATCH = 500
"""Articles whose tags are looked up at once."""


@dataclass(frozen=True, slots=True)
class Change:
    """An article whose verdict would change: its scores by the stored profile and by the one on trial, which terms made
    the difference, and what else did, in words."""

    article: Article
    was: float
    score: float
    terms: tuple[topics.Difference, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a profile would change. `added` and `dropped` are the most telling of all `add` and `drop`.

    `before` are the stored profile's own verdicts on the labelled articles (`None`: there is no stored one), `after`
    those of the profile on trial. Both look away from the labels: with them, every verdict would be right.
    """

    articles: int
    keep: int
    add: int
    drop: int
    added: tuple[Change, ...]
    dropped: tuple[Change, ...]
    before: topics.Marks | None
    after: topics.Marks


def run(store: Store, profile: TopicProfile, most: int, told: Callable[[int], None] = lambda _: None) -> Report:
    """The profile against what is stored of its topic. `most` changes of each kind are listed; `told` hears how many
    articles were read. Labelled articles follow their label under any profile."""
    one = topics.compiled(profile)
    panel = topics.Panel((one,))
    labels = store.feedback.resolved(profile.slug, store.articles.ids)
    said = {label.article_id: {profile.slug: label.on_topic} for label in labels}
    read = keep = add = drop = 0
    added: list[tuple[float, int]] = []
    dropped: list[tuple[float, int]] = []
    for batch in _batches(store.articles.all()):
        tags = store.topics.tags(profile.slug, [article.id or 0 for article in batch])
        for article in batch:
            number = article.id or 0
            found = topics.settled(article.url, panel.match(article), (profile,), said.get(number, {}))
            now_on = bool(found and found[0].on_topic)
            tag = tags.get(number)
            was_on = bool(tag and tag.on_topic)
            if now_on and was_on:
                keep += 1
            elif now_on:
                add += 1
                _remember(added, (found[0].score, -number), most)
            elif was_on and tag:
                drop += 1
                _remember(dropped, (tag.score, -number), most)
        read += len(batch)
        told(read)
    stored = store.topics.stored(profile.slug)
    before = topics.compiled(stored) if stored else None
    return Report(
        articles=read,
        keep=keep,
        add=add,
        drop=drop,
        added=tuple(_changes(store, added, before, one)),
        dropped=tuple(_changes(store, dropped, before, one)),
        before=on_labels(store, labels, before) if before else None,
        after=on_labels(store, labels, one),
    )


def on_labels(store: Store, labels: Iterable[Label], one: topics.Compiled) -> topics.Marks:
    """A profile's own verdicts on labelled articles, against the labels."""
    said = {label.article_id: label.on_topic for label in labels}
    return topics.marks(
        (_alone(article, one).on_topic, said[article.id or 0]) for article in store.articles.get(list(said))
    )


def _alone(article: Article, one: topics.Compiled) -> Match:
    """The match by score and rules, also where no term stands in the article."""
    found = topics.match(article, (one,))
    return found[0] if found else Match(article.url, one.profile.slug, 0.0, False, (), one.profile.profile_hash)


def _changes(
    store: Store, listed: list[tuple[float, int]], before: topics.Compiled | None, now: topics.Compiled
) -> Iterator[Change]:
    order = [-number for _, number in sorted(listed, reverse=True)]
    articles = {article.id: article for article in store.articles.get(order)}
    for number in order:
        article = articles[number]
        new = _alone(article, now)
        old = _alone(article, before) if before else replace(new, score=0.0, evidence=(), why="")
        why = "" if new.why == old.why else new.why or f"it was kept out: {old.why}"
        if not why and before and before.profile.threshold != now.profile.threshold:
            why = f"the threshold is {now.profile.threshold:g}, was {before.profile.threshold:g}"
        yield Change(article, old.score, new.score, topics.differences(old.evidence, new.evidence), why)


def _remember(heap: list[tuple[float, int]], item: tuple[float, int], most: int) -> None:
    """Keeps the greatest `most` items."""
    if len(heap) < most:
        heapq.heappush(heap, item)
    elif most:
        heapq.heappushpop(heap, item)


def _batches(articles: Iterator[Article]) -> Iterator[list[Article]]:
    while batch := list(islice(articles, BATCH)):
        yield batch
