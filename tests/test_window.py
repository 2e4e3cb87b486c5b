"""The words of recent reports: what is remembered of them is what is stored, and nobody near enough is left out."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.store import Store
from pipeline.store.window import LATEST, Window, Words, day_of

DAY = timedelta(days=1)
WORDS = (11, 12, 13)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "news.db", what="test") as made:
        yield made


def remember(store: Store, article_id: int, *words: int, day: int = 0, counted: bool = True) -> None:
    at = day_of(NOW) + day
    store.stories.words.remember(article_id, at, words, counted=counted, anew=counted)


def asked(store: Store, fresh: bool = False) -> tuple[dict[int, int], dict[int, list[int]], int]:
    words = Words(store.connection) if fresh else store.stories.words
    found = words.window(WORDS, NOW - 3 * DAY, NOW + 3 * DAY)
    return dict(found.held), {word: array("I", ids).tolist() for word, ids in found.latest.items()}, found.among


def test_what_is_gathered_is_seen_at_once_and_stored_at_the_end(store: Store) -> None:
    with store.transaction():
        remember(store, 1, 11, 12)
        before = asked(store)
        with store.stories.words.gathering():
            remember(store, 2, 11, 13, day=-1)
            remember(store, 3, 11, counted=False)
            within = asked(store)
            assert asked(store, fresh=True) == before, "not written yet"
        assert before == ({11: 1, 12: 1}, {11: [1], 12: [1]}, 1)
        assert within == ({11: 2, 12: 1, 13: 1}, {11: [2, 1, 3], 12: [1], 13: [2]}, 2)
        assert asked(store) == asked(store, fresh=True) == within


def test_a_transaction_that_was_taken_back_is_forgotten(store: Store) -> None:
    with store.transaction():
        remember(store, 1, 11)
    with suppress(ZeroDivisionError), store.transaction():
        remember(store, 2, 11)
        assert asked(store)[0] == {11: 2}
        raise ZeroDivisionError
    assert asked(store)[0] == {11: 1}


def test_what_another_wrote_is_heard_at_the_next_transaction(store: Store, tmp_path: Path) -> None:
    with store.transaction():
        remember(store, 1, 11)
        assert asked(store)[0] == {11: 1}
    with Store.beside(tmp_path / "news.db") as other, other.transaction():
        remember(other, 2, 11)
    with store.transaction():
        assert asked(store)[0] == {11: 2}


def test_days_that_are_let_go_of_are_forgotten(store: Store) -> None:
    with store.transaction():
        remember(store, 1, 11, day=-2)
        remember(store, 2, 11)
        assert asked(store) == ({11: 2}, {11: [1, 2]}, 2)
        store.stories.words.forget(NOW - DAY)
        assert asked(store) == ({11: 1}, {11: [2]}, 1)


def test_a_word_that_everybody_has_is_counted_and_finds_the_latest(store: Store) -> None:
    with store.transaction(), store.stories.words.gathering():
        for number in range(2 * LATEST):
            remember(store, number, 11, day=number // LATEST)
            remember(store, 1000 + number, 11, day=number // LATEST)
    held, latest, among = asked(store)
    assert (held[11], among) == (4 * LATEST, 4 * LATEST)
    assert {one % 1000 for one in latest[11]} == {*range(LATEST + LATEST // 2, 2 * LATEST)}
    assert asked(store, fresh=True) == asked(store)


STEPS = st.tuples(st.sampled_from([*WORDS, 99]), st.integers(-5, 1), st.booleans(), st.booleans())


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_what_is_remembered_is_what_is_stored(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, bool, bool]]
) -> None:
    with Store.open(tmp_path_factory.mktemp("db") / "news.db", what="test") as store, store.transaction():
        for number, (word, day, counted, look) in enumerate(steps, 1):
            remember(store, number, word, day=day, counted=counted)
            if look:
                assert asked(store) == asked(store, fresh=True)
        assert asked(store) == asked(store, fresh=True)


@given(
    st.dictionaries(st.integers(1, 20), st.floats(0.01, 1), max_size=12),
    st.dictionaries(st.integers(1, 20), st.lists(st.integers(1, 40), unique=True, max_size=20), max_size=12),
    st.floats(0, 1.5),
)
def test_who_shares_enough_is_found_and_nobody_else(
    words: dict[int, float], known: dict[int, list[int]], least: float
) -> None:
    window = Window({}, {word: array("I", ids).tobytes() for word, ids in known.items() if ids}, 0)
    ordered = dict(sorted(words.items(), key=lambda pair: -pair[1]))
    shared = {
        one: sum(weight**2 for word, weight in words.items() if one in known.get(word, ()))
        for one in {one for ids in known.values() for one in ids}
    }
    clear = {one for one, weight in shared.items() if weight >= least + 1e-9 and weight > 0}
    found = window.sharing(ordered, 100, least)
    assert clear <= set(found) <= {one for one, weight in shared.items() if weight >= least - 1e-9}
    assert [round(shared[one], 9) for one in found] == sorted((round(shared[one], 9) for one in found), reverse=True)
