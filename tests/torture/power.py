"""A power cut, as far as a process can have one: what the disk may hold after it, opened again.

With WAL and synchronous=NORMAL the log is forced to disk before its pages are copied into the database (a checkpoint),
and not at each commit. So after a cut the database holds the last checkpoint, and of the log's frames since any may
be missing or garbage. Here the service is stopped (SIGSTOP), database and log copied, and the copy's log is cut at a
random byte, or random sectors of it are lost, behind what a checkpoint had begun to copy.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import struct
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.torture import state
from tests.torture.drive import Found, Run, draw_of
from tests.torture.world import World, wait_until

HEADER, SECTOR = 32, 512
_POLLS = (
    "SELECT p.id, f.url, p.started_at, p.outcome, p.new, p.revised FROM polls p JOIN feeds f ON f.id = p.feed_id"
    " ORDER BY p.id"
)


@dataclass(frozen=True, slots=True)
class Copy:
    """Database and log of one moment, and how many bytes of the log are sure to be on disk."""

    db: Path
    sure: int
    used: int


def copied(run: Run, to: Path) -> Copy | None:
    """What the files hold at this moment; the service stands still for it."""
    assert run.process is not None
    names = {end: run.db.with_name(run.db.name + end) for end in ("", "-wal", "-shm")}
    os.kill(run.process.pid, signal.SIGSTOP)
    try:
        if not all(one.exists() for one in names.values()):
            return None
        index = names["-shm"].read_bytes()[:136]
        if len(index) < 136:
            return None
        page = struct.unpack_from("H", index, 14)[0] or 4096
        last, attempted = struct.unpack_from("I", index, 16)[0], struct.unpack_from("I", index, 128)[0]
        frame = (65536 if page == 1 else page) + 24
        for end in ("", "-wal"):
            shutil.copyfile(names[end], to.with_name(to.name + end))
        return Copy(to, HEADER + attempted * frame, HEADER + last * frame)
    finally:
        os.kill(run.process.pid, signal.SIGCONT)


def harm(copy: Copy, draw: random.Random) -> str:
    """Takes something from the end of the log that was not sure to be on disk."""
    wal = copy.db.with_name(copy.db.name + "-wal")
    size = wal.stat().st_size
    used = min(size, copy.used)
    if used <= copy.sure:
        return "nothing unsure in the log"
    if draw.random() < 0.5:
        with wal.open("r+b") as file:
            file.truncate(draw.randint(copy.sure, used))
        return "cut"
    with wal.open("r+b") as file:
        for _ in range(draw.choice((1, 1, 4, 16))):
            at = draw.randrange(copy.sure, used)
            file.seek(at - at % SECTOR if at - at % SECTOR >= copy.sure else at)
            file.write(draw.choice((bytes(SECTOR), draw.randbytes(SECTOR))))
    return "sectors lost"


def cuts(world: World, place: Path, times: int, seed: int, onward: int = 4) -> tuple[Found, list[Path]]:
    """`times` power cuts of a running service. `onward` of the databases are carried on to the end, and returned."""
    draw, found, began = draw_of(seed), Found("power cut"), time.monotonic()
    world.rewind()
    run = Run(world, place, place / "power.db", log=place / "power.log")
    run.start()
    wait_until(lambda: run.step or run.advance(time.monotonic() + 0.05) or not run.alive)
    kept: list[tuple[Path, float]] = []
    lost: list[int] = []
    while found.times < times and not run.advance(time.monotonic() + draw.uniform(0.02, 0.3)):
        copy = copied(run, place / f"cut{found.times}.db")
        if copy is None:
            continue
        whole = place / "whole.db"
        for end in ("", "-wal"):
            shutil.copyfile(copy.db.with_name(copy.db.name + end), whole.with_name(whole.name + end))
        found.count(harm(copy, draw))
        found.times += 1
        found.faults += [f"cut {found.times}: {one}" for one in state.faults(copy.db, world.clock())]
        before, after = _polls(whole), _polls(copy.db)
        if before[: len(after)] != after:
            found.faults.append(f"cut {found.times}: its polls are not the first of those that were kept")
        lost.append(len(before) - len(after))
        for one in (whole, copy.db):
            for end in ("-wal", "-shm"):
                one.with_name(one.name + end).unlink(missing_ok=True)
        whole.unlink()
        if after and len(kept) < onward and lost[-1] and draw.random() < 0.2:
            kept.append((copy.db, _last(copy.db)))
        else:
            copy.db.unlink()
    run.to_the_end()
    carried = []
    for db, at in kept:
        world.rewind()
        moments = world.script.moments
        other = Run(world, place, db, step=moments.index(at), log=place / "power.log")
        world.moment = world.clock.at = at
        other.to_the_end()
        carried.append(db)
    found.notes |= {"polls lost at most": max(lost, default=0), "cuts that lost a poll": sum(map(bool, lost))}
    found.notes["carried on to the end"] = len(carried)
    found.seconds = time.monotonic() - began
    return found, [run.db, *carried]


def _polls(db: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(db)) as rows:
        if not rows.execute("SELECT 1 FROM sqlite_master WHERE name = 'polls'").fetchone():
            return []  # cut between two migrations
        return list(rows.execute(_POLLS))


def _last(db: Path) -> float:
    with closing(sqlite3.connect(db)) as rows:
        (seconds,) = rows.execute("SELECT strftime('%s', max(started_at)) FROM polls").fetchone()
        return float(seconds)
