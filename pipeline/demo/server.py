"""The newsroom's web server: every outlet's feed over real HTTP on 127.0.0.1, as it stands at a given moment.

`answer` judges (values in, an answer out); `NewsroomServer` carries out: a socket, a thread, and a count of
what was asked.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType

from pipeline.demo import rendering
from pipeline.demo.newsroom import DemoOutlet, Newsroom, day, feed_path, latest_change, published

HAS_MAX_AGE = "pacific"
"""The outlet that lets its feed be cached, for MAX_AGE seconds."""
MAX_AGE = 300

NO_OUTLET = "-"
"""Stands in the log for an address that is no outlet's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out on the wire. `key` is the outlet that was asked, NO_OUTLET when there is none of that name."""

    key: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def answer(newsroom: Newsroom, path: str, asked: Mapping[str, str], now: datetime, base: str) -> Answer:
    """What the newsroom says to a GET of `path` at `now`; `asked` holds the request's headers in lower case.

    `base` is the server's own address. Validators are compared byte for byte, If-None-Match before
    If-Modified-Since (RFC 9110, 13.2.2); a broken answer carries none and heeds none.
    """
    outlet = next((outlet for outlet in newsroom.outlets if path.startswith(f"/{outlet.key}/")), None)
    if outlet is None:
        return _page(NO_OUTLET, 404, "Not found", "There is no such newsroom.")
    key, here = outlet.key, feed_path(outlet, now)
    if path != here and path == f"/{key}/feed":
        return Answer(key, 301, (("Location", base + here),))
    if path != here:
        return _page(key, 404, "Not found", "There is no such page.")
    if outlet.has("gone", now):
        return _page(key, 410, "Gone", f"{outlet.name} no longer offers a feed. Thank you for reading.")
    if outlet.quirk == "broken" and outlet.day == day(now):
        return _broken(newsroom, outlet, now, base)
    articles = published(newsroom, key, now)
    body = rendering.feed(outlet, articles, now, base)
    packed = _packs(newsroom, outlet) and "gzip" in asked.get("accept-encoding", "")
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}{"-gzip" if packed else ""}"'
    changed_at = latest_change(articles)
    modified = format_datetime(changed_at, usegmt=True) if changed_at else None
    headers = [("ETag", etag)]
    if modified:
        headers.append(("Last-Modified", modified))
    if key == HAS_MAX_AGE:
        headers.append(("Cache-Control", f"max-age={MAX_AGE}"))
    if _packs(newsroom, outlet):
        headers.append(("Vary", "Accept-Encoding"))
    if "if-none-match" in asked:
        current = asked["if-none-match"] == etag
    else:
        current = modified is not None and asked.get("if-modified-since") == modified
    if current:
        return Answer(key, 304, tuple(headers))
    headers.append(("Content-Type", rendering.content_type(outlet.format)))
    if packed:
        headers.append(("Content-Encoding", "gzip"))
        body = gzip.compress(body, mtime=0)
    return Answer(key, 200, tuple(headers), body)


def _packs(newsroom: Newsroom, outlet: DemoOutlet) -> bool:
    """Every other outlet's server knows gzip."""
    return outlet in newsroom.outlets[::2]


def _broken(newsroom: Newsroom, outlet: DemoOutlet, now: datetime, base: str) -> Answer:
    """Until noon an error page that claims to be fine (200), after it a feed that ends in the middle of an item."""
    if now.hour < 12:
        return _page(outlet.key, 200, "Database error", "Error establishing a database connection.")
    body = rendering.feed(outlet, published(newsroom, outlet.key, now), now, base)
    items = body.split(b"<item>")
    whole, cut = items[: len(items) // 2], items[len(items) // 2]
    body = b"<item>".join([*whole, cut[: len(cut) // 2]])
    return Answer(outlet.key, 200, (("Content-Type", rendering.content_type(outlet.format)),), body)


def _page(key: str, status: int, title: str, sentence: str) -> Answer:
    body = (
        f'<!DOCTYPE html>\n<html lang="en"><head><title>{title}</title></head>'
        f"<body><h1>{title}</h1><p>{sentence}</p></body></html>\n"
    )
    return Answer(key, status, (("Content-Type", "text/html; charset=utf-8"),), body.encode())


class NewsroomServer:
    """Serves a newsroom for as long as it is open: `with NewsroomServer(newsroom, now) as server: server.url`.

    `now` is asked at every request. `log` counts answers by (outlet key, status), `conditional` the requests that
    brought a validator. Port 0 takes a free one.
    """

    def __init__(self, newsroom: Newsroom, now: Callable[[], datetime], port: int = 0) -> None:
        self.newsroom, self.now = newsroom, now
        self._lock = threading.Lock()
        self._log: Counter[tuple[str, int]] = Counter()
        self._conditional = 0
        self._listener = _Listener(("127.0.0.1", port), self)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> NewsroomServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._thread.join()
        self._listener.hang_up()
        self._listener.server_close()

    def feeds(self) -> list[tuple[str, str]]:
        """Where each outlet's feed lay on the first day, and the outlet's name."""
        return [(f"{self.url}/{outlet.key}/feed", outlet.name) for outlet in self.newsroom.outlets]

    @property
    def log(self) -> Counter[tuple[str, int]]:
        """How often each outlet was asked and gave which status, so far."""
        with self._lock:
            return self._log.copy()

    @property
    def conditional(self) -> int:
        """How many requests brought If-None-Match or If-Modified-Since, so far."""
        with self._lock:
            return self._conditional

    def reply(self, path: str, asked: Mapping[str, str]) -> Answer:
        """The answer to one request, counted."""
        given = answer(self.newsroom, path, asked, self.now(), self.url)
        with self._lock:
            self._log[given.key, given.status] += 1
            self._conditional += "if-none-match" in asked or "if-modified-since" in asked
        return given


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Newsroom", ""
    wbufsize = -1  # headers and body leave in one write: in two, a delayed acknowledgement may cost 40 ms
    disable_nagle_algorithm = True
    server: _Listener

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        given = self.server.owner.reply(path, {name.lower(): value for name, value in self.headers.items()})
        self.send_response(given.status)
        for name, value in given.headers:
            self.send_header(name, value)
        if given.status != 304:
            self.send_header("Content-Length", str(len(given.body)))
        self.end_headers()
        self.wfile.write(given.body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the counts say it all."""


class _Listener(ThreadingHTTPServer):
    """Remembers its open connections, so that a stop need not wait for clients that keep theirs alive."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], owner: NewsroomServer) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Binds without asking DNS for this machine's name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends every connection that is still open."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error; anything else is, and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]
