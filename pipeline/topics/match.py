"""Article and TopicProfile to Match, with its evidence.

The score is the cosine between the profile's weights and the article's words, times the profile's scale: each word
counts by how often it stands (logarithmically; headline and lead more) and by how telling it is in general
(`words.telling`). It lies in 0..1, does not grow with length, and is a plain sum over terms, so each term's share is
its evidence. A word in the article counts for one term of a profile: the one that names most words there.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import is_not, mul

from pipeline import reading, text
from pipeline.model import Article, Evidence, Match, TopicProfile
from pipeline.reading import Field, Reading
from pipeline.topics import gates
from pipeline.topics.words import Word, heard, read, stems, telling, tellings

TITLE = 3
"""One mention in the headline counts as three far down in the text."""

LEAD, LEAD_WORDS = 2, 100
"""The first words of a text count double: a report says there what it is about."""

LONGEST_RULED = 10_000
"""Characters of a field in which the words of a rule are sought; what counts for the score is sought in
`reading.LONGEST_READ`. A rule that is a pattern is held against the whole."""

BARE_WORDS, BARE = 200, 0.06
"""A text without a headline has nothing that stands out, and scores the less the shorter it is: with fewer words than
this its score is raised by this power of what is missing. With a headline no length needs it."""

MAX_SPANS = 12
"""Places kept per term and field, for highlighting."""

SINGLE_TERM = 0.6
"""Share of the threshold that one term alone can bring: "TikTok" is not the sale of TikTok."""

ROUNDED = 0.0001
"""Scores are kept to four digits."""

FEW_TERMS = 4
"""A profile with fewer terms than this says no more than them, so each may stand alone."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A profile made ready: weights as long as its scale, each term's forms as stems, its gates."""

    profile: TopicProfile
    weights: tuple[float, ...]
    forms: tuple[tuple[tuple[str, ...], int], ...]
    gates: gates.Gates | None


def compiled(profile: TopicProfile) -> Compiled:
    """A profile ready for many articles. Terms and aliases are compared as folded, singular words."""
    length = math.sqrt(sum(term.weight**2 for term in profile.terms)) or 1.0
    forms: dict[tuple[str, ...], int] = {}
    for index, term in enumerate(profile.terms):
        for surface in (term.text, *term.aliases):
            if form := stems(surface):
                # A form that two terms claim is the first one's, since a place counts once.
                forms.setdefault(form, index)
    return Compiled(
        profile=profile,
        weights=tuple(term.weight / length * profile.scale for term in profile.terms),
        forms=tuple(forms.items()),
        gates=gates.ready(profile.rules),
    )


@lru_cache(maxsize=65536)
def worth(form: tuple[str, ...], lang: str) -> float:
    """How telling a run of words is: the length of their vector."""
    if len(form) == 1:
        return telling(form[0], lang)
    return math.sqrt(sum(telling(word, lang) ** 2 for word in form))


@dataclass(slots=True)
class _Hit:
    """What one term found in an article: weighed mentions, their worth, and places: field, weight, first word, end."""

    weight: float
    worth: float
    places: list[tuple[int, float, int, int]]
    run: bool


_Owners = tuple[tuple[int, int], ...]
"""Who listens for a form: numbers of profiles, and of terms in them."""


class Panel:
    """Many profiles asked at once: one walk over an article's words finds the terms of all of them.

    What it costs grows with the hits, not with the number of profiles.
    """

    def __init__(self, profiles: Iterable[Compiled]) -> None:
        self.topics = tuple(profiles)
        owners: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        for number, one in enumerate(self.topics):
            for form, index in one.forms:
                owners[form].append((number, index))
        by_first: dict[str, list[tuple[tuple[str, ...], _Owners]]] = defaultdict(list)
        for form, found in owners.items():
            by_first[form[0]].append((form, tuple(found)))
        self._forms = {first: tuple(sorted(found, key=lambda f: -len(f[0]))) for first, found in by_first.items()}
        self._thresholds = [one.profile.threshold for one in self.topics]
        self._listening = text.Remembered(self._heard_as, 64)

    def match(self, article: Article, least: float = 0.0, read: Reading | None = None) -> tuple[Match, ...]:
        """How the article stands to each profile, in their order. Profiles without any hit give no Match, nor do those
        whose score is under `least`, a share of their threshold. `read` are the article's words, where they are known.
        """
        fields = _fields(read or reading.of(article))
        lang = article.lang or "en"
        counts = _counts(fields)
        hot = counts.keys() & self._forms.keys()
        if not hot:
            return ()
        length = _length(counts, lang) * _bare(fields)
        likely = self._likely(hot, counts, length, lang, least)
        if not likely:
            return ()
        found = self._hits(fields, hot, likely, lang)
        made = (self._matched(article, fields, length, number, found[number], least) for number in sorted(found))
        return tuple(match for match in made if match is not None)

    def values(self, article: Heard) -> dict[int, dict[int, float]]:
        """Profile (by its place) to term (by its place) to what the article says of it: times its weight, its points.
        Nothing is left out and nothing capped."""
        hot = article.counts.keys() & self._forms.keys()
        if not hot:
            return {}
        found = {}
        for number, hits in self._hits(article.fields, hot, range(len(self.topics)), article.lang).items():
            values = {index: _SATURATED[hit.weight] * hit.worth / hit.weight for index, hit in hits.items()}
            runs = sum(values[index] ** 2 for index, hit in hits.items() if hit.run)
            length = math.sqrt(article.length**2 + runs)
            found[number] = {index: value / length for index, value in values.items()}
        return found

    def _likely(
        self, hot: Iterable[str], counts: Mapping[str, float], length: float, lang: str, least: float
    ) -> set[int]:
        """The profiles whose score may be enough: no more than what they would score by `hot` words if every mention
        of a form's first word were the form, and each form a term of its own."""
        most = [0.0] * len(self.topics)
        listening = self._listening[lang]
        for word in hot:
            said = _SATURATED[counts[word]]
            for form, owned in listening[word]:
                if len(form) > 1 and not all(map(counts.__contains__, form)):
                    continue
                for number, value in owned:
                    most[number] += said * value
        return {
            number
            for number, (value, threshold) in enumerate(zip(most, self._thresholds, strict=True))
            if value / length + ROUNDED >= least * threshold
        }

    def _heard_as(self, lang: str) -> text.Remembered[str, list[tuple[tuple[str, ...], list[tuple[int, float]]]]]:
        """By its first word, each form with what one mention of it brings to a profile's score, before it is divided by
        the article's length."""

        def made(word: str) -> list[tuple[tuple[str, ...], list[tuple[int, float]]]]:
            return [
                (form, [(number, self.topics[number].weights[at] * worth(form, lang)) for number, at in owners])
                for form, owners in self._forms[word]
            ]

        return text.Remembered(made)

    def _hits(
        self, fields: Sequence[_Field], hot: Iterable[str], likely: Collection[int], lang: str
    ) -> dict[int, dict[int, _Hit]]:
        hits: dict[int, dict[int, _Hit]] = {}
        forms = {word: _heard_for(self._forms[word], likely) for word in hot}
        for at, field in enumerate(fields):
            said = field.heard
            taken: dict[tuple[int, int], int] = {}
            lead = LEAD_WORDS if field.name == "text" else 0
            usual = TITLE if field.name == "title" else 1.0
            for place, word in enumerate(said):
                for form, owners in forms.get(word, ()):
                    size = len(form)
                    if size > 1 and tuple(said[place : place + size]) != form:
                        continue
                    weight = LEAD if place < lead else usual
                    value = weight * worth(form, lang)
                    for owner in owners:
                        if taken.get(owner, 0) > place:
                            continue
                        taken[owner] = place + size
                        number, index = owner
                        mine = hits.get(number)
                        if mine is None:
                            mine = hits[number] = {}
                        hit = mine.get(index)
                        if hit is None:
                            mine[index] = _Hit(weight, value, [(at, weight, place, place + size)], size > 1)
                        else:
                            hit.weight += weight
                            hit.worth += value
                            hit.places.append((at, weight, place, place + size))
        return hits

    def _matched(
        self,
        article: Article,
        fields: Sequence[_Field],
        length: float,
        number: int,
        hits: dict[int, _Hit],
        least: float,
    ) -> Match | None:
        one = self.topics[number]
        threshold = one.profile.threshold
        cap = threshold * SINGLE_TERM if len(one.profile.terms) >= FEW_TERMS else 1.0
        values = {index: _SATURATED[hit.weight] * hit.worth / hit.weight for index, hit in hits.items()}
        if runs := sum(values[index] ** 2 for index, hit in hits.items() if hit.run):
            # A run of words is a coordinate beside its words, and lengthens the article's vector by itself.
            length = math.sqrt(length**2 + runs)
        points = {index: min(cap, one.weights[index] * value / length) for index, value in values.items()}
        score = round(min(1.0, sum(points.values())), 4)
        if score < least * threshold:
            return None
        closed = one.gates.closed([field.ruled for field in fields]) if one.gates else ""
        return Match(
            article_url=article.url,
            topic=one.profile.slug,
            score=score,
            on_topic=not closed and score >= threshold,
            evidence=tuple(_evidence(one, fields, hits, points)),
            profile_hash=one.profile.profile_hash,
            why=closed,
        )


def match(article: Article, profiles: Iterable[Compiled], least: float = 0.0) -> tuple[Match, ...]:
    """How the article stands to each profile. Profiles without any hit give no Match, nor do those whose score is under
    `least`, a share of their threshold. A Match under the threshold is a near miss, kept so that a person can see it.
    """
    return _panel(tuple(profiles)).match(article, least)


_latest: list[Panel] = []


def _panel(asked: tuple[Compiled, ...]) -> Panel:
    """The panel of these profiles. The latest one is kept, since the same are asked about article after article."""
    kept = _latest[0] if _latest else None
    if kept is None or len(kept.topics) != len(asked) or any(map(is_not, kept.topics, asked)):
        kept = Panel(asked)
        _latest[:] = [kept]
    return kept


def _heard_for(
    found: tuple[tuple[tuple[str, ...], _Owners], ...], likely: Collection[int]
) -> list[tuple[tuple[str, ...], _Owners]]:
    """The forms that some of these profiles listen for, and whom they concern."""
    kept = [(form, tuple([owner for owner in owners if owner[0] in likely])) for form, owners in found]
    return [(form, owners) for form, owners in kept if owners]


@dataclass(slots=True)
class _Field:
    """A field as stems; where they stand is found out when somebody asks, since most articles match nothing."""

    name: Field
    raw: str
    beginning: str
    heard: tuple[str, ...]
    _words: list[Word] | None = None

    @property
    def words(self) -> list[Word]:
        if self._words is None:
            self._words = read(self.beginning)
        return self._words

    @property
    def ruled(self) -> tuple[str, list[Word]]:
        """As written, and the words of as much of it as rules are held against."""
        more = len(self.beginning) < len(self.raw)
        return self.raw, read(self.raw[:LONGEST_RULED]) if more else self.words


def _fields(said: Reading) -> list[_Field]:
    return [_Field(one.name, one.raw, one.read, heard(one.read, one.stems)) for one in said.passages]


@dataclass(frozen=True, slots=True)
class Heard:
    """An article that many profiles are held against: its fields, how much each word is mentioned, and the length of
    its vector."""

    fields: Sequence[_Field]
    counts: Mapping[str, float]
    length: float
    lang: str


def hear(article: Article) -> Heard:
    """An article made ready."""
    fields = _fields(reading.of(article))
    counts, lang = _counts(fields), article.lang or "en"
    return Heard(fields, counts, _length(counts, lang) * _bare(fields), lang)


def _counts(fields: Sequence[_Field]) -> Mapping[str, float]:
    """How much each word is mentioned, weighed by place."""
    once: list[str] = []
    stressed: list[str] = []
    for field in fields:
        if field.name == "title":
            stressed += TITLE * field.heard
        else:
            lead = LEAD_WORDS if field.name == "text" else 0
            once += field.heard[lead:]
            stressed += LEAD * field.heard[:lead]
    return Counter(once + stressed)


def _length(counts: Mapping[str, float], lang: str) -> float:
    """The length of the article's vector of single words."""
    values = list(map(mul, map(tellings(lang).__getitem__, counts), map(_SATURATED.__getitem__, counts.values())))
    return math.sqrt(sum(map(mul, values, values))) or 1.0


def _bare(fields: Sequence[_Field]) -> float:
    """By what the vector of an article is shorter for having no headline: 1 where it has one, or is long enough."""
    if fields[0].heard:
        return 1.0
    count = sum(len(field.heard) for field in fields)
    return math.pow(count / BARE_WORDS, BARE) if 0 < count < BARE_WORDS else 1.0


def _saturated(count: float) -> float:
    return 1 + math.log(count)


_SATURATED = text.Remembered(_saturated, 4096)


def _evidence(
    one: Compiled, fields: Sequence[_Field], hits: dict[int, _Hit], points: dict[int, float]
) -> Iterable[Evidence]:
    """A term's points are shared among the fields it stood in, most telling first."""
    for index in sorted(hits, key=lambda i: (-points[i], i)):
        hit = hits[index]
        for at, field in enumerate(fields):
            places = [place for place in hit.places if place[0] == at]
            if places:
                yield Evidence(
                    term=one.profile.terms[index].text,
                    field=field.name,
                    count=len(places),
                    points=round(points[index] * sum(weight for _, weight, _, _ in places) / hit.weight, 4),
                    spans=tuple((field.words[a][1], field.words[b - 1][2]) for _, _, a, b in places[:MAX_SPANS]),
                )
