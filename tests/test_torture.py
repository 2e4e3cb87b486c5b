"""A little of `./run torture`: kills inside commits, power cuts, and what the disk says in words."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import NOW, article
from torture import power, state
from torture.drive import Run
from torture.world import World, invented, world

from pipeline import service
from pipeline.errors import StoreError
from pipeline.model import Outlet
from pipeline.store import Store
from pipeline.store.feedback import told
from pipeline.store.verify import verify


async def _undisturbed(made: World, place: Path, db: Path) -> None:
    """The same world in this process, step by step."""
    made.rewind()
    async with service.opened(place / "config", db, what="a test", now=made.clock, draw=lambda: 0.0) as running:
        for moment in made.script.moments:
            made.moment = made.clock.at = moment
            await running.once()


def test_a_service_killed_inside_its_commits_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    deaths = (["statement", 500], ["commit", 7, 0.5])
    with world(invented(6), tmp_path) as made:
        run = Run(made, tmp_path, tmp_path / "killed.db", log=tmp_path / "log")
        for die in deaths:
            run.start(die=die)
            run.advance(time.monotonic() + 60)
            assert run.process is not None
            assert run.process.wait(60) == -signal.SIGKILL, run.log.read_text()
            assert state.faults(run.db, made.clock()) == []
        run.to_the_end()
        assert state.faults(run.db, made.clock()) == []
        asyncio.run(_undisturbed(made, tmp_path, tmp_path / "undisturbed.db"))
    assert state.differences(state.read(tmp_path / "undisturbed.db"), state.read(run.db)) == []
    assert state.read(run.db)["articles"].total() > 50


def test_two_databases_that_differ_are_told_apart(tmp_path: Path) -> None:
    """So that the comparison above can fail."""
    with world(invented(3), tmp_path) as made:
        asyncio.run(_undisturbed(made, tmp_path, tmp_path / "news.db"))
    before = state.read(tmp_path / "news.db")
    with sqlite3.connect(tmp_path / "news.db") as rows:
        rows.execute("UPDATE articles SET title = 'Other' WHERE id = 1")
        rows.execute("DELETE FROM entries WHERE article_id = 2")
    said = state.differences(before, state.read(tmp_path / "news.db"))
    assert [words.split(",")[0] for words in said] == [
        "articles: 1 missing", "articles: 1 too much", "entries: 1 missing", "last seen: 1 missing",
    ]  # fmt: skip
    assert state.faults(tmp_path / "news.db", made.clock())


def test_a_log_that_lost_its_end_leaves_a_sound_database_of_a_moment_before(tmp_path: Path) -> None:
    """What a power cut may leave: see docs/design.md, "What is one transaction?"."""
    draw = random.Random(7)
    with Store.open(tmp_path / "news.db") as store:
        for number in range(40):
            with store.transaction():
                outlet = store.feeds.outlet_id(Outlet("Example Times", (), "Example"))
                for part in range(3):
                    store.articles.add(article(f"{number}-{part}"), outlet)
        files = {end: (tmp_path / f"news.db{end}").read_bytes() for end in ("", "-wal")}
    seen = set()
    for number in range(25):
        db = tmp_path / f"cut{number}.db"
        for end, content in files.items():
            db.with_name(db.name + end).write_bytes(content)
        used = len(files["-wal"])
        power.harm(power.Copy(db, power.HEADER if number % 2 else used // 2, used), draw)
        try:
            with Store.open(db) as cut:
                count = cut.connection.execute("SELECT count(*) FROM articles").fetchone()[0]
                laws = {finding.name for finding in verify(cut, NOW + timedelta(days=1)).findings}
        except StoreError as error:
            raise AssertionError(error) from None
        assert count % 3 == 0, "a transaction is there whole, or not at all"
        assert not laws & {"damaged", "sqlite-index", "foreign-keys", "text", "first-wording"}
        seen.add(count)
    assert len(seen) > 3


FULL = sqlite3.OperationalError("database or disk is full")
LIMIT = sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize(("error", "said"), [(FULL, "the disk is full"), (LIMIT, "the disk refuses (disk I/O error)")])
def test_a_disk_that_refuses_is_said_in_words(error: Exception, said: str, tmp_path: Path) -> None:
    with Store.open(tmp_path / "news.db") as store:
        with pytest.raises(StoreError) as caught, store.transaction():
            raise error
        assert said in str(caught.value)
        assert "Nothing of this step was kept" in str(caught.value)


@pytest.mark.parametrize("error", [FULL, LIMIT])
def test_nobody_is_told_to_move_their_labels_away_for_a_full_disk(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught, told(tmp_path / "feedback.db"):
        raise error
    assert "the disk is full, or failing" in str(caught.value)
    assert "move the file away" not in str(caught.value)
