"""Serving the site beside, or without, the service. Datasette and its server are imported only by who serves."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from pipeline import log, service
from pipeline.browse.serve import SECRET, build
from pipeline.cli.crew import crew, until_the_parent_is_gone
from pipeline.cli.main import Place, Site
from pipeline.cli.notebook import Kept, Nudge
from pipeline.errors import NewsbeatError, StoreError
from pipeline.store import FEEDBACK, Feedback
from pipeline.times import from_stamp

_QUEUE = 256
"""Connections that may wait at the door."""

_EACH, _LONGEST = 0.0005, 0.005
"""Seconds a process waits before it takes another connection, for each it has, and at most."""


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: one stop for the site and the service.

    It takes connections itself. asyncio takes all that wait, so that of several processes the one that wakes first
    would have a burst of readers alone; here each holds back for a moment, the longer the more connections it has.
    """

    def __init__(self, config: uvicorn.Config, door: socket.socket) -> None:
        super().__init__(config)
        self._door = door
        self._taking: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        self._door.setblocking(False)
        self._door.listen(_QUEUE)
        self._taking = asyncio.create_task(self._take())

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._door)
                await loop.connect_accepted_socket(self._protocol, connection)
            except OSError:  # gone again, or no handle is free
                await asyncio.sleep(_LONGEST)
            await asyncio.sleep(min(_LONGEST, _EACH * len(self.server_state.connections)))

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._taking:
            self._taking.cancel()
        await super().shutdown(sockets=[])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening(site: Site) -> socket.socket:
    """The open door. Opened here rather than by uvicorn, which would end the process when the port is taken."""
    if site.door is not None:
        return socket.socket(fileno=site.door)
    # Named as TCP, or asyncio leaves Nagle's algorithm on, and every page waits 40 ms for a delayed acknowledgement.
    door = socket.socket(
        socket.AF_INET6 if ":" in site.host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((site.host, site.port))
    except OSError as error:
        door.close()
        raise NewsbeatError(
            f"the site cannot listen on {site.host} port {site.port} ({error.strerror}). Choose another with --port."
        ) from None
    return door


async def publish(
    place: Place, site: Site, title: str, stop: asyncio.Event, ready: asyncio.Event, nudge: Nudge | None = None
) -> None:
    """Serves until `stop`. `nudge` tells a service in this process that an editor said something."""
    if site.door is not None:
        until_the_parent_is_gone(stop)
    stopping = asyncio.create_task(stop.wait())
    opening = asyncio.create_task(ready.wait())
    await asyncio.wait({stopping, opening}, return_when=asyncio.FIRST_COMPLETED)
    opening.cancel()
    if stop.is_set():
        return
    playing = from_stamp(site.now)
    kept: Kept | None = Kept(place, nudge, (lambda: playing) if playing else service.clock)
    file = place.db.with_name(FEEDBACK)
    try:
        # Made here, so that the first word of an editor finds the file attached.
        Feedback.open(file).close()
    except StoreError as error:
        log.event("editors can say nothing here", logging.WARNING, why=error)
        kept = None
    # One for all processes: who signed in by one of them is known to the others.
    secret = os.environ.get(SECRET) or secrets.token_hex(32)
    made = build(
        place.db, file, place.directory / "datasette.yaml",
        title=title, now=site.now, texts_open=site.texts, notebook=kept, secret=secret, processes=site.processes,
    )  # fmt: skip
    settings = uvicorn.Config(
        made.app(), host=site.host, port=site.port, log_level="warning", lifespan="on", timeout_graceful_shutdown=2
    )
    with listening(site) as door:
        server = _Server(settings, door)
        serving = asyncio.create_task(server.serve(sockets=[]))
        others = None
        if site.door is None:
            others = asyncio.create_task(crew(place, site, door, secret, stop))
            log.event("site up", url=f"http://{site.host}:{site.port}", processes=site.processes)
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        if others:
            stop.set()
            await others
