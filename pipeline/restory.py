"""Stories looked at again over all that is remembered, in whatever order it once came. May stop and go on anywhere.

The same look that every poll ends with (`judging.settle`), for all stories that reports of one window bring near each
other. A person's merges and splits stand. Reports that no window remembers any more stay where they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from pipeline import prints, stories
from pipeline.judging import CANDIDATES, Desk, settle


def again(desk: Desk, told: Callable[[int, int], None] = lambda done, all_of_them: None) -> tuple[int, int]:
    """Looks at every story again; returns how many reports were looked at, and how many are in another story now.

    Each neighbourhood is a transaction of its own: what was done before a stop stands, and a second run changes little
    or nothing. `told` hears how many reports are done, of how many.
    """
    remembered = desk.store.stories.remembered()
    done = moved = 0
    for story_ids, reports in _neighbourhoods(desk, remembered):
        if len(story_ids) > 1 or reports > 1:
            with desk.store.transaction():
                moved += settle(story_ids, desk)
        done += reports
        told(done, len(remembered))
    return len(remembered), moved


def around(desk: Desk, article_ids: Iterable[int]) -> int:
    """The same for the stories of these articles and those near them; returns how many reports moved."""
    near = {story_id for one in article_ids for story_id in _near(desk, one)}
    if not near:
        return 0
    with desk.store.transaction():
        return settle(near, desk)


def _neighbourhoods(desk: Desk, remembered: list[int]) -> Iterator[tuple[set[int], int]]:
    """The stories that are near each other, by chains, and how many reports they hold; those of one story too."""
    head: dict[int, int] = {}

    def root(one: int) -> int:
        head.setdefault(one, one)
        while head[one] != one:
            head[one] = head[head[one]]
            one = head[one]
        return one

    reports: dict[int, int] = defaultdict(int)
    for article_id in remembered:
        first, *others = sorted(_near(desk, article_id)) or [0]
        reports[first] += 1
        for other in others:
            head[root(other)] = root(first)
    found: dict[int, set[int]] = defaultdict(set)
    for one in [*reports, *head]:
        found[root(one)].add(one)
    for group in found.values():
        yield group - {0}, sum(reports[one] for one in group)


def _near(desk: Desk, article_id: int) -> set[int]:
    """The story of a report, and those of reports it is close to."""
    own = desk.store.stories.neighbours([article_id])
    if not own:
        return set()
    (one,) = own
    vector = prints.unpacked(one.print)
    words = prints.telling_words(vector)
    window = desk.store.stories.words.window(list(words), one.seen_at - stories.WINDOW, one.seen_at + stories.WINDOW)
    others = desk.store.stories.neighbours(window.sharing(words, CANDIDATES))
    close = {
        other.story_id
        for other in others
        if stories.alike(vector, prints.unpacked(other.print)) >= stories.CLOSE * stories.SETTLED
    }
    return {story_id for story_id in (one.story_id, *close) if story_id is not None}
