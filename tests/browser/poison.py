"""A newsroom where every outlet means harm: what strangers could write, in every column they reach."""

from __future__ import annotations

import sqlite3
from pathlib import Path

EVIL_TITLE = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)> \x02\x03 &amp; TikTok"
EVIL_TEXT = (
    '<svg onload=alert(3)> TikTok {{ 7*7 }} <a href="javascript:alert(4)">x</a> \' " `'
    "<img src=https://evil.example/pixel.png><link rel=stylesheet href=//evil.example/x.css>"
    '<link rel=preconnect href=https://evil.example><meta http-equiv=refresh content="0;url=https://evil.example/">'
    "<base href=https://evil.example/><style>body{background:url(https://evil.example/b.png)}</style>"
)
EVIL_URLS = (
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https:\\\\evil.example\\x",
    "vbscript:x",
    "//evil.example/",
    "https://",
    'https://ok.example/"onmouseover="alert(1)',
)
EVIL_EVIDENCE = (
    "not json",
    "[" * 5000,
    '{"term": "x"}',
    '[1, null, "x", {"term": 3, "field": "title"}, {"term": "x", "field": "nope"}]',
    '[{"term": "<script>alert(5)</script>", "field": "title", "count": 1e999, "points": NaN,'
    ' "spans": [[-5, 99999999], [3, 1], ["a", 2], [0, 5], [2, 9], null]}]',
    '[{"term": "TikTok", "field": "text", "count": -1, "points": "9", "spans": "x"}]',
)


def poison(news: Path) -> None:
    """Puts it into news.db as `sample.build` made it."""
    db = sqlite3.connect(news)
    for table, columns in {
        "articles": ("title", "summary", "authors", "lang"),
        "article_texts": ("text",),
        "stories": ("title",),
        "topics": ("title", "seed", "profile"),
        "feeds": ("title", "last_error", "moved_to"),
        "revisions": ("title", "summary"),
        "entries": ("link",),
    }.items():
        for column in columns:
            db.execute(
                f"UPDATE {table} SET {column} = ?", (EVIL_TEXT if column in {"text", "summary"} else EVIL_TITLE,)
            )
    db.execute("UPDATE revisions SET title = 'Before <script>alert(6)</script>' WHERE n = 1")
    for (number,) in db.execute("SELECT id FROM articles").fetchall():
        bad = EVIL_URLS[number % len(EVIL_URLS)]
        db.execute("UPDATE articles SET url = ? WHERE id = ?", (f"{bad}#{number}" if number > 8 else bad, number))
        db.execute("UPDATE article_topics SET evidence = ? WHERE article_id = ?", (EVIL_EVIDENCE[number % 6], number))
    db.execute("UPDATE outlets SET name = ? || id, family = ? || id", (EVIL_TITLE, EVIL_TITLE))
    db.execute("INSERT INTO articles_fts(articles_fts) VALUES ('rebuild')")
    db.commit()
    db.close()
