"""Identity: the table of pairs of addresses, and whether every distinct item of the recorded feeds is an article."""

from __future__ import annotations

import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

from pipeline import changes, parse
from pipeline.errors import ParseError
from pipeline.model import Response
from pipeline.urls import page
from quality import sets

PAIRS = Path(__file__).resolve().parents[1] / "data" / "url_pairs.jsonl"
AT = datetime(2026, 1, 1, tzinfo=UTC)


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
    with tarfile.open(sets.DATA / "feeds.tar.gz") as archive:
        files = {member.name: member for member in archive if member.isfile()}
        listed = archive.extractfile(files["feeds/manifest.jsonl"])
        assert listed is not None
        for one in map(json.loads, listed.read().splitlines()):
            held = files.get(f"feeds/{one['file']}")
            if one["kind"] != "real" or held is None:
                continue
            opened = archive.extractfile(held)
            assert opened is not None
            url = f"https://{one['host'] or 'example.org'}/feed"
            try:
                parsed = parse.feed(Response(url, url, 200, (), opened.read(), AT))
            except ParseError:
                continue
            entries += len(parsed.entries)
            articles += len(changes.sort(url, parsed.entries, {}, {}).new)
    return entries, articles
