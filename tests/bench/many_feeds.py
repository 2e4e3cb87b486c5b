"""Many local feeds polled by the real service: a first poll, a poll that finds nothing new, a poll with one new entry.

    ./run bench 2000-feeds [--feeds 2000] [--entries 10] [--json]

The feeds are invented (English words drawn as often as they are used) and served on 127.0.0.1 by a process of its own,
whose work is not counted. Processor seconds are those of the service and its workers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import multiprocessing.connection
import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from wordfreq import top_n_list, word_frequency

from pipeline import service
from tests.bench.measure import cost, cpu_now, ignore

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
WORDS = 30_000


def _vocabulary() -> tuple[list[str], list[float]]:
    """English words and how often each is used, so that common and rare are what they are in real news."""
    words = top_n_list("en", WORDS)
    return words, [word_frequency(word, "en") for word in words]


def _feed(number: int, entries: int, fresh: int, words: list[str], weights: list[float]) -> bytes:
    """An RSS document of `entries` items, the `fresh` newest of them published later than the rest."""
    items = []
    for index in range(entries + fresh):
        draw = random.Random(number * 1000 + index)
        text = " ".join(draw.choices(words, weights=weights, k=120))
        at = START - timedelta(minutes=13 * (entries - index))
        link = f"https://site{number}.example/{index}"
        items.append(
            f"<item><title>{text[:60]}</title><link>{link}</link><guid>{link}</guid>"
            f"<pubDate>{format_datetime(at)}</pubDate><description>{text}</description></item>"
        )
    body = "".join(reversed(items))
    return f'<rss version="2.0"><channel><title>Site {number}</title>{body}</channel></rss>'.encode()


def _serve(pipe: multiprocessing.connection.Connection, feeds: int, entries: int) -> None:
    words, weights = _vocabulary()
    bodies = {fresh: [_feed(number, entries, fresh, words, weights) for number in range(feeds)] for fresh in (0, 1)}
    now = {"fresh": 0}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            number = int(self.path.rpartition("/")[2])
            etag = f'"{number}-{now["fresh"]}"'
            if self.headers.get("If-None-Match") == etag:
                self.send_response(304)
                self.send_header("ETag", etag)
                self.end_headers()
                return
            body = bodies[now["fresh"]][number]
            self.send_response(200)
            self.send_header("ETag", etag)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Handler)
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_address[1])
    while (message := pipe.recv()) is not None:
        now["fresh"] = message
        pipe.send(True)


async def _measure(
    feeds: int, entries: int, port: int, pipe: multiprocessing.connection.Connection, db: Path, directory: Path
) -> list[dict[str, object]]:
    directory.mkdir()
    (directory / "topics").mkdir()
    topic = Path(__file__).parents[2] / "config" / "topics" / "tiktok-us-sale.toml"
    (directory / "topics" / topic.name).write_text(topic.read_text())
    (directory / "newsbeat.toml").write_text(
        '[fetch]\ncontact = "https://example.org/bench"\nper_host_gap = 0\nper_host_in_flight = 8\n'
        'host_wide_429 = false\nallow_addresses = ["127.0.0.1/32"]\n'
    )
    (directory / "feeds.toml").write_text(
        "\n".join(f'[[feed]]\nurl = "http://127.0.0.1:{port}/feed/{number}"\n' for number in range(feeds))
    )
    moment = [START + timedelta(minutes=30)]
    rows: list[dict[str, object]] = []
    async with service.opened(directory, db, what="bench", now=lambda: moment[0], draw=lambda: 0.5) as running:
        for name, fresh in (("first poll of all", 0), ("all 304", 0), ("one new entry a feed", 1)):
            pipe.send(fresh)
            pipe.recv()
            with cost() as spent:
                outcomes = await running.once()
            totals = running.store.numbers.totals(moment[0])
            rows.append(
                {
                    "step": name,
                    "polls": len(outcomes),
                    "new": sum(outcome.new for outcome in outcomes),
                    "failed": sum(outcome.outcome == "failed" for outcome in outcomes),
                    "cpu_s": round(spent.cpu, 1),
                    "cpu_s_per_1000_feeds": round(spent.cpu / max(1, len(outcomes)) * 1000, 1),
                    "wall_s": round(spent.wall, 1),
                    "peak_mb": round(spent.peak_mb),
                    "db_mb": round(totals.bytes / 1e6, 1),
                    "articles": totals.articles,
                }
            )
            moment[0] += timedelta(hours=25)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--entries", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there, options.feeds, options.entries), daemon=True
    )
    server.start()
    ignore(server.pid)
    port = here.recv()
    with tempfile.TemporaryDirectory() as place:
        rows = asyncio.run(
            _measure(options.feeds, options.entries, port, here, Path(place) / "news.db", Path(place) / "config")
        )
    here.send(None)
    server.join(5)
    if options.json:
        print(json.dumps({"feeds": options.feeds, "entries": options.entries, "steps": rows}))
        return
    print(f"{options.feeds} feeds of {options.entries} entries on 127.0.0.1, one topic; total {cpu_now():.0f} CPU s\n")
    for row in rows:
        print(
            f"  {row['step']:<22}{row['polls']:>6} polls {row['new']:>7} new {row['failed']:>3} failed"
            f" {row['cpu_s_per_1000_feeds']:>7} CPU s per 1,000 feeds {row['wall_s']:>7} s wall"
            f" {row['peak_mb']:>5} MB peak {row['db_mb']:>7} MB database"
        )


if __name__ == "__main__":
    main()
