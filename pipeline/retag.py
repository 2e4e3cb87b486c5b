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


def step(desk: Desk, slugs: Collection[str], after: int) -> int | None:
    """Judges the next batch of articles above id `after` on these topics; returns the last id, `None` at the end."""
    some = replace(desk, topics=tuple(one for one in desk.topics if one.profile.slug in slugs))
    batch = list(islice(desk.store.articles.all(after), BATCH))
    if not batch:
        return None
    with desk.store.transaction():
        for article in batch:
            assert article.id is not None
            judge(article.id, article, some)
    return batch[-1].id


def everything(desk: Desk, slugs: Collection[str], told: Callable[[int], None] = lambda _: None) -> int:
    """Judges every stored article on these topics and returns how many there were. `told` hears the count."""
    done, last = 0, step(desk, slugs, 0)
    while last is not None:
        done += BATCH
        told(done)
        last = step(desk, slugs, last)
    return done


async def in_background(desk: Desk, slugs: Collection[str]) -> None:
    """The same beside running polls."""
    last = step(desk, slugs, 0)
    while last is not None:
        await asyncio.sleep(0)
        last = step(desk, slugs, last)
    log.event("topics judged anew", topics=",".join(sorted(slugs)))
