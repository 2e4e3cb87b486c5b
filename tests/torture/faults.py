"""Faults that the service must outlive without being restarted, and one that keeps it from starting."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.torture import state
from tests.torture.drive import Found, Run, child_processes, draw_of, limit_files
from tests.torture.world import World, wait_until

DAY = 86400.0
WITHOUT_POWERS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""For root, whom permissions do not hold otherwise."""


def tormented(
    what: str, world: World, place: Path, times: int, seed: int, torment: Callable[[Run, random.Random, Found], None],
    *, exactly: bool, db: Path | None = None, workers: float | None = None, prefix: tuple[str, ...] = (),
) -> tuple[Found, Run]:  # fmt: skip
    """A run to which something is done `times` times at random moments, and which is left alone from then on."""
    draw, found, began = draw_of(seed), Found(what), time.monotonic()
    world.rewind()
    wishes = {} if workers is None else {"workers": True, "slowly": workers}
    log = place / f"{what.replace(' ', '-')}.log"
    run = Run(world, place, db or place / f"{what.replace(' ', '-')}.db", wishes, prefix, log=log)
    run.start()
    wait_until(lambda: run.step or run.advance(time.monotonic() + 0.05) or not run.alive)
    while found.times < times and not run.advance(time.monotonic() + draw.uniform(0.05, 0.6), patient=not exactly):
        if not run.alive:
            found.faults.append(f"the service ended by itself at step {run.step}")
            break
        if run.db.exists():
            torment(run, draw, found)
            found.times += 1
    run.to_the_end(patient=not exactly)
    found.faults += state.faults(run.db, world.clock())
    said = log.read_text(errors="replace")
    found.notes |= {"paused": said.count("polling paused"), "steps": run.step}
    if "Traceback" in said:
        found.faults.append(f"a traceback in {log.name}: {said[said.index('Traceback') :].splitlines()[-1]}")
    found.seconds = time.monotonic() - began
    return found, run


# --- the disk -------------------------------------------------------------------------------------------------


def no_room_in_files(run: Run, draw: random.Random, found: Found) -> None:
    """The log may grow by a few pages, or by none, for up to a second (EFBIG)."""
    wal = run.db.with_name(run.db.name + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    assert run.process is not None
    limit_files(run.process.pid, max(1, size + draw.choice((-1, 0, 3000, 20_000, 100_000)))
                if draw.random() < 0.7 else draw.randint(1, size + 1))  # fmt: skip
    run.advance(time.monotonic() + draw.uniform(0.2, 1.0))
    limit_files(run.process.pid, -1)
    found.count("limited")


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Path | None]:
    """A file system of so many megabytes, where that may be mounted; else `None`."""
    at.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(at)]
    try:
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        yield None
        return
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=False)


def no_room_on_disk(run: Run, draw: random.Random, found: Found) -> None:
    """Another file takes all that is left, but for up to 40 kB (ENOSPC); at times the service begins anew meanwhile."""
    ballast = run.db.with_name("ballast")
    free = os.statvfs(run.db.parent).f_bavail * os.statvfs(run.db.parent).f_frsize
    spare = draw.choice((0, 0, 4096, 40_000))
    with ballast.open("wb") as file, contextlib.suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, max(1, free - spare))
    found.count("filled")
    restart = draw.random() < 0.3
    if restart:
        run.kill()
        run.start()
        found.count("begun anew on a full disk")
    run.advance(time.monotonic() + draw.uniform(0.2, 1.0) + 2 * restart)
    if not run.alive:
        assert run.process is not None
        found.count(f"refused to begin (exit {run.process.returncode})")
    ballast.unlink()
    if not run.alive:
        run.start()


# --- other programs, and rights -------------------------------------------------------------------------------


def locked(run: Run, draw: random.Random, found: Found) -> None:
    """Another program writes, or only reads but for itself, for up to 0.7 s; the service waits 0.2 s for its turn."""
    with closing(sqlite3.connect(run.db, isolation_level=None, timeout=5)) as other:
        try:
            other.execute(draw.choice(("BEGIN IMMEDIATE", "BEGIN EXCLUSIVE")))
        except sqlite3.OperationalError:
            found.count("had no turn")
            return
        run.advance(time.monotonic() + draw.uniform(0.05, 0.7))
        other.execute("ROLLBACK")
    found.count("locked")


def read_only(run: Run, draw: random.Random, found: Found) -> None:
    """The directory and the files in it may only be read: for a running service, and for one that begins."""
    mode = run.db.parent.stat().st_mode & 0o777
    files = [one for one in run.db.parent.iterdir() if one.is_file() and one.name.startswith((run.db.name, "feedback"))]
    modes = [one.stat().st_mode & 0o777 for one in files]
    restart = draw.random() < 0.7
    if restart:
        run.stop() if draw.random() < 0.5 else run.kill()
        # What was stopped leaves no log behind, what was killed does.
        files = [one for one in files if one.exists()]
    for one in files:
        one.chmod(0o444)
    run.db.parent.chmod(0o555)
    try:
        if restart:
            assert run.start().wait(60) == 1, "a service without a place to write began"
            found.count("refused to begin")
        else:
            run.advance(time.monotonic() + draw.uniform(0.2, 0.6))
            found.count("went on with its open files" if run.alive else "ended")
    finally:
        run.db.parent.chmod(mode)
        for one, was in zip(files, modes, strict=False):
            one.chmod(was | 0o600)
    if not run.alive:
        run.start()


# --- time -----------------------------------------------------------------------------------------------------


def another_day(run: Run, draw: random.Random, found: Found) -> None:
    """The clock is a day ahead, or behind, for up to a second; then right again."""
    ahead = draw.random() < 0.5
    by = DAY if ahead else -DAY
    run.later += by
    run.world.clock.at += by
    run.advance(time.monotonic() + draw.uniform(0.2, 1.0), patient=True)
    run.later -= by
    run.world.clock.at -= by
    found.count("a day ahead" if ahead else "a day behind")


# --- servers and readers --------------------------------------------------------------------------------------


def cut_off(run: Run, draw: random.Random, found: Found) -> None:
    """Four answers of ten break off in the middle for a second."""
    before, run.world.cut = run.world.cuts, 0.4
    run.advance(time.monotonic() + draw.uniform(0.3, 1.0), patient=True)
    run.world.cut = 0.0
    found.seen["answers cut"] = found.seen.get("answers cut", 0) + run.world.cuts - before


def without_readers(run: Run, draw: random.Random, found: Found) -> None:
    """Every reading process is killed, whatever it does."""
    assert run.process is not None
    time.sleep(draw.uniform(0, 0.05))
    for pid in child_processes(run.process.pid):
        with contextlib.suppress(OSError):
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                found.count("readers killed")
