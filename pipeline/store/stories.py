"""The tables `stories` and `story_articles`, and `articles.copy_of`: what belongs together; and the window of recent
articles in which neighbours find each other (`story_words`, `story_prints`, `story_centres`)."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.model import Placement, Story
from pipeline.store.window import Words, day_of
from pipeline.times import from_stamp, stamp

COUNTED = """
    SELECT min(coalesce(a.published_at, a.first_seen_at)), max(coalesce(a.published_at, a.first_seen_at)),
        count(*), count(DISTINCT a.outlet_id), count(DISTINCT o.family)
    FROM story_articles s JOIN articles a ON a.id = s.article_id
    JOIN articles original ON original.id = coalesce(a.copy_of, a.id)
    JOIN outlets o ON o.id = original.outlet_id WHERE s.story_id = stories.id
"""
"""A story's moments and numbers, from its articles. A copy counts for the family of who ran it first."""

_NUMBERS = "(first_at, last_at, article_count, outlet_count, family_count)"

_COLUMNS = "id, title, first_at, last_at, article_count, outlet_count, family_count"
_NEXT_ID = "1 + max(coalesce((SELECT max(id) FROM stories), 0), coalesce((SELECT max(story) FROM story_merges), 0))"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored article that shares telling words with a new one. `seen_at` is the moment it counts from."""

    article_id: int
    outlet: str
    seen_at: datetime
    copy_of: int | None
    story_id: int | None
    print: bytes


@dataclass(frozen=True, slots=True)
class Middle:
    """The centre of a story as it is stored; `central_id` is the report nearest to it."""

    count: int
    sum: bytes
    first_at: datetime
    last_at: datetime
    central_id: int | None


class Stories:
    """Reads neighbours and writes placements; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.words = Words(connection)

    def remember(
        self,
        article_id: int,
        at: datetime,
        words: Iterable[int],
        fingerprint: bytes,
        *,
        counted: bool = True,
        again: bool = False,
    ) -> None:
        """Makes an article findable by these words, and comparable by its fingerprint.

        One that is not `counted`, a copy, makes its words no more common, nor does it count among the reports of its
        day. One that is remembered `again` is known by its new words too, and its story's centre is to be made anew.
        """
        self.words.remember(article_id, day_of(at), words, counted=counted, anew=counted and not again)
        self._db.execute(
            "INSERT INTO story_prints (article_id, print) VALUES (?, ?)"
            " ON CONFLICT (article_id) DO UPDATE SET print = excluded.print",
            (article_id, fingerprint),
        )
        if again:
            self._db.execute(
                "DELETE FROM story_centres WHERE story_id = (SELECT story_id FROM story_articles WHERE article_id = ?)",
                (article_id,),
            )

    def forget(self, before: datetime) -> int:
        """Lets go of words, fingerprints and centres that no window reaches any more; returns how many articles."""
        self.words.forget(before)
        self._db.execute("DELETE FROM story_centres WHERE last_at < ?", (stamp(before),))
        row = self._db.execute(
            "SELECT id FROM articles WHERE first_seen_at >= ? ORDER BY first_seen_at, id LIMIT 1", (stamp(before),)
        ).fetchone()
        first = row[0] if row else 2**62
        return self._db.execute("DELETE FROM story_prints WHERE article_id < ?", (first,)).rowcount

    def remembered(self) -> list[int]:
        """The articles that a window remembers, in order."""
        return [row[0] for row in self._db.execute("SELECT article_id FROM story_prints ORDER BY article_id")]

    def neighbours(self, article_ids: Sequence[int]) -> list[Neighbour]:
        """Those of these articles that are still remembered, as neighbours, in the order asked for."""
        if not article_ids:
            return []
        rows = self._db.execute(
            "SELECT a.id, o.name, min(coalesce(a.published_at, a.first_seen_at), a.first_seen_at), a.copy_of,"
            " s.story_id, p.print FROM json_each(?) j"
            " CROSS JOIN articles a ON a.id = j.value JOIN outlets o ON o.id = a.outlet_id"
            " JOIN story_prints p ON p.article_id = a.id LEFT JOIN story_articles s ON s.article_id = a.id"
            " ORDER BY j.key",
            (json.dumps(list(article_ids)),),
        )
        return [Neighbour(row[0], row[1], _moment(row[2]), *row[3:]) for row in rows]

    def middles(self, story_ids: Iterable[int]) -> dict[int, Middle]:
        """The centres of these stories, where they are known."""
        wanted = sorted(story_ids)
        if not wanted:
            return {}
        rows = self._db.execute(
            "SELECT c.story_id, c.n, c.centre, c.first_at, c.last_at, c.central_id FROM json_each(?) j"
            " CROSS JOIN story_centres c ON c.story_id = j.value",
            (json.dumps(wanted),),
        )
        return {row[0]: Middle(row[1], row[2], _moment(row[3]), _moment(row[4]), row[5]) for row in rows}

    def print_of(self, article_id: int) -> bytes | None:
        """An article's fingerprint, while it is remembered."""
        row = self._db.execute("SELECT print FROM story_prints WHERE article_id = ?", (article_id,)).fetchone()
        return row[0] if row else None

    def keep_middle(self, story_id: int, middle: Middle) -> None:
        """A story has this centre now, and bears the headline of its central report."""
        self._write_middle(story_id, middle)
        self._db.execute(
            "UPDATE stories SET title = coalesce((SELECT title FROM articles WHERE id = ?), title) WHERE id = ?",
            (middle.central_id, story_id),
        )

    def _write_middle(self, story_id: int, middle: Middle) -> None:
        self._db.execute(
            "INSERT INTO story_centres (story_id, n, centre, first_at, last_at, central_id) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (story_id) DO UPDATE SET n = excluded.n, centre = excluded.centre,"
            " first_at = excluded.first_at, last_at = excluded.last_at, central_id = excluded.central_id",
            (story_id, middle.count, middle.sum, stamp(middle.first_at), stamp(middle.last_at), middle.central_id),
        )

    def open(self, article_id: int, middle: Middle) -> int:
        """A new story of one report, whose headline, moment and centre are its own; returns the story's id."""
        row = self._db.execute(
            f"INSERT INTO stories ({_COLUMNS}) SELECT {_NEXT_ID}, coalesce(title, 'Untitled'),"  # noqa: S608
            " coalesce(published_at, first_seen_at), coalesce(published_at, first_seen_at), 1, 1, 1"
            " FROM articles WHERE id = ? RETURNING id",
            (article_id,),
        ).fetchone()
        self._db.execute(
            "INSERT INTO story_articles (story_id, article_id, similarity) VALUES (?, ?, 1.0)", (row[0], article_id)
        )
        self._write_middle(row[0], middle)
        return int(row[0])

    def place(self, article_id: int, title: str | None, at: datetime, placement: Placement) -> int:
        """Puts an article into its story (a new one when the placement names none), and all that comes along; returns
        the story's id. Of stories that become one the oldest stays, and the others lead to it (`story_merges`).

        The centres of the stories that changed are forgotten: they are made anew from their reports, or kept by the
        caller, who knows better.
        """
        if placement.copy_of is not None:
            self._db.execute("UPDATE articles SET copy_of = ? WHERE id = ?", (placement.copy_of, article_id))
        if placement.original_of is not None:
            self._db.execute(
                "UPDATE articles SET copy_of = ?1 WHERE (id = ?2 OR copy_of = ?2) AND id <> ?1",
                (article_id, placement.original_of),
            )
        story_id = placement.story_id
        if story_id is None:
            story_id = self._open(title or "Untitled", stamp(at))
        self._db.execute(
            "INSERT INTO story_articles (story_id, article_id, similarity) VALUES (?, ?, ?)",
            (story_id, article_id, round(placement.similarity, 4)),
        )
        for taken in placement.takes:
            left = self._story_of(taken)
            self._db.execute("UPDATE story_articles SET story_id = ? WHERE article_id = ?", (story_id, taken))
            if left is not None:
                self._left(left, story_id)
        oldest = min([story_id, *placement.absorbs])
        for absorbed in {story_id, *placement.absorbs} - {oldest}:
            self._db.execute("UPDATE story_articles SET story_id = ? WHERE story_id = ?", (oldest, absorbed))
            self._left(absorbed, oldest)
        self._count(oldest)
        if placement.original_of is not None:
            self.recount([article_id])
        return oldest

    def _story_of(self, article_id: int) -> int | None:
        row = self._db.execute("SELECT story_id FROM story_articles WHERE article_id = ?", (article_id,)).fetchone()
        return row[0] if row else None

    def _open(self, title: str, at: str) -> int:
        """A new story, under a number that no story ever had: the address of one that is no more leads elsewhere."""
        row = self._db.execute(
            f"INSERT INTO stories ({_COLUMNS}) VALUES ({_NEXT_ID}, ?, ?, ?, 0, 0, 0) RETURNING id",  # noqa: S608
            (title, at, at),
        ).fetchone()
        return int(row[0])

    def _left(self, story_id: int, for_id: int) -> None:
        """Brings a story that was left up to date; one that nothing is left of leads to where its last report went."""
        if self.members(story_id):
            self._count(story_id)
            return
        self._db.execute("UPDATE story_merges SET into_id = ? WHERE into_id = ?", (for_id, story_id))
        self._db.execute(
            "INSERT INTO story_merges (story, into_id, last_at) SELECT id, ?, last_at FROM stories WHERE id = ?",
            (for_id, story_id),
        )
        self._db.execute("DELETE FROM stories WHERE id = ?", (story_id,))

    def _count(self, story_id: int) -> None:
        """Brings a story's numbers and moments up to date."""
        self._db.execute("DELETE FROM story_centres WHERE story_id = ?", (story_id,))
        self._db.execute(
            # Called after its earliest report, in whatever order the feeds were read, until it has a central one.
            """UPDATE stories SET title = coalesce((
                SELECT a.title FROM story_articles s JOIN articles a ON a.id = s.article_id
                WHERE s.story_id = stories.id AND a.title IS NOT NULL
                ORDER BY coalesce(a.published_at, a.first_seen_at), a.id LIMIT 1
            ), title), """  # noqa: S608
            f"{_NUMBERS} = ({COUNTED}) WHERE id = ?",
            (story_id,),
        )

    def recount(self, article_ids: Sequence[int]) -> None:
        """Brings numbers and moments of the stories of these articles, and of their copies, up to date: a moment, an
        outlet's family or an original may be another now."""
        self._db.execute(
            f"UPDATE stories SET {_NUMBERS} = ({COUNTED}) WHERE {_NUMBERS} IS NOT ({COUNTED}) AND id IN"  # noqa: S608
            " (SELECT s.story_id FROM json_each(?1) j JOIN story_articles s ON s.article_id = j.value UNION"
            " SELECT s.story_id FROM json_each(?1) j JOIN articles c ON c.copy_of = j.value"
            " JOIN story_articles s ON s.article_id = c.id)",
            (json.dumps(list(article_ids)),),
        )

    def recount_of(self, outlet_id: int) -> None:
        """The same for all stories that this outlet's articles share with others."""
        rows = self._db.execute(
            "SELECT a.id FROM articles a JOIN story_articles s ON s.article_id = a.id"
            " JOIN stories t ON t.id = s.story_id WHERE a.outlet_id = ? AND (t.article_count > 1 OR EXISTS"
            " (SELECT 1 FROM articles c WHERE c.copy_of = a.id))",
            (outlet_id,),
        )
        self.recount([row[0] for row in rows])

    def sizes(self, story_ids: Iterable[int]) -> dict[int, int]:
        """How many articles each of these stories has, of those that there are."""
        rows = self._db.execute(
            "SELECT t.id, t.article_count FROM json_each(?) j JOIN stories t ON t.id = j.value",
            (json.dumps(sorted(story_ids)),),
        )
        return dict(rows.fetchall())

    def members(self, story_id: int) -> list[int]:
        """The articles of a story, in order."""
        rows = self._db.execute(
            "SELECT article_id FROM story_articles WHERE story_id = ? ORDER BY article_id", (story_id,)
        )
        return [row[0] for row in rows]

    def get(self, story_id: int) -> Story | None:
        """A story with the URLs of its articles in order of first sight; `None` when there is none."""
        row = self._db.execute("SELECT title, first_at, last_at FROM stories WHERE id = ?", (story_id,)).fetchone()
        if row is None:
            return None
        urls = self._db.execute(
            "SELECT a.url FROM story_articles s JOIN articles a ON a.id = s.article_id WHERE s.story_id = ?"
            " ORDER BY a.id",
            (story_id,),
        )
        return Story(story_id, row[0], tuple(url[0] for url in urls), _moment(row[1]), _moment(row[2]))

    def of(self, article_ids: Sequence[int]) -> dict[int, int]:
        """The story of each of these articles that has one."""
        rows = self._db.execute(
            "SELECT s.article_id, s.story_id FROM json_each(?) j JOIN story_articles s ON s.article_id = j.value",
            (json.dumps(sorted(set(article_ids))),),
        )
        return dict(rows.fetchall())

    def settle(self, groups: Sequence[Sequence[int]]) -> int:
        """Puts articles into stories as these groups say; returns how many are in another one than before.

        A group keeps the story that most of it stands in, the older one at a draw; where another group has it, it gets
        a new one. A story that nothing is left of leads to where its last reports went.
        """
        before = self.of([one for group in groups for one in group])
        claims = sorted(
            (-count, story_id, at)
            for at, group in enumerate(groups)
            for story_id, count in Counter(before[one] for one in group if one in before).items()
        )
        kept: dict[int, int] = {}
        for _, story_id, at in claims:
            if at not in kept and story_id not in kept.values():
                kept[at] = story_id
        moved = 0
        changed: dict[int, int] = {}
        for at, group in enumerate(groups):
            leaving = [one for one in group if one in before and before[one] != kept.get(at)]
            if not leaving:
                continue
            story_id = kept[at] if at in kept else self._open("Untitled", "")
            self._db.execute(
                "UPDATE story_articles SET story_id = ? WHERE article_id IN (SELECT value FROM json_each(?))",
                (story_id, json.dumps(leaving)),
            )
            changed |= {before[one]: story_id for one in leaving}
            changed[story_id] = story_id
            moved += len(leaving)
        for story_id, went in changed.items():
            self._left(story_id, went)
        return moved

    def move(self, article_ids: Sequence[int], story_id: int | None) -> int:
        """Puts articles into a story (`None`: a new one) by a person's word, and returns its id.

        A story that all its articles left is gone; title and numbers of those that stay are brought up to date.
        """
        left = set(self.of(article_ids).values())
        if story_id is None:
            story_id = self._open("Untitled", "")
        self._db.execute(
            "UPDATE story_articles SET story_id = ?, similarity = 1.0"
            " WHERE article_id IN (SELECT value FROM json_each(?))",
            (story_id, json.dumps(list(article_ids))),
        )
        for old in sorted(left - {story_id}):
            self._left(old, story_id)
        self._count(story_id)
        return story_id


def _moment(text: str) -> datetime:
    made = from_stamp(text)
    assert made is not None
    return made
