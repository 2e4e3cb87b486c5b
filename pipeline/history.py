"""Older documents of a feed (RFC 5005), one after each poll. Names the steps, decides little; off unless configured.

Fetch contract I10: an address is put on the list by `ingest` when all entries of a document were new, asked once ever,
through the same guard and pacing as a poll, and its entries go through the same ingest.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from pipeline import ingest, log, parse, urls
from pipeline.errors import FetchError, ParseError, WorkerLost
from pipeline.fetch import Web
from pipeline.model import FeedState, Response
from pipeline.workers import Workers

PER_DAY = 10
"""Documents asked for within 24 hours, for one feed."""

HOLD = timedelta(hours=1)
"""How long a host is left alone after 429 or 503 without a Retry-After."""


async def step_back(
    state: FeedState, desk: ingest.Desk, web: Web, workers: Workers, now: Callable[[], datetime]
) -> int | None:
    """Asks for the feed's next older document, if one is on the list; how many entries were new, `None` for no answer.

    Noted before it is asked for, so that neither a crash nor a failure asks twice.
    """
    store = desk.store
    url = store.history.next(state.id, now(), PER_DAY)
    if url is None or store.feeds.held(urls.host_of(url), now()):
        return None
    with store.transaction():
        store.history.asked(state.id, url, now())
    try:
        answer = await web.get(url)
        if not isinstance(answer, Response):
            raise FetchError(url, "the server says it is not modified, and was not asked that", status=answer.status)
        parsed = await workers.run(parse.feed, answer)
    except (FetchError, ParseError, WorkerLost) as error:
        if isinstance(error, FetchError) and error.status in (429, 503):
            until = now() + min(error.retry_after or HOLD, desk.pace.retry_after_cap)
            with store.transaction():
                store.feeds.hold_host(urls.host_of(error.url), until, f"{error.url} answered {error.status}")
        log.event("archive not read", feed=state.feed_url, url=url, why=error)
        return None
    new, _ = ingest.keep_more(state, desk, parsed, now(), older=True)
    log.event("archive read", feed=state.feed_url, url=url, new=new)
    return new
