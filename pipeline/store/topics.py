"""The tables `topics` and `article_topics`: who matched what, and why."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from pipeline.model import DecidedBy, Evidence, Match, Rules, Term, TopicProfile
from pipeline.times import from_stamp, stamp


@dataclass(frozen=True, slots=True)
class Tag:
    """What is stored of one article and one topic."""

    article_id: int
    score: float
    on_topic: bool
    profile_hash: str
    decided_by: DecidedBy
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How an article stands to a topic, with what it belongs together with: its story, or what it copies (negative)."""

    article_id: int
    score: float
    profile_hash: str
    published_at: str
    group: int


class Topics:
    """Reads and writes topics and tags; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def subscribe(self, profiles: Iterable[TopicProfile]) -> tuple[str, ...]:
        """Makes the table agree with the profiles in the configuration; returns the slugs the archive waits to be
        judged on, those from before a restart included.

        A topic no longer configured becomes inactive and keeps its tags; when it comes back, what arrived meanwhile is
        to be judged.
        """
        before = {row[0]: row[1] for row in self._db.execute("SELECT slug, profile_hash FROM topics WHERE active = 1")}
        self._db.execute("UPDATE topics SET active = 0")
        configured = []
        for profile in profiles:
            whole: dict[str, object] = {
                "terms": [asdict(term) for term in profile.terms],
                "rules": asdict(profile.rules),
                "scale": profile.scale,
                "fitted": profile.fitted,
            }
            self._db.execute(
                "INSERT INTO topics (slug, title, profile_hash, seed, threshold, profile) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (slug) DO UPDATE SET title = excluded.title, profile_hash = excluded.profile_hash,"
                " seed = excluded.seed, threshold = excluded.threshold, profile = excluded.profile, active = 1",
                (profile.slug, profile.title, profile.profile_hash, profile.seed, profile.threshold, _json(whole)),
            )
            configured.append(profile.slug)
            if before.get(profile.slug) != profile.profile_hash:
                self.judge_again(profile.slug)
        waiting = self.waiting()
        return tuple(slug for slug in configured if slug in waiting)

    def judge_again(self, slug: str) -> None:
        """Every article stored now is to be judged anew on this topic; later ones are judged as they come."""
        self._db.execute(
            "UPDATE topics SET judged_to = 0, judge_until = (SELECT coalesce(max(id), 0) FROM articles) WHERE slug = ?",
            (slug,),
        )

    def judge_all(self, slugs: Iterable[str]) -> None:
        """The same for these topics, except that one which waits already goes on where it stands."""
        self._db.executemany(
            "UPDATE topics SET judged_to = coalesce(judged_to, 0),"
            " judge_until = (SELECT coalesce(max(id), 0) FROM articles) WHERE slug = ?",
            [(slug,) for slug in slugs],
        )

    def waiting(self) -> dict[str, tuple[int, int]]:
        """The active topics the archive is still to be judged on: slug to (judged to, until), both article ids."""
        rows = self._db.execute(
            "SELECT slug, judged_to, judge_until FROM topics WHERE active = 1 AND judged_to IS NOT NULL"
        )
        return {row[0]: (row[1], row[2] or 0) for row in rows}

    def judged(self, slugs: Iterable[str], to: int) -> None:
        """Notes how far these topics have come; at the end nothing waits any more."""
        self._db.executemany(
            "UPDATE topics SET judged_to = CASE WHEN ? < judge_until THEN ? END,"
            " judge_until = CASE WHEN ? < judge_until THEN judge_until END WHERE slug = ?",
            [(to, to, to, slug) for slug in slugs],
        )

    def tag(self, article_id: int, published_at: datetime, matches: Iterable[Match]) -> None:
        """Writes how an article stands to its topics; an older verdict on the same topic is replaced."""
        self._db.executemany(
            "INSERT INTO article_topics (article_id, topic, score, on_topic, evidence, profile_hash, published_at,"
            " decided_by, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (article_id, topic) DO UPDATE SET score = excluded.score,"
            " on_topic = excluded.on_topic, evidence = excluded.evidence, profile_hash = excluded.profile_hash,"
            " published_at = excluded.published_at, decided_by = excluded.decided_by, why = excluded.why",
            [
                (
                    article_id, match.topic, match.score, int(match.on_topic), _evidence(match.evidence),
                    match.profile_hash, stamp(published_at), match.decided_by, match.why,
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

    def tags(self, topic: str, article_ids: Sequence[int]) -> dict[int, Tag]:
        """The stored tags of a topic on these articles, by article id."""
        rows = self._db.execute(
            "SELECT article_id, score, on_topic, profile_hash, decided_by, why FROM article_topics"
            " WHERE topic = ? AND article_id IN (SELECT value FROM json_each(?))",
            (topic, _json(list(article_ids))),
        )
        return {row[0]: Tag(row[0], row[1], bool(row[2]), row[3], row[4], row[5]) for row in rows}

    def standing(self, topic: str, most: int, article_ids: Sequence[int] = ()) -> list[Standing]:
        """How articles stand to a topic: the latest `most` on it, the latest `most` off it, and these. Without those
        that a rule keeps out."""
        columns = (
            "SELECT t.article_id, t.score, t.profile_hash, t.published_at, sa.story_id, a.copy_of"
            " FROM ({}) t JOIN articles a ON a.id = t.article_id"
            " LEFT JOIN story_articles sa ON sa.article_id = t.article_id WHERE t.decided_by != 'rule'"
        )
        latest = "SELECT * FROM article_topics WHERE topic = ? AND on_topic = {} ORDER BY published_at DESC LIMIT ?"
        named = "SELECT * FROM article_topics WHERE topic = ? AND article_id IN (SELECT value FROM json_each(?))"
        rows = {
            row[0]: Standing(row[0], row[1], row[2], row[3], row[4] or -(row[5] or row[0]))
            for inner, value in (
                (latest.format(1), most), (latest.format(0), most), (named, _json(list(article_ids)))
            )
            for row in self._db.execute(columns.format(inner), (topic, value))
        }  # fmt: skip
        return [rows[article_id] for article_id in sorted(rows)]

    def last_on(self, topic: str) -> datetime | None:
        """When the latest article on the topic appeared; `None` when there is none."""
        row = self._db.execute(
            "SELECT max(published_at) FROM article_topics WHERE topic = ? AND on_topic = 1", (topic,)
        ).fetchone()
        return from_stamp(row[0])

    def decided_by_people(self) -> dict[tuple[int, str], bool]:
        """The tags that follow a person: (article id, topic) to on topic."""
        rows = self._db.execute("SELECT article_id, topic, on_topic FROM article_topics WHERE decided_by = 'person'")
        return {(row[0], row[1]): bool(row[2]) for row in rows}

    def stored(self, slug: str) -> TopicProfile | None:
        """The profile by which what comes in is judged, as the service last read it; `None` when it never did."""
        row = self._db.execute(
            "SELECT title, threshold, profile, seed, profile_hash FROM topics WHERE slug = ?", (slug,)
        ).fetchone()
        if row is None:
            return None
        whole = json.loads(row[2])
        terms = tuple(Term(**{**term, "aliases": tuple(term["aliases"])}) for term in whole["terms"])
        rules = Rules(**{name: tuple(words) for name, words in whole["rules"].items()})
        return TopicProfile(
            slug, row[0], terms, rules, row[1], row[3], row[4], whole.get("scale", 1.0), whole.get("fitted")
        )


def _evidence(evidence: tuple[Evidence, ...]) -> str:
    return _json([asdict(one) for one in evidence])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
