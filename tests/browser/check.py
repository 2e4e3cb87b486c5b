"""Checks a served sample in a real Chromium. Prints what it finds; exit 1 when that is anything.

    check.py URL COOKIE      axe-core, light and dark, wide and narrow; keyboard only; without JavaScript

Run by `checked.py`, which starts the site. Needs Playwright and axe-playwright-python (`./run axe` installs both).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from browser import opened, pages
from shots import SCHEMES, SIZES

# What a person can act on, as a browser sees it. A closed <details> hides what is in it.
REACHABLE = """() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
    .filter(e => e.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})).length"""
FOCUSED = """() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const s = getComputedStyle(e);
    e.dataset.seen = (e.dataset.seen || 0) * 1 + 1;
    return {text: (e.innerText || e.value || e.name || '').trim().slice(0, 60), tag: e.tagName,
            seen: e.dataset.seen * 1, outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0};
}"""


@contextmanager
def context(browser: Any, base: str, cookie: str | None = None, **options: Any) -> Iterator[Any]:
    """A fresh browser profile, of an editor where a cookie is given."""
    made = browser.new_context(**options)
    if cookie:
        made.add_cookies([{"name": "ds_actor", "value": cookie, "url": base}])
    try:
        yield made
    finally:
        made.close()


def axe(browser: Any, base: str, cookie: str) -> list[str]:
    """What axe-core finds, on every page as readers and as editors see it."""
    from axe_playwright_python.sync_playwright import Axe

    found: list[str] = []
    wanted = pages(base)
    for size, width, height in SIZES:
        for scheme in SCHEMES:
            for who in (None, cookie):
                view = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
                with context(browser, base, who, **view) as profile:
                    page = profile.new_page()
                    for name, path in wanted:
                        if who and not name.startswith(("topic", "story", "article")):
                            continue
                        answer = page.goto(base + path)
                        if answer.status != (404 if name == "missing" else 200):
                            found.append(f"{name}: status {answer.status}")
                        # What is folded away is looked at as well.
                        page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
                        for one in Axe().run(page).response["violations"]:
                            where = one["nodes"][0]["target"]
                            found.append(f"{name} {size} {scheme}{' editor' if who else ''}: {one['id']} {where}")
    return found


def keyboard(browser: Any, base: str, cookie: str) -> list[str]:
    """Tab through each page: the skip link first, all that can be acted on, each once, with the focus to be seen."""
    found: list[str] = []
    with context(browser, base, cookie, viewport={"width": 1280, "height": 900}) as profile:
        page = profile.new_page()
        for name, path in pages(base):
            page.goto(base + path)
            wanted = page.evaluate(REACHABLE)
            reached = 0
            for step in range(wanted + 5):
                page.keyboard.press("Tab")
                at = page.evaluate(FOCUSED)
                if at is None or at["seen"] > 1:
                    break
                reached += 1
                if step == 0 and "Skip" not in at["text"]:
                    found.append(f"{name}: the skip link is not first but {at['text']}")
                if not at["outline"]:
                    found.append(f"{name}: no focus to be seen on {at['tag']} {at['text']}")
            if reached < wanted:
                found.append(f"{name}: {reached} of {wanted} reached by Tab")
    return found


def without_javascript(browser: Any, base: str, cookie: str) -> list[str]:
    """A search, a verdict and a table's filter by keyboard alone, in a browser that runs no script."""
    found: list[str] = []
    with context(browser, base, cookie, java_script_enabled=False) as profile:
        page = profile.new_page()
        page.goto(base + "/")
        page.get_by_label("Search articles").focus()
        page.keyboard.type("tiktok")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/search\?q=tiktok"))
        page.locator(".hits a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/article/\d+"))
        page.get_by_role("button", name="Off topic").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".message")
        if "Off topic: kept" not in page.content():
            found.append("no script: a verdict was not kept")
        page.goto(base + "/story/1")
        page.locator("summary").first.focus()
        page.keyboard.press("Enter")
        if not page.locator("details[open]").count():
            found.append("no script: what is folded does not open")
        page.goto(base + "/topic/tiktok-sale")
        if page.locator("svg.chart").count() < 5:
            found.append("no script: the pictures are missing")
    return found


def main(base: str, cookie: str) -> int:
    """Runs the checks and tells each; how many found something."""
    bad = 0
    with opened() as browser:
        for check in (axe, keyboard, without_javascript):
            found = check(browser, base, cookie)
            bad += bool(found)
            words = check.__name__.replace("_", " ")
            print(f"{words}: {'nothing found' if not found else f'{len(found)} found'}")
            for one in dict.fromkeys(found):
                print(f"  {one}")
    return bad


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:3]) else 0)
