"""The clock, the workers, a clean stop. One tick every few seconds asks the store who is due; no job per feed.

APScheduler calls the tick; the store knows the rest, so a restart neither polls everything nor forgets a Retry-After.
Holds the one broad `except`: a bug in one poll is logged with its traceback and costs that poll.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from pipeline import config, fetch, history, hub, ingest, log, prune, regroup, retag, schedule, supervisor, topics, urls
from pipeline.errors import ParseError, StoreError
from pipeline.fetch.wire import Limits
from pipeline.housekeeping import Housekeeping
from pipeline.model import Feed, FeedState, Outlet, PollOutcome
from pipeline.retention import Rules
from pipeline.store import Store
from pipeline.workers import Workers

STOP_WITHIN = 4.0
"""Seconds a stop may take; polls still waiting for an answer then are given up, and repeated after the restart."""

STORE_PAUSE = timedelta(seconds=60)
"""After the database refused a write, nobody is polled for this long: what cannot be kept is not asked for."""

PROBES = 4
"""Feeds tried at a time while the network here seems to be down; the others stay due, and are not called failing."""

WAITING = 4
"""Polls under way for each request that may be: some wait for their host's turn, some for a worker."""

RARELY = (20_000, 20, 50)
"""When Python looks for cycles of objects that nobody needs: a poll makes thousands of objects and next to no cycle,
and looking through them all the time takes a twentieth of it."""

Now = Callable[[], datetime]


def clock() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Service:
    """One running Newsbeat. Use `opened`, which also closes it."""

    directory: Path
    store: Store
    web: fetch.Web
    workers: Workers
    desk: ingest.Desk
    settings: config.FetchSettings
    now: Now
    draw: Callable[[], float]
    fingerprint: tuple[tuple[str, int, int], ...] = ()
    in_flight: dict[int, asyncio.Task[PollOutcome | None]] = field(default_factory=dict)
    chores: set[asyncio.Task[None]] = field(default_factory=set)
    busy: Counter[str] = field(default_factory=Counter)
    crowded: bool = False
    filled: int = 0
    running: bool = False
    resume_at: float = 0.0
    trouble: StoreError | None = None
    house: Housekeeping = field(init=False)
    keep: Rules = field(default_factory=Rules)
    websub: config.WebsubSettings = field(default_factory=config.WebsubSettings)
    door: hub.Door | None = None
    judging: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.house = Housekeeping(self.store)

    async def tick(self) -> int:
        """Starts a poll of every feed that is due and not in flight; returns how many were started."""
        self._take_up_changes()
        now = self.now()
        down = self.desk.line.down
        room = (PROBES if down else self.settings.in_flight * WAITING) - len(self.in_flight)
        if room <= 0 or time.monotonic() < self.resume_at:
            return 0
        self.house.tidy(now, self.settings.retry_after_cap)
        if self.house.pruning_is_due(self.keep, now):
            self._chore(prune.in_background(self.store, self.keep, now))
        self._judge_anew()
        self.crowded = False
        started = 0
        for state in self.store.feeds.due(now, room, self.in_flight, self._admits(Counter(self.busy))):
            if self._held(state, now):
                continue
            host = urls.host_of(state.url)
            task = asyncio.create_task(self._one(state))
            self.in_flight[state.id] = task
            self.busy[host] += 1
            task.add_done_callback(partial(self._landed, state.id, host))
            started += 1
        self.crowded = not down and (self.crowded or started == room)
        self.filled = len(self.in_flight)
        return started

    def _admits(self, busy: Counter[str]) -> Callable[[str], bool]:
        """Whether a feed's host has a place left: polls that would only wait for their host's turn would take the
        places of feeds whose hosts are free."""
        most = self.settings.per_host_in_flight + 1

        def admitted(url: str) -> bool:
            host = urls.host_of(url)
            if busy[host] >= most:
                self.crowded = True
                return False
            busy[host] += 1
            return True

        return admitted

    async def once(self, told: Callable[[PollOutcome], None] = lambda _: None) -> list[PollOutcome]:
        """One pass: every feed that is due now is polled once. `told` hears each outcome as it comes.

        Raises StoreError when the database refused to keep something: that much was not done.
        """
        outcomes: list[PollOutcome] = []
        landed: asyncio.Queue[asyncio.Task[PollOutcome | None]] = asyncio.Queue()
        heard: set[asyncio.Task[PollOutcome | None]] = set()
        await self.tick()
        while self.in_flight or heard:
            for task in set(self.in_flight.values()) - heard:
                heard.add(task)
                task.add_done_callback(landed.put_nowait)
            finished = await landed.get()
            heard.discard(finished)
            outcome = finished.result()
            if outcome:
                outcomes.append(outcome)
                told(outcome)
            if not self.in_flight or self._may_start_more():
                await self.tick()
        await self._finish_chores()
        if self.trouble:
            raise self.trouble
        return outcomes

    async def run(self, stop: asyncio.Event) -> None:
        """Polls until `stop` is set, then ends within a few seconds with nothing half-written."""
        scheduler = AsyncIOScheduler(timezone=UTC)
        scheduler.add_job(
            self._safe_tick, "interval", seconds=self.settings.tick.total_seconds(), next_run_time=clock(),
            coalesce=True, max_instances=1, misfire_grace_time=None,
        )  # fmt: skip
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        scheduler.start()
        self.running = True
        supervisor.tell("READY=1")
        patience = supervisor.patience()
        if patience and patience < 2 * self.settings.tick:
            log.event(
                "the watchdog is shorter than two ticks", logging.WARNING, watchdog=patience, tick=self.settings.tick
            )
        try:
            await stop.wait()
        finally:
            self.running = False
            supervisor.tell("STOPPING=1")
            scheduler.shutdown(wait=False)
            await self.wind_down()

    async def _safe_tick(self) -> None:
        if not self.running:  # the scheduler had let it go before the stop
            return
        supervisor.tell("WATCHDOG=1")
        try:
            await self.tick()
            if self.running and self.door and time.monotonic() >= self.resume_at:
                self._chore(self.door.tend(self.websub.callback, self.websub.listen))
        except StoreError as error:
            self._pause(error)
        except Exception:
            log.logger.exception("tick failed")

    def _may_start_more(self) -> bool:
        """Whether feeds were left waiting for a place, and a quarter of those that were taken is free again.

        Looking who is due goes past every feed that has to wait: not for each single one that comes back.
        """
        return self.crowded and len(self.in_flight) <= self.filled * 3 // 4

    def _landed(self, feed_id: int, host: str, _task: asyncio.Task[PollOutcome | None]) -> None:
        self.in_flight.pop(feed_id, None)
        self.busy[host] -= 1
        if self.busy[host] <= 0:
            del self.busy[host]
        if self.running and self._may_start_more():
            self.crowded = False  # once, until the tick that this calls for
            task = asyncio.create_task(self._safe_tick())
            self.chores.add(task)
            task.add_done_callback(self.chores.discard)

    async def _one(self, state: FeedState) -> PollOutcome | None:
        """One poll, whatever happens in it; the broad except of the house."""
        try:
            outcome = await ingest.poll(state, self.desk, self.web, self.workers, self.now(), self.draw())
            if self.desk.archives and outcome.outcome != "failed":
                self._chore(history.step_back(state, self.desk, self.web, self.workers, self.now))
            return outcome
        except StoreError as error:
            self._pause(error)
        except Exception as error:
            log.logger.exception("poll failed feed=%s", state.feed_url)
            return self._set_aside(state, error)
        return None

    def _chore(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        """Does something beside the polls; a bug in it is logged and costs that much."""

        async def done() -> None:
            try:
                await work
            except StoreError as error:
                self._pause(error)
            except Exception:
                log.logger.exception("chore failed")

        task = asyncio.create_task(done())
        self.chores.add(task)
        task.add_done_callback(self.chores.discard)
        return task

    def _set_aside(self, state: FeedState, bug: Exception) -> PollOutcome | None:
        """A poll that met a bug of ours is recorded as failed like any other, and backed off."""
        why = f"an error in Newsbeat itself ({type(bug).__name__}), see the log"
        try:
            return ingest.keep(state, self.desk, ParseError(state.url, why), None, self.now(), self.draw())
        except StoreError as error:
            self._pause(error)
        return None

    def _pause(self, error: StoreError) -> None:
        if time.monotonic() >= self.resume_at:
            log.event("polling paused", logging.ERROR, why=error, seconds=STORE_PAUSE.total_seconds())
        self.trouble = error
        self.resume_at = time.monotonic() + STORE_PAUSE.total_seconds()

    def _held(self, state: FeedState, now: datetime) -> bool:
        """Whether the feed's host asked everybody to wait; the feed is then due when that ends."""
        held = self.store.feeds.held(urls.host_of(state.url), now) if self.settings.host_wide_429 else None
        if held is None:
            return False
        until = held[0] + self.settings.jitter_cap * self.draw()
        with self.store.transaction():
            self.store.feeds.postpone(state.id, until)
        log.event("feed waits for its host", feed=state.feed_url, until=f"{until:%H:%M}", why=held[1])
        return True

    def _take_up_changes(self) -> None:
        """Reads the configuration anew when a file changed. A broken one is refused loudly; the last good one stays."""
        seen = config.fingerprint(self.directory)
        if seen == self.fingerprint:
            return
        first = not self.fingerprint
        try:
            setup = config.load(self.directory)
        except config.ConfigErrors as error:
            with self.store.transaction():
                self.store.notices.replace("configuration", map(str, error.findings), self.now())
            self.fingerprint = seen
            for finding in error.findings:
                log.event("configuration refused", logging.ERROR, why=finding, kept="the last good one")
            return
        stale = apply(setup, self.desk, self.now())
        self.settings, self.websub, self.keep, self.fingerprint = setup.fetch, setup.websub, setup.keep, seen
        if not first:
            log.event("configuration taken up", feeds=len(setup.feeds), topics=len(setup.topics), stale=len(stale))

    def _judge_anew(self) -> None:
        """Takes up what people said, and goes on judging the archive where a changed profile or a restart left it."""
        if self.store.feedback.changed():
            if heard := retag.hear(self.desk):
                log.event("labels taken up", articles=heard)
            if moved := regroup.hear(self.store):
                log.event("corrections of stories taken up", articles=moved)
        if (self.judging is None or self.judging.done()) and self.store.topics.waiting():
            self.judging = self._chore(retag.in_background(self.desk))

    def hear(self) -> bool:
        """Takes up what people said at once, not at the next tick; whether that went well."""
        try:
            self._judge_anew()
        except StoreError as error:
            self._pause(error)
            return False
        return True

    async def _finish_chores(self) -> None:
        while self.chores:
            await asyncio.gather(*self.chores)

    async def wind_down(self) -> None:
        """Lets polls that have their answer finish; gives up the others."""
        waiting = [*self.in_flight.values(), *self.chores]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=STOP_WITHIN / 4)
            for task in late:
                task.cancel()
            await asyncio.wait(waiting, timeout=STOP_WITHIN / 2)


def apply(setup: config.Setup, desk: ingest.Desk, now: datetime) -> tuple[str, ...]:
    """Makes desk and database agree with the configuration; returns the topics whose tags are stale."""
    desk.outlets = urls.OutletBook(setup.outlets)
    desk.feeds = {feed.url: feed for feed in setup.feeds}
    desk.topics = tuple(topics.compiled(profile) for profile in setup.topics)
    desk.pace = pace_of(setup.fetch)
    desk.host_wide_429 = setup.fetch.host_wide_429
    desk.archives = setup.fetch.archives
    desk.websub = bool(setup.websub.callback)

    def outlet_of(feed: Feed) -> Outlet | None:
        return desk.outlets.named(feed.outlet, feed.url) if feed.outlet else desk.outlets.of_url(feed.url)

    with desk.store.transaction():
        desk.store.notices.replace("configuration", (), now)
        added, paused = desk.store.feeds.subscribe(setup.feeds, outlet_of, now)
        stale = desk.store.topics.subscribe(setup.topics)
    if added or paused:
        log.event("feeds subscribed", added=added, paused=paused)
    return stale


def pace_of(settings: config.FetchSettings) -> schedule.Pace:
    """The part of the settings that decides when to poll."""
    return schedule.Pace(
        every=settings.every,
        least=settings.every_least,
        most=settings.every_most,
        backoff=settings.backoff,
        backoff_cap=settings.backoff_cap,
        hint_cap=settings.hint_cap,
        retry_after_cap=settings.retry_after_cap,
        jitter=settings.jitter,
        jitter_cap=settings.jitter_cap,
        gone_recheck=settings.gone_recheck,
        unconditional_every=settings.unconditional_every,
    )


def make_web(settings: config.FetchSettings, now: Now, pacer: fetch.Pacer | None = None) -> fetch.Web:
    """The door out, as configured; with a `pacer` of its own for who asks otherwise than the polls do."""
    return fetch.Web(
        contact=settings.contact,
        guard=fetch.Guard(settings.allow_addresses),
        pacer=pacer
        or fetch.Pacer(
            gap=settings.per_host_gap.total_seconds(),
            per_host=settings.per_host_in_flight,
            in_flight=settings.in_flight,
            clock=time.monotonic,
        ),
        limits=Limits(settings.max_wire_bytes, settings.max_body_bytes, settings.max_ratio),
        connect_timeout=settings.connect_timeout.total_seconds(),
        read_timeout=settings.read_timeout.total_seconds(),
        deadline=settings.deadline.total_seconds(),
        max_redirects=settings.max_redirects,
        now=now,
    )


@asynccontextmanager
async def opened(
    directory: Path,
    db: Path,
    *,
    what: str,
    now: Now = clock,
    draw: Callable[[], float] = random.random,
    listens: bool = True,
) -> AsyncIterator[Service]:
    """A service on this configuration and database, closed at the end of the block.

    One that does not stay to listen takes no hub's word: what hubs tell of is polled at its own pace (contract T12).

    Raises ConfigErrors, ConfigError (no contact) and StoreError before anything is asked of the network.
    """
    setup = config.load_to_ask(directory)
    store = Store.open(db, what=what)
    workers = Workers(
        min(4, os.cpu_count() or 1),
        deadline=setup.fetch.parse_deadline.total_seconds(),
        memory_mb=setup.fetch.parse_memory_mb,
    )
    web = make_web(setup.fetch, now)
    desk = ingest.Desk(store, urls.OutletBook(), {}, (), pace_of(setup.fetch))
    running = Service(directory, store, web, workers, desk, setup.fetch, now, draw)
    running.door = hub.Door(desk, web, workers, now, running._chore)
    usual = gc.get_threshold()
    gc.set_threshold(*RARELY)
    try:
        with store.transaction():
            store.notices.replace("network", (), now())
            if not listens:
                desk.hears = False
                for feed_id in store.websub.told(now()):
                    store.feeds.hasten(feed_id, now(), desk.pace.every)
        yield running
    finally:
        await running.door.close()
        await running.wind_down()
        await web.close()
        workers.close()
        store.close()
        gc.set_threshold(*usual)


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
