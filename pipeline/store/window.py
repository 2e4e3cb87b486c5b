"""The table `story_words`: by which words the reports of recent days find each other, and how common each word is.

What was asked for is remembered, since the reports of a day share their words: one process writes here, and what it
writes it knows. `unlearn` is for when that does not hold (another wrote, a transaction was taken back).
"""

from __future__ import annotations

import heapq
import json
import sqlite3
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

LATEST = 64
"""Articles that are found by one word, the latest of a day, and of a window: a word in every second article must cost
nothing, and of a great many that share it the latest are nearest."""

EVERY = 0
"""The word under which the reports of a day are counted, copies left out; no word has this hash."""

WORDS_HELD = 1 << 14
"""Words that are remembered, about a kilobyte each; then it begins anew."""

SPANS_HELD = 8
"""Windows that are remembered: those of the latest days, and of what comes late."""

Days = dict[int, tuple[int, bytes]]
"""By day, how many reports are known by a word, and the latest of them: their ids, four bytes each."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of some words around a moment: how many reports are known by each, which were the latest (their ids
    as an array of bytes), and how many reports there were in all. Copies are found, but not counted."""

    held: Mapping[int, int]
    latest: Mapping[int, bytes]
    among: int

    def sharing(self, words: Mapping[int, float], limit: int, least: float = 0.0) -> list[int]:
        """Ids of articles known by these words, most weight shared first; at least so much must be shared."""
        shared: dict[int, float] = defaultdict(float)
        rest = sum([weight * weight for word, weight in words.items() if word in self.latest])
        for word, weight in words.items():
            if ids := self.latest.get(word):
                square = weight * weight
                if rest >= least:
                    for article_id in array("I", ids):
                        shared[article_id] += square
                else:  # Who is not there yet cannot come to enough.
                    for article_id in shared.keys() & array("I", ids):
                        shared[article_id] += square
                rest -= square
        near = [(weight, -article_id) for article_id, weight in shared.items() if weight >= least]
        return [-article_id for _, article_id in heapq.nlargest(limit, near)]


class Words:
    """Reads and writes `story_words`; every write stands in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._known: dict[int, Days] = {}
        self._spans: dict[tuple[int, int], dict[int, tuple[int, bytes]]] = {}
        self._unwritten: dict[int, Days] = {}
        self._gathering = False

    def unlearn(self) -> None:
        """What is remembered may not be so any more."""
        self._known.clear()
        self._spans.clear()
        self._unwritten.clear()

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Within it, what is remembered is seen by `window` at once, and written together at the end: the articles of
        one poll share words, and rows in order are written at half the cost."""
        self._gathering = True
        try:
            yield
            self._write()
        finally:
            self._unwritten.clear()
            self._gathering = False

    def window(self, words: Sequence[int], since: datetime, until: datetime) -> Window:
        """What the days from `since` to `until` know of these words: one look-up by index for each that is new here."""
        days = day_of(since), day_of(until)
        if len(self._known) > WORDS_HELD:
            self._known.clear()
            self._spans.clear()
        span = self._spans.get(days)
        if span is None:
            if len(self._spans) >= SPANS_HELD:
                self._spans.clear()
            span = self._spans[days] = {}
        if new := [word for word in (EVERY, *words) if word not in span]:
            self._learn([word for word in new if word not in self._known])
            for word in new:
                span[word] = self._summed(self._known[word], *days)
        found = [(word, span[word]) for word in words]
        held = {word: n for word, (n, _) in found if n}
        return Window(held, {word: ids for word, (_, ids) in found if ids}, span[EVERY][0])

    def _learn(self, words: Sequence[int]) -> None:
        for word in words:
            self._known[word] = {}
        rows = self._db.execute(
            "SELECT w.word, w.day, w.n, w.latest FROM json_each(?) j CROSS JOIN story_words w ON w.word = j.value",
            (json.dumps(words),),
        )
        for word, day, n, latest in rows:
            self._known[word][day] = (n, latest)
        for word in self._unwritten.keys() & words:
            for day, more in self._unwritten[word].items():
                _add(self._known[word], day, more)

    @staticmethod
    def _summed(known: Days, first: int, last: int) -> tuple[int, bytes]:
        # A window has a week's days; a word may be known from hundreds, since feeds list what is years old.
        within = [known[day] for day in range(first, last + 1) if day in known]
        if len(within) == 1:
            return within[0]
        return sum([n for n, _ in within]), b"".join([latest for _, latest in within])[-4 * LATEST :]

    def remember(self, article_id: int, day: int, words: Iterable[int], *, counted: bool, anew: bool) -> None:
        """An article is found by these words from now on. One that is not `counted`, a copy, makes its words no more
        common; one that is `anew` is one more report of its day."""
        own = article_id.to_bytes(4, sys.byteorder)
        touched = [span for (first, last), span in self._spans.items() if first <= day <= last]
        more = (int(counted), own)
        for word in words:
            self._note(word, day, more, touched)
        if anew:
            self._note(EVERY, day, (1, b""), touched)
        if not self._gathering:
            self._write()

    def _note(self, word: int, day: int, more: tuple[int, bytes], touched: list[dict[int, tuple[int, bytes]]]) -> None:
        _add(self._unwritten.setdefault(word, {}), day, more)
        if (known := self._known.get(word)) is not None:
            _add(known, day, more)
            for span in touched:
                span.pop(word, None)

    def _write(self) -> None:
        self._db.executemany(
            "INSERT INTO story_words (word, day, n, latest) VALUES (?, ?, ?, ?) ON CONFLICT (word, day) DO UPDATE SET"  # noqa: S608
            f" n = n + excluded.n, latest = CASE WHEN excluded.word = {EVERY} THEN latest ELSE"
            f" substr(CAST(latest || excluded.latest AS BLOB), -{4 * LATEST}) END",
            [(word, day, n, ids) for word, days in sorted(self._unwritten.items()) for day, (n, ids) in days.items()],
        )
        self._unwritten.clear()

    def forget(self, before: datetime) -> None:
        """Lets go of the days before."""
        day = day_of(before)
        # Asked every hour, but a day ends once.
        if self._db.execute("SELECT 1 FROM story_words WHERE word = ? AND day < ?", (EVERY, day)).fetchone():
            self._db.execute("DELETE FROM story_words WHERE day < ?", (day,))
            self.unlearn()


def _add(days: Days, day: int, more: tuple[int, bytes]) -> None:
    before = days.get(day)
    days[day] = (before[0] + more[0], (before[1] + more[1])[-4 * LATEST :]) if before else more


def day_of(at: datetime) -> int:
    """Days since 1970."""
    return int(at.timestamp() // 86400)
