"""What a run cost: processor seconds of this process and its children, wall time, peak memory."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Cost:
    """Seconds, and megabytes of the largest single process."""

    cpu: float = 0.0
    wall: float = 0.0
    peak_mb: float = 0.0


def cpu_now() -> float:
    """Processor seconds so far: this process, its ended children, and (on Linux) its living ones."""
    times = os.times()
    living = 0.0
    tick = os.sysconf("SC_CLK_TCK")
    for child in _children():
        try:
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        living += (int(fields[11]) + int(fields[12])) / tick
    return times.user + times.system + times.children_user + times.children_system + living


def _children() -> list[int]:
    try:
        tasks = list(Path("/proc/self/task").iterdir())
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split() if pid not in _ignored]
    except OSError:
        return []


_ignored: set[str] = set()


def ignore(pid: int | None) -> None:
    """Leaves a child (the bench's own server) out of the account."""
    _ignored.add(str(pid))


@contextmanager
def cost() -> Iterator[Cost]:
    """Fills a Cost when the block ends."""
    made = Cost()
    cpu, wall = cpu_now(), time.monotonic()
    try:
        yield made
    finally:
        made.cpu, made.wall = cpu_now() - cpu, time.monotonic() - wall
        made.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_of_all() -> float:
    """Megabytes: the highest this process and each of its living children ever had, added up (Linux)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for child in _children():
        try:
            status = Path(f"/proc/{child}/status").read_text()
        except OSError:
            continue
        peak += int(status.partition("VmHWM:")[2].split()[0]) / 1024 if "VmHWM:" in status else 0
    return peak
