"""Judging the archive anew after a profile changed, a few hundred articles at a time. May stop and go on anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import islice

from pipeline import log
from pipeline.ingest import Desk, judge

BATCH = 200
"""Articles judged in one transaction: short enough that a poll waits for it unnoticed."""


def step(desk: Desk, slugs: Collection[str], after: int) -> tuple[int, int]:
    """Judges the next batch of articles above id `after` on these topics.

    Returns how many there were and the id of the last; nothing is left when there were none.
    """
    some = replace(desk, topics=tuple(one for one in desk.topics if one.profile.slug in slugs))
    batch = list(islice(desk.store.articles.all(after), BATCH))
    if not batch:
        return 0, after
    with desk.store.transaction():
        for article in batch:
            assert article.id is not None
            after = article.id
            judge(after, article, some)
    return len(batch), after


def everything(desk: Desk, slugs: Collection[str], told: Callable[[int], None] = lambda _: None) -> int:
    """Judges every stored article on these topics and returns how many there were. `told` hears the count."""
    done, (count, last) = 0, step(desk, slugs, 0)
    while count:
        done += count
        told(done)
        count, last = step(desk, slugs, last)
    return done


async def in_background(desk: Desk, slugs: Collection[str]) -> None:
    """The same beside running polls."""
    done, (count, last) = 0, step(desk, slugs, 0)
    while count:
        done += count
        await asyncio.sleep(0)
        count, last = step(desk, slugs, last)
    log.event("topics judged anew", topics=",".join(sorted(slugs)), articles=done)
