"""What to remember of a feed after an answer: validators, moves, failures. Pure.

Fetch contract, sections 2, 4 and 5: validators are kept byte for byte and only from a body that was complete and read;
a permanent redirect is believed at the second poll in a row; a 410 at the third, a day apart each.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from pipeline import text
from pipeline.errors import FetchError, ParseError
from pipeline.model import FeedState, FeedStateName, NotModified, ParsedFeed, Response

Answer = Response | NotModified | FetchError | ParseError

MOVED_AFTER = 2
"""Polls in a row with the same permanent redirect until the new address is remembered (contract R1)."""

GONE_AFTER = 3
"""410 answers until a feed is gone: the first, and two confirmations (contract E1)."""


def body_hash(answer: Response) -> str:
    """A hash of a body: equal bodies need no reading."""
    return hashlib.blake2b(answer.body, digest_size=16).hexdigest()


def after(state: FeedState, answer: Answer, parsed: ParsedFeed | None, *, line_down: bool = False) -> FeedState:
    """The feed's state after this answer; everything but when it is due next.

    `parsed` is `None` for a 304, for a body that equals the last one, and for a failure. While the line here is down,
    a failure does not count against the feed.
    """
    if isinstance(answer, FetchError | ParseError):
        gone = state.gone_seen + 1 if isinstance(answer, FetchError) and answer.status == 410 else 0
        return replace(
            state,
            failures=max(state.failures, 1) if line_down else state.failures + 1,
            error_kind=answer.kind if isinstance(answer, FetchError) else "not_a_feed",
            gone_seen=gone,
            state="gone" if gone >= GONE_AFTER else "failing",
            moved_to=None,
            moved_seen=0,
        )
    state = _moved(state, answer.permanent_url)
    settled: FeedStateName = "ok" if state.url == state.feed_url else "moved"
    state = replace(state, failures=0, error_kind=None, gone_seen=0, state=settled)
    if isinstance(answer, NotModified):
        if state.validators_url not in (None, answer.url):
            # The 304 came from another address than the validators: the next request asks afresh (C8).
            return replace(state, etag=None, last_modified=None, validators_url=answer.url)
        return replace(
            state,
            etag=answer.header("etag") or state.etag,
            last_modified=answer.header("last-modified") or state.last_modified,
        )
    if answer.delta:
        return _after_delta(state, answer, parsed)
    if parsed is not None:
        state = replace(
            state, hint=parsed.hint, skip_hours=parsed.skip_hours, skip_days=parsed.skip_days, flaw=parsed.flaw
        )
    if parsed is not None and not parsed.whole:
        return replace(state, body_hash=None, same_bodies=0)
    return replace(
        state,
        title=state.title or (text.line(parsed.title) if parsed else None),
        etag=answer.header("etag"),
        last_modified=answer.header("last-modified"),
        validators_url=answer.url,
        body_hash=body_hash(answer),
        same_bodies=state.same_bodies + 1 if parsed is None else 0,
    )


def _after_delta(state: FeedState, answer: Response, parsed: ParsedFeed | None) -> FeedState:
    """After a 226: its tag names the whole document as it is now, its body is not that document (contract C10).

    A delta without a tag, or one that was cut off, leaves the version we named: it is asked for again. One from another
    address than the version we named vouches for nothing (C8), nor does one that was sent although we named none.
    """
    state = replace(state, same_bodies=0, hint=(parsed.hint if parsed else None) or state.hint)
    if parsed is None or not parsed.whole or state.etag is None:
        return state
    if state.validators_url not in (None, answer.url):
        return replace(state, etag=None, last_modified=None, body_hash=None, validators_url=answer.url)
    return replace(
        state,
        etag=answer.header("etag") or state.etag,
        last_modified=answer.header("last-modified") or state.last_modified,
    )


def _moved(state: FeedState, target: str | None) -> FeedState:
    """Counts polls in a row that were sent to the same place for good, and moves there at the second."""
    if target is None or target == state.url:
        return replace(state, moved_to=None, moved_seen=0)
    seen = state.moved_seen + 1 if target == state.moved_to else 1
    if seen >= MOVED_AFTER:
        return replace(state, url=target, moved_to=None, moved_seen=0)
    return replace(state, moved_to=target, moved_seen=seen)
