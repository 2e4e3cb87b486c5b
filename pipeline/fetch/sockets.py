"""TCP and TLS for httpcore over asyncio's own transports: bytes in, bytes out, nothing of HTTP.

httpcore's own way leads through anyio, which opens a cancel scope and two context managers for each read and write.
Together with httpx's client that was two fifths of a request that brings a 304 (docs/performance.md).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

MOST_BUFFERED = 256 * 1024
"""Bytes read ahead of whoever wants them; the rest waits at the server."""


class Sockets(httpcore.AsyncNetworkBackend):
    """Opens connections to addresses, which `Guard` has checked before."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, line = await loop.create_connection(_Line, host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"no connection to {host} within {timeout:g} s") from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return _Stream(line)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Line(asyncio.Protocol):
    """One connection: what came and was not read yet, and whether more may be written."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.ended = False
        self.error: Exception | None = None
        self.transport: asyncio.Transport
        self._arrived: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._full = self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > MOST_BUFFERED and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        _settle(self._arrived)

    def eof_received(self) -> bool:
        self.ended = True
        _settle(self._arrived)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.ended, self.error = True, error
        _settle(self._arrived)
        _settle(self._drained)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        _settle(self._drained)

    async def read(self, most: int) -> bytes:
        """At most this many bytes, as soon as there are any; none at the end. Raises OSError."""
        while not self.buffer and not self.ended:
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        if not self.buffer and self.error:
            raise self.error
        data = bytes(self.buffer[:most])
        del self.buffer[:most]
        if self._paused and len(self.buffer) <= MOST_BUFFERED // 2:
            self._paused = False
            self.transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Hands the bytes on, and waits while too many of them wait. Raises OSError."""
        if self.ended and self.error:
            raise self.error
        self.transport.write(data)
        while self._full and not self.ended:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained


class _Stream(httpcore.AsyncNetworkStream):
    """A connection as httpcore wants it."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._line.buffer:  # no timer for what is there already
            return await self._line.read(max_bytes)
        try:
            async with asyncio.timeout(timeout):
                return await self._line.read(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout("no byte came") from None
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if not buffer:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._line.write(buffer)
        except TimeoutError:
            raise httpcore.WriteTimeout("the server takes no byte") from None
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        # TLS would wait for the other side's farewell, which says nothing that HTTP has not said (its lengths count).
        if self.get_extra_info("ssl_object"):
            self._line.transport.abort()
        else:
            self._line.transport.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        line, loop = self._line, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                secured = await loop.start_tls(line.transport, line, ssl_context, server_hostname=server_hostname)
        except TimeoutError:
            line.transport.abort()
            raise httpcore.ConnectTimeout("the server does not answer in TLS") from None
        except (OSError, ssl.SSLError) as error:
            line.transport.abort()
            raise httpcore.ConnectError(str(error)) from error
        assert secured is not None
        line.transport = secured
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            # An idle connection that has something to say, or has ended, is not to be used again.
            return self._line.ended or bool(self._line.buffer)
        return self._line.transport.get_extra_info(info)


def _settle(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
