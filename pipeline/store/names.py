"""The table `article_names`: by which pages and headlines an article is known again. Hashes, so that it stays small."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache

from pipeline import text
from pipeline.unwrap import is_opaque
from pipeline.variants import page

NAME = "INSERT INTO article_names (name, article_id) VALUES (?, ?) ON CONFLICT DO NOTHING"


@lru_cache(maxsize=4096)
def page_name(url: str) -> int:
    """The name of a page, the same for each of its addresses (`variants.page`)."""
    return _hash("p", page(url))


def headline_name(title: str | None) -> int | None:
    """The name of a headline by its words; `None` when it has none."""
    words = text.tokens(title or "")
    return _hash("h", " ".join(words)) if words else None


def names_of(article_id: int, url: str | None, title: str | None) -> Iterator[tuple[int, int]]:
    """Rows of the table for an article under an address and a headline. An aggregator's address is no name: it changes
    at every fetch."""
    if url and not is_opaque(url):
        yield page_name(url), article_id
    if (name := headline_name(title)) is not None:
        yield name, article_id


def _hash(kind: str, value: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(f"{kind}{value}".encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True
    )
