"""What hostile content does in a real Chromium, page by page. Needs a Chromium and nothing else.

python tests/browser/poisoned.py      # serves the poisoned newsroom, prints what is found; exit 1 when that is anything
"""

from __future__ import annotations

import sys

from browser import chromium, pages
from checked import site
from pipe import Canary, tab

# What no page of ours has, whatever the policy would stop.
FOREIGN = """[...document.querySelectorAll('script, iframe, object, embed, img, base, meta[http-equiv],'
    + ' link[href^="http"], [onclick], [onerror], [onload], [onmouseover],'
    + ' a[href^="javascript:" i], a[href^="data:" i]')]
    .filter(e => e.tagName !== 'LINK' || !e.href.startsWith(location.origin + '/'))
    .map(e => e.outerHTML.slice(0, 120))"""
EVERY = (
    *(f"/article/{number}" for number in range(1, 14)), *(f"/story/{number}" for number in range(1, 5)),
    *(f"/outlet/{number}" for number in range(1, 4)), "/news/outlets", "/news/revisions", "/news/article_topics",
)  # fmt: skip


def look(browser: str, base: str, cookie: str, paths: tuple[str, ...] = ()) -> list[str]:
    """What is found, in words; on every page of the site where none is named. `cookie` is an editor's."""
    wanted = paths or tuple(dict.fromkeys([*(path for name, path in pages(base) if name != "missing"), *EVERY]))
    found: list[str] = []
    canary = Canary()
    try:
        with tab(browser, canary, (base, "ds_actor", cookie)) as page:
            for path in wanted:
                status = page.go(base + path)
                told = page.trouble(base) + [f"holds {one}" for one in page.value(FOREIGN) or ()]
                if status != 200:
                    told.append(f"status {status}")
                if not str(page.value("location.href")).startswith(base):
                    told.append(f"led to {page.value('location.href')}")
                found += [f"{path}: {words}" for words in told]
    finally:
        canary.close()
    return found + [f"a request went out: {words}" for words in canary.heard]


def main() -> int:
    """0 when nothing was found."""
    browser = chromium()
    if browser is None:
        print("No Chromium found. On Debian: apt-get install chromium; or name one in NEWSBEAT_CHROMIUM.")
        return 1
    with site("poison") as told:
        found = look(browser, told["url"], told["cookie"])
    print(f"poison: {'nothing found' if not found else f'{len(found)} found'}")
    for one in dict.fromkeys(found):
        print(f"  {one}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
