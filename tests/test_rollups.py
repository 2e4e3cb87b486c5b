"""Numbers kept beside what they count: whatever is written, and by whomever, they are what counting gives."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.model import Article, Match, Placement
from pipeline.store import Store
from pipeline.store.laws import LAWS
from pipeline.store.repair import repair
from pipeline.store.rollups import MOMENT, ROLLUPS
from pipeline.store.verify import verify
from pipeline.times import stamp

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
TOPICS = ("one", "two")
OUTLETS = 3

Step = tuple[str, int, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["new", "new", "new", "on", "on", "off", "untag", "again", "move", "apart", "copy", "agency", "dated", "go"]
        ),
        st.integers(0, 40),
        st.integers(0, 40),
        st.integers(0, 5),
    ),
    min_size=5,
    max_size=40,
)


@contextmanager
def archive() -> Iterator[Store]:
    with TemporaryDirectory() as place, Store.open(Path(place) / "news.db") as store:
        db = store.connection
        db.execute("PRAGMA synchronous = OFF")
        for number in range(1, OUTLETS + 1):
            db.execute("INSERT INTO outlets (id, name, family) VALUES (?1, 'O' || ?1, 'F')", (number,))
        for slug in TOPICS:
            db.execute(
                "INSERT INTO topics (slug, title, profile_hash, threshold, profile) VALUES (?1, ?1, 'x', 0.2, '{}')",
                (slug,),
            )
        yield store


def tag(store: Store, article: int, topic: str, at: datetime, *, on: bool = True) -> None:
    store.topics.tag(article, at, [Match("", topic, 0.3, on, (), "x")])


def do(store: Store, step: Step) -> None:
    """One write, on what there is; nothing when there is nothing."""
    kind, first, second, third = step
    db = store.connection
    ids = [row[0] for row in db.execute("SELECT id FROM articles ORDER BY id")]
    at = NOW + timedelta(hours=11 * third)
    if kind == "new" or not ids:
        number = max(ids, default=0) + 1
        words = Article(f"https://a.example/{number}", "O1", "T", None, "t", "title", None, (),
                        at if third else None, NOW + timedelta(hours=second), str(number))  # fmt: skip
        made = store.articles.add(words, 1 + first % OUTLETS)
        assert made is not None
        stories = [row[0] for row in db.execute("SELECT id FROM stories ORDER BY id")]
        if third % 2:
            tag(store, made, TOPICS[0], at)
        store.stories.place(made, "T", at, Placement(stories[second % len(stories)] if stories and second else None, 1))
        return
    one, other = ids[first % len(ids)], ids[second % len(ids)]
    if kind in {"on", "off"}:
        tag(store, one, TOPICS[second % 2], at, on=kind == "on")
    elif kind == "untag":
        store.topics.untag(one, TOPICS)
    elif kind == "again":  # another moment, same verdict
        tag(store, one, TOPICS[0], at + timedelta(days=1))
    elif kind == "move":
        store.stories.move([one], store.stories.of([other])[other])
    elif kind == "apart":
        store.stories.move([one], None)
    elif kind == "copy":
        db.execute("UPDATE articles SET copy_of = ? WHERE id = ?", (other if other != one else None, one))
    elif kind == "agency":
        db.execute("UPDATE articles SET agency = ? WHERE id = ?", ("AP" if third % 2 else None, one))
    elif kind == "dated":
        db.execute("UPDATE articles SET published_at = ? WHERE id = ?", (stamp(at) if third else None, one))
    else:
        gone(db, one)


def gone(db: sqlite3.Connection, article: int) -> None:
    """An article goes, with its story when nothing is left of it."""
    db.execute("UPDATE articles SET copy_of = NULL WHERE copy_of = ?", (article,))
    for table in ("article_topics", "article_names", "story_articles", "revisions", "article_texts"):
        db.execute(f"DELETE FROM {table} WHERE article_id = ?", (article,))
    db.execute("DELETE FROM articles WHERE id = ?", (article,))
    db.execute("DELETE FROM story_centres WHERE story_id NOT IN (SELECT story_id FROM story_articles)")
    db.execute("DELETE FROM stories WHERE id NOT IN (SELECT story_id FROM story_articles)")


def differing(store: Store) -> dict[str, object]:
    """The tables whose rows are not what counting gives."""
    db = store.connection
    found: dict[str, object] = {}
    for table, truth in ROLLUPS.items():
        if table == "article_days":  # the first number of a day is a lower bound
            least = "min(t.first_article, d.first_article)"
            truth = f"SELECT t.day, t.articles, {least} FROM ({truth}) t JOIN {table} d USING (day)"
        held = set(db.execute(f"SELECT * FROM {table}"))
        if held != set(db.execute(truth)):
            found[table] = held ^ set(db.execute(truth))
    odd = db.execute(f"SELECT * FROM story_articles WHERE appeared_at IS NOT {MOMENT}").fetchall()
    return found | ({"story_articles": odd} if odd else {})


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a failure is short enough as it is, and shrinking slow
)  # fmt: skip
@given(steps)
def test_numbers_are_what_counting_gives_after_every_write(done: list[Step]) -> None:
    with archive() as store:
        for nth, step in enumerate(done):
            with store.transaction():
                do(store, step)
            assert not differing(store), (nth, step)


def test_an_insert_that_ignores_conflicts_counts_all_the_same() -> None:
    """SQLite hands the conflict clause of a statement on to the triggers it fires."""
    with archive() as store:
        for number in range(3):
            do(store, ("new", 0, number, 0))
        row = (0.3, 1, "[]", "x", stamp(NOW))
        for _ in range(2):
            for article in (1, 2, 3):
                store.connection.execute(
                    "INSERT OR IGNORE INTO article_topics (article_id, topic, score, on_topic, evidence, profile_hash,"
                    " published_at) VALUES (?, 'one', ?, ?, ?, ?, ?)", (article, *row))  # fmt: skip
            assert not differing(store)
        assert store.connection.execute("SELECT articles FROM topic_days").fetchall() == [(3,)]


@pytest.mark.parametrize("table", [*ROLLUPS, "story_articles"])
def test_numbers_that_are_wrong_are_found_and_derived_anew(table: str) -> None:
    with archive() as store:
        for step in (("new", 0, 0, 1), ("new", 1, 1, 1), ("new", 2, 0, 3), ("on", 1, 1, 2), ("agency", 0, 0, 1)):
            do(store, step)
        store.topics.subscribe([])  # so that nothing but the numbers can be amiss
        wrong = {
            "story_articles": "UPDATE story_articles SET appeared_at = '2020-01-01T00:00:00Z' WHERE article_id = 1"
        }
        store.connection.execute(wrong.get(table, f"UPDATE {table} SET articles = articles + 1"))
        name = "report-moment" if table == "story_articles" else table.replace("_", "-")
        found = [finding for finding in verify(store, NOW).findings if finding.name == name]
        assert [finding.repairable for finding in found] == [True]
        assert name in {law.name for law in LAWS}
        repair(store, found)
        assert not differing(store)
        assert not [finding for finding in verify(store, NOW).findings if finding.name == name]


def test_an_archive_from_before_gets_its_numbers(tmp_path: Path) -> None:
    with archive() as store:
        for nth in range(30):
            do(store, ("new", nth, nth % 7, nth % 6))
        before = {table: set(store.connection.execute(f"SELECT * FROM {table}")) for table in ROLLUPS}
        assert all(before.values())
        for table, truth in ROLLUPS.items():
            assert before[table] == set(store.connection.execute(truth))
