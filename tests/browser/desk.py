"""How tests look at the site: ask it, read its pages as a browser would, know what stands in the sample."""

from __future__ import annotations

import asyncio
import sqlite3
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx

METADATA = Path(__file__).parent.parent.parent / "config" / "datasette.yaml"
ATOM = "{http://www.w3.org/2005/Atom}"


def get(site: Any, path: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response: httpx.Response = asyncio.run(site.client.get(path, headers=named))
    return response


def ask(site: Any, sql: str, *values: object) -> Any:
    with sqlite3.connect(site.databases["news"].path) as db:
        return db.execute(sql, values).fetchone()[0]


def numbers(site: Any) -> dict[str, int]:
    return {
        "story": ask(site, "SELECT id FROM stories ORDER BY family_count DESC LIMIT 1"),
        "article": ask(
            site,
            "SELECT article_id FROM article_topics WHERE topic = 'tiktok-sale' ORDER BY score DESC LIMIT 1",
        ),
        "edited": ask(site, "SELECT id FROM articles WHERE revision_count > 1 LIMIT 1"),
        "copy": ask(site, "SELECT id FROM articles WHERE copy_of IS NOT NULL LIMIT 1"),
    }


def pages(site: Any) -> list[str]:
    held = numbers(site)
    return [
        "/", "/outlet/1", "/outlet/6", "/outlet/10", "/compare/tiktok-sale", "/compare/press-freedom",
        "/topic/tiktok-sale", "/topic/press-freedom", f"/story/{held['story']}", f"/article/{held['article']}",
        f"/article/{held['edited']}", f"/article/{held['copy']}", "/feeds", "/feeds?state=failing", "/search",
        "/search?q=tiktok", "/search?q=tiktok&order=best&days=0", "/topic/tiktok-sale.atom", "/feed.atom",
        "/news", "/news/articles", "/news/articles_browse", f"/news/articles/{held['article']}", "/news/stories",
        "/news/feeds", "/news/polls", "/news/article_topics", "/news/revisions", "/news/topics", "/news/entries",
        "/news/outlets", "/news/story_articles", "/news/headlines_changed", "/news/who_had_it_first",
        f"/news/story_versions?story={held['story']}", "/robots.txt", "/-/newsbeat/health.json",
        "/-/newsbeat/metrics", "/feed.csv", "/feed.json", "/topic/tiktok-sale.csv", "/outlet/6.atom", "/outlet/6.json",
        f"/story/{held['story']}.atom", f"/story/{held['story']}.csv", "/search.atom?q=tiktok", "/search.json?q=tiktok",
        "/feeds.csv", "/feeds.json", "/compare/tiktok-sale.csv",
    ]  # fmt: skip


class Reader(HTMLParser):
    """Every element with its attributes, and the text between, as a browser would take them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += " " if tag in {"td", "th", "dd", "dt"} else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def words(response: httpx.Response) -> str:
    return " ".join(Reader(response.text).text.split())
