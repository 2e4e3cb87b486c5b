"""What editors say on the site: who may, what is kept, what is seen at once, and what a forged form gets."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
import sample
import yaml
from desk import METADATA, Reader, get, numbers, words

from pipeline import ingest, regroup, retag, schedule, topics
from pipeline.browse.serve import build
from pipeline.browse.tries import Tries, part
from pipeline.cli.main import Place
from pipeline.cli.notebook import Kept
from pipeline.errors import StoreError
from pipeline.model import Term, TopicProfile
from pipeline.store import Store
from pipeline.urls import OutletBook

TOPIC = "tiktok-sale"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.build(tmp_path_factory.mktemp("db"))[0].parent


@pytest.fixture
def files(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    shutil.copytree(made, tmp_path / "db")
    return tmp_path / "db" / "news.db", tmp_path / "db" / "feedback.db"


class Hearing(Kept):
    """The real notebook, with a service in this process that hears at once, or (`deaf`) does not come to it."""

    def __init__(self, news: Path, deaf: bool = False) -> None:
        terms = tuple(Term(text, weight, "name") for text, weight in sample.TERMS[TOPIC])
        profile = topics.compiled(TopicProfile(TOPIC, "TikTok's US sale", terms, threshold=0.22))

        async def nudge() -> bool:
            if deaf:
                return False
            with Store.open(news, what="a test") as store:
                retag.hear(ingest.Desk(store, OutletBook(), {}, (profile,), schedule.Pace()))
                regroup.hear(store)
            return True

        super().__init__(Place(news.parent, news), nudge)


class Browser:
    """A person at the site: keeps cookies, sends the forms that stand on pages."""

    def __init__(self, site: Any, actor: str | None) -> None:
        self.site = site
        self.cookies = {"ds_actor": site.sign({"a": {"id": actor}}, "actor")} if actor else {}

    def get(self, path: str) -> httpx.Response:
        answer: httpx.Response = asyncio.run(self.site.client.get(path, cookies=self.cookies))
        self.cookies.update(dict(answer.cookies))
        return answer

    def post(self, path: str, **fields: Any) -> httpx.Response:
        answer: httpx.Response = asyncio.run(
            self.site.client.post(path, data=fields, cookies=self.cookies, follow_redirects=False)
        )
        self.cookies.update(dict(answer.cookies))
        return answer

    def token(self, path: str) -> str:
        found = re.search(r'name="csrftoken" value="([^"]+)"', self.get(path).text)
        return found.group(1) if found else ""

    def says(self, path: str, form: str, **fields: Any) -> httpx.Response:
        """Sends a form of the page at `path`, and goes where that leads."""
        answer = self.post(f"/-/newsbeat/{form}", csrftoken=self.token(path), **fields)
        return self.get(answer.headers["location"]) if answer.status_code == 303 else answer


@pytest.fixture
def site(files: tuple[Path, Path]) -> Any:
    return build(*files, METADATA, now=sample.NOW, texts_open=True, notebook=Hearing(files[0]))


@pytest.fixture
def mara(site: Any) -> Browser:
    return Browser(site, "mara")


def labels(files: tuple[Path, Path]) -> list[tuple[Any, ...]]:
    with sqlite3.connect(files[1]) as db:
        return db.execute("SELECT article_id, topic, verdict, actor, withdrawn_at IS NULL FROM labels").fetchall()


def verdict(files: tuple[Path, Path], article: int) -> tuple[int, str]:
    with sqlite3.connect(files[0]) as db:
        found: tuple[int, str] = db.execute(
            "SELECT on_topic, decided_by FROM article_topics WHERE article_id = ? AND topic = ?", (article, TOPIC)
        ).fetchone()
        return found


# --- topics ---------------------------------------------------------------------------------------------------


def test_a_verdict_is_kept_seen_at_once_and_taken_back(files: tuple[Path, Path], site: Any, mara: Browser) -> None:
    article = numbers(site)["article"]
    page = f"/article/{article}"
    assert verdict(files, article) == (1, "score")
    after = words(mara.says(page, "label", article=article, topic=TOPIC, verdict="off", back="article"))
    assert labels(files) == [(article, TOPIC, "off_topic", "mara", 1)]
    assert verdict(files, article) == (0, "person")
    assert "Off topic: kept for" in after
    assert "A person decided, not the score. mara" in after
    assert "Why it is not on topic" in after
    assert page not in mara.get(f"/topic/{TOPIC}").text.split("Every article on topic")[1].split("Near misses")[0]
    after = words(mara.says(page, "label", article=article, topic=TOPIC, verdict="forget"))
    assert "Taken back" in after
    assert labels(files)[0][4] == 0
    assert verdict(files, article) == (1, "score")


def test_before_the_service_comes_to_it_the_page_says_what_a_person_said(files: tuple[Path, Path]) -> None:
    site = build(*files, METADATA, now=sample.NOW, notebook=Hearing(files[0], deaf=True))
    mara, article = Browser(site, "mara"), numbers(site)["article"]
    after = words(mara.says(f"/article/{article}", "label", article=article, topic=TOPIC, verdict="off"))
    assert "The service takes it up within seconds." in after
    assert "A person says: off topic. Lists follow within seconds." in after
    assert verdict(files, article) == (1, "score")
    assert "A person says: off topic" in words(get(site, f"/article/{article}")), "readers see it too"
    assert "mara" not in words(get(site, f"/article/{article}")), "but not whose word it is"
    after = words(mara.says(f"/article/{article}", "label", article=article, topic="press-freedom", verdict="on"))
    assert "Press freedom A person says: on topic" in after


def test_the_three_questions_are_answered_on_the_topics_page_and_others_follow(
    files: tuple[Path, Path], mara: Browser
) -> None:
    asked = r'name="article" value="(\d+)"'
    before = re.findall(asked, mara.get(f"/topic/{TOPIC}").text.split("Three questions")[1].split("Near misses")[0])
    assert len(before) == 3
    after = mara.says(f"/topic/{TOPIC}", "label", article=before[0], topic=TOPIC, verdict="on", back="topic")
    assert "On topic: kept" in words(after)
    assert verdict(files, int(before[0])) == (1, "person")
    later = re.findall(asked, after.text.split("Three questions")[1].split("Near misses")[0])
    assert before[0] not in later
    assert later


# --- stories --------------------------------------------------------------------------------------------------


def members(files: tuple[Path, Path], story: int) -> list[int]:
    with sqlite3.connect(files[0]) as db:
        return [
            row[0]
            for row in db.execute("SELECT article_id FROM story_articles WHERE story_id = ? ORDER BY 1", (story,))
        ]


def test_two_stories_become_one_and_the_old_address_leads_on(
    files: tuple[Path, Path], site: Any, mara: Browser
) -> None:
    story = numbers(site)["story"]
    with sqlite3.connect(files[0]) as db:
        other = db.execute("SELECT max(id) FROM stories WHERE id <> ?", (story,)).fetchone()[0]
    both = sorted(members(files, story) + members(files, other))
    after = words(mara.says(f"/story/{story}", "merge", story=story, other=f"http://127.0.0.1:8001/story/{other}"))
    assert "are one event, you say" in after
    assert members(files, story) == both
    moved = get(site, f"/story/{other}")
    assert moved.status_code in {301, 404}


def test_reports_leave_a_story_together(files: tuple[Path, Path], site: Any, mara: Browser) -> None:
    story = numbers(site)["story"]
    every = members(files, story)
    page = mara.get(f"/story/{story}").text
    assert len(re.findall(r'type="checkbox" form="split"', page)) == len(every)
    after = words(mara.says(f"/story/{story}", "split", story=story, article=every[-2:]))
    assert f"2 of {len(every)} reports are another event" in after
    assert members(files, story) == every[:-2]
    with sqlite3.connect(files[0]) as db:
        where = db.execute(
            "SELECT DISTINCT story_id FROM story_articles WHERE article_id IN (?, ?)", every[-2:]
        ).fetchall()
    assert len(where) == 1
    assert where[0][0] != story


@pytest.mark.parametrize(
    ("form", "fields", "said"),
    [
        ("label", {"article": "999999", "topic": TOPIC, "verdict": "on"}, "Name an article that is here"),
        ("label", {"article": "1", "topic": "nope", "verdict": "on"}, "There is no topic of that name"),
        ("label", {"article": "1", "topic": TOPIC, "verdict": "maybe"}, "say whether it is on the topic"),
        ("merge", {"story": "1", "other": ""}, "Name another story"),
        ("merge", {"story": "1", "other": "1"}, "Name another story"),
        ("merge", {"story": "1", "other": "99999"}, "There is no story 99999"),
        ("merge", {"story": "1", "other": "https://desk.example/story/99999?from=2#x3"}, "There is no story 99999"),
        ("merge", {"story": "1", "other": "the one of 2020"}, "Name another story"),
        ("merge", {"story": "77777", "other": "1"}, "There is no story 77777"),
        ("split", {"story": "1"}, "Tick the reports"),
        ("split", {"story": "1", "article": "999999"}, "Tick the reports"),
    ],
)
def test_what_makes_no_sense_is_told_in_words_and_keeps_nothing(
    files: tuple[Path, Path], mara: Browser, form: str, fields: dict[str, str], said: str
) -> None:
    answer = mara.says("/story/1", form, **fields)
    assert answer.status_code == 400
    assert said in words(answer)
    with sqlite3.connect(files[1]) as db:
        assert db.execute("SELECT count(*) FROM labels").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM story_corrections").fetchone() == (0,)


def test_a_story_is_not_parted_from_all_of_itself(files: tuple[Path, Path], mara: Browser) -> None:
    answer = mara.says("/story/1", "split", story=1, article=members(files, 1))
    assert answer.status_code == 400
    assert "That is all of the story" in words(answer)


def test_trouble_with_the_file_is_told_and_nothing_is_claimed(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Locked(Hearing):
        def label(self, *_: Any) -> None:
            raise StoreError("feedback.db: another program holds it for writing.")

    site = build(*files, METADATA, now=sample.NOW, notebook=Locked(files[0]))
    answer = Browser(site, "mara").says("/article/1", "label", article=1, topic=TOPIC, verdict="on")
    assert answer.status_code == 503
    assert "another program holds it" in words(answer)


# --- who may --------------------------------------------------------------------------------------------------


def forms(html: str) -> list[str]:
    return [form.get("action") or "" for form in Reader(html).all("form") if form.get("method") == "post"]


def test_readers_see_no_form_and_may_send_none(files: tuple[Path, Path], site: Any) -> None:
    for path in ("/article/1", "/story/1", f"/topic/{TOPIC}"):
        assert not forms(get(site, path).text), path
    reader = Browser(site, None)
    assert reader.post("/-/newsbeat/label", article=1, topic=TOPIC, verdict="on").status_code == 403
    assert not labels(files)


def test_a_form_of_another_site_is_refused(files: tuple[Path, Path], site: Any, mara: Browser) -> None:
    good = mara.token("/article/1")
    assert good
    word = {"article": 1, "topic": TOPIC, "verdict": "on"}
    for token in ("", "x", good[:-2], Browser(site, "mara").token("/article/1")):
        assert mara.post("/-/newsbeat/label", csrftoken=token, **word).status_code == 403
    assert mara.post("/-/newsbeat/label", **word).status_code == 403
    assert not labels(files)
    assert mara.get("/-/newsbeat/label").status_code == 405
    assert mara.post("/-/newsbeat/label", csrftoken=good, **word).status_code == 303
    assert len(labels(files)) == 1


def test_only_whom_the_desk_names_is_an_editor(files: tuple[Path, Path], tmp_path: Path) -> None:
    told = yaml.safe_load(METADATA.read_text())
    told.setdefault("plugins", {})["newsbeat"] = {"editors": {"id": ["ines"]}}
    (tmp_path / "datasette.yaml").write_text(yaml.safe_dump(told))
    site = build(*files, tmp_path / "datasette.yaml", now=sample.NOW, notebook=Hearing(files[0]))
    assert not [where for where in forms(Browser(site, "mara").get("/article/1").text) if "newsbeat" in where]
    assert [where for where in forms(Browser(site, "ines").get("/article/1").text) if "newsbeat" in where]


def test_without_a_notebook_nobody_can_say_anything(files: tuple[Path, Path]) -> None:
    site = build(*files, METADATA, now=sample.NOW)
    mara = Browser(site, "mara")
    assert not [where for where in forms(mara.get("/article/1").text) if "newsbeat" in where]
    assert mara.post("/-/newsbeat/label", article=1, topic=TOPIC, verdict="on").status_code == 403


def test_a_page_with_forms_is_kept_by_no_cache(mara: Browser) -> None:
    for path in ("/article/1", "/story/1", f"/topic/{TOPIC}"):
        held = mara.get(path).headers["cache-control"]
        assert "no-store" in held, path
        assert "private" in held, path


def test_a_long_body_is_refused_before_it_is_read(site: Any, mara: Browser) -> None:
    token = mara.token("/article/1")
    answer = mara.post("/-/newsbeat/label", csrftoken=token, article="1" * 70_000, topic=TOPIC, verdict="on")
    assert answer.status_code == 413

    async def pieces() -> Any:
        yield b"csrftoken=x"

    unsaid = asyncio.run(site.client.post("/-/newsbeat/label", content=pieces(), cookies=mara.cookies))
    assert unsaid.status_code == 413


def test_tries_run_out_and_come_back_with_time() -> None:
    tries = Tries(2, 60, 60.0)
    assert [tries.allowed(at) for at in (0.0, 1.0, 2.0, 60.5, 60.6, 61.5)] == [True, True, False, True, False, True]


def test_a_guesser_shuts_out_its_own_address_and_many_of_them_nobody_for_long() -> None:
    tries = Tries(2, 5, 60.0)
    assert [tries.allowed(0, "192.0.2.1") for _ in range(4)] == [True, True, False, False]
    assert tries.allowed(0, "192.0.2.2"), "an editor elsewhere still may"
    home = ("2001:db8::1", "2001:db8::2:3", "2001:db8:0:0:ffff::")
    assert [tries.allowed(1, host) for host in home] == [True, True, False]
    assert not tries.allowed(1, "192.0.2.9"), "all together have had theirs"
    assert tries.allowed(61.5, "192.0.2.1")


def test_processes_share_the_tries() -> None:
    for processes in (1, 2, 3, 16, 100):
        one = part(processes)
        allowed = sum(one.allowed(0, "192.0.2.1") for _ in range(20))
        assert 1 <= allowed <= max(1, 10 // processes)


# --- signing in, with the extra [editors] ---------------------------------------------------------------------


@pytest.fixture
def guarded(files: tuple[Path, Path], tmp_path: Path) -> Any:
    utils = pytest.importorskip(
        "datasette_auth_passwords.utils", reason="the extra is not installed: pip install 'newsbeat[editors]'"
    )
    told = yaml.safe_load(METADATA.read_text())
    told["plugins"] = {"datasette-auth-passwords": {"mara_password_hash": utils.hash_password("a long secret")}}
    (tmp_path / "datasette.yaml").write_text(yaml.safe_dump(told))
    return build(*files, tmp_path / "datasette.yaml", now=sample.NOW, notebook=Hearing(files[0]))


def test_an_editor_signs_in_on_a_page_of_ours_and_finds_the_buttons(guarded: Any) -> None:
    person = Browser(guarded, None)
    assert "Sign in" in words(person.get("/"))
    page = person.get("/-/login")
    assert "For editors. Readers need no account." in words(page)
    assert not Reader(page.text).all("style")
    wrong = person.post("/-/login", csrftoken=person.token("/-/login"), username="mara", password="guess")
    assert "Invalid username or password" in words(wrong)
    right = person.post("/-/login", csrftoken=person.token("/-/login"), username="mara", password="a long secret")
    assert right.status_code == 302
    assert "Signed in as mara" in words(person.get("/"))
    assert any("newsbeat/label" in where for where in forms(person.get("/article/1").text))


def test_a_form_in_parts_or_of_other_bytes_is_refused_in_words(guarded: Any) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="topic"\r\n\r\nb\r\n--x--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=x", "cookie": "ds_actor=x"}
    answer = asyncio.run(guarded.client.post("/-/newsbeat/label", content=body, headers=kind))
    assert (answer.status_code, answer.text) == (415, "Our forms are not sent in parts.\n")
    kind["content-type"] = "application/x-www-form-urlencoded"
    answer = asyncio.run(guarded.client.post("/-/newsbeat/label", content=b"topic=\xff", headers=kind))
    assert (answer.status_code, answer.text) == (400, "A form is UTF-8.\n")


def test_passwords_cannot_be_guessed_by_the_hundred(guarded: Any) -> None:
    person = Browser(guarded, None)
    token = person.token("/-/login")
    got = [person.post("/-/login", csrftoken=token, username="nobody", password="x").status_code for _ in range(12)]
    assert got[:10] == [200] * 10
    assert got[10:] == [429, 429]
    assert get(guarded, "/-/password-tool").status_code == 404
