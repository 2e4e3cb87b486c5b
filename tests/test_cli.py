"""The command as a person runs it: in a process of its own, its output, its errors, its exit codes."""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import click
import pytest
from fakes import NOW, free_port, item
from outlets import Outlets

from pipeline.cli import main
from pipeline.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "pipeline.cli"]
SEED = ROOT / "seeds" / "2020-12-05-tiktok.txt"
EPOCH = str(int(NOW.timestamp()))


def newsbeat(place: Path, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """`newsbeat WORDS` on the configuration and database in `place`."""
    return subprocess.run(
        [*COMMAND, "--config", str(place / "config"), "--db", str(place / "news.db"), *words],
        capture_output=True, text=True, timeout=300, cwd=ROOT, input=given, check=False,
    )  # fmt: skip


@pytest.fixture
def outlets() -> Iterator[Outlets]:
    with Outlets() as served:
        served.publish("/a", item("bridge"), item("tunnel"))
        yield served


@pytest.fixture
def place(outlets: Outlets, tmp_path: Path) -> Path:
    """A place with one feed and the topic that comes with Newsbeat."""
    outlets.configure(tmp_path / "config", "/a")
    topic = (ROOT / "config" / "topics" / "tiktok-us-sale.toml").read_text()
    (tmp_path / "config" / "topics" / "tiktok-us-sale.toml").write_text(topic)
    (tmp_path / "config" / "datasette.yaml").write_text((ROOT / "config" / "datasette.yaml").read_text())
    return tmp_path


def test_once_prints_a_line_a_feed_and_a_summary(place: Path) -> None:
    ran = newsbeat(place, "once", "--now", EPOCH)
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[0].startswith("ok     http://127.0.0.1")
    assert ran.stdout.splitlines()[-1] == "1 feeds polled, 0 failed; 2 new articles, 0 revised, 0 unchanged."
    assert "Nothing is due" in newsbeat(place, "once", "--now", EPOCH).stdout


def test_once_prints_one_json_object_when_asked(place: Path) -> None:
    said = json.loads(newsbeat(place, "once", "--now", EPOCH, "--json").stdout)
    assert (said["polls"], said["new"], said["failed"]) == (1, 2, 0)
    assert said["feeds"][0]["started_at"] == "2026-03-02T09:00:00Z"


def test_once_is_done_also_when_a_feed_failed(place: Path, outlets: Outlets) -> None:
    outlets.bodies["/a"] = 503
    ran = newsbeat(place, "once")
    assert ran.returncode == 0
    assert "FAILED" in ran.stdout
    assert "503" in ran.stdout


def test_check_lists_every_finding_at_once_and_exits_2(place: Path) -> None:
    assert newsbeat(place, "check").returncode == 0
    (place / "config" / "feeds.toml").write_text('[[feed]]\nurl = "https://a.example/f"\noutlett = "A"\n')
    (place / "config" / "topics" / "energy.toml").write_text(
        'title = "E"\ntreshold = 1\n[[term]]\ntext = "e"\nweight = 1\n'
    )
    ran = newsbeat(place, "check")
    assert ran.returncode == 2
    assert '"outlett" is not a key of a feed. Did you mean "outlet"?' in ran.stderr
    assert '"treshold" is not a key of a topic. Did you mean "threshold"?' in ran.stderr
    assert newsbeat(place, "once").returncode == 2


def test_check_tells_a_program_file_key_finding_and_cure(place: Path) -> None:
    said = json.loads(newsbeat(place, "check", "--json").stdout)
    assert said["ok"] is True
    assert said["feeds"] == 1
    assert not [one for one in said["findings"] if one["grave"]]
    (place / "config" / "feeds.toml").write_text('[[feed]]\nurl = "https://a.example/f"\noutlett = "A"\n')
    ran = newsbeat(place, "check", "--json")
    assert ran.returncode == 2
    said = json.loads(ran.stdout)
    (finding,) = said["findings"]
    assert (said["ok"], finding["grave"]) == (False, True)
    assert finding["file"].endswith("feeds.toml")
    assert "outlett" in finding["why"]
    assert 'Did you mean "outlet"' in finding["cure"]


def test_run_refuses_to_start_without_a_contact(place: Path, outlets: Outlets) -> None:
    outlets.configure(place / "config", "/a", contact="")
    ran = newsbeat(place, "run")
    assert ran.returncode == 2
    assert "contact" in ran.stderr
    assert outlets.asked == []


def test_a_database_of_a_newer_version_is_refused_in_words(place: Path) -> None:
    newsbeat(place, "once")
    with sqlite3.connect(place / "news.db") as rows:
        rows.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('newsbeat', 'm9999', 'x')"
        )
    for command in (["once"], ["status"]):
        ran = newsbeat(place, *command)
        assert ran.returncode == 2
        assert "made by a newer Newsbeat" in ran.stderr


def test_what_is_no_database_is_refused_in_words(place: Path) -> None:
    (place / "news.db").write_text("these are my notes, not a database, and rather long ones at that " * 50)
    ran = newsbeat(place, "once")
    assert ran.returncode == 1
    assert "not an intact SQLite database" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_database_that_another_program_writes_is_work_that_failed(place: Path, outlets: Outlets) -> None:
    newsbeat(place, "once")
    outlets.publish("/a", item("bridge"), item("tunnel"), item("ferry"))
    with sqlite3.connect(place / "news.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        ran = newsbeat(place, "once", "--now", str(int(time.time()) + 7200))
        other.execute("ROLLBACK")
    assert ran.returncode == 1
    assert "another program holds the database" in ran.stderr
    assert "3 new" not in newsbeat(place, "once", "--now", str(int(time.time()) + 7200)).stdout
    assert json.loads(newsbeat(place, "status", "--json").stdout)["articles"] == 3


def test_status_and_feeds_list_tell_how_things_stand(place: Path) -> None:
    assert "there is no database yet" in newsbeat(place, "status").stderr
    newsbeat(place, "once")
    ran = newsbeat(place, "status", "--polled-within", "1h")
    assert ran.returncode == 0
    assert "Articles  2" in ran.stdout
    assert json.loads(newsbeat(place, "status", "--json").stdout)["articles"] == 2
    listed = newsbeat(place, "feeds", "list").stdout
    assert "next in" in listed
    assert "until its rhythm is known" in listed
    line = json.loads(newsbeat(place, "feeds", "list", "--json").stdout)
    assert (line["state"], line["error_kind"], line["error_since"]) == ("ok", None, None)
    assert "until its rhythm is known" in line["why"]


def test_a_service_that_stands_still_is_unhealthy(place: Path) -> None:
    newsbeat(place, "once", "--now", EPOCH)
    ran = newsbeat(place, "status", "--polled-within", "1h")
    assert ran.returncode == 1
    assert "the last poll was" in ran.stderr


def test_topic_new_writes_a_profile_that_loads_and_scores(place: Path) -> None:
    target = place / "config" / "topics" / "mine.toml"
    ran = newsbeat(place, "topic", "new", str(SEED), "-o", str(target))
    assert ran.returncode == 0
    assert "ByteDance" in target.read_text()
    assert newsbeat(place, "check").returncode == 0
    assert newsbeat(place, "topic", "new", str(SEED), "-o", str(target)).returncode == 2, "it overwrites nothing"
    lines = [
        {"id": 1, "title": "ByteDance asks for more time to sell TikTok", "text": "TikTok's owner ByteDance, Trump."},
        {"id": "two", "title": "Bread prices rise"},
        {"id": 3},
    ]
    given = "".join(json.dumps(line) + "\n" for line in lines)
    scored = [
        json.loads(line)
        for line in newsbeat(place, "topic", "score", "mine", "--jsonl", "-", given=given).stdout.splitlines()
    ]
    assert [line["id"] for line in scored] == [1, "two", 3]
    assert scored[0]["score"] > 0.25 > scored[1]["score"]
    assert scored[0]["on_topic"] is True
    assert {"term", "field", "count", "points", "spans"} == set(scored[0]["evidence"][0])
    assert scored[2] == {"id": 3, "score": 0.0, "on_topic": False, "evidence": []}


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        pytest.param(["topic", "score", "nope", "--jsonl", "-"], "", "no topic 'nope'", id="unknown topic"),
        pytest.param(["topic", "score", "tiktok-us-sale", "--jsonl", "-"], "{", "line 1: not JSON", id="not JSON"),
        pytest.param(["topic", "score", "tiktok-us-sale", "--jsonl", "-"], "[]", "not a JSON object", id="a list"),
        pytest.param(["topic", "score", "tiktok-us-sale", "--jsonl", "-"], "{}", 'the key "id" is missing', id="no id"),
        pytest.param(
            ["topic", "score", "tiktok-us-sale", "--jsonl", "-"],
            '{"id":1,"title":7}',
            '"title" is not text',
            id="a number",
        ),
        pytest.param(["topic", "score", "tiktok-us-sale", "--jsonl", "/none"], "", "cannot be read", id="no file"),
        pytest.param(["topic", "new", "/none"], "", "cannot be read", id="no seed"),
        pytest.param(["topic", "new", "-", "-o", "-"], "Too short.", "at least 8 words", id="short seed"),
        pytest.param(["retag", "nope"], "", "no topic 'nope'", id="retag unknown"),
        pytest.param(["once", "--now", "1e99"], "", "is no moment", id="no moment"),
        pytest.param(["status", "--polled-within", "soon"], "", "not a length of time", id="no duration"),
    ],
)
def test_what_is_asked_wrongly_gets_words_and_exit_2(place: Path, words: list[str], given: str, said: str) -> None:
    ran = newsbeat(place, *words, given=given)
    assert ran.returncode == 2, ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_explain_backtest_and_retag_speak_of_stored_articles(place: Path, outlets: Outlets) -> None:
    outlets.publish(
        "/a", item("x", title="ByteDance nears deal to sell TikTok in the US", summary="Trump and Oracle wait.")
    )
    newsbeat(place, "once")
    explained = newsbeat(place, "topic", "explain", "tiktok-us-sale", "1").stdout
    assert "on topic" in explained
    assert "ByteDance" in explained
    assert "would keep 1, would add 0, would drop 0" in newsbeat(place, "topic", "backtest", "tiktok-us-sale").stdout
    path = place / "config" / "topics" / "tiktok-us-sale.toml"
    path.write_text(path.read_text().replace("threshold = 0.165", "threshold = 0.99"))
    assert "would keep 0, would add 0, would drop 1" in newsbeat(place, "topic", "backtest", "tiktok-us-sale").stdout
    assert "1 articles judged anew" in newsbeat(place, "retag").stdout
    with sqlite3.connect(place / "news.db") as rows:
        assert rows.execute("SELECT count(*) FROM article_topics WHERE on_topic = 1").fetchone() == (0,)
    assert "no article" in newsbeat(place, "topic", "explain", "tiktok-us-sale", "99").stderr


def test_up_polls_and_serves_and_one_signal_stops_both(place: Path) -> None:
    port = free_port()
    running = subprocess.Popen(
        [*COMMAND, "--config", str(place / "config"), "--db", str(place / "news.db"), "up", "--port", str(port)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "NEWSBEAT_SECRET": "test"},
    )  # fmt: skip
    try:
        pages = {path: _fetch(port, path) for path in ("/", "/feeds", "/news/articles.json", "/-/newsbeat/health.json")}
        second = newsbeat(place, "once")
        assert second.returncode == 1
        assert f"in use by newsbeat up (process {running.pid})" in second.stderr
        children = _children(running.pid)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
        assert not any(map(_lives, children))
    finally:
        running.kill()
    assert all(status == 200 for status in pages.values()), pages
    assert newsbeat(place, "once").returncode == 0, "the database is free again"


def test_several_processes_answer_behind_one_door_and_go_with_the_one_that_made_them(place: Path) -> None:
    newsbeat(place, "once")
    port = free_port()
    running = subprocess.Popen(
        [*COMMAND, "--config", str(place / "config"), "--db", str(place / "news.db"), "serve", "--port", str(port),
         "--processes", "2"], cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert _fetch(port, "/") == 200
        (first,) = _wait_for(lambda: _children(running.pid), 1)
        os.kill(first, signal.SIGKILL)
        assert _fetch(port, "/feeds") == 200, "the other goes on"
        second = _wait_for(lambda: set(_children(running.pid)) - {first}, 1)
        # What the kernel does where a process is killed without a word: the children find their pipe ended.
        running.kill()
        _wait_for(lambda: [pid for pid in second if _lives(pid)], 0)
    finally:
        running.kill()
        running.wait()


def _children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in told.read_text().split()]


def _lives(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _wait_for(look: Callable[[], Collection[int]], count: int) -> list[int]:
    """What is seen once it is so many; the last look where that never comes."""
    end = time.monotonic() + 30
    while len(found := look()) != count and time.monotonic() < end:
        time.sleep(0.05)
    assert len(found) == count
    return list(found)


def test_serve_says_when_there_is_nothing_to_serve(place: Path) -> None:
    ran = newsbeat(place, "serve", "--port", str(free_port()))
    assert ran.returncode in (1, 2)
    assert "newsbeat once" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_busy_port_is_said_in_words(place: Path) -> None:
    newsbeat(place, "once")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = newsbeat(place, "serve", "--port", str(taken.getsockname()[1]))
    assert ran.returncode == 1
    assert "Choose another with --port" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_backup_is_a_whole_copy_and_overwrites_nothing(place: Path) -> None:
    newsbeat(place, "once")
    assert "intact" in newsbeat(place, "backup", str(place / "copy.db")).stdout
    with sqlite3.connect(place / "copy.db") as rows:
        assert rows.execute("SELECT count(*) FROM articles").fetchone() == (2,)
    assert newsbeat(place, "backup", str(place / "copy.db")).returncode == 2


@pytest.mark.parametrize("command", ["once", "run", "serve", "up", "check", "status", "demo", "retag", "backup"])
def test_every_command_teaches_its_use(command: str, tmp_path: Path) -> None:
    ran = newsbeat(tmp_path, command, "--help")
    assert ran.returncode == 0
    assert len(ran.stdout.splitlines()) > 5


def _fetch(port: int, path: str, patience: float = 30.0) -> int:
    end = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > end:
                return error.code
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_help_says_of_a_command_what_it_says_of_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    told = click.Command(name, help=COMMANDS[name][1])
    assert all(told.get_short_help_str(room) == command.get_short_help_str(room) for room in (30, 60, 80))


def test_the_page_of_help_names_every_command_and_needs_none_of_them() -> None:
    for modules, _ in COMMANDS.values():
        for module in modules.split():
            importlib.import_module(f"pipeline.cli.{module}")
    assert main.commands.keys() == COMMANDS.keys()
    helped = "import sys; from pipeline.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", helped], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert "verify" in said
    assert not {"pipeline.service", "pydantic", "httpx", "pipeline.store"} & set(said.split())
