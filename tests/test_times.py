"""Times as text: stamps, the three HTTP dates, Retry-After, waits in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from fakes import NOW
from hypothesis import given
from hypothesis import strategies as st

from pipeline import times

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        pytest.param(MOMENT, "1994-11-06T08:49:37Z", id="utc"),
        pytest.param(MOMENT.astimezone(timezone(timedelta(hours=5))), "1994-11-06T08:49:37Z", id="another zone"),
        pytest.param(MOMENT.replace(microsecond=999_999), "1994-11-06T08:49:37Z", id="fractions are cut"),
        pytest.param(datetime(987, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z", id="before the year 1000"),
    ],
)
def test_stamp_is_utc_text(moment: datetime, text: str) -> None:
    assert times.stamp(moment) == text


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  hypothesis adds the zone
def test_stamp_and_from_stamp_are_each_others_reverse_to_the_second(moment: datetime) -> None:
    assert times.from_stamp(times.stamp(moment)) == moment.replace(microsecond=0)


def test_nothing_stays_nothing() -> None:
    assert times.maybe_stamp(None) is None
    assert times.from_stamp(None) is None
    assert times.http_date(None) is None


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", MOMENT, id="IMF-fixdate"),
        pytest.param("Sunday, 06-Nov-94 08:49:37 GMT", MOMENT, id="RFC 850"),
        pytest.param("Sun Nov  6 08:49:37 1994", MOMENT, id="asctime"),
        pytest.param("  Sun, 06 Nov 1994 08:49:37 GMT ", MOMENT, id="spaces around"),
        pytest.param("Sun, 06 Nov 1994 09:49:37 +0100", MOMENT, id="with an offset"),
        pytest.param("0", None, id="zero"),
        pytest.param("-1", None, id="minus one"),
        pytest.param("soon", None, id="a word"),
        pytest.param("", None, id="empty"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -0100", None, id="past the end of time"),
        pytest.param("Sun, 06 Nov 99999 08:49:37 GMT", None, id="year of five digits"),
    ],
)
def test_http_date_reads_the_three_forms(value: str, moment: datetime | None) -> None:
    assert times.http_date(value) == moment


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_http_date_and_retry_after_take_any_header(value: str) -> None:
    assert times.http_date(value) is None or times.http_date(value)
    wait = times.retry_after(value, value, NOW)
    assert wait is None or wait >= timedelta()


@pytest.mark.parametrize(
    ("value", "date", "wait"),
    [
        pytest.param("120", None, timedelta(minutes=2), id="seconds"),
        pytest.param(" 120 ", None, timedelta(minutes=2), id="seconds with spaces"),
        pytest.param("Mon, 02 Mar 2026 10:00:00 GMT", None, AN_HOUR, id="date, counted from our clock"),
        pytest.param(
            "Mon, 02 Mar 2026 12:00:00 GMT", "Mon, 02 Mar 2026 11:00:00 GMT", AN_HOUR, id="date, counted from its Date"
        ),
        pytest.param("Mon Mar  2 10:00:00 2026", None, AN_HOUR, id="asctime"),
        pytest.param("Mon, 02 Mar 2026 08:00:00 GMT", None, timedelta(), id="in the past is now"),
        pytest.param("-5", None, None, id="negative"),
        pytest.param("soon", None, None, id="a word"),
        pytest.param("²", None, None, id="a digit that is no number"),
        pytest.param(None, None, None, id="absent"),
    ],
)
def test_retry_after_is_a_wait(value: str | None, date: str | None, wait: timedelta | None) -> None:
    assert times.retry_after(value, date, NOW) == wait


def test_retry_after_of_a_billion_years_is_a_long_wait_and_no_error() -> None:
    assert (times.retry_after("9" * 40, None, NOW) or timedelta()) > timedelta(days=365)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        pytest.param(timedelta(), "0 s", id="none"),
        pytest.param(timedelta(seconds=-3), "0 s", id="past"),
        pytest.param(timedelta(seconds=40), "40 s", id="seconds"),
        pytest.param(timedelta(minutes=45), "45 min", id="minutes"),
        pytest.param(timedelta(minutes=90), "1 h 30 min", id="hours and minutes"),
        pytest.param(timedelta(hours=24), "24 h", id="a day in hours"),
        pytest.param(timedelta(hours=72), "3 days", id="days"),
    ],
)
def test_spoken_says_a_wait_as_a_person_would(wait: timedelta, words: str) -> None:
    assert times.spoken(wait) == words
