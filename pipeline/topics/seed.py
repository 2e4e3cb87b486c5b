"""A source document to a TopicProfile: what to listen for, from one article or several.

Names with their short forms tied to them, phrases that come back, and words, weighed by how often they stand (headline
and lead more) and how telling they are. The weights are what `match` gives an article of the same words.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath

from pipeline import text
from pipeline.model import Rules, Term, TopicProfile
from pipeline.topics import coherence, names
from pipeline.topics.document import Document
from pipeline.topics.match import LEAD, LEAD_WORDS, TITLE, worth
from pipeline.topics.names import Name, Sentence
from pipeline.topics.words import telling

MOST_TERMS = 60

LEAST_TELLING = 3.5
"""Words more common than this ("people", "year") tell one matter from another too rarely to be terms."""

ASIDE = 0.35
"""What a phrase, or a long name that stands once, weighs beside its words, which count too."""

LONGEST = 100
"""Characters of a term, and of its other spellings; what is longer is no word and no name, and a profile takes 200."""

THRESHOLD = 0.23
"""From this score on an article is on topic: the one threshold for all topics, measured in tests/quality."""

AGENCIES = frozenset("afp ap reuters dpa efe ansa xinhua kyodo interfax tass bloomberg upi pti aap pa ani ians".split())
# How news is written rather than what it says.
MANNER = frozenset(
    """
    said says told according source spokesperson spokesman spokeswoman reporter report statement comment declined added
    asked claim claimed unveiled earlier later meanwhile however continued able potential likely remain remained
    repeatedly temporarily loomed looming familiar issued
    """.split()
)
_DULL = AGENCIES | MANNER | names.CALENDAR

Forms = Mapping[tuple[str, ...], Name]


@dataclass(slots=True)
class _Tally:
    """What one document says: weighed mentions by name, and which names only stand beside their words."""

    weights: dict[Name, float] = field(default_factory=lambda: defaultdict(float))
    aside: set[Name] = field(default_factory=set)


def profile(
    source: Document | Sequence[Document], slug: str, title: str | None = None, seed: str | None = None
) -> TopicProfile:
    """A profile of up to 60 terms, most telling first, weights of unit length.

    Of several documents, what they share counts more than what one of them says at length.
    """
    sources = [source] if isinstance(source, Document) else list(source)
    lang = sources[0].lang
    read = [_sentences(one) for one in sources]
    everything = [sentence for sentences in read for sentence in sentences]
    tied, once = names.known(everything, lang)
    forms = _words(everything, lang) | {form: name for name in tied for form in name.forms}
    beside = {name.forms[0]: name for name in (*_phrases(everything, forms, lang), *once) if name.forms[0] not in forms}
    values: dict[Name, float] = defaultdict(float)
    for sentences in read:
        mine = _values(_tally(sentences, forms, beside, lang), lang)
        length = math.sqrt(sum(value**2 for value in mine.values())) or 1.0
        for name, value in mine.items():
            values[name] += value / length
    named = [(name, value) for name, value in values.items() if len(name.surface) <= LONGEST]
    chosen = sorted(named, key=lambda item: (-item[1], item[0].surface))[:MOST_TERMS]
    length = math.sqrt(sum(value**2 for _, value in chosen)) or 1.0
    terms = tuple(
        Term(
            name.surface,
            round(value / length, 3),
            name.kind,
            tuple(alias for alias in name.aliases if len(alias) <= LONGEST),
        )
        for name, value in chosen
        if value / length >= 0.001
    )
    return TopicProfile(
        slug=slug,
        title=title or _title(sources[0], terms),
        terms=terms,
        rules=Rules(),
        threshold=THRESHOLD,
        seed=seed,
        scale=coherence.scale([[one.stems for one in said] for said in read], partial(is_dull, lang=lang), lang),
        fitted=0,
    )


def slug_of(name: str) -> str:
    """A file name as a slug: lower-case letters, digits and hyphens, at most 60 characters."""
    words = text.tokens(PurePath(name).stem)
    return "-".join(words)[:60].strip("-") or "topic"


def is_dull(stem: str, lang: str) -> bool:
    """Whether a word is too short, too common, a number, or newswriting rather than news."""
    return (len(stem) < 3 and stem.isascii()) or stem.isdigit() or stem in _DULL or telling(stem, lang) < LEAST_TELLING


def _sentences(source: Document) -> list[Sentence]:
    """The document's sentences, each word with the weight of its place."""
    found = [names.sentence(source.headline, TITLE)] if source.headline else []
    place = 0
    for paragraph in source.paragraphs:
        for raw in text.sentences(paragraph):
            one = names.sentence(raw, 1.0)
            lead = max(0, min(len(one.stems), LEAD_WORDS - place))
            one.weights[:lead] = [LEAD] * lead
            place += len(one.stems)
            found.append(one)
    return found


def _words(sentences: Iterable[Sentence], lang: str) -> dict[tuple[str, ...], Name]:
    """Every plain word worth listening for, as it is mostly written; small letters where it ever has them."""
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for one in sentences:
        for stem, written in zip(one.stems, one.written, strict=True):
            if not is_dull(stem, lang):
                spelled[stem][written] += 1
    return {
        (stem,): Name(max(found, key=lambda w: (w[:1].islower(), found[w], w)), "word", (), ((stem,),))
        for stem, found in spelled.items()
    }


def _tally(sentences: Iterable[Sentence], forms: Forms, beside: Forms, lang: str) -> _Tally:
    """Mentions in one document. A word counts for the longest form that holds it."""
    longest = max((len(form) for form in (*forms, *beside)), default=1)
    tally = _Tally()
    for one in sentences:
        taken = 0
        for at, weight in enumerate(one.weights):
            for size in range(min(longest, len(one.stems) - at), 0, -1):
                form = tuple(one.stems[at : at + size])
                if name := beside.get(form):
                    tally.weights[name] += weight
                    tally.aside.add(name)
                if at >= taken and (name := forms.get(form)) and not (size == 1 and is_dull(form[0], lang)):
                    tally.weights[name] += weight
                    taken = at + size
    return tally


def _values(tally: _Tally, lang: str) -> dict[Name, float]:
    return {
        name: (1 + math.log(weight)) * worth(name.forms[0], lang) * (ASIDE if name in tally.aside else 1.0)
        for name, weight in tally.weights.items()
    }


def _phrases(sentences: Iterable[Sentence], forms: Forms, lang: str) -> list[Name]:
    """Pairs of content words that come back and are more than chance."""
    pairs: Counter[tuple[str, str]] = Counter()
    words: Counter[str] = Counter()
    written: dict[tuple[str, str], str] = {}
    for one in sentences:
        words.update(one.stems)
        for at in range(len(one.stems) - 1):
            pair = (one.stems[at], one.stems[at + 1])
            if one.adjoining[at] and all(_plain(word, forms, lang) for word in pair):
                pairs[pair] += 1
                written.setdefault(pair, f"{one.written[at]} {one.written[at + 1]}")
    return [
        Name(written[pair], "phrase", (), (pair,))
        for pair, count in pairs.items()
        if count >= 2 and count * 2 > min(words[pair[0]], words[pair[1]])
    ]


def _plain(word: str, forms: Forms, lang: str) -> bool:
    found = forms.get((word,))
    return found is not None and found.kind == "word" and not is_dull(word, lang)


def _title(source: Document, terms: Sequence[Term]) -> str:
    """A short title: the headline when it is short, else what weighs most."""
    if source.headline and len(source.headline) <= 70:
        return source.headline
    first, *rest = [term.text for term in terms[:4]] or ["A topic"]
    return (f"{first}: {', '.join(rest)}" if rest else first)[:200]
