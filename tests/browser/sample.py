"""A newsroom of invented words in a real schema: what tests and screenshots look at. Writes two database files.

    python tests/browser/sample.py DIRECTORY      # news.db and feedback.db, as of NOW

Rows are inserted by hand, so that the pages are tested without the pipeline. Nothing is drawn at random.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from pipeline.store.feedback import create
from pipeline.store.migrations import migrations

NOW = "2020-12-05T12:10:00Z"
_FORM = "%Y-%m-%dT%H:%M:%SZ"

OUTLETS = (
    ("Harbour Courier", "Northline Press"), ("Valley Chronicle", "Northline Press"),
    ("The Meridian", "Meridian Trust"), ("Capital Ledger", "Ledger Group"), ("Ledger Tech", "Ledger Group"),
    ("Pacific Daily Wire", "Pacific Media"), ("The Islander", "Pacific Media"),
    ("Bulletin Online", "Bulletin Broadcasting"), ("Signal Radio News", "Bulletin Broadcasting"),
    ("Northern Post", "Northern Post"), ("Eastgate Review", "Eastgate Review"),
    ("Le Courrier des Îles", "Courrier"), ("Der Fjordbote", "Fjordbote"), ("Open Court", "Open Court"),
)  # fmt: skip

SALE = (
    "Short-form video app TikTok and the government remained at odds over the sale of its US operations late Friday "
    "as a deadline loomed, according to a source familiar with the matter.\n\n"
    "ByteDance, the parent based in China, had been given until midnight to come up with an acceptable deal. "
    "The Committee on Foreign Investment is engaging with ByteDance to complete the divestment, a spokesperson "
    "for the Treasury said.\n\n"
    "Talks will continue even after the deadline passes, and people in the US will still be able to use the app.\n\n"
    "A tentative deal would make Oracle the technology partner and a stakeholder in a new entity. Oracle would "
    "manage data security through its cloud servers, while TikTok would keep its algorithms."
)

# (title, hours ago it began, topic, [(outlet, minutes after, headline, copy of nth)], summary, text)
STORIES: tuple[tuple[Any, ...], ...] = (
    ("TikTok sale deadline passes as talks with Washington go on", 9.5, "tiktok-sale", [
        (5, 0, "TikTok sale talks to continue past deadline, source says", None),
        (0, 14, "TikTok sale talks to continue past deadline, source says", 0),
        (1, 17, "TikTok sale talks to continue past deadline, source says", 0),
        (3, 41, "Treasury lets TikTok deadline slip without an extension", None),
        (2, 74, "TikTok and Washington still at odds as sale deadline passes", None),
        (4, 96, "What ByteDance keeps if Oracle becomes TikTok's cloud partner", None),
        (7, 133, "TikTok deadline passes: app stays online for 100 million Americans", None),
        (6, 150, "TikTok sale talks to continue past deadline, source says", 0),
        (9, 222, "No deal, no ban: TikTok sale deadline passes quietly", None),
        (11, 301, "TikTok : l'échéance de la vente passe sans accord", None),
        (12, 344, "Frist für TikTok-Verkauf verstreicht ohne Einigung", None),
        (10, 415, "Why the TikTok sale may outlive the president who ordered it", None),
     ], "A source says talks between ByteDance and the government will go on, and the app stays online.", SALE),
    ("Regulators approve first coronavirus vaccine for emergency use", 20, None, [
        (7, 0, "First vaccine cleared for emergency use", None),
        (2, 9, "Regulators approve first coronavirus vaccine for emergency use", None),
        (0, 16, "Vaccine approval opens race to deliver 40 million doses", None),
        (9, 38, "What the vaccine approval means for care homes", None),
        (3, 52, "Drugmaker shares jump after emergency approval", None),
        (10, 130, "After the vaccine approval, the cold chain", None),
        (13, 320, "Emergency approval, explained for lawyers", None),
     ], "The first doses are to be shipped within days.", "The first doses are to be shipped within days.\n\n"
     "Hospitals and care homes come first, the health ministry said."),
    ("Court weighs emergency order in chip merger case", 26, "chip-merger", [
        (3, 0, "Court weighs emergency order in chip merger case", None),
        (4, 22, "Chip merger: judge asks both sides for numbers", None),
        (13, 81, "Emergency order in merger case turns on one clause", None),
        (2, 190, "Chip merger hearing ends without a ruling", None),
     ], "A judge heard five hours of argument over the merger.", "A judge heard five hours of argument over the chip "
     "merger.\n\nBoth companies say supply contracts would be void without a ruling this month."),
    ("Storm cuts power to 200,000 homes on the west coast", 15, None, [
        (5, 0, "Storm cuts power to 200,000 homes on the west coast", None),
        (6, 20, "Storm cuts power to 200,000 homes on the west coast", 0),
        (9, 66, "West coast storm leaves 230,000 without power", None),
        (8, 102, "Ferries cancelled as storm hits the west coast", None),
     ], "Crews expect repairs to take two days.", "Crews expect repairs to take two days."),
    ("Fishing talks stall over quota for mackerel", 31, None, [
        (12, 0, "Makrelenquote: Gespräche stocken", None),
        (9, 44, "Fishing talks stall over quota for mackerel", None),
        (6, 130, "Mackerel quota talks stall again", None),
     ], "Ministers will meet again on Tuesday.", "Ministers will meet again on Tuesday."),
    ("Judge blocks app ban in suit brought by TikTok influencers", 30, "tiktok-sale", [
        (13, 0, "Judge blocks app ban in suit brought by TikTok influencers", None),
        (0, 55, "TikTok influencers win injunction against ban", None),
     ], "It is the second restraint against the order.", "The injunction is the second restraint against the executive "
     "order that sought to ban new downloads of TikTok.\n\nByteDance declined to comment."),
    ("Ledger of a quiet harbour: what 400 years of port books tell", 34, None, [
        (0, 0, "Ledger of a quiet harbour: what 400 years of port books tell", None),
     ], "Historians read the harbour's books.", "Historians read the harbour's books."),
)  # fmt: skip

TERMS = {
    "tiktok-sale": (("TikTok", 0.16), ("ByteDance", 0.12), ("sale", 0.08), ("Oracle", 0.07), ("deadline", 0.05)),
    "chip-merger": (("merger", 0.2), ("chip", 0.14), ("ruling", 0.05)),
    "press-freedom": (("reporter", 0.2), ("press freedom", 0.2)),
}
TOPICS = (
    ("tiktok-sale", "TikTok's US sale", 0.22, "seeds/2020-12-05-tiktok.txt"),
    ("chip-merger", "The chip merger", 0.25, "seeds/chip.txt"),
    ("press-freedom", "Press freedom", 0.3, None),
)

# (state, failures, last error): what feeds go through. The rest are fine.
TROUBLE = {
    3: ("failing", 9, "HTTP 404 Not Found"),
    8: ("gone", 3, "HTTP 410 Gone"),
    11: ("ok", 0, "timed out after 20 s"),
    12: ("moved", 0, None),
    13: ("paused", 0, None),
}


def _at(hours: float) -> str:
    return (datetime.strptime(NOW, _FORM).replace(tzinfo=UTC) - timedelta(hours=hours)).strftime(_FORM)


def evidence(topic: str, title: str, summary: str, text: str) -> tuple[float, str]:
    """A score and its evidence by the plainest of rules: every place of a term, points by field."""
    found, score = [], 0.0
    for term, weight in TERMS[topic]:
        for field, words, factor in (("title", title, 1.0), ("summary", summary, 0.6), ("text", text, 0.4)):
            spans, at = [], words.lower().find(term.lower())
            while at >= 0:
                spans.append([at, at + len(term)])
                at = words.lower().find(term.lower(), at + 1)
            if spans:
                points = round(weight * factor, 4)
                score += points
                found.append({"term": term, "field": field, "count": len(spans), "points": points, "spans": spans[:8]})
    return min(1.0, score), json.dumps(sorted(found, key=lambda item: -item["points"]))


def add_article(db: sqlite3.Connection, outlet: int, hours: float, title: str | None, summary: str, text: str,
                *, copy_of: int | None = None, url: str | None = None, authors: str | None = None) -> int:  # fmt: skip
    """One article with its text, first wording, entry and place in the full-text index; its id."""
    at = _at(hours)
    cursor = db.execute(
        "INSERT INTO articles(url, outlet_id, title, summary, lang, authors, published_at, first_seen_at, text_from,"
        " copy_of, text_hash) VALUES (?, ?, ?, ?, 'en', ?, ?, ?, 'content', ?, 'b1946ac92492d2347c6235b4d2611184')",
        ("x", outlet + 1, title, summary, authors, at, at, copy_of),
    )
    number = int(cursor.lastrowid or 0)
    address = url if url is not None else f"https://outlet{outlet}.example/{number}"
    db.execute("UPDATE articles SET url = ? WHERE id = ?", (address, number))
    db.execute("INSERT INTO article_texts VALUES (?, ?)", (number, text))
    db.execute(
        "INSERT INTO articles_fts(rowid, title, summary, text) VALUES (?, ?, ?, ?)", (number, title, summary, text)
    )
    db.execute(
        "INSERT INTO entries VALUES (?, ?, ?, ?, 'r', ?, ?)", (outlet + 1, f"g{number}", number, address, at, _at(0.5))
    )
    db.execute(
        "INSERT INTO revisions VALUES (?, 1, ?, ?, ?, 'h1', 'first', NULL, NULL, 0, NULL)", (number, at, title, summary)
    )
    return number


def judge(db: sqlite3.Connection, article: int, topic: str, threshold: float) -> None:
    """The article's row in article_topics, when any term stands in it."""
    title, summary, text, at = db.execute(
        "SELECT title, summary, text, published_at FROM articles JOIN article_texts ON article_id = id WHERE id = ?",
        (article,),
    ).fetchone()
    score, why = evidence(topic, title or "", summary or "", text)
    if score:
        db.execute("INSERT INTO article_topics (article_id, topic, score, on_topic, evidence, profile_hash,"
                   " published_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                   (article, topic, round(score, 4), int(score >= threshold), why, "p1" * 16, at))  # fmt: skip


def _stories(db: sqlite3.Connection) -> None:
    for title, began, _, versions, summary, text in STORIES:
        story = db.execute("INSERT INTO stories VALUES (NULL, ?, '', '', 0, 0, 0)", (title,)).lastrowid
        made: list[int] = []
        for outlet, minutes, headline, copy_of in versions:
            number = add_article(
                db, outlet, began - minutes / 60, headline, summary, text,
                copy_of=made[copy_of] if copy_of is not None else None,
                authors="Mara Lind and Jon Ferro" if outlet % 3 == 0 else None,
            )  # fmt: skip
            made.append(number)
            likeness = round(0.62 + (number * 7 % 30) / 100, 2)
            db.execute(
                "INSERT INTO story_articles (story_id, article_id, similarity) VALUES (?, ?, ?)",
                (story, number, likeness),
            )
        db.execute(
            "UPDATE stories SET (first_at, last_at, article_count, outlet_count, family_count) ="
            " (SELECT min(published_at), max(published_at), count(*), count(DISTINCT o.id), count(DISTINCT o.family)"
            "  FROM story_articles s JOIN articles a ON a.id = s.article_id JOIN outlets o ON o.id = a.outlet_id"
            "  WHERE s.story_id = ?) WHERE id = ?",
            (story, story),
        )


def _background(db: sqlite3.Connection) -> None:
    """The month before: older articles on topic, and near misses."""
    for back in range(29, 0, -1):
        for nth in range((back * 5 + 3) % 4):
            outlet = (back * 3 + nth * 5) % len(OUTLETS)
            title = f"TikTok sale, day {30 - back}: ByteDance weighs its options"
            summary, text = "What the parent said, and what it did not.", "Oracle and others are still in the talks."
            add_article(db, outlet, 24.0 * back + nth * 2, title, summary, text)
        if back % 6 == 0:
            add_article(
                db,
                back % 14,
                24.0 * back,
                "Dance app rivals court creators",
                "TikTok and ByteDance are named once.",
                "",
            )
        if back % 7 == 0:
            add_article(db, 4, 24.0 * back, "Chip merger: what suppliers expect", "The merger and its ruling.", "")


def _edits(db: sqlite3.Connection) -> None:
    for story_headline, later, kind in (
        ("Treasury lets TikTok deadline slip without an extension",
         "Treasury lets TikTok deadline pass but says talks go on", "headline"),
        ("First vaccine cleared for emergency use", "First coronavirus vaccine cleared for emergency use", "headline"),
        ("Storm cuts power to 200,000 homes on the west coast",
         "Storm cuts power to 215,000 homes on the west coast", "headline"),
    ):  # fmt: skip
        number = db.execute("SELECT min(id) FROM articles WHERE title = ?", (story_headline,)).fetchone()[0]
        summary = db.execute("SELECT summary FROM articles WHERE id = ?", (number,)).fetchone()[0]
        db.execute("UPDATE articles SET title = ?, revision_count = 2, agency = 'AP' WHERE id = ?", (later, number))
        db.execute("UPDATE revisions SET text = 'THE EARLIER TEXT' WHERE article_id = ?", (number,))
        db.execute(
            "INSERT INTO revisions VALUES (?, 2, ?, ?, ?, 'h2', ?, NULL, ?, 3, ?)",
            (number, _at(4), later, summary, kind, f"{kind},number,text", _at(2)),
        )


def _feeds(db: sqlite3.Connection) -> None:
    for place, (name, family) in enumerate(OUTLETS):
        state, failures, error = TROUBLE.get(place, ("ok", 0, None))
        good = state == "ok" or state == "moved"
        last_ok = _at(0.1 + place / 60) if good else _at(30 + place)
        db.execute("INSERT INTO outlets VALUES (?, ?, ?, ?)", (place + 1, name, f"outlet{place}.example", family))
        url = f"https://outlet{place}.example/feed.xml"
        db.execute(
            "INSERT INTO feeds(id, url, title, outlet_id, state, current_url, next_poll_at, failures, added_at,"
            " last_polled_at, last_ok_at, last_new_at, last_error, last_error_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (place + 1, url, f"{name}: World", place + 1, state, url, _at(-0.4 - place / 20), failures, _at(2000),
             _at(0.1 + place / 60), last_ok, _at(1000) if place == 10 else _at(1 + place), error,
             _at(0.6) if error else None),
        )  # fmt: skip
        for half in range(96):
            hours = half / 2 + 0.1
            failed = (not good and hours < 30) or (place == 11 and half % 17 < 3)
            if state == "paused" and hours < 40:
                continue
            db.execute(
                "INSERT INTO polls(feed_id, started_at, outcome, status, new, unchanged, bytes, ms, why)"
                " VALUES (?, ?, ?, ?, ?, 20, 18000, ?, ?)",
                (place + 1, _at(hours), "failed" if failed else "not_modified" if half % 3 else "ok",
                 None if failed else 200, 0 if failed or half % 3 else 2, 180 + place * 11, error or ""),
            )  # fmt: skip


def build(directory: Path) -> tuple[Path, Path]:
    """news.db and feedback.db in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    path, feedback = directory / "news.db", directory / "feedback.db"
    shell = Database(path)
    migrations.apply(shell)
    shell.conn.close()
    db = sqlite3.connect(path)
    _feeds(db)
    for slug, title, threshold, seed in TOPICS:
        profile = {
            "title": title,
            "threshold": threshold,
            "terms": [{"text": t, "weight": w, "kind": "name", "aliases": []} for t, w in TERMS[slug]],
            "rules": {"any": [], "all": [], "none": ["dance challenge"]},
        }
        db.execute(
            "INSERT INTO topics (slug, title, profile_hash, seed, threshold, profile) VALUES (?, ?, ?, ?, ?, ?)",
            (slug, title, "p1" * 16, seed, threshold, json.dumps(profile)),
        )
    _background(db)
    _stories(db)
    _edits(db)
    for (number,) in db.execute("SELECT id FROM articles").fetchall():
        for slug, _, threshold, _ in TOPICS:
            judge(db, number, slug, threshold)
    db.commit()
    db.close()
    create(feedback)
    return path, feedback


if __name__ == "__main__":
    print(*build(Path(sys.argv[1])), sep="\n")
