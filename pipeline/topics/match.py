"""Article and TopicProfile to Match, with its evidence.

The score is the cosine between the profile's weights and the article's words: each word counts by how often it stands
(logarithmically, headline and lead more) and by how rare it is in general (`rarity`). It lies in 0..1, does not grow
with length, and is a plain sum over terms, so each term's share is its evidence.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pipeline import text
from pipeline.model import Article, Evidence, Match, TopicProfile
from pipeline.rarity import rarity

Field = Literal["title", "summary", "text"]

FIELD_WEIGHTS: dict[Field, float] = {"title": 3.0, "summary": 1.5, "text": 1.0}
"""One mention in the headline counts as three in the text."""

LONGEST_READ = 10_000
"""Characters of a field that are read; a report says what it is about before that."""

MAX_SPANS = 12
"""Places kept per term and field, for highlighting."""

SINGLE_TERM = 0.6
"""Share of the threshold that one term alone can bring: "TikTok" is not the sale of TikTok."""

FEW_TERMS = 4
"""A profile with fewer terms than this says no more than them, so each may stand alone."""


_Hits = dict[int, dict[Field, list[tuple[int, int]]]]
"""Term index to field to the places where it stands."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A profile made ready: weights of unit length, surface forms by their first word, gates as patterns."""

    profile: TopicProfile
    weights: tuple[float, ...]
    forms: dict[str, tuple[tuple[tuple[str, ...], int], ...]]
    rarities: tuple[float, ...]
    gates: tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]


def compiled(profile: TopicProfile) -> Compiled:
    """A profile ready for many articles. Terms and aliases are compared as folded, singular words."""
    length = math.sqrt(sum(term.weight**2 for term in profile.terms)) or 1.0
    forms: dict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
    for index, term in enumerate(profile.terms):
        for surface in (term.text, *term.aliases):
            words = tuple(text.stem(word) for word in text.tokens(surface))
            if words:
                forms[words[0]].append((words, index))
    return Compiled(
        profile=profile,
        weights=tuple(term.weight / length for term in profile.terms),
        forms={first: tuple(sorted(found, key=lambda f: -len(f[0]))) for first, found in forms.items()},
        rarities=tuple(phrase_rarity(text.tokens(term.text)) for term in profile.terms),
        gates=(
            tuple(_gate(words) for words in profile.rules.any),
            tuple(_gate(words) for words in profile.rules.all),
            tuple(_gate(words) for words in profile.rules.none),
        ),
    )


def phrase_rarity(words: Sequence[str]) -> float:
    """How telling a run of words is: its rarest word, and a third of each of the others."""
    values = sorted((rarity(word) for word in words), reverse=True)
    return values[0] + sum(values[1:]) / 3 if values else 0.0


class Panel:
    """Many profiles asked at once: one walk over an article's words finds the terms of all of them.

    What it costs grows with the hits, not with the number of profiles.
    """

    def __init__(self, profiles: Iterable[Compiled]) -> None:
        self.topics = tuple(profiles)
        forms: dict[str, dict[tuple[str, ...], list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for number, one in enumerate(self.topics):
            for first, found in one.forms.items():
                for form, index in found:
                    forms[first][form].append((number, index))
        self._forms = {
            first: tuple(sorted(((form, tuple(owners)) for form, owners in found.items()), key=lambda f: -len(f[0])))
            for first, found in forms.items()
        }

    def match(self, article: Article) -> tuple[Match, ...]:
        """How the article stands to each profile, in their order; profiles without any hit give no Match."""
        fields = _read(article)
        found = self._hits(fields)
        if not found:
            return ()
        squares = _squares(fields)
        return tuple(_match(article, fields, squares, self.topics[at], found[at]) for at in sorted(found))

    def _hits(self, fields: Sequence[_Words]) -> dict[int, _Hits]:
        hits: dict[int, _Hits] = {}
        for field in fields:
            words = field.words
            for at, (word, start, _) in enumerate(words):
                for form, owners in self._forms.get(word, ()):
                    end = at + len(form)
                    if end > len(words) or any(words[at + i][0] != form[i] for i in range(1, len(form))):
                        continue
                    for number, index in owners:
                        places = hits.setdefault(number, {}).setdefault(index, {}).setdefault(field.field, [])
                        # The longest form comes first; "deal" and its alias "deals" in one place are one mention.
                        if not places or start >= places[-1][1]:
                            places.append((start, words[end - 1][2]))
        return hits


def match(article: Article, profiles: Iterable[Compiled]) -> tuple[Match, ...]:
    """How the article stands to each profile; profiles without any hit give no Match.

    A Match under the threshold is a near miss, kept so that a person can see it. Who asks about many articles keeps a
    `Panel` instead.
    """
    return Panel(profiles).match(article)


@dataclass(frozen=True, slots=True)
class _Words:
    field: Field
    words: tuple[tuple[str, int, int], ...]
    raw: str


def _read(article: Article) -> tuple[_Words, ...]:
    """The fields that say something of their own, as stems with offsets."""
    given: list[tuple[Field, str]] = [("title", article.title or "")]
    if article.text_from in ("content", "page") and article.summary:
        given.append(("summary", article.summary))
    if article.text_from != "title":
        given.append(("text", article.text))
    return tuple(
        _Words(
            field,
            tuple((text.stem(word), start, end) for word, start, end in text.spans(raw[:LONGEST_READ])),
            raw,
        )
        for field, raw in given
    )


def _squares(fields: Sequence[_Words]) -> float:
    """The squared length of the article's vector of single words."""
    counts: dict[str, float] = defaultdict(float)
    for field in fields:
        weight = FIELD_WEIGHTS[field.field]
        for word, _, _ in field.words:
            counts[word] += weight
    return sum((_saturated(count) * rarity(word)) ** 2 for word, count in counts.items())


def _saturated(count: float) -> float:
    return 1 + math.log(count) if count >= 1 else count


def _match(article: Article, fields: Sequence[_Words], squares: float, one: Compiled, hits: _Hits) -> Match:
    weighed = {
        index: _saturated(sum(FIELD_WEIGHTS[field] * len(places) for field, places in by_field.items()))
        * one.rarities[index]
        for index, by_field in hits.items()
    }
    for index, value in weighed.items():
        if " " in one.profile.terms[index].text:
            squares += value**2
    length = math.sqrt(squares) or 1.0
    cap = one.profile.threshold * SINGLE_TERM if len(one.profile.terms) >= FEW_TERMS else 1.0
    points = {index: min(one.weights[index] * value / length, cap) for index, value in weighed.items()}
    score = round(min(1.0, sum(points.values())), 4)
    closed = _closed(one, fields)
    return Match(
        article_url=article.url,
        topic=one.profile.slug,
        score=score,
        on_topic=not closed and score >= one.profile.threshold,
        evidence=tuple(_evidence(one, hits, points)),
        profile_hash=one.profile.profile_hash,
        why=closed,
    )


def _evidence(one: Compiled, hits: _Hits, points: dict[int, float]) -> Iterable[Evidence]:
    """A term's points are shared among the fields it stood in, most telling first."""
    for index in sorted(hits, key=lambda i: (-points[i], i)):
        total = sum(FIELD_WEIGHTS[field] * len(places) for field, places in hits[index].items())
        for field, places in hits[index].items():
            yield Evidence(
                term=one.profile.terms[index].text,
                field=field,
                count=len(places),
                points=round(points[index] * FIELD_WEIGHTS[field] * len(places) / total, 4),
                spans=tuple(places[:MAX_SPANS]),
            )


@lru_cache(maxsize=4096)
def _gate(rule: str) -> re.Pattern[str]:
    """A rule as a pattern on folded words, so that "ban" does not fire in "bank"."""
    return re.compile(r"(?<!\w)" + r"\W+".join(re.escape(word) for word in text.tokens(rule)) + r"(?!\w)")


def _closed(one: Compiled, fields: Sequence[_Words]) -> str:
    """Why the gates keep this article out, in words; empty when they let it in."""
    any_of, all_of, none_of = one.gates
    if not (any_of or all_of or none_of):
        return ""
    read = text.fold("\n".join(field.raw for field in fields))
    rules = one.profile.rules
    if any_of and not any(gate.search(read) for gate in any_of):
        return f"none of {text.listing(rules.any)} stands in it"
    for gate, words in zip(all_of, rules.all, strict=True):
        if not gate.search(read):
            return f'"{words}" does not stand in it'
    for gate, words in zip(none_of, rules.none, strict=True):
        if gate.search(read):
            return f'"{words}" stands in it'
    return ""
