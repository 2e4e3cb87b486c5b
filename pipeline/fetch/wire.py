"""Reading a body within its limits: bytes are counted while they are decoded, never after (fetch contract N8, N9)."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from pipeline.errors import FetchError

CODINGS = ("gzip", "deflate")
"""What Accept-Encoding names: only what `body` decodes under its limits (contract Q4)."""

RATIO_FREE = 1024 * 1024
"""Below this many decoded bytes no ratio is too high (contract N9)."""

_STEP = 256 * 1024


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
    decoders = [_Decoder(coding, url) for coding in reversed(codings)]
    wire = 0
    pieces: list[bytes] = []
    size = 0
    async for chunk in chunks:
        wire += len(chunk)
        if wire > limits.wire:
            raise FetchError(url, f"larger than {_mb(limits.wire)} on the wire", kind="too_big")
        for piece in _through(decoders, chunk):
            size += len(piece)
            if size > limits.body:
                raise FetchError(url, f"larger than {_mb(limits.body)}", kind="too_big")
            if decoders and size > RATIO_FREE and size > wire * limits.ratio:
                raise FetchError(url, f"unpacks to more than {limits.ratio} times its size", kind="bomb")
            pieces.append(piece)
    for decoder in decoders:
        if wire and not decoder.complete:
            raise FetchError(url, "the compressed answer ends in the middle", kind="truncated")
    return b"".join(pieces), wire


def _through(decoders: list[_Decoder], chunk: bytes) -> list[bytes]:
    pieces = [chunk]
    for decoder in decoders:
        pieces = [out for piece in pieces for out in decoder.feed(piece)]
    return pieces


class _Decoder:
    """One content coding, decoded in bounded steps. `deflate` is zlib or, from many, raw (RFC 9110, 8.4.1.2)."""

    def __init__(self, coding: str, url: str) -> None:
        if coding not in (*CODINGS, "x-gzip"):
            raise FetchError(url, f"coded as {coding!r}, which was not asked for", kind="protocol")
        self._url = url
        self._coding = coding
        self._stream = zlib.decompressobj(31 if "gzip" in coding else 15)
        self._started = False
        self.complete = False

    def feed(self, data: bytes) -> list[bytes]:
        """What these bytes decode to, in pieces of at most 256 KiB."""
        pieces = []
        while data and not self.complete:
            try:
                out = self._stream.decompress(data, _STEP)
            except zlib.error as error:
                if self._coding == "deflate" and not self._started:
                    self._stream = zlib.decompressobj(-15)
                    self._started = True
                    continue
                raise FetchError(self._url, f"the compressed answer is damaged ({error})", kind="truncated") from None
            self._started = True
            self.complete = self._stream.eof
            data = self._stream.unconsumed_tail
            if out:
                pieces.append(out)
            elif not data:
                break
        return pieces


def _mb(size: int) -> str:
    return f"{size / (1024 * 1024):.0f} MiB" if size >= 1024 * 1024 else f"{size // 1024} KiB"
