"""A person's word on stories: brought into the stored stories, and kept when an article is placed.

The word is about articles (`store/corrections.py`); which stories that concerns is found out here, each time anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pipeline.model import Said
from pipeline.store import Store


def hear(store: Store) -> int:
    """Makes the stored stories agree with all that people said, in one transaction; returns how many articles moved.

    Cheap when they agree already. Articles that are not here, or in no story, are passed over.
    """
    said = store.corrections.resolved(store.articles.ids)
    if not said.together and not said.apart:
        return 0
    with store.transaction():
        return _part(store, said) + _join(store, said)


def _part(store: Store, said: Said) -> int:
    """Whoever stands in one story with an article he is apart from leaves it, with those that belong to him."""
    places = store.stories.of([*said.apart, *(other for others in said.apart.values() for other in others)])
    leaving: dict[int, list[int]] = defaultdict(list)
    for one, others in said.apart.items():
        story_id = places.get(one)
        if story_id is not None and any(places.get(other) == story_id for other in others):
            leaving[story_id].append(one)
    moved = 0
    for articles in leaving.values():
        for group in components(articles, said.together):
            store.stories.move(group, None)
            moved += len(group)
    return moved


def _join(store: Store, said: Said) -> int:
    """Whoever belongs together comes together: whole stories; where somebody in them must not, the article alone."""
    moved = 0
    for article_id, other in said.together:
        places = store.stories.of([article_id, other])
        one, two = places.get(article_id), places.get(other)
        if one is None or two is None or one == two:
            continue
        here, there = store.stories.members(two), store.stories.members(one)
        group = there if not clash(there, here, said.apart) else [article_id]
        if not clash(group, here, said.apart):
            store.stories.move(group, two)
            moved += len(group)
    return moved


def clash(some: Sequence[int], others: Sequence[int], apart: Mapping[int, frozenset[int]]) -> bool:
    """Whether anyone of `some` stands apart from anyone of `others`."""
    these, those = set(some), set(others)
    return any(apart.get(one, frozenset()) & those for one in these) or any(
        apart.get(one, frozenset()) & these for one in those
    )


def components(articles: Sequence[int], together: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The articles in groups that belong together, each in order, by chains of pairs among them."""
    group = {one: one for one in articles}

    def head(one: int) -> int:
        while group[one] != one:
            group[one] = group[group[one]]
            one = group[one]
        return one

    for one, other in together:
        if one in group and other in group:
            group[max(head(one), head(other))] = min(head(one), head(other))
    found: dict[int, list[int]] = defaultdict(list)
    for one in sorted(set(articles)):
        found[head(one)].append(one)
    return list(found.values())
