"""The fetch contract through the real service, sections 2, 4 and 5: validators, redirects, errors.

A test is named after its case in the contract. It asserts on what the server saw, the rows, and the next due time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from contract import (
    BRIDGE,
    DAY,
    FEED,
    HARBOUR,
    HOUR,
    MODIFIED,
    TUNNEL,
    Room,
    feed_answer,
    not_modified,
    redirect,
    room,
    scripted,
)  # fmt: skip
from fakes import answer, chunked, rss

FULL = rss(BRIDGE, TUNNEL)
ERROR = answer(b"sorry", "500 Internal Server Error", ETag='"error"', Last_Modified=MODIFIED)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        yield made


# --- 2 conditional requests -----------------------------------------------------------------------------------

ETAGS = {
    "strong": '"abc"',
    "weak": 'W/"abc"',
    "unquoted": "abc",
    "empty": '""',
    "weak in lower case": 'w/"abc"',
    "quotes inside": '"a"b"',
    "a comma inside": '"a,b"',
    "a space inside": '"a b"',
    "gzip suffix": '"abc-gzip"',
    "no closing quote": '"abc',
    "Latin-1": '"caf\xe9"',
    "long": '"' + "x" * 4000 + '"',
}
DATES = {
    "imf": MODIFIED,
    "rfc850": "Monday, 02-Mar-26 08:00:00 GMT",
    "asctime": "Mon Mar  2 08:00:00 2026",
    "wrong weekday": "Sun, 02 Mar 2026 08:00:00 GMT",
    "another zone": "Mon, 02 Mar 2026 10:00:00 +0200",
    "in the future": "Tue, 02 Mar 2038 08:00:00 GMT",
    "no date": "yesterday",
    "zero": "0",
    "iso": "2026-03-02T08:00:00Z",
}


@pytest.mark.parametrize("etag", ETAGS.values(), ids=ETAGS)
def test_etag_of_any_spelling_is_echoed_byte_for_byte(etag: str, desk: Room) -> None:
    """`etag-strong`, `etag-weak`, `etag-unquoted` and the rest of `etag-*`."""
    desk.asks(feed_answer(ETag=etag), not_modified())
    assert desk.validators(0) == (None, None)
    assert desk.validators(1) == (etag, None)
    assert desk.feed("etag, last_modified, failures, state") == (etag, None, 0, "ok")


@pytest.mark.parametrize("date", DATES.values(), ids=DATES)
def test_lm_of_any_spelling_is_echoed_byte_for_byte(date: str, desk: Room) -> None:
    """`lm-*`"""
    desk.asks(feed_answer(Last_Modified=date), not_modified())
    assert desk.validators() == (None, date)
    assert desk.feed("etag, last_modified, failures") == (None, date, 0)


def test_both_validators_are_sent_together(desk: Room) -> None:
    desk.asks(feed_answer(ETag='"a"', Last_Modified=MODIFIED), not_modified())
    assert desk.validators() == ('"a"', MODIFIED)


def test_no_validators_given_none_sent(desk: Room) -> None:
    """`no-validators`: not from our clock, nor from an entry's date."""
    desk.asks(feed_answer(), feed_answer(FULL), feed_answer(FULL))
    assert [desk.validators(n) for n in range(3)] == [(None, None)] * 3


TROUBLE = {
    "error": ERROR,
    "reset": lambda: (None,),
    "html": answer(b"<!doctype html><title>Log in</title>", ETag='"html"', Last_Modified=MODIFIED),
    "empty body": answer(b"", ETag='"empty"', Last_Modified=MODIFIED),
    "truncated length": answer(FULL[:-20], Content_Length=str(len(FULL)), ETag='"cut"'),
    "truncated chunks": answer(chunked(FULL[:99], last=False), Transfer_Encoding="chunked", ETag='"cut"'),
    "redirect to an error": redirect("/nowhere", 302, ETag='"moved"'),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)
def test_error_keeps_validators_and_never_gives_any(trouble: bytes, desk: Room) -> None:
    """`error-keeps-validators`, `invalid-then-ok`, `empty-body`, `truncated-*`: also over a restart."""
    desk.asks(feed_answer(FULL, ETag='"good"'), trouble)
    assert desk.feed("etag, last_modified, failures, state") == ('"good"', None, 1, "failing")
    assert desk.titles() == [BRIDGE.title, TUNNEL.title]
    desk.restart()
    (outcome,) = desk.asks(not_modified())
    assert desk.validators() == ('"good"', None)
    assert outcome.outcome == "not_modified"
    assert desk.feed("failures, state, last_error, error_kind, error_since") == (0, "ok", None, None, None)


def test_cut_document_gives_its_entries_but_no_validators(desk: Room) -> None:
    """`truncated-xml`: a document without its end, in an answer that is complete."""
    cut = FULL[: FULL.rindex(b"</item>") + 7]
    desk.asks(feed_answer(cut, ETag='"cut"'), feed_answer(FULL, ETag='"whole"'))
    assert desk.validators() == (None, None)
    assert desk.count("articles") == 2
    assert desk.feed("etag") == '"whole"'


def test_validators_change_with_each_answer(desk: Room) -> None:
    desk.asks(
        feed_answer(ETag='"1"', Last_Modified=MODIFIED), feed_answer(FULL, ETag='"2"'), feed_answer(ETag='"3"'),
        not_modified(),
    )  # fmt: skip
    assert [desk.validators(n) for n in range(4)] == [
        (None, None), ('"1"', MODIFIED), ('"2"', None), ('"3"', None),
    ]  # fmt: skip


def test_validators_dropped_by_an_answer_without_any(desk: Room) -> None:
    desk.asks(feed_answer(ETag='"1"', Last_Modified=MODIFIED), feed_answer(FULL), feed_answer(FULL))
    assert desk.validators() == (None, None)
    assert desk.feed("etag, last_modified") == (None, None)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        pytest.param({"ETag": '"2"'}, ('"2"', MODIFIED), id="304-new-etag"),
        pytest.param({}, ('"1"', MODIFIED), id="304-bare"),
        pytest.param({"Last_Modified": "later"}, ('"1"', "later"), id="304-new-date"),
    ],
)
def test_304_updates_what_it_carries_and_keeps_the_rest(
    headers: dict[str, str], after: tuple[str, str], desk: Room
) -> None:
    desk.asks(feed_answer(ETag='"1"', Last_Modified=MODIFIED), not_modified(**headers), not_modified())
    assert desk.validators() == after


def test_dup_in_round_is_exactly_one_request_and_a_success(desk: Room) -> None:
    """`dup-in-round`: a 304 is asked for once, read never, and ends a row of failures."""
    desk.asks(feed_answer(ETag='"1"'), ERROR)
    assert desk.feed("failures") == 1
    desk.asks(not_modified())
    assert desk.poll() == []
    assert len(desk.asked) == 3
    assert desk.feed("failures") == 0
    polls = desk.rows("SELECT outcome, status, new, unchanged FROM polls ORDER BY id")
    assert polls[-1] == ("not_modified", 304, 0, 0)


# --- 4 redirects ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 308])
def test_redirect_for_good_is_remembered_at_the_second_poll(status: int, desk: Room) -> None:
    """`redirect-301`, `redirect-308`: the entries stay who they are, and the old address stays the feed's name."""
    desk.asks(feed_answer())
    desk.says(feed_answer(FULL, ETag='"new"'), "/new")
    desk.asks(redirect("/new", status), redirect("/new", status))
    assert desk.feed("current_url, url, state") == (desk.server.url("/new"), desk.server.url("/feed"), "moved")
    desk.due()
    assert desk.asked == ["/feed", "/feed", "/new", "/feed", "/new", "/new"]
    assert desk.validators() == ('"new"', None)
    assert (desk.count("articles"), desk.count("entries"), desk.count("feeds")) == (2, 2, 1)


@pytest.mark.parametrize("status", [302, 303, 307])
def test_redirect_for_now_is_followed_each_time_and_never_remembered(status: int, desk: Room) -> None:
    """`redirect-302`, `redirect-303`, `redirect-307`"""
    desk.says(feed_answer(), "/new")
    desk.asks(*[redirect("/new", status)] * 4)
    assert desk.asked == ["/feed", "/new"] * 4
    assert desk.feed("current_url, moved_to") == (desk.server.url("/feed"), None)


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(answer(b"<!doctype html><title>Log in to the hotel's Wi-Fi</title>"), id="a page"),
        pytest.param(answer(b"gone", "404 Not Found"), id="an error"),
    ],
)
def test_redirect_301_hijack_is_not_believed(target: bytes, desk: Room) -> None:
    desk.asks(feed_answer(ETag='"1"'))
    desk.says(target, "/portal")
    desk.asks(*[redirect("/portal", 301)] * 4)
    assert desk.feed("current_url, state, etag") == (desk.server.url("/feed"), "failing", '"1"')
    desk.asks(feed_answer(FULL))
    assert desk.feed("state") == "ok"
    assert desk.count("articles") == 2


def test_redirect_302_etag_belongs_to_the_address_that_gave_it(desk: Room) -> None:
    """`redirect-302-etag`: along to the same target, and not to another one."""
    desk.says(feed_answer(ETag='"a"'), "/a")
    desk.says(feed_answer(FULL, ETag='"b"'), "/b")
    desk.asks(redirect("/a"), redirect("/a"), redirect("/b"))
    assert desk.asked == ["/feed", "/a"] * 2 + ["/feed", "/b"]
    assert desk.validators(3) == ('"a"', None)
    assert desk.feed("etag, validators_url") == ('"b"', desk.server.url("/b"))


@pytest.mark.parametrize("statuses", [(301, 302), (302, 301), (308, 307, 301)])
def test_redirect_301_tmp_mix_remembers_the_leading_permanent_run(statuses: tuple[int, ...], desk: Room) -> None:
    last = f"/hop{len(statuses)}"
    desk.says(feed_answer(), last)
    for n, status in enumerate(statuses[1:], 1):
        desk.says(redirect(f"/hop{n + 1}", status), f"/hop{n}")
    desk.asks(*[redirect("/hop1", statuses[0])] * 2)
    kept = "/hop1" if statuses[0] in (301, 308) else "/feed"
    assert desk.feed("current_url") == desk.server.url(kept)


@pytest.mark.parametrize("location", ["new", "./new", "/new", "/new#part", "//{host}/new", "http://{host}/new#x"])
def test_redirect_relative_is_resolved_and_the_fragment_never_sent(location: str, desk: Room) -> None:
    desk.says(feed_answer(), "/new")
    desk.asks(redirect(location.format(host=f"127.0.0.1:{desk.server.port}")))
    assert desk.asked == ["/feed", "/new"]
    assert desk.count("articles") == 1


def test_redirect_5_is_followed_and_the_sixth_is_not(desk: Room) -> None:
    for n in range(1, 6):
        desk.says(redirect(f"/hop{n + 1}"), f"/hop{n}")
    desk.says(feed_answer(), "/hop5")
    (outcome,) = desk.asks(redirect("/hop1"))
    assert (outcome.outcome, len(desk.asked)) == ("ok", 6)
    desk.says(redirect("/hop6"), "/hop5")
    desk.says(feed_answer(), "/hop6")
    (outcome,) = desk.asks(redirect("/hop1"))
    assert (outcome.outcome, len(desk.asked)) == ("failed", 12)
    assert desk.feed("error_kind") == "redirect"


@pytest.mark.parametrize("to", ["/feed", "/back"], ids=["loop to itself", "loop of two"])
def test_redirect_loop_ends_and_is_backed_off(to: str, desk: Room) -> None:
    desk.says(redirect("/feed"), "/back")
    (outcome,) = desk.asks(redirect(to))
    assert outcome.outcome == "failed"
    assert len(desk.asked) <= 6
    assert desk.wait == HOUR


def test_redirect_infinite_ends_after_six_requests(desk: Room) -> None:
    for n in range(20):
        desk.says(redirect(f"/hop{n + 1}"), f"/hop{n}")
    desk.asks(redirect("/hop0"))
    assert len(desk.asked) == 6
    assert desk.feed("error_kind, failures") == ("redirect", 1)


def test_redirect_that_asks_to_wait_is_followed_only_then(desk: Room) -> None:
    """T5 for a 3xx with Retry-After."""
    desk.says(feed_answer(), "/new")
    desk.asks(redirect("/new", Retry_After="7200"))
    assert desk.asked == ["/feed"]
    assert (desk.wait, desk.feed("error_kind")) == (2 * HOUR, "wait")
    assert desk.poll(2 * HOUR - timedelta(seconds=1)) == []
    (outcome,) = desk.poll(timedelta(seconds=1))
    assert (outcome.outcome, desk.asked) == ("ok", ["/feed", "/feed", "/new"])


def test_redirect_onto_a_subscribed_feed_merges_the_two(tmp_path: Path) -> None:
    """R6"""
    with room(tmp_path, "/old", "/new") as desk:
        desk.says(feed_answer(), "/new")
        desk.says(redirect("/new", 301), "/old")
        desk.poll()
        desk.poll(2 * HOUR)
        assert desk.rows("SELECT state FROM feeds ORDER BY id") == [("paused",), ("ok",)]
        before = len(desk.asked)
        desk.poll(2 * HOUR)
        assert desk.asked[before:] == ["/new"]
        assert desk.count("articles") == 1


# --- 5 errors -------------------------------------------------------------------------------------------------

FAILURES = {
    "401": (answer(b"", "401 Unauthorized"), "status"),
    "403": (answer(b"", "403 Forbidden"), "status"),
    "404": (answer(b"", "404 Not Found"), "status"),
    "500": (answer(b"", "500 Internal Server Error"), "status"),
    "503": (answer(b"", "503 Service Unavailable"), "status"),
    "429": (answer(b"", "429 Too Many Requests"), "status"),
    "reset": (lambda: (None,), "connect"),
    "not http": (b"220 ftp ready\r\n\r\n", "protocol"),
    "html": (answer(b"<!doctype html><p>no feed"), "not_a_feed"),
    "junk": (answer(b"\x00\x01\x02 junk"), "not_a_feed"),
}


@pytest.mark.parametrize(("raw", "kind"), FAILURES.values(), ids=FAILURES)
def test_backoff_doubles_up_to_a_day_and_never_disables(raw: bytes, kind: str, desk: Room) -> None:
    """`backoff-*`, `429-bare`: one request each, no retry at once; the class and the beginning are kept (E5)."""
    waits = []
    began = desk.now
    for _ in range(8):
        desk.asks(raw)
        waits.append(desk.wait / HOUR)
    assert waits == [1, 2, 4, 8, 16, 24, 24, 24]
    assert len(desk.asked) == 8
    since = began.strftime("%Y-%m-%dT%H:%M:%SZ")
    state, failures, found, error_since = desk.feed("state, failures, error_kind, error_since")
    assert (state, failures, error_since) == ("failing", 8, since)
    assert found == kind or (kind == "connect" and found in ("protocol", "truncated"))


def test_backoff_reset_by_the_first_success_and_recovers(desk: Room) -> None:
    """`backoff-reset`, `recovers`: by a 200 and by a 304."""
    desk.asks(ERROR, ERROR, ERROR)
    assert desk.wait == 4 * HOUR
    desk.asks(feed_answer(ETag='"1"'))
    assert (desk.feed("failures, state"), desk.wait) == ((0, "ok"), HOUR)
    desk.asks(ERROR, not_modified(), ERROR)
    assert (desk.feed("failures"), desk.wait) == (1, HOUR)


def test_gone_410_is_believed_the_third_time_a_day_apart(desk: Room) -> None:
    gone = answer(b"", "410 Gone")
    desk.asks(feed_answer(), gone)
    assert desk.wait == DAY
    desk.asks(gone)
    assert desk.wait == DAY
    desk.asks(gone)
    assert desk.feed("state") == "gone"
    assert desk.poll(100 * DAY) == []
    assert len(desk.asked) == 4
    assert desk.titles() == [BRIDGE.title]
    # Reset when the operator edits the address.
    desk.says(feed_answer(), "/elsewhere")
    desk.configure("/elsewhere")
    assert [outcome.outcome for outcome in desk.poll()] == ["ok"]


def test_invalid_then_ok_loses_nothing(desk: Room) -> None:
    desk.asks(feed_answer(FULL), answer(b"<rss><channel><item>", Content_Type="text/xml"), feed_answer(FULL))
    assert desk.titles() == [BRIDGE.title, TUNNEL.title]
    assert desk.feed("failures, state") == (0, "ok")


def test_shrink_and_vanish_return_delete_nothing_and_bring_nothing_twice(desk: Room) -> None:
    """`shrink`, `vanish-return`"""
    three = rss(BRIDGE, TUNNEL, HARBOUR)
    outcomes = desk.asks(feed_answer(three), feed_answer(rss(HARBOUR)), feed_answer(rss()), feed_answer(three))
    assert [outcome.new for outcome in outcomes] == [3, 0, 0, 0]
    assert (desk.count("articles"), desk.count("entries"), desk.count("revisions")) == (3, 3, 3)


def test_html_discovery_names_the_candidate_and_does_not_switch(desk: Room) -> None:
    page = b'<!doctype html><link rel="alternate" type="application/rss+xml" href="/real.xml"><p>News'
    desk.asks(answer(page, Content_Type="text/html"))
    assert desk.server.url("/real.xml") in desk.feed("last_error")
    assert desk.feed("current_url") == desk.server.url("/feed")
    assert desk.asked == ["/feed"]


def test_one_bad_feed_costs_the_others_nothing(tmp_path: Path) -> None:
    """E5"""
    with room(tmp_path, "/a", "/b", "/c") as desk:
        desk.says(feed_answer(), "/a")
        desk.says(lambda: (None,), "/b")
        desk.says(scripted(feed_answer(rss(TUNNEL))), "/c")
        assert sorted(outcome.outcome for outcome in desk.poll()) == ["failed", "ok", "ok"]
        assert desk.count("articles") == 2
        assert desk.rows("SELECT error_kind IS NULL FROM feeds ORDER BY id") == [(1,), (0,), (1,)]
    assert FEED
