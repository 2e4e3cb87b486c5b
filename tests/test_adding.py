"""Adding a feed: what is shown, what is asked, and what becomes of feeds.toml."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import Inline, item
from outlets import Outlets

from pipeline import config
from pipeline.cli import main, seeking
from pipeline.config import write
from pipeline.model import Feed

ROOT = Path(__file__).parents[1]
ONE = b'<!doctype html><link rel="alternate" type="application/rss+xml" href="/world.xml">'
TWO = ONE + b'<link rel="alternate" type="application/rss+xml" href="/sport.xml">'


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outlets]:
    """A site with two feeds, read here and now rather than in a worker process."""
    monkeypatch.setattr(seeking, "Workers", lambda *_, **__: Inline())
    with Outlets() as served:
        sale = item("sale", title="ByteDance nears deal to sell TikTok in the US", summary="Oracle and Trump wait.")
        served.publish("/world.xml", item("bridge"), sale)
        served.publish("/sport.xml", item("match"))
        served.bodies["/"] = TWO
        yield served


@pytest.fixture
def place(site: Outlets, tmp_path: Path) -> Path:
    """A configuration that follows nothing yet, with the topic that comes with Newsbeat."""
    topic = (ROOT / "config" / "topics" / "tiktok-us-sale.toml").read_text()
    site.configure(tmp_path / "config")
    (tmp_path / "config" / "topics" / "tiktok-us-sale.toml").write_text(topic)
    return tmp_path


def add(place: Path, *words: str) -> Result:
    """`newsbeat feeds add WORDS`, in this process and not at a terminal."""
    return CliRunner().invoke(main, ["--config", str(place / "config"), "feeds", "add", *words])


def file_of(place: Path) -> Path:
    return place / "config" / "feeds.toml"


def urls_in(place: Path) -> list[str]:
    return [feed.url for feed in config.load(place / "config").feeds]


# --- the command ----------------------------------------------------------------------------------------------


def test_one_feed_is_shown_with_what_the_topics_say_and_added(place: Path, site: Outlets) -> None:
    site.bodies["/"] = ONE
    ran = add(place, site.url, "--outlet", "Example Times", "--every", "30 min")
    assert ran.exit_code == 0, ran.stderr
    assert "Example Times: World" in ran.stdout
    assert "RSS 2.0, 2 entries, newest" in ran.stdout
    assert "- Council opens the bridge" in ran.stdout
    assert "Topic TikTok's US sale: 1 of 2 on topic; nearest 0." in ran.stdout
    assert '"ByteDance nears deal to sell TikTok in the US"' in ran.stdout
    assert config.load(place / "config").feeds == (
        Feed(f"{site.url}/world.xml", "Example Times", every=timedelta(minutes=30)),
    )


def test_of_several_feeds_nobody_is_asked_without_a_terminal(place: Path, site: Outlets) -> None:
    ran = add(place, site.url)
    assert ran.exit_code == 2
    assert "2. Example Times: World" in ran.stdout
    assert "2 feeds found, and nobody to ask which. Add --yes" in ran.stderr
    assert f"newsbeat feeds add {site.url}/sport.xml" in ran.stderr
    assert urls_in(place) == []


def test_yes_takes_the_first_that_is_new(place: Path, site: Outlets) -> None:
    assert add(place, site.url, "--yes").exit_code == 0
    assert add(place, site.url, "--yes").exit_code == 0
    assert urls_in(place) == [f"{site.url}/world.xml", f"{site.url}/sport.xml"]
    ran = add(place, site.url, "--yes")
    assert ran.exit_code == 2
    assert "world.xml is there already" in ran.stderr


def test_a_feed_that_is_there_costs_no_request(place: Path, site: Outlets) -> None:
    add(place, f"{site.url}/world.xml")
    site.asked.clear()
    ran = add(place, f"{site.url}/world.xml#top")
    assert ran.exit_code == 2
    assert "is there already" in ran.stderr
    assert site.asked == []


def test_a_program_gets_one_json_object(place: Path, site: Outlets) -> None:
    ran = add(place, site.url, "--yes", "--json")
    said = json.loads(ran.stdout)
    assert said["added"] == f"{site.url}/world.xml"
    assert said["requests"] == 3
    assert [one["format"] for one in said["found"]] == ["RSS 2.0", "RSS 2.0"]
    (verdict,) = said["found"][0]["verdicts"]
    assert (verdict["topic"], verdict["on_topic"]) == ("tiktok-us-sale", 1)
    refused = add(place, site.url, "--json")
    assert refused.exit_code == 2
    assert json.loads(refused.stdout)["added"] is None
    assert [one["followed"] for one in json.loads(refused.stdout)["found"]] == [True, False]


def test_a_site_without_feeds_is_work_that_failed(place: Path, site: Outlets) -> None:
    site.bodies.clear()
    ran = add(place, site.url)
    assert ran.exit_code == 1
    assert "no feed found in 12 requests" in ran.stderr


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["ftp://a.example/f"], "is not a web address", 2),
        (["https://me:secret@a.example/f"], "user name or password", 2),
        (["https://a.example/f", "--every", "1m"], "Choose between 5m and 24h", 2),
        (["https://a.example/f", "--every", "soon"], "not a length of time", 2),
        (["https://a.example/f", "--outlet", "x" * 201], "at most 200", 2),
        (["http://10.0.0.1/f"], "not a public address", 1),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(place: Path, words: list[str], said: str, code: int) -> None:
    before = file_of(place).read_bytes()
    ran = add(place, *words)
    assert ran.exit_code == code
    assert said in ran.stderr
    assert "secret" not in ran.stderr
    assert file_of(place).read_bytes() == before


def test_nobody_is_asked_before_we_say_who_we_are(place: Path, site: Outlets) -> None:
    site.configure(place / "config", contact="")
    ran = add(place, site.url)
    assert ran.exit_code == 2
    assert "fetch.contact: is empty" in ran.stderr
    assert site.asked == []


def test_at_a_terminal_a_person_chooses(place: Path, site: Outlets) -> None:
    ours, theirs = pty.openpty()
    try:
        running = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "--config", str(place / "config"), "feeds", "add", site.url],
            cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        os.write(ours, b"2\n")
        said, asked = running.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert running.returncode == 0, asked
    assert "Which one? [1]" in asked
    assert f"added {site.url}/sport.xml" in said
    assert urls_in(place) == [f"{site.url}/sport.xml"]


def test_a_running_service_takes_the_new_feed_up_by_itself(place: Path, site: Outlets) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "--config", str(place / "config"), "--db", str(place / "n.db"), "run"],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert running.stderr is not None
        assert "service started" in running.stderr.readline()
        assert add(place, f"{site.url}/world.xml").exit_code == 0
        end = time.monotonic() + 30
        while site.asked.count("/world.xml") < 2 and time.monotonic() < end:
            time.sleep(0.05)
        assert site.asked.count("/world.xml") == 2, "once by us, once by the service"
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


# --- the file -------------------------------------------------------------------------------------------------

NEW = (
    write.Group((Feed("https://a.example/f", 'The "A"', None, timedelta(minutes=15)),), "World / News"),
    write.Group((Feed("https://b.example/f?a=1&b=2", title="Ä\\Б"), Feed("https://c.example/f"))),
)
WRITTEN = """\
# ---- World / News ----

[[feed]]
url = "https://a.example/f"
outlet = "The \\"A\\""
every = "15m"

[[feed]]
url = "https://b.example/f?a=1&b=2"
title = "Ä\\\\Б"

[[feed]]
url = "https://c.example/f"
"""


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("# Mine.\n", "# Mine.\n\n", id="only a comment"),
        pytest.param('[[feed]]\nurl = "https://z.example/f" # z\n', None, id="one feed"),
        pytest.param('[[feed]]\nurl="https://z.example/f"', None, id="no line end"),
        pytest.param('[[feed]]\nurl = "https://z.example/f"\n\n# [[feed]]\n\n', None, id="comments at the end"),
        pytest.param('[[feed]]\r\nurl = "https://z.example/f"\r\n', None, id="Windows"),
        pytest.param("feed = []\n# end\n", "# end\n\n", id="an empty list"),
    ],
)
def test_what_stands_in_the_file_stays_byte_for_byte(place: Path, before: str, kept: str | None) -> None:
    file_of(place).write_bytes(before.encode())
    config.add_feeds(place / "config", NEW)
    after = file_of(place).read_bytes().decode()
    assert after.startswith(before if kept is None else kept)
    assert after.replace("\r\n", "\n").endswith(WRITTEN)
    assert ("\r\n" in before) == ("\r\n" in after)
    assert len(config.load(place / "config").feeds) == before.count("z.example") + 3


def test_a_list_in_one_line_is_added_to_in_its_line(place: Path) -> None:
    file_of(place).write_text('feed = [{url = "https://z.example/f"}] # mine\n')
    config.add_feeds(place / "config", NEW)
    assert urls_in(place) == [
        "https://z.example/f", "https://a.example/f", "https://b.example/f?a=1&b=2", "https://c.example/f"
    ]  # fmt: skip
    assert file_of(place).read_text().endswith("# mine\n")


def test_our_own_feeds_file_is_added_to_without_a_scratch(place: Path) -> None:
    before = (ROOT / "config" / "feeds.toml").read_bytes()
    file_of(place).write_bytes(before)
    config.add_feeds(place / "config", NEW)
    assert file_of(place).read_bytes().startswith(before)


def test_permissions_stay_and_nothing_else_is_left_behind(place: Path) -> None:
    file_of(place).chmod(0o640)
    config.add_feeds(place / "config", NEW)
    assert stat.S_IMODE(file_of(place).stat().st_mode) == 0o640
    assert sorted(path.name for path in (place / "config").iterdir()) == ["feeds.toml", "newsbeat.toml", "topics"]


def test_a_link_to_the_file_stays_a_link(place: Path) -> None:
    real = place / "real.toml"
    real.write_text("# Mine.\n")
    file_of(place).unlink()
    file_of(place).symlink_to(real)
    config.add_feeds(place / "config", NEW)
    assert file_of(place).is_symlink()
    assert "a.example" in real.read_text()


@pytest.mark.parametrize(
    ("before", "said"),
    [
        pytest.param('[[feed]]\nurl = "https://a.example/f"\n', "stands here twice", id="there already"),
        pytest.param("[[feed]\n", "not valid TOML", id="broken"),
        pytest.param("[site]\n", '"site" is not a key', id="somebody else's"),
        pytest.param("\xff", "cannot be added to", id="not UTF-8"),
    ],
)
def test_a_file_that_would_not_load_is_not_written(place: Path, before: str, said: str) -> None:
    file_of(place).write_bytes(before.encode("latin-1"))
    with pytest.raises(config.ConfigErrors, match=said) as caught:
        config.add_feeds(place / "config", NEW)
    assert str(file_of(place)) in str(caught.value)
    assert file_of(place).read_bytes() == before.encode("latin-1")
    assert len(list((place / "config").iterdir())) == 3


def test_an_edit_that_came_in_between_is_not_overwritten(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = write._check

    def slow(*words: object) -> None:
        check(*words)  # type: ignore[arg-type]
        file_of(place).write_text("# A person's edit.\n")

    monkeypatch.setattr(write, "_check", slow)
    with pytest.raises(config.ConfigErrors, match="changed by somebody else"):
        config.add_feeds(place / "config", NEW)
    assert file_of(place).read_text() == "# A person's edit.\n"


def test_two_that_add_at_once_both_add(place: Path) -> None:
    def one(number: int) -> None:
        config.add_feeds(place / "config", [write.Group((Feed(f"https://n{number}.example/f"),))])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(24)))
    assert sorted(urls_in(place)) == sorted(f"https://n{number}.example/f" for number in range(24))


def test_a_directory_that_may_not_be_written_is_said_in_words(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(write.tempfile, "mkstemp", refused)
    with pytest.raises(config.ConfigErrors, match=r"cannot be written \(Read-only file system\)\. Check its owner"):
        config.add_feeds(place / "config", NEW)
