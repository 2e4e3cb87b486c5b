"""Judging the archive anew: after a profile changed, and where a person said something. May stop and go on anywhere.

How far each topic has come stands in the table `topics`, written with the verdicts themselves, so that a restart goes
on where the last process stopped and nothing is judged twice or left out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import islice, takewhile

from pipeline import log
from pipeline.judging import Desk, judge

BATCH = 200
"""Articles judged in one transaction, at most."""

STEP_SECONDS = 0.2
"""How long one transaction goes on taking in articles: short enough that a poll waits for it unnoticed."""


def step(desk: Desk, slugs: Collection[str] | None = None) -> int | None:
    """Judges the next articles on the topics that wait for it, or on those of them in `slugs`.

    Returns how many there were; `None` when nothing waits any more. Topics at different places are brought level: the
    one that is furthest behind goes alone until it meets the next.
    """
    known = {one.profile.slug for one in desk.topics if slugs is None or one.profile.slug in slugs}
    waiting = {slug: place for slug, place in desk.store.topics.waiting().items() if slug in known}
    if not waiting:
        return None
    after = min(at for at, _ in waiting.values())
    level = {slug for slug, (at, _) in waiting.items() if at == after}
    stop = max(waiting[slug][1] for slug in level)
    stop = min([stop, *(at for at, _ in waiting.values() if at > after)])
    meant = tuple(one for one in desk.topics if one.profile.slug in level)
    # All of them together are at hand already; some are put together anew each time.
    some = desk if len(meant) == len(desk.topics) else replace(desk, topics=meant)
    within = takewhile(lambda article: (article.id or 0) <= stop, desk.store.articles.all(after))
    batch = list(islice(within, BATCH))
    done, reached, began = 0, stop, time.monotonic()
    with desk.store.transaction():
        for article in batch:
            assert article.id is not None
            judge(article.id, article, some)
            done += 1
            if time.monotonic() - began > STEP_SECONDS:
                break
        if done < len(batch) or len(batch) == BATCH:
            reached = batch[done - 1].id or 0
        desk.store.topics.judged(level, reached)
    return done


def everything(desk: Desk, slugs: Collection[str], told: Callable[[int], None] = lambda _: None) -> int:
    """Judges every stored article on these topics and returns how many it had to. `told` hears the count.

    A topic that waits already, since its profile changed or a process was stopped, goes on where it stands.
    """
    with desk.store.transaction():
        desk.store.topics.judge_all(slugs)
    done = 0
    while (count := step(desk, slugs)) is not None:
        done += count
        if count:
            told(done)
    return done


async def in_background(desk: Desk) -> None:
    """Judges on all that waits, beside running polls; a topic that changes meanwhile is taken in."""
    done, slugs = 0, set(desk.store.topics.waiting())
    while (count := step(desk)) is not None:
        done += count
        await asyncio.sleep(0)
        slugs |= set(desk.store.topics.waiting())
    log.event("topics judged anew", topics=",".join(sorted(slugs)), articles=done)


def hear(desk: Desk) -> int:
    """Makes the verdicts agree with what people said; returns how many articles had to be judged for it.

    Cheap when they agree already. What was said of articles or topics that are not here is passed over.
    """
    slugs = {one.profile.slug for one in desk.topics}
    said = {
        (label.article_id, label.topic): label.on_topic
        for label in desk.store.feedback.resolved(None, desk.store.articles.ids)
        if label.topic in slugs
    }
    stored = {key: on for key, on in desk.store.topics.decided_by_people().items() if key[1] in slugs}
    differ = sorted({key[0] for key in said.keys() | stored.keys() if said.get(key) != stored.get(key)})
    heard = 0
    for at in range(0, len(differ), BATCH):
        with desk.store.transaction():
            for article in desk.store.articles.get(differ[at : at + BATCH]):
                assert article.id is not None
                judge(article.id, article, desk)
                heard += 1
    return heard
