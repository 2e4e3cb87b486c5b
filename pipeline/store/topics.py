"""The tables `topics` and `article_topics`: who matched what, and why."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from pipeline.model import Evidence, Match, TopicProfile
from pipeline.times import stamp


@dataclass(frozen=True, slots=True)
class Tag:
    """What is stored of one article and one topic."""

    article_id: int
    score: float
    on_topic: bool
    profile_hash: str
    title: str | None
    outlet: str


class Topics:
    """Reads and writes topics and tags; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def subscribe(self, profiles: Iterable[TopicProfile]) -> tuple[str, ...]:
        """Makes the table agree with the profiles in the configuration; returns the slugs whose tags are stale.

        A topic no longer configured becomes inactive and keeps its tags.
        """
        before = dict(self._db.execute("SELECT slug, profile_hash FROM topics"))
        self._db.execute("UPDATE topics SET active = 0")
        stale = []
        for profile in profiles:
            whole = {"terms": [asdict(term) for term in profile.terms], "rules": asdict(profile.rules)}
            self._db.execute(
                "INSERT INTO topics (slug, title, profile_hash, seed, threshold, profile) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (slug) DO UPDATE SET title = excluded.title, profile_hash = excluded.profile_hash,"
                " seed = excluded.seed, threshold = excluded.threshold, profile = excluded.profile, active = 1",
                (profile.slug, profile.title, profile.profile_hash, profile.seed, profile.threshold, _json(whole)),
            )
            if before.get(profile.slug) != profile.profile_hash:
                stale.append(profile.slug)
        return tuple(stale)

    def tag(self, article_id: int, published_at: datetime, matches: Iterable[Match]) -> None:
        """Writes how an article stands to its topics; an older verdict on the same topic is replaced."""
        self._db.executemany(
            "INSERT INTO article_topics (article_id, topic, score, on_topic, evidence, profile_hash, published_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (article_id, topic) DO UPDATE SET score = excluded.score,"
            " on_topic = excluded.on_topic, evidence = excluded.evidence, profile_hash = excluded.profile_hash,"
            " published_at = excluded.published_at",
            [
                (
                    article_id, match.topic, match.score, int(match.on_topic), _evidence(match.evidence),
                    match.profile_hash, stamp(published_at),
                )
                for match in matches
            ],
        )  # fmt: skip

    def untag(self, article_id: int, topics: Iterable[str]) -> None:
        """Forgets how an article stood to topics it no longer matches."""
        self._db.executemany(
            "DELETE FROM article_topics WHERE article_id = ? AND topic = ?",
            [(article_id, topic) for topic in topics],
        )

    def tags(self, topic: str) -> dict[int, Tag]:
        """Every stored tag of a topic, by article id."""
        rows = self._db.execute(
            "SELECT t.article_id, t.score, t.on_topic, t.profile_hash, a.title, o.name FROM article_topics t"
            " JOIN articles a ON a.id = t.article_id JOIN outlets o ON o.id = a.outlet_id WHERE t.topic = ?",
            (topic,),
        )
        return {row[0]: Tag(row[0], row[1], bool(row[2]), row[3], row[4], row[5]) for row in rows}


def _evidence(evidence: tuple[Evidence, ...]) -> str:
    return _json([asdict(one) for one in evidence])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
