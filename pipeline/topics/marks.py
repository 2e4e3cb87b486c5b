"""How good verdicts are against what people said, and which terms made a difference. Pure: values in, numbers out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.model import Evidence

LEAST_POINTS = 0.005
"""A term whose points moved by less than this made no difference that a person could see."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Verdicts against labels: rightly on topic, wrongly on topic, missed, rightly left out."""

    hit: int = 0
    wrong: int = 0
    missed: int = 0
    left: int = 0

    @property
    def labels(self) -> int:
        """How many labels that is."""
        return self.hit + self.wrong + self.missed + self.left

    @property
    def precision(self) -> float | None:
        """Share of those on topic that people call so, 0 to 1; `None` when nothing is on topic."""
        return self.hit / (self.hit + self.wrong) if self.hit + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Share of what people call on topic that is found, 0 to 1; `None` when they call nothing so."""
        return self.hit / (self.hit + self.missed) if self.hit + self.missed else None

    @property
    def right(self) -> int:
        """How many labels the verdicts agree with."""
        return self.hit + self.left


def marks(pairs: Iterable[tuple[bool, bool]]) -> Marks:
    """The marks of (verdict, label) pairs, each `True` for on topic."""
    counts = dict.fromkeys(((True, True), (True, False), (False, True), (False, False)), 0)
    for pair in pairs:
        counts[pair] += 1
    return Marks(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


@dataclass(frozen=True, slots=True)
class Difference:
    """A term, and the points it brought by one profile and by another."""

    term: str
    was: float
    now: float


def differences(was: Iterable[Evidence], now: Iterable[Evidence]) -> tuple[Difference, ...]:
    """The terms whose points differ between two readings of one article, the greatest difference first."""
    points: dict[str, list[float]] = {}
    for side, evidence in enumerate((was, now)):
        for piece in evidence:
            points.setdefault(piece.term, [0.0, 0.0])[side] += piece.points
    found = [Difference(term, round(old, 4), round(new, 4)) for term, (old, new) in points.items()]
    moved = [one for one in found if abs(one.now - one.was) >= LEAST_POINTS]
    return tuple(sorted(moved, key=lambda one: (-abs(one.now - one.was), one.term)))
