"""WebSub (W3C, sections 4 to 7; fetch contract T12), with a hub on 127.0.0.1 and time as a value."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import yaml
from fakes import FEED, NOW, Inline, feed_state, free_port, item, response, rss
from hypothesis import given
from hypothesis import strategies as st
from outlets import Outlets
from test_service import Time, opened

from pipeline import hub, schedule, websub
from pipeline.model import Subscription
from pipeline.service import Service

ATOM = "http://www.w3.org/2005/Atom"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HUB = "https://hub.example/"
ONE = Subscription(1, HUB, FEED, "https://news.example.org/websub/x", "s3cret", "asked", NOW)


# --- judgements -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "links", "found"),
    [
        pytest.param([], [("hub", HUB), ("self", FEED)], (HUB, FEED), id="in the document"),
        pytest.param([("link", f'<{HUB}>; rel="hub", <{FEED}>; rel=self')], [], (HUB, FEED), id="in one header"),
        pytest.param([("link", f"<{HUB}>; rel=hub"), ("link", f'<{FEED}>; rel="x self"')], [], (HUB, FEED),
                     id="in two"),
        pytest.param([("link", '</hub>; title="a, b"; rel="hub"'), ("link", "<>; rel=self")], [],
                     ("https://feeds.example.org/hub", FEED), id="relative, with a comma in quotes"),
        pytest.param([("link", f"<{HUB}>; rel=hub")], [("self", FEED), ("hub", "https://other.example/")], (HUB, FEED),
                     id="the header goes first"),
        pytest.param([], [("hub", "http://plain.example/"), ("hub", HUB), ("self", FEED)], (HUB, FEED),
                     id="TLS goes first"),
        pytest.param([], [("hub", HUB)], None, id="no self"),
        pytest.param([], [("self", FEED)], None, id="no hub"),
        pytest.param([("link", "<javascript:1>; rel=hub, <>;;; rel"), ("linked", f"<{HUB}>; rel=hub")],
                     [("self", FEED)], None, id="junk"),
    ],
)  # fmt: skip
def test_the_hub_is_found_in_what_a_poll_brings(
    headers: list[tuple[str, str]], links: list[tuple[str, str]], found: tuple[str, str] | None
) -> None:
    assert websub.offer(headers, links, FEED) == found


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_method_of_signing_is_known(method: str) -> None:
    digest = hmac.new(b"s3cret", b"body", getattr(hashlib, method)).hexdigest()
    assert websub.genuine(f"{method}={digest}", "s3cret", b"body")
    assert websub.genuine(f"{method.upper()}={digest.upper()}", "s3cret", b"body")
    assert not websub.genuine(f"{method}={digest}", "other", b"body")
    assert not websub.genuine(f"{method}={digest}", "s3cret", b"bodY")
    assert not websub.genuine(f"{method}={digest[:-2]}", "s3cret", b"body")


@pytest.mark.parametrize("signature", [None, "", "sha256", "sha256=", "md5=" + "0" * 32, "new=1", "=", "sha256=\xe9"])
def test_no_signature_is_no_good_one(signature: str | None) -> None:
    assert not websub.genuine(signature, "s3cret", b"body")
    assert not websub.genuine("sha256=" + hmac.new(b"", b"body", "sha256").hexdigest(), None, b"body")


@given(st.text())
def test_any_signature_may_come(signature: str) -> None:
    assert not websub.genuine(signature, "s3cret", b"body")


def query(mode: str = "subscribe", topic: str = FEED, **changes: str) -> dict[str, str]:
    values = {"challenge": "c1", "lease_seconds": "864000", **changes}
    return {"hub.mode": mode, "hub.topic": topic, **{f"hub.{key}": value for key, value in values.items()}}


@pytest.mark.parametrize(
    ("one", "asked", "status"),
    [
        pytest.param(ONE, query(), 200, id="what we asked for"),
        pytest.param(replace(ONE, state="renewing"), query(), 200, id="a renewal"),
        pytest.param(replace(ONE, state="confirmed"), query(), 200, id="once more, our yes was lost"),
        pytest.param(replace(ONE, state="confirmed", asked_at=NOW - DAY), query(), 404, id="long after we asked"),
        pytest.param(replace(ONE, state="offered", asked_at=None), query(), 404, id="before we asked"),
        pytest.param(replace(ONE, state="leaving"), query(), 404, id="we want to leave"),
        pytest.param(replace(ONE, state="leaving"), query("unsubscribe"), 200, id="yes, we want to leave"),
        pytest.param(ONE, query("unsubscribe"), 404, id="somebody else wants us to leave"),
        pytest.param(ONE, query(topic="https://other.example/"), 404, id="another topic"),
        pytest.param(ONE, query(challenge=""), 404, id="no challenge"),
        pytest.param(ONE, query("delete"), 404, id="another mode"),
        pytest.param(ONE, {}, 404, id="nothing"),
        pytest.param(None, query(), 404, id="another callback"),
    ],
)
def test_a_hub_hears_yes_only_to_what_we_asked_for(
    one: Subscription | None, asked: dict[str, str], status: int
) -> None:
    verdict = websub.answered(one, asked, NOW)
    assert verdict.status == status
    assert verdict.body == ("c1" if status == 200 else "")
    assert (verdict.after is not None) == (status == 200)


@pytest.mark.parametrize(
    ("said", "lease"),
    [
        pytest.param("864000", 10 * DAY, id="ten days"),
        pytest.param("60", timedelta(minutes=1), id="a minute"),
        pytest.param("999999999999", websub.LONGEST_LEASE, id="for ever"),
        pytest.param("", websub.LEASE, id="not said"),
        pytest.param("-5", websub.LEASE, id="junk"),
        pytest.param("0", websub.LEASE, id="none"),
    ],
)
def test_a_lease_is_renewed_before_it_ends(said: str, lease: timedelta) -> None:
    after = websub.answered(ONE, query(lease_seconds=said), NOW).after
    assert after is not None
    assert after.lease_until == NOW + lease
    assert after.next_try_at is not None
    assert after.next_try_at == NOW + max(lease * websub.EARLY, websub.SOONEST)


def test_a_hub_that_does_not_answer_is_asked_ever_more_rarely() -> None:
    one, waits = replace(ONE, state="offered"), []
    for _ in range(7):
        one = websub.asking(one, NOW)
        assert one.next_try_at
        waits.append((one.next_try_at - NOW) / HOUR)
    assert waits == [1, 2, 4, 8, 16, 24, 24]


def test_a_denial_ends_what_was_confirmed() -> None:
    one = replace(ONE, state="confirmed", lease_until=NOW + DAY)
    after = websub.answered(one, {"hub.mode": "denied", "hub.topic": FEED, "hub.reason": "no"}, NOW).after
    assert after is not None
    assert (after.state, websub.told(after, NOW)) == ("denied", False)
    assert "no" in (after.why or "")


def test_a_feed_that_a_hub_tells_of_is_polled_once_a_day() -> None:
    """T12"""
    pace = schedule.Pace()
    told = schedule.next_poll(feed_state(told_until=NOW + DAY), response(), pace, NOW, 0.0)
    assert (told.at, "hub" in told.why) == (NOW + DAY, True)
    assert schedule.next_poll(feed_state(told_until=NOW), response(), pace, NOW, 0.0).at == NOW + HOUR
    own = feed_state(told_until=NOW + 2 * DAY, every=timedelta(minutes=5))
    assert schedule.next_poll(own, response(), pace, NOW, 0.0).at == NOW + DAY


# --- with a hub -----------------------------------------------------------------------------------------------


@dataclass
class FakeHub:
    """A hub on 127.0.0.1 that keeps what is posted and answers `status`."""

    status: int = 202
    posted: list[dict[str, str]] = field(default_factory=list)

    def __enter__(self) -> FakeHub:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.posted.append(dict(parse_qsl(body)))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Room:
    """A running service with one feed that names the hub."""

    running: Service
    outlets: Outlets
    hub: FakeHub
    now: Time
    port: int
    web: httpx.AsyncClient

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def tend(self, callback: str | None = None) -> None:
        assert self.running.door
        callback = self.base if callback is None else callback
        await self.running.door.tend(callback, ("127.0.0.1", self.port))

    async def subscribe(self, lease: int = 864000) -> Subscription:
        """A poll, a request, a verification."""
        await self.running.once()
        await self.tend()
        assert (await self.verify(lease_seconds=str(lease))).status_code == 200
        return self.stored()

    async def verify(self, mode: str = "subscribe", **changes: str) -> httpx.Response:
        posted = self.hub.posted[-1]
        return await self.web.get(
            posted["hub.callback"], params=query(mode, **{"topic": posted["hub.topic"], **changes})
        )

    async def deliver(self, body: bytes, secret: str | None = None, **headers: str) -> int:
        posted = self.hub.posted[-1]
        secret = posted.get("hub.secret", "") if secret is None else secret
        signature = "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
        given = {"X-Hub-Signature": signature, "Content-Type": "application/rss+xml", **headers}
        answer = await self.web.post(posted["hub.callback"], content=body, headers=given)
        await self.running._finish_chores()
        return answer.status_code

    def stored(self) -> Subscription:
        found = self.running.store.websub.get(1)
        assert found
        return found

    def count(self, table: str = "articles") -> int:
        return int(self.running.store._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def due(self) -> datetime:
        at = self.running.store.feeds.state(1).next_poll_at
        assert at
        return at


@pytest.fixture
def outlets() -> Iterator[Outlets]:
    with Outlets() as made:
        yield made


@pytest.fixture
def fake_hub() -> Iterator[FakeHub]:
    with FakeHub() as made:
        yield made


@asynccontextmanager
async def room(
    tmp_path: Path, outlets: Outlets, fake: FakeHub, *, callback: bool = True, processes: bool = False
) -> AsyncIterator[Room]:
    port, now = free_port(), Time()
    publish(outlets, fake)
    directory = configure(tmp_path, outlets, port if callback else None)
    async with (
        opened(directory, tmp_path / "news.db", now) as running,
        httpx.AsyncClient(trust_env=False, timeout=30) as web,
    ):
        assert running.door
        if not processes:
            running.workers = running.door.workers = Inline()
        yield Room(running, outlets, fake, now, port, web)


def configure(tmp_path: Path, outlets: Outlets, port: int | None) -> Path:
    websub = f'[websub]\ncallback = "http://127.0.0.1:{port}"\nlisten = "127.0.0.1:{port}"' if port else ""
    return outlets.configure(tmp_path / "config", "/a", fetch=websub)


def links(outlets: Outlets, fake: FakeHub) -> str:
    said = f'<a:link rel="hub" href="{fake.url}"/><a:link rel="self" href="{outlets.url}/a"/>'
    return said.replace("<a:link", f'<a:link xmlns:a="{ATOM}"')


def publish(outlets: Outlets, fake: FakeHub) -> None:
    outlets.bodies["/a"] = rss(item("bridge"), extra=links(outlets, fake))


def test_nothing_is_asked_of_a_hub_unless_configured(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub, callback=False) as one:
            await one.running.once()
            await one.tend("")
            assert one.count("websub") == 0
            assert one.running.door is not None
            assert one.running.door.address is None

    asyncio.run(scene())
    assert fake_hub.posted == []
    assert outlets.asked == ["/a"], "and nothing but the feed is asked for"


def test_a_hub_is_asked_verified_and_the_feed_polled_once_a_day(
    tmp_path: Path, outlets: Outlets, fake_hub: FakeHub
) -> None:
    """`websub`"""

    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.running.once()
            assert one.due() == NOW + HOUR
            await one.tend()
            (posted,) = fake_hub.posted
            assert posted["hub.mode"] == "subscribe"
            assert posted["hub.topic"] == f"{outlets.url}/a"
            path = urlsplit(posted["hub.callback"]).path
            assert posted["hub.callback"] == f"{one.base}{path}"
            assert len(path) == len(hub.PATH) + 43
            assert len(posted["hub.secret"]) == 43
            assert one.due() == NOW + HOUR, "until it is confirmed, nothing changes"
            answer = await one.verify(challenge="a <b> &")
            assert (answer.status_code, answer.text) == (200, "a <b> &")
            assert answer.headers["content-type"].startswith("text/plain")
            assert one.stored().state == "confirmed"
            assert one.due() == NOW + DAY
            await one.tend()
            assert len(fake_hub.posted) == 1, "asked once"
            one.now.passes(hours=24)
            await one.running.once()
            assert one.due() == NOW + 2 * DAY

    asyncio.run(scene())
    assert outlets.asked == ["/a", "/a"]


@pytest.mark.parametrize(
    ("mode", "changes"),
    [
        pytest.param("subscribe", {"topic": "https://other.example/"}, id="another topic"),
        pytest.param("unsubscribe", {}, id="nobody asked to leave"),
    ],
)
def test_a_wrong_verification_is_refused(
    mode: str, changes: dict[str, str], tmp_path: Path, outlets: Outlets, fake_hub: FakeHub
) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.running.once()
            await one.tend()
            assert (await one.verify(mode, **changes)).status_code == 404
            for path in ("/websub/" + "x" * 43, "/websub/", "/", "/websub/%25" + "x" * 41):
                assert (await one.web.get(one.base + path, params=query())).status_code == 404
            assert (await one.web.put(fake_hub.posted[0]["hub.callback"])).status_code == 405
            assert one.stored().state == "asked"
            assert one.due() == NOW + HOUR

    asyncio.run(scene())


def test_a_delivery_is_read_like_a_poll_and_is_a_delta(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.subscribe()
            before = one.running.store.feeds.state(1)
            assert await one.deliver(rss(item("tunnel"), item("harbour"))) == 202
            assert (one.count(), one.count("entries")) == (3, 3)
            after = one.running.store.feeds.state(1)
            assert replace(after, rhythm=None) == replace(before, rhythm=None)
            assert '"hurry":null' in (after.rhythm or "")
            assert await one.deliver(rss(item("tunnel"))) == 202
            assert one.count() == 3
            assert await one.deliver(b"<html>no feed</html>") == 202
            assert one.count("polls") == 1
            assert after.failures == 0

    asyncio.run(scene())
    assert outlets.asked == ["/a"], "no request was needed for it"


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_delivery_with_a_good_signature_is_kept(
    method: str, tmp_path: Path, outlets: Outlets, fake_hub: FakeHub
) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            one_sub = await one.subscribe()
            body = rss(item("tunnel"))
            digest = hmac.new((one_sub.secret or "").encode(), body, method).hexdigest()
            assert await one.deliver(body, **{"X-Hub-Signature": f"{method}={digest}"}) == 202
            assert one.count() == 2

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("secret", "headers"),
    [
        pytest.param("a guess", {}, id="signed with another secret"),
        pytest.param("", {}, id="signed with none"),
        pytest.param(None, {"X-Hub-Signature": ""}, id="not signed"),
        pytest.param(None, {"X-Hub-Signature": "md5=0"}, id="by a method that is none"),
    ],
)
def test_a_delivery_with_a_bad_signature_is_dropped_without_a_word(
    secret: str | None, headers: dict[str, str], tmp_path: Path, outlets: Outlets, fake_hub: FakeHub
) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.subscribe()
            assert await one.deliver(rss(item("forged")), secret, **headers) == 202, "the forger learns nothing"
            assert one.count() == 1

    asyncio.run(scene())


def test_a_delivery_that_is_too_large_is_refused_as_it_comes(
    tmp_path: Path, outlets: Outlets, fake_hub: FakeHub
) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.subscribe()
            assert one.running.door
            one.running.door.most_bytes = 20_000
            assert await one.deliver(rss(item("tunnel")) + b" " * 20_000) == 413

            async def endless() -> AsyncIterator[bytes]:
                for _ in range(10_000):
                    yield b" " * 1000

            callback = fake_hub.posted[-1]["hub.callback"]
            try:
                answer = await one.web.post(callback, content=endless())
                assert answer.status_code == 413
            except httpx.TransportError:
                pass  # closed on us while we sent
            assert one.count() == 1
            assert one.running.door._held == 0
            assert await one.deliver(rss(item("tunnel"))) == 202
            assert one.count() == 2
            assert await one.deliver(rss(item("quay")), **{"Content-Encoding": "gzip"}) == 415

    asyncio.run(scene())


def test_a_delivery_before_the_hub_was_confirmed_is_gone(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.running.once()
            await one.tend()
            assert await one.deliver(rss(item("tunnel"))) == 410
            assert one.count() == 1

    asyncio.run(scene())


def test_a_subscription_is_renewed_before_its_lease_ends(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            first = await one.subscribe(lease=10 * 86400)
            one.now.passes(days=7)
            await one.tend()
            assert len(fake_hub.posted) == 1
            one.now.passes(days=0.6)
            await one.tend()
            assert len(fake_hub.posted) == 2
            assert fake_hub.posted[1]["hub.callback"] == fake_hub.posted[0]["hub.callback"]
            assert one.stored().state == "renewing"
            assert await one.deliver(rss(item("tunnel"))) == 202, "it goes on meanwhile"
            assert one.count() == 2
            assert (await one.verify()).status_code == 200
            assert one.stored().lease_until == one.now() + 10 * DAY
            assert one.stored().secret == first.secret

    asyncio.run(scene())


def test_a_lost_lease_brings_the_polls_back(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.subscribe(lease=10 * 3600)
            assert one.due() == NOW + DAY
            fake_hub.status = 500
            one.now.passes(hours=8)
            await one.tend()
            assert one.due() == NOW + DAY
            assert "500" in (one.stored().why or "")
            one.now.passes(hours=3)
            await one.tend()
            assert one.due() == one.now(), "as if no hub had ever told of it"
            await one.running.once()
            assert one.due() - one.now() <= 6 * HOUR
            assert one.stored().state == "asked"
            assert fake_hub.posted[-1]["hub.callback"] != fake_hub.posted[0]["hub.callback"]
            old = fake_hub.posted[0]["hub.callback"]
            assert (await one.web.post(old, content=b"x")).status_code == 410

    asyncio.run(scene())


def test_a_denial_brings_the_polls_back(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.subscribe()
            assert one.due() == NOW + DAY
            assert (await one.verify("denied", reason="not here")).status_code == 200
            assert one.due() == NOW + HOUR
            assert one.stored().state == "denied"
            one.now.passes(hours=2)
            await one.tend()
            assert len(fake_hub.posted) == 1, "it is not asked again for a week"

    asyncio.run(scene())


def test_removing_the_key_unsubscribes(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.subscribe()
            configure(tmp_path, outlets, None)
            one.now.passes(minutes=1)
            await one.running.tick()
            assert not one.running.websub.callback
            await one.tend(one.running.websub.callback)
            assert fake_hub.posted[-1]["hub.mode"] == "unsubscribe"
            assert one.due() == NOW + HOUR
            assert (await one.verify("unsubscribe")).text == "c1"
            await one.tend("")
            await one.tend("")
            assert one.count("websub") == 0
            assert one.running.door
            assert one.running.door.address is None
            with pytest.raises(httpx.ConnectError):
                await one.web.get(one.base)

    asyncio.run(scene())


def test_a_hub_that_never_lets_us_go_is_forgotten(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.subscribe()
            fake_hub.status = 500
            await one.tend("")
            assert one.count("websub") == 1
            one.now.passes(minutes=11)
            await one.tend("")
            await one.tend("")
            assert one.count("websub") == 0

    asyncio.run(scene())
    assert [posted["hub.mode"] for posted in fake_hub.posted] == ["subscribe", "unsubscribe"]


def test_a_feed_that_names_no_hub_any_more_is_polled_again(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.subscribe()
            outlets.publish("/a", item("bridge"), item("tunnel"))
            one.now.passes(hours=24)
            await one.running.once()
            await one.tend()
            assert fake_hub.posted[-1]["hub.mode"] == "unsubscribe"
            assert one.due() - one.now() <= 6 * HOUR

    asyncio.run(scene())


def test_a_hub_at_an_address_we_do_not_ask_is_not_asked(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            fake_hub.url = "http://169.254.169.254/"
            publish(outlets, fake_hub)
            await one.running.once()
            await one.tend()
            assert "metadata" in (one.stored().why or "")
            assert one.due() == NOW + HOUR

    asyncio.run(scene())


def test_a_hub_whose_host_asked_us_to_wait_is_waited_for(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.running.once()
            with one.running.store.transaction():
                one.running.store.feeds.hold_host("127.0.0.1", NOW + HOUR, "429")
            await one.tend()
            assert fake_hub.posted == []
            one.now.passes(hours=1)
            await one.tend()
            assert len(fake_hub.posted) == 1

    asyncio.run(scene())


def test_the_site_shows_nobody_the_secrets() -> None:
    said = yaml.safe_load((Path(__file__).parents[1] / "config" / "datasette.yaml").read_text())
    assert said["databases"]["news"]["tables"]["websub"]["allow"] is False


def test_a_subscription_outlives_a_restart(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            await one.subscribe()
            port = one.port
        async with (
            opened(tmp_path / "config", tmp_path / "news.db", one.now) as running,
            httpx.AsyncClient(trust_env=False, timeout=30) as web,
        ):
            assert running.door
            running.workers = running.door.workers = Inline()
            again = Room(running, outlets, fake_hub, one.now, port, web)
            await again.running.once()
            await again.tend()
            assert await again.deliver(rss(item("tunnel"))) == 202
            assert again.count() == 2

    asyncio.run(scene())
    assert len(fake_hub.posted) == 1


def test_an_address_that_is_taken_costs_nothing_else(
    tmp_path: Path, outlets: Outlets, fake_hub: FakeHub, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub) as one:
            with socket.create_server(("127.0.0.1", one.port)):
                await one.running.once()
                await one.tend()
                await one.tend()
            assert caplog.text.count("hubs cannot reach us") == 1
            assert fake_hub.posted == [], "a hub that could not reach us is not asked"
            await one.tend()
            assert len(fake_hub.posted) == 1

    asyncio.run(scene())


def test_the_running_service_opens_and_closes_the_door(tmp_path: Path, outlets: Outlets, fake_hub: FakeHub) -> None:
    async def scene() -> None:
        async with room(tmp_path, outlets, fake_hub, processes=True) as one:
            stop = asyncio.Event()
            running = asyncio.create_task(one.running.run(stop))
            async with asyncio.timeout(30):
                while not fake_hub.posted:
                    await asyncio.sleep(0.02)
            assert (await one.verify()).status_code == 200
            assert await one.deliver(rss(item("tunnel"))) == 202
            assert one.count() == 2
            stop.set()
            await running

    asyncio.run(scene())
