"""Values to SQLite and back: the promised tables, transactions that are whole, and trouble in words.

What is stored is looked at from outside, by a connection that only reads, as Datasette does.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils
from fakes import FEED, NOW, article, entry, feed

from pipeline.errors import StoreError
from pipeline.model import Evidence, Feed, Match, Outlet, Placement, PollOutcome, Rules, Term, TopicProfile
from pipeline.store import Store
from pipeline.store.migrations import migrations
from pipeline.store.store import schema

ROOT = Path(__file__).parent.parent
HOUR = timedelta(hours=1)
TIMES = Outlet("Example Times", ("example.org",), "Example Media Group")
POST = Outlet("Example Post", ("example.net",), "Example Media Group")
ECHO = Outlet("Coast Echo", ("echo.example",), "Coast Echo")

# docs/design.md, "the tables people will query": names are a promise.
PROMISED = {
    "outlets": "id name domain family",
    "feeds": "id url title outlet_id state etag last_modified next_poll_at failures last_ok_at last_new_at last_error",
    "polls": "id feed_id started_at outcome status new revised unchanged bytes ms why",
    "articles": "id url outlet_id title summary lang authors published_at first_seen_at text_from copy_of",
    "article_texts": "article_id text",
    "articles_fts": "title summary text",
    "entries": "feed_id guid article_id link first_seen_at last_seen_at",
    "revisions": "article_id n seen_at title summary text_hash kind",
    "stories": "id title first_at last_at article_count outlet_count family_count",
    "story_articles": "story_id article_id similarity",
    "topics": "slug title profile_hash seed",
    "article_topics": "article_id topic score on_topic evidence profile_hash published_at",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "news.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as made:
        yield made


def rows(path: Path | Store, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What a reader beside us sees."""
    file = path.path if isinstance(path, Store) else path
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def subscribed(store: Store, *feeds: Feed, outlet: Outlet | None = TIMES) -> tuple[int, int]:
    with store.transaction():
        return store.feeds.subscribe(feeds, lambda _: outlet, NOW)


def kept(store: Store, *names: str, outlet: Outlet = TIMES, **changes: Any) -> list[int]:
    """Stores and indexes articles of these names; their ids."""
    with store.transaction():
        outlet_id = store.feeds.outlet_id(outlet)
        made = [store.articles.add(article(name, outlet=outlet.name, **changes), outlet_id) for name in names]
        ids = [article_id for article_id in made if article_id is not None]
        store.articles.index(ids)
    return ids


def found(store: Store, words: str) -> list[int]:
    """Ids of the articles a search finds."""
    return [row[0] for row in rows(store, "SELECT rowid FROM articles_fts WHERE articles_fts MATCH ?", words)]


# --- schema ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", PROMISED)
def test_promised_table_has_its_promised_columns(table: str, store: Store) -> None:
    columns = {row[1] for row in rows(store, f"PRAGMA table_info({table})")}
    assert set(PROMISED[table].split()) <= columns


def test_article_urls_are_unique_in_the_schema(store: Store) -> None:
    kept(store, "bridge")
    with pytest.raises(sqlite3.IntegrityError, match=r"articles\.url"), store.transaction():
        store._connection.execute(
            "INSERT INTO articles (url, outlet_id, first_seen_at, text_from, text_hash)"
            " SELECT url, outlet_id, first_seen_at, text_from, text_hash FROM articles"
        )


def test_every_reference_is_a_foreign_key(store: Store) -> None:
    """A column called something_id leads somewhere, so that Datasette links it."""
    tables = [row[0] for row in rows(store, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        if table.startswith(("articles_fts", "sqlite_", "_sqlite")):
            continue
        columns = {row[1] for row in rows(store, f"PRAGMA table_info({table})")}
        keys = {row[3] for row in rows(store, f"PRAGMA foreign_key_list({table})")}
        assert {name for name in columns if name.endswith("_id") or name in ("topic", "copy_of")} <= keys, table


def test_foreign_keys_are_enforced(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"), store.transaction():
        store.articles.name(99, [(entry(), 99)], NOW)


def test_database_is_in_wal_mode(store: Store) -> None:
    assert rows(store, "PRAGMA journal_mode") == [("wal",)]


def test_written_schema_is_the_present_one() -> None:
    """Stale? `./run schema` writes it anew."""
    assert (ROOT / "db" / "schema.sql").read_text(encoding="utf-8") == schema()


def test_opening_again_changes_nothing(path: Path) -> None:
    with Store.open(path) as store:
        kept(store, "bridge")
    before = rows(path, "SELECT name, sql FROM sqlite_master ORDER BY name")
    applied = rows(path, f"SELECT * FROM {migrations.migrations_table}")
    with Store.open(path) as store:
        assert rows(store, "SELECT name, sql FROM sqlite_master ORDER BY name") == before
        assert rows(store, f"SELECT * FROM {migrations.migrations_table}") == applied
        assert rows(store, "SELECT url FROM articles") == [("https://example.org/news/bridge",)]


def test_migrations_have_names_in_order() -> None:
    names = [migration.name for migration in migrations._migrations]
    assert all(re.fullmatch(r"m\d{4}_[a-z_]+", name) for name in names)
    assert names == sorted(names)


def test_feedback_database_is_made_beside_it_and_left_as_it_is(path: Path) -> None:
    Store.open(path).close()
    feedback = path.with_name("feedback.db")
    assert [row[1] for row in rows(feedback, "PRAGMA table_info(labels)")] == [
        "article_id", "topic", "verdict", "actor", "created_at", "url", "withdrawn_at"
    ]  # fmt: skip
    with sqlite3.connect(feedback) as db:
        db.execute(
            "INSERT INTO labels (article_id, topic, verdict, actor, created_at)"
            " VALUES (1, 'barrage', 'on_topic', 'ada', '2026-03-02T09:00:00Z')"
        )
    db.close()
    Store.open(path).close()
    assert len(rows(feedback, "SELECT * FROM labels")) == 1


# --- opening, and who may not ---------------------------------------------------------------------------------


def test_directories_on_the_way_are_made(tmp_path: Path) -> None:
    Store.open(tmp_path / "a" / "b" / "news.db").close()
    assert (tmp_path / "a" / "b" / "news.db").is_file()


@pytest.mark.parametrize("name", ["with space", "100%", "what?mode=memory", "a#b", "ünï"])
def test_any_directory_name_will_do(name: str, tmp_path: Path) -> None:
    path = tmp_path / name / "news.db"
    with Store.open(path) as store:
        kept(store, "bridge")
    with Store.read(path) as reader:
        assert len(list(reader.articles.all())) == 1
    assert {file.name.split(".")[0] for file in path.parent.iterdir()} == {"news", "feedback"}
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_second_opener_is_told_who_holds_it(path: Path) -> None:
    with Store.open(path, what="newsbeat run"), pytest.raises(StoreError) as caught:
        Store.open(path)
    assert str(caught.value) == (
        f"{path} is in use by newsbeat run (process {os.getpid()}). Stop that first, or use another --db."
    )


def test_holder_that_died_holds_nothing(path: Path) -> None:
    """The lock goes with the process, also when that was killed."""
    script = (
        "import os, sys; from pathlib import Path; from pipeline.store import Store;"
        " s = Store.open(Path(sys.argv[1])); print('open', flush=True); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", script, path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("open\n", 9)
    Store.open(path).close()


def test_closing_lets_the_next_one_in(path: Path) -> None:
    for _ in range(3):
        Store.open(path).close()


def test_database_of_a_newer_newsbeat_is_left_alone(path: Path) -> None:
    Store.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute(
            f"INSERT INTO {migrations.migrations_table} (migration_set, name, applied_at)"
            " VALUES ('newsbeat', 'm9999_moods', '2027-01-01')"
        )
    db.close()
    for opener in (Store.open, Store.read):
        with pytest.raises(StoreError) as caught:
            opener(path)
        assert str(caught.value) == (
            f"{path}: made by a newer Newsbeat (m9999_moods is unknown here). Upgrade Newsbeat, or use another --db."
        )


def test_database_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    db.close()
    before = path.read_bytes()
    for opener in (Store.open, Store.read):
        with pytest.raises(StoreError, match=r"another program's database\. Choose another file with --db"):
            opener(path)
    assert path.read_bytes() == before
    assert not path.with_name("feedback.db").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"Dear diary, today was a fine day. " * 100, id="a text"),
        pytest.param(b"SQLite format 3\x00" + b"\xff" * 4096, id="a broken head"),
    ],
)
def test_file_that_is_no_database_is_told(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    for opener in (Store.open, Store.read):
        with pytest.raises(StoreError, match="not an intact SQLite database"):
            opener(path)
    assert path.read_bytes() == content


def test_after_a_refusal_the_lock_is_free(path: Path) -> None:
    path.write_bytes(b"no database " * 100)
    for _ in range(2):
        with pytest.raises(StoreError, match="not an intact"):
            Store.open(path)
    path.unlink()
    Store.open(path).close()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: None, id="missing"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.mkdir(), id="a directory"),
    ],
)
def test_reading_before_there_is_a_database_is_told(make: Any, path: Path) -> None:
    make(path)
    with pytest.raises(StoreError, match=r"there is no database yet\. `newsbeat once` makes it"):
        Store.read(path)


def test_reading_a_database_that_needs_bringing_up_to_date_is_told(path: Path) -> None:
    Store.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"DELETE FROM {migrations.migrations_table} WHERE name LIKE 'm0003%'")
    db.close()
    with pytest.raises(StoreError, match=r"made by an older Newsbeat\. `newsbeat once` brings it up to date"):
        Store.read(path)


def test_directory_in_place_of_the_file_is_told(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be opened for writing"):
        Store.open(path)


def test_file_in_place_of_a_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("a file")
    with pytest.raises(StoreError, match=r"cannot be made .* Choose another place with --db"):
        Store.open(tmp_path / "db" / "news.db")


@pytest.fixture
def somebody() -> Iterator[Path]:
    """A directory, and the rest of the test as a user who may be kept out: root may write everywhere."""
    sqlite_utils.Database(memory=True)  # loads its plugins, which somebody else may not read
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if os.geteuid() == 0:
            os.chown(directory, 65534, 65534)
            os.seteuid(65534)
            yield directory
            os.seteuid(0)
        else:
            yield directory
        directory.chmod(0o700)


def test_directory_that_cannot_be_written_is_told(somebody: Path) -> None:
    somebody.chmod(0o500)
    with pytest.raises(StoreError) as caught:
        Store.open(somebody / "news.db")
    assert str(caught.value) == (
        f"{somebody / 'news.db'}: cannot be written there (Permission denied). Check the directory, or use --db."
    )


def test_database_that_cannot_be_written_is_told(somebody: Path) -> None:
    path = somebody / "news.db"
    Store.open(path).close()
    path.chmod(0o400)
    with pytest.raises(StoreError, match=r"cannot be opened for writing\. Check the owner of the file"):
        Store.open(path)


def test_database_in_a_directory_that_may_only_be_read_is_read_as_it_lies(
    somebody: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("newsbeat"), "propagate", True)
    path = somebody / "news.db"
    with Store.open(path) as store:
        kept(store, "bridge")
    somebody.chmod(0o500)
    with Store.read(path) as store:
        assert [one.url for one in store.articles.all()] == ["https://example.org/news/bridge"]
        with pytest.raises(StoreError), store.transaction():
            store.polls.keep(1, PollOutcome("x", "ok", 200, 0, 0, 0, 0, 0, "", None, NOW))
    assert any("read as it lies" in message for message in caplog.messages)


def test_what_came_last_is_not_left_out_in_silence_where_nobody_may_write(somebody: Path) -> None:
    path = somebody / "news.db"
    with Store.open(path) as store:
        kept(store, "bridge")
        for name in ("news.db", "news.db-wal"):
            (somebody / "copy").mkdir(exist_ok=True)
            shutil.copy(somebody / name, somebody / "copy" / name)
    (somebody / "copy").chmod(0o500)
    with pytest.raises(StoreError, match=r"what came last lies in news\.db-wal"):
        Store.read(somebody / "copy" / "news.db")
    (somebody / "copy").chmod(0o700)


# --- transactions ---------------------------------------------------------------------------------------------


def test_transaction_rolls_back_whole_on_an_exception(store: Store) -> None:
    def half_done() -> None:
        with store.transaction():
            store.feeds.subscribe([feed()], lambda _: TIMES, NOW)
            store.articles.add(article(), store.feeds.outlet_id(TIMES))
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        half_done()
    assert rows(store, "SELECT count(*) FROM articles") == rows(store, "SELECT count(*) FROM feeds") == [(0,)]
    assert kept(store, "bridge") == [1]


def test_cancelled_transaction_rolls_back(store: Store) -> None:
    def interrupted() -> None:
        with store.transaction():
            store.feeds.outlet_id(TIMES)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert rows(store, "SELECT * FROM outlets") == []


def test_reader_sees_a_transaction_when_it_is_whole(store: Store) -> None:
    with store.transaction():
        store.feeds.outlet_id(TIMES)
        assert rows(store, "SELECT * FROM outlets") == []
    assert rows(store, "SELECT name FROM outlets") == [("Example Times",)]


def test_reading_store_works_beside_the_writer_and_cannot_write(store: Store) -> None:
    kept(store, "bridge")
    with Store.read(store.path) as reader:
        kept(store, "tunnel")
        assert [one.title for one in reader.articles.all()] == ["Council opens the bridge", "Council opens the tunnel"]
        with pytest.raises(StoreError, match="cannot be opened for writing"), reader.transaction():
            reader.feeds.outlet_id(POST)


def test_full_disk_is_told_and_nothing_of_the_step_is_kept(store: Store) -> None:
    kept(store, "bridge")
    pages = rows(store, "PRAGMA page_count")[0][0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(StoreError, match=r"the disk is full\. Nothing of this step was kept; free some room"):
        kept(store, *(f"bridge-{n}" for n in range(200)), text="brick " * 2000)
    assert rows(store, "SELECT count(*) FROM articles") == [(1,)]
    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert len(kept(store, *(f"bridge-{n}" for n in range(200)), text="brick " * 2000)) == 200
    assert rows(store, "PRAGMA integrity_check") == [("ok",)]


def test_database_locked_by_another_program_is_told(store: Store) -> None:
    store._connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"another program holds the database for writing\. Close it and try again"):
        kept(store, "bridge")
    other.execute("ROLLBACK")
    other.close()
    assert kept(store, "bridge") == [1]


# --- articles -------------------------------------------------------------------------------------------------


def test_article_comes_back_as_it_was(store: Store) -> None:
    (article_id,) = kept(store, "bridge", authors=("Ada Fisher", "Bo Stone"))
    stored = article("bridge", authors=("Ada Fisher", "Bo Stone"), id=article_id)
    assert store.articles.find(str(article_id)) == stored
    assert store.articles.find("https://example.org/news/bridge") == stored
    assert store.articles.get([article_id]) == [stored]
    assert store.articles.find("https://example.org/nowhere") is None
    assert store.articles.find("99") is None


def test_article_that_says_little_comes_back_as_it_was(store: Store) -> None:
    (article_id,) = kept(store, "bridge", title=None, summary=None, lang=None, authors=(), published_at=None)
    stored = store.articles.find(str(article_id))
    assert stored is not None
    assert (stored.title, stored.summary, stored.lang, stored.authors, stored.published_at) == (
        None, None, None, (), None
    )  # fmt: skip


def test_second_article_of_one_url_is_not_added(store: Store) -> None:
    assert kept(store, "bridge", "bridge") == [1]
    assert rows(store, "SELECT count(*) FROM article_texts") == [(1,)]
    assert rows(store, "SELECT count(*) FROM revisions") == [(1,)]


def test_new_article_has_its_first_wording(store: Store) -> None:
    kept(store, "bridge")
    (first,) = store.articles.revisions(1)
    assert (first.n, first.kind, first.title, first.seen_at) == (1, "first", "Council opens the bridge", NOW)


def test_revision_keeps_the_old_wording_and_shows_the_new_one(store: Store) -> None:
    kept(store, "bridge")
    later = article("bridge", title="Bridge closed again", summary="Cracks.", text="Cracks were found in a girder.")
    with store.transaction():
        store.articles.revise(1, later, ("headline",), NOW + HOUR)
    shown = store.articles.find("1")
    assert shown is not None
    assert (shown.title, shown.text, shown.first_seen_at) == (later.title, later.text, NOW)
    first, second = store.articles.revisions(1)
    assert (first.title, second.title) == ("Council opens the bridge", "Bridge closed again")
    assert (second.n, second.kind, second.seen_at) == (2, "headline", NOW + HOUR)
    assert rows(store, "SELECT n, text FROM revisions ORDER BY n") == [(1, article("bridge").text), (2, None)]
    assert rows(store, "SELECT revision_count FROM articles") == [(2,)]
    assert store.articles.titles(1) == ("Council opens the bridge", "Bridge closed again")


def test_search_finds_the_new_words_and_no_longer_the_old_ones(store: Store) -> None:
    kept(store, "bridge", "tunnel")
    assert found(store, "council") == [1, 2]
    for n, words in enumerate(("Cracks were found", "A girder was replaced"), 1):
        with store.transaction():
            store.articles.revise(1, article("bridge", title=None, summary=None, text=words), ("text",), NOW + n * HOUR)
    assert (found(store, "council"), found(store, "crack"), found(store, "girder")) == ([2], [], [1])
    store._connection.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")


def test_search_sets_case_accents_and_endings_aside(store: Store) -> None:
    kept(store, "bridge", title="Café owners protest")
    assert found(store, "CAFE") == found(store, "owner") == found(store, "protesting") == [1]


def test_all_articles_come_in_order_over_many_batches(store: Store) -> None:
    with store.transaction():
        outlet_id = store.feeds.outlet_id(TIMES)
        for n in range(1201):
            store.articles.add(article(f"note-{n}"), outlet_id)
    ids = [one.id for one in store.articles.all()]
    assert ids == list(range(1, 1202))
    assert [one.id for one in store.articles.all(1199)] == [1200, 1201]


# --- entries: the names of an article -------------------------------------------------------------------------


def test_entry_is_known_by_its_guid_in_its_own_feed_only(store: Store) -> None:
    subscribed(store, feed(), feed("https://feeds.example.org/local.xml"))
    kept(store, "bridge")
    with store.transaction():
        store.articles.name(1, [(entry("bridge"), 1)], NOW)
    by_guid, by_url = store.articles.known(1, [entry("bridge"), entry("tunnel")])
    assert by_url == {}
    known = by_guid[entry("bridge").guid]
    assert (known.article_id, known.url, known.home_feed) == (1, entry("bridge").url, FEED)
    assert known.raw_hash == entry("bridge").raw_hash
    elsewhere, by_url = store.articles.known(2, [entry("bridge")])
    assert elsewhere == {}
    assert by_url["https://example.org/news/bridge"].raw_hash is None


def test_article_may_have_many_names(store: Store) -> None:
    """An alias leaves the home feed what it was; seeing it again moves only its last time."""
    subscribed(store, feed(), feed("https://feeds.example.org/local.xml"))
    kept(store, "bridge")
    alias = entry("bridge", guid="local-1")
    with store.transaction():
        store.articles.name(1, [(entry("bridge"), 1)], NOW)
        store.articles.name(2, [(alias, 1)], NOW + HOUR)
        store.articles.still_there(2, [alias], NOW + 2 * HOUR)
        store.articles.name(1, [(entry("bridge", raw_hash="other"), 1)], NOW + 3 * HOUR)
    assert rows(store, "SELECT feed_id, guid, first_seen_at, last_seen_at FROM entries ORDER BY feed_id") == [
        (1, entry("bridge").guid, "2026-03-02T09:00:00Z", "2026-03-02T12:00:00Z"),
        (2, "local-1", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"),
    ]
    by_guid, _ = store.articles.known(2, [alias])
    assert by_guid["local-1"].home_feed == FEED


@pytest.mark.parametrize("guid", ["a'b", 'a"b', "a\\b", "a%_b", "ünï", "😀", "a\nb", "A", "null"])
def test_guid_is_opaque(guid: str, store: Store) -> None:
    subscribed(store, feed())
    kept(store, "bridge")
    with store.transaction():
        store.articles.name(1, [(entry("bridge", guid=guid), 1)], NOW)
        store.articles.still_there(1, [entry(guid=guid)], NOW + HOUR)
    by_guid, _ = store.articles.known(1, [entry(guid=guid), entry(guid=guid.swapcase() + "x")])
    assert list(by_guid) == [guid]
    assert rows(store, "SELECT last_seen_at FROM entries") == [("2026-03-02T10:00:00Z",)]


# --- feeds ----------------------------------------------------------------------------------------------------

LOCAL = "https://feeds.example.org/local.xml"


def states(store: Store) -> dict[str, str]:
    return dict(rows(store, "SELECT url, state FROM feeds"))


def test_subscribing_adds_pauses_and_takes_back(store: Store) -> None:
    assert subscribed(store, feed(), feed(LOCAL)) == (2, 0)
    assert subscribed(store, feed(), feed(LOCAL)) == (0, 0)
    with store.transaction():
        store.feeds.keep(store.feeds.state(2), NOW, ok=True, new=False, error=None)
    assert subscribed(store, feed()) == (0, 1)
    assert states(store) == {FEED: "ok", LOCAL: "paused"}
    assert subscribed(store, feed()) == (0, 0)
    assert subscribed(store, feed(), feed(LOCAL)) == (0, 0)
    assert states(store) == {FEED: "ok", LOCAL: "ok"}


def test_feed_that_was_never_asked_leaves_nothing_when_it_is_taken_out(store: Store) -> None:
    subscribed(store, feed(), feed(LOCAL))
    assert subscribed(store, feed()) == (0, 1)
    assert states(store) == {FEED: "ok"}


def test_failing_feed_that_is_taken_out_comes_back_failing(store: Store) -> None:
    subscribed(store, feed())
    with store.transaction():
        failing = replace(store.feeds.state(1), state="failing", failures=3)
        store.feeds.keep(failing, NOW, ok=False, new=False, error="no such host")
    subscribed(store)
    assert states(store) == {FEED: "paused"}
    subscribed(store, feed())
    assert states(store) == {FEED: "failing"}


def test_feed_that_comes_back_goes_on_where_it_was(store: Store) -> None:
    subscribed(store, feed())
    polled = replace(store.feeds.state(1), etag='W/"v1"', body_hash="abc", next_poll_at=NOW + HOUR)
    with store.transaction():
        store.feeds.keep(polled, NOW, ok=True, new=True, error=None)
    subscribed(store)
    assert store.feeds.due(NOW + 2 * HOUR, 10) == []
    subscribed(store, feed())
    assert store.feeds.state(1) == polled
    assert store.feeds.due(NOW, 10) == []


def test_new_feed_is_due_at_once(store: Store) -> None:
    subscribed(store, feed(every=timedelta(minutes=15)))
    (state,) = store.feeds.due(NOW, 10)
    assert (state.feed_url, state.url, state.every, state.outlet) == (FEED, FEED, timedelta(minutes=15), TIMES.name)
    assert (state.etag, state.last_modified, state.failures, state.state) == (None, None, 0, "ok")


def test_changed_pace_title_and_outlet_are_taken_up(store: Store) -> None:
    subscribed(store, feed(every=timedelta(minutes=15)))
    subscribed(store, feed(title="World"), outlet=POST)
    state = store.feeds.state(1)
    assert (state.every, state.title, state.outlet) == (None, "World", POST.name)


def test_feed_that_moved_onto_another_stays_paused_while_that_one_is_subscribed(store: Store) -> None:
    """R6: one document is not polled twice, also after a restart."""
    subscribed(store, feed(), feed(LOCAL))
    merged = replace(store.feeds.state(1), url=LOCAL, state="paused")
    with store.transaction():
        store.feeds.keep(merged, NOW, ok=True, new=False, error=None)
    subscribed(store, feed(), feed(LOCAL))
    assert states(store) == {FEED: "paused", LOCAL: "ok"}
    subscribed(store, feed())
    assert states(store) == {FEED: "moved"}, "now it alone asks there"


def test_feed_state_is_remembered_to_the_letter(store: Store) -> None:
    subscribed(store, feed())
    state = replace(
        store.feeds.state(1),
        url="https://feeds.example.org/new.xml",
        title="Wörld",
        state="moved",
        etag='W/"caf\xe9"',
        last_modified="yesterday",
        validators_url="https://feeds.example.org/new.xml",
        body_hash="abc",
        same_bodies=2,
        failures=3,
        gone_seen=1,
        moved_to="https://feeds.example.org/newer.xml",
        moved_seen=1,
        next_poll_at=NOW + HOUR,
    )
    with store.transaction():
        store.feeds.keep(state, NOW, ok=True, new=True, error=None)
    assert store.feeds.state(1) == state
    assert store.feeds.by_current_url(state.url) == state
    assert store.feeds.by_current_url(FEED) is None


def test_last_success_stays_through_a_failure_and_the_error_goes_with_the_next_success(store: Store) -> None:
    subscribed(store, feed())
    times = "SELECT last_ok_at, last_new_at, last_error, last_error_at FROM feeds"
    state = store.feeds.state(1)
    with store.transaction():
        store.feeds.keep(state, NOW, ok=True, new=True, error=None)
        store.feeds.keep(state, NOW + HOUR, ok=False, new=False, error="the server answered 500")
    first, failed = "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"
    assert rows(store, times) == [(first, first, "the server answered 500", failed)]
    with store.transaction():
        store.feeds.keep(state, NOW + 2 * HOUR, ok=True, new=False, error=None)
    assert rows(store, times) == [("2026-03-02T11:00:00Z", first, None, failed)]


def test_due_feeds_come_longest_waiting_first(store: Store) -> None:
    subscribed(store, *(feed(f"https://feeds.example.org/{n}") for n in range(6)))
    with store.transaction():
        for feed_id, hours in zip(range(1, 7), (3, 1, 2, 9, 0, 0), strict=True):
            store.feeds.postpone(feed_id, NOW + hours * HOUR)
        for feed_id, name in ((5, "gone"), (6, "paused")):
            store._connection.execute("UPDATE feeds SET state = ? WHERE id = ?", (name, feed_id))
    later = NOW + 4 * HOUR
    assert [state.id for state in store.feeds.due(later, 10)] == [2, 3, 1]
    assert [state.id for state in store.feeds.due(later, 2)] == [2, 3]
    assert [state.id for state in store.feeds.due(later, 10, frozenset({3}))] == [2, 1]
    assert [state.id for state in store.feeds.due(later, 1, frozenset({2, 3}))] == [1]
    assert [state.id for state in store.feeds.due(later, 1, (), lambda url: url == store.feeds.state(1).url)] == [1]
    assert [state.id for state in store.feeds.due(NOW + HOUR, 10)] == [2]
    assert store.feeds.due(NOW, 10) == []


def test_held_host_is_held_for_the_longest_that_was_asked(store: Store) -> None:
    with store.transaction():
        store.feeds.hold_host("feeds.example.org", NOW + 2 * HOUR, "429")
        store.feeds.hold_host("feeds.example.org", NOW + HOUR, "429 again")
    assert store.feeds.held("feeds.example.org", NOW) == (NOW + 2 * HOUR, "429 again")
    assert store.feeds.held("feeds.example.org", NOW + 2 * HOUR) is None
    assert store.feeds.held("example.org", NOW) is None


def test_outlet_is_one_row_brought_up_to_date(store: Store) -> None:
    with store.transaction():
        first = store.feeds.outlet_id(Outlet("Example Times", (), "Example Times"))
        assert store.feeds.outlet_id(TIMES) == first
        assert store.feeds.outlet_id(Outlet("Example Times", (), "Example Media Group")) == first
    assert rows(store, "SELECT * FROM outlets") == [(1, "Example Times", "example.org", "Example Media Group")]


def test_lines_show_feeds_in_trouble_first(store: Store) -> None:
    subscribed(store, *(feed(f"https://feeds.example.org/{n}") for n in range(4)))
    with store.transaction():
        for feed_id, name in ((2, "failing"), (3, "gone"), (4, "paused")):
            store._connection.execute("UPDATE feeds SET state = ? WHERE id = ?", (name, feed_id))
    assert [line.state for line in store.feeds.lines()] == ["gone", "failing", "ok", "paused"]


def test_poll_is_written_in_numbers_and_words(store: Store) -> None:
    subscribed(store, feed())
    outcome = PollOutcome(FEED, "ok", 200, 3, 1, 26, 4096, 80, "3 new", NOW + HOUR, NOW)
    with store.transaction():
        store.polls.keep(1, outcome, skipped=2)
        store.polls.keep(1, replace(outcome, outcome="failed", status=None, next_poll_at=None))
    columns = "outcome, status, new, revised, unchanged, skipped, bytes, ms, why, started_at, next_poll_at"
    assert rows(store, f"SELECT {columns} FROM polls") == [
        ("ok", 200, 3, 1, 26, 2, 4096, 80, "3 new", "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"),
        ("failed", None, 3, 1, 26, 0, 4096, 80, "3 new", "2026-03-02T09:00:00Z", None),
    ]


# --- topics ---------------------------------------------------------------------------------------------------

BARRAGE = TopicProfile("barrage", "The river barrage", (Term("barrage", 1.0, "name"),), Rules(), 0.3, None, "h1")


def match(score: float, **changes: Any) -> Match:
    seen = (Evidence("barrage", "title", 1, score, ((12, 19),)),)
    made = Match("https://example.org/news/bridge", "barrage", score, score >= 0.3, seen, "h1")
    return replace(made, **changes)


def test_subscribing_topics_tells_which_the_archive_waits_to_be_judged_on(store: Store) -> None:
    weir = replace(BARRAGE, slug="weir")

    def subscribed_then_judged(*profiles: TopicProfile) -> tuple[str, ...]:
        with store.transaction():
            waiting = store.topics.subscribe(profiles)
            store.topics.judged(waiting, 0)
        return waiting

    assert subscribed_then_judged(BARRAGE, weir) == ("barrage", "weir")
    assert subscribed_then_judged(BARRAGE, weir) == ()
    assert subscribed_then_judged(replace(BARRAGE, title="Barrage"), replace(weir, profile_hash="h2")) == ("weir",)
    assert subscribed_then_judged(weir) == ("weir",)
    assert rows(store, "SELECT slug, title, active FROM topics ORDER BY slug") == [
        ("barrage", "Barrage", 0),
        ("weir", "The river barrage", 1),
    ]
    assert subscribed_then_judged(replace(BARRAGE, title="Barrage"), weir) == ("barrage",), "it was away"


def test_how_far_the_archive_is_judged_outlives_a_restart(path: Path) -> None:
    with Store.open(path) as store:
        for name in ("bridge", "tunnel", "harbour"):
            kept(store, name)
        with store.transaction():
            assert store.topics.subscribe([BARRAGE]) == ("barrage",)
            store.topics.judged(["barrage"], 2)
    with Store.open(path) as store, store.transaction():
        assert store.topics.subscribe([BARRAGE]) == ("barrage",)
        assert store.topics.waiting() == {"barrage": (2, 3)}
        store.topics.subscribe([replace(BARRAGE, profile_hash="h2")])
        assert store.topics.waiting() == {"barrage": (0, 3)}, "another profile begins anew"
        store.topics.judged(["barrage"], 3)
        assert store.topics.waiting() == {}


def test_tag_is_replaced_by_a_later_verdict(store: Store) -> None:
    kept(store, "bridge")
    with store.transaction():
        store.topics.subscribe([BARRAGE])
        store.topics.tag(1, NOW, [match(0.2)])
        store.topics.tag(1, NOW, [match(0.5, profile_hash="h2", why="so they said", decided_by="person")])
    tag = store.topics.tags("barrage", [1, 2])[1]
    assert (tag.score, tag.on_topic, tag.profile_hash) == (0.5, True, "h2")
    assert (tag.decided_by, tag.why) == ("person", "so they said")
    assert rows(store, "SELECT count(*), evidence FROM article_topics") == [
        (1, '[{"term":"barrage","field":"title","count":1,"points":0.5,"spans":[[12,19]]}]')
    ]
    with store.transaction():
        store.topics.untag(1, ["barrage", "weir"])
    assert store.topics.tags("barrage", [1]) == {}


def test_a_stored_profile_is_read_back_as_it_was_configured(store: Store) -> None:
    profile = replace(
        BARRAGE,
        terms=(Term("barrage", 1.0, "name", ("weir", "dam")), Term("tide", 0.2)),
        rules=Rules(none=("carnival",)),
    )
    with store.transaction():
        store.topics.subscribe([profile])
    assert store.topics.stored("barrage") == profile
    assert store.topics.stored("weir") is None


# --- stories --------------------------------------------------------------------------------------------------


def counts(store: Store, story_id: int = 1) -> tuple[Any, ...]:
    columns = "article_count, outlet_count, family_count"
    return rows(store, f"SELECT {columns} FROM stories WHERE id = ?", story_id)[0]


def placed(store: Store, article_id: int, placement: Placement, hours: int = 0) -> int:
    with store.transaction():
        return store.stories.place(article_id, "Bridge opened", NOW + hours * HOUR, placement)


def test_story_counts_articles_outlets_and_families(store: Store) -> None:
    for name, outlet in (("a", TIMES), ("b", TIMES), ("c", POST), ("d", ECHO)):
        kept(store, name, outlet=outlet)
    story_id = placed(store, 1, Placement(None, 1.0))
    for article_id in (2, 3, 4):
        placed(store, article_id, Placement(story_id, 0.5))
    assert counts(store) == (4, 3, 2)
    story = store.stories.get(story_id)
    assert story is not None
    assert story.article_urls == tuple(f"https://example.org/news/{name}" for name in "abcd")


def test_copy_counts_for_the_family_of_who_ran_it_first(store: Store) -> None:
    """Three papers that print one wire story are one newsroom."""
    wire = Outlet("Wire", ("wire.example",), "Wire")
    for name, outlet in (("a", wire), ("b", TIMES), ("c", ECHO)):
        kept(store, name, outlet=outlet)
    placed(store, 1, Placement(None, 1.0))
    placed(store, 2, Placement(1, 1.0, copy_of=1))
    placed(store, 3, Placement(1, 1.0, copy_of=1))
    assert counts(store) == (3, 3, 1)
    assert rows(store, "SELECT id, copy_of FROM articles") == [(1, None), (2, 1), (3, 1)]


def test_story_spans_the_publication_of_its_articles(store: Store) -> None:
    kept(store, "a", published_at=NOW)
    kept(store, "b", published_at=NOW - 3 * HOUR)
    kept(store, "c", published_at=None, first_seen_at=NOW + HOUR)
    placed(store, 1, Placement(None, 1.0))
    placed(store, 2, Placement(1, 0.4))
    placed(store, 3, Placement(1, 0.4))
    story = store.stories.get(1)
    assert story is not None
    assert (story.first_at, story.last_at) == (NOW - 3 * HOUR, NOW + HOUR)
    assert store.stories.get(99) is None


def test_stories_that_become_one_keep_the_older_number_and_say_where_the_other_went(store: Store) -> None:
    kept(store, "a", "b", "c", "d")
    for article_id in (1, 2, 3):
        placed(store, article_id, Placement(None, 1.0))
    assert placed(store, 4, Placement(2, 0.4, absorbs=(1,))) == 1
    assert counts(store) == (3, 1, 1)
    assert rows(store, "SELECT id FROM stories ORDER BY id") == [(1,), (3,)]
    kept(store, "e")
    assert placed(store, 5, Placement(3, 0.4, absorbs=(1,))) == 1
    assert rows(store, "SELECT story, into_id FROM story_merges ORDER BY story") == [(2, 1), (3, 1)]


def test_an_article_that_moves_is_counted_where_it_went(store: Store) -> None:
    for name, outlet in (("a", TIMES), ("b", POST), ("c", ECHO)):
        kept(store, name, outlet=outlet)
    placed(store, 1, Placement(None, 1.0))
    placed(store, 2, Placement(1, 0.4))
    placed(store, 3, Placement(None, 1.0))
    kept(store, "d", outlet=ECHO)
    placed(store, 4, Placement(2, 0.4, takes=(2,)))
    assert (counts(store, 1), counts(store, 2)) == ((1, 1, 1), (3, 2, 2))
    kept(store, "e")
    placed(store, 5, Placement(2, 0.4, takes=(1,)))
    assert rows(store, "SELECT story, into_id FROM story_merges") == [(1, 2)]
    assert counts(store, 2) == (5, 3, 2)


def test_copies_of_an_original_that_is_seen_late_point_to_it(store: Store) -> None:
    for name, outlet in (("a", TIMES), ("b", POST), ("c", ECHO)):
        kept(store, name, outlet=outlet)
    placed(store, 1, Placement(None, 1.0))
    placed(store, 2, Placement(1, 1.0, copy_of=1))
    placed(store, 3, Placement(1, 1.0, original_of=1))
    assert rows(store, "SELECT id, copy_of FROM articles ORDER BY id") == [(1, 3), (2, 3), (3, None)]
    assert counts(store) == (3, 3, 1)


# --- copies of the database -----------------------------------------------------------------------------------


def test_copy_is_consistent_while_somebody_writes(store: Store, tmp_path: Path) -> None:
    for start in range(0, 300, 100):
        kept(store, *(f"note-{n}" for n in range(start, start + 100)), text="word " * 5000)
    stop = threading.Event()
    finished: list[int] = []

    def copy() -> None:
        with Store.read(store.path) as reader:
            reader.copy_to(tmp_path / "copy.db")
        finished.append(1)
        stop.set()

    thread = threading.Thread(target=copy)
    thread.start()
    written = 0
    while not stop.is_set() and written < 500:
        kept(store, f"late-{written}")
        written += 1
        time.sleep(0.002)
    thread.join(20)
    assert finished == [1]
    copied = tmp_path / "copy.db"
    assert rows(copied, "PRAGMA integrity_check") == [("ok",)]
    articles, texts, wordings = (
        rows(copied, f"SELECT count(*) FROM {table}")[0][0] for table in ("articles", "article_texts", "revisions")
    )
    assert articles == texts == wordings
    assert articles >= 300


def test_copy_opens_as_a_database_of_its_own(store: Store, tmp_path: Path) -> None:
    kept(store, "bridge")
    store.copy_to(tmp_path / "copy.db")
    with Store.open(tmp_path / "copy.db") as copy:
        assert copy.articles.find("1") == store.articles.find("1")


def test_copy_to_nowhere_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened for writing"):
        store.copy_to(tmp_path / "nowhere" / "copy.db")


# --- numbers -------------------------------------------------------------------------------------------------


def test_totals_of_an_empty_database_are_nothing(store: Store) -> None:
    totals = store.numbers.totals(NOW)
    assert (totals.feeds, totals.articles, totals.stories, totals.topics, totals.last_ok_at) == (0, 0, 0, (), None)


def test_totals_count_what_is_there(store: Store) -> None:
    subscribed(store, feed(), feed(LOCAL))
    kept(store, "bridge", "tunnel")
    placed(store, 1, Placement(None, 1.0))
    placed(store, 2, Placement(1, 1.0, copy_of=1))
    totals = store.numbers.totals(NOW)
    assert (totals.feeds, totals.late, totals.articles, totals.articles_24h) == (2, 0, 2, 2)
    assert (totals.stories, totals.shared_stories, totals.copies, totals.edits) == (1, 0, 1, 0)
    assert store.numbers.totals(NOW + 25 * HOUR).late == 2
