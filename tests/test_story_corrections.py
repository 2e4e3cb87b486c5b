"""A person's word on stories: it is done at once, holds for what comes later, and in a database made anew."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import FEED, NOW, Item, feed, item
from hypothesis import given, settings
from hypothesis import strategies as st
from outlets import Outlets
from test_ingest import POST_FEED, WIRE_FEED, Newsroom
from test_service import Time, play
from test_service import opened as service_opened

from pipeline import judging, regroup, restory
from pipeline.cli import main
from pipeline.store import FEEDBACK, Feedback, Store
from pipeline.store.corrections import Corrections

FIRE = "Fire destroys the old paper mill at Lowford and two warehouses beside it"
VOTE = "Parliament rejects the fisheries treaty by a single vote after midnight"
BODY = {
    FIRE: "Flames at Lowford consumed the paper mill overnight; firefighters from Lowford saved a warehouse.",
    VOTE: "The fisheries treaty failed in parliament; trawler owners had lobbied lawmakers against the treaty.",
}


def report(name: str, about: str, words: str = "") -> Item:
    return item(name, title=about, summary=f"{BODY[about]} {words}", url=f"https://{name}.example/report")


A, B = report("times", FIRE), report("post", FIRE, "The mill had stood since 1870.")
C = report("wire", VOTE)


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with Store.open(tmp_path / "news.db") as store:
        yield opened(store)


def opened(store: Store) -> Newsroom:
    made = Newsroom(store)
    made.subscribe(feed(), feed(POST_FEED, outlet="Example Post"), feed(WIRE_FEED, outlet="Coast Wire"))
    return made


def read(room: Newsroom, *items: Item, url: str = FEED) -> None:
    room.publish(*items, url=url)
    room.poll(url)


def arrive(room: Newsroom) -> None:
    """Two reports of the fire, and one of the vote, each at another outlet."""
    for url, one in ((FEED, A), (POST_FEED, B), (WIRE_FEED, C)):
        read(room, one, url=url)


def stories(room: Newsroom) -> set[frozenset[str]]:
    """The stories as sets of the first labels of their articles' hosts."""
    found: dict[int, set[str]] = {}
    for story_id, url in room.rows("SELECT story_id, url FROM story_articles JOIN articles ON id = article_id"):
        found.setdefault(story_id, set()).add(url.split("/")[2].split(".")[0])
    return {frozenset(names) for names in found.values()}


def named(room: Newsroom, *names: str) -> list[tuple[int, str]]:
    return [
        row for name in names for row in room.rows("SELECT id, url FROM articles WHERE url LIKE ?", f"%{name}.example%")
    ]


def sets(*groups: str) -> set[frozenset[str]]:
    return {frozenset(group.split()) for group in groups}


def merge(room: Newsroom, *names: str) -> None:
    room.store.corrections.merge(named(room, *names), "ada", NOW)
    regroup.hear(room.store)


def split(room: Newsroom, names: str, rest: str) -> None:
    room.store.corrections.split(named(room, *names.split()), named(room, *rest.split()), "ada", NOW)
    regroup.hear(room.store)


def consistent(room: Newsroom) -> None:
    assert room.rows(
        "SELECT id FROM stories s WHERE article_count <> (SELECT count(*) FROM story_articles WHERE story_id = s.id)"
        " OR article_count = 0 OR title = 'Untitled' OR first_at = ''"
    ) == []  # fmt: skip
    assert room.count("story_articles") == room.count("articles")


def test_what_the_program_groups_by_itself(newsroom: Newsroom) -> None:
    arrive(newsroom)
    assert stories(newsroom) == sets("times post", "wire")


def test_a_merge_is_done_at_once_and_the_storys_numbers_follow(newsroom: Newsroom) -> None:
    arrive(newsroom)
    merge(newsroom, "times", "post", "wire")
    assert stories(newsroom) == sets("times post wire")
    assert newsroom.rows("SELECT article_count, outlet_count FROM stories") == [(3, 3)]
    consistent(newsroom)
    assert regroup.hear(newsroom.store) == 0, "said once, done once"


def test_a_split_is_done_at_once_and_the_storys_numbers_follow(newsroom: Newsroom) -> None:
    arrive(newsroom)
    split(newsroom, "post", "times")
    assert stories(newsroom) == sets("times", "post", "wire")
    consistent(newsroom)
    assert regroup.hear(newsroom.store) == 0


def test_the_latest_word_counts(newsroom: Newsroom) -> None:
    arrive(newsroom)
    split(newsroom, "post", "times")
    merge(newsroom, "times", "post")
    assert stories(newsroom) == sets("times post", "wire")
    merge(newsroom, "times", "post", "wire")
    split(newsroom, "wire", "times post")
    assert stories(newsroom) == sets("times post", "wire")
    split(newsroom, "times", "post")
    assert stories(newsroom) == sets("times", "post", "wire")
    consistent(newsroom)
    with sqlite3.connect(newsroom.store.path.with_name("feedback.db")) as db:
        taken_back = db.execute("SELECT count(*) FROM story_corrections WHERE withdrawn_at IS NOT NULL").fetchone()
    assert taken_back[0] >= 3, "what was said stays, marked"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_it_survives_a_database_made_anew(tmp_path: Path, order: tuple[int, ...]) -> None:
    with Store.open(tmp_path / "news.db") as store:
        room = opened(store)
        arrive(room)
        split(room, "post", "times")
        merge(room, "post", "wire")
        assert stories(room) == sets("times", "post wire")
    for left in tmp_path.glob("news.db*"):
        left.unlink()
    with Store.open(tmp_path / "news.db") as store:
        room = opened(store)
        feeds = [(FEED, A), (POST_FEED, B), (WIRE_FEED, C)]
        for at in order:
            read(room, feeds[at][1], url=feeds[at][0])
        assert stories(room) == sets("times", "post wire")
        consistent(room)
        assert regroup.hear(store) == 0


def test_a_late_report_like_both_does_not_bring_together_what_stands_apart(newsroom: Newsroom) -> None:
    arrive(newsroom)
    split(newsroom, "post", "times")
    late = report("sun", FIRE, "Nobody was hurt.")
    read(newsroom, A, late)
    groups = stories(newsroom)
    assert not any({"times", "post"} <= group for group in groups)
    assert any("sun" in group and len(group) == 2 for group in groups), "it joins one of them"
    consistent(newsroom)


def test_stories_in_which_a_person_said_what_belongs_are_not_looked_at_again(newsroom: Newsroom) -> None:
    arrive(newsroom)
    settle(newsroom)
    assert stories(newsroom) == sets("times post", "wire")
    split(newsroom, "post", "times")
    settle(newsroom)
    assert stories(newsroom) == sets("times", "post", "wire")
    consistent(newsroom)


def test_looked_at_again_reports_that_were_put_wrong_come_where_they_belong(newsroom: Newsroom) -> None:
    arrive(newsroom)
    newsroom.store.stories.move([1], None)
    newsroom.store.stories.move([2], 2)
    assert stories(newsroom) == sets("times", "post wire")
    settle(newsroom)
    assert stories(newsroom) == sets("times post", "wire")
    consistent(newsroom)


def test_stories_looked_at_as_wholes_come_together_with_all_their_reports(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging.stories, "LARGE", 1)
    arrive(newsroom)
    newsroom.store.stories.move([2], None)
    assert stories(newsroom) == sets("times", "post", "wire")
    settle(newsroom)
    assert stories(newsroom) == sets("times post", "wire")
    consistent(newsroom)
    split(newsroom, "post", "times")
    settle(newsroom)
    assert stories(newsroom) == sets("times", "post", "wire"), "a person's word stands"


def test_all_that_is_remembered_is_looked_at_again_and_a_second_time_changes_nothing(newsroom: Newsroom) -> None:
    arrive(newsroom)
    assert restory.again(newsroom.desk) == (3, 0), "the stream made the same stories"
    newsroom.store.stories.move([1], None)
    newsroom.store.stories.move([2], 2)
    heard: list[tuple[int, int]] = []
    reports, moved = restory.again(newsroom.desk, lambda done, whole: heard.append((done, whole)))
    assert (reports, heard[-1]) == (3, (3, 3))
    assert moved > 0
    assert stories(newsroom) == sets("times post", "wire")
    assert restory.again(newsroom.desk) == (3, 0)
    split(newsroom, "post", "times")
    assert restory.again(newsroom.desk) == (3, 0), "a person's split stands"
    assert stories(newsroom) == sets("times", "post", "wire")


def settle(room: Newsroom) -> None:
    with room.store.transaction():
        judging.settle([number for (number,) in room.rows("SELECT id FROM stories")], room.desk)
    room.store.connection.commit()


def test_a_copy_that_was_split_off_is_still_a_copy(newsroom: Newsroom) -> None:
    words = " ".join(f"sentence number{n} about the mill" for n in range(40))
    read(newsroom, replace(A, content=words))
    newsroom.store.corrections.split([(0, B.url or "")], named(newsroom, "times"), "ada", NOW)
    read(newsroom, replace(B, content=words), url=POST_FEED)
    assert stories(newsroom) == sets("times", "post")
    assert newsroom.one("SELECT copy_of IS NOT NULL FROM articles WHERE url = ?", B.url) == (1,)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 9), max_size=9, unique=True),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=12),
)
def test_components_are_a_partition_that_keeps_every_pair(articles: list[int], pairs: list[tuple[int, int]]) -> None:
    groups = regroup.components(articles, pairs)
    assert sorted(one for group in groups for one in group) == sorted(articles)
    place = {one: at for at, group in enumerate(groups) for one in group}
    assert all(place[one] == place[other] for one, other in pairs if one in place and other in place)


# --- the command ----------------------------------------------------------------------------------------------


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "news.db"
    with Store.open(path) as store:
        arrive(opened(store))
    return path


def run(db: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--db", str(db), "story", *words])


def test_the_command_shows_merges_and_splits(db: Path) -> None:
    shown = json.loads(run(db, "show", "1", "--json").stdout)
    assert [one["outlet"] for one in shown["articles"]] == ["Example Times", "Example Post"]
    merged = json.loads(run(db, "merge", "1", "2", "--json").stdout)
    assert (merged["id"], len(merged["articles"])) == (1, 3)
    assert "Nobody" not in run(db, "said").stdout
    parted = json.loads(run(db, "split", C.url or "", "--json", "--actor", "grace").stdout)
    assert [one["title"] for one in parted["articles"]] == [VOTE]
    words = [json.loads(line) for line in run(db, "said", "--json").stdout.splitlines()]
    assert [(word["action"], word["actor"]) for word in words][-2:] == [("apart", "grace"), ("apart", "grace")]
    assert len(json.loads(run(db, "show", "1", "--json").stdout)["articles"]) == 2
    assert "2 articles of 2 outlets" in run(db, "show", "1").stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        pytest.param(["show", "99"], "there is no story 99", id="no such story"),
        pytest.param(["merge", "1", "1"], "name two stories", id="one story twice"),
        pytest.param(["merge", "1", "99"], "there is no story 99", id="the other is not there"),
        pytest.param(["split", "999"], "no article '999'", id="no such article"),
        pytest.param(["split", "1", "2"], "that is all of story 1", id="all of a story"),
    ],
)
def test_what_is_asked_wrong_is_told_in_words_and_changes_nothing(db: Path, words: list[str], why: str) -> None:
    done = run(db, *words)
    assert done.exit_code == 2
    assert why in done.stderr
    assert run(db, "said").stdout.startswith("Nobody")


def test_a_word_that_is_taken_back_is_as_if_nobody_had_said_it(db: Path) -> None:
    run(db, "split", "1", "--actor", "ada")
    said = [json.loads(line) for line in run(db, "said", "--json").output.splitlines()]
    assert {word["action"] for word in said} == {"apart"}
    taken = run(db, "withdraw", str(said[0]["id"]), "--json")
    assert taken.exit_code == 0
    shown = [json.loads(line) for line in taken.output.splitlines()]
    assert [[one["id"] for one in story["articles"]] for story in shown] == [[1, 2]]
    assert "Nobody has said anything yet" in run(db, "said").output
    again = run(db, "withdraw", str(said[0]["id"]))
    assert again.exit_code == 2
    assert "no word" in again.output
    assert json.loads(run(db, "regroup", "--json").output) == {"reports": 3, "moved": 0}


def test_beside_a_running_service_the_word_is_kept_and_followed_there(db: Path) -> None:
    with Store.open(db, what="newsbeat run") as store:
        assert store.feedback.changed()
        done = run(db, "merge", "1", "2")
        assert (done.exit_code, done.stdout) == (0, "")
        assert "Kept" in done.stderr
        assert store.feedback.changed(), "this is how the service hears of it"
        assert regroup.hear(store) == 1
        assert len(store.stories.members(1)) == 3


def test_a_running_service_hears_a_word_on_stories(tmp_path: Path) -> None:
    async def scene() -> None:
        now, db = Time(), tmp_path / "news.db"
        directory = outlets.configure(tmp_path / "config", "/a")
        async with service_opened(directory, db, now) as running:
            await running.once()
            articles = [(one.id or 0, one.url) for one in running.store.articles.all()]
            assert len(set(running.store.stories.of([1, 2]).values())) == 2
            said = Feedback.open(tmp_path / FEEDBACK)
            Corrections(said).merge(articles, "ada", NOW)
            said.close()
            await running.tick()
            assert len(set(running.store.stories.of([1, 2]).values())) == 1
            said = Feedback.open(tmp_path / FEEDBACK)
            Corrections(said).split(articles[1:], articles[:1], "ada", NOW)
            said.close()
            assert running.hear(), "told by the site of its own process, without waiting for a tick"
            assert len(set(running.store.stories.of([1, 2]).values())) == 2

    with Outlets() as outlets:
        outlets.publish("/a", item("one", title=FIRE, summary=BODY[FIRE]), item("two", title=VOTE, summary=BODY[VOTE]))
        play(scene)


def test_a_file_of_feedback_made_by_hand_stops_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "news.db"):
        pass
    with sqlite3.connect(tmp_path / "feedback.db") as db:
        db.execute(
            "INSERT INTO story_corrections (action, article_id, other_article_id, url, other_url, actor, created_at)"
            " VALUES ('apart', 1, 2, NULL, 'https://gone.example/', 'ada', 'last week')"
        )
    db.close()
    with Store.open(tmp_path / "news.db") as store:
        arrive(opened(store))
        assert [word.created_at for word in store.corrections.standing()] == [None]
        assert regroup.hear(store) == 0
