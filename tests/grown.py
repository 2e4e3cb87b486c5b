"""A small archive with everything in it: two outlets, an edit, a wire copy, stories, tags, a label, a correction.

Made once a process by the program itself, and copied for each test.
"""

from __future__ import annotations

import functools
import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlite_utils
from click.testing import CliRunner, Result

from pipeline.cli import main
from pipeline.store import FEEDBACK, Store
from pipeline.store.migrations import migrations
from pipeline.store.names import NAME, names_of

ROOT = Path(__file__).parents[1]

WIRE = " ".join(
    f"The council of Kelvaig voted on Monday to close the harbour gate number {n} for repairs until the spring, said"
    f" clerk {name}, who counted the boats that will have to leave."
    for n, name in enumerate(("Una Marsh", "Tom Reed", "Ada Finch", "Joan Pell", "Sid Crow"), 1)
)


def newsbeat(place: Path, *words: str | Path, given: bytes | None = None) -> Result:
    """`newsbeat WORDS` in this process, on the configuration and the database in `place`."""
    options = ["--config", str(place / "config"), "--db", str(place / "news.db")]
    return CliRunner().invoke(main, [*options, *map(str, words)], input=given)


def configured(place: Path) -> Path:
    """A configuration without feeds, with the topic that comes with Newsbeat."""
    topic = (ROOT / "config" / "topics" / "tiktok-us-sale.toml").read_text(encoding="utf-8")
    (place / "config" / "topics").mkdir(parents=True)
    (place / "config" / "newsbeat.toml").write_text("")
    (place / "config" / "feeds.toml").write_text("")
    (place / "config" / "topics" / "tiktok-us-sale.toml").write_text(topic, encoding="utf-8")
    return place


MATTERS = (
    ("Bridge opens after two years", "The bridge over the Marn was opened on Monday after two years of work."),
    ("Drawbridge stays up at night", "The drawbridge of Kelvaig stays up at night, since the Marn is high."),
    ("Violins stolen from orchestra bus", "Eleven violins were stolen from the bus of the youth orchestra in Tarn."),
    ("Beekeepers count fewer hives", "Beekeepers in the hill villages counted a third fewer hives than last year."),
    ("Museum finds lost map in a drawer", "A map of the islands drawn in 1703 lay in a drawer of the museum."),
    ("Striking bakers return to ovens", "Bakers ended a strike of nine days and went back to their ovens."),
    ("Chess club wins national final", "The chess club of a fishing port beat the capital in the national final."),
    ("Old cinema becomes a library", "The cinema on Weir Street, empty since 1998, becomes a library."),
)


def line(number: int, **changes: Any) -> dict[str, Any]:
    """An article as a line of an import holds it."""
    title, text = MATTERS[(number - 1) % len(MATTERS)]
    return {
        "id": number,
        "title": title,
        "text": text,
        "url": f"https://times.example/news/{number}",
        "published_at": f"2020-12-{number % 20 + 1:02}T10:00:00Z",
        "lang": "en",
        "outlet": "Example Times",
        **changes,
    }


LINES = (
    *(line(number) for number in range(1, 9)),
    line(20, title="ByteDance nears deal to sell TikTok in the US", published_at="2020-12-05T10:00:00Z"),
    line(21, title="Harbour gates close until spring", text=WIRE, published_at="2020-12-06T08:00:00Z"),
    line(22, title="Gates of the harbour to close", text=WIRE, published_at="2020-12-06T09:00:00Z",
         url="https://echo.example/22", outlet="Coast Echo"),
    line(23, title="TikTok videos of a goat are popular", text="A goat dances.", published_at="2020-12-07T09:00:00Z"),
)  # fmt: skip


@functools.cache
def _made() -> Path:
    place = configured(Path(tempfile.mkdtemp(prefix="newsbeat-grown-")))
    file = place / "archive.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in LINES), encoding="utf-8")
    assert newsbeat(place, "import", file).exit_code == 0
    again = line(
        3, title="Violins stolen from theatre bus", text="Nine violins were stolen from a bus in Tarn, it says."
    )
    file.write_text(json.dumps(again) + "\n", encoding="utf-8")
    assert "1 revised" in newsbeat(place, "import", file).stdout
    with Store.open(place / "news.db") as store:
        said_at = datetime(2020, 12, 8, tzinfo=UTC)
        (film,) = store.articles.get([12])
        store.feedback.say(12, film.url, "tiktok-us-sale", True, "ada", said_at)
        one, other = store.articles.get([1, 2])
        store.corrections.merge([(1, one.url), (2, other.url)], "ada", said_at)
    assert newsbeat(place, "retag").exit_code == 0
    return place


def grown(place: Path) -> Path:
    """`place`, with configuration, news.db and feedback.db in it."""
    source = _made()
    shutil.copytree(source / "config", place / "config")
    for name in ("news.db", FEEDBACK):
        with sqlite3.connect(source / name) as there, sqlite3.connect(place / name) as here:
            there.backup(here)
        there.close()
        here.close()
    return place


def older(file: Path, stop_before: str) -> None:
    """An archive of one article as an older Newsbeat left it: by the migrations before this one."""
    db = sqlite_utils.Database(file)
    migrations.apply(db, stop_before=stop_before)
    at = "2020-12-05T10:00:00Z"
    for statement in (
        "INSERT INTO outlets VALUES (1, 'Example Times', 'times.example', 'Example Times')",
        "INSERT INTO feeds (id, url, current_url, outlet_id, added_at, next_poll_at)"
        f" VALUES (1, 'https://times.example/f', 'https://times.example/f', 1, '{at}', '{at}')",
        "INSERT INTO articles (id, url, outlet_id, title, first_seen_at, text_from, text_hash)"
        f" VALUES (1, 'https://times.example/1', 1, 'An old bridge', '{at}', 'title', 'x')",
        "INSERT INTO article_texts VALUES (1, 'It is old.')",
        "INSERT INTO articles_fts (rowid, title, summary, text) SELECT id, title, summary, text FROM article_words",
        "INSERT INTO revisions (article_id, n, seen_at, title, text_hash, kind)"
        f" VALUES (1, 1, '{at}', 'An old bridge', 'x', 'first')",
        "INSERT INTO entries (feed_id, guid, article_id, link, raw_hash, first_seen_at, last_seen_at)"
        f" VALUES (1, 'g', 1, 'https://times.example/1', 'x', '{at}', '{at}')",
        f"INSERT INTO stories VALUES (1, 'An old bridge', '{at}', '{at}', 1, 1, 1)",
        "INSERT INTO story_articles VALUES (1, 1, 1.0)",
    ):
        db.conn.execute(statement)
    if "article_names" in db.table_names():
        db.conn.executemany(NAME, names_of(1, "https://times.example/1", "An old bridge"))
    db.conn.commit()
    db.close()


def everything(file: Path) -> str:
    """A whole database as text."""
    with closing(sqlite3.connect(file)) as db:
        return "\n".join(db.iterdump())
