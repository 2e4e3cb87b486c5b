"""Identity: the table of pairs of addresses, and whether every distinct item of the recorded feeds is an article."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline import changes
from pipeline.urls import page
from quality import sets

PAIRS = Path(__file__).resolve().parents[1] / "data" / "url_pairs.jsonl"


def measure() -> dict[str, float]:
    """Shares of pairs told right, and of entries of the real feeds that are an article of their own."""
    pairs = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    right = [((page(pair["a"]) == page(pair["b"])) is pair["same"], pair["same"]) for pair in pairs]
    entries, articles = _kept()
    return {
        "pairs": float(len(pairs)),
        "pairs_of_one_article": sum(ok for ok, same in right if same) / sum(same for _, same in right),
        "pairs_of_two_articles": sum(ok for ok, same in right if not same) / sum(not same for _, same in right),
        "entries": float(entries),
        "entries_that_are_articles": articles / entries,
    }


def _kept() -> tuple[int, int]:
    """Entries of the real feeds, and how many articles they make in an empty database."""
    entries = articles = 0
    for parsed in sets.real_feeds():
        entries += len(parsed.entries)
        if parsed.entries:
            articles += len(changes.sort(parsed.entries[0].feed_url, parsed.entries, {}, {}).new)
    return entries, articles
