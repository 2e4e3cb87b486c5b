"""What is wrong with a topic that reads well: terms that cannot or never hit, that hit everything, that stand twice; a
threshold nothing reaches; rules that keep everything out. Pure: a profile and what came of it in, findings out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline import patterns, text
from pipeline.model import Match, TopicProfile
from pipeline.topics.words import stems

LEAST_ARTICLES = 200
"""An archive smaller than this says nothing about a term."""

LEAST_FOR_NEVER = 1000
"""And one smaller than this nothing about a term that never hits: a good one may wait for its day."""

EVERYTHING = 0.25
"""A term that stands in this share of the articles off topic tells none from another."""

NEXT_TO_NOTHING = 0.01
"""A weight below this share of the heaviest brings no points that a person could see."""

HARDLY_REACHED = 0.75
"""Hardly an article scores as high as this, whatever it is about."""

LISTED = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a topic: the key in its file, what is wrong, and the cure. A topic with a `grave`
    one cannot work as it stands."""

    key: str
    why: str
    cure: str
    grave: bool = False


@dataclass(slots=True)
class Tried:
    """What articles made of a topic: how many were tried, in how many each term stands, and in how many of those that
    score too little; the highest score, how many score enough, and how many of those the rules keep out."""

    articles: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    highest: float = 0.0
    enough: int = 0
    closed: int = 0

    def add(self, match: Match | None, threshold: float) -> None:
        """One more article, and its match where it had any."""
        self.articles += 1
        if match is None:
            return
        terms = {piece.term for piece in match.evidence}
        self.hits.update(terms)
        if match.score < threshold:
            self.beside.update(terms)
        self.highest = max(self.highest, match.score)
        if match.score >= threshold:
            self.enough += 1
            self.closed += bool(match.why)


def findings(profile: TopicProfile, tried: Tried | None = None) -> tuple[Finding, ...]:
    """Everything that is wrong, in the order of the file; with what the archive shows where it was `tried` on it."""
    found = [*_unreadable(profile), *_twice(profile), *_weightless(profile), *_against_itself(profile)]
    if profile.threshold >= HARDLY_REACHED:
        found.append(Finding("threshold", f"{profile.threshold:g} is more than hardly any article scores.", _LOWER))
    if tried and tried.articles >= LEAST_ARTICLES:
        found += _in_practice(profile, tried)
    return tuple(found)


_LOWER = "`newsbeat topic backtest` shows what a lower one would let in."


def _unreadable(profile: TopicProfile) -> Iterable[Finding]:
    for at, term in enumerate(profile.terms, 1):
        if not stems(term.text):
            why = f"{term.text!r} holds no word."
            yield Finding(f"term[{at}].text", why, "Give it a word, or delete the term.", grave=True)
        for number, alias in enumerate(term.aliases, 1):
            if not stems(alias):
                why = f"{alias!r} holds no word."
                yield Finding(f"term[{at}].aliases[{number}]", why, "Delete it.", grave=True)
    for name in ("any", "all", "none"):
        for number, words in enumerate(getattr(profile.rules, name), 1):
            if not stems(words):
                yield Finding(f"rules.{name}[{number}]", f"{words!r} holds no word.", "Delete it.", grave=True)


def _forms(profile: TopicProfile) -> dict[tuple[str, ...], dict[int, str]]:
    """Every form, as it is compared, with the terms (by place, from 1) that have it and how they write it."""
    forms: dict[tuple[str, ...], dict[int, str]] = defaultdict(dict)
    for at, term in enumerate(profile.terms, 1):
        for surface in (term.text, *term.aliases):
            if form := stems(surface):
                forms[form].setdefault(at, surface)
    return forms


def _twice(profile: TopicProfile) -> Iterable[Finding]:
    told = set()
    for owners in _forms(profile).values():
        if len(owners) < 2:
            continue
        first, *others = owners
        for other in others:
            if (first, other) in told:
                continue
            told.add((first, other))
            why = f"{owners[other]!r} is one with {owners[first]!r} of term[{first}]: it counts for that one alone."
            yield Finding(f"term[{other}]", why, "Keep it in one of the two.")


def _weightless(profile: TopicProfile) -> Iterable[Finding]:
    heaviest = max(term.weight for term in profile.terms)
    for at, term in enumerate(profile.terms, 1):
        if term.weight < heaviest * NEXT_TO_NOTHING:
            why = f"{term.weight:g} is next to nothing beside the heaviest, {heaviest:g}."
            yield Finding(f"term[{at}].weight", why, f"Raise it, or delete {term.text!r}.")


def _against_itself(profile: TopicProfile) -> Iterable[Finding]:
    def forms(words: Iterable[str]) -> dict[tuple[str, ...], str]:
        return {stems(one): one for one in words if stems(one) and not one.startswith(patterns.MARK)}

    refused = forms(profile.rules.none)
    for name in ("all", "any"):
        wanted = forms(getattr(profile.rules, name))
        both = [wanted[form] for form in wanted if form in refused]
        if both and (name == "all" or len(both) == len(wanted)):
            why = (
                f"{text.listing(map(repr, both))} must stand in an article, and must not (rules.none): nothing gets in."
            )
            yield Finding(f"rules.{name}", why, "Take it out of one of the two.", grave=True)
    for at, term in enumerate(profile.terms, 1):
        if (form := stems(term.text)) in refused:
            why = f"{refused[form]!r} is also a term (term[{at}]): what it counts for is kept out."
            yield Finding("rules.none", why, "Take it out of one of the two.")


def _in_practice(profile: TopicProfile, tried: Tried) -> Iterable[Finding]:
    latest = f"the latest {tried.articles:,} articles"
    places = {term.text: at for at, term in reversed(list(enumerate(profile.terms, 1)))}
    for term, at in sorted(places.items(), key=lambda pair: pair[1]):
        share = tried.beside[term] / max(1, tried.articles - tried.enough)
        if share >= EVERYTHING:
            why = f"{term!r} stands in {share:.0%} of what is off topic among {latest}: it tells none from another."
            yield Finding(f"term[{at}]", why, "Delete it, or say it more narrowly.")
    never = [term for term in places if not tried.hits[term] and stems(term)]
    if never and len(never) == len(places):
        yield Finding("term", f"not one term stands in any of {latest}.", "Do your feeds report on this at all?")
    elif never and tried.articles >= LEAST_FOR_NEVER:
        named = text.listing([*map(repr, never[:LISTED]), *([f"{len(never) - LISTED} more"] if never[LISTED:] else [])])
        why = f"{named} {'stands' if len(never) == 1 else 'stand'} in none of {latest}."
        yield Finding(", ".join(f"term[{places[term]}]" for term in never[:LISTED]), why, "Is that how it is written?")
    if tried.enough and tried.closed == tried.enough:
        why = f"of {latest}, {tried.enough} score enough, and the rules keep every one of them out."
        yield Finding("rules", why, "Loosen them; `newsbeat topic explain` says which rule closed.")
    elif tried.hits and not tried.enough:
        why = f"none of {latest} reaches {profile.threshold:g}; the highest has {tried.highest:.2f}."
        yield Finding("threshold", why, _LOWER)
