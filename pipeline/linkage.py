"""Groups by average linkage: the two that are most alike come together first, and so on, until nobody is alike enough.

Knows no article: things, who is near whom, and how alike two are. The order of the things decides nothing but ties.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


def groups(
    things: Sequence[Thing],
    near: Iterable[tuple[int, int]],
    alike: Callable[[Thing, Thing], float | None],
    both: Callable[[Thing, Thing], Thing],
    first: Callable[[Thing, Thing], tuple[float | None, float]] | None = None,
    at_most: Callable[[Thing, Thing, float], float | None] = lambda one, other, reached: reached,
) -> list[list[int]]:
    """The places of the things, in groups, each in order; the groups by their first.

    `near` are pairs of places that may be alike at all. `alike` says how much two things, or two that were made of
    several by `both`, are alike: the mean over all pairs between them, or `None` when that is not enough. A group's
    neighbours are those of its members. Costs a call of `alike` for each pair, and one for each neighbour at each join.

    Most of the latter are spared where `first` says, of two things, what `alike` says and a number that adds up:
    `at_most` says how alike two groups are at most, given its sum over all pairs between them, or `None`. `alike` is
    then asked only of the groups that come first by that, and the groups are the same.
    """
    made = dict(enumerate(things))
    members = {at: [at] for at in made}
    beside: dict[int, set[int]] = defaultdict(set)
    reached: dict[tuple[int, int], float] = {}
    heap: list[tuple[float, bool, int, int]] = []
    """Pairs, the most alike first; those of which only a bound is known before others (False)."""

    def consider(one: int, other: int) -> None:
        value = alike(made[one], made[other])
        if value is not None:
            heapq.heappush(heap, (-value, True, min(one, other), max(one, other)))

    def begin(one: int, other: int) -> None:
        if first is None:
            consider(one, other)
            return
        pair = min(one, other), max(one, other)
        value, reached[pair] = first(made[one], made[other])
        if value is not None:
            heapq.heappush(heap, (-value, True, *pair))

    for one, other in near:
        if one != other and other not in beside[one]:
            beside[one].add(other)
            beside[other].add(one)
            begin(one, other)
    new = len(things)
    while heap:
        _, exact, one, other = heapq.heappop(heap)
        if one not in made or other not in made:
            continue
        if not exact:
            consider(other, one)
            continue
        # A group has a number of its own, so that what was said of its parts is seen to be out of date.
        new += 1
        made[new] = both(made.pop(one), made.pop(other))
        members[new] = members.pop(one) + members.pop(other)
        beside[new] = (beside.pop(one, set()) | beside.pop(other, set())) - {one, other}
        for third in sorted(beside[new]):
            beside[third] -= {one, other}
            beside[third].add(new)
            some = reached.pop((one, third) if one < third else (third, one), None)
            more = reached.pop((other, third) if other < third else (third, other), None)
            if some is None or more is None:
                consider(new, third)
                continue
            reached[third, new] = some + more
            bound = at_most(made[new], made[third], some + more)
            if bound is not None:
                heapq.heappush(heap, (-bound, False, third, new))
    return sorted(sorted(found) for found in members.values())
