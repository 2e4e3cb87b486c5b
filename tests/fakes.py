"""Stand-ins for the world, and builders of values, for every test. All of it is invented.

`FakeWeb` is a dict of URL to answer, on httpx.MockTransport; `WireServer` speaks bytes on 127.0.0.1, for where the wire
itself matters. Time is a value: `NOW`, and `Clock` for what must pass.
"""

from __future__ import annotations

import contextlib
import html
import ipaddress
import os
import random
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeVar

import httpx

from pipeline.fetch import Guard, Pacer, Web
from pipeline.fetch.wire import Limits
from pipeline.model import Article, Entry, Feed, FeedState, Response
from pipeline.text import digest, wording
from pipeline.workers import Workers

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FEED = "https://feeds.example.org/world.xml"
CONTACT = "https://reader.example/about"

Given = TypeVar("Given")
Made = TypeVar("Made")


# --- values ---------------------------------------------------------------------------------------------------


def entry(name: str = "bridge", **changes: Any) -> Entry:
    """An entry of FEED; `name` makes it a different one."""
    made = Entry(
        feed_url=FEED,
        guid=f"tag:example.org,2026:{name}",
        url=f"https://example.org/news/{name}",
        title=f"Council opens the {name}",
        summary=f"The {name} was opened on Monday after two years of work.",
        content=None,
        authors=("Ada Fisher",),
        published_at=NOW - timedelta(hours=1),
        lang="en",
        raw_hash="",
    )
    made = replace(made, **changes)
    return replace(made, raw_hash=made.raw_hash or digest(made.url, made.title, made.summary, made.content))


def article(name: str = "bridge", **changes: Any) -> Article:
    """An article of the Example Times; `name` makes it a different one."""
    made = Article(
        url=f"https://example.org/news/{name}",
        outlet="Example Times",
        title=f"Council opens the {name}",
        summary=f"The {name} was opened on Monday.",
        text=f"The {name} was opened on Monday after two years of work, the council said.",
        text_from="content",
        lang="en",
        authors=("Ada Fisher",),
        published_at=NOW - timedelta(hours=1),
        first_seen_at=NOW,
        text_hash="",
    )
    made = replace(made, **changes)
    return replace(made, text_hash=made.text_hash or wording(made.title, made.summary, made.text))


def feed(url: str = FEED, **changes: Any) -> Feed:
    """A feed as the configuration asks for it."""
    return Feed(**{"url": url, "outlet": "Example Times", **changes})


def feed_state(**changes: Any) -> FeedState:
    """What is remembered of FEED after subscribing."""
    return FeedState(**{"id": 1, "feed_url": FEED, "url": FEED, "next_poll_at": NOW, **changes})


def response(body: bytes | str = b"", url: str = FEED, **changes: Any) -> Response:
    """A complete answer. `headers` may be a dict."""
    raw = body.encode() if isinstance(body, str) else body
    headers = changes.pop("headers", {"content-type": "application/rss+xml"})
    pairs = tuple(headers.items()) if isinstance(headers, dict) else headers
    values = {"status": 200, "fetched_at": NOW, "wire_bytes": len(raw), **changes}
    return Response(**{"asked_url": url, "url": url, "headers": pairs, "body": raw, **values})


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an invented feed. `None` leaves its element out."""

    title: str | None = "Council opens the bridge"
    url: str | None = "https://example.org/news/bridge"
    guid: str | None = None
    summary: str | None = "The bridge was opened on Monday after two years of work."
    content: str | None = None
    published_at: datetime | None = NOW - timedelta(hours=1)
    source: tuple[str, str] | None = None

    def xml(self) -> str:
        """The item as RSS 2.0."""
        lines = [
            _element("title", self.title),
            _element("link", self.url),
            _element("guid", self.guid),
            _element("description", self.summary),
            _element("content:encoded", self.content),
            _element("pubDate", format_datetime(self.published_at) if self.published_at else None),
            f'<source url="{html.escape(self.source[1])}">{html.escape(self.source[0])}</source>'
            if self.source
            else "",
        ]
        return "<item>" + "".join(lines) + "</item>"


def item(name: str, **changes: Any) -> Item:
    """An item about something called `name`, with a guid of its own."""
    made = Item(
        title=f"Council opens the {name}",
        url=f"https://example.org/news/{name}",
        guid=f"tag:example.org,2026:{name}",
        summary=f"The {name} was opened on Monday after two years of work.",
    )
    return replace(made, **changes)


def rss(*items: Item, title: str = "Example Times: World", extra: str = "") -> bytes:
    """An RSS 2.0 document; `extra` goes into the channel as it is."""
    channel = _element("title", title) + "<link>https://example.org/</link>" + extra
    namespaces = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    body = "\n".join(one.xml() for one in items)
    return (
        f'<?xml version="1.0"?>\n<rss version="2.0" {namespaces}><channel>{channel}\n{body}\n</channel></rss>'.encode()
    )


def _element(name: str, words: str | None) -> str:
    return "" if words is None else f"<{name}>{html.escape(words, quote=False)}</{name}>"


# --- time -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Clock:
    """A monotonic clock that only moves when somebody sleeps on it. `slept` holds every wait."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


# --- the web --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """What a server says. A page with an `etag` answers 304 to a request that names it."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class FakeWeb(dict[str, "Page | bytes | Exception"]):
    """A dict of URL to answer: a Page, bytes (a feed), or an exception to raise. Others answer 404.

    `requests` holds what was asked, in order.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.requests: list[httpx.Request] = []

    def web(self, **changes: Any) -> Web:
        """The program's own Web, over this dict."""
        return web(transport=httpx.MockTransport(self._answer), **changes)

    @property
    def asked(self) -> list[str]:
        """The URLs asked, in order."""
        return [str(request.url) for request in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        found = self.get(str(request.url), Page("not here", 404))
        if isinstance(found, Exception):
            raise found
        page = found if isinstance(found, Page) else Page(found, headers={"content-type": "application/rss+xml"})
        etag = page.headers.get("etag")
        if page.status == 200 and etag and request.headers.get("if-none-match") == etag:
            return httpx.Response(304, headers={"etag": etag}, stream=_Body(b""))
        body = page.body.encode() if isinstance(page.body, str) else page.body
        return httpx.Response(page.status, headers=dict(page.headers), stream=_Body(body))


class _Body(httpx.AsyncByteStream):
    """A body that is read as from a wire."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._body:
            yield self._body


def web(*, allow: Iterable[str] = ("127.0.0.1/32",), **changes: Any) -> Web:
    """The program's Web without pacing, with short times, allowed to ask loopback."""
    mib = 1024 * 1024
    values: dict[str, Any] = {
        "contact": CONTACT,
        "guard": Guard([ipaddress.ip_network(network) for network in allow]),
        "pacer": Pacer(gap=0, per_host=8, in_flight=32, clock=time.monotonic),
        "limits": Limits(wire=20 * mib, body=20 * mib, ratio=100),
        "connect_timeout": 20.0,  # a busy machine may stand still for seconds; who waits for a limit names a short one
        "read_timeout": 20.0,
        "deadline": 30.0,
        "max_redirects": 5,
        "now": lambda: NOW,
    }
    return Web(**{**values, **changes})


class Inline(Workers):
    """Workers that work here and now, for tests that are not about processes."""

    def __init__(self) -> None:
        super().__init__(1, deadline=1, memory_mb=256)

    async def run(self, function: Callable[[Given], Made], given: Given) -> Made:
        return function(given)


def free_port() -> int:
    """A port on 127.0.0.1 for a server that must know it before it listens.

    Below those that the system hands out by itself (from 32768), and another range in each process of the tests: what
    is free now is not taken by somebody's connection before it is used.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for port in _ports:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", 12_000 + worker % 10 * 2000 + port)):
            return 12_000 + worker % 10 * 2000 + port
    raise OSError("no port is free")


_ports = iter(random.sample(range(2000), 2000))


# --- the wire -------------------------------------------------------------------------------------------------

Step = bytes | float | None
"""Bytes to send, seconds to wait, or `None` to cut the connection with a reset."""

Script = Callable[[], Iterable[Step]]


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A complete HTTP/1.1 answer; `_` in a header's name stands for `-`. Gives its own length unless told one."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    if not {"content-length", "transfer-encoding"} & {key.lower() for key in named}:
        named["Content-Length"] = str(len(body))
    lines = [f"HTTP/1.1 {status}", *(f"{key}: {value}" for key, value in named.items()), "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def chunked(*chunks: bytes, last: bool = True) -> bytes:
    """A chunked body, with or without the last chunk."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return body + (b"0\r\n\r\n" if last else b"")


class WireServer:
    """A real server on 127.0.0.1 whose answers are bytes and pauses, by request target (with query, else without).

    An answer is bytes, or a function that makes its steps anew for each request. The connection is closed after it.
    `requests` holds every request head as it came over the wire.
    """

    def __init__(self, answers: Mapping[str, bytes | Script] | None = None) -> None:
        self.answers: dict[str, bytes | Script] = dict(answers or {})
        self.requests: list[bytes] = []
        self._stop = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, target: str = "/", host: str = "127.0.0.1") -> str:
        """The address of a target on this server."""
        return f"http://{host}:{self.port}{target}"

    def lines(self, index: int = -1) -> list[str]:
        """The lines of one request: request line, then headers."""
        return self.requests[index].decode("latin-1").rstrip("\r\n").split("\r\n")

    def headers(self, index: int = -1) -> dict[str, str]:
        """The headers of one request, names in lower case, values as sent."""
        pairs = (line.partition(": ") for line in self.lines(index)[1:])
        return {name.lower(): value for name, _, value in pairs}

    def __enter__(self) -> WireServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for one in (self._socket, *self._connections):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(2)

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            head = b""
            while b"\r\n\r\n" not in head:
                more = connection.recv(65536)
                if not more:
                    return
                head += more
                if head[:1] == b"\x16":  # somebody speaks TLS to us
                    connection.sendall(answer(b"plain only", "400 Bad Request"))
                    return
            self.requests.append(head)
            target = head.split(b" ")[1].decode("latin-1")
            made = self.answers.get(target) or self.answers.get(target.partition("?")[0])
            made = made or answer(b"not here", "404 Not Found")
            for step in made() if callable(made) else (made,):
                if isinstance(step, bytes):
                    connection.sendall(step)
                elif step is None:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                elif self._stop.wait(step):
                    return
