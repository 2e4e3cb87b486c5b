"""A server on this machine for benches: `/feed/NUMBER` with ETag and 304, in a process of its own, not counted."""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench import corpus
from tests.bench.measure import ignore


@dataclass(slots=True)
class Served:
    """Where it listens, and the switch to later versions of every feed."""

    port: int
    hosts: int
    _pipe: multiprocessing.connection.Connection

    def url(self, number: int) -> str:
        """The address of a feed; feeds go round the hosts."""
        return f"http://{_address(number % self.hosts)}:{self.port}/feed/{number}"

    def publish(self, fresh: int) -> None:
        """Each feed now has `fresh` entries that were not in its first version, and another ETag."""
        self._pipe.send(fresh)
        self._pipe.recv()


@contextmanager
def serving(feeds: int, entries: int | None, hosts: int = 1) -> Iterator[Served]:
    """Feeds 0 to `feeds` of `entries` invented entries each, or the real ones (`None`), served until the block ends, on
    127.0.0.1 or as many addresses of 127.0.0.0/8 as there are `hosts`."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there, feeds, entries, hosts), daemon=True
    )
    process.start()
    there.close()  # so that its death ends our waiting
    ignore(process.pid)
    try:
        yield Served(here.recv(), hosts, here)
        here.send(None)
        process.join(5)
    finally:
        process.kill()


class _Door(asyncio.Protocol):
    """As little of HTTP/1.1 as the clients here speak: GET, one answer after another on a connection."""

    def __init__(self, bodies: list[bytes], version: list[int]) -> None:
        self._bodies, self._version, self._head = bodies, version, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        while b"\r\n\r\n" in self._head:
            head, _, self._head = self._head.partition(b"\r\n\r\n")
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        number = int(head.split(b" ", 2)[1].rpartition(b"/")[2])
        tag = b'"%d-%d"' % (number, self._version[0])
        if b"\r\nif-none-match: " + tag in head.lower():
            self._transport.write(b"HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n" % tag)
            return
        body = self._bodies[number]
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nETag: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (tag, len(body), body)
        )


def _address(host: int) -> str:
    return f"127.0.{host // 250}.{host % 250 + 1}"


def _serve(pipe: multiprocessing.connection.Connection, feeds: int, entries: int | None, hosts: int) -> None:
    def body(number: int, fresh: int) -> bytes:
        if entries is None:
            return corpus.renewed(corpus.real()[number], fresh)
        return corpus.feed(number, entries, fresh)

    bodies = [body(number, 0) for number in range(feeds)]
    version = [0]

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Door(bodies, version), "127.0.0.1", 0, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        others = [_address(host) for host in range(1, hosts)]
        more = await loop.create_server(lambda: _Door(bodies, version), others, port, backlog=64) if others else None
        pipe.send(port)
        while (fresh := await loop.run_in_executor(None, pipe.recv)) is not None:
            for number in range(feeds):
                bodies[number] = body(number, fresh)
            version[0] = fresh
            pipe.send(True)
        del server, more  # until here they listen

    asyncio.run(main())
