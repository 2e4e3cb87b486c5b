"""What a hostile server may say, as steps of bytes: each case is a function that makes them anew for a request.

Built in the bench's server process, whose memory and time are not counted. All of it is invented.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator

from pipeline.fetch import wire

MIB = 1024 * 1024
Step = bytes | float
Case = Callable[[], Iterable[Step]]

ITEM = b"<item><guid>%d</guid><title>Item %d of many</title><link>https://many.example/%d</link></item>"
HEAD = b"<rss version='2.0'><channel><title>T</title>"
END = b"</channel></rss>"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nConnection: close\r\n"


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/rss+xml", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body


def whole(make: Callable[[], bytes], *headers: bytes) -> Case:
    """An answer with this body, made at the first request."""
    return lambda: (answer(make(), *headers),)


def coded(make: Callable[[], bytes], coding: bytes) -> Case:
    return whole(make, b"Content-Encoding: " + coding)


def zeros(window: int, size: int = 1024 * MIB) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def brotli_zeros() -> bytes:
    packer = wire._brotli.Compressor(quality=5)
    return b"".join(packer.process(bytes(MIB)) for _ in range(1024)) + packer.finish()


def zstd_zeros() -> bytes:
    packer = wire._zstd.ZstdCompressor()
    return b"".join(packer.compress(bytes(MIB)) for _ in range(1024)) + packer.flush()


def filled(piece: bytes, size: int = 19 * MIB) -> bytes:
    return piece * (size // len(piece))


def items(count: int) -> bytes:
    return HEAD + b"".join(ITEM % (n, n, n) for n in range(count)) + END


def one(inside: bytes, ahead: bytes = b"") -> bytes:
    return ahead + HEAD + b"<item><guid>1</guid><title>One</title>" + inside + b"</item>" + END


def entities(declared: bytes, used: bytes) -> bytes:
    return one(b"<description>" + used + b"</description>", b"<!DOCTYPE rss [" + declared + b"]>")


def json_items(inside: bytes) -> bytes:
    return b'{"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [' + inside + b"]}"


def for_ever(piece: bytes, head: bytes = STREAM + b"\r\n", every: float | None = None) -> Case:
    def steps() -> Iterator[Step]:
        yield head
        while True:
            if every is not None:
                yield every
            yield piece

    return steps


def redirect(to: bytes) -> bytes:
    return answer(b"", b"Location: " + to, status=b"302 Elsewhere")


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(12))
CUT = items(1000)[:-2000]

CASES: dict[str, Case] = {
    # --- packed (contract N8, N9) ---
    "gzip bomb, 1 GiB": coded(lambda: zeros(31), b"gzip"),
    "deflate bomb, 1 GiB": coded(lambda: zeros(15), b"deflate"),
    "raw deflate bomb, 1 GiB": coded(lambda: zeros(-15), b"deflate"),
    "br bomb, 1 GiB": coded(brotli_zeros, b"br"),
    "zstd bomb, 1 GiB": coded(zstd_zeros, b"zstd"),
    "gzip in gzip, 1 GiB": coded(lambda: gzip.compress(zeros(31)), b"gzip, gzip"),
    "gzip three times": coded(lambda: gzip.compress(gzip.compress(zeros(31))), b"gzip, gzip, gzip"),
    "gzip bomb not called so": whole(lambda: zeros(31)),
    "20,000 gzip members": coded(lambda: gzip.compress(b"") * 20_000, b"gzip"),
    "gzip within all limits, 19 MiB of items": coded(lambda: gzip.compress(items(190_000)), b"gzip"),
    # --- endless and slow (N7, N8) ---
    "endless body": for_ever(b"<item><title>again</title></item>" * 2000),
    "endless chunks": for_ever(
        b"10000\r\n" + b"x" * 65536 + b"\r\n", STREAM + b"Transfer-Encoding: chunked\r\n\r\n"
    ),
    "endless tiny chunks": for_ever(b"1\r\nx\r\n" * 5000, STREAM + b"Transfer-Encoding: chunked\r\n\r\n"),
    "body dripping": for_ever(b" ", STREAM + b"Content-Length: 9999\r\n\r\n<rss>", every=1.0),
    "headers dripping": for_ever(b"X-More: y\r\n", b"HTTP/1.1 200 OK\r\n", every=1.0),
    "silence": for_ever(b"", b"", every=1.0),
    "interim answers without end": for_ever(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100, b""),
    # --- headers (N10) ---
    "5,000 headers": lambda: (
        answer(items(3), *(b"X-%d: y" % n for n in range(5000))),
    ),
    "one header of 1 MiB": lambda: (answer(items(3), b"X-Big: " + b"y" * MIB),),
    "headers without end": for_ever(b"X-More: " + b"y" * 60_000 + b"\r\n", b"HTTP/1.1 200 OK\r\n"),
    # --- redirects (N11) ---
    "redirect to itself": lambda: (redirect(b"/bad"),),
    "redirects without end": lambda: (redirect(b"/deeper/x"),),
    "redirect to a slow one": lambda: (redirect(b"/slow"),),
    "redirect with 60 KiB of address": lambda: (redirect(b"/" + b"x" * 60_000),),
    # --- a wire that breaks (B4) ---
    "cut before its length": lambda: (answer(items(100))[:-3000],),
    "length too short": lambda: (STREAM + b"Content-Length: 4000\r\n\r\n" + items(100),),
    "two lengths": lambda: (answer(items(3), b"Content-Length: 7"),),
    "chunks without a size": lambda: (STREAM + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",),
    "chunk of 16 EiB": lambda: (STREAM + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc",),
    "gzip cut": coded(lambda: gzip.compress(items(5000))[:-100], b"gzip"),
    "not HTTP": lambda: (b"220 ftp ready\r\n\r\n",),
    # --- XML (N12, N13) ---
    "1,000,000 tags deep": whole(lambda: HEAD + b"<item>" + b"<a>" * 1_000_000),
    "1,000,000 deep and ill-formed": whole(lambda: HEAD + b"<item>&x" + b"<a>" * 1_000_000),
    "deep from the first byte": whole(lambda: b"<a>" * 6_000_000),
    "200,000 attributes": whole(lambda: one(b"<a " + b" ".join(b"b%d='c'" % n for n in range(200_000)) + b"/>")),
    "200,000 namespaces": whole(
        lambda: one(b"<a " + b" ".join(b"xmlns:b%d='c'" % n for n in range(200_000)) + b"/>")
    ),
    "200,000 items": whole(lambda: items(200_000)),
    "200,000 items, ill-formed": whole(lambda: items(200_000).replace(b"Item 7 ", b"Item & <", 1)),
    "one text of 19 MiB": whole(lambda: one(b"<description>" + filled(b"word ") + b"</description>")),
    "one attribute of 19 MiB": whole(lambda: one(b"<enclosure url='" + filled(b"x") + b"'/>")),
    "one comment of 19 MiB": whole(lambda: one(b"<!--" + filled(b"word ") + b"-->")),
    "5,000,000 empty tags": whole(lambda: one(filled(b"<a/>"))),
    "markup of 19 MiB in a text": whole(
        lambda: one(b"<description><![CDATA[" + filled(b"<b><i>x</b>") + b"]]></description>")
    ),
    "entities laughing": whole(lambda: entities(LAUGHS, b"&l11;")),
    "one entity, 100,000 times": whole(lambda: entities(b'<!ENTITY a "' + b"x" * 50_000 + b'">', b"&a;" * 100_000)),
    "a file as an entity": whole(lambda: entities(b'<!ENTITY a SYSTEM "file:///etc/passwd">', b"&a;")),
    "19 MiB of UTF-16": whole(lambda: items(95_000).decode().encode("utf-16")),
    "ill-formed: 19 MiB of <": whole(lambda: HEAD + filled(b"<")),
    "ill-formed: 19 MiB of &": whole(lambda: one(b"<description>" + filled(b"&") + b"</description>")),
    "ill-formed: 2,000,000 open comments": whole(lambda: one(filled(b"<!-- "))),
    "ill-formed: 1,000,000 open CDATA": whole(lambda: one(filled(b"<![CDATA["))),
    "ill-formed: <a <a <a ...": whole(lambda: one(filled(b"<a b='"))),
    "ill-formed: 2,000 items, cut": whole(lambda: CUT),
    "a date of 1 MiB": whole(lambda: one(b"<pubDate>" + filled(b"1 Jan ", MIB) + b"</pubDate>")),
    # --- JSON and HTML ---
    "JSON 10,000,000 brackets deep": whole(lambda: json_items(b"[" * 10_000_000)),
    "JSON of 200,000 items": whole(lambda: json_items(b",".join(b'{"id": "%d"}' % n for n in range(200_000)))),
    "JSON with a number of 10 MB": whole(lambda: json_items(b'{"id": ' + b"9" * 10_000_000 + b"}")),
    "a page with 200,000 links to feeds": whole(
        lambda: b"<!doctype html>" + b"".join(
            b'<link rel="alternate" type="application/rss+xml" href="/%d">' % n for n in range(200_000)
        )
    ),
    "a page of 19 MiB of <": whole(lambda: b"<!doctype html><html>" + filled(b"<")),
    "19 MiB of nothing": whole(lambda: filled(b"\0")),
}  # fmt: skip
