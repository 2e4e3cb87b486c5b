"""The moment of the next poll. Pure: now and the draw are handed in.

Hints of feeds and servers lengthen the wait and never shorten it (fetch contract T1); the numbers of section 1 are
defaults of `Pace` and come from `[fetch]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.errors import FetchError, ParseError
from pipeline.model import FeedState, NotModified, Response
from pipeline.schedule import outage, rhythm
from pipeline.times import http_date, spoken

Answer = Response | NotModified | FetchError | ParseError

SOONEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """The numbers of polling (contract N1 to N5)."""

    every: timedelta = timedelta(minutes=60)
    least: timedelta = timedelta(minutes=30)
    most: timedelta = timedelta(hours=6)
    backoff: timedelta = timedelta(minutes=60)
    backoff_cap: timedelta = timedelta(hours=24)
    hint_cap: timedelta = timedelta(hours=24)
    retry_after_cap: timedelta = timedelta(hours=72)
    jitter: float = 0.1
    jitter_cap: timedelta = timedelta(minutes=10)
    gone_recheck: timedelta = timedelta(hours=24)
    unconditional_every: timedelta = timedelta(hours=24)
    told_every: timedelta = timedelta(hours=24)
    no_line: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Plan:
    """The moment of the next poll and the reason in words, for `polls.why` and `newsbeat feeds list`.

    `fresh` is what the server last said of freshness, to be remembered for answers that do not say (contract C6).
    `not_before` is until when it asked not to be asked (Retry-After); nobody's wish shortens that.
    """

    at: datetime
    why: str
    fresh: timedelta | None = None
    not_before: datetime | None = None


def next_poll(
    state: FeedState, answer: Answer, pace: Pace, now: datetime, draw: float, *, line_down: bool = False
) -> Plan:
    """The earliest moment to ask this feed again.

    After an answer: the longest of the feed's interval (its rhythm, or what the operator configured for it), its
    freshness (RFC 9111, 4.2.1) and its own hint (ttl, updatePeriod). After a failure: 60 min doubled for each failure
    in a row, or Retry-After (RFC 9110, 10.2.3). `state` is what is remembered after this answer: it counts this failure
    too, and holds the document's hints. `draw` in 0..1 makes feeds that share an interval come apart, only ever later.
    While the line here is down (`outage`) a failure to connect is not the feed's. Never raises.
    """
    not_before = None
    if isinstance(answer, FetchError) and line_down and answer.kind in outage.UNREACHED:
        fresh, wait, why = (
            state.fresh,
            pace.no_line,
            "the network here seems to be down, so this is no fault of the feed",
        )
    elif isinstance(answer, FetchError | ParseError):
        fresh = state.fresh
        wait, why = _after_failure(state, answer, pace)
        if isinstance(answer, FetchError) and answer.retry_after is not None:
            not_before = _whole(now + min(answer.retry_after, pace.retry_after_cap))
    else:
        fresh = freshness(answer, now) if _speaks_of_freshness(answer) else state.fresh
        wait, why = _after_answer(state, fresh, pace, now)
    spread = min(wait * pace.jitter, pace.jitter_cap) * draw
    at, why = _past_skipped(_whole(now + wait + spread), why, state)
    return Plan(at, why, fresh, not_before)


def asked_for(last_polled_at: datetime | None, not_before: datetime | None, now: datetime) -> Plan:
    """When to ask a feed that its operator wants asked now: now, unless its server said when not to (contract T10).

    A server that was asked a moment ago is given that moment: SOONEST lies between two polls whoever wants them.
    """
    waits = [(now, "as soon as its host's turn comes")]
    if last_polled_at and last_polled_at <= now < last_polled_at + SOONEST:
        waits.append((last_polled_at + SOONEST, f"it was asked {spoken(now - last_polled_at)} ago"))
    if not_before and not_before > now:
        waits.append(
            (not_before, f"its server asks not to be asked for another {spoken(not_before - now)} (Retry-After)")
        )
    at, why = max(waits, key=lambda one: one[0])
    return Plan(_whole(at), why)


def _whole(at: datetime) -> datetime:
    """A full second, up: a time the server gave is never undercut."""
    return at.replace(microsecond=0) + timedelta(seconds=1) if at.microsecond else at


def _after_answer(state: FeedState, fresh: timedelta | None, pace: Pace, now: datetime) -> tuple[timedelta, str]:
    if state.told_until and state.told_until > now:
        waits = [(pace.told_every, "its hub tells us of news by itself")]
    elif state.every:
        waits = [(state.every, f"every {spoken(state.every)}, as configured for it")]
    else:
        waits = [rhythm.wait(rhythm.read(state.rhythm), pace.every, pace.least, pace.most, now)]
    if fresh:
        waits.append((min(fresh, pace.hint_cap), f"the server says it stays fresh for {spoken(fresh)}"))
    if state.hint:
        waits.append((min(state.hint, pace.hint_cap), f"the feed asks for {spoken(state.hint)}"))
    # Two repeats are three identical bodies in a row (contract N2).
    if state.same_bodies >= 2 and not (state.etag or state.last_modified):
        waits.append((pace.unconditional_every, "the server has no validators and nothing changes"))
    return max(waits, key=lambda wait: wait[0])


def _past_skipped(at: datetime, why: str, state: FeedState) -> tuple[datetime, str]:
    """The first moment from `at` on that skipHours and skipDays allow; lists that name all of them are ignored (T7)."""
    hours = state.skip_hours if len(state.skip_hours) < 24 else frozenset[int]()
    days = state.skip_days if len(state.skip_days) < 7 else frozenset[int]()
    later = at
    while later.hour in hours or later.weekday() in days:
        later = later.replace(minute=0, second=0) + timedelta(hours=1)
    return (at, why) if later == at else (later, "the feed asks not to be polled before (skipHours, skipDays)")


def _after_failure(state: FeedState, error: FetchError | ParseError, pace: Pace) -> tuple[timedelta, str]:
    if isinstance(error, FetchError):
        if error.status == 410:
            return pace.gone_recheck, "says it is gone (410); asked once more before it is believed"
        if error.retry_after is not None:
            wait = max(min(error.retry_after, pace.retry_after_cap), state.every or pace.every)
            most = f"; {spoken(pace.retry_after_cap)} is the most we wait" if error.retry_after > wait else ""
            return wait, f"the server asks us to wait {spoken(error.retry_after)} (Retry-After){most}"
    doublings = min(max(state.failures, 1) - 1, 20)
    wait = min(pace.backoff * 2**doublings, pace.backoff_cap)
    nth = f", failure {state.failures} in a row" if state.failures > 1 else ""
    return wait, f"backing off {spoken(wait)}{nth}"


def _speaks_of_freshness(answer: Response | NotModified) -> bool:
    """Whether an answer says anything of freshness: a bare 304 keeps what was said before (RFC 9111, 4.3.4)."""
    return answer.header("cache-control") is not None or answer.header("expires") is not None


def freshness(answer: Response | NotModified, now: datetime) -> timedelta | None:
    """How much longer the server calls its answer fresh; `None` when it does not say.

    max-age goes before Expires, Age is taken off (RFC 9111, 4.2.1, 4.2.3); no-cache and no-store mean none; an Expires
    that is no date is already stale (5.3). Expires counts from the answer's own Date (contract T3).
    """
    directives = {
        key.strip().lower(): value.strip().strip('"')
        for line in (value for name, value in answer.headers if name == "cache-control")
        for key, _, value in (part.partition("=") for part in line.split(","))
    }
    if "no-cache" in directives or "no-store" in directives:
        return None
    age = (answer.header("age") or "").strip()
    passed = timedelta(seconds=int(age[:9])) if age.isdecimal() else timedelta()
    if directives.get("max-age", "").isdecimal():
        left = timedelta(seconds=int(directives["max-age"][:9])) - passed
    elif "max-age" not in directives and (expires := http_date(answer.header("expires"))):
        left = expires - (http_date(answer.header("date")) or now) - passed
    else:
        return None
    return left if left > timedelta() else None
