"""Screenshots of every page, wide and narrow, light and dark, in a real Chromium.

    python tests/browser/shots.py http://127.0.0.1:8001 shots/ [COOKIE]

With the cookie of an editor who signed in, what editors see is taken too. Needs Playwright for Python (not among our
dependencies: `./run shots` installs it into an environment of its own) and a Chromium; says in words what is missing.
Exits 1 when a page fails, asks for a dialog, reports an error in the console, or scrolls sideways.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from browser import opened, pages

SIZES = (("wide", 1280, 900), ("narrow", 390, 844))
SCHEMES = ("light", "dark")


def main(base: str, directory: Path, cookie: str | None = None) -> int:
    """Takes the pictures; the number of troubles found."""
    base = base.rstrip("/")
    try:
        wanted = pages(base)
    except OSError as error:
        print(f"{base} does not answer ({error}). Start the site first: ./run demo", file=sys.stderr)
        return 1
    directory.mkdir(parents=True, exist_ok=True)
    troubles: list[str] = []
    taken = 0
    with opened() as browser:
        for size, width, height in SIZES:
            for scheme in SCHEMES:
                for who in ("", "editor-") if cookie else ("",):
                    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                    if who:
                        context.add_cookies([{"name": "ds_actor", "value": cookie, "url": base}])
                    for name, path in wanted:
                        if who and name not in {"topic-1", "story-1", "article-1"}:
                            continue
                        file = directory / f"{who}{name}-{size}-{scheme}.png"
                        troubles += [f"{file.stem}: {words}" for words in _shot(context, base + path, name, file)]
                        taken += 1
                    context.close()
    print(f"{taken} pictures in {directory}")
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    return len(troubles)


def _shot(context: Any, url: str, name: str, file: Path) -> list[str]:
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: (said.append("a dialog"), dialog.dismiss()))
    answer = page.goto(url)
    status = answer.status if answer else 0
    if name == "missing":
        said.clear()
    if status != (404 if name == "missing" else 200):
        said.append(f"status {status}")
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if beyond > 0:
        said.append(f"scrolls sideways by {beyond} px")
    page.screenshot(path=file, full_page=True)
    page.close()
    return said


if __name__ == "__main__":
    if len(sys.argv) not in {3, 4}:
        print("Usage: shots.py BASE_URL DIRECTORY [COOKIE]", file=sys.stderr)
        sys.exit(2)
    sys.exit(1 if main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]) else 0)
