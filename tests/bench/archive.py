"""An archive of any size, as if the service had run for months: `python tests/bench/archive.py FILE [ARTICLES]`.

Words as common as English uses them, and for each story names that only it has and words that its reports tell it with;
stories of one report up to some thousand that overlap in time; a few outlets with much and many with little; copies,
agencies, edits, tags with their evidence, near misses, polls, feeds in trouble. Rows go in by plain SQL: judging a
million articles would take an hour, and this takes minutes. Only copies and stories of the last six days, all that a
window remembers, are the judge's own. Nothing is optimised or analysed that the service leaves as it is. Deterministic;
`newsbeat verify` finds nothing amiss in it.
"""

from __future__ import annotations

import heapq
import json
import random
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline import judging, schedule, stories
from pipeline.judging import Desk
from pipeline.model import Article
from pipeline.store import Store
from pipeline.store.names import names_of
from pipeline.store.stories import COUNTED
from pipeline.times import from_stamp, stamp
from pipeline.urls import OutletBook
from tests.bench import corpus

OUTLETS, FAMILIES, FEEDS, TOPICS = 300, 220, 500, 20
PER_DAY = 10_000
"""Articles a day: 500 busy feeds."""
COPIES, EDITED, WIRED = 0.05, 0.05, 0.08
ALONE = 0.7
"""Of the stories, how many nobody else tells. The others have a Pareto tail."""
EVENT_EVERY, EVENT_DAYS = 100_000, 4
"""One event in so many articles is told a thousand times and more, over so many days."""
TOPICAL = 0.06
"""Of the stories, how many are of a topic."""
NEAR = 0.05
"""Of the other articles, how many come near one."""
POLL_EVERY, POLL_DAYS = timedelta(minutes=30), 30
BATCH, POLLED = 10_000, 10
COMMONEST, OWN = 2000, 12
"""How many of the commonest words are nobody's own, and how many a story has."""
SENTENCES = 50_000
AGENCIES = ("Reuters", "AP", "AFP", "dpa")
_SYLLABLES = "bar bel dor fen gal hin jor kal lum mar nor pel qua ros sel tam ulm ver wen xan yor zel".split()


@dataclass(slots=True)
class _Made:
    """What later articles depend on. Lists are by article, `story_names` by story; 0 is nobody's number."""

    draw: random.Random
    pool: list[str]
    story_of: list[int] = field(default_factory=lambda: [0])
    story_names: list[tuple[str, ...]] = field(default_factory=lambda: [()])
    story_topic: list[str | None] = field(default_factory=lambda: [None])
    due: list[tuple[float, int]] = field(default_factory=list)
    """A heap of reports to come: (article number, story)."""
    recent: dict[int, tuple[str, str, str, int, int]] = field(default_factory=dict)
    """Texts that may be copied: title, summary, text, outlet, story by article number."""


def build(path: Path, articles: int, until: datetime, told: Callable[[int], None] = lambda _: None) -> None:
    """Fills a new database at `path` with `articles` articles, the last of them seen at `until`."""
    with Store.open(path, what="bench") as store:
        db = store.connection
        db.execute("PRAGMA foreign_keys = OFF")  # a generator's rows are consistent by construction
        draw = random.Random(7)
        made = _Made(draw, [corpus.sentence(draw, draw.randint(10, 30)) for _ in range(SENTENCES)])
        first = until - timedelta(days=articles / PER_DAY)
        with store.transaction():
            _frame(db, first, until)
        _events(made, articles)
        window = until - 2 * stories.WINDOW
        desk = Desk(store, OutletBook(), {}, (), schedule.Pace())
        old = max(0, min(articles, int((window - first) / timedelta(days=1) * PER_DAY)))
        for ids in _batches(1, old, BATCH):
            with store.transaction():
                _articles(store, made, ids, first)
                store.articles.index(ids)
            told(ids[-1])
        with store.transaction():
            _stories(db)
        db.execute("PRAGMA foreign_keys = ON")  # a story that goes takes its centre along
        for ids in _batches(old + 1, articles, POLLED):
            with store.transaction():
                judging.take_in(_articles(store, made, ids, first, judged=True), desk)
            told(ids[-1])
        with store.transaction():
            db.execute(
                "UPDATE feeds SET last_new_at = (SELECT max(first_seen_at) FROM entries e WHERE e.feed_id = feeds.id)"
                " WHERE state = 'ok'"
            )
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _batches(first: int, last: int, size: int) -> Iterator[range]:
    return (range(start, min(start + size, last + 1)) for start in range(first, last + 1, size))


def _frame(db: sqlite3.Connection, first: datetime, until: datetime) -> None:
    """Outlets, feeds, topics and polls."""
    db.executemany(
        "INSERT INTO outlets (id, name, domain, family) VALUES (?, ?, ?, ?)",
        ((n, f"Outlet {n}", f"outlet{n}.example", f"Family {n % FAMILIES}") for n in range(1, OUTLETS + 1)),
    )
    trouble = {20: ("failing", "the server answers 503"), 60: ("gone", "the outlet says it is gone (410)")}
    db.executemany(
        "INSERT INTO feeds (id, url, title, outlet_id, current_url, next_poll_at, added_at, last_ok_at, last_polled_at,"
        " state, failures, last_error, last_error_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (n, url := f"https://outlet{_outlet_of(n)}.example/feed/{n}", f"Feed {n}", _outlet_of(n), url,
             stamp(until + timedelta(days=7)), stamp(first), stamp(until - timedelta(minutes=n % 30)),
             stamp(until - timedelta(minutes=n % 30)), (wrong := trouble.get(n % 70, ("ok", None)))[0],
             3 if wrong[1] else 0, wrong[1], stamp(until - timedelta(hours=1)) if wrong[1] else None)
            for n in range(1, FEEDS + 1)
        ),
    )  # fmt: skip
    db.executemany(
        "INSERT INTO topics (slug, title, profile_hash, threshold, profile) VALUES (?, ?, 'x', 0.2, ?)",
        ((f"archive-{n}", f"Archive topic {n}", json.dumps({"terms": [
            {"text": f"term {term}", "weight": 0.3 / (term + 1), "kind": "phrase", "aliases": []} for term in range(25)
        ], "rules": {}})) for n in range(TOPICS)),
    )  # fmt: skip
    outcomes = ("not_modified",) * 7 + ("ok",) * 2 + ("failed",)
    turns = int(min(until - first, timedelta(days=POLL_DAYS)) / POLL_EVERY)
    db.executemany(
        "INSERT INTO polls (feed_id, started_at, outcome, status, new, ms) VALUES (?, ?, ?, ?, ?, 80)",
        (
            (feed, stamp(until - POLL_EVERY * (turns - turn - feed / FEEDS)), what := outcomes[(turn * 7 + feed) % 10],
             {"ok": 200, "not_modified": 304, "failed": 503}[what], int(what == "ok") * 3)
            for turn in range(-1, turns - 1)
            for feed in range(1, FEEDS + 1)
        ),
    )  # fmt: skip


def _outlet_of(feed: int) -> int:
    return 1 + (feed - 1) % OUTLETS


def _name(number: int) -> str:
    """An invented name that no other number has."""
    base, parts = len(_SYLLABLES), []
    for _ in range(4):
        number, rest = divmod(number, base)
        parts.append(_SYLLABLES[rest])
    return "".join(parts).capitalize()


def _opened(made: _Made) -> int:
    """A new story, with names of its own."""
    story = len(made.story_names)
    made.story_names.append(own_words(story))
    topical = made.draw.random() < TOPICAL
    made.story_topic.append(_topic(made.draw) if topical else None)
    return story


def _topic(draw: random.Random) -> str:
    """The first topic has as much as the next two, and so on."""
    return f"archive-{draw.choices(range(TOPICS), cum_weights=_TOPIC_WEIGHTS)[0]}"


_TOPIC_WEIGHTS = list(accumulate(1 / (rank + 1) for rank in range(TOPICS)))
_OUTLET_WEIGHTS = list(accumulate((rank + 1) ** -0.7 for rank in range(OUTLETS)))


def _events(made: _Made, articles: int) -> None:
    """The large events, spread evenly; the last of them runs at the end."""
    length = min(EVENT_DAYS * PER_DAY, articles // 2)
    for nth in range(max(1, articles // EVENT_EVERY)):
        story = _opened(made)
        made.story_topic[story] = "archive-0" if nth % 2 else None
        start = max(0.0, articles - length - nth * EVENT_EVERY + length / 5)
        for _ in range(int(length * made.draw.uniform(0.03, 0.07))):
            heapq.heappush(made.due, (start + made.draw.triangular(0, length, length / 8), story))


def _story_of(made: _Made, number: int) -> int:
    """The story of the next article: one that waits for its next report, or a new one."""
    if made.due and made.due[0][0] <= number:
        return heapq.heappop(made.due)[1]
    story, draw = _opened(made), made.draw
    if draw.random() >= ALONE:
        for _ in range(min(400, int(draw.paretovariate(1.05)))):
            heapq.heappush(made.due, (number + draw.expovariate(1 / 6000), story))
    return story


def _articles(
    store: Store, made: _Made, ids: range, first: datetime, *, judged: bool = False
) -> list[tuple[int, Article]]:
    """Keeps these articles and returns them; with stories and copies as they were made up, if nobody judges them."""
    new = []
    rows, texts, names, known, wordings, tags, placed = [], [], [], [], [], [], []
    draw = made.draw
    for number in ids:
        at = first + timedelta(days=number / PER_DAY)
        seen = stamp(at)
        published = at - timedelta(minutes=draw.expovariate(1 / 25))
        outlet = 1 + draw.choices(range(OUTLETS), cum_weights=_OUTLET_WEIGHTS)[0]
        original = number - draw.randint(1, 400)
        copied = made.recent.get(original) if draw.random() < COPIES else None
        if copied and copied[3] != outlet:
            title, summary, text, _, story = copied
        else:
            copied, story = None, _story_of(made, number)
            title, summary, text = report(draw, made.pool, made.story_names[story])
            made.recent[number] = (title, summary, text, outlet, story)
        made.recent.pop(number - 500, None)
        moment = None if copied is None and draw.random() < 0.03 else stamp(at if copied else published)
        agency = draw.choice(AGENCIES) if draw.random() < WIRED else None
        edited = draw.random() < EDITED
        url = f"https://outlet{outlet}.example/news/{number}"
        feed = outlet if outlet + OUTLETS > FEEDS or draw.random() < 0.6 else outlet + OUTLETS
        hashes = [f"{number:x}", f"{number:x}-2"][: 1 + edited]
        earlier = f"{draw.choice(made.pool)[:50]} {made.story_names[story][1]}"
        rows.append((number, url, outlet, title, summary, "en", moment, seen, "content",
                     original if copied and not judged else None, hashes[-1], len(hashes), agency))  # fmt: skip
        texts.append((number, text))
        names.append((feed, url, number, url, hashes[-1], seen, stamp(at + timedelta(hours=12))))
        known += names_of(number, url, title)
        wordings.append((number, 1, seen, earlier if edited else title, summary, hashes[0], "first",
                         text if edited else None, None))  # fmt: skip
        if edited:
            later = stamp(at + timedelta(minutes=draw.expovariate(1 / 90)))
            wordings.append((number, 2, later, title, summary, hashes[1], "headline", None, "headline"))
        placed.append((story, number))
        tags += _tags(draw, number, made.story_topic[story], title, moment or seen)
        new.append((number, Article(url, f"Outlet {outlet}", title, summary, text, "content", "en", (),
                                    from_stamp(moment), at, hashes[-1])))  # fmt: skip
    for table, columns, values in (
        ("articles", "id, url, outlet_id, title, summary, lang, published_at, first_seen_at, text_from, copy_of,"
                     " text_hash, revision_count, agency", rows),
        ("article_texts", "article_id, text", texts),
        ("entries", "feed_id, guid, article_id, link, raw_hash, first_seen_at, last_seen_at", names),
        ("article_names", "name, article_id", known),
        ("revisions", "article_id, n, seen_at, title, summary, text_hash, kind, text, changed", wordings),
        ("article_topics", "article_id, topic, score, on_topic, evidence, profile_hash, published_at", tags),
        ("story_articles", "story_id, article_id, similarity", [] if judged else [(*pair, 0.5) for pair in placed]),
    ):  # fmt: skip
        marks = ", ".join("?" * (columns.count(",") + 1))
        store.connection.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", values)
    return new


def own_words(story: int) -> tuple[str, ...]:
    """The three names that only this story has, and a dozen words that its reports tell it with."""
    words = random.Random(story).choices(corpus.vocabulary()[0][COMMONEST:], k=OWN)
    return _name(3 * story), _name(3 * story + 1), f"{_name(3 * story + 2)} Act", *words


def report(draw: random.Random, pool: Sequence[str], own: Sequence[str]) -> tuple[str, str, str]:
    """Headline, summary and text of a report: a feed's summary most often, a whole article in one of ten. Each sentence
    has two of the story's own words."""
    length = 20 if draw.random() < 0.1 else draw.randint(2, 6)
    said = [f"{' '.join(draw.sample(own[3:], 2))} {draw.choice(pool)}" for _ in range(length)]
    title = f"{own[0]} {said[0][:60].rstrip('.').lower()} {own[draw.randrange(3)]}"
    summary = f"{said[1]} {own[2]}."
    return title, summary, f"{summary} {' '.join(said[2:])} {own[1]} and {own[0]}."


def _tags(
    draw: random.Random, number: int, topic: str | None, title: str, moment: str
) -> list[tuple[int, str, float, int, str, str, str]]:  # fmt: skip
    if topic is None and draw.random() >= NEAR:
        return []
    on = topic is not None and draw.random() < 0.85
    score = 0.2 + min(0.6, draw.expovariate(8)) if on else 0.2 * draw.triangular(0.5, 0.999, 0.55)
    share = round(score / 4, 4)
    evidence = [
        {"term": f"term {term}", "field": where, "count": 1 + term, "points": share, "spans": spans}
        for term, where, spans in (
            (0, "title", [[0, title.find(" ")]]), (1, "summary", [[0, 6], [12, 20]]), (2, "text", [[0, 6], [80, 92]]),
            (draw.randrange(3, 25), "text", [[20, 28]]),
        )
    ]  # fmt: skip
    return [(number, topic or _topic(draw), score, int(on), json.dumps(evidence, separators=(",", ":")), "x", moment)]


def _stories(db: sqlite3.Connection) -> None:
    """A row for each story, counted as the store counts."""
    db.execute(
        "INSERT INTO stories (id, title, first_at, last_at, article_count, outlet_count, family_count)"
        " SELECT s.story_id, a.title, '', '', 0, 0, 0 FROM (SELECT story_id, min(article_id) AS first"
        " FROM story_articles GROUP BY story_id) s JOIN articles a ON a.id = s.first"
    )
    db.execute(f"UPDATE stories SET (first_at, last_at, article_count, outlet_count, family_count) = ({COUNTED})")


if __name__ == "__main__":
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    build(
        Path(sys.argv[1]), wanted, corpus.START,
        lambda done: print(f"\r{done:,} of {wanted:,} articles", end="", file=sys.stderr, flush=True),
    )  # fmt: skip
    print(file=sys.stderr)
