"""SIGKILL at random moments, and what is there afterwards: the same as if nothing had happened."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from tests.torture import state
from tests.torture.drive import Found, Run, draw_of, undisturbed
from tests.torture.world import World, wait_until

READY = 20.0


def killed(world: World, place: Path, times: int, seed: int, told: Callable[[str], None] = lambda _: None) -> Found:
    """`times` lives of the service, each ended by a SIGKILL; then one more to the end, and an undisturbed one.

    A third die within a second and a half after their first commit, a third at a COMMIT of their own, up to three
    milliseconds after it began, the others at a moment counted from their start, or before a statement of theirs.
    After each the database is looked over by `verify`: before anybody else opened it, or beside the next life.
    """
    draw, found, began = draw_of(seed), Found("SIGKILL"), time.monotonic()
    world.rewind()
    run = Run(world, place, place / "killed.db", log=place / "killed.log")
    beside = False
    for number in range(times):
        kind = draw.choice(("from the start", "at work", "in a commit", "at a statement", "at work", "in a commit"))
        before = _polls(run.db)
        if kind == "in a commit":
            run.start(die=["commit", draw.randint(1, 25), draw.uniform(0, 3)])
        elif kind == "at a statement":
            run.start(die=["statement", draw.randint(1, 4000)])
        else:
            run.start()
        if beside:
            wait_until(lambda: not run.alive or run.db.exists(), READY)
            found.faults += _after(number, run)
        if kind == "from the start":
            end = time.monotonic() + draw.uniform(0, 2.5)
        else:
            wait_until(partial(_at_work, run, before), READY)
            end = time.monotonic() + (draw.uniform(0, 1.5) if kind == "at work" else 3.0)
        run.advance(end)
        while run.alive and time.monotonic() < end:
            time.sleep(0.002)
        ended = not run.alive
        run.kill()
        found.times += 1
        found.count(f"{kind}{', by itself' if ended else ''}")
        wal = run.db.with_name(run.db.name + "-wal")
        if wal.exists() and wal.stat().st_size:
            found.count("left a log to recover")
        if _polls(run.db) == before:
            found.count("nothing new was kept in that life")
        beside = draw.random() < 0.5
        if not beside:
            found.faults += _after(number, run)
        told(f"{number + 1} of {times} kills, step {run.step} of {len(world.script.moments)}")
    steps = run.step
    run.to_the_end()
    found.faults += _after(times, run)
    found.notes |= {
        "steps when the kills ended": steps,
        "steps": run.step,
        "seconds of kills": time.monotonic() - began,
    }
    told("the undisturbed run")
    other = undisturbed(world, place, place / "undisturbed.db")
    found.differences = state.differences(state.read(other.db), state.read(run.db))
    found.notes["differences in what is derived"] = state.differences(state.derived(other.db), state.derived(run.db))
    found.notes |= {name: rows.total() for name, rows in state.read(other.db).items()}
    found.seconds = time.monotonic() - began
    return found


def _at_work(run: Run, before: int) -> bool:
    """Whether this life kept a poll, or is over."""
    return not run.alive or _polls(run.db) > before or run.advance(time.monotonic() + 0.02)


def _after(number: int, run: Run) -> list[str]:
    return [f"after kill {number}: {one}" for one in state.faults(run.db, run.world.clock())]


def _polls(db: Path) -> int:
    """How many polls were kept."""
    try:
        with closing(sqlite3.connect(f"{db.absolute().as_uri()}?mode=ro", uri=True, timeout=0.5)) as rows:
            return int(rows.execute("SELECT ifnull(max(id), 0) FROM polls").fetchone()[0])
    except sqlite3.Error:
        return 0
