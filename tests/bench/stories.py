"""What copies and stories cost an article, with an empty window and with a full one behind a large archive.

    ./run bench stories [--stored 1000 30000] [--articles 1000] [--a-day 30000] [--json]

Invented articles: words drawn from a Zipf law over 60,000 made-up ones, each event with a dozen words of its own and
six reports on average, one in fifteen a copy of another. They come `--a-day` a day, so that a window holds as much as a
desk with ten thousand feeds would see; what no window reaches is let go of once a day, as the service does.
Measured: processor time of fingerprint, window, neighbours, judgement and keeping, not of the article itself.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline import judging, schedule, stories
from pipeline.judging import Desk
from pipeline.model import Article, Outlet
from pipeline.store import Store
from pipeline.text import wording
from pipeline.urls import OutletBook

START = datetime(2026, 3, 2, tzinfo=UTC)
WORDS = 60_000
LENGTH = 300


class Press:
    """Writes articles, one after another."""

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
        title, text = " ".join(body[:8]), " ".join(body)
        url, outlet = f"https://bench.example/{self._number}", f"Outlet {self._number % 400}"
        return Article(url, outlet, title, None, text, "content", "en", (), at, at, wording(title, text))


def measure(stored: int, articles: int, a_day: int) -> dict[str, float]:
    """Processor time an article, once so many are stored."""
    press = Press(a_day)
    with tempfile.TemporaryDirectory() as scratch, Store.open(Path(scratch) / "news.db") as store:
        desk = Desk(store, OutletBook(), {}, (), schedule.Pace())
        outlets: dict[str, int] = {}
        spent, day = 0.0, START
        for number in range(stored + articles):
            if number % 100 == 0 and number:
                store._connection.execute("COMMIT")
            if number % 100 == 0:
                store._connection.execute("BEGIN IMMEDIATE")
            article = press.article()
            if article.first_seen_at - day > timedelta(days=1):
                day = article.first_seen_at
                store.stories.forget(day - 2 * stories.WINDOW)
            if article.outlet not in outlets:
                outlets[article.outlet] = store.feeds.outlet_id(Outlet(article.outlet, (), article.outlet))
            article_id = store.articles.add(article, outlets[article.outlet])
            assert article_id is not None
            began = time.process_time()
            judging.place(article_id, article, desk)
            if number >= stored:
                spent += time.process_time() - began
            if sys.stderr.isatty() and number % 1000 == 0:
                print(f"\r{number} articles", end="", file=sys.stderr, flush=True)
        store._connection.execute("COMMIT")
        size = (Path(scratch) / "news.db").stat().st_size / 1e6
        stories_held = store.numbers.totals(article.first_seen_at).stories
    return {
        "stored": stored,
        "ms_an_article": round(spent / articles * 1000, 3),
        "articles_a_second": round(articles / spent),
        "stories": stories_held,
        "db_mb": round(size, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench stories", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stored", type=int, nargs="+", default=[1000, 30_000])
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--a-day", type=int, default=30_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = [measure(stored, asked.articles, asked.a_day) for stored in asked.stored]
    if asked.json:
        print(json.dumps(found))
        return
    for one in found:
        print("  " + "   ".join(f"{name.replace('_', ' ')} {value}" for name, value in one.items()))


if __name__ == "__main__":
    main()
