"""Files in config/ to checked values: every promised key; for every mistake the file, the key, what, and the cure."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import config
from pipeline.config import ConfigErrors, FetchSettings, parse_duration, shapes
from pipeline.model import Feed, Outlet, Rules, Term
from pipeline.urls import OutletBook

SHIPPED = Path(__file__).parent.parent / "config"

NEWSBEAT = """
[site]
title = "The Desk"
[fetch]
contact = "https://example.org/about-our-reader"
every = "45m"
per_host_gap = "2s"
per_host_in_flight = 3
host_wide_429 = false
allow_addresses = ["127.0.0.1/32", "fd00::/8", "192.168.1.20"]
"""
FEEDS = """
[[feed]]
url = "https://feeds.example.org/world.xml"
outlet = "Example Times"
every = "15m"
[[feed]]
url = "https://news.example.net/rss"
"""
OUTLETS = """
[[outlet]]
name = "Example Times"
domains = ["example.org", "example.com"]
family = "Example Media Group"
[[outlet]]
name = "Example Post"
domains = ["example.net"]
"""
TOPIC = """
title = "The river barrage"
seed = "seeds/barrage.txt"
threshold = 0.3
[[term]]
text = "barrage"
weight = 0.6
kind = "name"
aliases = ["river barrage", "weir"]
[[term]]
text = "tidal power"
weight = 0.4
kind = "phrase"
[[term]]
text = "turbine"
weight = 1
[rules]
any = ["barrage"]
all = ["river"]
none = ["barrage of questions"]
"""
FILES = {
    "newsbeat.toml": NEWSBEAT,
    "feeds.toml": FEEDS,
    "outlets.toml": OUTLETS,
    "topics/barrage.toml": TOPIC,
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return written(tmp_path / "config")


def written(directory: Path, **changes: str | bytes | None) -> Path:
    """A whole configuration in `directory`; `changes` replace files, `None` leaves one out. `__` stands for a slash."""
    for name, content in {
        **FILES,
        **{f"{key.replace('__', '/')}.toml": value for key, value in changes.items()},
    }.items():
        if content is None:
            continue
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return directory


def findings(directory: Path) -> list[str]:
    """Every finding as text, with the directory left out."""
    with pytest.raises(ConfigErrors) as caught:
        config.load(directory)
    assert str(caught.value) == "\n".join(str(finding) for finding in caught.value.findings)
    return [str(finding).replace(f"{directory}{os.sep}", "") for finding in caught.value.findings]


# --- what is there is taken up --------------------------------------------------------------------------------


def test_every_promised_key_is_read(place: Path) -> None:
    setup = config.load(place)
    assert setup.site.title == "The Desk"
    asked = setup.fetch
    assert asked.contact == "https://example.org/about-our-reader"
    assert (asked.every, asked.per_host_gap) == (timedelta(minutes=45), timedelta(seconds=2))
    assert (asked.per_host_in_flight, asked.host_wide_429) == (3, False)
    assert asked.allow_addresses == tuple(map(ip_network, ("127.0.0.1/32", "fd00::/8", "192.168.1.20/32")))
    assert setup.feeds == (
        Feed("https://feeds.example.org/world.xml", "Example Times", None, timedelta(minutes=15)),
        Feed("https://news.example.net/rss"),
    )
    assert setup.outlets == (
        Outlet("Example Times", ("example.org", "example.com"), "Example Media Group"),
        Outlet("Example Post", ("example.net",), "Example Post"),
    )
    (topic,) = setup.topics
    assert (topic.slug, topic.title, topic.seed) == ("barrage", "The river barrage", "seeds/barrage.txt")
    assert topic.threshold == 0.3
    assert topic.terms == (
        Term("barrage", 0.6, "name", ("river barrage", "weir")),
        Term("tidal power", 0.4, "phrase"),
        Term("turbine", 1, "word"),
    )
    assert topic.rules == Rules(("barrage",), ("river",), ("barrage of questions",))


def test_empty_files_give_the_defaults(tmp_path: Path) -> None:
    directory = written(tmp_path, newsbeat="", feeds="", outlets=None, topics__barrage=None)
    setup = config.load(directory)
    assert (setup.site.title, setup.fetch, setup.feeds, setup.outlets, setup.topics) == (
        "Newsbeat", FetchSettings(), (), (), ()
    )  # fmt: skip


def test_defaults_are_those_of_the_contract() -> None:
    asked = FetchSettings()
    assert (asked.every, asked.backoff_cap, asked.hint_cap, asked.retry_after_cap) == (
        timedelta(minutes=60), timedelta(hours=24), timedelta(hours=24), timedelta(hours=72)
    )  # fmt: skip
    assert (asked.connect_timeout, asked.read_timeout, asked.deadline) == tuple(
        timedelta(seconds=n) for n in (10, 20, 30)
    )
    assert (asked.per_host_in_flight, asked.per_host_gap, asked.in_flight) == (2, timedelta(seconds=1), 32)
    assert (asked.max_wire_bytes, asked.max_body_bytes, asked.max_ratio, asked.max_redirects) == (
        20 * 1024**2, 20 * 1024**2, 100, 5
    )  # fmt: skip
    assert asked.allow_addresses == ()


def test_every_setting_of_fetch_can_be_written_in_the_file() -> None:
    """Under its own name, with the same default."""
    shape = shapes.Fetch()
    assert set(shapes.Fetch.model_fields) == {field.name for field in fields(FetchSettings)}
    for field in fields(FetchSettings):
        value = getattr(shape, field.name)
        assert (tuple(value) if isinstance(value, list) else value) == getattr(FetchSettings(), field.name)


def test_one_topic_can_be_read_alone(place: Path) -> None:
    assert config.topic(place / "topics" / "barrage.toml") == config.load(place).topics[0]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        pytest.param('text = "turbine"', 'text = "turbines"', False, id="a term"),
        pytest.param("weight = 0.6", "weight = 0.7", False, id="a weight"),
        pytest.param('"weir"', '"sluice"', False, id="an alias"),
        pytest.param('all = ["river"]', "all = []", False, id="a rule"),
        pytest.param("threshold = 0.3", "threshold = 0.31", False, id="the threshold"),
        pytest.param("threshold = 0.3", "threshold = 0.3\nscale = 1.1", False, id="the scale"),
        pytest.param("threshold = 0.3", "threshold = 0.3\nscale = 1.0", True, id="not a scale of one"),
        pytest.param("The river barrage", "Our barrage", True, id="not its title"),
        pytest.param("[[term]]", "# a remark\n[[term]]", True, id="not a remark"),
    ],
)
def test_profile_hash_changes_with_what_decides(old: str, new: str, same: bool, tmp_path: Path) -> None:
    before = config.load(written(tmp_path / "a")).topics[0]
    after = config.load(written(tmp_path / "b", topics__barrage=TOPIC.replace(old, new))).topics[0]
    assert (before.profile_hash == after.profile_hash) == same


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param("60m", timedelta(hours=1), id="m"),
        pytest.param("10 min", timedelta(minutes=10), id="min"),
        pytest.param("10 mins", timedelta(minutes=10), id="mins"),
        pytest.param("1 minute", timedelta(minutes=1), id="minute"),
        pytest.param("2h", timedelta(hours=2), id="h"),
        pytest.param("2 Hours", timedelta(hours=2), id="Hours"),
        pytest.param("1.5h", timedelta(minutes=90), id="a fraction"),
        pytest.param("90 s", timedelta(seconds=90), id="s"),
        pytest.param("90 seconds", timedelta(seconds=90), id="seconds"),
        pytest.param("1 day", timedelta(days=1), id="day"),
        pytest.param("2d", timedelta(days=2), id="d"),
        pytest.param("5 weeks", timedelta(days=35), id="weeks"),
        pytest.param("2y", timedelta(days=730), id="y"),
        pytest.param(" 5m ", timedelta(minutes=5), id="spaces around"),
        pytest.param("0s", timedelta(), id="none"),
        pytest.param(0, timedelta(), id="a bare nought"),
    ],
)
def test_length_of_time_is_read(text: object, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    ["", "soon", "60", 60, 1.5, "m", "-5m", "5 moons", "5m 3s", "1e3s", True, False, None, [], "9" * 40 + "d"],
)  # fmt: skip
def test_anything_else_is_no_length_of_time(text: object) -> None:
    with pytest.raises(ValueError, match='Write it like "60m", "10 min" or "2h"'):
        parse_duration(text)


# --- what is wrong is told ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        pytest.param(
            "topics__barrage", "threshold", "treshold",
            'topics/barrage.toml: "treshold" is not a key of a topic. Did you mean "threshold"?',
            id="unknown key with a suggestion",
        ),
        pytest.param(
            "newsbeat", "per_host_gap", "per_hosts_gap",
            'newsbeat.toml: fetch: "per_hosts_gap" is not a key of [fetch]. Did you mean "per_host_gap"?',
            id="unknown key in a table",
        ),
        pytest.param(
            "feeds", 'url = "https://news.example.net/rss"', 'url = "https://news.example.net/rss"\nzebra = 1',
            'feeds.toml: feed[2] (https://news.example.net/rss): "zebra" is not a key of a feed.'
            " Its keys are certificate, every, outlet, title and url.",
            id="unknown key in the second entry",
        ),
        pytest.param(
            "newsbeat", "[site]", "[sight]",
            'newsbeat.toml: "sight" is not a key of newsbeat.toml. Did you mean "site"?',
            id="unknown table",
        ),
        pytest.param(
            "outlets", "family", "familie",
            'outlets.toml: outlet[1] (Example Times): "familie" is not a key of an outlet. Did you mean "family"?',
            id="unknown key of an outlet",
        ),
        pytest.param(
            "topics__barrage", "none =", "non =",
            'topics/barrage.toml: rules: "non" is not a key of the rules. Did you mean "none"?',
            id="unknown rule",
        ),
        pytest.param(
            "topics__barrage", "aliases", "alias",
            'topics/barrage.toml: term[1]: "alias" is not a key of a term. Did you mean "aliases"?',
            id="unknown key of a term",
        ),
        pytest.param(
            "newsbeat", "per_host_in_flight = 3", 'per_host_in_flight = "three"',
            "newsbeat.toml: fetch.per_host_in_flight: should be a valid integer (it is 'three').",
            id="a word for a number",
        ),
        pytest.param(
            "newsbeat", "host_wide_429 = false", 'host_wide_429 = "no"',
            "newsbeat.toml: fetch.host_wide_429: should be a valid boolean (it is 'no').",
            id="a word for true or false",
        ),
        pytest.param(
            "newsbeat", "per_host_in_flight = 3", "per_host_in_flight = true",
            "newsbeat.toml: fetch.per_host_in_flight: should be a valid integer (it is True).",
            id="true for a number",
        ),
        pytest.param(
            "newsbeat", "per_host_in_flight = 3", "per_host_in_flight = 9",
            "newsbeat.toml: fetch.per_host_in_flight: should be less than or equal to 8 (it is 9).",
            id="a number out of bounds",
        ),
        pytest.param(
            "newsbeat", 'every = "45m"', 'every = "2m"',
            "newsbeat.toml: fetch.every: 2m is out of bounds. Choose between 5m and 24h.",
            id="a pace out of bounds",
        ),
        pytest.param(
            "feeds", 'every = "15m"', 'every = "3 min"',
            "feeds.toml: feed[1].every (https://feeds.example.org/world.xml): 3m is out of bounds."
            " Choose between 5m and 24h.",
            id="a feed's own pace out of bounds",
        ),
        pytest.param(
            "newsbeat", 'every = "45m"', 'every = "often"',
            "newsbeat.toml: fetch.every: 'often' is not a length of time. Write it like \"60m\", \"10 min\" or \"2h\".",
            id="bad duration",
        ),
        pytest.param(
            "newsbeat", 'every = "45m"', 'every = 45',
            "newsbeat.toml: fetch.every: 45 is not a length of time. Write it like \"60m\", \"10 min\" or \"2h\".",
            id="a duration without its unit",
        ),
        pytest.param(
            "newsbeat", 'every = "45m"', 'every = "99999999999999d"',
            "newsbeat.toml: fetch.every: '99999999999999d' is not a length of time."
            " Write it like \"60m\", \"10 min\" or \"2h\".",
            id="a duration beyond all time",
        ),
        pytest.param(
            "newsbeat", 'per_host_gap = "2s"', 'deadline = "60s"',
            "newsbeat.toml: fetch.deadline: 1m is out of bounds. Choose between 1s and 30s.",
            id="a hard limit raised",
        ),
        pytest.param(
            "newsbeat", 'per_host_gap = "2s"', "max_body_bytes = 99000000",
            "newsbeat.toml: fetch.max_body_bytes: should be less than or equal to 20971520 (it is 99000000).",
            id="a hard size raised",
        ),
        pytest.param(
            "newsbeat", '"127.0.0.1/32"', '"169.254.169.254/32"',
            "newsbeat.toml: fetch.allow_addresses[1]: 169.254.169.254/32 holds 169.254.169.254, where clouds keep"
            " credentials. It can never be allowed.",
            id="the metadata address",
        ),
        pytest.param(
            "newsbeat", '"127.0.0.1/32"', '"169.254.0.0/16"',
            "newsbeat.toml: fetch.allow_addresses[1]: 169.254.0.0/16 holds 169.254.169.254, where clouds keep"
            " credentials. It can never be allowed.",
            id="the metadata address in its network",
        ),
        pytest.param(
            "newsbeat", '"fd00::/8"', '"localhost"',
            "newsbeat.toml: fetch.allow_addresses[2]: 'localhost' is no address or network."
            ' Write it like "127.0.0.1/32".',
            id="a name for an address",
        ),
        pytest.param(
            "newsbeat", '"fd00::/8"', "2130706433",
            "newsbeat.toml: fetch.allow_addresses[2]: 2130706433 is no address or network."
            ' Write it like "127.0.0.1/32".',
            id="a number for an address",
        ),
        pytest.param(
            "newsbeat", "https://example.org/about-our-reader", "our reader",
            "newsbeat.toml: fetch.contact: 'our reader' is neither a web address nor a mail address.",
            id="a contact that leads nowhere",
        ),
        pytest.param(
            "newsbeat", "https://example.org/about-our-reader", "a@b (the desk)",
            "newsbeat.toml: fetch.contact: a contact cannot hold line breaks or brackets; it goes into a header.",
            id="a contact that breaks its header",
        ),
        pytest.param(
            "newsbeat", "https://example.org/about-our-reader", "zoë@example.org",
            "newsbeat.toml: fetch.contact: 'zoë@example.org' holds a sign that no header can carry."
            " Write it in plain ASCII.",
            id="a contact beyond ASCII",
        ),
        pytest.param(
            "newsbeat", "https://example.org/about-our-reader", "desk@example.org\\u0007",
            "newsbeat.toml: fetch.contact: 'desk@example.org\\x07' holds a sign that no header can carry."
            " Write it in plain ASCII.",
            id="a contact with a bell",
        ),
        pytest.param(
            "feeds", "https://news.example.net/rss", "news.example.net/rss",
            "feeds.toml: feed[2].url: 'news.example.net/rss' is not a web address. Write it whole, with http:// or"
            " https://.",
            id="an address without its scheme",
        ),
        pytest.param(
            "feeds", "https://news.example.net/rss", "file:///etc/hostname",
            "feeds.toml: feed[2].url: 'file:///etc/hostname' is not a web address. Write it whole, with http:// or"
            " https://.",
            id="a file for a feed",
        ),
        pytest.param(
            "feeds", 'url = "https://news.example.net/rss"', 'title = "News"',
            'feeds.toml: feed[2]: the key "url" is missing. Add it.',
            id="a feed without its address",
        ),
        pytest.param(
            "feeds", "https://news.example.net/rss", "https://feeds.example.org/world.xml",
            "feeds.toml: url: 'https://feeds.example.org/world.xml' stands here twice. Keep one.",
            id="duplicate feed",
        ),
        pytest.param(
            "feeds", "[[feed]]", "[feed]", "feeds.toml: not valid TOML: Cannot declare ('feed',) twice"
            " (at line 6, column 6). A key stands once in a table; start each entry with its own [[...]] line.",
            id="single brackets twice",
        ),
        pytest.param(
            "outlets", "Example Post", "Example Times",
            "outlets.toml: name: 'Example Times' stands here twice. Keep one.",
            id="duplicate outlet",
        ),
        pytest.param(
            "outlets", '"example.net"', '"Example.COM"',
            "outlets.toml: domains: 'example.com' stands here twice. Keep one.",
            id="duplicate domain",
        ),
        pytest.param(
            "outlets", '"example.net"', '"https://example.net/"',
            "outlets.toml: outlet[2].domains (Example Post): 'https://example.net/' is not a bare domain. Write it like"
            ' "example.org".',
            id="an address for a domain",
        ),
        pytest.param(
            "topics__barrage", "threshold = 0.3", "threshold = 1.5",
            "topics/barrage.toml: threshold: should be less than 1 (it is 1.5).",
            id="bad threshold",
        ),
        pytest.param(
            "topics__barrage", "threshold = 0.3", "threshold = nan",
            "topics/barrage.toml: threshold: should be less than 1 (it is nan).",
            id="a threshold that is no number",
        ),
        pytest.param(
            "topics__barrage", "weight = 0.6", "weight = -1",
            "topics/barrage.toml: term[1].weight: should be greater than 0 (it is -1).",
            id="a weight below nought",
        ),
        pytest.param(
            "topics__barrage", "weight = 0.6", "weight = inf",
            "topics/barrage.toml: term[1].weight: should be less than or equal to 1000 (it is inf).",
            id="a weight without end",
        ),
        pytest.param(
            "topics__barrage", 'kind = "phrase"', 'kind = "sentence"',
            "topics/barrage.toml: term[2].kind: 'sentence' is not one of its values."
            " Choose 'name', 'phrase' or 'word'.",
            id="a kind that does not exist",
        ),
    ],
)  # fmt: skip
def test_mistake_is_told_with_file_key_finding_and_cure(
    file: str, old: str, new: str, said: str, tmp_path: Path
) -> None:
    content = FILES[f"{file.replace('__', '/')}.toml"]
    assert old in content
    assert findings(written(tmp_path, **{file: content.replace(old, new)})) == [said]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        pytest.param("newsbeat", None, "the file is missing. Copy config/newsbeat.toml from", id="missing main file"),
        pytest.param("feeds", None, "the file is missing. Copy config/feeds.toml from", id="missing feeds"),
        pytest.param("feeds", "[[feed]\n", "feeds.toml: not valid TOML: ", id="not TOML"),
        pytest.param("newsbeat", "[site]\ntitle = Desk\n", "Texts stand in quotes", id="a text without quotes"),
        pytest.param("newsbeat", "[site]\ntitle = 'a'\ntitle = 'b'", "A key stands once in a table", id="a key twice"),
        pytest.param("outlets", b"name = '\xe9'", "not UTF-8 text (byte 8). Save it as UTF-8.", id="not UTF-8"),
        pytest.param("outlets", "\ufeff".encode("utf-16"), "not UTF-8 text", id="UTF-16"),
        pytest.param(
            "newsbeat", "[fetch]\nmax_ratio = " + "9" * 5000, "newsbeat.toml: not valid TOML", id="huge number"
        ),
        pytest.param("newsbeat", "a = " + "[" * 50_000, "newsbeat.toml: not valid TOML", id="brackets without end"),
        pytest.param(
            "newsbeat", 'site = "Desk"',
            "newsbeat.toml: site: should be a table (it is 'Desk'). Start it with a line [site].", id="no table",
        ),
        pytest.param(
            "feeds", "feed = [1]",
            "feeds.toml: feed[1]: should be a table (it is 1). Start it with a line [[feed]].", id="a list of numbers",
        ),
        pytest.param(
            "feeds", '[feed]\nurl = "https://a.example/"',
            "feeds.toml: feed: should be a list. Start each entry with [[feed]].", id="single brackets",
        ),
        pytest.param("topics__barrage", "title = 'Nothing'", 'the key "term" is missing. Add it.', id="empty topic"),
        pytest.param(
            "topics__barrage", "title = 'Nothing'\nterm = []", "term: should have at least 1 item", id="no terms"
        ),
        pytest.param("topics__barrage", "", 'the key "title" is missing. Add it.', id="empty file"),
    ],
)  # fmt: skip
def test_file_that_cannot_be_read_is_told(file: str, content: str | bytes | None, said: str, tmp_path: Path) -> None:
    assert any(said in finding for finding in findings(written(tmp_path, **{file: content})))


def test_missing_directory_is_told(tmp_path: Path) -> None:
    (said,) = findings(tmp_path / "nowhere")
    assert said.endswith(
        "nowhere: there is no such directory. Point --config at the directory that holds newsbeat.toml."
    )


def test_directory_in_place_of_a_file_is_told(place: Path) -> None:
    (place / "topics" / "odd.toml").mkdir()
    assert findings(place) == ["topics/odd.toml: cannot be read: Is a directory. Check its owner and permissions."]


def test_all_findings_are_told_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    directory = written(
        tmp_path,
        newsbeat='[fetch]\nevery = "often"\nmax_ratio = 5000\n[sight]\n',
        feeds='[[feed]]\nurl = "nowhere"\n[[feed]]\n',
        outlets='[[outlet]]\nname = "A"\ndomains = []\n',
        topics__barrage="threshold = 2.0",
        topics__weir="not toml",
    )
    said = findings(directory)
    assert [finding.split(": ")[0] for finding in said] == [
        "newsbeat.toml", "newsbeat.toml", "newsbeat.toml", "feeds.toml", "feeds.toml", "outlets.toml",
        "topics/barrage.toml", "topics/barrage.toml", "topics/barrage.toml", "topics/weir.toml",
    ]  # fmt: skip


FILE = st.sampled_from(["newsbeat", "feeds", "outlets", "topics__barrage"])


def loads_or_is_told(directory: Path, file: str, content: bytes) -> None:
    """Nothing but a Setup or ConfigErrors comes out, whatever stands in a file."""
    with contextlib.suppress(ConfigErrors):
        assert isinstance(config.load(written(directory / file, **{file: content})), config.Setup)


@given(FILE, st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_any_file_load_or_are_told(tmp_path: Path, file: str, content: bytes) -> None:
    loads_or_is_told(tmp_path, file, content)


VALUES = st.recursive(
    st.sampled_from(["1", "-1", "1e400", "nan", "true", '"60m"', '""', "1979-05-27", "12:00:00", '"http://a.example"']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | inner.map(lambda item: f"{{ x = {item} }}")
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(
    "site fetch feed outlet term rules title url every contact allow_addresses domains threshold weight any x".split()
)
HEADS = st.sampled_from(["", "[site]", "[fetch]", "[[feed]]", "[[outlet]]", "title = 'x'\n[[term]]", "[rules]"])


@given(FILE, HEADS, st.lists(st.tuples(KEYS, VALUES), max_size=4))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_toml_in_any_file_loads_or_is_told(
    tmp_path: Path, file: str, head: str, lines: list[tuple[str, str]]
) -> None:
    content = "\n".join([head, *(f"{key} = {value}" for key, value in lines)])
    loads_or_is_told(tmp_path, file, content.encode())


# --- what changed is seen -------------------------------------------------------------------------------------


def touch(file: Path) -> None:
    file.write_text(file.read_text() + "# more\n")


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        pytest.param(lambda at: None, False, id="nothing"),
        pytest.param(lambda at: touch(at / "newsbeat.toml"), True, id="the main file"),
        pytest.param(lambda at: touch(at / "feeds.toml"), True, id="the feeds"),
        pytest.param(lambda at: touch(at / "topics" / "barrage.toml"), True, id="a topic"),
        pytest.param(lambda at: (at / "topics" / "weir.toml").write_text(TOPIC), True, id="a topic more"),
        pytest.param(lambda at: (at / "topics" / "barrage.toml").unlink(), True, id="a topic less"),
        pytest.param(lambda at: os.utime(at / "feeds.toml", (1, 1)), True, id="only its time"),
        pytest.param(lambda at: (at / "notes.txt").write_text("x"), False, id="a file nobody reads"),
    ],
)
def test_fingerprint_changes_when_a_file_does(change: Callable[[Path], object], differs: bool, place: Path) -> None:
    before = config.fingerprint(place)
    change(place)
    assert (config.fingerprint(place) != before) == differs


def test_fingerprint_of_a_missing_directory_is_empty(tmp_path: Path) -> None:
    assert config.fingerprint(tmp_path / "nowhere") == ()


# --- what we ship ---------------------------------------------------------------------------------------------


def test_shipped_configuration_loads_and_reads_the_news() -> None:
    setup = config.load(SHIPPED)
    assert setup.fetch.contact == ""
    assert len(setup.feeds) >= 80
    assert len(setup.topics) >= 1


def test_shipped_feeds_are_https_and_of_known_outlets() -> None:
    setup = config.load(SHIPPED)
    book = OutletBook(setup.outlets)
    names = {outlet.name for outlet in setup.outlets}
    assert [feed.url for feed in setup.feeds if not feed.url.startswith("https://")] == []
    assert [feed.url for feed in setup.feeds if feed.outlet not in names and not book.of_url(feed.url)] == []


@pytest.mark.parametrize("file", sorted((SHIPPED / "topics").glob("*.toml")), ids=lambda file: file.stem)
def test_shipped_topic_loads_and_its_seed_is_there(file: Path) -> None:
    topic = config.topic(file)
    assert topic.terms
    assert topic.seed is None or (SHIPPED.parent / topic.seed).is_file()


DOUBTS = {
    "a slip": ('outlet = "Exmaple Times"', ['Did you mean "Example Times"?']),
    "upper and lower case": ('outlet = "example times"', ['Did you mean "Example Times"?']),
    "an outlet of its own": ('outlet = "The Harbour Gazette"', []),
    "the name itself": ('outlet = "Example Post"', []),
    "none": ("", []),
    "no check of the certificate": ('certificate = "any"', ["is not checked"]),
    "a pinned certificate": ('certificate = "SHA256:' + "aB:" * 31 + 'aB"', []),
}


@pytest.mark.parametrize(("keys", "said"), DOUBTS.values(), ids=DOUBTS)
def test_what_is_allowed_and_hardly_meant_is_worth_a_look(keys: str, said: list[str], tmp_path: Path) -> None:
    place = written(tmp_path, feeds=FEEDS + keys + "\n")
    doubts = [str(doubt) for doubt in config.doubts(config.load(place), place)]
    assert len(doubts) == len(said)
    for doubt, words in zip(doubts, said, strict=True):
        assert words in doubt
        assert "https://news.example.net/rss" in doubt


@pytest.mark.parametrize(
    "value", ["", "none", "sha256:", "sha256:" + "0" * 63, "sha256:" + "g" * 64, "md5:" + "0" * 32]
)
def test_certificate_that_is_no_exception_is_told(value: str, tmp_path: Path) -> None:
    (said,) = findings(written(tmp_path, feeds=FEEDS + f'certificate = "{value}"\n'))
    assert "is no exception we know" in said
    assert "https://news.example.net/rss" in said


def test_finding_never_names_an_address_that_may_hold_a_password(tmp_path: Path) -> None:
    secret = '[[feed]]\nurl = "https://me:hunter2@example.org/feed"\nevery = "1m"\n'
    for said in findings(written(tmp_path, feeds=secret)):
        assert "hunter2" not in said


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        pytest.param("none = ['dance', 're:(reef']", "rules.none[2] (line 5, column 19)", id="in single quotes"),
        pytest.param(r'any = ["re:\\b(reef"]', "rules.any[1] (line 5, column 9)", id="with escapes"),
        pytest.param("all = [\n  'reef',\n  '!!',\n]", "rules.all[2] (line 7, column 4)", id="a rule without a word"),
    ],
)
def test_a_rule_that_cannot_be_is_told_with_its_line_and_column(tmp_path: Path, rules: str, place: str) -> None:
    path = tmp_path / "reef.toml"
    path.write_text(f'title = "Reef"\nthreshold = 0.2\n\n[rules]\n{rules}\n\n[[term]]\ntext = "reef"\nweight = 1.0\n')
    with pytest.raises(ConfigErrors) as refused:
        config.topic(path)
    assert [finding.key for finding in refused.value.findings] == [place]
