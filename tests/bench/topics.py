"""Articles a second that are judged on 1, 100 and 1,000 topics by one core: feed-sized ones and full reports.

    ./run bench topics [--json]

Topics and articles are invented: words drawn by frequency from the general list (an article), and a shared stock of
names (topics), so that topics overlap as those of one newsroom do. What is measured is `topics.match`
as a poll asks it: evidence for what is on topic or nearly.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from wordfreq import top_n_list

from pipeline import topics
from pipeline.judging import NEAR_MISS
from pipeline.model import Article, Term, TopicProfile

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = 40
SIZES = {"feed": (10, 45), "full": (12, 600)}
"""Words of the headline and of the text."""


def invented(count: int, draw: random.Random) -> tuple[topics.Compiled, ...]:
    """Topics of 40 terms: names of their own, and words that other topics have too."""
    stock = [word for word in top_n_list("en", 12_000)[300:] if word.isalpha()]
    names = [f"{draw.choice(stock)}{draw.choice(stock)}" for _ in range(4 * count + 40)]
    made = []
    for number in range(count):
        own = draw.sample(names, 8)
        words = draw.sample(stock, TERMS - 16)
        pairs = [" ".join(draw.sample(stock, 2)) for _ in range(8)]
        terms = [Term(text, draw.uniform(0.05, 0.4)) for text in dict.fromkeys((*own, *words, *pairs))]
        made.append(topics.compiled(TopicProfile(f"topic-{number}", "Invented", tuple(terms))))
    return tuple(made)


def articles(count: int, size: str, draw: random.Random) -> list[Article]:
    """Reports in words as common as they are in general (Zipf's law)."""
    stock = top_n_list("en", 30_000)
    weights = [1 / (rank + 2) for rank in range(len(stock))]
    title, body = SIZES[size]
    said = [draw.choices(stock, weights, k=title + body) for _ in range(count)]
    return [
        Article(
            f"https://example.org/{at}", "Outlet", " ".join(words[:title]), None, " ".join(words[title:]),
            "summary", "en", (), None, NOW, "",
        )
        for at, words in enumerate(said)
    ]  # fmt: skip


def main() -> None:
    """Measures and prints a table, or one JSON object."""
    parser = argparse.ArgumentParser(prog="./run bench topics", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object: size to number of topics to articles a second")
    asked = parser.parse_args()
    draw = random.Random(7)
    figures: dict[str, dict[str, int]] = {}
    for size in SIZES:
        read = articles(2000 if size == "feed" else 300, size, draw)
        for count in (1, 100, 1000):
            panel = invented(count, draw)
            for article in read[:100]:
                topics.match(article, panel, NEAR_MISS)
            started = time.process_time()
            for article in read:
                topics.match(article, panel, NEAR_MISS)
            spent = time.process_time() - started
            figures.setdefault(size, {})[str(count)] = round(len(read) / spent)
            if not asked.json:
                print(f"{size:<5} {count:>5} topics {len(read) / spent:>9,.0f} articles a second of one core")
    if asked.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
