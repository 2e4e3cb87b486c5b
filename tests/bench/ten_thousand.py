"""Ten thousand feeds on two thousand hosts, polled by the real service: a first pass, a pass of 304s, a night off.

    ./run bench 10000-feeds [--feeds 10000] [--hosts 2000] [--gap 0.05s] [--json]

The hosts are invented names that a resolver of our own leads to 127.0.0.1, so that each is paced like a host of its
own; the first holds a tenth of all feeds, and the second is slow. The server is a process of its own, whose work is not
counted; it notes when each request began, and how many were under way. Time is a value: the night off takes no time.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import multiprocessing
import multiprocessing.connection
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from pipeline import fetch, service
from pipeline.service import Service
from tests.bench.measure import cost, ignore, peak_of_all

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
SLOW = 0.3
"""Seconds that the slow host takes for an answer."""


def _body(number: int) -> bytes:
    items = "".join(
        f"<item><guid>{number}-{n}</guid><title>Item {n} of feed {number}</title>"
        f"<link>https://site{number}.example/{n}</link></item>"
        for n in range(3)
    )
    return f'<rss version="2.0"><channel><title>Site {number}</title>{items}</channel></rss>'.encode()


class _Seen:
    """What the server saw since it was last asked."""

    def __init__(self) -> None:
        self.open = self.most = self.requests = 0
        self.starts: dict[str, list[float]] = {}

    def begins(self, host: str) -> None:
        self.open += 1
        self.requests += 1
        self.most = max(self.most, self.open)
        self.starts.setdefault(host, []).append(time.monotonic())

    def told(self) -> dict[str, float]:
        gaps = sorted(b - a for times in self.starts.values() for a, b in pairwise(times))
        began = min(times[0] for times in self.starts.values()) if self.starts else 0.0
        firsts = sorted(times[0] - began for times in self.starts.values())
        found = {
            "requests": self.requests,
            "most_in_flight": self.most,
            "smallest_gap_ms": round(gaps[0] * 1000, 1) if gaps else 0.0,
            "hundredth_smallest_gap_ms": round(gaps[len(gaps) // 100] * 1000, 1) if gaps else 0.0,
            "last_host_begins_s": round(firsts[-1], 1) if firsts else 0.0,
        }
        self.__init__()  # type: ignore[misc]
        return found


def _serve(pipe: multiprocessing.connection.Connection, feeds: int) -> None:
    bodies = [_body(number) for number in range(feeds)]
    seen = _Seen()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                number = int(head.split(b" ", 2)[1].rpartition(b"/")[2])
                host = head.lower().partition(b"\r\nhost: ")[2].partition(b"\r\n")[0].partition(b":")[0].decode()
                seen.begins(host)
                if host == "host1.example":
                    await asyncio.sleep(SLOW)
                else:
                    await asyncio.sleep(0.01)
                tag = f'"{number}"'.encode()
                if b"if-none-match: " + tag in head.lower():
                    writer.write(b"HTTP/1.1 304 Not Modified\r\nETag: " + tag + b"\r\n\r\n")
                else:
                    body = bodies[number]
                    writer.write(
                        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nETag: %s\r\nContent-Length: %d\r\n\r\n%s"
                        % (tag, len(body), body)
                    )
                seen.open -= 1
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, pipe.recv) is not None:
            pipe.send(seen.told())

    asyncio.run(main())


def _host(number: int, feeds: int, hosts: int) -> str:
    """The first host holds a tenth of all feeds; the others share the rest."""
    return "host0.example" if number < feeds // 10 else f"host{1 + number % (hosts - 1)}.example"


def _configure(directory: Path, feeds: int, hosts: int, gap: str, port: int) -> None:
    (directory / "topics").mkdir(parents=True)
    (directory / "newsbeat.toml").write_text(
        f'[fetch]\ncontact = "https://example.org/bench"\nper_host_gap = "{gap}"\nallow_addresses = ["127.0.0.1/32"]\n'
    )
    (directory / "feeds.toml").write_text(
        "".join(
            f'[[feed]]\nurl = "http://{_host(number, feeds, hosts)}:{port}/feed/{number}"\n' for number in range(feeds)
        )
    )


async def _everything_leads_home(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def _lead_home(running: Service) -> None:
    """The service's own web, with a name server that knows the invented hosts."""
    transport = running.web._transport
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    guard = fetch.Guard([ipaddress.ip_network("127.0.0.1/32")], _everything_leads_home)
    transport._pool._network_backend = guard  # type: ignore[attr-defined]


async def _measure(
    options: argparse.Namespace, port: int, pipe: multiprocessing.connection.Connection, place: Path
) -> list[dict[str, object]]:
    directory, db = place / "config", place / "news.db"
    _configure(directory, options.feeds, options.hosts, options.gap, port)
    moment = [START]
    rows: list[dict[str, object]] = []
    async with service.opened(directory, db, what="bench", now=lambda: moment[0], draw=lambda: 0.5) as running:
        _lead_home(running)
        for name, later in (
            ("first poll of all", timedelta()),
            ("all 304", timedelta(hours=7)),
            ("after a night off", timedelta(hours=12)),
        ):
            moment[0] += later
            with cost() as spent:
                outcomes = await running.once()
            pipe.send(True)
            seen = pipe.recv()
            rows.append(
                {
                    "step": name,
                    "polls": len(outcomes),
                    "failed": sum(outcome.outcome == "failed" for outcome in outcomes),
                    "cpu_s": round(spent.cpu, 1),
                    "wall_s": round(spent.wall, 1),
                    "peak_mb": round(peak_of_all()),
                    **seen,
                }
            )
        ticks = 50
        began = time.process_time()
        for _ in range(ticks):
            assert await running.tick() == 0
        rows.append({"step": "a tick with nobody due", "ms": round((time.process_time() - began) / ticks * 1000, 2)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--gap", default="0.05s", help="between two starts on one host")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, options.feeds), daemon=True)
    server.start()
    ignore(server.pid)
    port = here.recv()
    os.nice(5)  # the server goes before us, so that it notes when a request comes, not when it gets round to it
    with tempfile.TemporaryDirectory() as place:
        rows = asyncio.run(_measure(options, port, here, Path(place)))
    here.send(None)
    server.join(5)
    if options.json:
        print(json.dumps({"feeds": options.feeds, "hosts": options.hosts, "gap": options.gap, "steps": rows}))
        return
    print(f"{options.feeds} feeds on {options.hosts} hosts, {options.gap} between two starts on one host\n")
    for row in rows:
        print(f"  {row['step']:<24}" + "  ".join(f"{key} {value}" for key, value in row.items() if key != "step"))


if __name__ == "__main__":
    main()
