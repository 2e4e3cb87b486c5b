"""The browser that looks at pages: which Chromium, with which flags, and which addresses a site has."""

from __future__ import annotations

import os
import re
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
FIXED = (
    ("front", "/"), ("feeds", "/feeds"), ("feeds-failing", "/feeds?state=failing"), ("search", "/search"),
    ("search-open-quote", '/search?q="half a phrase'),
    ("data", "/news"), ("table-articles", "/news/articles"), ("table-feeds", "/news/feeds"),
    ("browse", "/news/articles_browse"), ("query-headlines", "/news/headlines_changed"),
    ("query-first", "/news/who_had_it_first"), ("missing", "/story/999999999"),
)  # fmt: skip


def chromium() -> str | None:
    """The browser to use: NEWSBEAT_CHROMIUM, else Debian's, else whatever is on the path."""
    named = os.environ.get("NEWSBEAT_CHROMIUM")
    found = [named, "/usr/bin/chromium", *map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))]
    return next((path for path in found if path and Path(path).exists()), None)


@contextmanager
def opened() -> Iterator[Any]:
    """A running Chromium. Ends the program in words where something is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit("Playwright for Python is missing. `./run shots` and `./run axe` install it.")
    path = chromium()
    if path is None:
        sys.exit("No Chromium found. On Debian: apt-get install chromium; or name one in NEWSBEAT_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def read(url: str) -> str:
    """A page as text."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        text: str = answer.read().decode()
        return text


def pages(base: str) -> list[tuple[str, str]]:
    """The fixed pages, and topics, comparisons, stories, articles and outlets as the front page and the feeds name
    them."""
    front = read(base + "/")
    found = list(FIXED)
    for kind, most in (("topic", 2), ("story", 3), ("article", 3)):
        links = list(dict.fromkeys(re.findall(rf'href="[^"]*(/{kind}/[^"/.]+)"', front)))
        found += [(f"{kind}-{nth}", link) for nth, link in enumerate(links[:most], 1)]
        if not links:
            continue
        if kind == "article":
            found.append(("row-article", f"/news/articles/{links[0].rsplit('/', 1)[1]}"))
        if kind == "topic":
            found.append(("compare", links[0].replace("/topic/", "/compare/")))
            told = dict.fromkeys(re.findall(r'href="[^"]*(/story/[^"/.]+)"', read(base + links[0])))
            found += [("story-of-topic", next(iter(told)))] if told else []
            title = re.search(r"<h1>([^<]+)", read(base + links[0]))
            word = title.group(1).split()[0].split("&")[0] if title else "news"
            found.append(("search-word", f"/search?q={urllib.request.quote(word)}&days=0"))
    outlets = list(dict.fromkeys(re.findall(r'href="[^"]*(/outlet/[^"]+)"', read(base + "/feeds"))))
    if "/-/login" in front:
        found.append(("sign-in", "/-/login"))
    return found + [(f"outlet-{nth}", link) for nth, link in enumerate(outlets[:2], 1)]
