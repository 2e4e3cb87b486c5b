"""The real service on a server of bytes, with time as a value: what every test of the fetch contract stands on.

`Room` is a service with its own database and configuration; `poll` lets time pass and makes one pass. Feeds are targets
of one WireServer on 127.0.0.1. Reading happens here and now rather than in a worker, unless a test asks for one.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from fakes import NOW, Inline, Item, Page, Script, Step, WireServer, answer, item, rss, web

from pipeline import service
from pipeline.model import PollOutcome
from pipeline.times import from_stamp

BRIDGE, TUNNEL, HARBOUR = item("bridge"), item("tunnel"), item("harbour")
FEED = rss(BRIDGE)
XML = "application/rss+xml"
MODIFIED = "Mon, 02 Mar 2026 08:00:00 GMT"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

__all__ = ["Item", "Page", "Script", "Step"]


def feed_answer(body: bytes = FEED, status: str = "200 OK", **headers: str) -> bytes:
    """A feed as a good server sends it."""
    return answer(body, status, **{"Content_Type": XML, **headers})


def not_modified(**headers: str) -> bytes:
    """A 304: no body, and no length."""
    lines = [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
    return "\r\n".join(["HTTP/1.1 304 Not Modified", *lines, "Connection: close", "", ""]).encode("latin-1")


def redirect(to: str, status: int = 302, **headers: str) -> bytes:
    return answer(b"", f"{status} Elsewhere", Location=to, **headers)


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


class Room:
    """One service, one server, one clock."""

    def __init__(
        self, place: Path, *targets: str, fetch: str = "", feeds: str = "", draw: float = 0.0, gap: str = "0"
    ) -> None:
        self.place, self.now, self.draw = place, NOW, draw
        self.server = WireServer()
        self.fetch, self.extra, self.gap = fetch, feeds, gap
        self.targets = targets or ("/feed",)
        self._runner = asyncio.Runner()
        self._keys = "per_host_gap = 0\nper_host_in_flight = 8\n" if gap == "0" else f'per_host_gap = "{gap}"\n'
        self.configure(*self.targets)
        self.open()

    def configure(self, *targets: str) -> None:
        """The feeds to follow from now on: targets of the server, or whole addresses."""
        directory = self.place / "config"
        (directory / "topics").mkdir(parents=True, exist_ok=True)
        (directory / "newsbeat.toml").write_text(
            f'[fetch]\ncontact = "https://reader.example/about"\nallow_addresses = ["127.0.0.1/32"]\n{self._keys}'
            f"{self.fetch}\n"
        )
        (directory / "feeds.toml").write_text(
            "".join(
                f'[[feed]]\nurl = "{self.server.url(one) if one[0] == "/" else one}"\n{self.extra}\n' for one in targets
            )
        )

    def open(self) -> None:
        """The service begins, or begins again on the same database."""
        self._opened = service.opened(
            self.place / "config", self.place / "news.db", what="a test", now=lambda: self.now, draw=lambda: self.draw
        )
        self.running = self._runner.run(self._opened.__aenter__())
        self.running.workers.close()
        self.running.workers = Inline()

    def shut(self) -> None:
        self._runner.run(self._opened.__aexit__(None, None, None))

    def restart(self) -> None:
        self.shut()
        self.open()

    def close(self) -> None:
        self.shut()
        self._runner.close()
        self.server.__exit__()

    def hurry(self, **limits: Any) -> None:
        """The service's web with limits that a test can wait for, or a name server of the test's own."""
        self._runner.run(self.running.web.close())
        self.running.web = web(now=lambda: self.now, **limits)

    # --- what the world does ---

    def says(self, raw: bytes | Script, target: str = "/feed") -> None:
        """From now on the server answers so."""
        self.server.answers[target] = raw

    def poll(self, after: timedelta = timedelta()) -> list[PollOutcome]:
        """Time passes, then one pass over all that is due."""
        self.now += after
        return self._runner.run(self.running.once())

    def due(self) -> list[PollOutcome]:
        """Time passes until the first feed is due, and one pass is made."""
        (at,) = self.one("SELECT min(next_poll_at) FROM feeds WHERE state NOT IN ('gone', 'paused')")
        self.now = max(self.now, from_stamp(at) or self.now)
        return self.poll()

    def asks(self, *answers: bytes | Script) -> list[PollOutcome]:
        """One poll for each answer, each when it is due; every one of them must have been made."""
        outcomes = []
        for raw in answers:
            self.says(raw)
            (outcome,) = self.due()
            outcomes.append(outcome)
        return outcomes

    # --- what became of it ---

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"{(self.place / 'news.db').as_uri()}?mode=ro", uri=True) as db:
            found = db.execute(sql, values).fetchall()
        db.close()
        return found

    def one(self, sql: str, *values: object) -> tuple[Any, ...]:
        (row,) = self.rows(sql, *values)
        return row

    def feed(self, columns: str) -> Any:
        """Columns of the only feed: one value, or a tuple of several."""
        row = self.one(f"SELECT {columns} FROM feeds")
        return row[0] if len(row) == 1 else row

    def titles(self) -> list[str | None]:
        return [row[0] for row in self.rows("SELECT title FROM articles ORDER BY id")]

    def count(self, table: str) -> int:
        return int(self.one(f"SELECT count(*) FROM {table}")[0])

    @property
    def wait(self) -> timedelta:
        """From now until the only feed is due."""
        at = from_stamp(self.feed("next_poll_at"))
        assert at is not None
        return at - self.now

    @property
    def asked(self) -> list[str]:
        """The targets asked, in order."""
        return [head.split(b" ")[1].decode() for head in self.server.requests]

    def sent(self, name: str, index: int = -1) -> str | None:
        """A header of one request, as it came over the wire."""
        return self.server.headers(index).get(name)

    def validators(self, index: int = -1) -> tuple[str | None, str | None]:
        return self.sent("if-none-match", index), self.sent("if-modified-since", index)


@contextmanager
def room(place: Path, *targets: str, **options: Any) -> Iterator[Room]:
    """A Room that is closed at the end of the block."""
    made = Room(place, *targets, **options)
    try:
        yield made
    finally:
        made.close()


def scripted(*answers: bytes) -> Script:
    """Another answer at each request; the last one stays."""
    left = list(answers)
    return lambda: (left.pop(0) if len(left) > 1 else left[0],)


def drip(head: bytes, every: float, bit: bytes = b" ") -> Script:
    def steps() -> Iterable[Step]:
        yield head
        while True:
            yield every
            yield bit

    return steps


CERTIFICATE = Path(__file__).parent / "data" / "selfsigned.pem"
"""A key and a certificate of 127.0.0.1 that nobody vouches for, made for these tests alone."""


def fingerprint() -> str:
    """That certificate, as feeds.toml names it."""
    return f"sha256:{hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate_text())).hexdigest()}"


def certificate_text() -> str:
    text = CERTIFICATE.read_text()
    return text[text.index("-----BEGIN CERTIFICATE-----") :]


@contextmanager
def tls_server(raw: Callable[[int], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """A server on 127.0.0.1 that nobody vouches for: its port, and every request it could read. `raw` gives the answer,
    of the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    seen: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                connection.settimeout(2)
                with context.wrap_socket(connection, server_side=True) as wrapped:
                    if request := wrapped.recv(65536):
                        seen.append(request)
                        wrapped.sendall(raw(listener.getsockname()[1]))
            except OSError:
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1], seen
        listener.shutdown(socket.SHUT_RDWR)
