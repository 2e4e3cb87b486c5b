"""One article is judged and placed: which topics it is on, which story it belongs to. Names the steps, decides nothing.

Every way an article comes in (a poll, an archive, a hub, a file) ends here, and so does every retag.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline import schedule, stories, topics
from pipeline.model import Article, Feed, Placement
from pipeline.regroup import clash
from pipeline.store import Store
from pipeline.topics import Compiled, Panel
from pipeline.urls import OutletBook

NEAR_MISS = 0.4
"""A match below this share of the threshold is not kept: nobody would call it a near miss."""

CANDIDATES = 24
"""Neighbours that are looked at closely for one article."""


@dataclass(slots=True)
class Desk:
    """What a poll needs at hand."""

    store: Store
    outlets: OutletBook
    feeds: dict[str, Feed]
    topics: tuple[Compiled, ...]
    pace: schedule.Pace
    host_wide_429: bool = True
    archives: bool = False
    websub: bool = False
    hears: bool = True
    """Whether hubs that promised to tell of a feed find somebody who listens."""
    line: schedule.Line = field(default_factory=schedule.Line)
    _panel: tuple[tuple[Compiled, ...], Panel] | None = None

    @property
    def panel(self) -> Panel:
        """The topics as one, to be asked together; made anew when they are others."""
        if self._panel is None or self._panel[0] is not self.topics:
            self._panel = (self.topics, Panel(self.topics))
        return self._panel[1]


@dataclass(frozen=True, slots=True)
class _Company:
    """What people said of an article before it is placed: stories it belongs in, and stories it must not be in."""

    wanted: tuple[int, ...] = ()
    barred: frozenset[int] = frozenset()

    def settle(self, placement: Placement, desk: Desk) -> Placement:
        """The judge's placement, bound by a person's word: into the wanted story, and nobody comes along whom someone
        there stands apart from."""
        if self.wanted:
            placement = replace(placement, story_id=self.wanted[0], similarity=1.0, absorbs=self.wanted[1:])
        if not placement.absorbs or not desk.store.corrections.any():
            return placement
        said = desk.store.corrections.resolved(desk.store.articles.ids)
        here = desk.store.stories.members(placement.story_id) if placement.story_id is not None else []
        kept = []
        for story_id in placement.absorbs:
            members = desk.store.stories.members(story_id)
            if story_id not in self.barred and not clash(members, here, said.apart):
                kept.append(story_id)
                here += members
        return replace(placement, absorbs=tuple(kept))


def _company(url: str, desk: Desk) -> _Company:
    together, apart = desk.store.corrections.on(url)
    if not together and not apart:
        return _Company()
    ids = desk.store.articles.ids(sorted(together | apart))
    places = desk.store.stories.of(list(ids.values()))
    barred = frozenset(places[ids[one]] for one in apart if one in ids and ids[one] in places)
    wanted = sorted({places[ids[one]] for one in together if one in ids and ids[one] in places} - barred)
    return _Company(tuple(wanted), barred)


def rejudge(article_id: int, desk: Desk) -> None:
    """Judges an article whose words are others now, and lets it be found by them."""
    (revised,) = desk.store.articles.get([article_id])
    judge(article_id, revised, desk)
    own = stories.fingerprint(revised.title, revised.text)
    desk.store.stories.remember(article_id, stories.telling_words(own), stories.packed(own))


def take_in(added: Sequence[tuple[int, Article]], desk: Desk) -> None:
    """Indexes, judges and places new articles; shared by feeds and `import`."""
    desk.store.articles.index([article_id for article_id, _ in added])
    for article_id, article in added:
        judge(article_id, article, desk, new=True)
        place(article_id, article, desk)


def judge(article_id: int, article: Article, desk: Desk, *, new: bool = False) -> None:
    """Writes how the article stands to each topic, on topic or nearly; what a person said of it goes first. A `new` one
    has no tags that could be out of date."""
    said = desk.store.feedback.on(article_id, article.url)
    profiles = [one.profile for one in desk.topics]
    found = topics.settled(article.url, desk.panel.match(article), profiles, said)
    least = {profile.slug: profile.threshold * NEAR_MISS for profile in profiles}
    kept = [match for match in found if match.decided_by == "person" or match.score >= least[match.topic]]
    if not new:
        desk.store.topics.untag(article_id, least.keys() - {match.topic for match in kept})
    desk.store.topics.tag(article_id, article.published_at or article.first_seen_at, kept)


def place(article_id: int, article: Article, desk: Desk) -> None:
    """Finds the article's neighbours and puts it where it belongs."""
    own = stories.fingerprint(article.title, article.text)
    words = stories.telling_words(own)
    since = desk.store.stories.first_since(article.first_seen_at - stories.WINDOW)
    near = desk.store.stories.neighbours(desk.store.stories.sharing(words, since, CANDIDATES))
    candidates = [
        stories.Candidate(n.article_id, n.outlet, n.seen_at, n.copy_of, n.story_id, stories.unpacked(n.print), n.alone)
        for n in near
    ]
    company = _company(article.url, desk)
    # A story that an article must not be in is none to the judge; its reports may still be what it copies.
    candidates = [replace(one, story_id=None) if one.story_id in company.barred else one for one in candidates]
    texts = desk.store.articles.texts(stories.look_twice(own, candidates))
    placement = company.settle(stories.place(article, own, candidates, texts), desk)
    desk.store.stories.place(article_id, article.title, article.published_at or article.first_seen_at, placement)
    desk.store.stories.remember(article_id, words, stories.packed(own))
