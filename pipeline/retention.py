"""Which articles may go: by age, topic and outlet. Pure.

A story goes whole or stays whole, since what it tells (who had it, who ran the wire) is told by all its articles. What
a person said anything of stays, and so does what is on a topic, unless a rule names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LEAST = timedelta(days=7)
"""The shortest that anything is kept: longer than stories look back, and than most feeds list an entry."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How long what is kept; `None` and what is not named: for ever.

    `articles` is for those on no topic, `outlets` (by name) says otherwise for some of them. `on_topic` is for those on
    a topic, `topics` (by slug) says otherwise for some. An article on several topics stays as long as the longest of
    them. `labelled` is for what people labelled, which is kept for ever where it is `None`. `polls` are the rows of
    that table.
    """

    articles: timedelta | None = None
    on_topic: timedelta | None = None
    outlets: Mapping[str, timedelta] = field(default_factory=dict)
    topics: Mapping[str, timedelta] = field(default_factory=dict)
    labelled: timedelta | None = None
    polls: timedelta | None = None

    @property
    def least(self) -> timedelta | None:
        """The shortest that any article is kept; `None` when none ever goes."""
        ages = [age for age in (self.articles, self.on_topic, *self.outlets.values(), *self.topics.values()) if age]
        return min(ages, default=None)

    def age_of(self, one: Kept) -> timedelta | None:
        """How long an article is kept; `None` for ever."""
        if one.said and self.labelled is None:
            return None
        if one.topics:
            ages = [self.topics.get(topic, self.on_topic) for topic in one.topics]
            age = None if None in ages else max(age for age in ages if age)
        else:
            age = self.outlets.get(one.outlet, self.articles)
        if age is None or not one.said:
            return age
        assert self.labelled is not None
        return max(age, self.labelled)


@dataclass(frozen=True, slots=True)
class Kept:
    """What decides about an article: when we got it, whose it is, which topics it is on, whether people said anything
    of it, and whether an article elsewhere is a copy of it."""

    id: int
    outlet: str
    since: datetime
    topics: tuple[str, ...] = ()
    said: bool = False
    copied_elsewhere: bool = False


def may_go(story: Iterable[Kept], rules: Rules, now: datetime) -> bool:
    """Whether all articles of a story may go."""
    return all(
        (age := rules.age_of(one)) is not None and now - one.since > age and not one.copied_elsewhere for one in story
    )
