"""The table `story_corrections` in feedback.db: which articles belong together and which do not, in a person's word.

Stories are derived and their numbers change, so a word is about articles: two that belong `together`, or two that
stand `apart`. Rows are appended; one that a later word contradicts is marked and stays. Articles are named by URL, and
by number only where they have none, so that the word holds in a database made anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any

from pipeline.model import Correction, Said
from pipeline.store.feedback import Feedback, moment, told, transaction
from pipeline.times import stamp

Named = tuple[int, str]
"""An article by its number and its address."""


class Corrections:
    """Reads and writes what people said of stories. Every write is a transaction of its own, without news.db."""

    def __init__(self, feedback: Feedback) -> None:
        self._db, self._path = feedback.connection, feedback.path
        with told(self._path):
            there = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'story_corrections'").fetchone()
        self._there = there is not None

    def merge(self, articles: Sequence[Named], actor: str, now: datetime) -> int:
        """These articles are of one event, says `actor`: each is tied to the first. What kept any two of them apart is
        taken back. Returns how many pairs were tied."""
        first, *others = dict.fromkeys(articles)
        self._write("apart", "together", product(articles, articles), product(others, [first]), actor, now)
        return len(others)

    def split(self, articles: Sequence[Named], rest: Sequence[Named], actor: str, now: datetime) -> int:
        """These articles are not of one event with the rest, says `actor`; among themselves they are. What tied one of
        them to the rest is taken back. Returns how many pairs were parted."""
        pairs = list(product(dict.fromkeys(articles), dict.fromkeys(rest)))
        self._write("together", "apart", [*pairs, *((b, a) for a, b in pairs)], pairs, actor, now)
        if len(set(articles)) > 1:
            self.merge(articles, actor, now)
        return len(pairs)

    def _write(
        self, over: str, action: str, undone: Iterable[tuple[Named, Named]], pairs: Iterable[tuple[Named, Named]],
        actor: str, now: datetime,
    ) -> None:  # fmt: skip
        with told(self._path), transaction(self._db):
            self._db.executemany(
                "UPDATE story_corrections SET withdrawn_at = ? WHERE withdrawn_at IS NULL AND action = ?"
                " AND url = ? AND other_url = ?",
                [(stamp(now), over, one[1], other[1]) for one, other in undone if one != other],
            )
            self._db.executemany(
                "INSERT INTO story_corrections"
                " (action, article_id, other_article_id, url, other_url, actor, created_at)"
                " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM story_corrections"
                " WHERE action = ?1 AND url = ?4 AND other_url = ?5 AND withdrawn_at IS NULL)",
                [(action, one[0], other[0], one[1], other[1], actor, stamp(now)) for one, other in pairs],
            )

    def withdraw(self, numbers: Sequence[int], now: datetime) -> tuple[Correction, ...]:
        """Takes back what was said, by the numbers of the words, and all that was said in the same breath (one merge is
        a word for each pair). The rows stay, marked. Returns the words; none when no such word counts."""
        words = self.standing()
        breaths = {(one.actor, one.created_at) for one in words if one.id in numbers}
        taken = tuple(one for one in words if (one.actor, one.created_at) in breaths)
        with told(self._path), transaction(self._db):
            self._db.executemany(
                "UPDATE story_corrections SET withdrawn_at = ? WHERE id = ?", [(stamp(now), one.id) for one in taken]
            )
        return taken

    def follow(self, old_url: str, new_url: str) -> None:
        """All that people said of an article, labels too, goes on under the address it has from now on. Done again when
        a crash undid the change in news.db."""
        named = (("labels", "url"), ("story_corrections", "url"), ("story_corrections", "other_url"))
        held = [(t, c) for t, c in named if self._read(f"SELECT 1 FROM {t} WHERE {c} = ? LIMIT 1", old_url)]  # noqa: S608
        if not held:
            return
        with told(self._path), transaction(self._db):
            for table, column in held:
                self._db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new_url, old_url))  # noqa: S608

    def _read(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        with told(self._path):
            return self._db.execute(sql, values).fetchall()

    def standing(self) -> tuple[Correction, ...]:
        """Every word that counts, oldest first."""
        if not self._there:
            return ()
        rows = self._read(
            "SELECT id, action, article_id, other_article_id, url, other_url, actor, created_at FROM story_corrections"
            " WHERE withdrawn_at IS NULL ORDER BY created_at, id"
        )
        return tuple(
            Correction(number, action, one, other, url, other_url, actor, moment(said_at))
            for number, action, one, other, url, other_url, actor, said_at in rows
        )

    def any(self) -> bool:
        """Whether anything counts at all. One look by index."""
        looked = "SELECT EXISTS (SELECT 1 FROM story_corrections WHERE withdrawn_at IS NULL)"
        return self._there and bool(self._read(looked)[0][0])

    def on(self, url: str) -> tuple[frozenset[str], frozenset[str]]:
        """The addresses one article belongs with, and those it stands apart from. By index; asked for every article
        placed."""
        if not self._there:
            return frozenset(), frozenset()
        found: dict[str, set[str]] = {"together": set(), "apart": set()}
        rows = self._read(
            "SELECT action, other_url FROM story_corrections WHERE url = ?1 AND withdrawn_at IS NULL UNION ALL"
            " SELECT action, url FROM story_corrections WHERE other_url = ?1 AND withdrawn_at IS NULL",
            url,
        )
        for action, named in rows:
            if named:
                found[action].add(named)
        return frozenset(found["together"]), frozenset(found["apart"])

    def resolved(self, ids_of: Callable[[Sequence[str]], Mapping[str, int]]) -> Said:
        """All that counts, by the numbers the articles have now (`ids_of`: URLs to numbers); without those that are not
        there."""
        words = self.standing()
        ids = ids_of(sorted({url for word in words for url in (word.url, word.other_url) if url}))
        together: list[tuple[int, int]] = []
        apart: dict[int, set[int]] = defaultdict(set)
        for word in words:
            one = ids.get(word.url) if word.url else word.article_id
            other = ids.get(word.other_url) if word.other_url else word.other_article_id
            if one is None or other is None or one == other:
                continue
            if word.action == "together":
                together.append((one, other))
            else:
                apart[one].add(other)
        return Said(tuple(together), {one: frozenset(others) for one, others in apart.items()})
