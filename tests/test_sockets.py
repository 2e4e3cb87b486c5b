"""Connections for httpcore: bounded, not used again when they have something to say unasked, ended in time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpcore
import pytest

from pipeline.fetch.sockets import MOST_BUFFERED, Sockets

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
CERTIFICATE = Path(__file__).parent / "data" / "selfsigned.pem"


@asynccontextmanager
async def connected(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[httpcore.AsyncNetworkStream]:
    over = asyncio.Event()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
            await over.wait()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    stream = await Sockets().connect_tcp("127.0.0.1", server.sockets[0].getsockname()[1], timeout=30)
    try:
        yield stream
    finally:
        over.set()
        await stream.aclose()
        server.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.005)


def test_what_nobody_reads_waits_at_the_server() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(400):
            writer.write(b"x" * 65536)
            await writer.drain()

    async def work() -> int:
        async with connected(talk) as stream:
            line = stream._line  # type: ignore[attr-defined]
            await until(lambda: line._paused)
            await asyncio.sleep(0.05)
            held = len(line.buffer)
            read = 0
            while read < 400 * 65536:
                read += len(await stream.read(65536, timeout=30))
            return int(held)

    assert MOST_BUFFERED < asyncio.run(work()) <= MOST_BUFFERED + 512 * 1024


@pytest.mark.parametrize("said", [b"HTTP/1.1 408 Request Timeout\r\n\r\n", b""], ids=["bytes unasked", "the end"])
def test_an_idle_connection_that_says_something_is_readable_and_so_not_used_again(said: bytes) -> None:
    idle = asyncio.Event()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await idle.wait()
        writer.write(said)
        writer.write_eof()

    async def work() -> None:
        async with connected(talk) as stream:
            assert not stream.get_extra_info("is_readable")
            idle.set()
            await until(lambda: bool(stream.get_extra_info("is_readable")))

    asyncio.run(work())


def test_a_server_that_keeps_silent_is_a_read_timeout() -> None:
    async def talk(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        pass

    async def work() -> None:
        async with connected(talk) as stream:
            with pytest.raises(httpcore.ReadTimeout):
                await stream.read(10, timeout=0.05)

    asyncio.run(work())


def test_a_server_that_takes_nothing_is_a_write_timeout() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]

    async def work() -> None:
        async with connected(talk) as stream:
            with pytest.raises(httpcore.WriteTimeout):
                await stream.write(b"x" * 64 * 1024 * 1024, timeout=0.1)

    asyncio.run(work())


def test_a_connection_cut_in_the_middle_is_a_read_error_or_the_end() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"half")
        await writer.drain()
        writer.transport.abort()

    async def work() -> bytes:
        said = b""
        async with connected(talk) as stream:
            with suppress(httpcore.ReadError):
                while piece := await stream.read(100, timeout=30):
                    said += piece
        return said

    assert asyncio.run(work()) == b"half"


def test_tls_is_spoken_on_the_same_connection_and_its_certificate_can_be_seen() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(4)) * 50_000)
        await writer.drain()

    async def work() -> tuple[int, bytes | None]:
        async with connected(talk, context) as plain:
            stream = await plain.start_tls(trusting, "localhost", timeout=30)
            await stream.write(b"ping", timeout=30)
            size = 0
            while size < 200_000:
                size += len(await stream.read(65536, timeout=30))
            return size, stream.get_extra_info("ssl_object").getpeercert(binary_form=True)

    size, certificate = asyncio.run(work())
    assert size == 200_000
    assert certificate


def test_a_certificate_nobody_vouches_for_is_a_connect_error_with_its_cause() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    async def talk(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        pass

    async def work() -> None:
        async with connected(talk, context) as plain:
            with pytest.raises(httpcore.ConnectError) as caught:
                await plain.start_tls(ssl.create_default_context(), "localhost", timeout=30)
            assert isinstance(caught.value.__cause__, ssl.SSLError)

    asyncio.run(work())
