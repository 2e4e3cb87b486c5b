"""The world that a tortured service reads: recorded or invented answers by virtual time, from a server on 127.0.0.1.

`Clock` is eight bytes in a file that server and service both see, so that time stands still while either is dead.
`recorded` and `invented` give what each feed answers from which moment on, each change at a moment of its own: within
one step one feed has news, so that what comes out does not hang on which of several polls was first.
"""

from __future__ import annotations

import bisect
import gzip
import hashlib
import html
import json
import mmap
import random
import socket
import struct
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
EVERY = timedelta(minutes=5)
START = datetime(2026, 3, 2, 6, tzinfo=UTC)


class Clock:
    """A moment in a file. Whoever opened it sees every change at once."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(struct.pack("d", START.timestamp()))
        with file.open("r+b") as opened:
            self._bytes = mmap.mmap(opened.fileno(), 8)

    @property
    def at(self) -> float:
        """Seconds since 1970."""
        (seconds,) = struct.unpack("d", self._bytes[:8])
        return float(seconds)

    @at.setter
    def at(self, seconds: float) -> None:
        self._bytes[:8] = struct.pack("d", seconds)

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


@dataclass
class Script:
    """What each feed answers from which moment on: bodies packed, in order of time."""

    answers: dict[str, list[tuple[float, bytes]]]
    outlets: dict[str, str] = field(default_factory=dict)

    @property
    def moments(self) -> list[float]:
        """Every moment at which a feed says something else."""
        return sorted({at for told in self.answers.values() for at, _ in told})

    def say(self, feed: str, at: float) -> tuple[int, bytes]:
        """Which answer a feed gives at a moment (-1: none yet), and its body, packed."""
        told = self.answers.get(feed, [])
        index = bisect.bisect_right(told, at, key=lambda one: one[0]) - 1
        return index, told[index][1] if index >= 0 else b""


NAMES = {"bbc": "BBC News", "cnn": "CNN", "fox": "Fox News", "nytimes": "The New York Times", "rnz": "RNZ"}


def there() -> bool:
    """Whether the recorded answers lie beside the project."""
    return (DATA / "history.tar").is_file() and (DATA / "feeds.tar.gz").is_file()


def recorded(steps: int, others: int = 60) -> Script:
    """Six outlets' recorded answers, the first `steps` of them, and `others` real feeds of a host each that come up one
    by one. Third-party text: read here, kept nowhere."""
    told: list[tuple[float, str, bytes]] = []
    with tarfile.open(DATA / "history.tar") as archive:
        for member in archive:
            parts = member.name.split("/")
            if len(parts) >= 3 and member.name.endswith(".xml.gz"):
                at = datetime.strptime(parts[-1][:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
                content = archive.extractfile(member)
                assert content is not None
                told.append((at, parts[-2], content.read()))
    told.sort(key=lambda one: one[:2])
    told = told[:steps]
    answers: dict[str, list[tuple[float, bytes]]] = {}
    late = 0.0
    for at, outlet, body in told:
        late = max(at, late + EVERY.total_seconds())
        answers.setdefault(outlet, []).append((late, body))
    moments = sorted(at for one in answers.values() for at, _ in one)
    for number, body in enumerate(_one_a_host(others)):
        at = moments[number * 3 % len(moments)]
        answers[f"real{number}"] = [(at, gzip.compress(body, 1))]
    names = {name: NAMES.get(name, "The Straits Times") for name in answers if not name.startswith("real")}
    return Script(answers, names)


def _one_a_host(most: int) -> Iterator[bytes]:
    """Real feeds of up to 300 kB, one of each host, so that no two bring the same article."""
    seen: set[str] = set()
    with tarfile.open(DATA / "feeds.tar.gz") as archive:
        listed = archive.extractfile("feeds/manifest.jsonl")
        assert listed is not None
        for line in listed:
            row = json.loads(line)
            host = row.get("host")
            if row["kind"] != "real" or not host or host in seen or row["size"] > 300_000 or len(seen) >= most:
                continue
            found = archive.extractfile(f"feeds/{row['file']}")
            if found is not None and row["type"] in ("rss2.0", "atom", "rdf", "rss1.0"):
                seen.add(host)
                yield found.read()


def invented(steps: int, feeds: int = 6, seed: int = 1) -> Script:
    """Feeds of a newsroom that never was: all there at first, and each step one adds, rewords or drops items."""
    draw = random.Random(seed)
    shown: list[list[tuple[str, str]]] = [[] for _ in range(feeds)]
    answers: dict[str, list[tuple[float, bytes]]] = {}
    count = 0
    for step in range(1 - feeds, steps):
        at = START + max(0, step) * EVERY
        number = step % feeds
        items = shown[number]
        for _ in range(draw.randint(1, 12)):
            count += 1
            items.insert(0, (f"{number}-{count}", f"The {draw.choice(_THINGS)} of {draw.choice(_TOWNS)} opens {count}"))
        if len(items) > 5 and draw.random() < 0.7:
            which = draw.randrange(len(items))
            items[which] = (items[which][0], items[which][1] + ", the mayor says after all")
        del items[40:]
        answers.setdefault(f"feed{number}", []).append((at.timestamp(), gzip.compress(_rss(number, items, at), 1)))
    return Script(answers)


_THINGS = ("bridge", "harbour", "tunnel", "ferry", "market", "library", "tram", "museum", "lighthouse", "theatre")
_TOWNS = ("Korvik", "Aldmoor", "Tessary", "Brunnhaven", "Lower Wick", "Saltmere")


def _rss(number: int, items: list[tuple[str, str]], at: datetime) -> bytes:
    rows = "".join(
        f"<item><guid>{guid}</guid><title>{html.escape(title)}</title><link>https://paper{number}.example/{guid}</link>"
        f"<description>{html.escape(title)}. {'What was said of it fills a column. ' * 20}{guid}</description>"
        f"<pubDate>{format_datetime(at)}</pubDate></item>"
        for guid, title in items
    )
    # Markup that is not escaped is left to the second tier, and so to a worker process.
    extra = "<description>Told <b>daily</b></description>" if number % 2 else ""
    return f'<rss version="2.0"><channel><title>Paper {number}</title>{extra}{rows}</channel></rss>'.encode()


class World:
    """A server of the script at `moment`; the service's own `clock` may say something else. `cut` is the share of
    answers that break off in the middle, by a reset."""

    def __init__(self, script: Script, clock: Clock, cut: float = 0.0, backoff: str = "6h", seed: int = 1) -> None:
        self.script, self.clock, self.cut = script, clock, cut
        self.moment = script.moments[0]
        self.cuts = self.asked = 0
        self.told: dict[str, int] = {}
        self.backoff = backoff
        draw = random.Random(seed)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                outer.asked += 1
                name = urlsplit(self.path).path.strip("/")
                index, body = outer.script.say(name, outer.moment)
                if index < 0:
                    self.send_response(503)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
                body = gzip.decompress(body)
                same = self.headers.get("If-None-Match") == etag
                self.send_response(304 if same else 200)
                self.send_header("ETag", etag)
                if same:
                    self.end_headers()
                    outer.told[name] = index
                    return
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if draw.random() < outer.cut:
                    outer.cuts += 1
                    self.wfile.write(body[: draw.randrange(len(body))])
                    self.wfile.flush()
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    return
                self.wfile.write(body)
                outer.told[name] = index

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def handle_error(self, request: object, client_address: object) -> None:
                """A killed client hangs up; that is what this is for."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def rewind(self) -> None:
        """Back to the first moment."""
        self.moment = self.clock.at = self.script.moments[0]
        self.told.clear()

    @property
    def heard(self) -> bool:
        """Whether every feed that says something at this moment was asked for it."""
        return all(self.told.get(name, -1) == self.script.say(name, self.moment)[0] for name in self.script.answers)

    def close(self) -> None:
        """No more answers."""
        self._server.shutdown()
        self._server.server_close()

    def configure(self, directory: Path) -> None:
        """A configuration that follows every feed of the script."""
        (directory / "topics").mkdir(parents=True, exist_ok=True)
        for name in ("topics/tiktok-us-sale.toml", "outlets.toml"):
            (directory / name).write_text((ROOT / "config" / name).read_text(encoding="utf-8"), encoding="utf-8")
        (directory / "topics" / "openings.toml").write_text(TOPIC, encoding="utf-8")
        (directory / "newsbeat.toml").write_text(
            '[fetch]\ncontact = "https://example.org/torture"\nper_host_gap = 0\nper_host_in_flight = 8\n'
            f'host_wide_429 = false\nallow_addresses = ["127.0.0.1/32"]\nbackoff = "{self.backoff}"\n'
            f'backoff_cap = "{"6h" if self.backoff == "6h" else "1h"}"\n'
            'hint_cap = "0s"\njitter = 0\ntick = "0.02s"\n',
            encoding="utf-8",
        )
        feeds = []
        for name in self.script.answers:
            outlet = f'outlet = "{self.script.outlets[name]}"\n' if name in self.script.outlets else ""
            every = "6h" if name.startswith("real") else "5m"
            feeds.append(f'[[feed]]\nurl = "{self.url}/{name}"\nevery = "{every}"\n{outlet}')
        (directory / "feeds.toml").write_text("\n".join(feeds), encoding="utf-8")


TOPIC = """
title = "Openings"
threshold = 0.1
[[term]]
text = "opens"
weight = 1.0
[[term]]
text = "mayor"
weight = 1.0
[[term]]
text = "police"
weight = 0.5
"""


@contextmanager
def world(script: Script, place: Path, *, cut: float = 0.0, backoff: str = "6h", seed: int = 1) -> Iterator[World]:
    """A World in `place`, configured in `place/config`, its clock in `place/clock` at the script's first moment."""
    place.mkdir(parents=True, exist_ok=True)
    clock = Clock(place / "clock")
    clock.at = script.moments[0]
    made = World(script, clock, cut, backoff, seed)
    made.configure(place / "config")
    try:
        yield made
    finally:
        made.close()


def wait_until(true: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether something came true in time; asked every few milliseconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.005)
    return False
