"""What needs a person: findings from facts about the feeds and about the machine, each with its cure in a line. Pure.

`vitals` says what one error means; here it is weighed: how long it has lasted, whether it is the outlet or we, and
whether a feed that says nothing is silent against its own habits or only part of a quiet day. Times are aware UTC.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from pipeline import vitals
from pipeline.times import spoken
from pipeline.urls import host_of

Level = Literal["broken", "care", "note"]
LEVELS: tuple[Level, ...] = ("broken", "care", "note")
"""Something does not work; something wants a person some time; good to know."""

WALLS = frozenset({401, 402, 403, 406, 407, 429, 451})
"""Answers of a server that is there, has the page, and will not give it to us."""

TROUBLE_FOR = timedelta(hours=6)
FAILED_OFTEN = 3
"""A failing feed is told once it failed so often in a row, over so long; most trouble passes by itself."""

RECENT = 12
"""So many pauses of six weeks tell a feed's rhythm; of one that brings less, the dates of its latest articles do."""

PAUSES = timedelta(days=42)
"""Pauses of so long ago tell a feed's rhythm."""

DATED = 31
"""Hours in which a feed's latest articles appeared, for the rhythm of one that brings little."""

WEEKS = 4
"""The same weekday of so many weeks tells what a day usually brings."""

ENOUGH = 20
"""Articles that such a day must bring on the mean before a day can be called quiet."""

GAPS = 5
GAPS_SPAN = timedelta(days=14)
"""Pauses that must be known, and how long they must be together, before a feed's silence is measured by them: two
weekends."""

USUAL_RANK = 2
SILENT_TIMES = 2.0
SILENT_LEAST = timedelta(hours=24)
"""Silent is who is quiet for twice the second-longest pause that is known, and a day at least. A share of all pauses
would miss the weekends of a feed that is busy on workdays; the longest may have been an outage. Measured on the
dates in real feeds, see docs/reliability.md."""

QUIET_DAY = 0.5
QUIET_LEAST = 0.25
"""A day that brings less than this share of the usual is a quiet one. All feeds may be silent for so much longer then,
at most four times."""

DISK_LOW, DISK_FULL = 1_000_000_000, 200_000_000
WAL_LARGE = 500_000_000
CLOCK_WRONG = timedelta(minutes=10)
AHEAD = 0.5
"""When more than this share of the latest articles comes from the future, it is our clock that is late."""


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """What is known of one feed. `gaps` are the pauses between its news (`pauses`), `status` is that of its last
    answer, `told` says that a hub tells of its news."""

    url: str
    state: str
    failures: int = 0
    status: int | None = None
    error: str | None = None
    error_kind: str | None = None
    error_since: datetime | None = None
    current_url: str = ""
    last_ok_at: datetime | None = None
    last_new_at: datetime | None = None
    gaps: tuple[timedelta, ...] = ()
    told: bool = False
    added_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the rest. `running` names who holds the database for writing, `usual_day` is what a day like
    this one usually brings (articles; `None` while too little is known), `ahead` the share of the latest articles
    that bear a date after we saw them, `copies` those of the database that lie beside it."""

    feeds: tuple[FeedFacts, ...]
    running: str | None
    last_ok_at: datetime | None
    last_polled_at: datetime | None
    late: int
    today: int
    usual_day: float | None
    ahead: float = 0.0
    stale: tuple[tuple[str, int], ...] = ()
    notices: tuple[tuple[str, str], ...] = ()
    disk_free: int | None = None
    db_bytes: int = 0
    wal_bytes: int = 0
    copies: int = 0
    copies_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that needs a person. `kind` is one word for programs, `about` a feed, a topic or a part of ours."""

    level: Level
    kind: str
    about: str
    why: str
    cure: str


def findings(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Everything that needs a person, what is worst first."""
    found = [*_service(facts, now), *_machine(facts, now), *_feeds(facts, now), *_topics(facts)]
    return tuple(sorted(found, key=lambda one: LEVELS.index(one.level)))


def tempo(facts: Facts) -> float:
    """What the last 24 hours brought against a usual day, 1.0 for as much or more, and while nothing is known."""
    return min(1.0, facts.today / facts.usual_day) if facts.usual_day else 1.0


def pauses(polled: Sequence[timedelta], dated: Sequence[timedelta]) -> tuple[timedelta, ...]:
    """A feed's pauses: those between `polled` answers with news of the last six weeks; where these are few, those
    between the dates of its latest articles."""
    return tuple(polled if len(polled) >= RECENT else dated)


@lru_cache(maxsize=1024)
def usual_gap(gaps: tuple[timedelta, ...]) -> timedelta | None:
    """How long a feed's pauses are when they are long, an outage set aside; `None` while too little is known."""
    if len(gaps) < GAPS or sum(gaps, timedelta()) < GAPS_SPAN:
        return None
    return sorted(gaps)[-USUAL_RANK]


def silent(feed: FeedFacts, now: datetime, today: float = 1.0) -> timedelta | None:
    """For how long a feed that answers has brought nothing, when that is against its own rhythm; else `None`.

    `today` is the day's `tempo`: on a quiet one every feed may be silent for longer. A feed that a hub tells of, and
    one whose pauses are not known yet, is measured by `vitals.QUIET_AFTER`.
    """
    brought = feed.last_new_at or feed.added_at
    if feed.state not in ("ok", "moved") or feed.failures or brought is None:
        return None
    if feed.last_ok_at is None or now - feed.last_ok_at > SILENT_LEAST:
        return None  # it was not asked: nothing can be said of it
    usual = None if feed.told else usual_gap(feed.gaps)
    most = max(SILENT_LEAST, usual * SILENT_TIMES) if usual else vitals.QUIET_AFTER
    since = now - brought
    return since if since > min(most / max(QUIET_LEAST, today), max(most, vitals.QUIET_AFTER)) else None


def silence_told(feed: FeedFacts, lasts: timedelta) -> tuple[str, str]:
    """Why a feed is called silent, and the cure: the same words wherever it is told."""
    usual = usual_gap(feed.gaps)
    habit = f"its long pauses are of {spoken(usual)}" if usual and not feed.told else "which is long"
    return (
        f"It answers, but brought nothing new for {spoken(lasts)}; {habit}.",
        "Look at the outlet's site: does it publish, and under this address? `newsbeat feeds add SITE` finds its"
        " feeds.",
    )  # fmt: skip


def _service(facts: Facts, now: datetime) -> Iterable[Finding]:
    followed = [feed for feed in facts.feeds if feed.state not in ("gone", "paused")]
    silence = vitals.silence(facts.last_ok_at, now)
    asked = facts.last_polled_at is not None and now - facts.last_polled_at <= vitals.SILENT_AFTER
    if followed and not facts.running and silence:
        yield Finding(
            "broken", "service", "service", f"It does not run, and {silence}.",
            "Start it: `systemctl start newsbeat`, `docker compose up -d` or `newsbeat up`.",
        )  # fmt: skip
    elif followed and facts.running and facts.late and not asked:
        when = f"for {spoken(now - facts.last_polled_at)}" if facts.last_polled_at else "ever"
        yield Finding(
            "broken", "stale", "service",
            f"{facts.running} holds the database, but nobody was asked {when}, and {facts.late} feeds are overdue.",
            "It hangs, or the database refused it: read its log, then restart it.",
        )  # fmt: skip
    elif followed and facts.running and silence and asked:
        yield Finding(
            "broken", "network", "service", f"Feeds are asked, but {silence}.",
            "Is the network of this machine up, and may it go out? `newsbeat feeds list` has each error.",
        )  # fmt: skip
    for about, said in facts.notices:
        cure = {
            "configuration": "The last good one is in force. `newsbeat check` says what to mend.",
            "network": "Look at the line, the router, the name server; feeds go on by themselves when it is back.",
        }.get(about, "")
        yield Finding("broken", about, about, said, cure)


def _machine(facts: Facts, now: datetime) -> Iterable[Finding]:
    if facts.last_polled_at and facts.last_polled_at - now > CLOCK_WRONG:
        yield Finding(
            "broken", "clock", "clock",
            f"It says {now:%Y-%m-%d %H:%M} UTC, and the last poll was {spoken(facts.last_polled_at - now)} later.",
            "Set it, and let it be kept: `timedatectl set-ntp true`.",
        )  # fmt: skip
    elif facts.ahead > AHEAD:
        yield Finding(
            "broken", "clock", "clock",
            f"{facts.ahead:.0%} of the latest articles come from the future: it seems to be late.",
            "Set it, and let it be kept: `timedatectl set-ntp true`.",
        )  # fmt: skip
    if facts.disk_free is not None and facts.disk_free < max(DISK_FULL, min(DISK_LOW, facts.db_bytes)):
        level: Level = "broken" if facts.disk_free < DISK_FULL else "care"
        yield Finding(
            level, "disk", "disk", f"{_mb(facts.disk_free)} are free; the database has {_mb(facts.db_bytes)}.",
            "Make room: old backups beside the database, or `newsbeat prune --older-than 365d`.",
        )  # fmt: skip
    if facts.wal_bytes > WAL_LARGE:
        yield Finding(
            "care", "wal", "disk", f"The write-ahead log has {_mb(facts.wal_bytes)}: somebody reads without end.",
            "Restart the site, and whatever else reads the database.",
        )  # fmt: skip

    if facts.copies:
        yield Finding(
            "note", "copies", "disk",
            f"{facts.copies} copies made before an upgrade, a repair or a restore take {_mb(facts.copies_bytes)}.",
            "Delete those you do not need any more: `news.before-...` beside the database.",
        )  # fmt: skip


def _feeds(facts: Facts, now: datetime) -> Iterable[Finding]:
    """What feeds suffer from; feeds of one host in one kind of trouble are one finding."""
    grouped: dict[tuple[Level, str, str], list[tuple[FeedFacts, str, str]]] = defaultdict(list)
    today = tempo(facts)
    early = 0
    for feed in facts.feeds:
        if feed.state in ("failing", "gone", "moved"):
            judged = _trouble(feed, now)
            if judged is None:
                early += 1
                continue
            level, kind, why, cure = judged
            grouped[level, kind, host_of(feed.url)].append((feed, why, cure))
    for (level, kind, host), some in sorted(grouped.items()):
        feed, why, cure = some[0]
        about = feed.url if len(some) == 1 else f"{len(some)} feeds of {host}, such as {feed.url}"
        yield Finding(level, kind, about, why, cure)
    if early:
        yield Finding(
            "note", "failing", "feeds", f"{early} failed of late; most of that passes.",
            "Nothing to do: they are asked again.",
        )  # fmt: skip
    quiet = [(feed, since) for feed in facts.feeds if (since := silent(feed, now, today)) is not None]
    for feed, since in sorted(quiet, key=lambda pair: pair[0].url):
        yield Finding("care", "quiet", feed.url, *silence_told(feed, since))
    if facts.usual_day and today < QUIET_DAY and not any(one for one in _service(facts, now)):
        yield Finding(
            "note", "quiet-day", "feeds",
            f"A quiet day: {facts.today} new articles in 24 hours, where about {facts.usual_day:.0f} are usual.",
            "Nothing to do; feeds are given longer before they are called quiet.",
        )  # fmt: skip


def _trouble(feed: FeedFacts, now: datetime) -> tuple[Level, str, str, str] | None:
    """Level, kind, why and cure of a feed that does not work; `None` while it may pass by itself."""
    lasts = now - feed.error_since if feed.error_since else timedelta()
    since = f" (for {spoken(lasts)})" if lasts else ""
    if feed.state == "gone":
        return ("broken", "gone", "Its server says that it is gone for good; it is not asked any more.",
                "Find the new address (`newsbeat feeds add SITE`), or take it out of feeds.toml.")  # fmt: skip
    if feed.state == "moved":
        return ("care", "moved", f"It moved for good to {feed.current_url}, where we follow it.",
                "Put that address into feeds.toml.")  # fmt: skip
    if feed.failures < FAILED_OFTEN and lasts < TROUBLE_FOR:
        return None
    why = f"{_sentence(feed.error or 'It fails')}{since}."
    if feed.error_kind == "status" and feed.status in WALLS:
        if feed.status == 429:
            return (
                "care",
                "wall",
                why,
                'It finds us too frequent: give the feed a longer `every` ("6h") in feeds.toml.',
            )
        return ("broken", "wall", why,
                "Does `contact` in newsbeat.toml say who you are? Then write to the outlet, or look for a feed of"
                " theirs elsewhere; else drop it.")  # fmt: skip
    if feed.error_kind == "not_a_feed" and "HTML page" in (feed.error or "") and "feeds" not in (feed.error or ""):
        return ("broken", "page", why, "A wall, or another site by now: open the address in a browser;"
                " `newsbeat feeds add SITE` finds its feeds.")  # fmt: skip
    kind = {
        "tls": "certificate", "dns": "name", "unreachable": "unreachable", "connect": "unreachable",
        "timeout": "slow", "not_a_feed": "page", "address": "address", "too_big": "size", "bomb": "size",
        "redirect": "redirect",
    }.get(feed.error_kind or "", "failing")  # fmt: skip
    if feed.error_kind == "status" and feed.status in (404, 410):
        kind = "missing"
    level: Level = "care" if feed.error_kind in ("timeout", "connect", "unreachable", "wait") or (
        feed.error_kind == "status" and (feed.status or 0) >= 500) else "broken"  # fmt: skip
    return level, kind, why, vitals.cure(feed.error)


def _topics(facts: Facts) -> Iterable[Finding]:
    for slug, count in facts.stale:
        running = (
            "The service does it by itself, step by step." if facts.running else f"`newsbeat retag {slug}` does it."
        )
        yield Finding("care", "tags", slug, f"{count} stored articles are not judged by its present profile.", running)


def _sentence(words: str) -> str:
    """The error without what the schedule says of it, as the beginning of a sentence."""
    first = re.split(r"; (?:backing off|the server asks us|next in)", words)[0].rstrip(". ")
    return first[:1].upper() + first[1:]


def _mb(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
