"""What hostile answers cost: each on 127.0.0.1, polled by the real service in a fresh process, beside good feeds.

    ./run bench hostile [CASE ...] [--json] [--table]

For each case: what came of it, wall and processor seconds of the whole pass, how far the memory of the service and of
its busiest reading process grew over idle (megabytes), and whether three good feeds in the same pass were polled. The
server is a process of its own and not counted. Memory is read from /proc, so this runs on Linux. Exit 1 when a case
harmed the others, or grew beyond what contract N14 allows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import multiprocessing.connection
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline import parse, service
from pipeline.model import Response
from tests.bench.hostile_cases import CASES, Step, answer, for_ever, items, redirect
from tests.bench.measure import _children, cost, ignore

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
GOOD = 3
ALLOWED_MB = 200
"""How far polling one hostile feed may raise the memory over idle (contract N14)."""

EVERY = 0.005
"""Seconds between two looks at the memory."""


def _serve(pipe: multiprocessing.connection.Connection, case: str) -> None:
    """Good feeds under /good; /bad is one of them until the pipe says otherwise. Runs until it is killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    made = {False: (answer(items(3)),), True: None}
    now = {"bad": False}

    def steps(target: bytes) -> Any:
        if target == b"/slow":
            return for_ever(b" ", every=1.0)()
        if target.startswith(b"/deeper"):
            return (redirect(target + b"x"),)
        if target != b"/bad" or not now["bad"]:
            return made[False]
        return made[True] or CASES[case]()

    def talk(connection: socket.socket) -> None:
        try:
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    if not (more := connection.recv(65536)):
                        return
                    head += more
                for step in steps(head.split(b" ", 2)[1]):
                    _carry_out(connection, step)
        except OSError:
            pass

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    pipe.send(listener.getsockname()[1])
    pipe.recv()
    first = CASES[case]()
    made[True] = first if isinstance(first, tuple) else None  # type: ignore[assignment]
    now["bad"] = True
    pipe.send(True)
    pipe.recv()


def _carry_out(connection: socket.socket, step: Step) -> None:
    if isinstance(step, bytes):
        connection.sendall(step)
    else:
        time.sleep(step)


class Memory:
    """The memory of this process and of its reading processes, looked at often."""

    def __init__(self) -> None:
        self.main = self.worker = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Memory:
        self.idle_main, self.idle = _resident("self"), {pid: _resident(pid) for pid in _children()}
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.main = max(0.0, _resident("self", "VmHWM:") - self.idle_main)

    def _look(self) -> None:
        least = min(self.idle.values(), default=0.0)
        while not self._stop.wait(EVERY):
            for pid in _children():
                self.worker = max(self.worker, _resident(pid) - self.idle.get(pid, least))


def _resident(pid: str, key: str = "VmRSS:") -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition(key)[2].split()[0]) / 1024 if key in status else 0.0


async def _measure(case: str, port: int, pipe: multiprocessing.connection.Connection, place: Path) -> dict[str, Any]:
    directory = place / "config"
    (directory / "topics").mkdir(parents=True)
    (directory / "newsbeat.toml").write_text(
        '[fetch]\ncontact = "https://example.org/bench"\nallow_addresses = ["127.0.0.1/32"]\n'
        "per_host_gap = 0\nper_host_in_flight = 8\n"
    )
    targets = ["/bad", *(f"/good{n}" for n in range(GOOD))]
    (directory / "feeds.toml").write_text(
        "".join(f'[[feed]]\nurl = "http://127.0.0.1:{port}{target}"\n' for target in targets)
    )
    moment = [START]
    async with service.opened(
        directory, place / "news.db", what="bench", now=lambda: moment[0], draw=lambda: 0.0
    ) as running:
        await running.once()
        # Small feeds are read without them: the reading processes must be there, and know their work, before we look.
        known = Response("http://127.0.0.1/", "http://127.0.0.1/", 200, (), items(3), START)
        await asyncio.gather(*(running.workers.run(parse.feed, known) for _ in range(os.cpu_count() or 1)))
        pipe.send(True)
        pipe.recv()
        moment[0] += timedelta(hours=2)
        with Memory() as memory, cost() as spent:
            outcomes = await running.once()
        (bad,) = [outcome for outcome in outcomes if outcome.feed_url.endswith("/bad")]
        good = [outcome for outcome in outcomes if outcome is not bad]
        (kind,) = running.store._connection.execute("SELECT error_kind FROM feeds WHERE url LIKE '%/bad'").fetchone()
    return {
        "case": case,
        "outcome": bad.outcome,
        "kind": kind,
        "why": bad.why,
        "wall_s": round(spent.wall, 1),
        "cpu_s": round(spent.cpu, 1),
        "main_mb": round(memory.main),
        "worker_mb": round(memory.worker),
        "others": sum(outcome.outcome != "failed" for outcome in good),
        "others_ms": max(outcome.ms for outcome in good),
    }


def _one(case: str) -> dict[str, Any]:
    logging.disable(logging.CRITICAL)
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, case), daemon=True)
    server.start()
    ignore(server.pid)
    trackers = set(_children())  # multiprocessing's own helper is no reading process
    for pid in trackers:
        ignore(int(pid))
    try:
        with tempfile.TemporaryDirectory() as place:
            return asyncio.run(_measure(case, here.recv(), here, Path(place)))
    finally:
        server.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="only these (part of the name is enough)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--table", action="store_true", help="as the table in docs/fetching.md")
    parser.add_argument("--one", metavar="CASE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_one(options.one)))
        return 0
    if not Path("/proc/self/clear_refs").exists():
        print("hostile: memory is read from /proc, which this system does not have", file=sys.stderr)
        return 2
    chosen = [case for case in CASES if not options.cases or any(part in case for part in options.cases)]
    if not chosen:
        print("hostile: no such case. There are:", *CASES, sep="\n  ", file=sys.stderr)
        return 2
    rows = []
    if options.table:
        print("| answer | what comes of it | s | CPU s | service MB | reader MB |\n|---|---|---|---|---|---|")
    for case in chosen:
        ran = subprocess.run(
            [sys.executable, os.path.abspath(__file__), "--one", case], capture_output=True, text=True, check=False
        )
        if ran.returncode:
            print(f"{case}: the bench itself failed\n{ran.stderr}", file=sys.stderr)
            return 1
        row = json.loads(ran.stdout)
        row["good"] = row["others"] == GOOD and row["main_mb"] <= ALLOWED_MB and row["worker_mb"] <= ALLOWED_MB
        rows.append(row)
        if not options.json:
            print(_line(row, options.table), flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))
    return 0 if all(row["good"] for row in rows) else 1


def _line(row: dict[str, Any], table: bool) -> str:
    said = row["why"].partition("; backing off")[0].partition("; next in")[0].replace("|", "/")
    numbers = [row["wall_s"], row["cpu_s"], row["main_mb"], row["worker_mb"]]
    if table:
        return f"| {row['case']} | {said} | " + " | ".join(str(number) for number in numbers) + " |"
    mark = "" if row["good"] else "   <- BEYOND THE LIMITS" if row["others"] == GOOD else "   <- HARMED THE OTHERS"
    wall, cpu, main_mb, worker_mb = numbers
    return (
        f"{row['case']:<42}{wall:>6} s {cpu:>6} s CPU  service +{main_mb} MB, reader +{worker_mb} MB;"
        f" others {row['others']} of {GOOD} in {row['others_ms'] / 1000:.1f} s: {said}{mark}"
    )


if __name__ == "__main__":
    sys.exit(main())
