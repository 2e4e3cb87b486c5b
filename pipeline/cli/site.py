"""Serving the site beside, or without, the service. Datasette and its server are imported only by who serves."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from pipeline import log, service
from pipeline.browse.serve import build
from pipeline.cli.main import Place, Site
from pipeline.cli.notebook import Kept, Nudge
from pipeline.errors import NewsbeatError, StoreError
from pipeline.store import FEEDBACK, Feedback
from pipeline.times import from_stamp


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: one stop for the site and the service."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening(site: Site) -> socket.socket:
    """The open door. Opened here rather than by uvicorn, which would end the process when the port is taken."""
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
    made = build(
        place.db, file, place.directory / "datasette.yaml",
        title=title, now=site.now, texts_open=site.texts, notebook=kept,
    )  # fmt: skip
    server = _Server(
        uvicorn.Config(
            made.app(), host=site.host, port=site.port, log_level="warning", lifespan="on", timeout_graceful_shutdown=2
        )
    )
    with listening(site) as door:
        serving = asyncio.create_task(server.serve(sockets=[door]))
        log.event("site up", url=f"http://{site.host}:{site.port}")
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
