"""The fetch contract through the real service, where the operator has a say: exceptions from TLS (S6), feeds asked for
by hand (T10), the network here being down (N3), and who listens to hubs (T12)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from contract import (
    DAY,
    HOUR,
    MINUTE,
    Room,
    Step,
    feed_answer,
    fingerprint,
    http_date,
    not_modified,
    redirect,
    room,
    tls_server,
)  # fmt: skip
from fakes import answer, item, rss

from pipeline import service
from pipeline.cli import main
from pipeline.fetch import Guard
from pipeline.store import Store
from pipeline.times import stamp

ERROR = answer(b"", "500 Internal Server Error")
GONE = answer(b"", "410 Gone")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        yield made


def newsbeat(desk: Room, *words: str) -> Result:
    """A command beside the running service, at the service's own moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "clock", lambda: desk.now)
        place = ["--config", str(desk.place / "config"), "--db", str(desk.place / "news.db")]
        return CliRunner().invoke(main, [*place, *words])


# --- S6 exceptions from TLS -----------------------------------------------------------------------------------


def test_tls_exception_any_is_asked_without_a_check_and_says_so_everywhere(tmp_path: Path) -> None:
    with tls_server(lambda _: feed_answer()) as (port, seen), room(tmp_path, feeds='certificate = "any"') as desk:
        desk.configure(f"https://127.0.0.1:{port}/feed")
        (outcome,) = desk.poll()
        assert outcome.outcome == "ok"
        assert 'its certificate is not checked (certificate = "any")' in outcome.why
        assert seen[0].startswith(b"GET /feed HTTP/1.1\r\n")
        assert "[certificate not checked]" in newsbeat(desk, "feeds", "list").stdout
        listed = [json.loads(line) for line in newsbeat(desk, "feeds", "list", "--json").stdout.splitlines()]
        assert "any" in [one["certificate"] for one in listed]
        checked = newsbeat(desk, "check")
        assert (checked.exit_code, "is not checked" in checked.stderr) == (0, True)


def test_tls_exception_for_one_certificate_takes_that_and_no_other(tmp_path: Path) -> None:
    with tls_server(lambda _: feed_answer()) as (port, seen), room(tmp_path) as desk:
        desk.extra = 'certificate = "sha256:' + "0" * 64 + '"'
        desk.configure(f"https://127.0.0.1:{port}/feed")
        (outcome,) = desk.poll()
        assert (outcome.outcome, seen) == ("failed", [])
        assert fingerprint() in outcome.why
        assert desk.one("SELECT error_kind FROM feeds WHERE state = 'failing'") == ("tls",)
        pin = fingerprint().removeprefix("sha256:").upper()
        desk.extra = 'certificate = "sha256:' + ":".join(pin[n : n + 2] for n in range(0, 64, 2)) + '"'
        desk.configure(f"https://127.0.0.1:{port}/feed")
        (outcome,) = desk.poll(2 * HOUR)
        assert (outcome.outcome, len(seen)) == ("ok", 1)
        assert "[certificate pinned]" in newsbeat(desk, "feeds", "list").stdout


@pytest.mark.parametrize("exception", ["any", "pin"])
def test_tls_exception_does_not_hold_where_a_redirect_leads(exception: str, tmp_path: Path) -> None:
    value = "any" if exception == "any" else fingerprint()
    away = lambda port: redirect(f"https://localhost:{port}/feed")  # noqa: E731
    with tls_server(away) as (port, seen), room(tmp_path, feeds=f'certificate = "{value}"') as desk:
        desk.configure(f"https://127.0.0.1:{port}/feed")
        (outcome,) = desk.poll()
        assert outcome.outcome == "failed"
        assert len(seen) == 1
        assert desk.one("SELECT error_kind FROM feeds WHERE state = 'failing'") == ("tls",)


def test_tls_exception_taken_back_is_none(tmp_path: Path) -> None:
    with tls_server(lambda _: feed_answer()) as (port, seen), room(tmp_path, feeds='certificate = "any"') as desk:
        desk.configure(f"https://127.0.0.1:{port}/feed")
        desk.poll()
        desk.extra = ""
        desk.configure(f"https://127.0.0.1:{port}/feed")
        (outcome,) = desk.poll(2 * HOUR)
        assert (outcome.outcome, len(seen)) == ("failed", 1)


# --- T10 asked for by hand ------------------------------------------------------------------------------------


def test_retry_asks_now_with_validators_and_only_once(desk: Room) -> None:
    desk.asks(feed_answer(ETag='"1"'))
    desk.now += 10 * MINUTE
    assert desk.poll() == []
    said = newsbeat(desk, "feeds", "retry", desk.server.url("/feed"))
    assert (said.exit_code, "1 feed asked for" in said.stdout) == (0, True)
    assert "asked for by hand" in newsbeat(desk, "feeds", "list").stdout
    desk.says(not_modified())
    (outcome,) = desk.poll()
    assert desk.validators() == ('"1"', None)
    assert (outcome.outcome, desk.wait) == ("not_modified", HOUR)
    assert desk.poll() == []
    assert "asked for by hand" not in newsbeat(desk, "feeds", "list").stdout


NAMES = {"address": "{url}", "number": "1", "outlet": "the times", "host": "127.0.0.1"}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_retry_finds_a_feed_by_any_of_its_names(name: str, tmp_path: Path) -> None:
    with room(tmp_path, feeds='outlet = "The Times"') as desk:
        desk.asks(feed_answer())
        desk.now += 10 * MINUTE
        said = newsbeat(desk, "feeds", "retry", "--json", name.format(url=desk.server.url("/feed")))
        assert json.loads(said.stdout) == {
            "asked": 1,
            "feeds": [
                {
                    "url": desk.server.url("/feed"), "next_poll_at": stamp(desk.now),
                    "why": "as soon as its host's turn comes",
                }
            ],
        }  # fmt: skip
        assert len(desk.poll()) == 1


def test_retry_of_what_is_not_there_or_of_nothing_is_refused_in_words(desk: Room) -> None:
    desk.asks(feed_answer())
    for words in (["nobody.example"], [], ["--all", "--failing"]):
        said = newsbeat(desk, "feeds", "retry", *words)
        assert said.exit_code == 2
        assert "feed" in said.stderr
    assert desk.poll() == []


def test_retry_failing_asks_those_alone(tmp_path: Path) -> None:
    with room(tmp_path, "/a", "/b") as desk:
        desk.says(feed_answer(), "/a")
        desk.says(ERROR, "/b")
        desk.poll()
        desk.now += 10 * MINUTE
        newsbeat(desk, "feeds", "retry", "--failing")
        assert [outcome.feed_url for outcome in desk.poll()] == [desk.server.url("/b")]
        desk.now += 10 * MINUTE
        newsbeat(desk, "feeds", "retry", "--all")
        assert len(desk.poll()) == 2


@pytest.mark.parametrize(
    ("status", "after"),
    [
        pytest.param("503 No", "7200", id="503-seconds"),
        pytest.param("429 Too Many Requests", "7200", id="429"),
        pytest.param("429 Too Many Requests", "date", id="429-date"),
    ],
)
def test_retry_never_comes_before_a_retry_after(status: str, after: str, desk: Room) -> None:
    value = http_date(desk.now + 2 * HOUR) if after == "date" else after
    desk.asks(answer(b"", status, Retry_After=value))
    for _ in range(2):  # also over a restart
        desk.now += 10 * MINUTE
        said = newsbeat(desk, "feeds", "retry", "--all")
        assert "asks not to be asked" in said.stdout or "asked everybody to wait" in said.stdout
        assert desk.poll() == []
        desk.restart()
    desk.says(ERROR)
    assert desk.poll(100 * MINUTE - timedelta(seconds=1)) == []
    assert len(desk.poll(timedelta(seconds=1))) == 1
    desk.now += MINUTE
    newsbeat(desk, "feeds", "retry", "--all")  # an answer without a Retry-After ends it
    assert len(desk.poll()) == 1


def test_retry_of_another_feed_of_a_host_that_said_429_waits_too(tmp_path: Path) -> None:
    with room(tmp_path, "/a", "/b", gap="0.01s") as desk:
        desk.says(feed_answer(), "/b")
        desk.says(feed_answer(), "/a")
        desk.poll()
        desk.says(answer(b"", "429 Too Many Requests", Retry_After="7200"), "/a")
        desk.now += 10 * MINUTE
        newsbeat(desk, "feeds", "retry", desk.server.url("/a"))
        desk.poll()
        desk.now += 10 * MINUTE
        said = newsbeat(desk, "feeds", "retry", desk.server.url("/b"))
        assert "asked everybody to wait" in said.stdout
        before = len(desk.asked)
        desk.poll()
        assert len(desk.asked) == before
        assert len(desk.poll(2 * HOUR)) == 2


def test_retry_a_moment_after_a_poll_waits_out_the_minute(desk: Room) -> None:
    desk.asks(feed_answer())
    desk.now += timedelta(seconds=20)
    assert "it was asked 20 s ago" in newsbeat(desk, "feeds", "retry", "1").stdout
    assert desk.poll() == []
    assert len(desk.poll(timedelta(seconds=40))) == 1


def test_retry_revives_what_is_gone_only_by_its_own_name(desk: Room) -> None:
    desk.asks(feed_answer(), GONE, GONE, GONE)
    desk.now += HOUR
    for words in (["--all"], ["127.0.0.1"]):
        newsbeat(desk, "feeds", "retry", *words)
        assert desk.poll() == []
    assert newsbeat(desk, "feeds", "retry", "127.0.0.1").exit_code == 1
    newsbeat(desk, "feeds", "retry", "1")
    desk.poll()
    assert desk.feed("state") == "gone"  # one more 410 is enough
    desk.now += HOUR
    newsbeat(desk, "feeds", "retry", desk.server.url("/feed"))
    desk.says(feed_answer())
    desk.poll()
    assert desk.feed("state, gone_seen") == ("ok", 0)


def test_retry_of_a_feed_that_is_not_configured_says_what_to_do(tmp_path: Path) -> None:
    with room(tmp_path, "/a", "/b") as desk:
        for target in ("/a", "/b"):
            desk.says(feed_answer(rss(item(target))), target)
        desk.poll()
        desk.configure("/a")
        desk.poll()
        said = newsbeat(desk, "feeds", "retry", desk.server.url("/b"))
        assert (said.exit_code, "not in feeds.toml" in said.stdout) == (1, True)
        assert desk.poll(10 * MINUTE) == []


def test_retry_of_a_merged_feed_asks_it_at_its_own_address(tmp_path: Path) -> None:
    with room(tmp_path, "/old", "/new") as desk:
        desk.says(feed_answer(), "/new")
        desk.says(redirect("/new", 301), "/old")
        desk.poll()
        desk.poll(2 * HOUR)
        assert desk.rows("SELECT state FROM feeds WHERE url LIKE '%/old'") == [("paused",)]
        desk.says(feed_answer(rss(item("again"))), "/old")
        desk.now += 10 * MINUTE
        newsbeat(desk, "feeds", "retry", desk.server.url("/old"))
        (outcome,) = desk.poll()
        assert (outcome.outcome, desk.asked[-1]) == ("ok", "/old")
        assert desk.rows("SELECT state FROM feeds WHERE url LIKE '%/old'") == [("ok",)]


@pytest.mark.parametrize(
    ("raw", "wait"),
    [
        pytest.param(feed_answer(), timedelta(), id="an answer"),
        pytest.param(ERROR, timedelta(), id="a failure"),
        pytest.param(answer(b"", "503 No", Retry_After="7200"), 2 * HOUR, id="Retry-After"),
    ],
)
def test_retry_while_a_poll_is_under_way_is_not_lost(raw: bytes, wait: timedelta, desk: Room) -> None:
    """What was wrong may have been mended since that poll began; but what it is told counts."""
    began = desk.now

    def meanwhile() -> Iterable[Step]:
        with Store.beside(desk.place / "news.db") as store, store.transaction():
            store.feeds.ask_for(1, began + MINUTE, began + MINUTE)
        yield raw

    desk.says(meanwhile)
    desk.poll()
    desk.says(feed_answer())
    assert desk.feed("next_poll_at") == stamp(began + max(wait, MINUTE))
    desk.due()
    assert desk.poll() == []
    assert len(desk.asked) == 2


@pytest.mark.parametrize("known", [False, True], ids=["never asked before", "known"])
def test_a_feed_taken_out_while_its_poll_is_under_way_stays_out(known: bool, desk: Room) -> None:
    if known:
        desk.asks(feed_answer())

    def meanwhile() -> Iterable[Step]:
        with Store.beside(desk.place / "news.db") as store, store.transaction():
            store.feeds.subscribe([], lambda _: None, desk.now)
        yield feed_answer(rss(item("tunnel")))

    desk.asks(meanwhile) if known else (desk.says(meanwhile), desk.poll())
    assert desk.rows("SELECT state FROM feeds") == ([("paused",)] if known else [])
    assert desk.poll(2 * HOUR) == []
    assert desk.running.trouble is None


# --- the network here is down ---------------------------------------------------------------------------------

HOSTS = [f"host{n}.example" for n in range(9)]


def offline(desk: Room, up: list[bool]) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        if not up:
            raise OSError(-3, "Temporary failure in name resolution")
        return ["127.0.0.1"]

    desk.hurry(guard=Guard(desk.running.settings.allow_addresses, resolve))
    desk.configure(*[f"http://{host}:{desk.server.port}/feed" for host in HOSTS])
    desk.says(feed_answer())


def test_a_dead_line_is_no_fault_of_the_feeds(desk: Room) -> None:
    up: list[bool] = []
    offline(desk, up)
    for _ in range(30):
        desk.poll(5 * MINUTE)
    assert desk.one("SELECT max(failures) FROM feeds WHERE url LIKE '%example%'") == (1,)
    assert "network" in newsbeat(desk, "status").stdout.lower()
    up.append(True)
    desk.poll(6 * MINUTE)
    assert desk.one("SELECT count(*) FROM feeds WHERE state = 'ok'") == (9,)
    assert "network" not in newsbeat(desk, "status").stdout.lower()


def test_while_the_line_is_dead_a_service_tries_few(desk: Room) -> None:
    offline(desk, [])
    desk.poll()
    asked = desk.count("polls")
    desk.now += 6 * MINUTE
    assert desk._runner.run(desk.running.tick()) == service.PROBES
    assert asked == 9


def test_one_dead_host_or_a_refused_connection_is_a_fault_like_any_other(desk: Room) -> None:
    desk.configure(*[f"http://127.0.0.1:1/{n}" for n in range(9)])
    desk.poll()
    desk.poll(2 * HOUR)
    assert desk.one("SELECT min(failures), max(failures), min(error_kind) FROM feeds WHERE state = 'failing'") == (
        2, 2, "connect",
    )  # fmt: skip


# --- T12 hubs and who listens ---------------------------------------------------------------------------------


def test_once_takes_no_hubs_word_as_nobody_listens(desk: Room) -> None:
    desk.asks(feed_answer())
    store = desk.running.store
    with store.transaction():
        store.websub.offered(1, "https://hub.example/", desk.server.url("/feed"), desk.now)
        (one,) = store.websub.due(desk.now, 1)
        store._connection.execute(
            "UPDATE websub SET state = 'confirmed', lease_until = ?, next_try_at = NULL", (stamp(desk.now + 9 * DAY),)
        )
        store.feeds.rest(one.feed_id, desk.now + DAY)
    assert desk.wait == DAY
    desk.shut()
    desk.now += HOUR
    epoch = str(int(desk.now.timestamp()))
    said = newsbeat(desk, "once", "--now", epoch)
    assert "1 feeds polled" in said.stdout
    desk.open()
    assert desk.wait <= 70 * MINUTE
