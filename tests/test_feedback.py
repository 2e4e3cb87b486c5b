"""What people say: kept, found again, heard before the score, also after a retag and in a database made anew."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from fakes import NOW, article

from pipeline import ingest, judging, retag, schedule, topics
from pipeline.errors import StoreError
from pipeline.model import Match, Outlet, Term, TopicProfile
from pipeline.store import FEEDBACK, Feedback, Store
from pipeline.store.feedback import create
from pipeline.urls import OutletBook

BARRAGE = TopicProfile(
    "barrage", "The barrage", (Term("barrage", 1.0), Term("estuary", 0.8)), threshold=0.2, profile_hash="h1"
)
NIGHT = NOW + timedelta(hours=12)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "news.db"


@pytest.fixture
def feedback(path: Path) -> Iterator[Feedback]:
    made = Feedback.open(path.with_name(FEEDBACK))
    yield made
    made.close()


def desk_on(store: Store, *profiles: TopicProfile) -> ingest.Desk:
    with store.transaction():
        store.topics.subscribe(profiles)
    compiled = tuple(topics.compiled(profile) for profile in profiles)
    return ingest.Desk(store, OutletBook(), {}, compiled, schedule.Pace())


def keep(store: Store, *names: str) -> list[int]:
    """Articles about a barrage and an estuary, one a name."""
    ids = []
    with store.transaction():
        outlet = store.feeds.outlet_id(Outlet("Example Times", (), "Example Media Group"))
        for name in names:
            found = article(name, title=f"Barrage {name}", text=f"A barrage over the estuary, says the {name}.")
            ids.append(store.articles.add(found, outlet))
    return [number or 0 for number in ids]


def verdicts(path: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as db:
        return db.execute("SELECT article_id, on_topic, decided_by FROM article_topics ORDER BY 1").fetchall()


def url(name: str) -> str:
    return article(name).url


# --- the file -------------------------------------------------------------------------------------------------


def test_several_may_make_the_file_at_one_moment(tmp_path: Path) -> None:
    for attempt in range(20):
        path, begin = tmp_path / f"feedback-{attempt}.db", Barrier(4)

        def made(path: Path = path, begin: Barrier = begin) -> None:
            begin.wait()
            create(path)

        with ThreadPoolExecutor(4) as threads:
            for one in [threads.submit(made) for _ in range(4)]:
                one.result()


def test_the_latest_word_on_an_article_counts(feedback: Feedback) -> None:
    feedback.say(1, "https://a.example/1", "barrage", True, "ada", NOW)
    feedback.say(1, "https://a.example/1", "barrage", False, "ben", NIGHT)
    feedback.say(1, "https://a.example/1", "weir", True, "ada", NOW)
    assert feedback.on(1, "https://a.example/1") == {"barrage": False, "weir": True}
    assert [(label.topic, label.on_topic, label.actor) for label in feedback.labels()] == [
        ("weir", True, "ada"),
        ("barrage", False, "ben"),
    ]
    assert [label.topic for label in feedback.labels("weir")] == ["weir"]


def test_of_two_words_of_one_second_the_later_row_counts(feedback: Feedback) -> None:
    for on_topic in (True, False, True):
        feedback.say(1, "https://a.example/1", "barrage", on_topic, "ada", NOW)
    assert feedback.on(1, "https://a.example/1") == {"barrage": True}


def test_what_was_said_can_be_taken_back_and_stays_in_the_file(feedback: Feedback, path: Path) -> None:
    feedback.say(1, "https://a.example/1", "barrage", True, "ada", NOW)
    feedback.say(2, "https://a.example/2", "barrage", True, "ada", NOW)
    assert feedback.withdraw(1, "https://a.example/1", "barrage", NIGHT) == 1
    assert feedback.withdraw(1, "https://a.example/1", "barrage", NIGHT) == 0
    assert [label.article_id for label in feedback.labels()] == [2]
    with sqlite3.connect(path.with_name(FEEDBACK)) as db:
        assert db.execute("SELECT count(*), count(withdrawn_at) FROM labels").fetchone() == (2, 1)


def test_a_label_is_found_by_its_address_and_by_its_number_only_without_one(feedback: Feedback) -> None:
    feedback.say(7, "https://a.example/1", "barrage", True, "ada", NOW)
    with sqlite3.connect(feedback._path) as db:
        db.execute(
            "INSERT INTO labels (article_id, topic, verdict, actor, created_at)"
            " VALUES (7, 'weir', 'off_topic', 'desk', '2026-03-02T09:00:00Z')"
        )
    db.close()
    assert feedback.on(3, "https://a.example/1") == {"barrage": True}, "its number is another now"
    assert feedback.on(7, "https://a.example/other") == {"weir": False}
    found = feedback.resolved(None, lambda urls: {"https://a.example/1": 3})
    assert {(label.article_id, label.topic): label.on_topic for label in found} == {
        (3, "barrage"): True,
        (7, "weir"): False,
    }
    assert {label.topic for label in feedback.resolved(None, lambda urls: {})} == {"weir"}


@pytest.mark.parametrize("mode", ["read", "open"])
def test_a_file_of_the_first_shape_is_understood(path: Path, mode: str) -> None:
    file = path.with_name(FEEDBACK)
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE labels (article_id, topic, verdict, actor, created_at)")
        db.execute("INSERT INTO labels VALUES (1, 'barrage', 'on_topic', 'ada', 'some time last week')")
    db.close()
    before = file.read_bytes()
    found = getattr(Feedback, mode)(file)
    assert found.on(1, "https://a.example/1") == {"barrage": True}
    assert [(label.on_topic, label.created_at, label.url) for label in found.labels()] == [(True, None, None)]
    found.close()
    assert (file.read_bytes() == before) == (mode == "read"), "looking writes nothing"


def test_a_missing_file_has_no_labels_and_is_not_made_by_looking(path: Path) -> None:
    found = Feedback.read(path.with_name(FEEDBACK))
    assert found.labels() == ()
    assert not path.with_name(FEEDBACK).exists()


def test_a_file_that_is_no_database_is_refused_in_words(path: Path) -> None:
    path.with_name(FEEDBACK).write_text("my notes on what is on topic, which is no database at all " * 40)
    with pytest.raises(StoreError, match=r"feedback\.db: file is not a database"):
        Feedback.open(path.with_name(FEEDBACK))


def test_a_word_of_another_process_is_noticed_once(feedback: Feedback, path: Path) -> None:
    other = Feedback.open(path.with_name(FEEDBACK))
    assert feedback.changed(), "at first, all is new"
    assert not feedback.changed()
    other.say(1, "https://a.example/1", "barrage", True, "ada", NOW)
    assert feedback.changed()
    assert not feedback.changed()
    other.close()


# --- the judge ------------------------------------------------------------------------------------------------


def test_a_person_goes_before_score_and_rule_and_the_evidence_stays() -> None:
    found = Match("u", "barrage", 0.1, False, (), "h1", "none of dam stands in it")
    (said,) = topics.settled("u", [found], [BARRAGE], {"barrage": True})
    assert said == replace(found, on_topic=True, why=topics.SAID, decided_by="person")
    (ruled,) = topics.settled("u", [found], [BARRAGE], {"weir": True})
    assert ruled == replace(found, decided_by="rule")


def test_an_article_without_any_term_is_on_topic_where_a_person_says_so() -> None:
    (match,) = topics.settled("u", [], [BARRAGE], {"barrage": True, "unknown": True})
    assert (match.topic, match.score, match.on_topic, match.decided_by) == ("barrage", 0.0, True, "person")


# --- the archive ----------------------------------------------------------------------------------------------


def test_labels_are_heard_before_scores_and_forgotten_when_taken_back(path: Path) -> None:
    with Store.open(path) as store:
        desk = desk_on(store, BARRAGE)
        one, two, three = keep(store, "one", "two", "three")
        retag.everything(desk, ["barrage"])
        assert verdicts(path) == [(one, 1, "score"), (two, 1, "score"), (three, 1, "score")]
        store.feedback.say(two, url("two"), "barrage", False, "ada", NOW)
        store.feedback.say(three, url("three"), "barrage", True, "ada", NOW)
        store.feedback.say(99, "https://gone.example/", "barrage", True, "ada", NOW)
        store.feedback.say(one, url("one"), "no-such-topic", False, "ada", NOW)
        assert retag.hear(desk) == 2
        assert retag.hear(desk) == 0, "they agree"
        said = [(one, 1, "score"), (two, 0, "person"), (three, 1, "person")]
        assert verdicts(path) == said
        retag.everything(desk_on(store, replace(BARRAGE, threshold=0.99, profile_hash="h2")), ["barrage"])
        assert verdicts(path) == [(one, 0, "score"), (two, 0, "person"), (three, 1, "person")], "labels survive a retag"
        store.feedback.withdraw(two, url("two"), "barrage", NOW)
        assert retag.hear(desk_on(store, BARRAGE)) == 1
        assert verdicts(path)[1] == (two, 1, "score")


def test_labels_hold_in_a_database_made_anew(path: Path) -> None:
    with Store.open(path) as store:
        keep(store, "one", "two")
        store.feedback.say(2, url("two"), "barrage", False, "ada", NOW)
    for file in path.parent.glob("news.db*"):
        file.unlink()
    with Store.open(path) as store:
        desk = desk_on(store, BARRAGE)
        two, one = keep(store, "two", "one")
        retag.everything(desk, ["barrage"])
        assert verdicts(path) == [(two, 0, "person"), (one, 1, "score")]


def test_a_label_that_was_said_before_the_article_came_is_heard_when_it_comes(path: Path) -> None:
    with Store.open(path) as store:
        desk = desk_on(store, BARRAGE)
        store.feedback.say(500, url("one"), "barrage", False, "ada", NOW)
        (number,) = keep(store, "one")
        with store.transaction():
            judging.judge(number, store.articles.get([number])[0], desk)
        assert verdicts(path) == [(number, 0, "person")]


def in_steps_of(articles: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judging anew takes so many at a time, and never ends a step by the clock, as it would on a busy machine."""
    monkeypatch.setattr(retag, "BATCH", articles)
    monkeypatch.setattr(retag, "STEP_SECONDS", 3600)


def test_a_retag_that_is_killed_goes_on_where_it_stopped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_steps_of(10, monkeypatch)
    with Store.open(path) as store:
        keep(store, *(f"n{number}" for number in range(35)))
        desk = desk_on(store, BARRAGE)
        assert retag.step(desk) == 10
        assert retag.step(desk) == 10
    with Store.open(path) as store:  # the next process
        desk = desk_on(store, BARRAGE)
        assert store.topics.waiting() == {"barrage": (20, 35)}
        assert retag.everything(desk, ["barrage"]) == 15
        assert store.topics.waiting() == {}
    assert len(verdicts(path)) == 35


def test_topics_at_different_places_are_judged_together_from_where_they_meet(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_steps_of(10, monkeypatch)
    weir = replace(BARRAGE, slug="weir")
    with Store.open(path) as store:
        keep(store, *(f"n{number}" for number in range(30)))
        retag.step(desk_on(store, BARRAGE))
        desk = desk_on(store, BARRAGE, weir)
        assert store.topics.waiting() == {"barrage": (10, 30), "weir": (0, 30)}
        assert retag.step(desk) == 10
        assert store.topics.waiting() == {"barrage": (10, 30), "weir": (10, 30)}
        keep(store, "late")  # judged as it comes, by whoever brings it
        asyncio.run(retag.in_background(desk))
        assert store.topics.waiting() == {}
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT topic, count(*) FROM article_topics GROUP BY topic ORDER BY 1").fetchall() == [
            ("barrage", 30),
            ("weir", 30),
        ]


def test_status_says_what_is_stale_and_what_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_steps_of(2, monkeypatch)
    with Store.open(path) as store:
        keep(store, "one", "two", "three")
        retag.everything(desk_on(store, BARRAGE), ["barrage"])
        store.feedback.say(1, url("one"), "barrage", True, "ada", NOW)
        desk = desk_on(store, replace(BARRAGE, profile_hash="h2"))
        retag.hear(desk)
        (line,) = store.numbers.topics()
        assert (line.on_topic, line.stale, line.left, line.labelled) == (3, 2, 3, 1)
        retag.step(desk)
        (line,) = store.numbers.topics()
        assert (line.stale, line.left) == (1, 1)
        retag.step(desk)
        (line,) = store.numbers.topics()
        assert (line.stale, line.left) == (0, 0)
