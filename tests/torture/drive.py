"""A tortured run: a service in a process of its own, the world step by step, and what is done to it meanwhile."""

from __future__ import annotations

import atexit
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.times import stamp
from tests.torture.world import World

CHILD = Path(__file__).parent / "child.py"
STUCK = 120.0
"""Seconds without a step done after which a run is called stuck."""


@dataclass
class Run:
    """One database, brought forward step by step through the world's moments by services that come and go."""

    world: World
    place: Path
    db: Path
    wishes: dict[str, Any] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    step: int = 0
    lives: int = 0
    later: float = 0.0
    process: subprocess.Popen[bytes] | None = None
    log: Path = Path(os.devnull)

    def start(self, **wishes: Any) -> subprocess.Popen[bytes]:
        """A new service, in a group of its own; `wishes` is what child.py knows, beside the run's own."""
        words = [
            *self.prefix,
            sys.executable,
            str(CHILD),
            str(self.place),
            str(self.db),
            json.dumps({**self.wishes, **wishes}),
        ]
        self.lives += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)
        atexit.register(_end, self.process)  # also when the tormentor itself fails
        return self.process

    @property
    def alive(self) -> bool:
        """Whether the service lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """The service alone is killed, at once; its readers are left to themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """The service is asked to stop, as a system does at a shutdown; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def settled(self) -> bool:
        """Whether every feed was asked what it says at this moment, and nobody has to be asked again."""
        try:
            with closing(sqlite3.connect(f"{self.db.absolute().as_uri()}?mode=ro", uri=True, timeout=0.5)) as rows:
                (feeds, due) = rows.execute(
                    "SELECT count(*), ifnull(sum(next_poll_at <= ?), 0) FROM feeds"
                    " WHERE state NOT IN ('gone', 'paused')",
                    (stamp(datetime.fromtimestamp(self.world.clock.at, UTC)),),
                ).fetchone()
                return feeds == len(self.world.script.answers) and due == 0
        except sqlite3.Error:
            return False  # not there yet, or locked by whoever torments us

    def failing(self) -> bool:
        """Whether a feed that says something has not been read to the end yet."""
        try:
            with closing(sqlite3.connect(f"{self.db.absolute().as_uri()}?mode=ro", uri=True, timeout=0.5)) as rows:
                return bool(
                    rows.execute(
                        "SELECT count(*) FROM feeds WHERE state = 'failing' AND error_kind != 'status'"
                    ).fetchone()[0]
                )
        except sqlite3.Error:
            return True

    def advance(self, until: float, *, patient: bool = False, more: Callable[[], bool] = lambda: True) -> bool:
        """Goes on through the moments until `until` (time.monotonic) or their end; True when the end is reached.

        `patient`: a feed that failed is asked again, a few virtual minutes later, before the world goes on.
        """
        moments = self.world.script.moments
        still = time.monotonic()
        while self.step < len(moments) and time.monotonic() < until and self.alive and more():
            if not self.settled():
                if time.monotonic() - still > STUCK:
                    raise RuntimeError(f"stuck at step {self.step}; see {self.log}")
                time.sleep(0.004)
                continue
            still = time.monotonic()
            if patient and (self.failing() or not self.world.heard):
                self.later += 300
            else:
                self.step += 1
            if self.step < len(moments):
                self.world.moment = moments[self.step]
                self.world.clock.at = self.world.moment + self.later
        return self.step >= len(moments)

    def to_the_end(self, *, patient: bool = False) -> None:
        """Undisturbed from here on."""
        if not self.alive:
            self.start()
        while not self.advance(time.monotonic() + 3600, patient=patient):
            if not self.alive:
                raise RuntimeError(f"the service ended by itself; see {self.log}")
        self.stop()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()


def undisturbed(world: World, place: Path, db: Path, wishes: dict[str, Any] | None = None) -> Run:
    """The same world, read by one service from the first moment to the last."""
    world.rewind()
    run = Run(world, place, db, wishes or {}, log=place / "undisturbed.log")
    run.start()
    run.to_the_end()
    return run


@dataclass
class Found:
    """What was done to a run and what came of it."""

    what: str
    times: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0
    notes: dict[str, object] = field(default_factory=dict)

    def count(self, what: str) -> None:
        """One more of what was seen."""
        self.seen[what] = self.seen.get(what, 0) + 1


def child_processes(pid: int) -> list[int]:
    """The readers of a service."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except OSError:
        return []


def limit_files(pid: int, most: int) -> None:
    """No file of this process may grow beyond `most` bytes from now on."""
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))


def draw_of(seed: int) -> random.Random:
    """The die of a run."""
    return random.Random(seed)
