"""What two reports share, word by word, remembered for a while. Pure but for that memory, which answers nothing else.

The reports of a story are looked at together at every poll that brings one more, and most pairs were compared before.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping

MOST_HELD = 1 << 15
"""Pairs that are remembered, 150 to 500 bytes each, thus 5 to 16 MB; then it begins anew."""

_held: dict[tuple[int, int], float | array[float]] = {}


def products(
    marks: tuple[int, int], one: Mapping[int, float], other: Mapping[int, float], cap: float
) -> float | array[float]:
    """The products of the weights of the words that two vectors share; only their sum, when none is above `cap`.

    `marks` are numbers that no other vectors have.
    """
    found = _held.get(marks)
    if found is None:
        said = [one[word] * other[word] for word in one.keys() & other.keys()]
        found = array("d", said) if said and max(said) > cap else float(sum(said))
        if len(_held) >= MOST_HELD:
            _held.clear()
        _held[marks] = found
    return found
