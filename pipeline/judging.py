"""One article is judged and placed: which topics it is on, which story it belongs to. Names the steps, decides nothing.

Every way an article comes in (a poll, an archive, a hub, a file) ends here, and so does every retag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline import prints, reading, schedule, stories, topics
from pipeline.model import Article, Feed, Placement
from pipeline.reading import Reading
from pipeline.regroup import clash
from pipeline.store import Store
from pipeline.store.stories import Middle, Neighbour
from pipeline.store.window import Window
from pipeline.topics import Compiled, Panel
from pipeline.urls import OutletBook

NEAR_MISS = 0.4
"""A match below this share of the threshold is not kept: nobody would call it a near miss."""

CANDIDATES = 24
"""Neighbours that are looked at closely for one article."""


_NOTHING: Mapping[str, bool] = {}


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
            placement = replace(placement, story_id=self.wanted[0], similarity=1.0, absorbs=self.wanted[1:], takes=())
        if not (placement.absorbs or placement.takes) or not desk.store.corrections.any():
            return placement
        said = desk.store.corrections.resolved(desk.store.articles.ids)
        here = desk.store.stories.members(placement.story_id) if placement.story_id is not None else []
        kept = []
        for story_id in placement.absorbs:
            members = desk.store.stories.members(story_id)
            if story_id not in self.barred and not clash(members, here, said.apart):
                kept.append(story_id)
                here += members
        # Of whom a person said anything stays where that word put them.
        named = said.apart.keys() | {one for pair in said.together for one in pair}
        takes = tuple(one for one in placement.takes if one not in named)
        return replace(placement, absorbs=tuple(kept), takes=takes)


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
    """Judges an article whose words (or moment) are others now, and lets it be found by them."""
    (revised,) = desk.store.articles.get([article_id])
    read = reading.of(revised)
    _judge(article_id, revised, desk, read, desk.store.feedback.on(article_id, revised.url))
    desk.store.stories.recount([article_id])
    own, _ = _fingerprint(revised, read, desk)
    at = stories.moment(revised)
    before = desk.store.stories.neighbours([article_id])
    known = prints.telling_words(prints.unpacked(before[0].print)) if before else {}
    words = prints.telling_words(own).keys() - known.keys()
    desk.store.stories.remember(article_id, at, sorted(words), prints.packed(own), again=True)


def recall(article_id: int, article: Article, desk: Desk, *, is_copy: bool) -> None:
    """Lets an article that has its place already be found by its words, as if it had just come."""
    own, _ = _fingerprint(article, reading.of(article), desk)
    at = stories.moment(article)
    words = prints.telling_words(own)
    desk.store.stories.remember(article_id, at, words, prints.packed(own), counted=not is_copy)


def take_in(added: Sequence[tuple[int, Article]], desk: Desk) -> None:
    """Indexes, judges and places new articles; shared by feeds and `import`."""
    store = desk.store
    doubtful: list[set[int]] = []
    store.articles.index([article_id for article_id, _ in added])
    said = store.feedback.among([(article_id, article.url) for article_id, article in added])
    corrected = store.corrections.any()
    with store.stories.words.gathering():
        for article_id, article in added:
            read = reading.of(article)
            _judge(article_id, article, desk, read, said.get(article_id, _NOTHING), new=True)
            company = _company(article.url, desk) if corrected else _Company()
            if len(together := _place(article_id, article, desk, read, company)) > 1:
                doubtful.append(together)
    for story_ids in _overlapping(doubtful):
        settle(story_ids, desk)


def judge(article_id: int, article: Article, desk: Desk) -> None:
    """Writes how a stored article stands to each topic, on topic or nearly; what a person said of it goes first."""
    _judge(article_id, article, desk, reading.of(article), desk.store.feedback.on(article_id, article.url))


def _judge(
    article_id: int, article: Article, desk: Desk, read: Reading, said: Mapping[str, bool], *, new: bool = False
) -> None:
    """A `new` article has no tags that could be out of date."""
    found = desk.panel.match(article, 0.0 if said else NEAR_MISS, read)
    if new and not found and not said:
        return
    profiles = [one.profile for one in desk.topics]
    settled = topics.settled(article.url, found, profiles, said)
    least = {profile.slug: profile.threshold * NEAR_MISS for profile in profiles}
    kept = [match for match in settled if match.decided_by == "person" or match.score >= least[match.topic]]
    if not new:
        desk.store.topics.untag(article_id, least.keys() - {match.topic for match in kept})
    desk.store.topics.tag(article_id, article.published_at or article.first_seen_at, kept)


def _place(article_id: int, article: Article, desk: Desk, read: Reading, company: _Company) -> set[int]:
    """Finds the article's neighbours and puts it where it belongs; returns its story, and those that come so close that
    they should be looked at again together."""
    own, window = _fingerprint(article, read, desk)
    words, at = prints.telling_words(own), stories.moment(article)
    near = desk.store.stories.neighbours(window.sharing(words, CANDIDATES, stories.LOOK))
    # A story that an article must not be in is none to the judge; its reports may still be what it copies.
    candidates = [
        replace(one, story_id=None) if one.story_id in company.barred else one for one in map(_candidate, near)
    ]
    centres = _centres({one.story_id for one in candidates if one.story_id is not None}, desk)
    texts = desk.store.articles.texts(stories.look_twice(article, own, candidates))
    placement = company.settle(stories.place(article, own, candidates, centres, texts, window.among), desk)
    packed = prints.packed(own)
    fresh = placement.copy_of is None and placement.original_of is None
    desk.store.stories.remember(article_id, at, words, packed, counted=fresh)
    if fresh and placement.story_id is None:
        opened = desk.store.stories.open(article_id, Middle(1, packed, at, at, article_id))
        return {opened, *placement.close} - company.barred
    story_id = desk.store.stories.place(article_id, article.title, at, placement)
    joined = centres.get(placement.story_id) if placement.story_id is not None else None
    if placement.story_id is None:
        _keep_centre(story_id, stories.opened(article_id, own, at), desk)
    elif joined and not (placement.absorbs or placement.takes or placement.original_of):
        if not placement.copy_of:
            joined = stories.joined(_with_central(joined, desk), article_id, own, at)
        _keep_centre(story_id, joined, desk)
    return {story_id, *placement.close} - company.barred


def settle(story_ids: Iterable[int], desk: Desk) -> int:
    """Looks at all reports of these stories again, whatever order they came in; returns how many moved.

    Stories in which a person said what belongs stay as they are, and so do reports that no window remembers. A story
    of very many reports is looked at as a whole.
    """
    kept = desk.store.stories
    said = desk.store.corrections.resolved(desk.store.articles.ids) if desk.store.corrections.any() else None
    named = said.apart.keys() | {one for pair in said.together for one in pair} if said else set()
    sizes = kept.sizes(story_ids)
    large = {story_id for story_id, size in sizes.items() if size >= stories.LARGE}
    whole = _centres({one for one in large if not (named and named.intersection(kept.members(one)))}, desk)
    members = [kept.members(story_id) for story_id in sorted(sizes.keys() - large)]
    free = [one for group in members if not named.intersection(group) for one in group]
    reports = [_candidate(one) for one in kept.neighbours(free)]
    if len(reports) + len(whole) < 2:
        return 0
    last = max([*(one.seen_at for one in reports), *(centre.last_at for centre in whole.values())])
    window = kept.words.window((), last - stories.WINDOW, last + stories.WINDOW)
    groups = stories.grouped(reports, window.among, whole)
    if whole:
        # One that nobody joined, and that joined nobody, stays as it is.
        groups = [group for group in groups if len(group) > 1 or group[0] > 0]
        groups = [[one for name in group for one in (kept.members(-name) if name < 0 else [name])] for group in groups]
    return kept.settle(groups)


def _overlapping(sets: Iterable[set[int]]) -> list[set[int]]:
    """Sets that share something as one, in the order of their smallest."""
    found: list[set[int]] = []
    for one in sets:
        whole = set(one)
        apart = []
        for other in found:
            if other & whole:
                whole |= other
            else:
                apart.append(other)
        found = [*apart, whole]
    return sorted(found, key=min)


def _fingerprint(article: Article, read: Reading, desk: Desk) -> tuple[prints.Vector, Window]:
    """An article's fingerprint, and what the window knows of its words."""
    words, at = prints.told(read.title, read.opening), stories.moment(article)
    window = desk.store.stories.words.window(prints.asked(words), at - stories.WINDOW, at + stories.WINDOW)
    return prints.fingerprint(words, window.held, window.among), window


def _candidate(one: Neighbour) -> stories.Candidate:
    own = prints.unpacked(one.print)
    return stories.Candidate(one.article_id, one.outlet, one.seen_at, one.copy_of, one.story_id, own, hash(one.print))


def _centres(story_ids: set[int], desk: Desk) -> dict[int, stories.Centre]:
    """The centres of these stories, without the fingerprint of the central report where that is stored; one that is not
    known, since its reports changed, is made anew from them."""
    found = {}
    for story_id, middle in desk.store.stories.middles(story_ids).items():
        found[story_id] = stories.Centre(
            middle.count, prints.unpacked(middle.sum), middle.first_at, middle.last_at, middle.central_id
        )
    for story_id in sorted(story_ids - found.keys()):
        reports = desk.store.stories.neighbours(desk.store.stories.members(story_id))
        if centre := stories.gathered([_candidate(one) for one in reports]):
            found[story_id] = centre
            _keep_centre(story_id, centre, desk)
    return found


def _with_central(centre: stories.Centre, desk: Desk) -> stories.Centre:
    if centre.central is not None or centre.central_id is None:
        return centre
    held = desk.store.stories.print_of(centre.central_id)
    return replace(centre, central=prints.unpacked(held)) if held else centre


def _keep_centre(story_id: int, centre: stories.Centre, desk: Desk) -> None:
    packed = prints.packed(centre.sum)
    middle = Middle(centre.count, packed, centre.first_at, centre.last_at, centre.central_id)
    desk.store.stories.keep_middle(story_id, middle)
