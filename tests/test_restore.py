"""`backup` and `restore`: what comes back is what was there; what cannot be put in place changes nothing."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from grown import everything, grown, line, newsbeat, older

from pipeline.store import FEEDBACK, Store


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An archive with a backup in `back/`, to which one article was added since."""
    place = grown(tmp_path)
    (place / "back").mkdir()
    assert newsbeat(place, "backup", place / "back" / "monday.db").exit_code == 0
    (place / "more.jsonl").write_text(json.dumps(line(70, title="A heron in the court")) + "\n")
    assert newsbeat(place, "import", place / "more.jsonl").exit_code == 0
    return place


def state(place: Path) -> dict[str, str]:
    """Every database in the place, as text by name."""
    return {file.name: everything(file) for file in sorted(place.glob("*.db"))}


def monday(place: Path) -> Path:
    return place / "back" / "monday.db"


def test_what_comes_back_is_what_was_there_and_the_old_one_lies_beside(place: Path) -> None:
    before = everything(place / "news.db")
    ran = newsbeat(place, "restore", monday(place))
    assert ran.exit_code == 0, ran.stderr
    assert "12 articles, the newest of" in ran.stdout
    assert everything(place / "news.db") == everything(monday(place))
    (old,) = (file for file in place.glob("news.before-restore-*.db") if "feedback" not in file.name)
    assert everything(old) == before
    assert str(old) in ran.stdout
    assert newsbeat(place, "verify").exit_code == 0
    assert not list(place.glob("*restoring*"))
    again = json.loads(newsbeat(place, "restore", old, "--json").stdout)
    assert again["articles"] == 13
    assert everything(place / "news.db") == before


def test_a_database_that_is_lost_or_broken_comes_back(place: Path) -> None:
    (place / "news.db").write_bytes(b"no database at all, " * 300)
    (place / FEEDBACK).write_bytes(b"nor this one, " * 300)
    assert newsbeat(place, "restore", monday(place)).exit_code == 0
    assert newsbeat(place, "verify").exit_code == 0
    assert everything(place / FEEDBACK) == everything(place / "back" / f"monday.{FEEDBACK}")
    for file in (place / "news.db", place / FEEDBACK):
        file.unlink()
    assert newsbeat(place, "restore", monday(place)).exit_code == 0
    assert newsbeat(place, "verify").exit_code == 0


def test_what_was_said_since_is_not_lost_without_a_word(place: Path) -> None:
    newsbeat(place, "topic", "label", "tiktok-us-sale", "1", "on")
    before = state(place)
    ran = newsbeat(place, "restore", monday(place))
    assert ran.exit_code == 2
    assert "1 words were said" in ran.stderr
    assert "--labels present" in ran.stderr
    assert state(place) == before
    said = everything(place / FEEDBACK)
    assert newsbeat(place, "restore", monday(place), "--labels", "present").exit_code == 0
    assert everything(place / FEEDBACK) == said
    assert newsbeat(place, "restore", monday(place), "--labels", "backup").exit_code == 0
    assert everything(place / FEEDBACK) == everything(place / "back" / f"monday.{FEEDBACK}")
    assert any(everything(file) == said for file in place.glob("*before-restore-*.feedback.db"))


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('newsbeat', 'm9999', 'x')")
        db.commit()


def foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE recipes (id INTEGER)")


def notes(file: Path) -> None:
    file.write_bytes(b"these are my notes, " * 300)


def torn(file: Path) -> None:
    with file.open("r+b") as open_:
        size = open_.seek(0, 2)
        for at in range(8 * 4096, size, 4096):
            open_.seek(at)
            open_.write(b"\xff" * 4096)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 20 * 4096 + 100])


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (newer, 2, "made by a newer Newsbeat"),
        (foreign, 1, "another program's database"),
        (notes, 1, "not an intact SQLite database"),
        (torn, 1, "monday.db"),
        (cut, 1, "monday.db"),
        (Path.unlink, 2, "there is no such file"),
    ],
)
def test_a_backup_that_is_none_is_refused_and_changes_nothing(
    place: Path, spoil: Callable[[Path], None], code: int, said: str
) -> None:
    spoil(monday(place))
    before = state(place)
    ran = newsbeat(place, "restore", monday(place))
    assert (ran.exit_code, said in ran.stderr) == (code, True), ran.output
    assert "Traceback" not in ran.output
    assert state(place) == before


def test_while_somebody_holds_or_reads_the_database_it_is_left_alone(place: Path) -> None:
    before = everything(place / "news.db")
    with Store.open(place / "news.db", what="newsbeat run"):
        ran = newsbeat(place, "restore", monday(place))
        assert (ran.exit_code, "is in use by newsbeat run" in ran.stderr) == (1, True)
    with Store.read(place / "news.db") as reader:
        reader.articles.newest_at()
        ran = newsbeat(place, "restore", monday(place))
        assert (ran.exit_code, "somebody has it open" in ran.stderr) == (1, True)
    assert everything(place / "news.db") == before
    assert newsbeat(place, "restore", monday(place)).exit_code == 0


def test_a_backup_of_an_older_newsbeat_is_brought_up_to_date(place: Path) -> None:
    monday(place).unlink()
    older(monday(place), "m0005_exceptions_and_wishes")
    assert newsbeat(place, "restore", monday(place), "--labels", "present").exit_code == 0
    with Store.read(place / "news.db") as store:
        assert [one.title for one in store.articles.all()] == ["An old bridge"]
    assert not list(place.glob("*before-upgrade*")), "the backup itself is the copy"


def test_a_backup_is_one_file_and_reading_it_leaves_no_other(place: Path) -> None:
    newsbeat(place, "restore", monday(place))
    assert sorted(file.name for file in (place / "back").iterdir()) == ["monday.db", f"monday.{FEEDBACK}"]


def test_a_backup_in_a_directory_bears_the_moment_and_one_that_is_there_is_kept(place: Path) -> None:
    ran = newsbeat(place, "backup", place / "back")
    (made,) = (place / "back").glob("news-*Z.db")
    assert str(made) in ran.stdout
    before = made.read_bytes()
    ran = newsbeat(place, "backup", made)
    assert ran.exit_code == 2
    assert made.read_bytes() == before


def test_a_backup_ends_although_somebody_writes_all_the_time(place: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(place / "news.db", isolation_level=None, timeout=20)) as db:
            while not stop.is_set():
                db.execute("UPDATE topics SET seed = coalesce(seed, '') || 'x'")

    writer = threading.Thread(target=write)
    writer.start()
    left: list[int] = []
    try:
        with Store.read(place / "news.db") as store:
            store.copy_to(place / "back" / "busy.db", lambda some, _: left.append(some), pages=4)
    finally:
        stop.set()
        writer.join()
    assert left == sorted(left, reverse=True), "it began anew"
    assert len(left) > 5


def test_where_a_file_can_have_one_name_only_the_old_one_is_copied(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    before = everything(place / "news.db")
    assert newsbeat(place, "restore", monday(place)).exit_code == 0
    (old,) = (file for file in place.glob("news.before-restore-*.db") if "feedback" not in file.name)
    assert everything(old) == before
