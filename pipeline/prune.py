"""Letting go of what the rules of retention no longer keep, some stories a transaction. May stop and go on anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline import log, stories
from pipeline.retention import Kept, Rules, may_go
from pipeline.store import Store
from pipeline.times import stamp

LOOKED = 200
"""Stories looked at in one step."""

BATCH = 25
"""Stories let go of in one transaction: some tens of milliseconds, for which a poll waits unnoticed."""

PAUSE = 0.2
"""Seconds that the service rests after each step."""

FOREVER = datetime.max.replace(tzinfo=UTC)

POLLS = 2000
"""Rows of `polls` let go of in one transaction."""


@dataclass(slots=True)
class Report:
    """What went, or would go: articles by outlet and by topic, stories, polls. `looked` counts stories that were old
    enough to be looked at."""

    stories: int = 0
    articles: int = 0
    polls: int = 0
    looked: int = 0
    outlets: dict[str, int] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)


def steps(store: Store, rules: Rules, now: datetime, report: Report, *, dry: bool = False) -> Iterator[None]:
    """Lets go of everything that may go, one short transaction a step; `report` grows with each. A `dry` one only
    counts. Raises StoreError; what went before is gone."""
    if not dry:
        with store.transaction():  # no window of stories holds what is about to go (`retention.LEAST` is longer)
            store.stories.forget(now - 2 * stories.WINDOW)
    if rules.least is not None:
        yield from _articles(store, rules, now, report, dry=dry)
    if rules.polls is not None:
        before = now - rules.polls
        if dry:
            report.polls += store.pruned.polls_before(before)
        while not dry:
            with store.transaction():
                gone = store.pruned.forget_polls(before, POLLS)
            report.polls += gone
            if not gone:
                break
            yield


def _articles(store: Store, rules: Rules, now: datetime, report: Report, *, dry: bool) -> Iterator[None]:
    assert rules.least is not None
    said = store.feedback.addresses()
    before, after = now - rules.least, ("", 0)
    while True:
        found = store.pruned.stories(before, after, LOOKED)
        if not found and before <= now:
            # Those dated in the future, by an import or a clock that was wrong: when we got them decides.
            before, after = FOREVER, (stamp(now), 0)
            continue
        if not found:
            return
        after = found[-1]
        report.looked += len(found)
        members = store.pruned.members([story_id for _, story_id in found], said)
        going = [story_id for story_id, some in members.items() if some and may_go(some, rules, now)]
        for story_id in going if dry else ():
            report.stories += 1
            report.articles += len(members[story_id])
            _count(report, members[story_id])
        yield
        while going and not dry:
            batch, going = going[:BATCH], going[BATCH:]
            with store.transaction():
                # A poll or a person may have changed them since they were looked at.
                fresh = store.pruned.members(batch, store.feedback.addresses())
                gone = [story_id for story_id, some in fresh.items() if some and may_go(some, rules, now)]
                report.articles += store.pruned.let_go(gone, now)
                report.stories += len(gone)
                for story_id in gone:
                    _count(report, fresh[story_id])
            yield


def _count(report: Report, some: list[Kept]) -> None:
    for one in some:
        report.outlets[one.outlet] = report.outlets.get(one.outlet, 0) + 1
        for topic in one.topics:
            report.topics[topic] = report.topics.get(topic, 0) + 1


def everything(
    store: Store, rules: Rules, now: datetime, told: Callable[[Report], None] = lambda _: None, *, dry: bool = False
) -> Report:
    """All of it at once. `told` hears the report as it grows."""
    report = Report()
    for _ in steps(store, rules, now, report, dry=dry):
        told(report)
    return report


async def in_background(store: Store, rules: Rules, now: datetime) -> None:
    """The same beside running polls, with a pause after each step."""
    report = Report()
    for _ in steps(store, rules, now, report):
        await asyncio.sleep(PAUSE)
    if report.articles or report.polls:
        log.event("pruned", articles=report.articles, stories=report.stories, polls=report.polls)
