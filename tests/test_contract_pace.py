"""The fetch contract through the real service, sections 1 and 3: when a feed is asked, and how much at once.

A test is named after its case in the contract. It asserts on what the server saw, the rows, and the next due time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from contract import (
    DAY,
    FEED,
    HOUR,
    MINUTE,
    Room,
    Script,
    Step,
    feed_answer,
    http_date,
    not_modified,
    room,
)  # fmt: skip
from fakes import NOW, answer, item, rss

ONE_SECOND = timedelta(seconds=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        yield made


# --- 3 when to poll -------------------------------------------------------------------------------------------

SY = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'


def period(word: str, frequency: str = "") -> str:
    often = f"<sy:updateFrequency {SY}>{frequency}</sy:updateFrequency>" if frequency else ""
    return f"<sy:updatePeriod {SY}>{word}</sy:updatePeriod>{often}"


def hours(*listed: int) -> str:
    return f"<skipHours>{''.join(f'<hour>{hour}</hour>' for hour in listed)}</skipHours>"


def days(*listed: str) -> str:
    return f"<skipDays>{''.join(f'<day>{day}</day>' for day in listed)}</skipDays>"


WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PAST = NOW - 10 * DAY

HEADERS = {
    "maxage": ({"Cache_Control": "max-age=7200"}, 2 * HOUR),
    "maxage never shortens": ({"Cache_Control": "max-age=60"}, HOUR),
    "maxage-huge": ({"Cache_Control": "public, max-age=31536000"}, DAY),
    "maxage-nocache": ({"Cache_Control": "no-cache, max-age=315360000"}, HOUR),
    "maxage no-store": ({"Cache_Control": "no-store, max-age=7200"}, HOUR),
    "maxage must-revalidate": ({"Cache_Control": "must-revalidate, max-age=0"}, HOUR),
    "maxage less age": ({"Cache_Control": "max-age=10800", "Age": "3600"}, 2 * HOUR),
    "maxage over expires": ({"Cache_Control": "max-age=7200", "Expires": http_date(NOW + 9 * HOUR)}, 2 * HOUR),
    "expires": ({"Expires": http_date(NOW + 3 * HOUR)}, 3 * HOUR),
    "expires by its own date": ({"Expires": http_date(PAST + 3 * HOUR), "Date": http_date(PAST)}, 3 * HOUR),
    "expires-zero": ({"Expires": "0"}, HOUR),
    "expires minus one": ({"Expires": "-1"}, HOUR),
}

WISHES = {
    "rss-ttl": ("<ttl>120</ttl>", 2 * HOUR),
    "rss-ttl never shortens": ("<ttl>5</ttl>", HOUR),
    "rss-ttl huge": ("<ttl>100000</ttl>", DAY),
    "syn-update": (period("daily", "2"), 12 * HOUR),
    "syn-update weekly": (period("weekly"), DAY),
    "syn-update unknown": (period("sometimes"), HOUR),
    "rss-skiphours": (hours(10, 11), 3 * HOUR),
    "rss-skiphours 24 is 0": (hours(*range(10, 25)), 16 * HOUR),
    "rss-skiphours all": (hours(*range(24)), HOUR),
    "rss-skipdays": (days("Monday"), 15 * HOUR),
    "rss-skipdays all": (days(*WEEK), HOUR),
}

RETRIES = {
    "503-seconds": ("503 Service Unavailable", {"Retry_After": "7200"}, 2 * HOUR),
    "503-date-skew": (
        "503 Service Unavailable", {"Retry_After": http_date(PAST + 3 * HOUR), "Date": http_date(PAST)}, 3 * HOUR,
    ),
    "429-seconds": ("429 Too Many Requests", {"Retry_After": "10800"}, 3 * HOUR),
    "429-date": ("429 Too Many Requests", {"Retry_After": http_date(NOW + 4 * HOUR)}, 4 * HOUR),
    "429-date rfc850": ("429 Too Many Requests", {"Retry_After": "Monday, 02-Mar-26 13:00:00 GMT"}, 4 * HOUR),
    "429-date asctime": ("429 Too Many Requests", {"Retry_After": "Mon Mar  2 13:00:00 2026"}, 4 * HOUR),
    "429-bare": ("429 Too Many Requests", {}, HOUR),
    "retry-after short": ("503 Service Unavailable", {"Retry_After": "1"}, HOUR),
    "retry-after-absurd": ("503 Service Unavailable", {"Retry_After": "999999999"}, 3 * DAY),
    "retry-after no number": ("503 Service Unavailable", {"Retry_After": "soon"}, HOUR),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "wait"), HEADERS.values(), ids=HEADERS)
def test_freshness_lengthens_the_wait_within_its_cap(headers: dict[str, str], wait: timedelta, desk: Room) -> None:
    """`maxage`, `expires`, `maxage-huge`, `maxage-nocache`, `expires-zero`: and the validators stay."""
    desk.asks(feed_answer(ETag='"1"', **headers))
    assert desk.wait == wait
    assert desk.poll(wait - ONE_SECOND) == []
    desk.asks(not_modified())
    assert desk.validators() == ('"1"', None)
    (why,) = desk.one("SELECT why FROM polls WHERE id = 1")
    assert "next in" in why


@pytest.mark.parametrize(("channel", "wait"), WISHES.values(), ids=WISHES)
def test_the_feeds_own_wish_lengthens_the_wait(channel: str, wait: timedelta, desk: Room) -> None:
    """`rss-ttl`, `syn-update`, `rss-skiphours`, `rss-skipdays`"""
    desk.asks(feed_answer(rss(item("bridge"), extra=channel)))
    assert desk.wait == wait


@pytest.mark.parametrize(("status", "headers", "wait"), RETRIES.values(), ids=RETRIES)
def test_retry_after_is_honoured(status: str, headers: dict[str, str], wait: timedelta, desk: Room) -> None:
    """`503-seconds`, `503-date-skew`, `429-seconds`, `429-date`, `429-bare`, `retry-after-absurd`; over a restart."""
    desk.asks(answer(b"", status, **headers))
    assert desk.wait == wait
    desk.restart()
    assert desk.poll(wait - ONE_SECOND) == []
    assert len(desk.asked) == 1
    assert len(desk.poll(ONE_SECOND)) == 1


def test_429_holds_the_whole_host(tmp_path: Path) -> None:
    with room(tmp_path, "/a", gap="0.02s") as desk:
        desk.says(answer(b"", "429 Too Many Requests", Retry_After="7200"), "/a")
        desk.poll()
        desk.says(feed_answer(), "/a")
        desk.says(feed_answer(), "/b")
        desk.configure("/a", "/b")
        desk.poll(MINUTE)
        assert desk.asked == ["/a"]
        line = next(one for one in desk.running.store.feeds.lines() if one.url.endswith("/b"))
        assert "429" in (line.why or "")
        assert desk.poll(2 * HOUR - 2 * MINUTE) == []
        assert len(desk.poll(2 * MINUTE)) == 2


def test_maxage_304_is_remembered_and_renewed(desk: Room) -> None:
    """A bare 304 keeps what was said before; one that speaks of freshness replaces it."""
    desk.asks(feed_answer(ETag='"1"', Cache_Control="max-age=7200"), not_modified())
    assert desk.wait == 2 * HOUR
    desk.asks(not_modified(Cache_Control="max-age=14400"))
    assert desk.wait == 4 * HOUR


def test_min_interval_a_restart_neither_polls_everything_nor_anything_twice(tmp_path: Path) -> None:
    targets = [f"/{n}" for n in range(5)]
    with room(tmp_path, *targets) as desk:
        for target in targets:
            desk.says(feed_answer(rss(item(target))), target)
        desk.poll()
        for _ in range(3):
            desk.restart()
            assert desk.poll(14 * MINUTE) == []
        assert len(desk.asked) == 5
        # After a night off each is asked once: nothing is caught up with.
        desk.now += 12 * HOUR
        desk.restart()
        assert len(desk.poll()) == 5
        assert len(desk.asked) == 10


@pytest.mark.parametrize("back", [timedelta(hours=2), timedelta(days=400)], ids=["hours", "more than a year"])
def test_a_clock_set_back_never_silences_a_feed(back: timedelta, desk: Room) -> None:
    """T11"""
    desk.asks(feed_answer())
    desk.now -= back
    assert desk.poll() == []
    assert desk.wait == HOUR
    assert len(desk.poll(HOUR)) == 1


# --- 1 numbers ------------------------------------------------------------------------------------------------


def test_unconditional_daily_after_three_identical_bodies_without_validators(desk: Room) -> None:
    desk.asks(feed_answer(), feed_answer())
    assert desk.wait == HOUR
    desk.asks(feed_answer())
    assert desk.wait == DAY
    desk.asks(feed_answer(rss(item("tunnel"))))
    assert desk.wait < DAY


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
@pytest.mark.parametrize(
    ("raw", "wait"),
    [
        pytest.param(feed_answer(), HOUR, id="interval"),
        pytest.param(feed_answer(Cache_Control="max-age=86400"), DAY, id="max-age"),
        pytest.param(answer(b"", "503 No", Retry_After="7200"), 2 * HOUR, id="Retry-After"),
    ],
)
def test_jitter_is_only_ever_later(raw: bytes, wait: timedelta, draw: float, tmp_path: Path) -> None:
    with room(tmp_path, draw=draw) as desk:
        desk.asks(raw)
        most = min(10 * MINUTE, wait * 0.1)
        assert wait + most * draw <= desk.wait <= wait + most * draw + ONE_SECOND


def test_every_of_a_feed_is_kept_and_hints_still_stretch_it(tmp_path: Path) -> None:
    """N1"""
    with room(tmp_path, feeds='every = "15m"') as desk:
        desk.asks(feed_answer(), feed_answer(rss(item("tunnel"))))
        assert desk.wait == 15 * MINUTE
        desk.asks(feed_answer(rss(item("harbour")), Cache_Control="max-age=7200"))
        assert desk.wait == 2 * HOUR


def test_pacing_gap_lies_between_starts_on_one_host(tmp_path: Path) -> None:
    """Each gap by itself is measured on a clock of our own, in test_fetch; here, that the service keeps them all."""
    targets = [f"/{n}" for n in range(5)]
    with room(tmp_path, *targets, gap="0.1s") as desk:
        for target in targets:
            desk.says(feed_answer(rss(item(target))), target)
        began = time.monotonic()
        assert len(desk.poll()) == 5
        assert time.monotonic() - began >= 4 * 0.1  # a busy machine only makes it longer


def test_pacing_concurrency_is_two_on_one_host(tmp_path: Path) -> None:
    targets = [f"/{n}" for n in range(6)]
    counting = Counting()
    with room(tmp_path, *targets, gap="0.001s") as desk:
        for target in targets:
            desk.says(counting.slow(0.1, rss(item(target))), target)
        assert len(desk.poll()) == 6
    assert counting.most == 2


def test_in_flight_is_capped_over_all_hosts_and_a_slow_host_holds_up_nobody(tmp_path: Path) -> None:
    """A host of many slow feeds, all of them longer overdue, does not keep another host's feed waiting."""
    slow = [f"/slow{n}" for n in range(24)]
    counting = Counting()
    with room(tmp_path, *slow, fetch="in_flight = 3", gap="0.001s") as desk:
        asked = threading.Event()  # nobody slow answers before the other one was asked
        for target in slow:
            desk.says(counting.slow(asked, FEED), target)
        desk.says(counting.first(asked, rss(item("other"))), "/other")
        desk.configure(*slow, desk.server.url("/other", host="localhost"))
        assert len(desk.poll()) == 25
        assert "/other" in desk.asked[:4]
    assert counting.most <= 3


class Counting:
    """How many answers are under way at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def slow(self, until: float | threading.Event, body: bytes) -> Script:
        """Answers after so many seconds, or once something has happened."""

        def steps() -> Iterable[Step]:
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
            if isinstance(until, threading.Event):
                until.wait(20)
            else:
                yield until
            with self._lock:
                self.now -= 1
            yield feed_answer(body)

        return steps

    def first(self, asked: threading.Event, body: bytes) -> Script:
        """Answers at once, and tells that it was asked."""

        def steps() -> Iterable[Step]:
            asked.set()
            yield from self.slow(0.0, body)()

        return steps
