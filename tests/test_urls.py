"""One spelling an article: what canonical keeps, drops and refuses; which outlet a URL belongs to."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.model import Outlet
from pipeline.trackers import TRACKERS
from pipeline.urls import MAX_URL, OutletBook, _spelled, _unwrapped, canonical, host_of

SITE = "https://example.org/news/bridge"

URL_CHARS = string.ascii_letters + string.digits + "-._~:/?#[]@!$&'()*+,;=% \t\n\\\"<>^`{|}éß漢²\x00\x7f"
urls = st.builds(
    "{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTP://", "//", "", "http:/", "https://example.org", "http://user:pw@"]),
    st.sampled_from(["example.org", "EXAMPLE.org:443", "bücher.example", "[::1]:8080", "10.0.0.1:80", "a.b.", ""]),
    st.text(URL_CHARS, max_size=60),
)
words = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("HTTPS://EXAMPLE.ORG/News", "https://example.org/News", id="case counts in the path only"),
        pytest.param("https://example.org", "https://example.org/", id="an empty path is a slash"),
        pytest.param("https://example.org:443/a", "https://example.org/a", id="default port of https"),
        pytest.param("http://example.org:80/a", "http://example.org/a", id="default port of http"),
        pytest.param("http://example.org:8080/a", "http://example.org:8080/a", id="another port stays"),
        pytest.param("https://ada:secret@example.org/a", "https://example.org/a", id="user name and password go"),
        pytest.param("https://example.org./a", "https://example.org/a", id="dot after the host"),
        pytest.param("https://example.org/a#comments", "https://example.org/a", id="fragment"),
        pytest.param("https://example.org/a?", "https://example.org/a", id="empty query"),
        pytest.param("https://example.org/?b=2&a=1", "https://example.org/?a=1&b=2", id="query in a fixed order"),
        pytest.param("https://example.org/?id=", "https://example.org/?id=", id="a key without value stays"),
        pytest.param("https://example.org/%7eada/é", "https://example.org/~ada/%C3%A9", id="percent-encoding"),
        pytest.param("https://example.org/a/../b", "https://example.org/b", id="dots in the path"),
        pytest.param("https://bücher.example/a", "https://xn--bcher-kva.example/a", id="international host"),
        pytest.param("http://[::1]:8080/x", "http://[::1]:8080/x", id="IPv6"),
        pytest.param("  https://example.org/a\n", "https://example.org/a", id="white space around"),
        pytest.param("https://example.org/a\n   /b", "https://example.org/a/b", id="a link broken over two lines"),
        pytest.param("https://example.org/my story", "https://example.org/my%20story", id="a space inside stays one"),
        pytest.param("https://example.org/?utm_source=rss&id=7", "https://example.org/?id=7", id="utm"),
        pytest.param("https://example.org/?UTM_Medium=x", "https://example.org/", id="trackers in any case"),
        pytest.param("https://example.org/?fbclid=1&gclid=2", "https://example.org/", id="click identifiers"),
        pytest.param("https://example.org/?xutm_source=1", "https://example.org/?xutm_source=1", id="no tracker"),
        pytest.param("https://example.org/?q=%E9&fbclid=1", "https://example.org/?q=%E9", id="Latin-1 in the query"),
        pytest.param("https://example.org/?q=a+b", "https://example.org/?q=a+b", id="plus"),
        pytest.param("https://example.org/?q=a%26b", "https://example.org/?q=a%26b", id="an escaped ampersand"),
        pytest.param("https://example.org/a%2Fb", "https://example.org/a%2Fb", id="an escaped slash"),
    ],
)
def test_a_url_has_one_spelling(url: str, expected: str) -> None:
    assert canonical(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param(" \n ", id="blank"),
        pytest.param("example.org/a", id="no scheme"),
        pytest.param("//example.org/a", id="no scheme but slashes"),
        pytest.param("/a", id="relative without a base"),
        pytest.param("https:///a", id="no host"),
        pytest.param("ftp://example.org/a", id="ftp"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("javascript:alert(1)", id="javascript"),
        pytest.param("java\nscript:alert(1)", id="javascript with a line break"),
        pytest.param("data:text/html,x", id="data"),
        pytest.param("mailto:ada@example.org", id="mail"),
        pytest.param("urn:newsbeat:1", id="urn"),
        pytest.param("http://[::1/a", id="IPv6 without its bracket"),
        pytest.param("http://example.org:99999/", id="impossible port"),
        pytest.param("http://example.org:a/", id="port of letters"),
        pytest.param("http://exa mple.org/", id="a space in the host"),
        pytest.param("http://ex\u2100mple.org/", id="a host that changes when normalised"),
        pytest.param("http://example..org/", id="a host with a hole"),
        pytest.param("http://./", id="a dot"),
        pytest.param("http://example.org\\@example.net/", id="a backslash in the host"),
        pytest.param("http://" + "a" * 64 + ".org/", id="a label longer than DNS has"),
        pytest.param("https://example.org/" + "a" * MAX_URL, id="longer than is kept"),
        pytest.param("https://example.org/" + "é" * (MAX_URL // 3), id="longer than is kept once encoded"),
    ],
)
def test_what_is_no_web_address_is_none(url: str) -> None:
    assert canonical(url) is None


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        pytest.param("b", "https://example.org/a/", "https://example.org/a/b", id="beside"),
        pytest.param("../b", "https://example.org/a/c/", "https://example.org/a/b", id="above"),
        pytest.param("/b", "https://example.org/a/", "https://example.org/b", id="from the root"),
        pytest.param("//example.net/b", "https://example.org/", "https://example.net/b", id="scheme of the base"),
        pytest.param("?id=2", "https://example.org/a?id=1", "https://example.org/a?id=2", id="query only"),
        pytest.param("http://example.net/b", "https://example.org/", "http://example.net/b", id="absolute"),
        pytest.param(" b\n", "https://example.org/a/", "https://example.org/a/b", id="white space around"),
        pytest.param("", "https://example.org/a/", None, id="nothing is not the base"),
        pytest.param("b", "http://[bad", None, id="a base that is no address"),
        pytest.param("javascript:alert(1)", "https://example.org/", None, id="another scheme"),
    ],
)
def test_b6_relative_addresses_are_taken_from_their_base(url: str, base: str, expected: str | None) -> None:
    assert canonical(url, base) == expected


@settings(max_examples=200, deadline=None)
@given(urls)
@example("https://example.org/%25zz?%zz#%")
@example("http://example.org?utm_source=1&&=&a")
@example("http://example.org//a//../b;c=d?e;f")
@example("http://example.org#/")
def test_canonical_is_idempotent(url: str) -> None:
    once = canonical(url)
    if once is not None:
        assert canonical(once) == once
        assert once.startswith(("http://", "https://"))
        assert len(once) <= MAX_URL
        assert once.isascii()
        assert not any(char in once for char in " \t\r\n")
        fragment = once.partition("#")[2]
        assert "#" not in once or fragment.startswith(("!", "/")), "a page to a program, not a place on one"


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([*sorted(TRACKERS), "utm_source", "pk_campaign"]), words, words, st.integers(0, 2))
def test_a_tracker_makes_no_difference_wherever_it_stands(tracker: str, key: str, value: str, at: int) -> None:
    pairs = [f"k{key}={value}", "q=%E9+%2F"]
    plain = "&".join(pairs)
    pairs.insert(at, f"{tracker}={value}")
    assert canonical(f"{SITE}?{'&'.join(pairs)}") == canonical(f"{SITE}?{plain}")


@settings(max_examples=100, deadline=None)
@given(st.text(URL_CHARS, max_size=80))
def test_any_link_in_a_feed_gives_an_address_or_none(link: str) -> None:
    made = canonical(link, SITE)
    assert made is None or canonical(made) == made


@pytest.mark.parametrize(
    ("url", "host"),
    [
        pytest.param("https://WWW.Example.org:8080/a", "www.example.org", id="lower case, no port"),
        pytest.param("https://example.org./", "example.org", id="without the dot after it"),
        pytest.param("http://[2001:db8::1]/", "2001:db8::1", id="IPv6"),
        pytest.param("nothing", "", id="none"),
        pytest.param("http://[::1", "", id="broken"),
    ],
)
def test_the_host_of_a_url(url: str, host: str) -> None:
    assert host_of(url) == host


TIMES = Outlet("Example Times", ("example.org", "times.example"), "Example Media")
SPORT = Outlet("Example Sport", ("sport.example.org",), "Example Media")
BOOK = OutletBook([TIMES, SPORT])


@pytest.mark.parametrize(
    ("url", "outlet"),
    [
        pytest.param("https://example.org/a", TIMES, id="its domain"),
        pytest.param("https://www.example.org/a", TIMES, id="below its domain"),
        pytest.param("https://WWW.TIMES.EXAMPLE/a", TIMES, id="its second domain, in capitals"),
        pytest.param("https://sport.example.org/a", SPORT, id="the longest domain wins"),
        pytest.param("https://live.sport.example.org/a", SPORT, id="below the longest"),
        pytest.param("https://notexample.org/a", None, id="an ending is not a domain"),
        pytest.param("https://example.net/a", None, id="nobody's"),
        pytest.param("no address", None, id="no address"),
    ],
)
def test_the_outlet_of_a_url_is_the_longest_domain_that_fits(url: str, outlet: Outlet | None) -> None:
    assert BOOK.of_url(url) == outlet


def test_an_outlet_that_nobody_described_is_a_family_of_its_own() -> None:
    assert BOOK.named("Hill Gazette", "https://www.hill.example/feed") == Outlet(
        "Hill Gazette", ("hill.example",), "Hill Gazette"
    )
    assert BOOK.named("Hill Gazette").domains == ()
    assert BOOK.named("Example Sport", "https://elsewhere.example/") is SPORT


LABELS = st.text("abcxyz019_-", min_size=1, max_size=8)
SEGMENTS = st.text("aZ09._~-%+;:,@", max_size=8)
PAIRS = st.tuples(st.sampled_from(["id", "utm_source", "a", "ref", "B", "fbclid", ""]), SEGMENTS).map("=".join)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["https://", "http://", "HTTP://"]),
    st.lists(LABELS, min_size=1, max_size=4).map(".".join),
    st.lists(SEGMENTS, max_size=4).map("/".join),
    st.lists(PAIRS, max_size=4).map("&".join),
    st.sampled_from(["", "#top", "#!/a", "?"]),
)
def test_the_short_way_through_regular_addresses_leads_where_the_long_one_does(
    scheme: str, host: str, path: str, query: str, rest: str
) -> None:
    for url in (f"{scheme}{host}{rest}", f"{scheme}{host}/{path}{'?' if query else ''}{query}{rest}"):
        assert canonical(url) == _unwrapped(_spelled(url)), url
