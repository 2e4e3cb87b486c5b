"""What copies and stories cost an article, with an empty window and with a full one behind a large archive.

    ./run bench stories [--stored 1000 30000] [--articles 2000] [--a-day 30000] [--a-poll 10] [--json]
    ./run bench stories --archive FILE      on a copy of FILE, as `python tests/bench/archive.py FILE` makes it
    ./run bench stories --recorded          the entries of the recorded feeds, 10,000 a day (`--stored 8000`)

Invented articles: words drawn from a Zipf law over 60,000 made-up ones, each event with a dozen words of its own and
six reports on average, one in fifteen a copy of another. They come `--a-day` a day, so that a window holds as much as a
desk with ten thousand feeds would see; what no window reaches is let go of once a day, as the service does. On an
archive they are of its own make, and go on with its stories.
Measured: processor time of `judging.take_in`, as every poll calls it, without topics and without the full-text index:
words, fingerprint, window, neighbours, judgement, keeping, and the second look at the end of a poll. Its share is told.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline import extract, judging, schedule, stories
from pipeline.judging import Desk
from pipeline.model import Article, Outlet
from pipeline.store import Store
from pipeline.text import wording
from pipeline.times import from_stamp
from pipeline.urls import OutletBook, host_of
from tests.bench import archive, corpus
from tests.quality import sets

START = datetime(2026, 3, 2, tzinfo=UTC)
WORDS = 60_000
LENGTH = 300


class Press(Protocol):
    """Writes articles, one after another."""

    def article(self) -> Article:
        """The next article."""
        ...


class Zipf:
    """Articles of words drawn from a Zipf law, from nothing."""

    def __init__(self, a_day: int) -> None:
        self._draw = random.Random(7)
        syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
        self._words = ["".join(self._draw.choices(syllables, k=self._draw.randint(2, 4))) for _ in range(WORDS)]
        self._share = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))
        self._events: list[list[str]] = []
        self._last: list[str] = []
        self._step = timedelta(days=1) / a_day
        self._number = 0

    def article(self) -> Article:
        """The next article."""
        draw = self._draw
        if self._last and draw.random() < 1 / 15:
            body = self._last
        else:
            if not self._events or draw.random() < 1 / 6:
                self._events = [draw.choices(self._words[500:], k=12), *self._events[:400]]
            event = self._events[min(int(draw.expovariate(1 / 40)), len(self._events) - 1)]
            body = draw.choices(self._words, cum_weights=self._share, k=LENGTH) + event * 2
            draw.shuffle(body)
        self._last = body
        self._number += 1
        at = START + self._number * self._step
        return _article(self._number, " ".join(body[:8]), " ".join(body), at)


class Archive:
    """Articles such as `archive.build` wrote, of the stories of its last days and of new ones."""

    def __init__(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as rows:
            last = rows.execute("SELECT max(first_seen_at) FROM articles").fetchone()[0]
            self._open = [
                story
                for (story,) in rows.execute(
                    "SELECT story_id FROM story_articles ORDER BY article_id DESC LIMIT ?", (archive.PER_DAY,)
                )
            ]
            self._next = 1 + rows.execute("SELECT max(id) FROM stories").fetchone()[0]
        at = from_stamp(last)
        assert at is not None
        self._at = at
        self._draw = draw = random.Random(7)
        self._pool = [corpus.sentence(draw, draw.randint(10, 30)) for _ in range(archive.SENTENCES)]
        self._alone = len(set(self._open)) / len(self._open)
        self._last: tuple[str, str] | None = None
        self._number = 0

    def article(self) -> Article:
        """The next article."""
        self._number += 1
        self._at += timedelta(days=1) / archive.PER_DAY
        if self._last is None or self._draw.random() >= archive.COPIES:
            if self._draw.random() < self._alone:
                story, self._next = self._next, self._next + 1
            else:
                story = self._draw.choice(self._open)
            title, _, body = archive.report(self._draw, self._pool, archive.own_words(story))
            self._last = title, body
        return _article(self._number, *self._last, self._at)


class Recorded:
    """The entries of the recorded feeds, oldest first, as if they had come evenly `a_day` a day: what real words share
    by chance in a crowd. Fewer of them tell the same event than on a real day."""

    def __init__(self, a_day: int) -> None:
        found = []
        for feed in sets.real_feeds():
            for entry in feed.entries:
                made = extract.article(entry, host_of(entry.url or entry.feed_url), START)
                found.append((made.published_at or START, len(found), made))
        self._articles = [article for _, _, article in sorted(found, key=lambda one: one[:2])]
        self._step = timedelta(days=1) / a_day
        self._number = 0

    def __len__(self) -> int:
        return len(self._articles)

    def article(self) -> Article:
        """The next article."""
        at = START + self._number * self._step
        made = self._articles[self._number]
        self._number += 1
        return replace(made, url=f"https://bench.example/{self._number}", published_at=at, first_seen_at=at)


def _article(number: int, title: str, text: str, at: datetime) -> Article:
    url, outlet = f"https://bench.example/{number}", f"Outlet {number % 400}"
    return Article(url, outlet, title, None, text, "content", "en", (), at, at, wording(title, text))


class Clock:
    """Processor time spent in a function, and how many `items` it gave, where it gives lists."""

    def __init__(self, done: Callable[..., Any]) -> None:
        self.spent, self.items, self._done = 0.0, 0, done

    def __call__(self, *given: Any) -> Any:
        began = time.process_time()
        try:
            made = self._done(*given)
            self.items += len(made) if isinstance(made, list) else 0
            return made
        finally:
            self.spent += time.process_time() - began


def measure(store: Store, press: Press, stored: int, articles: int, a_poll: int) -> dict[str, float]:
    """Processor time an article, once so many are stored."""
    desk = Desk(store, OutletBook(), {}, (), schedule.Pace())
    outlets: dict[str, int] = {}
    # An outlet of another family would have all its stories counted anew, which is no part of this.
    families = dict(store.connection.execute("SELECT name, family FROM outlets"))
    index, again, taken = Clock(store.articles.index), Clock(judging.settle), Clock(judging.take_in)
    store.articles.index = index  # type: ignore[method-assign]
    judging.settle = again
    day = None
    for number in range(0, stored + articles, a_poll):
        if number >= stored > number - a_poll or number == 0:
            index.spent = again.spent = taken.spent = 0.0
        poll = [press.article() for _ in range(a_poll)]
        at = poll[-1].first_seen_at
        with store.transaction():
            if day and at - day > timedelta(days=1):
                store.stories.forget(at - 2 * stories.WINDOW)
            day = at if day is None or at - day > timedelta(days=1) else day
            added = []
            for one in poll:
                if one.outlet not in outlets:
                    outlets[one.outlet] = store.feeds.outlet_id(
                        Outlet(one.outlet, (), families.get(one.outlet, one.outlet))
                    )
                article_id = store.articles.add(one, outlets[one.outlet])
                assert article_id is not None
                added.append((article_id, one))
            taken(added, desk)
        if sys.stderr.isatty() and number % 1000 == 0:
            print(f"\r{number} articles", end="", file=sys.stderr, flush=True)
    spent = taken.spent - index.spent
    return {
        "ms_an_article": round(spent / articles * 1000, 3),
        "articles_a_second": round(articles / spent),
        "share_of_second_look": round(again.spent / spent, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench stories", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stored", type=int, nargs="+", help="articles that came before")
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--a-day", type=int, default=30_000)
    parser.add_argument("--a-poll", type=int, default=10, help="new articles a poll brings")
    parser.add_argument("--archive", type=Path, help="a database to go on with; it is copied, and not changed")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--recorded", action="store_true", help="the entries of the recorded feeds")
    asked = parser.parse_args()
    found = []
    stored_before = asked.stored or ([0] if asked.archive else [8000] if asked.recorded else [1000, 30_000])
    for stored in stored_before:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "news.db"
            if asked.archive:
                with closing(sqlite3.connect(asked.archive)) as one, closing(sqlite3.connect(path)) as other:
                    one.backup(other)
            press: Press = Archive(path) if asked.archive else Zipf(asked.a_day)
            if asked.recorded:
                press = Recorded(archive.PER_DAY)
            with Store.open(path) as store:
                held = store.numbers.totals(START).articles
                settle = judging.settle
                made = measure(store, press, stored, asked.articles, asked.a_poll)
                judging.settle = settle
            found.append({"stored": held + stored, **made, "db_mb": round(path.stat().st_size / 1e6, 1)})
    if asked.json:
        print(json.dumps(found))
        return
    for one in found:
        print("  " + "   ".join(f"{name.replace('_', ' ')} {value}" for name, value in one.items()))


if __name__ == "__main__":
    main()
