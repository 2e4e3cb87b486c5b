"""Stories as races: who reported when, who was first, who only ran the wire. Rows of reports in, values out; pure.

A *newsroom* is a family of outlets. A report is *wire* when it is a copy of another outlet's text, or when an agency
signed it; the earliest print of a text that nobody signed counts as its outlet's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from . import times
from .queries import Row


def wire(report: Row) -> bool:
    """Whether this report is not its outlet's own words."""
    return report["copy_of"] is not None or bool(report["agency"])


@dataclass(frozen=True, slots=True)
class Runner:
    """One newsroom in one story. `lag_s` is counted from the first report of all."""

    family: str
    outlets: tuple[str, ...]
    first_at: str
    lag_s: float
    reports: int
    own: int

    @property
    def only_wire(self) -> bool:
        """Whether none of its reports is in its own words."""
        return self.own == 0


def runners(reports: Sequence[Row]) -> tuple[Runner, ...]:
    """The newsrooms of one story in the order they came. Reports whose time cannot be read come last, with lag 0."""
    held: dict[str, list[Row]] = defaultdict(list)
    for report in sorted(reports, key=lambda row: (times.parse(row["at"]) is None, str(row["at"]))):
        held[report["family"]].append(report)
    start = next((moment for rows in held.values() if (moment := times.parse(rows[0]["at"]))), None)
    found = []
    for family, rows in held.items():
        moment = times.parse(rows[0]["at"])
        lag = (moment - start).total_seconds() if moment and start else 0.0
        names = tuple(dict.fromkeys(row["outlet"] for row in rows))
        found.append(Runner(family, names, rows[0]["at"], lag, len(rows), sum(not wire(row) for row in rows)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Place:
    """How one newsroom came in: 1 is first; newsrooms of the same second share a place."""

    place: int
    among: int
    lag_s: float
    only_wire: bool


def place(field: Sequence[Runner], family: str) -> Place | None:
    """A newsroom's place in one story; `None` when it was not in it."""
    own = next((runner for runner in field if runner.family == family), None)
    if own is None:
        return None
    ahead = sum(runner.lag_s < own.lag_s for runner in field)
    return Place(ahead + 1, len(field), own.lag_s, own.only_wire)


@dataclass(frozen=True, slots=True)
class Form:
    """A newsroom over several stories. `median_lag_s` counts those in which it was not first; `None` without any."""

    stories: int
    first: int
    within_hour: int
    only_wire: int
    median_lag_s: float | None


def form(places: Iterable[Place]) -> Form:
    """The sum of places."""
    held = list(places)
    behind = [one.lag_s for one in held if one.place > 1]
    return Form(
        stories=len(held),
        first=sum(one.place == 1 for one in held),
        within_hour=sum(one.place > 1 and one.lag_s <= 3600 for one in held),
        only_wire=sum(one.only_wire for one in held),
        median_lag_s=median(behind) if behind else None,
    )
