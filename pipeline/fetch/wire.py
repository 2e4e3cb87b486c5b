"""Reading a body within its limits: bytes are counted while they are decoded, never after (fetch contract N8, N9)."""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.errors import FetchError


def _module(name: str) -> Any:
    """A module that some platform may have no wheel of; `None` where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_brotli = _module("brotli")
_zstd = _module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

CODINGS = ("gzip", "deflate", *(("br",) if _brotli else ()), *(("zstd",) if _zstd else ()))
"""What Accept-Encoding names: only what `body` decodes under its limits (contract Q4)."""

NO_CODING = frozenset({"", "identity", "none", "binary", "utf-8", "utf8"})
"""What stands in Content-Encoding and is no coding of content; servers that mean the charset say so too."""

GZIP_MAGIC = b"\x1f\x8b\x08"
"""How every gzip stream begins (RFC 1952, 2.3.1; deflate is its only method)."""

RATIO_FREE = 1024 * 1024
"""Below this many decoded bytes no ratio is too high (contract N9)."""

MAX_MEMBERS = 1000
"""Gzip members, or zstd frames, in one answer; each costs time, also one that holds nothing."""

MAX_PIECES = 100_000
CRUMB = 64
"""An answer in more pieces than this, of fewer bytes each on average, is sent to cost time: a chunk of one byte takes
as long as one of 16 KiB."""

ZSTD_WINDOW = 23
"""Binary logarithm of the largest window, 8 MiB: what a decoder on the web need not go beyond (RFC 9659)."""

_STEP = 256 * 1024
_GZIP, _ZLIB, _RAW = 31, 15, -15
_SKIPPABLE = tuple(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))

# How the next member or frame begins (RFC 1952, 2.3.1; RFC 8878, 3.1); brotli and deflate know one stream only.
_MAGIC = {
    "gzip": (GZIP_MAGIC,),
    "x-gzip": (GZIP_MAGIC,),
    "zstd": (b"\x28\xb5\x2f\xfd", *_SKIPPABLE),
}
_DAMAGED: tuple[type[Exception], ...] = (
    zlib.error,
    *((_brotli.error,) if _brotli else ()),
    *((_zstd.ZstdError,) if _zstd else ()),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes on the wire, bytes decoded, and how many times the one may be the other."""

    wire: int
    body: int
    ratio: int


async def body(chunks: AsyncIterator[bytes], codings: tuple[str, ...], limits: Limits, url: str) -> tuple[bytes, int]:
    """The decoded body and its size on the wire.

    What is called gzip and is not, is taken as it stands; what is gzip and is not called so (a file `.xml.gz`) is
    decoded: its first bytes tell.

    Raises FetchError: `too_big`, `bomb`, `truncated` (a coding that ends early) or `protocol` (one we did not ask for).
    """
    if len(codings) > 2:
        raise FetchError(url, f"the answer is coded {len(codings)} times over", kind="bomb")
    head, chunks = await _peeked(chunks)
    if not codings and head == GZIP_MAGIC:
        codings = ("gzip",)
    elif codings[-1:] in (("gzip",), ("x-gzip",)) and len(head) == len(GZIP_MAGIC) and head != GZIP_MAGIC:
        codings = codings[:-1]
    decoders = [_Decoder(coding, limits.ratio, url) for coding in reversed(codings)]
    wire = 0
    whole = bytearray()
    came = 0
    async for chunk in chunks:
        wire += len(chunk)
        came += 1
        if came > MAX_PIECES and wire < came * CRUMB:
            raise FetchError(url, f"comes in crumbs, {came - 1} of them", kind="bomb")
        if wire > limits.wire:
            raise FetchError(url, f"larger than {_mb(limits.wire)} on the wire", kind="too_big")
        decoded: Iterator[bytes] = iter((chunk,))
        for decoder in decoders:
            decoded = decoder.through(decoded)
        for piece in decoded:
            size = len(whole) + len(piece)
            if size > limits.body:
                raise FetchError(url, f"larger than {_mb(limits.body)}", kind="too_big")
            if decoders and size > RATIO_FREE and size > wire * limits.ratio:
                raise _bomb(url, limits.ratio)
            whole += piece
    for decoder in decoders:
        if wire and not decoder.complete:
            raise FetchError(url, "the compressed answer ends in the middle", kind="truncated")
    return bytes(whole), wire


async def _peeked(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes, as many as tell gzip from others, and all of them again."""
    taken = []
    head = b""
    async for chunk in chunks:
        taken.append(chunk)
        head = (head + chunk)[: len(GZIP_MAGIC)]
        if len(head) == len(GZIP_MAGIC):
            break

    async def whole() -> AsyncIterator[bytes]:
        for chunk in taken:
            yield chunk
        async for chunk in chunks:
            yield chunk

    return head, whole()


class _Stream(Protocol):
    """One coded stream, member or frame. `rest` is what it did not take, `more` says it holds back output."""

    rest: bytes
    more: bool
    ended: bool

    def step(self, data: bytes) -> bytes:
        """What these bytes decode to, half a MiB of it at most; ask again with `rest` while there is more."""
        ...


class _Zlib:
    """gzip, zlib or raw deflate."""

    def __init__(self, wbits: int) -> None:
        self._stream = zlib.decompressobj(wbits)
        self.rest, self.more, self.ended = b"", False, False

    def step(self, data: bytes) -> bytes:
        out = self._stream.decompress(data, _STEP)
        self.ended = self._stream.eof
        self.rest = self._stream.unused_data if self.ended else self._stream.unconsumed_tail
        self.more = (
            not self.ended and len(out) == _STEP
        )  # a full step may have more behind it although every byte was taken
        return out


class _Brotli:
    """br (RFC 7932): takes all it is given and holds back what does not fit a step. Bytes after its end are damage."""

    def __init__(self) -> None:
        self._stream = _brotli.Decompressor()
        self.rest, self.more, self.ended = b"", False, False

    def step(self, data: bytes) -> bytes:
        out: bytes = self._stream.process(data, output_buffer_limit=_STEP)
        self.ended = self._stream.is_finished()
        # It may hold back output although it would take more input; only an empty step tells.
        self.more = not self.ended and (bool(out) or not self._stream.can_accept_more_data())
        return out


class _Zstd:
    """One frame of zstd (RFC 8878), with no more memory than its window may have."""

    def __init__(self) -> None:
        self._stream = _zstd.ZstdDecompressor(options={_zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW})
        self.rest, self.more, self.ended = b"", False, False

    def step(self, data: bytes) -> bytes:
        out: bytes = self._stream.decompress(data, _STEP)
        self.ended = self._stream.eof
        self.rest = self._stream.unused_data if self.ended else b""
        self.more = not self.ended and not self._stream.needs_input
        return out


class _Decoder:
    """One content coding, decoded in bounded steps. `deflate` is zlib or, from many, raw (RFC 9110, 8.4.1.2)."""

    def __init__(self, coding: str, ratio: int, url: str) -> None:
        if coding not in (*CODINGS, "x-gzip"):
            raise FetchError(url, f"coded as {coding!r}, which was not asked for", kind="protocol")
        self._url, self._ratio, self._coding = url, ratio, coding
        self._stream = self._fresh()
        self._head: bytes | None = b"" if coding == "deflate" else None
        self._taken = self._given = 0
        self._members = 1

    @property
    def complete(self) -> bool:
        """Whether the coded stream came to its end."""
        return self._stream.ended

    def through(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """What these bytes decode to, in pieces of at most half a MiB, each made only when it is asked for.

        Each layer of a double coding has its own ratio: one that unpacks to nothing costs time all the same.
        """
        for chunk in chunks:
            self._taken += len(chunk)
            for piece in self._feed(chunk):
                self._given += len(piece)
                if self._given > RATIO_FREE and self._given > self._taken * self._ratio:
                    raise _bomb(self._url, self._ratio)
                yield piece

    def _fresh(self) -> _Stream:
        if self._coding == "br":
            return _Brotli()
        return _Zstd() if self._coding == "zstd" else _Zlib(_ZLIB if self._coding == "deflate" else _GZIP)

    def _feed(self, data: bytes) -> Iterator[bytes]:
        if self._head is not None:
            # The first two bytes tell zlib from raw deflate (RFC 1950, 2.2), and may come one by one.
            data = self._head + data
            self._head = data if len(data) < 2 else None
            if self._head is not None:
                return
            if data[0] & 15 != 8 or int.from_bytes(data[:2], "big") % 31:
                self._stream = _Zlib(_RAW)
        more = bool(data)
        while more:
            if self._stream.ended:
                # Several members or frames in a row are one answer; padding after the end is none.
                if self._coding == "br":
                    raise FetchError(self._url, "the compressed answer goes on after its end", kind="truncated")
                if not any(data[:4].startswith(magic[: len(data)]) for magic in _MAGIC.get(self._coding, ())):
                    return
                self._members += 1
                if self._members > MAX_MEMBERS:
                    raise FetchError(self._url, f"packed in more than {MAX_MEMBERS} pieces", kind="bomb")
                self._stream = self._fresh()
            try:
                out = self._stream.step(data)
            except _DAMAGED as error:
                raise FetchError(self._url, f"the compressed answer is damaged ({error})", kind="truncated") from None
            data = self._stream.rest
            more = bool(data) or self._stream.more
            if out:
                yield out


def _bomb(url: str, ratio: int) -> FetchError:
    return FetchError(url, f"unpacks to more than {ratio} times its size", kind="bomb")


def _mb(size: int) -> str:
    return f"{size / (1024 * 1024):.0f} MiB" if size >= 1024 * 1024 else f"{size // 1024} KiB"
