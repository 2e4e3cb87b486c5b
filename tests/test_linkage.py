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


@settings(max_examples=100)
@given(st.lists(st.lists(st.integers(0, 60), max_size=6), max_size=14), st.data())
def test_groups_are_the_same_where_a_bound_spares_most_of_the_asking(
    words: list[list[int]], data: st.DataObject
) -> None:
    """Things as sets of words, alike by what they share; some of that is not counted, so the bound is no answer."""
    things = [(frozenset(one), 1) for one in words]
    pairs = [*combinations(range(len(things)), 2)]
    near = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    asked = [0]

    def alike(one: tuple[frozenset[int], int], other: tuple[frozenset[int], int]) -> float | None:
        asked[0] += 1
        said = [word for word in one[0] & other[0] if word % 3]
        value = len(said) / (one[1] * other[1])
        return value if value >= 1 / 3 else None

    def first(one: tuple[frozenset[int], int], other: tuple[frozenset[int], int]) -> tuple[float | None, float]:
        return alike(one, other), float(len(one[0] & other[0]))

    def both(one: tuple[frozenset[int], int], other: tuple[frozenset[int], int]) -> tuple[frozenset[int], int]:
        return one[0] | other[0], one[1] + other[1]

    def at_most(one: tuple[frozenset[int], int], other: tuple[frozenset[int], int], reached: float) -> float | None:
        value = reached / (one[1] * other[1])
        return value if value >= 1 / 3 else None

    plain = groups(things, near, alike, both)
    without, asked[0] = asked[0], 0
    assert groups(things, near, alike, both, first, at_most) == plain
    assert asked[0] <= without


def _ties(places: list[int]) -> bool:
    apart = [abs(a - b) for a, b in combinations(places, 2)]
    return len(apart) != len(set(apart))
