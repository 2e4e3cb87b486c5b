"""br and zstd: decoded step by step under the same caps as gzip (fetch contract N8, N9, Q4; `enc-*`, `bomb-*`)."""

from __future__ import annotations

import asyncio
import gzip
import random
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable

import brotli
import pytest
from fakes import rss
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FetchError
from pipeline.fetch import wire
from pipeline.fetch.wire import Limits

zstd = wire._zstd
MIB = 1024 * 1024
BODY = rss()
LIMITS = Limits(wire=20 * MIB, body=20 * MIB, ratio=100)
SKIPPED = b"\x5a\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"


def decoded(packed: bytes, *codings: str, by: int = 65536, limits: Limits = LIMITS) -> bytes:
    """What a body decodes to when it comes in pieces of `by` bytes."""

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(packed), by):
            yield packed[start : start + by]

    found, size = asyncio.run(wire.body(chunks(), codings, limits, "https://example.org/feed"))
    assert size == len(packed)
    return found


def refused(packed: bytes, *codings: str, by: int = 65536, limits: Limits = LIMITS) -> FetchError:
    with pytest.raises(FetchError) as caught:
        decoded(packed, *codings, by=by, limits=limits)
    return caught.value


def frame(data: bytes) -> bytes:
    return bytes(zstd.compress(data))


@pytest.mark.parametrize("by", [65536, 7, 1])
@pytest.mark.parametrize(
    ("codings", "packed"),
    [
        pytest.param(("br",), brotli.compress(BODY), id="enc-br"),
        pytest.param(("zstd",), frame(BODY), id="enc-zstd"),
        pytest.param(("zstd",), frame(BODY[:90]) + frame(BODY[90:]), id="enc-zstd-in-two-frames"),
        pytest.param(("zstd",), SKIPPED + frame(BODY) + SKIPPED, id="enc-zstd-with-frames-to-skip"),
        pytest.param(("br", "gzip"), gzip.compress(brotli.compress(BODY)), id="enc-br-then-gzip"),
        pytest.param(("gzip", "br"), brotli.compress(gzip.compress(BODY)), id="enc-gzip-then-br"),
        pytest.param(("zstd", "br"), brotli.compress(frame(BODY)), id="enc-zstd-then-br"),
        pytest.param(("zstd", "zstd"), frame(frame(BODY)), id="enc-zstd-twice"),
    ],
)
def test_codings_are_decoded_however_the_bytes_come(codings: tuple[str, ...], packed: bytes, by: int) -> None:
    assert decoded(packed, *codings, by=by) == BODY


@pytest.mark.parametrize("size", [1, 32 * 1024, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 100, 512 * 1024, MIB])
@pytest.mark.parametrize(("coding", "pack"), [("br", brotli.compress), ("zstd", frame)])
def test_body_around_the_size_of_a_step_is_whole(size: int, coding: str, pack: Callable[[bytes], bytes]) -> None:
    assert decoded(pack(b"a" * size), coding) == b"a" * size


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=3000), repeated=st.integers(1, 300), by=st.integers(1, 5000))
def test_any_bytes_come_back_as_they_were(data: bytes, repeated: int, by: int) -> None:
    whole = data * repeated
    assert decoded(brotli.compress(whole, quality=1), "br", by=by) == whole
    assert decoded(frame(whole), "zstd", by=by) == whole


ZEROS = bytes(256 * MIB)
BR_BOMB, ZSTD_BOMB = brotli.compress(ZEROS, quality=4), frame(ZEROS)
del ZEROS


@pytest.mark.parametrize(
    ("codings", "packed"),
    [
        pytest.param(("br",), BR_BOMB, id="bomb-br"),
        pytest.param(("zstd",), ZSTD_BOMB, id="bomb-zstd"),
        pytest.param(("zstd",), ZSTD_BOMB * 900, id="bomb-zstd-in-frames"),
        pytest.param(("br", "br"), brotli.compress(BR_BOMB), id="bomb-br2"),
        pytest.param(("zstd", "zstd"), frame(ZSTD_BOMB * 1000), id="bomb-zstd2"),
        pytest.param(("br", "gzip"), gzip.compress(BR_BOMB), id="bomb-br-in-gzip"),
        pytest.param(("zstd", "br"), brotli.compress(ZSTD_BOMB * 1000), id="bomb-zstd-in-br"),
        pytest.param(("zstd",), frame(b"") * 1001, id="bomb-zstd-of-nothing"),
        pytest.param(("zstd", "gzip"), gzip.compress(frame(b"") * 200_000), id="bomb-zstd-of-nothing-in-gzip"),
    ],
)
@pytest.mark.parametrize("by", [65536, 5])
def test_bomb_is_refused_while_it_unpacks(codings: tuple[str, ...], packed: bytes, by: int) -> None:
    """The process never holds more than a few steps of it, however it comes."""
    tracemalloc.start()
    try:
        error = refused(packed[: MIB if by > 5 else 30_000], *codings, by=by)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.kind == "bomb"
    assert peak < 16 * MIB


def test_bomb_costs_the_process_no_memory_of_its_decoder_either() -> None:
    """N14, measured from outside: what the decoders' own C code takes is bounded too."""
    code = (
        "import resource, sys; sys.path[:0] = ['tests']\n"
        "from pipeline.errors import FetchError; import brotli; from pipeline.fetch import wire; import asyncio\n"
        "zeros = bytes(64 * 2**20); bombs = [('br', brotli.compress(zeros, quality=4, lgwin=24)),"
        " ('zstd', wire._zstd.compress(zeros))]; del zeros\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "async def one(packed):\n    yield packed\n"
        "for coding, packed in bombs * 3:\n"
        "    try: asyncio.run(wire.body(one(packed), (coding,), wire.Limits(2**24, 2**24, 100), 'u'))\n"
        "    except FetchError as error: assert error.kind in ('bomb', 'too_big'), error.kind\n"
        "    else: sys.exit(1)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    # ru_maxrss is in KiB, on macOS in bytes; the 64 MiB of zeros before it are the high-water mark.
    assert int(run.stdout) < 64 * (1024 if sys.platform != "darwin" else MIB)


def test_zstd_that_wants_a_huge_window_is_refused() -> None:
    """RFC 9659: 8 MiB at most, so that one answer cannot make us hold 128 MiB."""
    noise = random.Random(7).randbytes(MIB) * 9
    wide = zstd.compress(noise, options={zstd.CompressionParameter.window_log: 27})
    assert "too much memory" in refused(wide, "zstd").why


@pytest.mark.parametrize(("coding", "pack"), [("br", lambda data: brotli.compress(data, quality=1)), ("zstd", frame)])
def test_body_that_unpacks_to_more_than_the_limit_is_refused(coding: str, pack: Callable[[bytes], bytes]) -> None:
    words = random.Random(7).randbytes(40_000).hex().encode() * 40
    limits = Limits(wire=20 * MIB, body=2 * MIB, ratio=100)
    error = refused(pack(words), coding, limits=limits)
    assert (error.kind, error.why) == ("too_big", "larger than 2 MiB")


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        pytest.param("br", brotli.compress(BODY)[:-1], id="truncated-br"),
        pytest.param("br", brotli.compress(BODY)[:20], id="truncated-br-early"),
        pytest.param("br", brotli.compress(BODY) + b"more", id="br-goes-on"),
        pytest.param("br", BODY, id="damaged-br"),
        pytest.param("zstd", frame(BODY)[:-1], id="truncated-zstd"),
        pytest.param("zstd", frame(BODY)[:3], id="truncated-zstd-magic"),
        pytest.param("zstd", frame(BODY) + frame(BODY)[:9], id="truncated-second-frame"),
        pytest.param("zstd", BODY, id="damaged-zstd"),
    ],
)
@pytest.mark.parametrize("by", [65536, 1])
def test_answer_that_breaks_off_is_a_failure(coding: str, packed: bytes, by: int) -> None:
    assert refused(packed, coding, by=by).kind == "truncated"


def test_padding_after_the_last_frame_is_no_damage() -> None:
    assert decoded(frame(BODY) + bytes(64), "zstd") == BODY


@pytest.mark.parametrize("missing", ["brotli", "backports.zstd"])
def test_coding_without_its_module_is_neither_asked_for_nor_taken(missing: str) -> None:
    if missing == "backports.zstd" and sys.version_info >= (3, 14):
        missing = "compression.zstd"
    name = "br" if missing == "brotli" else "zstd"
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pipeline.errors import FetchError; from pipeline.fetch import wire\n"
        f"assert {name!r} not in wire.CODINGS and len(wire.CODINGS) == 3, wire.CODINGS\n"
        f"try: wire._Decoder({name!r}, 100, 'u')\n"
        "except FetchError as error: assert 'not asked for' in error.why\n"
        "else: sys.exit(1)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("size", "crumbs"), [(1, True), (100, False)], ids=["one byte each", "a hundred each"])
def test_answer_in_very_many_pieces_is_refused_when_they_are_crumbs(size: int, crumbs: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(wire.MAX_PIECES + 1):
            yield b"x" * size

    reading = wire.body(pieces(), (), Limits(2**25, 2**25, 100), "https://example.org/feed")
    if not crumbs:
        assert len(asyncio.run(reading)[0]) == (wire.MAX_PIECES + 1) * size
        return
    with pytest.raises(FetchError) as caught:
        asyncio.run(reading)
    assert caught.value.kind == "bomb"
