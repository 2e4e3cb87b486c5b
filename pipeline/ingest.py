"""One poll and one article, step by step. Names the steps, decides nothing.

    ask -> read -> compare -> judge -> place -> plan -> keep

The first two may wait; all that follows happens in one transaction, so that a crash can repeat a poll and never lose an
entry. Judging inside it is on purpose: an article's neighbours include those of the same poll.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline import changes, extract, log, memory, parse, schedule, text, urls, websub
from pipeline.errors import FetchError, ParseError, WorkerLost
from pipeline.fetch import Web
from pipeline.hiding import bare
from pipeline.judging import Desk, rejudge, take_in
from pipeline.model import (
    Article,
    Entry,
    FeedState,
    Known,
    NotModified,
    Outlet,
    ParsedFeed,
    PollOutcome,
    Response,
)
from pipeline.store.names import headline_name
from pipeline.times import spoken
from pipeline.unwrap import is_opaque
from pipeline.workers import Workers

__all__ = ["Answer", "Arrival", "Desk", "Imported", "import_entries", "keep", "keep_more", "poll", "want_older"]

LINE_DOWN = "The network here seems to be down: no host can be reached. A few feeds are tried until one answers."

Answer = Response | NotModified | FetchError | ParseError


@dataclass(slots=True)
class _Tally:
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    new_at: list[datetime] = field(default_factory=list)
    overlap: float | None = None
    all_new: bool = False
    same: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article that was handed over rather than polled: who published it, and when it was first to be seen."""

    entry: Entry
    outlet: Outlet
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of some arrivals. `clashes` were not kept: their name is that of another article (its address)."""

    new: int
    revised: int
    known: int
    clashes: tuple[tuple[Entry, str], ...]


async def poll(state: FeedState, desk: Desk, web: Web, workers: Workers, now: datetime, draw: float) -> PollOutcome:
    """Asks one feed and keeps what it says. Expected trouble becomes a failed poll; StoreError is raised."""
    started = time.monotonic()
    answer, parsed = await _ask(state, web, workers)
    ms = round((time.monotonic() - started) * 1000)
    return keep(state, desk, answer, parsed, now, draw, ms)


async def _ask(state: FeedState, web: Web, workers: Workers) -> tuple[Answer, ParsedFeed | None]:
    """The answer, and what it says when that is not what it said last time."""
    try:
        answer = await web.get(
            state.url,
            etag=state.etag,
            last_modified=state.last_modified,
            waited=state.error_kind == "wait",
            certificate=_exception(state),
        )
        if isinstance(answer, NotModified) or (not answer.delta and memory.body_hash(answer) == state.body_hash):
            return answer, None
        # Handing a feed to another process costs more than reading it; what may take long goes there all the same.
        return answer, parse.at_once(answer) or await workers.run(parse.feed, answer)
    except (FetchError, ParseError) as error:
        return error, None
    except WorkerLost as error:
        return ParseError(state.url, str(error)), None


def _exception(state: FeedState) -> str | None:
    """The operator's word on a certificate holds for the host it was given for, not for where the feed moved."""
    return state.certificate if urls.host_of(state.url) == urls.host_of(state.feed_url) else None


def keep(
    state: FeedState,
    desk: Desk,
    answer: Answer,
    parsed: ParsedFeed | None,
    now: datetime,
    draw: float,
    ms: int = 0,
) -> PollOutcome:
    """Everything of this poll, in one transaction. Raises StoreError when the database refuses: nothing is kept.

    Nothing is kept either of a feed that was taken out of the configuration before its first answer came.
    """
    kind = answer.kind if isinstance(answer, FetchError) else None
    was_down, desk.line = desk.line.down, schedule.heard(desk.line, urls.host_of(state.url), kind, now)
    with desk.store.transaction():
        if not desk.store.feeds.is_known(state.id):
            return _dropped(state, now, ms)
        tally = _Tally()
        after = memory.after(state, answer, parsed, line_down=desk.line.down)
        if after.url != state.url and (other := desk.store.feeds.by_current_url(after.url)) and other.id != state.id:
            after = replace(after, state="paused")
        if isinstance(answer, Response) and parsed is not None:
            outlet = _outlet_of_feed(state, desk, parsed)
            after = replace(after, outlet_id=desk.store.feeds.outlet_id(outlet))
            _keep_entries(
                state,
                desk,
                parsed.entries,
                lambda entry: (_outlet_of_entry(entry, state, desk, outlet), now),
                now,
                tally,
                whole=parsed.whole and not answer.delta,
            )
            desk.store.articles.still_there(state.id, tally.same, now)
            if desk.archives and tally.all_new and not answer.delta:
                want_older(state, desk, parsed)
            if desk.websub and parsed.whole and not answer.delta:
                _note_hub(state, desk, answer, parsed, now)
        if desk.websub:  # this answer, or a hub while it was under way, may have changed it
            after = replace(after, told_until=desk.store.feeds.state(state.id).told_until)
        if not desk.hears:
            after = replace(after, told_until=None)
        if not isinstance(answer, FetchError | ParseError):
            after = replace(after, rhythm=schedule.learn(after.rhythm, tally.new_at, tally.overlap, now))
        plan = schedule.next_poll(after, answer, desk.pace, now, draw, line_down=desk.line.down)
        after = replace(after, next_poll_at=plan.at, fresh=plan.fresh, not_before=plan.not_before)
        if desk.line.down != was_down:
            _note_line(desk, now)
        if isinstance(answer, FetchError) and answer.status == 429 and desk.host_wide_429:
            desk.store.feeds.hold_host(urls.host_of(answer.url), plan.at, f"{answer.url} answered 429: {plan.why}")
        outcome = _outcome(state, after, answer, parsed, tally, plan, now, ms)
        error = outcome.why if outcome.outcome == "failed" else _flaw(after)
        ok = outcome.outcome != "failed"
        desk.store.feeds.keep(after, now, ok=ok, new=tally.new > 0, error=error)
        desk.store.polls.keep(state.id, outcome, parsed.skipped if parsed else 0)
    log.event(
        "feed polled", feed=state.feed_url, outcome=outcome.outcome, status=outcome.status, new=tally.new,
        revised=tally.revised, unchanged=tally.unchanged, took=f"{ms / 1000:.1f}s", next=f"{plan.at:%H:%M}",
        why=outcome.why if outcome.outcome == "failed" else None,
    )  # fmt: skip
    return outcome


def keep_more(state: FeedState, desk: Desk, parsed: ParsedFeed, now: datetime, *, older: bool) -> tuple[int, bool]:
    """Keeps the entries of a document that is no poll: one that a hub delivered, or an `older` one of the feed.

    How many were new, and whether all were. What the document does not name has not vanished; validators and due time
    stay. What is older counts from its own date, and teaches nothing of the feed's rhythm.
    """
    with desk.store.transaction():
        tally = _Tally()
        outlet = _outlet_of_feed(state, desk, parsed)

        def arrives(entry: Entry) -> tuple[Outlet, datetime]:
            at = entry.published_at if older and entry.published_at else now
            return _outlet_of_entry(entry, state, desk, outlet), min(at, now)

        _keep_entries(state, desk, parsed.entries, arrives, now, tally, whole=False)
        desk.store.articles.still_there(state.id, tally.same, now)
        if older and tally.all_new:
            want_older(state, desk, parsed)
        if not older:
            rhythm = schedule.learn(desk.store.feeds.state(state.id).rhythm, tally.new_at, None, now)
            desk.store.feeds.delivered(state.id, rhythm, now, new=tally.new > 0)
    return tally.new, tally.all_new


def want_older(state: FeedState, desk: Desk, parsed: ParsedFeed) -> None:
    """Every entry was new, so there may be more before them: the document's own link to those is put on the list."""
    said = dict(reversed(parsed.links))
    if url := said.get("prev-archive") or said.get("next"):
        desk.store.history.want(state.id, bare(url))


def _note_line(desk: Desk, now: datetime) -> None:
    """The line went down, or is up again. Who fell victim to it before that was noticed need not wait for hours."""
    desk.store.notices.replace("network", [LINE_DOWN] if desk.line.down else [], now)
    if desk.line.down and desk.line.since:
        desk.store.feeds.forgive(desk.line.since, now + desk.pace.no_line, sorted(schedule.UNREACHED))
    log.event("network seems to be down" if desk.line.down else "network is up again", logging.WARNING)


def _dropped(state: FeedState, now: datetime, ms: int) -> PollOutcome:
    why = "it was taken out of feeds.toml meanwhile, and nothing of it is kept"
    return PollOutcome(state.feed_url, "failed", None, 0, 0, 0, 0, ms, why, None, now)


def _note_hub(state: FeedState, desk: Desk, answer: Response, parsed: ParsedFeed, now: datetime) -> None:
    """What an answer says of a hub, or that it names none, is noted; asking the hub is another's work."""
    if offered := websub.offer(answer.headers, parsed.links, answer.url):
        desk.store.websub.offered(state.id, *offered, now)
    else:
        desk.store.websub.withdrawn(state.id, now)


def import_entries(state: FeedState, desk: Desk, arrivals: Sequence[Arrival], now: datetime) -> Imported:
    """Keeps articles handed over under this feed's name, in one transaction. Those that are known stay untouched.

    A name that is known for another address is refused: two files may count their articles from 1.
    """
    with desk.store.transaction():
        known, _ = desk.store.articles.known(state.id, [arrival.entry for arrival in arrivals])
        clashes = tuple(
            (one.entry, known[one.entry.guid].url)
            for one in arrivals
            if one.entry.url
            and one.entry.guid in known
            and urls.page(known[one.entry.guid].url) != urls.page(one.entry.url)
        )
        refused = {entry.guid for entry, _ in clashes}
        came = {one.entry.guid: one for one in arrivals if one.entry.guid not in refused}
        tally = _Tally()
        desk.store.pruned.welcome(state.id, [one.entry for one in came.values()])
        _keep_entries(
            state, desk, [one.entry for one in came.values()],
            lambda entry: (came[entry.guid].outlet, came[entry.guid].seen_at), now, tally, whole=False,
        )  # fmt: skip
    return Imported(tally.new, tally.revised, tally.unchanged, clashes)


def _keep_entries(
    state: FeedState,
    desk: Desk,
    entries: Sequence[Entry],
    arrives: Callable[[Entry], tuple[Outlet, datetime]],
    now: datetime,
    tally: _Tally,
    *,
    whole: bool = True,
) -> None:
    """Compares every entry with what is stored and keeps what is new; the tally names those that said the same again.

    `arrives` says of a new entry who published it and when it was first seen. Where the entries are not the `whole`
    document, what they do not name has not vanished, and how many are known says nothing. What was let go of (pruned)
    is known, and does not come back.
    """
    store = desk.store
    said, (by_guid, by_url) = len(entries), store.articles.known(state.id, entries)
    strangers = [entry for entry in entries if entry.guid not in by_guid and (entry.url or "") not in by_url]
    if let_go := store.pruned.known(state.id, strangers):
        entries = [entry for entry in entries if entry.guid not in let_go]
    unnamed = [entry for entry in entries if entry.guid not in by_guid] if whole else []
    former = store.articles.former(state.id, unnamed, [entry.guid for entry in entries])
    twins = _twins([one for one in strangers if one.guid not in let_go], arrives, desk)
    sorted_ = changes.sort(state.feed_url, entries, by_guid, by_url, former, twins)
    names: list[tuple[Entry, int]] = list(sorted_.aliases)
    added: list[tuple[int, Article]] = []
    outlet_ids: dict[Outlet, int] = {}
    for entry in sorted_.new:
        outlet, seen_at = arrives(entry)
        article = extract.article(entry, outlet.name, seen_at)
        if outlet not in outlet_ids:
            outlet_ids[outlet] = store.feeds.outlet_id(outlet)
        article_id = store.articles.add(article, outlet_ids[outlet])
        if article_id is not None:
            added.append((article_id, article))
            names.append((entry, article_id))
    for entry, article_id in sorted_.aliases:
        if entry.guid in twins and not is_opaque(entry.url):
            _adopt(article_id, entry, arrives(entry)[0], desk, now)
    for entry, known in sorted_.suspect:
        article = extract.article(entry, "", now)
        if article.text_hash != known.text_hash:
            tally.revised += _reworded(known, article, state, desk, now)
        names.append((entry, known.article_id))
    store.articles.rename(state.id, sorted_.renamed)
    store.articles.name(state.id, names, now)
    take_in(added, desk)
    tally.new, tally.same = len(added), sorted_.unchanged
    tally.unchanged = said - tally.new - tally.revised
    tally.all_new = bool(entries) and len(sorted_.new) == said
    if said and whole:
        tally.overlap = 1 - len(sorted_.new) / said
    # An entry's own date says better when it came than the poll that found it, unless it is not to be believed.
    tally.new_at = [a.published_at if a.published_at and a.published_at <= now else now for _, a in added]


def _twins(
    unnamed: Sequence[Entry], arrives: Callable[[Entry], tuple[Outlet, datetime]], desk: Desk
) -> dict[str, Known]:
    """By guid, the stored article that an entry shows under an aggregator's address, or the other way round."""
    found: dict[str, Known] = {}
    stored = desk.store.articles.headlined(entry.title for entry in unnamed)
    for entry in unnamed if stored else ():
        outlet, seen_at = arrives(entry)
        alike = stored.get(headline_name(text.line(entry.title)) or 0, ())
        if known := changes.twin(entry, outlet.name, seen_at, alike, {one.article_id for one in found.values()}):
            found[entry.guid] = known
    return found


def _adopt(article_id: int, entry: Entry, outlet: Outlet, desk: Desk, now: datetime) -> None:
    """An article known by an aggregator's headline gets its own address and words, now that its outlet gives them."""
    article = extract.article(entry, outlet.name, now)
    (known,) = desk.store.articles.get([article_id])
    desk.store.corrections.follow(known.url, article.url)
    desk.store.articles.adopt(article_id, article)
    rejudge(article_id, desk)


def _reworded(known: Known, article: Article, state: FeedState, desk: Desk, now: datetime) -> bool:
    """Keeps another wording of a stored article, if it is one; whether it is new.

    Another feed than the article's own brings its headline alone. A wording the article had before is no new one: a
    feed that tries two headlines in turn has two wordings, however often it changes between them.
    """
    articles, elsewhere = desk.store.articles, state.feed_url != known.home_feed
    titles = articles.titles(known.article_id) if elsewhere else ()
    stored = "" if elsewhere else articles.texts([known.article_id])[known.article_id]
    changed = changes.what_changed(known, stored, article, state.feed_url, titles)
    if not changed:
        return False
    if elsewhere:
        (whole,) = articles.get([known.article_id])
        article = extract.retitled(whole, article.title)
    again = articles.wording(known.article_id, article.text_hash)
    if again is not None:
        articles.come_back(known.article_id, again, article, now)
    else:
        articles.revise(known.article_id, article, changed, now)
    rejudge(known.article_id, desk)
    return again is None


def _outlet_of_feed(state: FeedState, desk: Desk, parsed: ParsedFeed) -> Outlet:
    """Who publishes this feed: as configured, else by its domain, else by its own title."""
    configured = desk.feeds.get(state.feed_url)
    if configured and configured.outlet:
        return desk.outlets.named(configured.outlet, state.feed_url)
    host = urls.host_of(state.feed_url)
    by_title = extract.title(parsed.title) or host or state.feed_url
    return desk.outlets.of_url(state.feed_url) or desk.outlets.named(state.outlet or by_title, state.feed_url)


def _outlet_of_entry(entry: Entry, state: FeedState, desk: Desk, outlet: Outlet) -> Outlet:
    """Who publishes this article: whom an aggregator names; the feed's outlet when configured; else who owns the
    article's domain, if known."""
    if entry.publisher:
        site = entry.publisher_url or ""
        return desk.outlets.of_url(site) or desk.outlets.named(entry.publisher, site)
    configured = desk.feeds.get(state.feed_url)
    if (configured and configured.outlet) or not entry.url:
        return outlet
    return desk.outlets.of_url(entry.url) or outlet


def _outcome(
    before: FeedState, after: FeedState, answer: Answer, parsed: ParsedFeed | None, tally: _Tally,
    plan: schedule.Plan, now: datetime, ms: int,
) -> PollOutcome:  # fmt: skip
    """The poll in numbers and in one sentence."""
    if isinstance(answer, FetchError | ParseError):
        said = f"{answer.why}; {plan.why}"
    elif isinstance(answer, NotModified):
        said = "nothing new (304)"
    elif parsed is None:
        said = "the same body as last time"
    else:
        said = f"{tally.new} new, {tally.revised} revised, {tally.unchanged} unchanged"
        said += "; only what is new was sent (226)" if isinstance(answer, Response) and answer.delta else ""
        said += f"; {parsed.skipped} entries could not be read" if parsed.skipped else ""
        said += f"; {parsed.flaw}" if parsed.flaw else ""
    if after.state == "gone":
        said = "gone for good (410, asked three times); it is not asked again"
    elif after.url != before.url:
        said += f"; moved to {after.url} for good"
        said += ", which is subscribed already" if after.state == "paused" else ""
    failed = isinstance(answer, FetchError | ParseError)
    if not failed and _exception(before) == "any":
        said += '; its certificate is not checked (certificate = "any")'
    if not failed:
        said += f"; next in {spoken(plan.at - now)}: {plan.why}"
    return PollOutcome(
        feed_url=before.feed_url,
        outcome="failed" if failed else "not_modified" if isinstance(answer, NotModified) else "ok",
        status=answer.status if not isinstance(answer, ParseError) else None,
        new=tally.new,
        revised=tally.revised,
        unchanged=tally.unchanged,
        bytes=answer.wire_bytes if isinstance(answer, Response) else 0,
        ms=ms,
        why=said,
        next_poll_at=None if after.state in ("gone", "paused") else plan.at,
        started_at=now,
    )


def _flaw(after: FeedState) -> str | None:
    """What a person should know although the poll went well: it stays true for as long as we hold that document."""
    if after.state == "paused":
        return f"moved to {after.url}, which is subscribed already; this one is not polled any more"
    return after.flaw
