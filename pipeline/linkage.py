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
) -> list[list[int]]:
    """The places of the things, in groups, each in order; the groups by their first.

    `near` are pairs of places that may be alike at all. `alike` says how much two things, or two that were made of
    several by `both`, are alike: the mean over all pairs between them, or `None` when that is not enough. A group's
    neighbours are those of its members. Costs a call of `alike` for each pair, and one for each neighbour at each join.
    """
    made = dict(enumerate(things))
    members = {at: [at] for at in made}
    beside: dict[int, set[int]] = defaultdict(set)
    heap: list[tuple[float, int, int]] = []

    def consider(one: int, other: int) -> None:
        value = alike(made[one], made[other])
        if value is not None:
            heapq.heappush(heap, (-value, min(one, other), max(one, other)))

    for one, other in near:
        if one != other and other not in beside[one]:
            beside[one].add(other)
            beside[other].add(one)
            consider(one, other)
    new = len(things)
    while heap:
        _, one, other = heapq.heappop(heap)
        if one not in made or other not in made:
            continue
        # A group has a number of its own, so that what was said of its parts is seen to be out of date.
        new += 1
        made[new] = both(made.pop(one), made.pop(other))
        members[new] = members.pop(one) + members.pop(other)
        beside[new] = (beside.pop(one, set()) | beside.pop(other, set())) - {one, other}
        for third in sorted(beside[new]):
            beside[third] -= {one, other}
            beside[third].add(new)
            consider(new, third)
    return sorted(sorted(found) for found in members.values())
