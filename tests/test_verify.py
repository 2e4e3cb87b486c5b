"""`newsbeat verify`: every law is broken once by hand, found by name, and made to hold again where it can be."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from grown import WIRE, everything, grown, line, newsbeat

from pipeline.store import Store
from pipeline.store.laws import DERIVED, LAWS


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return grown(tmp_path)


def spoil(place: Path, *statements: str, file: str = "news.db") -> None:
    """Changes rows behind the program's back, foreign keys unchecked."""
    with closing(sqlite3.connect(place / file)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def findings(place: Path, *words: str) -> dict[str, tuple[int, bool]]:
    """What `verify` finds: name to how many and whether it can be repaired."""
    ran = newsbeat(place, "verify", "--json", *words)
    told = json.loads(ran.stdout)
    assert ran.exit_code == (0 if told["ok"] else 1), ran.stderr
    return {one["name"]: (one["count"], one["repairable"]) for one in told["findings"]}


KEPT = "article_texts entries revisions outlets feeds polls".split()


def kept(place: Path) -> str:
    """All that nobody could derive anew, as text."""
    with closing(sqlite3.connect(place / "news.db")) as db:
        held = [repr(db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()) for table in KEPT]
        held.append(repr(db.execute("SELECT id, url, title, summary, text_hash FROM articles ORDER BY 1").fetchall()))
    return "\n".join(held) + everything(place / "feedback.db")


def test_a_sound_archive_is_clean(place: Path) -> None:
    ran = newsbeat(place, "verify")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout.endswith("laws asked, clean.\n")


FTS = "INSERT INTO articles_fts (articles_fts, rowid, title, summary, text) SELECT 'delete', id, title, summary, text"
BROKEN = {
    "text": "DELETE FROM article_texts WHERE article_id = 1",
    "entry": "DELETE FROM entries WHERE article_id = 2",
    "first-wording": "DELETE FROM revisions WHERE article_id = 4",
    "wordings": "UPDATE revisions SET n = 5 WHERE article_id = 3 AND n = 2",
    "present-wording": "UPDATE articles SET text_hash = 'x' WHERE id = 5",
    "earlier-text": "UPDATE revisions SET text = NULL WHERE article_id = 3 AND n = 1",
    "moments": "UPDATE entries SET first_seen_at = 'yesterday' WHERE article_id = 6",
    "revision-count": "UPDATE articles SET revision_count = 7 WHERE id = 6",
    "copy-of-copy": "UPDATE articles SET copy_of = 11 WHERE id = 12",
    "copy-order": "UPDATE articles SET copy_of = CASE id WHEN 10 THEN 11 END WHERE id IN (10, 11)",
    "story": "DELETE FROM story_articles WHERE article_id = 7",
    "empty-story": "INSERT INTO stories SELECT 99, title, first_at, last_at, 0, 0, 0 FROM stories WHERE id = 1",
    "story-counts": "UPDATE stories SET family_count = 9 WHERE id = 4",
    "story-centre": "UPDATE story_centres SET n = 9 WHERE story_id = 4",
    "story-merge": "INSERT INTO story_merges VALUES (5, 1, '2020-12-05T10:00:00Z')",
    "tag-hash": "UPDATE article_topics SET profile_hash = '' WHERE article_id = 9",
    "tag-stale": "UPDATE article_topics SET profile_hash = 'older' WHERE article_id = 9",
    "tag-verdict": "UPDATE article_topics SET on_topic = 0 WHERE article_id = 9",
    "tag-evidence": "UPDATE article_topics SET evidence = '[{' WHERE article_id = 9",
    "tag-moment": "UPDATE article_topics SET published_at = '2000-01-01T00:00:00Z' WHERE article_id = 9",
    "report-moment": "UPDATE story_articles SET appeared_at = NULL WHERE article_id = 9",
    "article-days": "UPDATE article_days SET first_article = first_article + 1",
    "topic-days": "DELETE FROM topic_days",
    "topic-outlets": "UPDATE topic_outlets SET wire = wire + 1",
    "story-topics": "UPDATE story_topics SET last_at = '2000-01-01T00:00:00Z'",
    "never-due": "UPDATE feeds SET state = 'ok'",
    "far-due": "UPDATE feeds SET state = 'ok', next_poll_at = '2099-01-01T00:00:00Z'",
    "index-missing": f"{FTS} FROM article_words WHERE id = 8",
    "index-extra": "DELETE FROM article_texts WHERE article_id = 1",
    "index-other": "UPDATE article_texts SET text = 'quite other words' WHERE article_id = 8",
    "names": "DELETE FROM article_names WHERE article_id = 8",
    "words": "UPDATE story_words SET latest = x'010203' WHERE word = (SELECT max(word) FROM story_words)",
    "prints": "UPDATE story_prints SET print = x'010203' WHERE article_id = 8",
    "labels-unheard": "UPDATE article_topics SET decided_by = 'score' WHERE article_id = 12",
    "reference": "UPDATE story_articles SET article_id = 77 WHERE article_id = 8",
}
LOST = {
    "text", "entry", "first-wording", "wordings", "present-wording", "earlier-text", "moments", "never-due", "far-due",
    "labels-unheard",
}  # fmt: skip
"""Laws about what is kept, or what only others can set right."""


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_law_is_found_told_with_its_cure_and_mended_where_it_can_be(place: Path, name: str) -> None:
    spoil(place, BROKEN[name])
    found = findings(place)
    assert found[name][0] >= 1
    assert found[name][1] == (name not in LOST)
    words = newsbeat(place, "verify").stdout
    assert f"{name}: {found[name][0]} " in words
    if name in LOST:
        return
    before = kept(place)
    left = findings(place, "--repair")
    assert name not in left
    assert kept(place) == before, "what is kept was touched"
    copies = [file for file in place.glob("news.before-repair-*.db") if "feedback" not in file.name]
    assert len(copies) == 1
    with closing(sqlite3.connect(copies[0])) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_every_law_is_broken_by_a_test() -> None:
    assert {law.name for law in LAWS} - set(BROKEN) == {"overlooked"}, "break the new law in a test"


def test_a_feed_that_was_overlooked_is_told_and_a_service_that_rested_is_not(place: Path) -> None:
    poll = "INSERT INTO polls (feed_id, started_at, outcome) VALUES (1, '{}', 'ok')"
    spoil(
        place,
        "UPDATE feeds SET state = 'ok', added_at = '2020-12-01T00:00:00Z', next_poll_at = '2020-12-02T10:00:00Z'",
        poll.format("2020-12-02T09:00:00Z"),
        poll.format("2020-12-05T10:00:00Z"),
    )
    assert findings(place) == {}, "three days of rest, and the first poll after it"
    failed = "INSERT INTO polls (feed_id, started_at, outcome) VALUES (1, '{}', 'failed')"
    spoil(place, "DELETE FROM polls WHERE started_at > '2020-12-05'", failed.format("2020-12-05T10:00:00Z"))
    spoil(place, failed.format("2020-12-05T16:01:00Z"))
    assert findings(place) == {}, "the line was down, and only some were tried"
    spoil(place, poll.format("2020-12-05T10:00:00Z"), poll.format("2099-01-01T00:00:00Z"), "DELETE FROM polls"
          " WHERE outcome = 'failed'")  # fmt: skip
    assert findings(place) == {}, "a clock that ran ahead"
    spoil(place, poll.format("2020-12-05T16:01:00Z"))
    assert findings(place) == {"overlooked": (1, False)}


def test_a_centre_made_when_some_reports_were_forgotten_and_older_since_is_sound(place: Path) -> None:
    with Store.open(place / "news.db") as store, store.transaction():
        store.stories.move([1, 2, 3, 5], 4)
        members = store.stories.members(4)
    forgotten = "DELETE FROM story_prints WHERE article_id = {}"
    centre = (
        "INSERT OR REPLACE INTO story_centres VALUES (4, {}, x'', '2020-12-01T00:00:00Z', '2020-12-02T00:00:00Z', 5)"
    )
    reports = len(members)
    spoil(place, forgotten.format(members[0]), centre.format(reports - 1))
    assert findings(place) == {}, "made of those that are remembered"
    spoil(place, forgotten.format(members[1]))
    assert findings(place) == {}, "of which another is forgotten since"
    for wrong in (reports - 3, reports + 1):
        spoil(place, centre.format(wrong))
        assert findings(place) == {"story-centre": (1, True)}


def test_a_headline_exchanged_for_as_many_other_words_is_found(place: Path) -> None:
    spoil(place, "UPDATE articles SET title = 'Trumpets stolen from theatre bus' WHERE id = 3")
    assert findings(place)["index-other"] == (1, True)


def test_a_repaired_index_finds_every_article(place: Path) -> None:
    spoil(place, BROKEN["index-missing"])
    newsbeat(place, "verify", "--repair")
    with Store.read(place / "news.db") as store:
        rows = store.connection.execute("SELECT rowid FROM articles_fts WHERE articles_fts MATCH 'library'").fetchall()
    assert rows == [(8,)]


def test_a_copy_that_lost_its_order_gets_the_earliest_as_its_original(place: Path) -> None:
    spoil(place, BROKEN["copy-order"])
    newsbeat(place, "verify", "--repair")
    with closing(sqlite3.connect(place / "news.db")) as db:
        assert db.execute("SELECT id, copy_of FROM articles WHERE copy_of IS NOT NULL").fetchall() == [(11, 10)]


def test_topics_put_down_for_judging_are_judged_by_retag(place: Path) -> None:
    spoil(place, BROKEN["tag-verdict"], BROKEN["tag-stale"])
    assert findings(place, "--repair") == {}
    assert newsbeat(place, "retag").exit_code == 0
    with closing(sqlite3.connect(place / "news.db")) as db:
        rows = db.execute("SELECT on_topic, profile_hash FROM article_topics WHERE article_id = 9").fetchall()
    assert rows[0][0] == 1
    assert rows[0][1] != "older"


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE labels SET created_at = 'last week'", "labels"),
        ("UPDATE labels SET url = NULL, article_id = 4711", "labels-lost"),
        ("UPDATE labels SET withdrawn_at = '2020-12-09T00:00:00Z'", "labels-unheard"),
    ],
)
def test_what_people_said_is_looked_at_too(place: Path, statement: str, name: str) -> None:
    spoil(place, statement, file="feedback.db")
    assert name in findings(place)


def test_a_word_just_said_is_given_time_to_be_heard(place: Path) -> None:
    newsbeat(place, "topic", "label", "tiktok-us-sale", "12", "on")
    spoil(place, "UPDATE article_topics SET decided_by = 'score', on_topic = 0 WHERE article_id = 12")
    assert findings(place) == {}


@pytest.mark.parametrize("file", ["news.db", "feedback.db"])
def test_a_damaged_file_is_told_and_nothing_is_tried_on_it(place: Path, file: str) -> None:
    with (place / file).open("r+b") as damaged:
        size = damaged.seek(0, 2)
        for at in range(4096, size, 4096):
            damaged.seek(at)
            damaged.write(b"\xff" * 64)
    ran = newsbeat(place, "verify")
    assert ran.exit_code == 1
    assert "Traceback" not in ran.output
    assert "Restore a backup" in ran.output or "restore a backup" in ran.output


def test_an_index_that_lacks_a_row_is_written_anew(place: Path) -> None:
    with closing(sqlite3.connect(place / "news.db", isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'articles_first_seen'").fetchone()
        db.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'articles_first_seen'", (0,))
        db.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'articles_first_seen'", (root,))
        db.execute("UPDATE sqlite_master SET sql = replace(sql, '(first_seen_at)', '(first_seen_at) WHERE id < 5')"
                   " WHERE name = 'articles_first_seen'")  # fmt: skip
    with closing(sqlite3.connect(place / "news.db", isolation_level=None)) as db:
        db.execute("REINDEX articles_first_seen")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, ' WHERE id < 5', '')"
                   " WHERE name = 'articles_first_seen'")  # fmt: skip
    assert findings(place)["sqlite-index"][1]
    assert findings(place, "--repair") == {}


def test_it_works_beside_a_writer_and_repair_refuses_to(place: Path) -> None:
    with Store.open(place / "news.db", what="newsbeat run") as store, store.transaction():
        store.connection.execute("UPDATE stories SET family_count = 9 WHERE id = 4")
        assert findings(place) == {}, "what is not committed is not there"
        ran = newsbeat(place, "verify", "--repair")
        assert ran.exit_code == 1
        assert "is in use by newsbeat run" in ran.stderr


def test_progress_is_told_once_it_takes_long(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.cli.carrying.QUIET", -1.0)
    assert "names of articles" in newsbeat(place, "verify").stderr


@pytest.mark.parametrize("command", ["verify", "restore", "prune", "doctor", "backup"])
def test_the_commands_teach_their_use(command: str, place: Path) -> None:
    ran = newsbeat(place, command, "--help")
    assert ran.exit_code == 0
    assert len(ran.stdout.splitlines()) > 8


def test_no_statement_of_a_repair_touches_what_is_kept() -> None:
    allowed = {*DERIVED, "stories", "topics", "articles"}
    for law in LAWS:
        for statement in law.repair:
            words = statement.split()
            if words[0] == "UPDATE":
                assert words[1] in allowed, law.name
                assert words[1] != "articles" or words[3].lstrip("(") in ("revision_count", "copy_of"), law.name
            elif words[:2] in (["DELETE", "FROM"], ["INSERT", "INTO"]):
                assert words[2] in allowed - {"articles", "topics"}, law.name


# --- what used to leave numbers behind --------------------------------------------------------------------------


def imported(place: Path, *lines: dict[str, object]) -> None:
    (place / "more.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    assert newsbeat(place, "import", place / "more.jsonl").exit_code == 0


def test_stories_are_counted_anew_when_a_wording_brings_another_moment(place: Path) -> None:
    undated = {key: value for key, value in line(50, title="Owl seen on a mast").items() if key != "published_at"}
    imported(place, undated)
    imported(place, line(50, title="Owl on the mast was a lantern", published_at="2020-12-01T00:00:00Z"))
    assert findings(place) == {}


def test_stories_are_counted_anew_when_outlets_become_one_family(place: Path) -> None:
    echo = {"url": "https://echo.example/51", "outlet": "Coast Echo", "published_at": "2020-12-09T12:00:00Z"}
    imported(place, line(51, title="Old cinema to be a library", text="The old cinema becomes a library.", **echo))
    with Store.read(place / "news.db") as store:
        assert store.numbers.story_of("https://echo.example/51") == (8, "Old cinema becomes a library", 2, 2, 2)
    outlets = "".join(
        f'[[outlet]]\nname = "{name}"\ndomains = ["{domain}"]\nfamily = "Shore Group"\n'
        for name, domain in (("Coast Echo", "echo.example"), ("Example Times", "times.example"))
    )
    (place / "config" / "outlets.toml").write_text(outlets)
    imported(place, line(52, title="Goat on a roof", outlet="Coast Echo"), line(53, title="Pear on a roof"))
    with Store.read(place / "news.db") as store:
        assert store.numbers.story_of("https://echo.example/51") == (8, "Old cinema becomes a library", 2, 2, 1)
    assert findings(place) == {}


def test_stories_are_counted_anew_when_their_copies_get_another_original(place: Path) -> None:
    spoil(place, "UPDATE story_articles SET story_id = 5 WHERE article_id = 11")
    assert findings(place, "--repair") == {}
    third = "https://third.example/1"
    imported(place, line(40, title="Gates", text=WIRE, url=third, outlet="Third", published_at="2020-12-06T07:00:00Z"))
    with Store.read(place / "news.db") as store:
        assert dict(store.numbers.copies())["https://echo.example/22"] == third
    assert findings(place) == {}
