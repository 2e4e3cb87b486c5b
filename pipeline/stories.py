"""Is it the same text (copy), and which story does it join. Pure: the store finds the neighbours, this room judges.

Reports are compared by their fingerprints (`prints`). A story is the sum of its reports, its centre. An article joins
where its mean likeness to the reports is enough; what stands nearby is looked at again, since a new report may show
that two stories are one event, or that a report stands in the wrong one.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

from pipeline import compared, linkage, prints, text
from pipeline.model import Article, Placement
from pipeline.prints import Vector

WINDOW = timedelta(hours=72)
"""How far apart, before and after, reports may lie to be of one story. A story goes on for as long as each report
follows the last within this."""

HALF_LIFE = timedelta(hours=30)
"""Time between a report and a story in which their likeness fades to half."""

SAME_EVENT = 0.12
"""Mean likeness from which reports are of one event, were there very many of them."""

DOUBT = 0.04
"""What is asked for on top between two single reports; it shrinks with the root of the pairs compared, as the error of
a mean does. Both measured on labelled stories, see docs/design.md."""

WORD_CAP = 0.06
"""The most that one shared word adds to a likeness: one name is a matter, not an event."""

CROWD, FEW = 0.15, 100
"""For each e-fold of reports in the window beyond a hundred, this share more is asked for: of more, more are
alike by chance. And the cap of a word is lifted a little, since the window then knows how common it is."""

MERGE_DOUBT = 0.12
"""What is asked for on top before two stories become one: that undoes what was said before."""

SETTLED, SETTLED_CROWD = 0.135, 0.11
"""The same for reports that are looked at all together: what is most alike comes together first."""

STAYS = 0.9
"""Share of that which is asked for of reports that stand together already: nobody leaves a story over a hair."""

TWO_GROUPS = 0.85
"""What the likeness of two groups counts for, each of several reports: had they been of one event, they would have come
together before each grew. One report that joins a group is judged by its likeness alone."""

LEAST_NEAR, MOST_NEAR = 0.06, 200
"""Likeness in the most telling words from which two reports are compared, and how many reports of one word are."""

LARGE = 40
"""Reports of a story from which the second look takes it as a whole: that look costs the square of a story's reports,
and a story of thousands goes on for days. Each of its reports was looked at while it was smaller."""

AT_ONCE = timedelta()
"""No time between two groups."""

CLOSE = 0.75
"""Share of what is asked for from which a story is close enough to a report to be looked at together with its own."""

LOOK = 0.06
"""The weight of telling words that a report must share with another to be compared with it at all."""

COPY_SHARE = 0.5
"""Share of the shorter text's five-word runs that stand in the other, from which it is a copy."""

COPY_LOOK = 0.3
"""Likeness from which two texts are compared run by run. A copy's headline may be new, but its words are not."""

COPY_LOOKS = 8
"""Texts that are compared run by run, at most, the likest first."""

LONG_TEXT = 60
"""Words from which half of the runs make a copy. Shorter texts say half the same by chance too often."""

SHORT_SHARE, LEAST_TEXT = 0.8, 20
"""A shorter text, such as a summary, is a copy when this share of its runs is, and it has at least so many words."""

LONGEST_READ = 20_000
"""Characters of a text that are compared; a wire story is a tenth of that."""

CENTRE_WORDS = 240
"""Words of a story's centre that are kept, the heaviest."""


_NONE: Mapping[int, Any] = {}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored article near a new one: who, when, what it copies, in which story, and its fingerprint."""

    article_id: int
    outlet: str
    seen_at: datetime
    copy_of: int | None
    story_id: int | None
    print: Vector
    mark: int = 0
    """A number that no other print has, if it is known: likenesses are remembered by it."""


@dataclass(frozen=True, slots=True)
class Centre:
    """What a story says: the sum of `count` reports' fingerprints (copies left out), and when it began and last went
    on. `central_id` is the report nearest to the centre, whose headline the story bears; `central` its fingerprint."""

    count: int
    sum: Vector
    first_at: datetime
    last_at: datetime
    central_id: int | None = None
    central: Vector | None = None


def moment(article: Article) -> datetime:
    """The moment an article counts from: its own date, unless that lies after we saw it."""
    seen = article.first_seen_at
    return min(article.published_at or seen, seen)


def alike(one: Vector, other: Vector, pairs: int = 1, crowd: float = 0.0) -> float:
    """The mean likeness over so many pairs, of which no single word may be more than its cap."""
    cap = WORD_CAP * (1 + crowd / 4) * pairs
    shared = one.keys() & other.keys()
    return sum([said if (said := one[word] * other[word]) < cap else cap for word in shared]) / pairs


def look_twice(article: Article, own: Vector, candidates: Iterable[Candidate]) -> list[int]:
    """Ids of the candidates so alike that their texts are worth comparing: a copy shares its words."""
    alike = [
        (value, -one.article_id)
        for one in candidates
        if one.outlet != article.outlet and (value := prints.likeness(own, one.print)) >= COPY_LOOK
    ]
    return [-number for _, number in heapq.nlargest(COPY_LOOKS, alike)]


@lru_cache(maxsize=256)
def runs(body: str) -> frozenset[int]:
    """A text's five-word runs; none when it is too short to tell a copy from chance."""
    found = text.tokens(body[:LONGEST_READ])
    return text.shingles(found) if len(found) >= LEAST_TEXT else frozenset()


def same_text(one: frozenset[int], other: frozenset[int]) -> bool:
    """Whether the shorter of two texts, as runs, stands in the other."""
    least = min(len(one), len(other))
    share = COPY_SHARE if least > LONG_TEXT - 5 else SHORT_SHARE
    return least > 0 and len(one & other) >= share * least


def place(
    article: Article,
    own: Vector,
    candidates: Sequence[Candidate],
    centres: Mapping[int, Centre],
    texts: Mapping[int, str],
    among: int = 0,
) -> Placement:
    """Copy of, joins, or opens.

    A copy is the same text at another outlet; it points to the earliest and joins its story. Otherwise the article
    joins the story whose reports are most like it on average, when that is enough. Then stories nearby that turn out to
    be of the same event come along, and so do reports that are more like this story than like their own.
    `centres` are those of the candidates' stories, `texts` those of the candidates that `look_twice` named; the window
    holds `among` reports.
    """
    at, crowd = moment(article), math.log(max(among, FEW) / FEW)
    if (same := _copied(article, at, candidates, texts)) is not None:
        return same
    likely = {story_id: _likely(own, at, centre, crowd) for story_id, centre in centres.items()}
    near = {
        story_id: value
        for story_id, value in likely.items()
        if value > 0 and value >= _enough(centres[story_id].count, crowd)
    }
    close = tuple(sorted(story_id for story_id, value in likely.items() if value > 0 and value >= CLOSE * SETTLED))
    if not near:
        return Placement(None, 1.0, close=close)
    best = max(near, key=lambda story_id: (near[story_id], -story_id))
    grown = _with(centres[best], own, at)
    absorbs = []
    for story_id in sorted(near, key=lambda story_id: (-near[story_id], story_id)):
        if story_id != best and _are_one(grown, centres[story_id], crowd):
            grown = _both(grown, centres[story_id])
            absorbs.append(story_id)
    takes = []
    for one in candidates:
        if one.story_id is None or one.story_id in (best, *absorbs) or one.copy_of or one.story_id not in centres:
            continue
        value, home = _joins(one.print, one.seen_at, grown, crowd), centres[one.story_id]
        if value is None or prints.likeness(own, one.print) < SAME_EVENT:
            continue
        theirs = _to_others(one.print, home)
        if value > theirs and home.count > 1:
            takes.append(one.article_id)
        elif value > theirs:
            absorbs.append(one.story_id)
    return Placement(best, min(1.0, near[best]), absorbs=tuple(absorbs), takes=tuple(takes), close=close)


def _to_others(own: Vector, home: Centre) -> float:
    """A report's mean likeness to the others of its story; 0 when there are none."""
    if home.count < 2:
        return 0.0
    return (prints.likeness(own, home.sum) - prints.likeness(own, own)) / (home.count - 1)


def grouped(reports: Sequence[Candidate], among: int, whole: Mapping[int, Centre] = _NONE) -> list[list[int]]:
    """The ids of these reports in stories, by average linkage: the order in which they came decides nothing.

    A copy goes with its original where that is here. The window holds `among` reports. Of a story that stands as a
    whole its centre is looked at, and the negative of its id stands among the ids.
    """
    crowd = math.log(max(among, FEW) / FEW)
    here = {one.article_id for one in reports}
    own = [one for one in reports if one.copy_of not in here]
    copies: dict[int, list[int]] = defaultdict(list)
    for one in reports:
        if one.copy_of in here:
            copies[one.copy_of or 0].append(one.article_id)
    things = [_Told(opened(one.article_id, one.print, one.seen_at), one.story_id, one.mark) for one in own]
    things += [_Told(centre, story_id, 0) for story_id, centre in whole.items()]
    words = [prints.telling_words(one.print) for one in own] + [_most_telling(centre) for centre in whole.values()]
    found = linkage.groups(
        things, _near(words), partial(_as_one, crowd=crowd, least=_settles(crowd)), _told_together,
        partial(_two, crowd=crowd, least=_settles(crowd)), partial(_at_most, least=_settles(crowd)),
    )  # fmt: skip
    names = [one.article_id for one in own] + [-story_id for story_id in whole]
    ids = [[names[at] for at in group] for group in found]
    return [sorted([*group, *(copy for one in group for copy in copies[one])]) for group in ids]


def _most_telling(centre: Centre) -> dict[int, float]:
    """The words by which a story as a whole is found, and their weights in the mean of its reports."""
    heaviest = heapq.nlargest(prints.TELLING_WORDS, centre.sum.items(), key=itemgetter(1, 0))
    return {word: weight / centre.count for word, weight in heaviest}


def _near(reports: Sequence[Mapping[int, float]]) -> Iterable[tuple[int, int]]:
    """The pairs of reports, given as their most telling words, that share so much that they may be alike."""
    known: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for at, words in enumerate(reports):
        shared: dict[int, float] = defaultdict(float)
        for word, weight in words.items():
            for other, theirs in known[word][-MOST_NEAR:]:
                shared[other] += weight * theirs
            known[word].append((at, weight))
        yield from ((other, at) for other, value in shared.items() if value >= LEAST_NEAR)


@dataclass(frozen=True, slots=True)
class _Told:
    """Reports together, the story that all of them stand in (None: in several), and the mark of one alone."""

    centre: Centre
    story_id: int | None
    mark: int


def _told_together(one: _Told, other: _Told) -> _Told:
    return _Told(_both(one.centre, other.centre), one.story_id if one.story_id == other.story_id else None, 0)


def _as_one(one: _Told, other: _Told, crowd: float, least: float) -> float | None:
    """The mean likeness of these reports to those, faded by the time between them; None when it is not enough."""
    apart = _apart(one.centre, other.centre)
    if apart > WINDOW:
        return None
    value = _of_groups(one.centre, other.centre, crowd) * _fading(apart)
    return value if value >= _stays(one, other) * least else None


def _two(one: _Told, other: _Told, crowd: float, least: float) -> tuple[float | None, float]:
    """The same of two reports, and their likeness with no word capped, which adds up to what groups cannot exceed."""
    if not one.mark or not other.mark:
        return _as_one(one, other, crowd, least), prints.likeness(one.centre.sum, other.centre.sum)
    products = compared.products((one.mark, other.mark), one.centre.sum, other.centre.sum, WORD_CAP)
    reach = value = products if isinstance(products, float) else sum(products)
    apart = _apart(one.centre, other.centre)
    fading, enough = _fading(apart), _stays(one, other) * least
    if apart > WINDOW or reach * fading < enough:
        return None, reach
    if not isinstance(products, float):
        cap = WORD_CAP * (1 + crowd / 4)
        value = sum([said if said < cap else cap for said in products])
    value *= fading
    return (value if value >= enough else None), reach


def _at_most(one: _Told, other: _Told, reached: float, least: float) -> float | None:
    """How alike two groups are at most, as `_as_one` says it."""
    apart = _apart(one.centre, other.centre)
    if apart > WINDOW:
        return None
    value = reached * (1 + 1e-9) / (one.centre.count * other.centre.count) * _fading(apart)
    if min(one.centre.count, other.centre.count) > 1:
        value *= TWO_GROUPS
    return value if value >= _stays(one, other) * least else None


def _stays(one: _Told, other: _Told) -> float:
    return STAYS if one.story_id is not None and one.story_id == other.story_id else 1.0


def _settles(crowd: float) -> float:
    return SETTLED * (1 + SETTLED_CROWD * crowd)


def _copied(
    article: Article, at: datetime, candidates: Sequence[Candidate], texts: Mapping[int, str]
) -> Placement | None:
    """Where the article belongs when its text stands at another outlet; an original seen late takes its place."""
    own = runs(article.text) if texts else frozenset[int]()
    for one in sorted(candidates, key=lambda one: (one.copy_of is not None, one.article_id)):
        if (
            one.article_id not in texts
            or one.outlet == article.outlet
            or not same_text(own, runs(texts[one.article_id]))
        ):
            continue
        if one.copy_of is None and at < one.seen_at:
            return Placement(one.story_id, 1.0, original_of=one.article_id)
        return Placement(one.story_id, 1.0, one.copy_of or one.article_id)
    return None


def _enough(pairs: int, crowd: float) -> float:
    """The mean likeness to ask for over so many pairs of reports."""
    return (SAME_EVENT + DOUBT / math.sqrt(pairs)) * (1 + CROWD * crowd)


def _joins(own: Vector, at: datetime, centre: Centre, crowd: float) -> float | None:
    """A report's mean likeness to a story, faded by the time between them; None when that is not enough."""
    value = _likely(own, at, centre, crowd)
    return value if value > 0 and value >= _enough(centre.count, crowd) else None


def _likely(own: Vector, at: datetime, centre: Centre, crowd: float) -> float:
    """A report's mean likeness to a story, faded by the time between them; 0 beyond the window."""
    apart = max(centre.first_at - at, at - centre.last_at)
    if not centre.count or apart > WINDOW:
        return 0.0
    return alike(own, centre.sum, centre.count, crowd) * _fading(apart)


def _are_one(one: Centre, other: Centre, crowd: float) -> bool:
    """Whether two stories are of one event: their reports' mean likeness, with more asked for than of a report."""
    pairs = one.count * other.count
    value = _of_groups(one, other, crowd) * _fading(_apart(one, other))
    return value >= _enough(pairs, crowd) + MERGE_DOUBT


def _of_groups(one: Centre, other: Centre, crowd: float) -> float:
    """The mean likeness of the reports of one group to those of the other, as much as that says of groups."""
    value = alike(one.sum, other.sum, one.count * other.count, crowd)
    return value * TWO_GROUPS if min(one.count, other.count) > 1 else value


def _apart(one: Centre, other: Centre) -> timedelta:
    """The time between two groups; less than nothing when they overlap."""
    return max(one.first_at - other.last_at, other.first_at - one.last_at)


def _fading(apart: timedelta) -> float:
    return math.exp2(-(apart / HALF_LIFE)) if apart > AT_ONCE else 1.0


def opened(article_id: int, own: Vector, at: datetime) -> Centre:
    """The centre of a story of one report."""
    return Centre(1, own, at, at, article_id, own)


def gathered(reports: Sequence[Candidate]) -> Centre | None:
    """The centre of these reports, from nothing; None when there are none but copies."""
    own = [one for one in reports if one.copy_of is None]
    if not own:
        return None
    whole: Vector = own[0].print
    for one in own[1:]:
        whole = _added(whole, one.print)
    central = max(own, key=lambda one: (_nearness(one.print, whole), -one.article_id)) if len(own) > 1 else own[0]
    seen = [one.seen_at for one in own]
    return Centre(len(own), whole, min(seen), max(seen), central.article_id, central.print)


def joined(centre: Centre, article_id: int, own: Vector, at: datetime) -> Centre:
    """The centre after a report joined, which becomes the central one when it is nearer than the one so far."""
    grown = _with(centre, own, at)
    if centre.central is None or _nearness(own, grown.sum) > _nearness(centre.central, grown.sum) + 1e-6:
        return replace(grown, central_id=article_id, central=own)
    return grown


def _nearness(own: Vector, centre: Vector) -> float:
    """How near a report is to a centre, whatever the length of its fingerprint."""
    return prints.likeness(own, centre) / (math.sqrt(sum([weight * weight for weight in own.values()])) or 1.0)


def _with(centre: Centre, own: Vector, at: datetime) -> Centre:
    return replace(
        centre, count=centre.count + 1, sum=_added(centre.sum, own),
        first_at=min(centre.first_at, at), last_at=max(centre.last_at, at),
    )  # fmt: skip


def _both(one: Centre, other: Centre) -> Centre:
    return replace(
        one, count=one.count + other.count, sum=_added(one.sum, other.sum),
        first_at=min(one.first_at, other.first_at), last_at=max(one.last_at, other.last_at),
    )  # fmt: skip


def _added(one: Vector, other: Vector) -> Vector:
    made = dict(one)
    for word, value in other.items():
        made[word] = made[word] + value if word in made else value
    if len(made) <= CENTRE_WORDS:
        return made
    heaviest = sorted(zip(made.values(), made.keys(), strict=True), reverse=True)
    return {word: value for value, word in heaviest[:CENTRE_WORDS]}
