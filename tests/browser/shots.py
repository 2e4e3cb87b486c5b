"""Screenshots of every page, wide and narrow, light and dark, in a real Chromium.

    python tests/browser/shots.py http://127.0.0.1:8001 shots/

Needs Playwright for Python (not among our dependencies: `./run shots` installs it into an environment of its own)
and a Chromium; says in words what is missing. Exits 1 when a page fails, asks for a dialog, reports an error in the
console, or scrolls sideways.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import urllib.request
from pathlib import Path

SIZES = (("wide", 1280, 900), ("narrow", 390, 844))
SCHEMES = ("light", "dark")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
FIXED = (
    ("front", "/"), ("feeds", "/feeds"), ("search", "/search"), ("search-open-quote", '/search?q="half a phrase'),
    ("data", "/news"), ("table-articles", "/news/articles"), ("table-feeds", "/news/feeds"),
    ("browse", "/news/articles_browse"), ("query-headlines", "/news/headlines_changed"),
    ("query-first", "/news/who_had_it_first"), ("missing", "/story/999999999"),
)  # fmt: skip


def chromium() -> str | None:
    """The browser to use: NEWSBEAT_CHROMIUM, else Debian's, else whatever is on the path."""
    named = os.environ.get("NEWSBEAT_CHROMIUM")
    found = [named, "/usr/bin/chromium", *map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))]
    return next((path for path in found if path and Path(path).exists()), None)


def pages(base: str) -> list[tuple[str, str]]:
    """The fixed pages, and a topic, stories and articles as the front page names them."""
    with urllib.request.urlopen(base + "/", timeout=20) as answer:
        front = answer.read().decode()
    found = list(FIXED)
    for kind, most in (("topic", 2), ("story", 3), ("article", 3)):
        links = dict.fromkeys(re.findall(rf'href="[^"]*(/{kind}/[^"/.]+)"', front))
        found += [(f"{kind}-{nth}", link) for nth, link in enumerate(list(links)[:most], 1)]
        for link in list(links)[:1]:
            if kind == "article":
                found.append(("row-article", f"/news/articles/{link.rsplit('/', 1)[1]}"))
            if kind == "topic":
                with urllib.request.urlopen(base + link, timeout=20) as answer:
                    title = re.search(r"<h1>([^<]+)", answer.read().decode())
                word = title.group(1).split()[0].split("&")[0] if title else "news"
                found.append(("search-word", f"/search?q={urllib.request.quote(word)}&days=0"))
    return found


def main(base: str, directory: Path) -> int:
    """Takes the pictures; the number of troubles found."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print(
            "Playwright for Python is missing. `./run shots` installs it; by hand: pip install playwright",
            file=sys.stderr,
        )
        return 1
    browser_path = chromium()
    if browser_path is None:
        print(
            "No Chromium found. On Debian: apt-get install chromium; or name one in NEWSBEAT_CHROMIUM.", file=sys.stderr
        )
        return 1
    base = base.rstrip("/")
    try:
        wanted = pages(base)
    except OSError as error:
        print(f"{base} does not answer ({error}). Start the site first: ./run demo", file=sys.stderr)
        return 1
    directory.mkdir(parents=True, exist_ok=True)
    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        for size, width, height in SIZES:
            for scheme in SCHEMES:
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                for name, path in wanted:
                    page = context.new_page()
                    said: list[str] = []
                    page.on(
                        "console",
                        lambda message, said=said: said.append(message.text) if message.type == "error" else None,
                    )
                    page.on("dialog", lambda dialog, said=said: (said.append("a dialog"), dialog.dismiss()))
                    answer = page.goto(base + path)
                    status = answer.status if answer else 0
                    label = f"{name} {size} {scheme}"
                    if status != (404 if name == "missing" else 200):
                        troubles.append(f"{label}: status {status}")
                    elif name != "missing":
                        troubles += [f"{label}: {words}" for words in said]
                    beyond = page.evaluate(
                        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                    )
                    if beyond > 0:
                        troubles.append(f"{label}: scrolls sideways by {beyond} px")
                    page.screenshot(path=directory / f"{name}-{size}-{scheme}.png", full_page=True)
                    page.close()
                context.close()
        browser.close()
    print(f"{len(wanted) * len(SIZES) * len(SCHEMES)} pictures in {directory}")
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    return len(troubles)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print("Usage: shots.py BASE_URL DIRECTORY", file=sys.stderr)
        sys.exit(2)
    sys.exit(1 if main(sys.argv[1], Path(sys.argv[2])) else 0)
