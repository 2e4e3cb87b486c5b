"""An archive of any size, as if the service had run for months: `python tests/bench/archive.py FILE [ARTICLES]`.

Articles of invented words as common as English uses them, in stories of many sizes, with tags, copies, revisions, polls
and the story window's words. Rows go in by plain SQL: judging a million articles would take hours, and this takes
minutes. Deterministic.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline import judging, stories
from pipeline.store import Store
from pipeline.store.names import names_of
from pipeline.store.stories import Middle
from pipeline.times import stamp
from tests.bench import corpus

OUTLETS, FAMILIES, FEEDS, TOPICS = 300, 220, 500, 20
PER_DAY = 10_000
"""Articles a day: 500 busy feeds."""
ON_TOPIC = 0.015
COPIES = 0.04
EDITED = 0.05
POLLS = 200_000
BATCH = 10_000
SENTENCES = 20_000


def build(path: Path, articles: int, until: datetime, told: Callable[[int], None] = lambda _: None) -> None:
    """Fills a new database at `path` with `articles` articles, the last of them seen at `until`."""
    with Store.open(path, what="bench") as store:
        db = store._connection
        db.execute("PRAGMA foreign_keys = OFF")  # a generator's rows are consistent by construction
        draw = random.Random(7)
        pool = [corpus.sentence(draw, draw.randint(14, 30)) for _ in range(SENTENCES)]
        with store.transaction():
            _frame(db, until)
        first = until - timedelta(days=articles / PER_DAY)
        window = until - 2 * stories.WINDOW
        for start in range(1, articles + 1, BATCH):
            ids = range(start, min(start + BATCH, articles + 1))
            with store.transaction():
                _articles(store, ids, first, window, draw, pool)
                store.articles.index(ids)
            told(ids[-1])
        with store.transaction():
            _stories(db)
            _centres(store)
        db.execute("INSERT INTO articles_fts (articles_fts) VALUES ('optimize')")
        db.execute("ANALYZE")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _frame(db: sqlite3.Connection, until: datetime) -> None:
    """Outlets, feeds, topics and polls."""
    db.executemany(
        "INSERT INTO outlets (id, name, domain, family) VALUES (?, ?, ?, ?)",
        ((n, f"Outlet {n}", f"outlet{n}.example", f"Family {n % FAMILIES}") for n in range(1, OUTLETS + 1)),
    )
    db.executemany(
        "INSERT INTO feeds (id, url, title, outlet_id, current_url, next_poll_at, added_at, last_ok_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (n, url := f"https://outlet{1 + n % OUTLETS}.example/feed/{n}", f"Feed {n}", 1 + n % OUTLETS, url,
             stamp(until + timedelta(days=3650)), stamp(until), stamp(until))
            for n in range(1, FEEDS + 1)
        ),
    )  # fmt: skip
    db.executemany(
        "INSERT INTO topics (slug, title, profile_hash, threshold, profile) VALUES (?, ?, 'x', 0.2, '{}')",
        ((f"archive-{n}", f"Archive topic {n}") for n in range(TOPICS)),
    )
    outcomes = ("not_modified",) * 7 + ("ok",) * 2 + ("failed",)
    db.executemany(
        "INSERT INTO polls (feed_id, started_at, outcome, status, new, ms) VALUES (?, ?, ?, 200, 1, 80)",
        (
            (1 + n % FEEDS, stamp(until - timedelta(minutes=30 * (POLLS - n) / FEEDS)), outcomes[n % 10])
            for n in range(POLLS)
        ),
    )


def _articles(
    store: Store, ids: range, first: datetime, window: datetime, draw: random.Random, pool: list[str]
) -> None:
    rows, texts, names, known, wordings, tags = [], [], [], [], [], []
    for number in ids:
        at = first + timedelta(days=number / PER_DAY)
        said = [draw.choice(pool) for _ in range(5)]
        title, summary, text = said[0][:80].rstrip("."), said[1], " ".join(said[1:])
        outlet = draw.randint(1, OUTLETS)
        url = f"https://outlet{outlet}.example/news/{number}"
        moment = stamp(at)
        edits = 2 if draw.random() < EDITED else 1
        copy_of = number - draw.randint(1, 400) if number > 400 and draw.random() < COPIES else None
        rows.append(
            (number, url, outlet, title, summary, "en", moment, moment, "content", copy_of, f"{number:x}", edits)
        )
        texts.append((number, text))
        names.append((1 + outlet % FEEDS, url, number, url, f"{number:x}", moment, moment))
        known += names_of(number, url, title)
        wordings += [(number, n, moment, title, summary, f"{number:x}", "first" if n == 1 else "headline")
                     for n in range(1, edits + 1)]  # fmt: skip
        if draw.random() < ON_TOPIC * 2:
            on = draw.random() < 0.5
            evidence = json.dumps([{"term": "word", "field": "title", "count": 1, "points": 0.3, "spans": [[0, 4]]}])
            slug = f"archive-{draw.randrange(TOPICS)}"
            tags.append((number, slug, 0.4 if on else 0.15, int(on), evidence, "x", moment))
        if at >= window:
            own = stories.fingerprint(stories.words(title, text), {}, 0)
            store.stories.remember(number, at, stories.telling_words(own), stories.packed(own))
            store.stories.count_in(at)
    for table, columns, values in (
        ("articles", "id, url, outlet_id, title, summary, lang, published_at, first_seen_at, text_from, copy_of,"
                     " text_hash, revision_count", rows),
        ("article_texts", "article_id, text", texts),
        ("entries", "feed_id, guid, article_id, link, raw_hash, first_seen_at, last_seen_at", names),
        ("article_names", "name, article_id", known),
        ("revisions", "article_id, n, seen_at, title, summary, text_hash, kind", wordings),
        ("article_topics", "article_id, topic, score, on_topic, evidence, profile_hash, published_at", tags),
    ):  # fmt: skip
        marks = ", ".join("?" * (columns.count(",") + 1))
        store._connection.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", values)


def _stories(db: sqlite3.Connection) -> None:
    """Stories of neighbouring articles: most hold one, a few hold dozens."""
    (count,) = db.execute("SELECT count(*) FROM articles").fetchone()

    def grouped() -> Iterator[tuple[int, int]]:
        draw, number, story = random.Random(11), 1, 0
        while number <= count:
            story += 1
            size = 1 if draw.random() < 0.8 else min(60, int(draw.paretovariate(1.1)) + 1)
            for _ in range(min(size, count - number + 1)):
                yield story, number
                number += 1

    pairs = list(grouped())
    db.execute("CREATE TEMP TABLE grouped (story INTEGER, article INTEGER)")
    db.executemany("INSERT INTO grouped VALUES (?, ?)", pairs)
    db.execute(
        "INSERT INTO stories (id, title, first_at, last_at, article_count, outlet_count, family_count)"
        " SELECT g.story, min(a.title), min(a.published_at), max(a.published_at), count(*),"
        " count(DISTINCT a.outlet_id), count(DISTINCT o.family)"
        " FROM grouped g JOIN articles a ON a.id = g.article JOIN outlets o ON o.id = a.outlet_id GROUP BY g.story"
    )
    db.execute("INSERT INTO story_articles (story_id, article_id, similarity) SELECT story, article, 0.5 FROM grouped")
    db.execute("DROP TABLE grouped")


def _centres(store: Store) -> None:
    """What the stories of the window say, as the service would have kept it when their reports came."""
    rows = store._connection.execute(
        "SELECT DISTINCT s.story_id FROM story_prints p JOIN story_articles s ON s.article_id = p.article_id"
    ).fetchall()
    for (story_id,) in rows:
        near = store.stories.neighbours(store.stories.members(story_id))
        if centre := stories.gathered([judging._candidate(one) for one in near]):
            packed = stories.packed(centre.sum)
            middle = Middle(centre.count, packed, centre.first_at, centre.last_at, centre.central_id, None)
            store.stories.keep_middle(story_id, middle)


if __name__ == "__main__":
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    build(
        Path(sys.argv[1]), wanted, corpus.START,
        lambda done: print(f"\r{done:,} of {wanted:,} articles", end="", file=sys.stderr, flush=True),
    )  # fmt: skip
    print(file=sys.stderr)
