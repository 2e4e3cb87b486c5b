"""Recorded answers of six real outlets, served by virtual time and polled by the real service.

    ./run bench replay [--data ../shared/data/history.tar] [--outlet bbc] [--from 2020-04-01] [--until 2020-12-31]

The archive holds `history/versions.jsonl` and `history/OUTLET/TIME.xml.gz`: what each outlet's feed answered, and when.
A server on 127.0.0.1 gives each outlet's latest answer at the virtual moment; the service passes over its feeds at
every moment an answer was recorded, as `newsbeat once --now` does. Third-party text: measured, never kept here.

Two answers recorded within five minutes count as one: no feed is asked more often than that.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import gzip
import json
import multiprocessing
import multiprocessing.connection
import sqlite3
import sys
import tarfile
import tempfile
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline import service
from tests.bench.measure import cost, ignore

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "history.tar"
NAMES = {"bbc": "BBC News", "cnn": "CNN", "fox": "Fox News", "nytimes": "The New York Times", "rnz": "RNZ"}


def read_versions(data: Path, outlets: list[str]) -> dict[str, list[tuple[float, bytes]]]:
    """Every recorded answer by outlet, in order of time, still packed."""
    found: dict[str, list[tuple[float, bytes]]] = {}
    with tarfile.open(data) as archive:
        for member in archive:
            parts = member.name.split("/")
            if len(parts) < 3 or not member.name.endswith(".xml.gz") or (outlets and parts[-2] not in outlets):
                continue
            at = datetime.strptime(parts[-1][:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
            content = archive.extractfile(member)
            assert content is not None
            found.setdefault(parts[-2], []).append((at, content.read()))
    for answers in found.values():
        answers.sort(key=lambda answer: answer[0])
    return found


def _serve(pipe: multiprocessing.connection.Connection, data: Path, outlets: list[str]) -> None:
    versions = read_versions(data, outlets)
    times = {outlet: [at for at, _ in answers] for outlet, answers in versions.items()}
    moment = [0.0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            outlet = self.path.strip("/")
            index = bisect.bisect_right(times.get(outlet, []), moment[0]) - 1
            if index < 0:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            etag = f'"{outlet}-{index}"'
            same = self.headers.get("If-None-Match") == etag
            body = b"" if same else gzip.decompress(versions[outlet][index][1])
            self.send_response(304 if same else 200)
            self.send_header("ETag", etag)
            if not same:
                self.send_header("Content-Type", "application/rss+xml")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_address[1])
    while (message := pipe.recv()) is not None:
        moment[0] = message
        pipe.send(True)


def _configure(directory: Path, port: int, outlets: list[str]) -> None:
    (directory / "topics").mkdir(parents=True)
    topic = ROOT / "config" / "topics" / "tiktok-us-sale.toml"
    (directory / "topics" / topic.name).write_text(topic.read_text(encoding="utf-8"), encoding="utf-8")
    (directory / "outlets.toml").write_text(
        (ROOT / "config" / "outlets.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (directory / "newsbeat.toml").write_text(
        '[fetch]\ncontact = "https://example.org/replay"\nper_host_gap = 0\nper_host_in_flight = 8\n'
        'host_wide_429 = false\nallow_addresses = ["127.0.0.1/32"]\nbackoff = "5m"\nhint_cap = "0s"\njitter = 0\n',
        encoding="utf-8",
    )
    (directory / "feeds.toml").write_text(
        "\n".join(
            f'[[feed]]\nurl = "http://127.0.0.1:{port}/{outlet}"\nevery = "5m"\n'
            f'outlet = "{NAMES.get(outlet, "The Straits Times")}"\n'
            for outlet in outlets
        ),
        encoding="utf-8",
    )


async def _replay(
    place: Path, moments: list[float], pipe: multiprocessing.connection.Connection, told: bool
) -> dict[str, object]:
    moment = [datetime.fromtimestamp(moments[0], UTC)]
    outcomes: Counter[str] = Counter()
    async with service.opened(
        place / "config", place / "news.db", what="replay", now=lambda: moment[0], draw=lambda: 0.0
    ) as running:
        with cost() as spent:
            for number, at in enumerate(moments):
                pipe.send(at)
                pipe.recv()
                moment[0] = datetime.fromtimestamp(at, UTC)
                for outcome in await running.once():
                    outcomes[outcome.outcome] += 1
                if told and number % 50 == 0:
                    print(
                        f"\r{moment[0]:%d %b %Y}  {sum(outcomes.values())} polls", end="", file=sys.stderr, flush=True
                    )
        if told:
            print(file=sys.stderr)
        totals = running.store.numbers.totals(moment[0])
        numbers: dict[str, object] = {
            "passes": len(moments),
            "polls": sum(outcomes.values()),
            **{f"polls_{name}": count for name, count in sorted(outcomes.items())},
            "articles": totals.articles,
            "edits": totals.edits,
            "edits_by_kind": running.store.numbers.edits(),
            "copies": totals.copies,
            "shared_stories": totals.shared_stories,
            "on_topic": sum(topic.on_topic for topic in totals.topics),
            "wall_s": round(spent.wall, 1),
            "cpu_s": round(spent.cpu, 1),
            "peak_mb": round(spent.peak_mb),
            "db_mb": round(totals.bytes / 1e6, 1),
        }
    return numbers


def _checks(db: Path) -> dict[str, int]:
    """What must hold of the finished database, counted anew from its rows."""
    with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as rows:
        return {
            "polls_recorded": rows.execute("SELECT count(*) FROM polls").fetchone()[0],
            "urls_twice": rows.execute("SELECT count(*) - count(DISTINCT url) FROM articles").fetchone()[0],
            "guids_without_article": rows.execute(
                "SELECT count(*) FROM entries e LEFT JOIN articles a ON a.id = e.article_id WHERE a.id IS NULL"
            ).fetchone()[0],
            "articles_without_name": rows.execute(
                "SELECT count(*) FROM articles a WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.article_id = a.id)"
            ).fetchone()[0],
            "headlines_changed": rows.execute(
                "SELECT count(DISTINCT article_id) FROM revisions WHERE kind = 'headline'"
            ).fetchone()[0],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--outlet", action="append", default=[])
    parser.add_argument("--from", dest="since", default="2020-01-01")
    parser.add_argument("--until", default="2099-01-01")
    parser.add_argument("--keep", type=Path, help="leave the database here")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not options.data.is_file():
        print(f"The recorded answers are not there: {options.data}. Name them with --data.", file=sys.stderr)
        raise SystemExit(2)
    since, until = (
        datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() for day in (options.since, options.until)
    )
    versions = read_versions(options.data, options.outlet)
    moments = sorted({at for answers in versions.values() for at, _ in answers if since <= at < until})
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there, options.data, options.outlet), daemon=True
    )
    server.start()
    ignore(server.pid)
    port = here.recv()
    with tempfile.TemporaryDirectory() as scratch:
        place = options.keep or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        _configure(place / "config", port, sorted(versions))
        numbers = asyncio.run(_replay(place, moments, here, sys.stderr.isatty()))
        numbers |= {
            "answers_recorded": sum(len(answers) for answers in versions.values()),
            **_checks(place / "news.db"),
        }
    here.send(None)
    server.join(5)
    if options.json:
        print(json.dumps(numbers))
        return
    for name, value in numbers.items():
        print(f"  {name.replace('_', ' '):<24}{value}")


if __name__ == "__main__":
    main()
