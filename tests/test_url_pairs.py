"""Two addresses, one article or two: a table of real patterns, and the laws that hold for any address."""

from __future__ import annotations

import json
import string
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import unwrap, variants
from pipeline.urls import canonical, host_of, page

TABLE = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "url_pairs.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("pair", TABLE, ids=lambda pair: f"{'one' if pair['same'] else 'two'}: {pair['why']}")
def test_two_addresses_are_one_article_or_two(pair: dict[str, str]) -> None:
    assert (page(pair["a"]) == page(pair["b"])) is pair["same"], (page(pair["a"]), page(pair["b"]))


def test_the_table_holds_what_it_should() -> None:
    assert len(TABLE) >= 250
    assert sum(not pair["same"] for pair in TABLE) >= 75
    assert len({(pair["a"], pair["b"]) for pair in TABLE}) == len(TABLE)


def test_every_address_of_the_table_keeps_its_name_in_canonical_spelling() -> None:
    for pair in TABLE:
        for url in (pair["a"], pair["b"]):
            spelled = canonical(url)
            assert spelled is not None
            assert canonical(spelled) == spelled
            assert page(spelled) == page(url)


HOSTS = [
    "example.org",
    "www.example.org",
    "m.example.org",
    "amp.example.co.uk",
    "m.com.au",
    "www.bbc.co.uk",
    "amp.cnn.com",
    "www.spiegel.de",
    "timesofindia.indiatimes.com",
    "en.m.wikipedia.org",
    "127.0.0.1:8080",
    "[::1]",
    "amp.amp.example",
]
SEGMENTS = st.one_of(
    st.sampled_from(
        [
            "amp",
            "platform",
            "index.html",
            "story-12.amp.html",
            "a-b-c",
            "tag",
            "",
            "..",
            "amp_articleshow",
            "12345678.cms",
            "article-1234567",
            ";jsessionid=1",
            "(S(abcdefghijkl))",
            "x~amp.html",
            "x!amp",
            "%2F",
            "story.amp",
        ]
    ),
    st.text(string.ascii_letters + string.digits + "-_.~%é", max_size=8),
)
PAIRS = st.sampled_from(
    [
        "amp",
        "amp=1",
        "outputType=amp",
        "id=7",
        "print=1",
        "page=2",
        "utm_source=x",
        "ref=rss",
        "ref=12",
        "m=1",
        "=",
        "",
        "%",
    ]
)
pages = st.builds(
    lambda scheme, host, path, query, end: (
        f"{scheme}://{host}/{'/'.join(path)}{'?' if query else ''}{'&'.join(query)}{end}"
    ),
    st.sampled_from(["http", "https"]),
    st.sampled_from(HOSTS),
    st.lists(SEGMENTS, max_size=5),
    st.lists(PAIRS, max_size=3),
    st.sampled_from(["", "#top", "#!/x", "/"]),
)


def site(url: str) -> str:
    host = host_of(url)
    labels = [label for label in host.split(".") if label not in {*variants.MOBILE, "www"}]
    return ".".join(labels)


@settings(max_examples=400, deadline=None)
@given(pages)
@example("https://amp.amp.amp.example/amp/amp/12")
@example("https://example.org/story-12.amp.amp.html")
def test_a_pages_spelling_is_its_own_stays_on_its_site_and_can_be_opened(url: str) -> None:
    spelled = canonical(url)
    if spelled is None:
        return
    assert canonical(spelled) == spelled
    assert page(spelled) == page(url)
    assert site(spelled) == site(url)
    assert urlsplit(spelled).scheme == urlsplit(url).scheme
    assert urlsplit(spelled).path.startswith("/")


@settings(max_examples=200, deadline=None)
@given(pages, st.sampled_from(["scheme", "www", "slash", "tracker", "fragment"]))
@example("http://example.org/(S(abcdefghijkl))", "slash")
def test_what_says_nothing_of_the_page_does_not_change_its_name(url: str, what: str) -> None:
    parts = urlsplit(canonical(url) or "https://example.org/story-1")
    if what == "scheme":
        other = parts._replace(scheme="https" if parts.scheme == "http" else "http")
    elif what == "www":
        bare = parts.netloc.removeprefix("www.")
        if bare[0] in "[1" or bare.startswith(("m.", "amp.")):
            return
        other = parts._replace(netloc=f"www.{bare}")
    elif what == "slash":
        other = parts._replace(path=parts.path.rstrip("/") + "/")
    elif what == "tracker":
        other = parts._replace(query=f"{parts.query}&fbclid=1" if parts.query else "fbclid=1")
    else:
        other = parts if parts.fragment else parts._replace(fragment="comments")
    assert page(other.geturl()) == page(parts.geturl())


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        [
            "https://www.google.com/url?q={}",
            "https://l.facebook.com/l.php?u={}",
            "https://www.bing.com/news/apiclick.aspx?url={}",
        ]
    ),
    st.text(string.printable + "é", max_size=60),
)
def test_a_redirector_with_any_target_gives_an_address(wrapper: str, target: str) -> None:
    spelled = canonical(wrapper.format(target))
    assert spelled is None or canonical(spelled) == spelled


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_google_news_token_is_read_or_left(raw: bytes) -> None:
    import base64

    token = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    found = unwrap.target(f"https://news.google.com/rss/articles/{token}?oc=5")
    assert found is None or found.startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("url", "opaque"),
    [
        pytest.param("https://news.google.com/rss/articles/CBMiAAAAAAAAAAAAAAAAAAAA1?oc=5", True, id="a feed's link"),
        pytest.param("https://news.google.com/articles/CBMiAAAAAAAAAAAAAAAAAAAA1", True, id="the site's link"),
        pytest.param("https://news.google.com/read/CBMiAAAAAAAAAAAAAAAAAAAA1", True, id="the newer link"),
        pytest.param("https://news.google.com/rss?hl=en-US", False, id="a feed"),
        pytest.param("https://example.org/rss/articles/CBMiAAAAAAAAAAAAAAAAAAAA1", False, id="another host"),
        pytest.param("https://example.org/?u=://news.google.com/articles/x", False, id="in a parameter"),
        pytest.param(None, False, id="no address"),
        pytest.param("https://[news.google.com", False, id="broken"),
    ],
)
def test_a_google_news_link_names_no_page(url: str | None, opaque: bool) -> None:
    assert unwrap.is_opaque(url) is opaque
