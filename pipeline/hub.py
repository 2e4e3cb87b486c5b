"""The door for hubs: asks them to tell us of feeds, and takes what they deliver (W3C WebSub). Off unless configured.

Decides nothing: what a request means is `websub`'s judgement. Hubs are asked through the guarded client alone; a
delivery is read by the same workers and kept by the same ingest as a poll.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from pipeline import ingest, log, parse, urls, websub
from pipeline.errors import FetchError, ParseError, WorkerLost
from pipeline.fetch import Web
from pipeline.model import Response, Subscription
from pipeline.workers import Workers

PATH = "/websub/"
MOST_BYTES = 5 * 1024 * 1024
"""The largest delivery taken; a poll brings what is larger."""

AT_ONCE = 8
"""Deliveries held in memory at a time; a hub that comes then is told to come again."""

BODY_WITHIN = 30.0
ASKED_AT_ONCE = 16
POLLED_EVERY = timedelta(hours=24)
"""How often a feed is polled although a hub tells of it (fetch contract T12)."""

_TOKEN = re.compile(r"/websub/[A-Za-z0-9_-]{43}")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(slots=True)
class Door:
    """Asks hubs and hears them. `chore` runs something beside, `base` is how the world reaches us (`None`: off)."""

    desk: ingest.Desk
    web: Web
    workers: Workers
    now: Callable[[], datetime]
    chore: Callable[[Coroutine[Any, Any, object]], object]
    base: str | None = None
    token: Callable[[], str] = secrets.token_urlsafe
    most_bytes: int = MOST_BYTES
    address: tuple[str, int] | None = None
    _listening: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _held: int = 0
    _tending: bool = False
    _trouble: str = ""

    async def tend(self, callback: str, listen: tuple[str, int]) -> None:
        """Does what is due: opens or closes the listener, asks hubs, renews, leaves."""
        if self._tending:
            return
        self._tending = True
        try:
            self.base = callback.rstrip("/") or None
            if self.base and self.address != listen and not await self._listen(listen):
                return
            store, now = self.desk.store, self.now()
            if self.base or self.address or store.websub.count():
                with store.transaction():
                    for feed_id in store.websub.settle(self.base, now):
                        store.feeds.hasten(feed_id, now, self.desk.pace.every)
                due = store.websub.due(now, ASKED_AT_ONCE)
                await asyncio.gather(*(self._ask(one) for one in due))
            if not self.base and self.address and not store.websub.count():
                await self.close()
        finally:
            self._tending = False

    async def _ask(self, one: Subscription) -> None:
        """Asks one hub; noted before, since it may ask back before it answers."""
        store = self.desk.store
        if one.state == "leaving" and (one.failures or not one.callback_url):
            with store.transaction():
                store.websub.forget(one.feed_id)
            return
        if held := store.feeds.held(urls.host_of(one.hub_url), self.now()):
            with store.transaction():
                store.websub.keep(replace(one, next_try_at=held[0]))
            return
        if one.callback_url is None:
            one = replace(one, callback_url=f"{self.base}{PATH}{self.token()}", secret=self.token())
        one = websub.asking(one, self.now())
        with store.transaction():
            store.websub.keep(one)
        try:
            status = await self.web.post(one.hub_url, websub.form(one))
            why = None if 200 <= status < 300 else f"the hub answered {status}"
        except FetchError as error:
            why = error.why
        if why:
            with store.transaction():
                store.websub.said(one.feed_id, why)
        log.event("hub asked", hub=one.hub_url, topic=one.topic_url, state=one.state, why=why)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One request of a hub, as an ASGI application."""
        if scope["type"] != "http":
            return
        path = _TOKEN.search(scope["path"])
        one = self.desk.store.websub.by_path(path[0]) if path and scope["path"].endswith(path[0]) else None
        if scope["method"] == "GET":
            await _answer(send, *self._asked(one, scope["query_string"]))
        elif scope["method"] == "POST":
            await _answer(send, await self._delivered(one, dict(reversed(scope["headers"])), receive))
        else:
            await _answer(send, 405)

    def _asked(self, one: Subscription | None, query: bytes) -> tuple[int, str]:
        """A hub asks whether a request was ours."""
        try:
            pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=20)
        except ValueError:
            return 400, ""
        store, now = self.desk.store, self.now()
        verdict = websub.answered(one, dict(pairs), now)
        if one and verdict.after:
            before, after = websub.told(one, now), websub.told(verdict.after, now)
            with store.transaction():
                store.websub.keep(verdict.after)
                if after and not before:
                    store.feeds.rest(one.feed_id, now + POLLED_EVERY)
                elif before and not after:
                    store.feeds.hasten(one.feed_id, now, self.desk.pace.every)
            log.event("hub answered", topic=one.topic_url, state=verdict.after.state, lease=verdict.after.lease_until)
        return verdict.status, verdict.body

    async def _delivered(self, one: Subscription | None, headers: dict[bytes, bytes], receive: Receive) -> int:
        """A hub delivers: the status it is answered. A wrong signature is answered like a right one (WebSub 7.1)."""
        if one is None or not websub.told(one, self.now()):
            return 410  # tells the hub to let go of it
        if headers.get(b"content-encoding", b"identity") != b"identity":
            return 415
        if self._held >= AT_ONCE:
            return 503
        self._held += 1
        try:
            body = await asyncio.wait_for(_body(receive, headers, self.most_bytes), BODY_WITHIN)
            if body is None:
                return 413
            if not websub.genuine(headers.get(b"x-hub-signature", b"").decode("latin-1"), one.secret, body):
                log.event("delivery dropped", topic=one.topic_url, why="its signature is wrong or missing")
                return 202
            self._held += 1
            self.chore(self._take_in(one, headers.get(b"content-type", b"").decode("latin-1"), body))
        except (TimeoutError, ConnectionError):
            return 408
        finally:
            self._held -= 1
        return 202

    async def _take_in(self, one: Subscription, content_type: str, body: bytes) -> None:
        """Reads a delivery and keeps its entries; the next poll brings what cannot be read."""
        store = self.desk.store
        try:
            state = store.feeds.state(one.feed_id)
            headers = (("content-type", content_type),)
            sent = Response(state.url, state.url, 226, headers, body, self.now(), None, len(body))
            try:
                parsed = await self.workers.run(parse.feed, sent)
            except (ParseError, WorkerLost) as error:
                log.event("delivery not read", feed=state.feed_url, why=error)
                return
            new, _ = ingest.keep_more(state, self.desk, parsed, self.now(), older=False)
            with store.transaction():
                store.websub.delivered(one.feed_id, self.now())
            log.event("feed delivered", feed=state.feed_url, new=new, entries=len(parsed.entries))
        finally:
            self._held -= 1

    async def _listen(self, address: tuple[str, int]) -> bool:
        """Opens the listener. An address that is taken is said in the log, once, and tried again at the next tick."""
        await self.close()
        try:
            bound = socket.create_server(address, family=socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        except OSError as error:
            if self._trouble != str(error):
                self._trouble = str(error)
                log.event("hubs cannot reach us", logging.ERROR, listen=f"{address[0]}:{address[1]}", why=error)
            return False
        await self._listening.enter_async_context(_serving(self, bound))
        self.address = address
        self._trouble = ""
        log.event("listening for hubs", listen=f"{address[0]}:{address[1]}", callback=self.base)
        return True

    async def close(self) -> None:
        """Closes the listener."""
        await self._listening.aclose()
        self.address = None


async def _body(receive: Receive, headers: dict[bytes, bytes], most: int) -> bytes | None:
    """A request's body; `None` as soon as it is larger than `most`."""
    said = headers.get(b"content-length", b"0")
    if said.isdigit() and int(said[:12]) > most:
        return None
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError("the hub went away")
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            return None
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def _answer(send: Send, status: int, body: str = "") -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    if status == 503:
        headers.append((b"retry-after", b"60"))
    raw = body.encode()
    headers.append((b"content-length", str(len(raw)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": raw})


@asynccontextmanager
async def _serving(app: Any, bound: socket.socket) -> AsyncIterator[None]:
    """The application behind a bound socket. Signals stay the service's."""
    import uvicorn

    class Quiet(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Any:
            yield

    server = Quiet(
        uvicorn.Config(
            app, log_config=None, log_level="error", access_log=False, lifespan="off", http="h11", ws="none",
            server_header=False, limit_concurrency=64, timeout_keep_alive=5, timeout_graceful_shutdown=1,
        )
    )  # fmt: skip
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        bound.close()
