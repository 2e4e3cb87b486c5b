"""How many bytes one request may bring in, all told: interim answers, headers and framing too.

Who reads a body counts its bytes; what comes before it, or between its chunks, nobody else does. The budget belongs to
the request that is under way, so a connection may serve several.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

from pipeline.errors import FetchError

BEFORE_BODY = 512 * 1024
"""Bytes until the headers of the answer itself are there; they may have 64 KiB (fetch contract N10), and interim
answers (103 Early Hints) may come before."""

FRAMING = 1024 * 1024
"""Bytes beside those of the body: the sizes of chunks, and trailers."""


class Budget:
    """What one request may still bring in."""

    def __init__(self, url: str) -> None:
        self._url, self._left = url, BEFORE_BODY

    def body_begins(self, most: int) -> None:
        """The headers are there; the body may have `most` bytes."""
        self._left = most + FRAMING

    def spend(self, size: int) -> None:
        """Raises FetchError when more came than any feed needs."""
        self._left -= size
        if self._left < 0:
            raise FetchError(self._url, "sends more around its answer than any feed needs", kind="too_big")


_budget: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def metered(budget: Budget) -> Iterator[None]:
    """What is read inside is taken from this budget."""
    before = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(before)


class Metered(httpcore.AsyncNetworkStream):
    """A connection whose reading is counted."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        data = await self._stream.read(max_bytes, timeout)
        if budget := _budget.get():
            budget.spend(len(data))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return Metered(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
