"""What is secret stays so: passwords in addresses, keys of private feeds, what a hub and we share."""

from __future__ import annotations

import io
import json
import logging
import re
import sqlite3
from pathlib import Path

import pytest
import sample
from contract import HOUR, feed_answer, redirect, room
from desk import METADATA, get
from fakes import answer, rss

from pipeline import config, hiding, log
from pipeline.browse.serve import build
from pipeline.errors import ConfigErrors

KEY = "https://paper.example/rss?section=world&token=t0psecret&n=5"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        pytest.param("https://me:hunter2@a.example/f", "https://…@a.example/f", id="a password"),
        pytest.param(
            "moved to http://me@a.example/f?x=1 for good", "moved to http://…@a.example/f?x=1 for good", id="a name"
        ),
        pytest.param(KEY, "https://paper.example/rss?section=world&token=…&n=5", id="a token"),
        pytest.param("https://a.example/?api_key=abc#top", "https://a.example/?api_key=…#top", id="a key"),
        pytest.param('{"feed": "https://a.example/?auth=abc"}', '{"feed": "https://a.example/?auth=…"}', id="in JSON"),
        pytest.param(
            "https://a.example/?X-Amz-Signature=abc&k=v", "https://a.example/?X-Amz-Signature=…&k=v", id="signed"
        ),
        pytest.param("https://a.example/monkey=1?keyword=tax&author=a@b.example", None, id="words like any"),
        pytest.param("Mail press@a.example, token=1", None, id="no address"),
    ],
)
def test_words_are_masked_where_they_give_away(words: str, shown: str | None) -> None:
    assert hiding.masked(words) == (shown or words)
    assert hiding.masked(hiding.masked(words)) == hiding.masked(words)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://me:hunter2@a.example:8443/f?x=a@b#c", "https://a.example:8443/f?x=a@b#c"),
        ("https://a.example/@me/feed", "https://a.example/@me/feed"),
        ("https://a@b@c.example/", "https://c.example/"),
        ("http://[::1", "http://[::1"),
        ("http://me@[::1", "http://me@[::1"),
    ],
)
def test_an_address_is_bare_of_names_and_passwords(url: str, said: str) -> None:
    assert hiding.bare(url) == said


def test_a_password_that_a_redirect_or_a_link_brings_is_stored_nowhere(tmp_path: Path) -> None:
    with room(tmp_path, fetch="archives = true") as desk:
        host = f"me:hunter2@127.0.0.1:{desk.server.port}"
        older = f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="prev-archive" href="http://{host}/older"/>'
        desk.says(feed_answer(rss(extra=older)), "/new")
        desk.says(redirect(f"http://{host}/new", 301))
        for _ in range(3):
            desk.poll(HOUR)
        assert desk.feed("current_url") == desk.server.url("/new")
        for name in ("news.db", "feedback.db"):
            with sqlite3.connect(tmp_path / name) as rows:
                assert "hunter2" not in "\n".join(rows.iterdump())
        assert "hunter2" not in "".join(head.decode("latin-1") for head in desk.server.requests)


@pytest.mark.parametrize("form", ["text", "json"])
def test_log_lines_hold_no_key_whoever_wrote_them(form: log.Form, monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr("sys.stderr", said)
    before = list(log.logger.handlers), log.logger.level, log.logger.propagate
    try:
        log.to_stderr(logging.INFO, form)
        log.event("feed polled", feed=KEY, why=f"moved to https://me:hunter2@a.example/ and {KEY}", new=3)
        try:
            raise ValueError(KEY)
        except ValueError:
            log.logger.exception("poll failed feed=%s", KEY)
    finally:
        log.logger.handlers[:], log.logger.level, log.logger.propagate = before
    assert "paper.example/rss?section=world&token=…" in said.getvalue()
    assert not re.search("t0psecret|hunter2", said.getvalue())
    if form == "json":
        assert [json.loads(line)["level"] for line in said.getvalue().splitlines()] == ["info", "error"]


def test_check_says_that_a_feeds_address_holds_a_key_without_saying_it(tmp_path: Path) -> None:
    (tmp_path / "newsbeat.toml").write_text("")
    (tmp_path / "feeds.toml").write_text(f'[[feed]]\nurl = "{KEY}"\n[[feed]]\nurl = "https://a.example/?keyword=x"\n')
    (found,) = config.doubts(config.load(tmp_path), tmp_path)
    assert "its address seems to hold a key" in str(found)
    assert "t0psecret" not in str(found)


@pytest.mark.parametrize("quoted", ['"{}"', "'{}'"])
def test_a_password_in_feeds_toml_is_refused_without_saying_it(quoted: str, tmp_path: Path) -> None:
    (tmp_path / "newsbeat.toml").write_text("")
    (tmp_path / "feeds.toml").write_text(f"[[feed]]\nurl = {quoted.format('https://me:hunter2@a.example/f')}\n")
    with pytest.raises(ConfigErrors) as caught:
        config.load(tmp_path)
    assert "holds a user name or password" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_pages_show_a_feeds_address_without_its_key(tmp_path: Path) -> None:
    news, feedback = sample.build(tmp_path)
    with sqlite3.connect(news) as rows:
        rows.execute("UPDATE feeds SET title = NULL, url = ? || '&f=' || id, last_error = ?", (KEY, f"{KEY}: 503"))
    site = build(news, feedback, METADATA, title="The Desk", now=sample.NOW)
    for path in (
        "/",
        "/feeds",
        "/feeds?state=failing",
        "/outlet/1",
        "/article/1",
        "/feeds.json",
        "/feeds.csv",
        "/-/newsbeat/health.json",
        "/-/newsbeat/metrics",
    ):
        answer = get(site, path)
        assert "t0psecret" not in answer.text, path
    assert "token=…" in get(site, "/feeds").text


def test_tables_that_hold_a_private_address_are_closed_to_strangers(tmp_path: Path) -> None:
    news, feedback = sample.build(tmp_path)
    site = build(news, feedback, METADATA, title="The Desk", now=sample.NOW)
    doors = ("/news/feeds", "/news/feeds.json", "/news/feeds/1.json", "/news/feeds_in_trouble", "/news/quiet_feeds.csv")
    assert {get(site, path).status_code for path in doors} == {200}, "nothing is private yet"
    with sqlite3.connect(news) as rows:
        rows.execute("UPDATE feeds SET url = ? || '&f=' || id", (KEY,))
    assert {get(site, path).status_code for path in doors} == {403}
    for path in ("/news", "/news/polls", "/news/polls.json?_labels=on", "/news/entries.json?_labels=on", "/feeds"):
        answer = get(site, path)
        assert (answer.status_code, "t0psecret" in answer.text) == (200, False), path
    editor = "ds_actor=" + site.sign({"a": {"id": "ada"}}, "actor")
    assert "t0psecret" in get(site, "/news/feeds.json", cookie=editor).text


def test_what_a_poll_came_to_is_kept_without_the_key(tmp_path: Path) -> None:
    with room(tmp_path, "/feed?token=t0psecret") as desk:
        desk.says(answer(b"", "429 Too Many Requests"), "/feed?token=t0psecret")
        desk.poll()
        with sqlite3.connect(tmp_path / "news.db") as rows:
            (why,) = rows.execute("SELECT why FROM hosts").fetchone()
            assert "token=… answered 429" in why
            said = rows.execute("SELECT last_error FROM feeds UNION ALL SELECT why FROM polls").fetchall()
            assert "t0psecret" not in str(said)
