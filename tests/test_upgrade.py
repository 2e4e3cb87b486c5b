"""From an older Newsbeat: a copy is kept, every step is taken, and what was there is there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from grown import configured, everything, newsbeat, older

from pipeline.errors import StoreError
from pipeline.store import Store
from pipeline.store.migrations import migrations
from pipeline.store.store import schema

STEPS = [migration.name for migration in migrations._migrations]


@pytest.mark.parametrize("first_unknown", STEPS[3:])
def test_an_older_database_is_brought_up_to_date_and_its_copy_kept(tmp_path: Path, first_unknown: str) -> None:
    place = configured(tmp_path)
    older(place / "news.db", first_unknown)
    before = everything(place / "news.db")
    Store.open(place / "news.db").close()
    (copy,) = place.glob("news.before-upgrade-*.db")
    assert everything(copy) == before
    assert newsbeat(place, "verify").stdout.endswith("clean.\n")
    with closing(sqlite3.connect(place / "news.db")) as db:
        assert db.execute("SELECT title FROM articles").fetchall() == [("An old bridge",)]
        there = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'index')")}
    for line in schema().splitlines():
        words = line.split()
        if words[:2] in (["CREATE", "TABLE"], ["CREATE", "INDEX"]):
            assert words[2].strip('[]"(') in there, line


def test_a_new_database_and_one_that_is_up_to_date_need_no_copy(tmp_path: Path) -> None:
    Store.open(tmp_path / "news.db").close()
    Store.open(tmp_path / "news.db").close()
    assert not list(tmp_path.glob("*before-upgrade*"))


def test_without_room_for_the_copy_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older(tmp_path / "news.db", STEPS[-1])
    before = everything(tmp_path / "news.db")
    monkeypatch.setattr("pipeline.store.store.beside", lambda *_: tmp_path / "no such directory" / "copy.db")
    with pytest.raises(StoreError, match="Nothing was changed"):
        Store.open(tmp_path / "news.db")
    assert everything(tmp_path / "news.db") == before


def test_an_older_program_may_go_on_with_the_copy(tmp_path: Path) -> None:
    """The copy holds no step that the older program does not know."""
    older(tmp_path / "news.db", STEPS[-1])
    Store.open(tmp_path / "news.db").close()
    (copy,) = tmp_path.glob("news.before-upgrade-*.db")
    with closing(sqlite3.connect(copy)) as db:
        assert [row[0] for row in db.execute("SELECT name FROM _sqlite_migrations ORDER BY id")] == STEPS[:-1]
