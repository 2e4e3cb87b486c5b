"""The service as a process of its own, on a clock that others set, and able to die at a chosen moment.

    python tests/torture/child.py PLACE DB [JSON]

Everything is the service's own (`service.opened`, `run`), but for three values: its clock, the pause after a refused
write and the time it waits for another writer, both short. The JSON may name `die`: ["statement", n] kills it before
its n-th statement, ["commit", n, ms] so many milliseconds after its n-th COMMIT began; `workers`: nothing is read in
the service itself; `slowly`: every reading takes so many seconds more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from datetime import timedelta

from pipeline import log, parse, service
from pipeline.model import ParsedFeed, Response
from pipeline.parse import xml
from pipeline.store import store
from tests.torture.world import Clock

PAUSE = 0.3
BUSY_MS = 200


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(how: list[Any]) -> None:
    """Every connection that is opened from now on counts what it is told, and dies of it."""
    kind, left = how[0], [int(how[1])]

    def seen(statement: str) -> None:
        if kind == "commit" and not statement.startswith("COMMIT"):
            return
        left[0] -= 1
        if left[0] == 0 and kind == "statement":
            _die()
        if left[0] == 0:
            threading.Timer(float(how[2]) / 1000, _die).start()

    connect = sqlite3.connect

    def watched(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        made = connect(*args, **kwargs)
        made.set_trace_callback(seen)
        return made

    sqlite3.connect = watched  # type: ignore[assignment]


def read_slowly(answer: Response) -> ParsedFeed:
    """`parse.feed`, long enough under way to be killed at it."""
    time.sleep(float(os.environ.get("TORTURE_SLOWLY", "0")))
    return parse.feed(answer)


async def run(place: Path, db: Path) -> None:
    async with service.opened(
        place / "config", db, what="torture", now=Clock(place / "clock"), draw=lambda: 0.0
    ) as one:
        await one.run(service.stop_on_signals())


def main() -> None:
    place, db = Path(sys.argv[1]), Path(sys.argv[2])
    wishes = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    service.STORE_PAUSE = timedelta(seconds=PAUSE)
    store.BUSY_MS = BUSY_MS
    if wishes.get("workers"):
        xml.MAX_AT_ONCE = 0
        os.environ["TORTURE_SLOWLY"] = str(wishes.get("slowly", 0))
        parse_feed = service.ingest.parse.feed
        assert parse_feed is parse.feed
        service.ingest.parse = _Slow()  # type: ignore[assignment]
    if "die" in wishes:
        arm(wishes["die"])
    log.to_stderr(logging.WARNING)
    try:
        asyncio.run(run(place, db))
    except service.StoreError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


class _Slow:
    """The room `parse`, with its door to workers held up."""

    feed = staticmethod(read_slowly)
    at_once = staticmethod(parse.at_once)


if __name__ == "__main__":
    main()
