"""Reading a body within its limits: bytes are counted while they are decoded, never after (fetch contract N8, N9)."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from pipeline.errors import FetchError

CODINGS = ("gzip", "deflate")
"""What Accept-Encoding names: only what `body` decodes under its limits (contract Q4)."""

RATIO_FREE = 1024 * 1024
"""Below this many decoded bytes no ratio is too high (contract N9)."""

MAX_MEMBERS = 1000
"""Gzip members in one answer; each costs time, also one that holds nothing."""

_STEP = 256 * 1024
_GZIP, _ZLIB, _RAW = 31, 15, -15


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes on the wire, bytes decoded, and how many times the one may be the other."""

    wire: int
    body: int
    ratio: int


async def body(chunks: AsyncIterator[bytes], codings: tuple[str, ...], limits: Limits, url: str) -> tuple[bytes, int]:
    """The decoded body and its size on the wire.

    Raises FetchError: `too_big`, `bomb`, `truncated` (a coding that ends early) or `protocol` (one we did not ask for).
    """
    if len(codings) > 2:
        raise FetchError(url, f"the answer is coded {len(codings)} times over", kind="bomb")
    decoders = [_Decoder(coding, limits.ratio, url) for coding in reversed(codings)]
    wire = 0
    pieces: list[bytes] = []
    size = 0
    async for chunk in chunks:
        wire += len(chunk)
        if wire > limits.wire:
            raise FetchError(url, f"larger than {_mb(limits.wire)} on the wire", kind="too_big")
        decoded: Iterator[bytes] = iter((chunk,))
        for decoder in decoders:
            decoded = decoder.through(decoded)
        for piece in decoded:
            size += len(piece)
            if size > limits.body:
                raise FetchError(url, f"larger than {_mb(limits.body)}", kind="too_big")
            if decoders and size > RATIO_FREE and size > wire * limits.ratio:
                raise _bomb(url, limits.ratio)
            pieces.append(piece)
    for decoder in decoders:
        if wire and not decoder.complete:
            raise FetchError(url, "the compressed answer ends in the middle", kind="truncated")
    return b"".join(pieces), wire


class _Decoder:
    """One content coding, decoded in bounded steps. `deflate` is zlib or, from many, raw (RFC 9110, 8.4.1.2)."""

    def __init__(self, coding: str, ratio: int, url: str) -> None:
        if coding not in (*CODINGS, "x-gzip"):
            raise FetchError(url, f"coded as {coding!r}, which was not asked for", kind="protocol")
        self._url, self._ratio = url, ratio
        self._gzip = "gzip" in coding
        self._stream = zlib.decompressobj(_GZIP if self._gzip else _ZLIB)
        self._head: bytes | None = None if self._gzip else b""
        self._taken = self._given = 0
        self._members = 1

    @property
    def complete(self) -> bool:
        """Whether the coded stream came to its end."""
        return self._stream.eof

    def through(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """What these bytes decode to, in pieces of at most 256 KiB, each made only when it is asked for.

        Each layer of a double coding has its own ratio: one that unpacks to nothing costs time all the same.
        """
        for chunk in chunks:
            self._taken += len(chunk)
            for piece in self._feed(chunk):
                self._given += len(piece)
                if self._given > RATIO_FREE and self._given > self._taken * self._ratio:
                    raise _bomb(self._url, self._ratio)
                yield piece

    def _feed(self, data: bytes) -> Iterator[bytes]:
        if self._head is not None:
            # The first two bytes tell zlib from raw deflate (RFC 1950, 2.2), and may come one by one.
            data = self._head + data
            self._head = data if len(data) < 2 else None
            if self._head is not None:
                return
            if data[0] & 15 != 8 or int.from_bytes(data[:2], "big") % 31:
                self._stream = zlib.decompressobj(_RAW)
        more = bool(data)
        while more:
            if self._stream.eof:
                # Several gzip members in a row are one answer (RFC 1952, 2.2); padding after the end is none.
                if not self._gzip or data[:2] not in (b"\x1f\x8b", b"\x1f"):
                    return
                self._members += 1
                if self._members > MAX_MEMBERS:
                    raise FetchError(self._url, f"packed in more than {MAX_MEMBERS} pieces", kind="bomb")
                self._stream = zlib.decompressobj(_GZIP)
            try:
                out = self._stream.decompress(data, _STEP)
            except zlib.error as error:
                raise FetchError(self._url, f"the compressed answer is damaged ({error})", kind="truncated") from None
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            # A full step may have more behind it although every byte was taken.
            more = bool(data) or len(out) == _STEP
            if out:
                yield out


def _bomb(url: str, ratio: int) -> FetchError:
    return FetchError(url, f"unpacks to more than {ratio} times its size", kind="bomb")


def _mb(size: int) -> str:
    return f"{size / (1024 * 1024):.0f} MiB" if size >= 1024 * 1024 else f"{size // 1024} KiB"
