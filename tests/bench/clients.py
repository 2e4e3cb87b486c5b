"""Readers of the site for benches: GET over connections that stay open, asked in turn, each answer timed whole.

As little of HTTP/1.1 as the site speaks, since the readers share the processors with what they measure.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PATIENCE = 60.0
"""Seconds until a reader gives up."""
LOCKED = b"database is locked"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: `ms` until its last byte came, the bytes of its body, and whether it spoke of a locked database.
    `status` 0 is no answer."""

    page: str
    status: int
    ms: float
    size: int
    locked: bool = False


class Reader:
    """One connection, opened when first needed and again when it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, page: str, path: str) -> Answer:
        """Asks for a path; never raises for what a server can do wrong."""
        began = time.perf_counter()
        try:
            status, body = await asyncio.wait_for(self._get(path), PATIENCE)
        except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
            self.close()
            status, body = 0, b""
        return Answer(page, status, (time.perf_counter() - began) * 1000, len(body), LOCKED in body)

    async def _get(self, path: str) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = b""
        if "content-length" in fields:
            body = await reader.readexactly(int(fields["content-length"]))
        elif fields.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(await reader.readline(), 16):
                parts.append((await reader.readexactly(size + 2))[:-2])
            await reader.readline()
            body = b"".join(parts)
        if fields.get("connection") == "close":
            self.close()
        return status, body

    def close(self) -> None:
        """Lets go of the connection."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def ask(port: int, asked: Sequence[tuple[str, str]], readers: int) -> list[Answer]:
    """Every (page, path), in order, by so many readers at once; each goes on when its answer is there."""
    waiting = iter(asked)
    answers: list[Answer] = []

    async def read() -> None:
        reader = Reader(port)
        for page, path in waiting:
            answers.append(await reader.get(page, path))
        reader.close()

    await asyncio.gather(*(read() for _ in range(readers)))
    return answers


def quantile(values: Iterable[float], part: float) -> float:
    """The value under which this part of them lies; 0 when there are none."""
    held = sorted(values)
    return held[min(len(held) - 1, int(part * len(held)))] if held else 0.0
