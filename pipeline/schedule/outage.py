"""Is it the world or is it us? Whether the network here seems to be down, from what the latest polls met. Pure.

When no connection comes about to anybody, the fault is ours: feeds should then neither be called failing nor wait for
hours (fetch contract N3 is for their faults), and not many of them need be tried until one answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

HOSTS = 5
"""Different hosts that must have failed in a row, none answering in between, before it is our fault."""

WITHIN = timedelta(minutes=15)
"""What was met longer ago says nothing of now."""

UNREACHED = frozenset({"dns", "unreachable", "timeout"})
"""Kinds of FetchError that a dead line makes too. A connection that is refused or reset is an answer."""

SILENT = frozenset({"address", "scheme"})
"""Kinds that say nothing of the line, since nobody was asked."""


@dataclass(frozen=True, slots=True)
class Line:
    """The hosts that could not be reached since one last was, with the moment of each; the latest last."""

    unreached: tuple[tuple[str, datetime], ...] = ()

    @property
    def down(self) -> bool:
        """Whether the network here seems to be down."""
        return len(self.unreached) >= HOSTS

    @property
    def since(self) -> datetime | None:
        """When the first of these hosts could not be reached."""
        return self.unreached[0][1] if self.unreached else None


def heard(line: Line, host: str, kind: str | None, now: datetime) -> Line:
    """The line after one more poll of `host`: `kind` is the FetchError's, `None` for any answer at all.

    A host counts once, however many feeds it holds: one dead server is no dead line.
    """
    if kind in SILENT:
        return line
    if kind not in UNREACHED:
        return Line()
    before = [(name, at) for name, at in line.unreached if name != host and timedelta() <= now - at <= WITHIN]
    return Line((*before[-HOSTS + 1 :], (host, now)))
