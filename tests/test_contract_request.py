"""The fetch contract through the real service, sections 1, 6 and 7: the request itself, limits, and network safety.

A test is named after its case in the contract. It asserts on what the server saw, the rows, and the next due time.
"""

from __future__ import annotations

import gzip
import ipaddress
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from contract import BRIDGE, FEED, HOUR, TUNNEL, Room, Script, Step, drip, feed_answer, redirect, room, tls_server
from fakes import answer, item, rss

from pipeline import __version__
from pipeline.fetch import Guard
from pipeline.fetch.wire import Limits
from pipeline.workers import Workers

MIB = 1024 * 1024


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        yield made


# --- 6 the request itself -------------------------------------------------------------------------------------


def test_get_only_ua_contact_accept_header_and_no_referer(desk: Room) -> None:
    """`get-only`, `ua-contact`, `accept-header`, `no-referer`, `a-im-only-conditional`"""
    desk.asks(feed_answer(ETag='"1"'))
    assert desk.server.lines(0)[0] == "GET /feed HTTP/1.1"
    headers = desk.server.headers(0)
    assert headers["user-agent"] == f"newsbeat/{__version__} (+https://reader.example/about)"
    for media_type in ("atom+xml", "rss+xml", "rdf+xml", "feed+json", "xml", "*/*;q=0.1"):
        assert media_type in headers["accept"]
    for absent in ("referer", "cookie", "authorization", "a-im", "if-none-match", "if-modified-since"):
        assert absent not in headers


def test_an_answer_that_a_proxy_changed_on_its_way_is_an_answer_and_its_validators_count(desk: Room) -> None:
    """203 (RFC 9110, 15.3.4): the document is there, as a proxy saw fit to give it."""
    first, second = desk.asks(
        feed_answer(status="203 Non-Authoritative Information", ETag='"p"'), feed_answer(ETag='"p"')
    )
    assert (first.outcome, first.status, first.new) == ("ok", 203, 1)
    assert desk.server.headers(1)["if-none-match"] == '"p"'
    assert (second.outcome, second.new) == ("ok", 0)


@pytest.mark.parametrize(
    "target",
    [
        "/feed?b=2&a=1&&c=",
        "/feed?q=a+b%20c%7Ed%7ed",
        "/feed?utm_source=rss",
        "/f;v=1/~a",
        "/a/../b/./c",
        "//twice",
        "/feed?",
        "/%c3%A9?x=%zz&y={|}^[]",
    ],
)
def test_query_exact_goes_out_as_subscribed(target: str, tmp_path: Path) -> None:
    with room(tmp_path, target) as desk:
        desk.says(feed_answer(), target)
        desk.due()
        desk.due()
        assert desk.asked == [target, target]


def test_cookies_are_kept_neither_within_a_poll_nor_after_it(desk: Room) -> None:
    desk.says(feed_answer(Set_Cookie="b=2; Path=/"), "/new")
    desk.asks(*[redirect("/new", Set_Cookie="a=1; Path=/")] * 2)
    assert len(desk.asked) == 4
    assert all(desk.sent("cookie", n) is None for n in range(4))


def test_no_strays_a_poll_asks_for_the_feed_and_nothing_else(desk: Room) -> None:
    here = desk.server.url("")
    channel = (
        f"<image><url>{here}/logo.png</url></image><link>{here}/</link>"
        f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="hub" href="{here}/hub"/>'
    )
    body = rss(item("bridge", url=f"{here}/story"), extra=channel).replace(
        b"</item>", f'<enclosure url="{here}/talk.mp3" length="9" type="audio/mpeg"/></item>'.encode()
    )
    desk.asks(feed_answer(body))
    assert desk.asked == ["/feed"]
    assert desk.count("articles") == 1


def packed(data: bytes, window: int) -> bytes:
    packer = zlib.compressobj(wbits=window)
    return packer.compress(data) + packer.flush()


CODINGS = {
    "enc-gzip": ("gzip", gzip.compress(FEED)),
    "enc-x-gzip": ("x-gzip", gzip.compress(FEED)),
    "enc-deflate": ("deflate", packed(FEED, 15)),
    "enc-deflate-raw": ("deflate", packed(FEED, -15)),
    "enc-identity": ("identity", FEED),
    "enc-twice": ("gzip, gzip", gzip.compress(gzip.compress(FEED))),
    "enc-in capitals": ("GZIP", gzip.compress(FEED)),
    "enc-several members": ("gzip", gzip.compress(FEED[:50]) + gzip.compress(FEED[50:])),
    "enc-called gzip and plain": ("gzip", FEED),
    "enc-called identity and packed": ("identity", gzip.compress(FEED)),
    "enc-a charset": ("utf-8", FEED),
    "enc-empty": ("", FEED),
}


@pytest.mark.parametrize(("coding", "body"), CODINGS.values(), ids=CODINGS)
def test_enc_that_was_offered_is_decoded(coding: str, body: bytes, desk: Room) -> None:
    (outcome,) = desk.asks(feed_answer(body, Content_Encoding=coding))
    assert (outcome.outcome, outcome.bytes) == ("ok", len(body))
    assert desk.titles() == [BRIDGE.title]
    offered = desk.sent("accept-encoding") or ""
    assert "gzip" in offered
    assert "deflate" in offered


def test_enc_that_nobody_can_read_is_a_failure(desk: Room) -> None:
    desk.asks(feed_answer(FEED, Content_Encoding="compress"))
    assert desk.feed("error_kind, etag") == ("protocol", None)


# --- 1 limits -------------------------------------------------------------------------------------------------

BOMB = gzip.compress(bytes(30 * MIB))
HEADER_FLOOD = "".join(f"X-{n}: y\r\n" for n in range(1200)).encode()
BIG_HEADER = b"X-Big: " + b"y" * 90_000 + b"\r\n"


def with_headers(extra: bytes) -> bytes:
    return feed_answer().replace(b"\r\n", b"\r\n" + extra, 1)


HOSTILE = {
    "bomb-gzip that is not called so": (feed_answer(BOMB), {"bomb"}),
    "bomb-gzip": (feed_answer(BOMB, Content_Encoding="gzip"), {"bomb"}),
    "bomb-gzip2": (feed_answer(gzip.compress(BOMB), Content_Encoding="gzip, gzip"), {"bomb"}),
    "bomb-deflate": (feed_answer(packed(bytes(30 * MIB), 15), Content_Encoding="deflate"), {"bomb"}),
    "bomb-three-codings": (feed_answer(BOMB, Content_Encoding="gzip, gzip, gzip"), {"bomb"}),
    "header-flood": (with_headers(HEADER_FLOOD), {"too_big", "protocol"}),
    "header-flood in one": (with_headers(BIG_HEADER), {"too_big", "protocol"}),
}


@pytest.mark.parametrize(("raw", "kinds"), HOSTILE.values(), ids=HOSTILE)
def test_bomb_or_flood_is_one_failed_poll(raw: bytes, kinds: set[str], desk: Room) -> None:
    """`bomb-*`, `header-flood`"""
    desk.asks(feed_answer(ETag='"good"'), raw)
    kind, etag, failures = desk.feed("error_kind, etag, failures")
    assert kind in kinds
    assert (etag, failures, desk.wait) == ('"good"', 1, HOUR)


def endless() -> Iterable[Step]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nConnection: close\r\n\r\n<rss><channel>"
    while True:
        yield b"<item><title>again</title></item>" * 500


def test_endless_body_ends_at_the_limit(desk: Room) -> None:
    desk.hurry(limits=Limits(wire=256 * 1024, body=256 * 1024, ratio=100))
    desk.asks(endless)
    assert desk.feed("error_kind") == "too_big"
    assert desk.count("articles") == 0


def without_end(head: bytes, piece: bytes) -> Script:
    def steps() -> Iterable[Step]:
        yield head
        while True:
            yield piece

    return steps


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
AROUND = {
    "interim answers": (without_end(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100), "too_big"),
    "headers": (without_end(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000), "protocol"),
    "framing of chunks": (without_end(CHUNKED, b"1;" + b"x" * 10_000 + b"\r\ny\r\n"), "too_big"),
}


@pytest.mark.parametrize(("script", "kind"), AROUND.values(), ids=AROUND)
def test_what_comes_around_an_answer_without_end_ends_soon(script: Script, kind: str, desk: Room) -> None:
    """What no reader of a body counts: interim answers, headers, the framing of chunks."""
    desk.hurry(limits=Limits(wire=256 * 1024, body=256 * 1024, ratio=100), deadline=30)
    (outcome,) = desk.asks(script)
    assert desk.feed("error_kind") == kind, outcome.why


def test_interim_answers_as_good_servers_send_them_are_fine(desk: Room) -> None:
    desk.asks(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n" * 3 + feed_answer())
    assert desk.titles() == [BRIDGE.title]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n", 0.05, b"X: y\r\n"), id="slow-headers"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n<rss>", 0.05), id="slow-body"),
        pytest.param(drip(b"", 5), id="silent"),
    ],
)
def test_slow_answer_ends_at_the_total_deadline(script: Script, desk: Room) -> None:
    desk.hurry(deadline=0.3)
    (outcome,) = desk.asks(script)
    assert outcome.outcome == "failed"
    assert "no complete answer within 0.3 s" in outcome.why
    assert desk.feed("error_kind") == "timeout"


def test_huge_count_keeps_the_first_2000(desk: Room) -> None:
    items = "".join(f"<item><guid>{n}</guid><title>n{n}</title></item>" for n in range(2100))
    body = f"<rss version='2.0'><channel><title>All</title>{items}</channel></rss>".encode()
    (outcome,) = desk.asks(feed_answer(body))
    assert outcome.new == 2000
    assert "only the first 2000 of 2100 entries" in desk.feed("last_error")
    assert "only the first 2000" in outcome.why


def test_huge_title_is_cut_and_flagged(desk: Room) -> None:
    (outcome,) = desk.asks(feed_answer(rss(item("bridge", title="long " * 1000), TUNNEL)))
    assert [len(title or "") for title in desk.titles()] == [999, len(TUNNEL.title or "")]
    assert "1 entry was too long and cut" in outcome.why
    assert "too long and cut" in desk.feed("last_error")


def test_huge_link_is_no_link(desk: Room) -> None:
    """N12: a link beyond 2,048 characters is left out, and the entry stays."""
    desk.asks(feed_answer(rss(item("bridge", url="https://example.org/" + "x" * 3000))))
    assert desk.one("SELECT link, length(guid) < 100 FROM entries") == (None, 1)
    assert desk.titles() == [BRIDGE.title]


def with_entity(declared: str, used: str) -> bytes:
    return (
        f'<?xml version="1.0"?><!DOCTYPE rss [{declared}]><rss version="2.0"><channel><title>T</title>'
        f"<item><guid>1</guid><title>{used}</title></item></channel></rss>"
    ).encode()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
DEEP = b"<rss version='2.0'><channel><item>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</item></channel></rss>"
DANGEROUS = {
    "xml-laughs": with_entity(LAUGHS, "&l9;"),
    "xml-quadratic": with_entity(f'<!ENTITY a "{"x" * 50_000}">', "&a;" * 2000),
    "xml-deep": DEEP,
    "xml-deep by one": b"<rss version='2.0'><channel>" + b"<a>" * 255 + b"</a>" * 255 + b"</channel></rss>",
    "xxe-file": with_entity('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
}


@pytest.mark.parametrize("body", DANGEROUS.values(), ids=DANGEROUS)
def test_xml_that_is_dangerous_is_refused(body: bytes, desk: Room) -> None:
    """`xml-deep`, `xml-laughs`, `xml-quadratic`, `xxe-file`"""
    desk.asks(feed_answer(body, ETag='"bomb"'))
    assert desk.feed("error_kind, etag, state") == ("not_a_feed", None, "failing")
    assert desk.count("articles") == 0


def test_xxe_http_asks_nobody(desk: Room) -> None:
    """`xxe-http`: neither for an entity nor for a DTD."""
    other = desk.server.url("/secret")
    desk.says(answer(b"stolen"), "/secret")
    desk.asks(
        feed_answer(with_entity(f'<!ENTITY x SYSTEM "{other}">', "&x;")),
        feed_answer(FEED.replace(b"<rss", f'<!DOCTYPE rss SYSTEM "{other}"><rss'.encode(), 1)),
    )
    assert desk.asked == ["/feed", "/feed"]
    assert desk.titles() == [BRIDGE.title]


def test_hostile_document_costs_its_own_poll_in_a_real_worker(tmp_path: Path) -> None:
    with room(tmp_path, "/bad", "/good") as desk:
        desk.running.workers = Workers(1, deadline=10, memory_mb=512)
        desk.says(feed_answer(DEEP), "/bad")
        desk.says(feed_answer(), "/good")
        assert sorted(outcome.outcome for outcome in desk.poll()) == ["failed", "ok"]


# --- 7 network safety -----------------------------------------------------------------------------------------

PLACES = {
    "ssrf-file": "file:///etc/passwd",
    "ssrf-ftp": "ftp://127.0.0.1/feed",
    "ssrf-gopher": "gopher://127.0.0.1:{port}/_GET",
    "ssrf-data": "data:text/xml,<rss/>",
    "ssrf-feed": "feed://127.0.0.1:{port}/feed",
    "ssrf-loop2": "http://127.0.0.2:{port}/secret",
    "ssrf-ipv6": "http://[::1]:{port}/secret",
    "ssrf-mapped": "http://[::ffff:127.0.0.1]:{port}/secret",
    "ssrf-decimal": "http://2130706434:{port}/secret",
    "ssrf-short": "http://127.2:{port}/secret",
    "ssrf-octal": "http://0177.0.0.2:{port}/secret",
    "ssrf-zero": "http://0.0.0.0:{port}/secret",
    "ssrf-private": "http://10.0.0.1:{port}/secret",
    "ssrf-metadata": "http://169.254.169.254/latest/meta-data/",
    "ssrf-ula": "http://[fd00::1]:{port}/secret",
    "ssrf-cgnat": "http://100.64.0.1:{port}/secret",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_ssrf_by_redirect_is_refused(place: str, desk: Room) -> None:
    desk.says(feed_answer(), "/secret")
    desk.asks(redirect(place.format(port=desk.server.port)))
    assert desk.asked == ["/feed"]
    kind, why = desk.feed("error_kind, last_error")
    assert kind in ("address", "scheme") or "Invalid IPv4 address" in why, why
    assert desk.count("articles") == 0


def test_allowed_addresses_are_exactly_those_named(tmp_path: Path) -> None:
    """S4, and the metadata address that nobody can allow."""
    with room(tmp_path) as desk:
        desk.asks(feed_answer())
        guard = desk.running.web._transport._pool._network_backend  # type: ignore[attr-defined]
        assert guard.why_not("127.0.0.1") is None
        assert guard.why_not("127.0.0.2")
        assert Guard([ipaddress.ip_network("0.0.0.0/0")]).why_not("169.254.169.254")


def test_rebinding_name_is_looked_up_once_and_never_leads_home(desk: Room) -> None:
    """S3"""
    asked: list[str] = []
    answers = [["93.184.216.34"], ["127.0.0.1"]]

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), 2) - 1]

    desk.hurry(guard=Guard(resolve=resolve), connect_timeout=0.2, deadline=0.3)
    desk.configure(f"http://rebind.example:{desk.server.port}/feed")
    desk.says(feed_answer())
    desk.poll()
    assert asked == ["rebind.example"]
    desk.poll(2 * HOUR)
    assert desk.asked == []
    assert desk.rows("SELECT error_kind FROM feeds WHERE state = 'failing'") == [("address",)]


def test_environment_proxies_are_ignored(desk: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """S5"""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    desk.restart()
    desk.asks(feed_answer())
    assert desk.server.lines()[0] == "GET /feed HTTP/1.1"


def test_tls_selfsigned_is_a_failure_without_a_downgrade(tmp_path: Path) -> None:
    with tls_server(lambda _: feed_answer()) as (port, seen), room(tmp_path) as desk:
        desk.configure(f"https://127.0.0.1:{port}/feed")
        (outcome,) = desk.poll()
        assert "certificate" in outcome.why
        assert desk.one("SELECT error_kind, failures FROM feeds WHERE state = 'failing'") == ("tls", 1)
    assert not seen
