"""The shape of feedback.db: what people say about articles. Kept apart, so that the site never writes news.db."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS labels (
    article_id INTEGER NOT NULL,
    topic TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('on_topic', 'off_topic')),
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS labels_article ON labels(article_id, topic);
"""


def create(path: Path) -> None:
    """Makes feedback.db with its one table where it is missing; leaves an existing one as it is."""
    connection = sqlite3.connect(path)
    try:
        connection.executescript(SCHEMA)
    finally:
        connection.close()
