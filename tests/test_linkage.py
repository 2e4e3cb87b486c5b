"""Average linkage: the order of the things decides nothing, and nobody is joined who is not alike enough."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.linkage import groups


def grouped(places: list[int], within: float) -> list[list[int]]:
    """Points on a line, alike by how near they are on average."""

    def alike(one: tuple[int, ...], other: tuple[int, ...]) -> float | None:
        far = sum(abs(a - b) for a in one for b in other) / (len(one) * len(other))
        return 1 / (1 + far) if far <= within else None

    things = [(place,) for place in places]
    return groups(things, combinations(range(len(places)), 2), alike, lambda one, other: one + other)


def test_the_most_alike_come_together_first() -> None:
    assert grouped([0, 10, 11, 2, 30], within=4) == [[0, 3], [1, 2], [4]]


def test_a_chain_of_neighbours_is_no_group() -> None:
    assert grouped([0, 3, 6, 9, 12], within=3.5) == [[0, 1], [2, 3], [4]]


def test_nobody_is_joined_without_being_near() -> None:
    alike = groups(["a", "a"], [], lambda one, other: 1.0, lambda one, other: one + other)
    assert alike == [[0], [1]]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=12, unique=True))
def test_every_thing_is_in_one_group_and_order_decides_nothing_but_ties(places: list[int]) -> None:
    places = [place * place for place in places]  # distances that are seldom equal
    found = grouped(places, within=400)
    assert sorted(at for group in found for at in group) == list(range(len(places)))
    other = list(reversed(places))
    told = {frozenset(places[at] for at in group) for group in found}
    assert told == {frozenset(other[at] for at in group) for group in grouped(other, within=400)} or _ties(places)


def _ties(places: list[int]) -> bool:
    apart = [abs(a - b) for a, b in combinations(places, 2)]
    return len(apart) != len(set(apart))
