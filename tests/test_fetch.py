"""The fetch contract, case by case, over a real wire on 127.0.0.1 wherever the wire matters.

Names in brackets (`etag-strong`, `ssrf-loop2`) are the contract's own.
"""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import random
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import httpcore
import httpx
import pytest
from fakes import CONTACT, FEED, NOW, Clock, FakeWeb, Page, Script, Step, WireServer, answer, chunked, rss, web
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import __version__
from pipeline.errors import FetchError
from pipeline.fetch import Answer, Guard, Pacer, Web
from pipeline.fetch.guard import system_resolver
from pipeline.fetch.web import user_agent
from pipeline.fetch.wire import Limits
from pipeline.model import NotModified, Response

MIB = 1024 * 1024
BODY = rss()


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer({"/feed": answer(BODY, Content_Type="application/rss+xml")}) as made:
        yield made


def get(url: str, asked: dict[str, Any] | None = None, **changes: Any) -> Answer:
    """One answer of a fresh Web; `asked` are the keywords of `get`, `changes` those of the Web."""
    return gets(url, asked=asked, **changes)[0]


def gets(*urls: str, asked: dict[str, Any] | None = None, **changes: Any) -> list[Answer]:
    """Answers of one Web, one after the other."""

    async def all_of_them() -> list[Answer]:
        one = web(**changes)
        try:
            return [await one.get(url, **(asked or {})) for url in urls]
        finally:
            await one.close()

    return asyncio.run(all_of_them())


def refused(url: str, asked: dict[str, Any] | None = None, **changes: Any) -> FetchError:
    """The FetchError a URL ends in."""
    with pytest.raises(FetchError) as caught:
        get(url, asked, **changes)
    return caught.value


# --- the request itself (section 6) ---------------------------------------------------------------------------


def test_request_says_who_asks_and_what_it_wants(server: WireServer) -> None:
    """`ua-contact`, `accept-header`, `get-only`, `no-referer`."""
    get(server.url("/feed"))
    headers = server.headers()
    assert server.lines()[0] == "GET /feed HTTP/1.1"
    assert headers["user-agent"] == f"newsbeat/{__version__} (+{CONTACT})"
    assert headers["accept-encoding"] == "gzip, deflate, br, zstd"
    assert headers["host"] == f"127.0.0.1:{server.port}"
    for media_type in ("atom+xml", "rss+xml", "rdf+xml", "feed+json", "*/*;q=0.1"):
        assert media_type in headers["accept"]
    for absent in ("referer", "cookie", "authorization", "if-none-match", "if-modified-since", "a-im"):
        assert absent not in headers


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        pytest.param("https://reader.example/about", "(+https://reader.example/about)", id="page"),
        pytest.param("https://reader.example/@ada", "(+https://reader.example/@ada)", id="page with an at sign"),
        pytest.param("ada@reader.example", "(ada@reader.example)", id="mail"),
    ],
)
def test_user_agent_names_the_contact(contact: str, said: str) -> None:
    assert user_agent(contact) == f"newsbeat/{__version__} {said}"


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/feed?format=rss&&section=world", id="empty pair"),
        pytest.param("/feed?b=2&a=1&b=1", id="order and repetition"),
        pytest.param("/feed?q=a+b%20c%7Ed%7ed", id="percent-encoding in either case"),
        pytest.param("/feed?u=https://example.org/x?y;z", id="a URL inside"),
        pytest.param("/feed?", id="an empty query"),
        pytest.param("/feed?utm_source=rss", id="trackers stay in what the operator subscribed to"),
        pytest.param("/feed;v=1/~ada/(x)!$'*,=:@?[]", id="every legal sign"),
    ],
)
def test_target_goes_out_byte_for_byte(target: str, server: WireServer) -> None:
    """`query-exact`: what the operator wrote is what is asked."""
    server.answers[target] = answer(BODY)
    get(server.url(target))
    assert server.lines()[0] == f"GET {target} HTTP/1.1"


def test_cookies_are_kept_neither_between_polls_nor_along_redirects(server: WireServer) -> None:
    """`cookies`"""
    server.answers["/feed"] = answer(BODY, Set_Cookie="seen=1; Path=/")
    server.answers["/old"] = answer(status="302 Found", Location="/feed", Set_Cookie="from=old; Path=/")
    gets(server.url("/old"), server.url("/feed"))
    assert len(server.requests) == 3
    assert all(b"cookie:" not in request.lower() for request in server.requests)


def test_one_get_is_one_request(server: WireServer) -> None:
    """`no-strays`: no favicon, no HEAD, no second attempt."""
    get(server.url("/feed"))
    server.answers["/down"] = answer(status="503 Service Unavailable")
    refused(server.url("/down"))
    assert [line.split()[1] for line in (server.lines(0)[0], server.lines(1)[0])] == ["/feed", "/down"]
    assert len(server.requests) == 2


def test_fragment_is_never_sent(server: WireServer) -> None:
    get(server.url("/feed#latest"))
    assert server.lines()[0] == "GET /feed HTTP/1.1"


def test_answer_comes_back_whole(server: WireServer) -> None:
    server.answers["/feed"] = answer(BODY, Content_Type="text/xml", ETag='"v1"')
    found = get(server.url("/feed"))
    assert isinstance(found, Response)
    assert (found.status, found.body, found.wire_bytes) == (200, BODY, len(BODY))
    assert (found.asked_url, found.url, found.permanent_url) == (server.url("/feed"), server.url("/feed"), None)
    assert (found.header("content-type"), found.header("etag")) == ("text/xml", '"v1"')
    assert found.fetched_at == NOW


def test_environment_proxies_are_ignored(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """S5: the proxy of whoever started us hears nothing."""
    with WireServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        get(server.url("/feed"))
        assert (len(server.requests), len(proxy.requests)) == (1, 0)


# --- conditional requests (section 2) -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "etag",
    [
        pytest.param('"33a64df5"', id="etag-strong"),
        pytest.param('W/"33a64df5"', id="etag-weak"),
        pytest.param("33a64df5", id="etag-unquoted"),
        pytest.param('w/"lower"', id="etag-lower-case-w"),
        pytest.param('"a", "b"', id="etag-two"),
        pytest.param('"with space and , comma"', id="etag-with-signs"),
        pytest.param('"caf\xe9\xff"', id="etag-beyond-ascii"),
        pytest.param('""', id="etag-of-nothing"),
        pytest.param("-gzip", id="etag-junk"),
    ],
)
def test_etag_goes_back_byte_for_byte(etag: str, server: WireServer) -> None:
    server.answers["/feed"] = answer(BODY, ETag=etag)
    first = get(server.url("/feed"))
    assert first.header("etag") == etag
    get(server.url("/feed"), {"etag": first.header("etag")})
    assert f"If-None-Match: {etag}".encode("latin-1") in server.requests[1].split(b"\r\n")


@pytest.mark.parametrize(
    "last_modified",
    [
        pytest.param("Mon, 02 Mar 2026 08:00:00 GMT", id="lm-proper"),
        pytest.param("Mon, 2 Mar 2026 08:00:00 +0000", id="lm-odd-date"),
        pytest.param("2026-03-02T08:00:00Z", id="lm-iso"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", id="lm-epoch"),
        pytest.param("yesterday", id="lm-junk"),
    ],
)
def test_last_modified_goes_back_byte_for_byte(last_modified: str, server: WireServer) -> None:
    server.answers["/feed"] = answer(BODY, Last_Modified=last_modified)
    first = get(server.url("/feed"))
    get(server.url("/feed"), {"last_modified": first.header("last-modified")})
    assert server.headers()["if-modified-since"] == last_modified


def test_both_validators_go_out_together(server: WireServer) -> None:
    """`both`"""
    get(server.url("/feed"), {"etag": '"v1"', "last_modified": "Mon, 02 Mar 2026 08:00:00 GMT"})
    headers = server.headers()
    assert headers["if-none-match"] == '"v1"'
    assert headers["if-modified-since"] == "Mon, 02 Mar 2026 08:00:00 GMT"


def test_validators_are_never_invented(server: WireServer) -> None:
    """`no-validators`: an answer without them, then a request without them."""
    gets(server.url("/feed"), server.url("/feed"))
    assert len(server.requests) == 2
    assert all(b"\r\nIf-" not in request for request in server.requests)


def test_validators_go_along_redirects(server: WireServer) -> None:
    """`redirect-302-etag`"""
    server.answers["/moving"] = answer(status="302 Found", Location="/feed")
    get(server.url("/moving"), {"etag": '"v1"'})
    assert [server.headers(n)["if-none-match"] for n in (0, 1)] == ['"v1"', '"v1"']


def test_304_is_a_value_with_its_headers(server: WireServer) -> None:
    """`304-new-etag`"""
    server.answers["/feed"] = b'HTTP/1.1 304 Not Modified\r\nETag: "v2"\r\nCache-Control: max-age=7200\r\n\r\n'
    found = get(server.url("/feed"), {"etag": '"v1"'})
    assert isinstance(found, NotModified)
    assert (found.status, found.header("etag"), found.header("cache-control")) == (304, '"v2"', "max-age=7200")


# --- bodies: codings, sizes, cuts (N8, N9, B4, enc-*, bomb-*, truncated-*) ------------------------------------


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        pytest.param("identity", BODY, id="enc-identity"),
        pytest.param("gzip", gzip.compress(BODY), id="enc-gzip"),
        pytest.param("GZip", gzip.compress(BODY), id="enc-gzip-in-any-case"),
        pytest.param("x-gzip", gzip.compress(BODY), id="enc-x-gzip"),
        pytest.param("deflate", zlib.compress(BODY), id="enc-deflate-zlib"),
        pytest.param("deflate", raw_deflate(BODY), id="enc-deflate-raw"),
        pytest.param("deflate, gzip", gzip.compress(zlib.compress(BODY)), id="enc-twice"),
        pytest.param("gzip", gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), id="enc-gzip-in-two-members"),
        pytest.param("gzip", gzip.compress(BODY) + b"\0" * 512, id="enc-gzip-padded"),
    ],
)
@pytest.mark.parametrize("how", ["whole", "byte by byte"])
def test_codings_are_decoded(coding: str, packed: bytes, how: str, server: WireServer) -> None:
    if how == "whole":
        server.answers["/feed"] = answer(packed, Content_Encoding=coding)
    else:
        body = chunked(*(packed[i : i + 1] for i in range(len(packed))))
        server.answers["/feed"] = answer(body, Content_Encoding=coding, Transfer_Encoding="chunked")
    found = get(server.url("/feed"))
    assert isinstance(found, Response)
    assert (found.body, found.wire_bytes) == (BODY, len(packed))


@pytest.mark.parametrize("coding", ["compress", "aes128gcm", "gzip, dcb"])
def test_coding_nobody_asked_for_is_refused(coding: str, server: WireServer) -> None:
    server.answers["/feed"] = answer(BODY, Content_Encoding=coding)
    error = refused(server.url("/feed"))
    assert (error.kind, "not asked for" in error.why) == ("protocol", True)


def test_three_codings_are_one_too_many(server: WireServer) -> None:
    server.answers["/feed"] = answer(BODY, Content_Encoding="gzip, gzip, gzip")
    assert refused(server.url("/feed")).kind == "bomb"


@pytest.mark.parametrize("size", [256 * 1024 - 1, 256 * 1024, 256 * 1024 + 100, 512 * 1024 + 258, MIB])
@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        pytest.param("gzip", gzip.compress, id="gzip"),
        pytest.param("deflate", zlib.compress, id="zlib"),
        pytest.param("deflate", raw_deflate, id="raw"),
    ],
)
def test_body_around_the_size_of_a_step_is_whole(
    size: int, coding: str, pack: Callable[[bytes], bytes], server: WireServer
) -> None:
    server.answers["/feed"] = answer(pack(b"a" * size), Content_Encoding=coding)
    found = get(server.url("/feed"))
    assert isinstance(found, Response)
    assert len(found.body) == size


def bomb(size: int, times: int = 1) -> bytes:
    """Zeros, packed once or twice over."""
    packer = zlib.compressobj(9, wbits=31)
    made = b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()
    return made if times == 1 else gzip.compress(made, 9)


def empty_members(size: int) -> bytes:
    """Gzip members of nothing, one after the other."""
    return gzip.compress(b"", mtime=0) * (size // 20)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("gzip", bomb(256 * MIB), id="bomb-gzip"),
        pytest.param("deflate", zlib.compress(bytes(128 * MIB), 9), id="bomb-deflate"),
        pytest.param("gzip, gzip", bomb(1024 * MIB, times=2), id="bomb-gzip2"),
        pytest.param("gzip, gzip", gzip.compress(empty_members(64 * MIB), 9), id="bomb-gzip2-of-nothing"),
    ],
)
def test_bomb_is_refused_while_it_unpacks(coding: str, body: bytes, server: WireServer) -> None:
    """N9, N14: the process never holds more than a few steps of it."""
    server.answers["/feed"] = answer(body, Content_Encoding=coding)
    tracemalloc.start()
    try:
        error = refused(server.url("/feed"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.kind == "bomb"
    assert peak < 32 * MIB


def test_body_that_unpacks_to_more_than_the_limit_is_refused(server: WireServer) -> None:
    """N8: below the ratio of a bomb, and still too much."""
    words = random.Random(7).randbytes(40_000).hex().encode() * 40
    server.answers["/feed"] = answer(gzip.compress(words, 1), Content_Encoding="gzip")
    error = refused(server.url("/feed"), limits=Limits(wire=20 * MIB, body=2 * MIB, ratio=100))
    assert (error.kind, error.why) == ("too_big", "larger than 2 MiB")


def test_small_body_may_have_any_ratio(server: WireServer) -> None:
    server.answers["/feed"] = answer(gzip.compress(bytes(MIB - 1)), Content_Encoding="gzip")
    found = get(server.url("/feed"))
    assert isinstance(found, Response)
    assert len(found.body) == MIB - 1


def test_body_too_big_on_the_wire_is_refused_as_it_comes(server: WireServer) -> None:
    """`endless`"""

    def endless() -> Iterator[Step]:
        yield answer(Transfer_Encoding="chunked")
        while True:
            yield chunked(bytes(65536), last=False)

    server.answers["/feed"] = endless
    error = refused(server.url("/feed"), limits=Limits(wire=MIB, body=MIB, ratio=100))
    assert (error.kind, error.why) == ("too_big", "larger than 1 MiB on the wire")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(answer(BODY[:60], Content_Length=str(len(BODY))), id="truncated-content-length"),
        pytest.param(
            answer(chunked(BODY[:60], last=False), Transfer_Encoding="chunked"), id="truncated-missing-last-chunk"
        ),
        pytest.param(answer(b"fff\r\nonly this", Transfer_Encoding="chunked"), id="truncated-inside-a-chunk"),
        pytest.param(answer(gzip.compress(BODY)[:-20], Content_Encoding="gzip"), id="truncated-gzip"),
        pytest.param(answer(gzip.compress(BODY)[:-4], Content_Encoding="gzip"), id="truncated-gzip-trailer"),
        pytest.param(answer(zlib.compress(BODY)[:-20], Content_Encoding="deflate"), id="truncated-deflate"),
        pytest.param(answer(b"\x1f\x8b\x08garbage and more", Content_Encoding="gzip"), id="damaged-gzip"),
        pytest.param(b"", id="closed-without-a-word"),
    ],
)
def test_answer_that_breaks_off_is_a_failure(raw: bytes, server: WireServer) -> None:
    """B4: whoever stores this would believe that entries vanished."""
    server.answers["/feed"] = lambda: (raw,)
    error = refused(server.url("/feed"))
    assert error.kind == "truncated"


def test_gzip_without_a_byte_in_it_is_an_empty_body(server: WireServer) -> None:
    """`empty-body`: what an empty feed means is not for fetch to say."""
    server.answers["/feed"] = answer(b"", Content_Encoding="gzip")
    found = get(server.url("/feed"))
    assert isinstance(found, Response)
    assert found.body == b""


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 OK\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", id="a header without a colon"),
        pytest.param(answer(b"zz\r\n", Transfer_Encoding="chunked"), id="a chunk of no size"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", id="a length in words"),
    ],
)
def test_answer_that_breaks_http_is_a_failure(raw: bytes, server: WireServer) -> None:
    server.answers["/feed"] = raw
    assert refused(server.url("/feed")).kind in ("protocol", "truncated")


def test_reset_connection_is_a_failure(server: WireServer) -> None:
    server.answers["/feed"] = lambda: (answer(Content_Length="100"), 0.05, None)
    assert refused(server.url("/feed")).kind in ("connect", "truncated", "protocol")


@pytest.mark.parametrize(
    ("count", "size"),
    [
        pytest.param(1200, 4, id="header-flood-fields"),
        pytest.param(70, 1000, id="header-flood-bytes"),
        pytest.param(4000, 200, id="header-flood-far-more"),
    ],
)
def test_flood_of_headers_is_refused(count: int, size: int, server: WireServer) -> None:
    """N10"""
    server.answers["/feed"] = answer(BODY, **{f"X-{n}": "h" * size for n in range(count)})
    assert refused(server.url("/feed")).kind in ("too_big", "protocol")


def test_many_headers_of_a_real_server_are_fine(server: WireServer) -> None:
    server.answers["/feed"] = answer(BODY, **{f"X-{n}": "h" * 40 for n in range(300)})
    assert isinstance(get(server.url("/feed")), Response)


# --- deadlines (N7) -------------------------------------------------------------------------------------------


def drip(first: bytes, every: float) -> Script:
    """`first`, then a byte at a time for ever."""

    def steps() -> Iterator[Step]:
        yield first
        while True:
            yield every
            yield b"a"

    return steps


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(lambda: (5.0,), id="slow-headers"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nX-Long: ", 0.02), id="slow-header-by-header"),
        pytest.param(drip(answer(Content_Length="100000"), 0.02), id="slow-body"),
        pytest.param(lambda: (answer(BODY[:40], Content_Length="5000"), 5.0), id="body that stops"),
    ],
)
def test_total_deadline_ends_any_slow_answer(script: Script, server: WireServer) -> None:
    """A time limit per read alone never ends on a drip."""
    server.answers["/feed"] = script
    error = refused(server.url("/feed"), deadline=0.3)
    assert (error.kind, error.why) == ("timeout", "no complete answer within 0.3 s")


def test_deadline_runs_over_all_hops(server: WireServer) -> None:
    for n in range(4):
        steps = (0.2, answer(status="302 Found", Location=f"/{n + 1}"))
        server.answers[f"/{n}"] = lambda steps=steps: steps  # type: ignore[misc]
    assert refused(server.url("/0"), deadline=0.3).why == "no complete answer within 0.3 s"


def test_read_timeout_ends_a_silent_answer_before_the_deadline(server: WireServer) -> None:
    server.answers["/feed"] = lambda: (5.0,)
    error = refused(server.url("/feed"), read_timeout=0.2)
    assert (error.kind, error.why) == ("timeout", "the server does not answer")


def test_name_server_that_is_silent_ends_at_the_connect_timeout() -> None:
    async def silent(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(5)
        return []

    error = refused("http://feeds.example.org/", guard=Guard(resolve=silent), connect_timeout=0.2)
    assert error.kind == "timeout"


# --- redirects (section 4) ------------------------------------------------------------------------------------


def chain(server: WireServer, *statuses: int) -> str:
    """A chain of redirects that ends at /feed; its first address."""
    for n, status in enumerate(statuses):
        target = f"/hop{n + 1}" if n + 1 < len(statuses) else "/feed"
        server.answers[f"/hop{n}"] = answer(status=f"{status} Moved", Location=target)
    return server.url("/hop0")


@pytest.mark.parametrize("hops", [1, 2, 3, 4, 5])
def test_up_to_five_redirects_are_followed(hops: int, server: WireServer) -> None:
    """`redirect-5`"""
    first = chain(server, *[302] * hops)
    found = get(first)
    assert isinstance(found, Response)
    assert (found.asked_url, found.url, found.body) == (first, server.url("/feed"), BODY)
    assert len(server.requests) == hops + 1


def test_sixth_redirect_is_refused(server: WireServer) -> None:
    error = refused(chain(server, *[302] * 6))
    assert (error.kind, error.why) == ("redirect", "more than 5 redirects")
    assert len(server.requests) == 6


def test_redirect_to_itself_is_refused_at_once(server: WireServer) -> None:
    """`redirect-loop`"""
    server.answers["/loop"] = answer(status="301 Moved", Location="/loop")
    error = refused(server.url("/loop"))
    assert (error.kind, error.why, len(server.requests)) == ("redirect", "redirects to itself", 1)


def test_redirects_in_a_circle_end(server: WireServer) -> None:
    """`redirect-infinite`"""
    server.answers["/a"] = answer(status="302 Found", Location="/b")
    server.answers["/b"] = answer(status="302 Found", Location="/a")
    assert refused(server.url("/a")).kind == "redirect"
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("location", "target"),
    [
        pytest.param("/feed", "/feed", id="redirect-relative"),
        pytest.param("feed", "/news/feed", id="relative to the directory"),
        pytest.param("../feed", "/feed", id="a directory up"),
        pytest.param("?page=2", "/news/here?page=2", id="only a query"),
        pytest.param("/feed#top", "/feed", id="its fragment is never sent"),
        pytest.param("  /feed  ", "/feed", id="spaces around"),
        pytest.param("/caf\u00c3\u00a9", "/caf%C3%A9", id="bytes of UTF-8 on the wire"),
    ],
)
def test_location_is_taken_from_where_it_stands(location: str, target: str, server: WireServer) -> None:
    server.answers["/news/here"] = answer(status="302 Found", Location=location)
    server.answers[target] = answer(BODY)
    found = get(server.url("/news/here"))
    assert found.url == server.url(target)
    assert server.lines()[0] == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize(
    ("statuses", "permanent"),
    [
        pytest.param((301,), "/feed", id="redirect-301"),
        pytest.param((308,), "/feed", id="redirect-308"),
        pytest.param((301, 308), "/feed", id="both kinds in a row"),
        pytest.param((302,), None, id="redirect-302"),
        pytest.param((303,), None, id="redirect-303"),
        pytest.param((307,), None, id="redirect-307"),
        pytest.param((301, 302), "/hop1", id="redirect-301-tmp-mix"),
        pytest.param((301, 308, 307, 301), "/hop2", id="only the leading run"),
        pytest.param((302, 301), None, id="permanent behind a temporary one"),
    ],
)
def test_permanent_url_is_the_leading_run_of_permanent_hops(
    statuses: tuple[int, ...], permanent: str | None, server: WireServer
) -> None:
    found = get(chain(server, *statuses))
    assert found.permanent_url == (server.url(permanent) if permanent else None)


def test_permanent_url_is_told_with_a_304_too(server: WireServer) -> None:
    server.answers["/old"] = answer(status="301 Moved", Location="/feed")
    server.answers["/feed"] = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    found = get(server.url("/old"), {"etag": '"v1"'})
    assert (found.status, found.permanent_url) == (304, server.url("/feed"))


def test_redirect_from_https_to_http_is_refused() -> None:
    """R5"""
    fake = FakeWeb({FEED: Page(status=301, headers={"location": "http://feeds.example.org/world.xml"})})
    error = refuse_with(fake, FEED)
    assert (error.kind, "from https to http" in error.why) == ("redirect", True)
    assert fake.asked == [FEED]


def test_redirect_from_http_to_https_is_followed() -> None:
    plain = FEED.replace("https", "http")
    fake = FakeWeb({plain: Page(status=308, headers={"location": FEED}), FEED: BODY})
    found = get_with(fake, plain)
    assert (found.url, found.permanent_url) == (FEED, FEED)


@pytest.mark.parametrize("status", [300, 304 + 1, 301, 302])
def test_redirect_status_without_a_location_is_a_failure(status: int) -> None:
    error = refuse_with(FakeWeb({FEED: Page(status=status)}), FEED)
    assert (error.kind, error.status) == ("status", status)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_location_ends_in_an_answer_or_a_fetch_error(location: str) -> None:
    fake = FakeWeb({FEED: Page(status=302, headers={"location": location})})
    with pytest.raises(FetchError):
        get_with(fake, FEED)


def get_with(fake: FakeWeb, url: str) -> Answer:
    return asyncio.run(fake.web().get(url))


def refuse_with(fake: FakeWeb, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        get_with(fake, url)
    return caught.value


# --- statuses and Retry-After (section 5, T5) -----------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 404, 410, 418, 429, 500, 502, 503, 599])
def test_status_that_is_no_success_is_told(status: int) -> None:
    error = refuse_with(FakeWeb({FEED: Page("<html>sorry</html>", status)}), FEED)
    assert (error.kind, error.status, error.url, error.retry_after) == ("status", status, FEED, None)
    assert str(status) in error.why


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        pytest.param(429, {"Retry-After": "120"}, timedelta(minutes=2), id="429-seconds"),
        pytest.param(429, {"Retry-After": "Mon, 02 Mar 2026 10:00:00 GMT"}, timedelta(hours=1), id="429-date"),
        pytest.param(503, {"Retry-After": "7200"}, timedelta(hours=2), id="503-seconds"),
        pytest.param(
            503,
            {"Retry-After": "Tue, 03 Mar 2026 10:00:00 GMT", "Date": "Tue, 03 Mar 2026 09:00:00 GMT"},
            timedelta(hours=1),
            id="503-date-skew",
        ),
        pytest.param(429, {}, None, id="429-bare"),
        pytest.param(429, {"Retry-After": "later"}, None, id="429-junk"),
        pytest.param(429, {"Retry-After": "\xb2"}, None, id="429-superscript"),
        pytest.param(503, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -0100"}, None, id="retry-after-absurd"),
    ],
)
def test_retry_after_is_read(status: int, headers: dict[str, str], wait: timedelta | None, server: WireServer) -> None:
    server.answers["/feed"] = answer(status=f"{status} No", **headers)
    error = refused(server.url("/feed"))
    assert (error.status, error.retry_after) == (status, wait)


def test_226_is_a_success(server: WireServer) -> None:
    server.answers["/feed"] = answer(BODY, status="226 IM Used")
    assert get(server.url("/feed")).status == 226


# --- addresses (section 7) ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="ssrf-loopback"),
        pytest.param("127.8.9.1", id="ssrf-loop2"),
        pytest.param("::1", id="ssrf-ipv6"),
        pytest.param("10.1.2.3", id="private ten"),
        pytest.param("172.16.0.1", id="private 172"),
        pytest.param("192.168.1.1", id="private 192"),
        pytest.param("169.254.1.1", id="link-local"),
        pytest.param("fe80::1", id="link-local v6"),
        pytest.param("fe80::1%eth0", id="link-local with its zone"),
        pytest.param("100.64.0.1", id="cgnat"),
        pytest.param("fd12:3456::1", id="unique local"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("::ffff:127.0.0.1", id="ssrf-mapped"),
        pytest.param("::ffff:192.168.1.1", id="mapped private"),
        pytest.param("::127.0.0.1", id="v4-compatible"),
        pytest.param("2002:7f00:1::", id="6to4 of loopback"),
        pytest.param("2002:a00:1::", id="6to4 of private"),
        pytest.param("64:ff9b::7f00:1", id="nat64 of loopback"),
        pytest.param("64:ff9b::a01:203", id="nat64 of private"),
        pytest.param("64:ff9b:1::1", id="nat64 for local use"),
        pytest.param("2001:0:4136:e378:8000:63bf:80ff:fffe", id="teredo of loopback"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("ff02::1", id="multicast v6"),
        pytest.param("ff0e::1", id="global multicast v6"),
        pytest.param("192.0.2.1", id="documentation"),
        pytest.param("198.51.100.7", id="documentation 2"),
        pytest.param("2001:db8::1", id="documentation v6"),
        pytest.param("198.18.0.1", id="benchmarking"),
        pytest.param("0.0.0.0", id="unspecified"),
        pytest.param("::", id="unspecified v6"),
        pytest.param("0.1.2.3", id="this network"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("169.254.169.254", id="metadata"),
        pytest.param("::ffff:169.254.169.254", id="metadata mapped"),
        pytest.param("64:ff9b::a9fe:a9fe", id="metadata through nat64"),
    ],
)
def test_address_that_is_not_public_is_refused(address: str) -> None:
    assert Guard().why_not(address)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("93.184.215.14", id="v4"),
        pytest.param("2606:2800:21f:cb07:6820:80da:af6b:8b2c", id="v6"),
        pytest.param("64:ff9b::5db8:d70e", id="nat64 of a public one"),
    ],
)
def test_public_address_may_be_asked(address: str) -> None:
    assert Guard().why_not(address) is None


@pytest.mark.parametrize(
    ("allowed", "address", "may"),
    [
        pytest.param("127.0.0.1/32", "127.0.0.1", True, id="this one"),
        pytest.param("127.0.0.1/32", "127.0.0.2", False, id="not its neighbour"),
        pytest.param("127.0.0.1/32", "::1", False, id="not its v6 sister"),
        pytest.param("127.0.0.1/32", "::ffff:127.0.0.1", False, id="not in disguise"),
        pytest.param("10.0.0.0/8", "10.200.0.1", True, id="a network"),
        pytest.param("fd00::/8", "fd12::1", True, id="a v6 network"),
        pytest.param("169.254.0.0/16", "169.254.169.254", False, id="never metadata"),
        pytest.param("0.0.0.0/0", "169.254.169.254", False, id="never metadata, whatever is allowed"),
        pytest.param("::/0", "::ffff:169.254.169.254", False, id="never metadata in disguise"),
    ],
)
def test_allow_list_opens_exactly_what_it_names(allowed: str, address: str, may: bool) -> None:
    """S4"""
    guard = Guard([ipaddress.ip_network(allowed)])
    assert (guard.why_not(address) is None) == may


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("127.0.0.1", id="dotted"),
        pytest.param("localhost", id="by name"),
        pytest.param("2130706433", id="ssrf-decimal"),
        pytest.param("127.1", id="ssrf-short"),
        pytest.param("0x7f.0.0.1", id="ssrf-hex"),
        pytest.param("0177.0.0.1", id="ssrf-octal"),
        pytest.param("[::1]", id="v6"),
        pytest.param("[::ffff:127.0.0.1]", id="mapped"),
        pytest.param("0.0.0.0", id="unspecified"),
    ],
)
def test_no_spelling_of_this_machine_gets_through(host: str, server: WireServer) -> None:
    """With the system's own resolver."""
    error = refused(server.url("/feed", host=host), allow=())
    assert error.kind in ("address", "scheme")
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("file:///etc/hostname", id="ssrf-file"),
        pytest.param("ftp://127.0.0.1/feed", id="ssrf-ftp"),
        pytest.param("gopher://127.0.0.1:70/1", id="ssrf-gopher"),
        pytest.param("feed:https://feeds.example.org/", id="feed:"),
        pytest.param("data:text/xml,<rss/>", id="data:"),
        pytest.param("feeds.example.org/world.xml", id="no scheme"),
        pytest.param("", id="nothing"),
    ],
)
def test_only_http_and_https_are_asked(url: str, server: WireServer) -> None:
    assert refused(url).kind == "scheme"
    server.answers["/away"] = answer(status="302 Found", Location=url or "file:///etc/passwd")
    if ":" in url:
        assert refused(server.url("/away")).kind == "scheme"


def test_redirect_to_a_private_address_is_refused(server: WireServer) -> None:
    """R5: each hop passes the guard again."""
    with WireServer({"/secret": answer(b"secret")}) as inside:
        for host in ("127.0.0.2", "localhost.", "[::1]", "169.254.169.254"):
            server.answers["/out"] = answer(status="302 Found", Location=inside.url("/secret", host=host))
            if host != "localhost.":  # may lead to the address this test allows
                assert refused(server.url("/out")).kind == "address"
        assert inside.requests == []


class Wires(httpcore.AsyncNetworkBackend):
    """Notes every address somebody connects to, and leads to the server, whatever the address."""

    def __init__(self, server: WireServer, down: Iterable[str] = ()) -> None:
        self._server, self._down, self._real = server, tuple(down), httpcore.AnyIOBackend()
        self.connected: list[str] = []

    async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        if host in self._down:
            raise httpcore.ConnectError(f"{host} is down")
        return await self._real.connect_tcp("127.0.0.1", self._server.port, *rest, **more)


def resolver(*answers: list[str]) -> tuple[Callable[[str, int], Awaitable[list[str]]], list[str]]:
    """A name server that gives these answers in turn, and the names it was asked."""
    left, names = list(answers), list[str]()

    async def resolve(host: str, _port: int) -> list[str]:
        names.append(host)
        return left.pop(0)

    return resolve, names


def test_rebinding_name_is_looked_up_once_and_the_checked_address_is_asked(server: WireServer) -> None:
    """S3: public when checked, 127.0.0.1 a moment later. There is no later."""
    resolve, names = resolver(["93.184.215.14"], ["127.0.0.1"])
    wires = Wires(server)
    found = get("http://feeds.example.org/feed", guard=Guard(resolve=resolve, backend=wires))
    assert (found.status, names, wires.connected) == (200, ["feeds.example.org"], ["93.184.215.14"])
    assert server.headers()["host"] == "feeds.example.org"


def test_name_that_turns_private_is_refused_at_the_next_connection(server: WireServer) -> None:
    resolve, _ = resolver(["93.184.215.14"], ["127.0.0.1"])
    wires = Wires(server)

    async def twice() -> None:
        one = web(allow=(), guard=Guard(resolve=resolve, backend=wires))
        await one.get("http://feeds.example.org/feed")
        with pytest.raises(FetchError) as caught:
            await one.get("http://feeds.example.org/feed")
        assert caught.value.kind == "address"
        await one.close()

    asyncio.run(twice())
    assert wires.connected == ["93.184.215.14"]


def test_name_with_a_public_and_a_private_address_leads_only_to_the_public_one(server: WireServer) -> None:
    resolve, _ = resolver(["192.168.1.7", "93.184.215.14", "::1"])
    wires = Wires(server)
    get("http://feeds.example.org/feed", guard=Guard(resolve=resolve, backend=wires))
    assert wires.connected == ["93.184.215.14"]


def test_private_address_is_not_tried_when_the_public_one_is_down(server: WireServer) -> None:
    resolve, _ = resolver(["93.184.215.14", "192.168.1.7"])
    wires = Wires(server, down=["93.184.215.14"])
    error = refused("http://feeds.example.org/feed", guard=Guard(resolve=resolve, backend=wires))
    assert (error.kind, wires.connected) == ("connect", ["93.184.215.14"])


def test_second_public_address_is_tried_when_the_first_is_down(server: WireServer) -> None:
    resolve, _ = resolver(["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "93.184.215.14"])
    wires = Wires(server, down=["2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
    assert get("http://feeds.example.org/feed", guard=Guard(resolve=resolve, backend=wires)).status == 200
    assert len(wires.connected) == 2


def test_refusal_names_the_host_and_the_address() -> None:
    resolve, _ = resolver(["10.0.0.8"])
    error = refused("http://inside.example.org/feed", guard=Guard(resolve=resolve))
    assert (error.kind, error.why) == (
        "address",
        "inside.example.org leads to an address we do not ask: 10.0.0.8 is not a public address."
        " If it is yours, name it in allow_addresses",
    )


def test_name_nobody_knows_is_a_dns_failure() -> None:
    async def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    error = refused("http://nowhere.example.org/feed", guard=Guard(resolve=unknown))
    assert (error.kind, "nowhere.example.org" in error.why) == ("dns", True)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("a" * 300 + ".example", id="too long a label"),
        pytest.param("does-not-exist.invalid", id="a name that cannot be"),
    ],
)
def test_system_resolver_fails_as_an_oserror(host: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011  its text is the system's
        asyncio.run(system_resolver(host, 80))


def test_nobody_listening_is_a_connect_failure() -> None:
    with WireServer() as gone:
        url = gone.url("/feed")
    assert refused(url).kind == "connect"


def test_tls_that_is_not_in_order_is_a_failure_without_a_downgrade(server: WireServer) -> None:
    """S6: a server that answers https with plain text."""
    server.answers["/feed"] = answer(BODY)
    error = refused(server.url("/feed").replace("http:", "https:"))
    assert (error.kind, server.requests) == ("tls", [])


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://[::1/feed", id="half a bracket"),
        pytest.param("http://example.org:port/", id="a port in words"),
        pytest.param("http://example.org:99999/", id="a port too high"),
        pytest.param("http:///feed", id="no host"),
        pytest.param("http://exa mple.org/", id="a space in the host"),
        pytest.param("http://" + "a" * 70 + ".example/", id="a label too long"),
        pytest.param("http://example.org/\x00", id="a control character"),
    ],
)
def test_address_we_cannot_ask_is_a_fetch_error(url: str) -> None:
    assert isinstance(refused(url), FetchError)


# --- pacing (N6) ----------------------------------------------------------------------------------------------


def pacer(clock: Clock, **changes: Any) -> Pacer:
    values = {"gap": 1.0, "per_host": 2, "in_flight": 32, "clock": clock, "sleep": clock.sleep}
    return Pacer(**{**values, **changes})


def test_starts_on_one_host_keep_their_gap() -> None:
    """`pacing-gap`"""
    clock = Clock()
    starts = []

    async def run() -> None:
        turns = pacer(clock)

        async def one() -> None:
            async with turns.turn("example.org") as sent:
                sent()
                starts.append(clock())

        await asyncio.gather(*(one() for _ in range(4)))

    asyncio.run(run())
    assert starts == [1000.0, 1001.0, 1002.0, 1003.0]


def test_other_hosts_do_not_wait() -> None:
    clock = Clock()

    async def run() -> None:
        turns = pacer(clock)
        for n in range(5):
            async with turns.turn(f"{n}.example.org") as sent:
                sent()

    asyncio.run(run())
    assert clock.slept == []


def test_gap_that_has_passed_is_not_waited_for() -> None:
    clock = Clock()

    async def run() -> None:
        turns = pacer(clock)
        async with turns.turn("example.org") as sent:
            sent()
            clock.now += 0.4
        async with turns.turn("example.org") as sent:
            sent()
            clock.now += 5
        async with turns.turn("example.org") as sent:
            sent()

    asyncio.run(run())
    assert clock.slept == [pytest.approx(0.6)]


@pytest.mark.parametrize(
    ("hosts", "per_host", "in_flight", "most"),
    [
        pytest.param(1, 2, 32, 2, id="pacing-concurrency"),
        pytest.param(1, 1, 32, 1, id="one at a time"),
        pytest.param(8, 2, 5, 5, id="over all hosts"),
    ],
)
def test_no_more_are_in_flight_than_allowed(hosts: int, per_host: int, in_flight: int, most: int) -> None:
    clock = Clock()
    under_way, seen = 0, []

    async def run() -> None:
        turns = pacer(clock, gap=0, per_host=per_host, in_flight=in_flight)

        async def one(host: str) -> None:
            nonlocal under_way
            async with turns.turn(host) as sent:
                sent()
                under_way += 1
                seen.append(under_way)
                await asyncio.sleep(0.001)
                under_way -= 1

        await asyncio.gather(*(one(f"{n % hosts}.example.org") for n in range(24)))

    asyncio.run(run())
    assert (len(seen), max(seen)) == (24, most)


def test_place_is_given_back_after_an_error_and_a_cancellation() -> None:
    clock = Clock()

    async def run() -> None:
        turns = pacer(clock, gap=0, per_host=1, in_flight=1)
        with pytest.raises(ValueError, match="in the block"):  # noqa: PT012
            async with turns.turn("example.org") as sent:
                sent()
                raise ValueError("in the block")

        async def hold() -> None:
            async with turns.turn("example.org") as sent:
                sent()
                await asyncio.sleep(60)

        held, waiting = asyncio.create_task(hold()), asyncio.create_task(hold())
        await asyncio.sleep(0.01)
        waiting.cancel()
        held.cancel()
        await asyncio.gather(held, waiting, return_exceptions=True)
        async with asyncio.timeout(30), turns.turn("example.org") as sent:
            sent()

    asyncio.run(run())


def test_hosts_nobody_waits_for_are_forgotten() -> None:
    clock = Clock()

    async def run() -> int:
        turns = pacer(clock)
        for n in range(3000):
            async with turns.turn(f"{n}.example.org") as sent:
                sent()
                clock.now += 0.01
        return len(turns._hosts)

    assert asyncio.run(run()) <= 1001


def test_the_gap_counts_from_when_a_request_goes_out_not_from_when_it_was_let_go() -> None:
    clock = Clock()
    turns = Pacer(gap=1.0, per_host=2, in_flight=8, clock=clock, sleep=clock.sleep)
    gone: list[float] = []

    async def ask(before: float) -> None:
        async with turns.turn("example.org") as sent:
            clock.now += before  # the loop is busy with something else
            gone.append(clock())
            sent()

    async def scene() -> None:
        await asyncio.gather(ask(0.9), ask(0.0))

    asyncio.run(scene())
    assert gone[1] - gone[0] >= 1.0


def test_every_hop_waits_for_its_own_hosts_turn(server: WireServer) -> None:
    """N6 counts the host after redirects; the wait is ours and not the server's, so no deadline runs."""
    clock = Clock()
    server.answers["/hop0"] = answer(status="302 Found", Location="/feed")
    get(server.url("/hop0"), pacer=pacer(clock))
    assert clock.slept == [pytest.approx(1.0)]


def test_web_can_be_shared_by_many_polls_at_once(server: WireServer) -> None:
    async def run() -> list[Answer]:
        one: Web = web()
        try:
            return await asyncio.gather(*(one.get(server.url("/feed")) for _ in range(20)))
        finally:
            await one.close()

    assert [found.status for found in asyncio.run(run())] == [200] * 20


def test_transport_error_of_any_kind_is_a_fetch_error() -> None:
    for trouble in (httpx.ReadError("gone"), httpx.WriteError("gone"), httpx.ProxyError("?"), httpx.PoolTimeout("?")):
        assert isinstance(refuse_with(FakeWeb({FEED: trouble}), FEED), FetchError)
