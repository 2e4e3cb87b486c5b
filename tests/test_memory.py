"""What is remembered of a feed: validators only with a body, moves the second time in a row, 410 the third."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

import pytest
from fakes import FEED, NOW, feed_state, response
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import memory
from pipeline.errors import FetchError, ParseError
from pipeline.model import FeedState, NotModified, ParsedFeed, Response

MOVED = "https://feeds.example.org/new.xml"
ELSEWHERE = "https://feeds.example.net/other.xml"
PARSED = ParsedFeed(title="Example Times", entries=())
CUT = ParsedFeed(title="Example Times", entries=(), whole=False)
GONE = FetchError(FEED, "gone", kind="status", status=410)
DOWN = FetchError(FEED, "no answer", kind="timeout")
HTML = ParseError(FEED, "the answer is an HTML page, not a feed")


def ok(body: bytes = b"one", url: str = FEED, permanent_url: str | None = None, **headers: str) -> Response:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return response(body, url=url, headers=named, permanent_url=permanent_url)


def same(url: str = FEED, permanent_url: str | None = None, **headers: str) -> NotModified:
    pairs = tuple((key.replace("_", "-"), value) for key, value in headers.items())
    return NotModified(FEED, url, pairs, NOW, permanent_url)


def validators(state: FeedState) -> tuple[str | None, str | None]:
    return state.etag, state.last_modified


@pytest.mark.parametrize(
    "etag",
    [
        pytest.param('"abc"', id="strong"),
        pytest.param('W/"abc"', id="weak"),
        pytest.param("abc", id="without quotes"),
        pytest.param('"a b;c"', id="odd characters"),
        pytest.param('"abc-gzip"', id="with a coding's name"),
        pytest.param("'", id="junk"),
    ],
)
def test_c1_an_etag_is_kept_byte_for_byte(etag: str) -> None:
    assert memory.after(feed_state(), ok(etag=etag), PARSED).etag == etag


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("Mon, 02 Mar 2026 09:00:00 GMT", id="as it should be"),
        pytest.param("Monday, 2 March 26", id="as it should not"),
        pytest.param("0", id="no date"),
        pytest.param("Mon, 02 Mar 2026 09:00:00 +0100", id="another zone"),
    ],
)
def test_c1_a_last_modified_is_kept_byte_for_byte(date: str) -> None:
    assert memory.after(feed_state(), ok(last_modified=date), PARSED).last_modified == date


BOTH = feed_state(etag='"1"', last_modified="Monday", validators_url=FEED, body_hash="old")


@pytest.mark.parametrize(
    ("answer", "parsed", "expected"),
    [
        pytest.param(ok(etag='"2"', last_modified="Tuesday"), PARSED, ('"2"', "Tuesday"), id="c5 both replaced"),
        pytest.param(ok(etag='"2"'), PARSED, ('"2"', None), id="c5 the absent one is cleared"),
        pytest.param(ok(), PARSED, (None, None), id="c5 both cleared"),
        pytest.param(ok(etag='"2"'), None, ('"2"', None), id="c5 with the same body as last time"),
        pytest.param(same(), None, ('"1"', "Monday"), id="c6 a bare 304 keeps both"),
        pytest.param(same(etag='"2"'), None, ('"2"', "Monday"), id="c6 a 304 with a new ETag"),
        pytest.param(same(last_modified="Tuesday"), None, ('"1"', "Tuesday"), id="c6 a 304 with a new date"),
        pytest.param(ok(etag='"2"'), CUT, ('"1"', "Monday"), id="c7 a cut document vouches for nothing"),
        pytest.param(HTML, None, ('"1"', "Monday"), id="c7 no feed"),
        pytest.param(DOWN, None, ('"1"', "Monday"), id="c7 no answer"),
        pytest.param(GONE, None, ('"1"', "Monday"), id="c7 an error status"),
        pytest.param(same(url=ELSEWHERE), None, (None, None), id="c8 a 304 from another address"),
        pytest.param(ok(url=ELSEWHERE, etag='"2"'), PARSED, ('"2"', None), id="c8 an answer from another address"),
    ],
)
def test_validators_follow_the_answer(
    answer: Response | NotModified | FetchError | ParseError,
    parsed: ParsedFeed | None,
    expected: tuple[str | None, str | None],
) -> None:
    assert validators(memory.after(BOTH, answer, parsed)) == expected


def test_c8_validators_belong_to_the_address_that_gave_them() -> None:
    there = memory.after(feed_state(), ok(url=ELSEWHERE, etag='"1"'), PARSED)
    assert there.validators_url == ELSEWHERE
    back = memory.after(there, ok(etag='"2"'), PARSED)
    assert (back.validators_url, back.etag) == (FEED, '"2"')


def test_c7_a_cut_body_is_read_again_even_when_it_comes_again() -> None:
    after = memory.after(BOTH, ok(b"cut"), CUT)
    assert after.body_hash is None
    assert after.failures == 0


def test_t1_what_a_document_asks_for_is_remembered_until_the_next_one() -> None:
    asks = ParsedFeed("Example Times", (), hint=timedelta(hours=3), skip_hours=frozenset({1}), skip_days=frozenset({6}))
    state = memory.after(feed_state(), ok(etag='"1"'), asks)
    for answer in (same(), ok(etag='"1"'), DOWN, HTML):
        state = memory.after(state, answer, None)
        assert (state.hint, state.skip_hours, state.skip_days) == (timedelta(hours=3), {1}, {6})
    state = memory.after(state, ok(b"two"), PARSED)
    assert (state.hint, state.skip_hours, state.skip_days) == (None, frozenset(), frozenset())


def test_a_body_that_came_before_is_known_by_its_hash() -> None:
    after = memory.after(feed_state(), ok(b"one"), PARSED)
    assert after.body_hash == memory.body_hash(ok(b"one")) != memory.body_hash(ok(b"two"))


def test_n2_identical_bodies_in_a_row_are_counted() -> None:
    state = memory.after(feed_state(), ok(b"one"), PARSED)
    assert state.same_bodies == 0
    state = memory.after(memory.after(state, ok(b"one"), None), ok(b"one"), None)
    assert state.same_bodies == 2
    assert memory.after(state, ok(b"two"), PARSED).same_bodies == 0


def test_c9_a_304_is_a_success() -> None:
    troubled = feed_state(failures=4, gone_seen=2, state="failing", etag='"1"')
    after = memory.after(troubled, same(), None)
    assert (after.failures, after.gone_seen, after.state) == (0, 0, "ok")


@pytest.mark.parametrize(
    "trouble",
    [pytest.param(DOWN, id="no answer"), pytest.param(HTML, id="no feed"), pytest.param(GONE, id="gone")],
)
def test_e2_every_failure_is_counted_and_nothing_else_is_lost(trouble: FetchError | ParseError) -> None:
    after = memory.after(BOTH, trouble, None)
    assert (after.failures, after.state) == (1, "failing")
    assert (after.url, after.body_hash, after.validators_url) == (BOTH.url, BOTH.body_hash, BOTH.validators_url)
    recovered = memory.after(after, ok(), PARSED)
    assert (recovered.failures, recovered.state) == (0, "ok")


def test_e2_no_count_of_failures_disables_a_feed() -> None:
    state = reduce(lambda before, _: memory.after(before, DOWN, None), range(500), feed_state())
    assert (state.failures, state.state) == (500, "failing")


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        pytest.param([GONE], "failing", id="once"),
        pytest.param([GONE, GONE], "failing", id="one confirmation"),
        pytest.param([GONE, GONE, GONE], "gone", id="two confirmations"),
        pytest.param([GONE, GONE, DOWN, GONE], "failing", id="another failure between"),
        pytest.param([GONE, GONE, ok(), GONE], "failing", id="an answer between"),
        pytest.param([GONE, GONE, HTML, GONE, GONE], "failing", id="no feed between"),
    ],
)
def test_e1_a_feed_is_gone_after_two_confirmations(
    answers: list[Response | FetchError | ParseError], state: str
) -> None:
    after = feed_state()
    for answer in answers:
        after = memory.after(after, answer, PARSED if isinstance(answer, Response) else None)
    assert after.state == state


def to(target: str | None) -> Response:
    return ok(url=target or FEED, permanent_url=target)


@pytest.mark.parametrize(
    ("answers", "url", "state"),
    [
        pytest.param([to(MOVED)], FEED, "ok", id="once"),
        pytest.param([to(MOVED), to(MOVED)], MOVED, "moved", id="twice in a row"),
        pytest.param([to(MOVED), to(None), to(MOVED)], FEED, "ok", id="with a plain answer between"),
        pytest.param([to(MOVED), to(ELSEWHERE)], FEED, "ok", id="two places"),
        pytest.param([to(MOVED), to(ELSEWHERE), to(ELSEWHERE)], ELSEWHERE, "moved", id="two places, one twice"),
        pytest.param([to(MOVED), HTML, to(MOVED)], FEED, "ok", id="with a page that is no feed between"),
        pytest.param([to(MOVED), DOWN, to(MOVED)], FEED, "ok", id="with a failure between"),
        pytest.param([to(MOVED), same(MOVED, MOVED)], MOVED, "moved", id="the second time a 304"),
        pytest.param([to(FEED), to(FEED)], FEED, "ok", id="to itself"),
    ],
)
def test_r1_a_permanent_redirect_is_believed_the_second_time_in_a_row(
    answers: list[Response | NotModified | FetchError | ParseError], url: str, state: str
) -> None:
    after = feed_state()
    for answer in answers:
        after = memory.after(after, answer, PARSED if isinstance(answer, Response) else None)
    assert (after.url, after.state) == (url, state)
    assert after.feed_url == FEED, "the configured address is its identity"


def test_r1_a_feed_that_moved_may_move_back() -> None:
    moved = feed_state(url=MOVED, state="moved")
    once = memory.after(moved, to(FEED), PARSED)
    assert (once.url, once.state) == (MOVED, "moved")
    twice = memory.after(once, to(FEED), PARSED)
    assert (twice.url, twice.state) == (FEED, "ok")


@pytest.mark.parametrize(
    ("before", "said", "title"),
    [
        pytest.param(None, "<b>Example</b>\n Times", "Example Times", id="the first title, as plain text"),
        pytest.param("Mine", "Example Times", "Mine", id="a title we have stays"),
        pytest.param(None, None, None, id="none"),
    ],
)
def test_a_feed_keeps_its_title(before: str | None, said: str | None, title: str | None) -> None:
    assert memory.after(feed_state(title=before), ok(), ParsedFeed(said, ())).title == title


answers_ = st.sampled_from(
    [ok(etag='"1"'), ok(b"two"), ok(url=MOVED, permanent_url=MOVED, etag='"3"'), same(), same(MOVED), DOWN, GONE, HTML]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(answers_, st.sampled_from([PARSED, CUT, None])), max_size=8))
def test_whatever_a_feed_answers_its_state_holds_together(
    polls: list[tuple[Response | NotModified | FetchError | ParseError, ParsedFeed | None]],
) -> None:
    state = feed_state()
    for answer, parsed in polls:
        failed = isinstance(answer, FetchError | ParseError)
        before, state = state, memory.after(state, answer, parsed if isinstance(answer, Response) else None)
        assert state.failures == (before.failures + 1 if failed else 0)
        assert (state.state in ("failing", "gone")) == failed
        assert (state.state == "moved") == (not failed and state.url != FEED)
        assert (state.moved_to is None) == (state.moved_seen == 0)
        if validators(state) != (None, None):
            assert state.validators_url is not None
        if failed:
            assert validators(state) == validators(before)
