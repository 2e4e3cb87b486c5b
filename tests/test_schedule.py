"""When to ask again: hints lengthen and never shorten, nothing is in the past, and nothing is put off for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import FEED, NOW, feed_state, response
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FetchError, ParseError
from pipeline.model import NotModified, Response
from pipeline.schedule import Pace, freshness, next_poll

PACE = Pace()
S, M, H, D = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DATE = "Mon, 02 Mar 2026 09:00:00 GMT"  # NOW


def answer(**headers: str) -> Response:
    """A usable answer; `cache_control` is Cache-Control."""
    return response(b"x", headers={key.replace("_", "-"): value for key, value in headers.items()})


def wait(
    given_: Response | NotModified | FetchError | ParseError, *, now: datetime = NOW, draw: float = 0.0, **state: object
) -> timedelta:
    """The wait after an answer, for a feed of which `state` is remembered."""
    return next_poll(feed_state(**state), given_, PACE, now, draw).at - now


def test_n1_a_feed_is_asked_every_hour_by_default() -> None:
    assert wait(answer()) == H


def test_n1_the_operator_may_set_a_feeds_own_pace() -> None:
    assert wait(answer(), every=5 * M) == 5 * M
    assert wait(answer(), every=6 * H) == 6 * H


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"cache_control": "max-age=7200"}, 2 * H, id="max-age lengthens"),
        pytest.param({"cache_control": "public, MAX-AGE=7200, immutable"}, 2 * H, id="max-age among others"),
        pytest.param({"cache_control": 'max-age="7200"'}, 2 * H, id="max-age in quotes"),
        pytest.param({"cache_control": "max-age=60"}, H, id="max-age never shortens"),
        pytest.param({"cache_control": "max-age=315360000"}, 24 * H, id="n4 max-age is capped"),
        pytest.param({"cache_control": "max-age=" + "9" * 40}, 24 * H, id="n4 an absurd max-age is capped"),
        pytest.param({"expires": "Mon, 02 Mar 2026 12:00:00 GMT", "date": DATE}, 3 * H, id="Expires lengthens"),
        pytest.param({"expires": "Mon, 02 Mar 2026 09:01:00 GMT", "date": DATE}, H, id="Expires never shortens"),
        pytest.param({"expires": "Mon, 02 Mar 2126 09:00:00 GMT", "date": DATE}, 24 * H, id="n4 Expires is capped"),
        pytest.param(
            {"cache_control": "max-age=7200", "expires": "Mon, 02 Mar 2026 14:00:00 GMT"}, 2 * H, id="t2 max-age wins"
        ),
        pytest.param({"cache_control": "max-age=10800", "age": "3600"}, 2 * H, id="t2 Age is taken off"),
        pytest.param({"cache_control": "max-age=7200", "age": "²"}, 2 * H, id="t2 an Age that is no number"),
        pytest.param({"cache_control": "no-cache, max-age=7200"}, H, id="t2 no-cache"),
        pytest.param({"cache_control": "no-store, max-age=7200"}, H, id="t2 no-store"),
        pytest.param({"cache_control": "must-revalidate, max-age=0"}, H, id="t2 max-age of nothing"),
        pytest.param({"cache_control": "max-age=²"}, H, id="a max-age that is no number"),
        pytest.param({"cache_control": "max-age=-7200"}, H, id="a negative max-age"),
        pytest.param(
            {"expires": "Tue, 03 Mar 2026 12:00:00 GMT", "date": "Tue, 03 Mar 2026 09:00:00 GMT"},
            3 * H,
            id="t3 Expires counts from the answer's own Date",
        ),
        pytest.param({"expires": "Mon, 02 Mar 2026 12:00:00 GMT"}, 3 * H, id="t3 without a Date, from our clock"),
        pytest.param({"expires": "0"}, H, id="t4 Expires 0"),
        pytest.param({"expires": "-1"}, H, id="t4 Expires -1"),
        pytest.param({"expires": "Fri, 31 Dec 9999 23:59:59 -0500"}, H, id="t4 Expires past the end of time"),
    ],
)
def test_t1_the_server_may_ask_for_more_time(headers: dict[str, str], expected: timedelta) -> None:
    assert wait(answer(**headers)) == expected
    not_modified = NotModified(FEED, FEED, answer(**headers).headers, NOW)
    assert wait(not_modified) == expected, "a 304 says it too"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, 3 * H, id="a bare answer keeps what was said"),
        pytest.param({"cache_control": "max-age=7200"}, 2 * H, id="another word replaces it"),
        pytest.param({"cache_control": "no-cache"}, H, id="no-cache ends it"),
    ],
)
def test_c6_freshness_is_remembered_over_answers_that_do_not_speak_of_it(
    headers: dict[str, str], expected: timedelta
) -> None:
    plan = next_poll(feed_state(fresh=3 * H), NotModified(FEED, FEED, answer(**headers).headers, NOW), PACE, NOW, 0.0)
    assert plan.at - NOW == expected
    assert plan.fresh == (expected if expected > H else None)


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        pytest.param(None, H, id="none"),
        pytest.param(10 * M, H, id="shorter than ours"),
        pytest.param(3 * H, 3 * H, id="longer than ours"),
        pytest.param(100 * H, 24 * H, id="n4 longer than a day"),
    ],
)
def test_t1_the_feed_may_ask_for_more_time(hint: timedelta | None, expected: timedelta) -> None:
    assert wait(answer(), hint=hint) == expected


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        pytest.param(1, 1 * H, id="first"),
        pytest.param(2, 2 * H, id="second"),
        pytest.param(3, 4 * H, id="third"),
        pytest.param(5, 16 * H, id="fifth"),
        pytest.param(6, 24 * H, id="sixth, at the cap"),
        pytest.param(10_000, 24 * H, id="years of them"),
        pytest.param(0, 1 * H, id="not counted"),
    ],
)
def test_n3_failures_in_a_row_double_the_wait(failures: int, expected: timedelta) -> None:
    assert wait(FetchError(FEED, "no answer", kind="timeout"), failures=failures) == expected
    assert wait(ParseError(FEED, "no feed"), failures=failures) == expected
    assert wait(FetchError(FEED, "unavailable", kind="status", status=503), failures=failures) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(2 * H, 2 * H, id="longer than ours"),
        pytest.param(S, H, id="shorter than ours"),
        pytest.param(100 * D, 72 * H, id="n4 absurd"),
        pytest.param(timedelta(), H, id="nothing"),
    ],
)
def test_t5_retry_after_is_kept(said: timedelta, expected: timedelta) -> None:
    error = FetchError(FEED, "slow down", kind="status", status=429, retry_after=said)
    assert wait(error, failures=1) == expected


def test_e1_a_feed_that_says_it_is_gone_is_asked_again_after_a_day() -> None:
    assert wait(FetchError(FEED, "gone", kind="status", status=410), failures=1, gone_seen=1) == 24 * H


def test_n2_a_feed_without_validators_that_never_changes_is_asked_once_a_day() -> None:
    assert wait(answer(), same_bodies=3) == 24 * H
    assert wait(answer(), same_bodies=3, etag='"1"') == H
    assert wait(answer(), same_bodies=3, last_modified=DATE) == H
    assert wait(answer(), same_bodies=1) == H


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({"skip_hours": {10, 11}}, datetime(2026, 3, 2, 12, tzinfo=UTC), id="two hours"),
        pytest.param({"skip_hours": {11}}, datetime(2026, 3, 2, 10, tzinfo=UTC), id="an hour that is not due"),
        pytest.param({"skip_hours": set(range(24))}, datetime(2026, 3, 2, 10, tzinfo=UTC), id="all hours: ignored"),
        pytest.param({"skip_days": {0}}, datetime(2026, 3, 3, tzinfo=UTC), id="this Monday"),
        pytest.param({"skip_days": {0, 1, 2}}, datetime(2026, 3, 5, tzinfo=UTC), id="three days"),
        pytest.param({"skip_days": set(range(7))}, datetime(2026, 3, 2, 10, tzinfo=UTC), id="all days: ignored"),
        pytest.param(
            {"skip_days": {0}, "skip_hours": {0, 1}}, datetime(2026, 3, 3, 2, tzinfo=UTC), id="days and hours together"
        ),
        pytest.param(
            {"skip_days": {0, 1, 2, 3, 4, 5}, "skip_hours": set(range(23))},
            datetime(2026, 3, 8, 23, tzinfo=UTC),
            id="one hour a week is left",
        ),
    ],
)
def test_t7_skip_hours_and_days_are_kept(said: dict[str, set[int]], expected: datetime) -> None:
    state = feed_state(**{key: frozenset(value) for key, value in said.items()})
    assert next_poll(state, answer(), PACE, NOW, 0.0).at == expected


@pytest.mark.parametrize(
    ("hours", "draw", "expected"),
    [
        pytest.param(1, 0.0, timedelta(), id="no draw"),
        pytest.param(1, 0.5, 3 * M, id="half of a tenth of an hour"),
        pytest.param(1, 1.0, 6 * M, id="a tenth of an hour"),
        pytest.param(24, 1.0, 10 * M, id="ten minutes at most"),
    ],
)
def test_n5_feeds_that_share_an_interval_come_apart(hours: int, draw: float, expected: timedelta) -> None:
    assert wait(answer(), every=hours * H, draw=draw) == hours * H + expected


def test_n5_a_time_the_server_gave_is_never_undercut_not_even_by_a_fraction() -> None:
    now = NOW.replace(microsecond=900_000)
    error = FetchError(FEED, "slow down", kind="status", status=429, retry_after=2 * H)
    assert 2 * H <= wait(error, now=now, failures=1) < 2 * H + S


headers_ = st.dictionaries(
    st.sampled_from(["cache-control", "expires", "date", "age"]),
    st.sampled_from(["", "0", "-1", "²", "3600", "no-cache", "max-age=0", "max-age=86400", "max-age=" + "9" * 30])
    | st.sampled_from([DATE, "Mon, 02 Mar 2026 15:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])
    | st.text(st.characters(max_codepoint=255), max_size=20),
)
waits = st.timedeltas(min_value=timedelta(), max_value=400 * D)
failures_ = st.builds(
    lambda status, retry: FetchError(FEED, "no", kind="status", status=status, retry_after=retry),
    st.sampled_from([None, 403, 404, 410, 429, 500, 503]),
    st.none() | waits,
)
answers = st.one_of(
    headers_.map(lambda given_: response(b"x", headers=given_)),
    headers_.map(lambda given_: NotModified(FEED, FEED, tuple(given_.items()), NOW)),
    failures_,
    st.just(ParseError(FEED, "no feed")),
)
states = st.fixed_dictionaries(
    {
        "failures": st.integers(0, 2000),
        "same_bodies": st.integers(0, 10),
        "etag": st.none() | st.just('"1"'),
        "every": st.none() | st.timedeltas(min_value=5 * M, max_value=24 * H),
        "hint": st.none() | waits,
        "fresh": st.none() | waits,
        "skip_hours": st.frozensets(st.integers(0, 23)),
        "skip_days": st.frozensets(st.integers(0, 6)),
    }
)


@settings(max_examples=200, deadline=None)
@given(
    states,
    answers,
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.floats(0, 1),
)
def test_the_next_poll_is_never_in_the_past_and_never_later_than_the_caps_allow(
    state: dict[str, Any],
    given_: Response | NotModified | FetchError | ParseError,
    now: datetime,
    draw: float,
) -> None:
    plan = next_poll(feed_state(**state), given_, PACE, now, draw)
    failed = isinstance(given_, FetchError | ParseError)
    least = min(PACE.every, state["every"] or PACE.every) if failed else state["every"] or PACE.least
    most = PACE.retry_after_cap if failed else PACE.hint_cap
    skipped = 7 * D if state["skip_hours"] or state["skip_days"] else timedelta()
    assert now + least <= plan.at <= now + most + PACE.jitter_cap + S + skipped
    assert plan.at.microsecond == 0
    assert plan.why
    if len(state["skip_hours"]) < 24:
        assert plan.at.hour not in state["skip_hours"]
    if len(state["skip_days"]) < 7:
        assert plan.at.weekday() not in state["skip_days"]


@settings(max_examples=100, deadline=None)
@given(headers_)
def test_freshness_is_time_to_come_or_none(given_: dict[str, str]) -> None:
    left = freshness(response(b"x", headers=given_), NOW)
    assert left is None or left > timedelta()
