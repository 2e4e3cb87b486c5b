"""More processes for the site, behind one door: children that answer from the same socket, until the stop.

Python computes on one core a process, so a site that many read uses a second one only this way. A child is a
`newsbeat serve` that is handed the open door. It ends when it is told to, or when its parent is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from dataclasses import replace

from pipeline import log
from pipeline.browse.serve import SECRET
from pipeline.cli.main import Place, Site

PATIENCE = 5.0
"""Seconds a child has to end before it is made to."""

_SOON, _LATE = 1.0, 60.0


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


async def crew(place: Place, site: Site, door: socket.socket, secret: str, stop: asyncio.Event) -> None:
    """Keeps `site.processes` - 1 children until the stop; all of them have ended when this returns."""
    handed = replace(site, door=door.fileno())
    await asyncio.gather(*(_one(place, handed, secret, stop) for _ in range(site.processes - 1)))


async def _one(place: Place, site: Site, secret: str, stop: asyncio.Event) -> None:
    """A child, and another whenever it ended by itself, after a wait that grows while none lives for a minute."""
    assert site.door is not None
    stopping = asyncio.create_task(stop.wait())
    wait = _SOON
    while not stop.is_set():
        began = time.monotonic()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pipeline.cli", "--config", str(place.directory), "--db", str(place.db), "serve",
            *_options(site), pass_fds=(site.door,), env={**os.environ, SECRET: secret},
            # A pipe that nobody writes to: it ends with this process, and so the child does.
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        ended = asyncio.create_task(child.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            child.terminate()
            await asyncio.wait({ended}, timeout=PATIENCE)
            if not ended.done():
                child.kill()
            await ended
        elif not stop.is_set():
            wait = _SOON if time.monotonic() - began > _LATE else min(_LATE, 2 * wait)
            log.event("a process of the site ended, another follows", logging.WARNING, status=await ended, wait=wait)
            await asyncio.wait({stopping}, timeout=wait)
    stopping.cancel()


def _options(site: Site) -> list[str]:
    told = ["--door", str(site.door), "--host", site.host, "--port", str(site.port), "--processes", str(site.processes)]
    return [*told, *(["--texts"] if site.texts else []), *(["--now", site.now] if site.now else [])]


def until_the_parent_is_gone(stop: asyncio.Event) -> None:
    """In a child: sets `stop` when the pipe from the parent ends."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(0, 1024):
            loop.remove_reader(0)
            stop.set()

    loop.add_reader(0, look)
