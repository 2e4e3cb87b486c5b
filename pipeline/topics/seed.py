"""A source document to a TopicProfile: what to listen for, from one article.

Single words and names by how often they stand and how rare they are; names of several words and phrases that come back.
Datelines, agencies and the calendar are not what an article is about.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath

from pipeline import text
from pipeline.errors import ConfigError
from pipeline.model import Rules, Term, TermKind, TopicProfile
from pipeline.topics.match import phrase_rarity

MOST_WORDS = 34
MOST_PHRASES = 14
MIN_RARITY = 2.6
"""Words more common than this ("government", "company") tell one matter from another too rarely to be terms."""

ONCE = 0.6
"""What a plain word that stands only once in the seed keeps of its weight."""

PHRASE = 0.8
"""What a phrase weighs against its words: they are counted too where it stands."""

MIN_WORDS = 40
"""A document shorter than this many words is no ground for a profile."""

THRESHOLD = 0.22

AGENCIES = frozenset(
    """
    afp ap reuters dpa efe ansa xinhua kyodo interfax tass bloomberg upi pti aap pa ani ians
    """.split()
)
CALENDAR = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december today yesterday tomorrow week month year day hour midnight noon gmt
    est morning evening afternoon night
    """.split()
)
# How news is written rather than what it says.
MANNER = frozenset(
    """
    said says told according source spokesperson spokesman spokeswoman reporter report statement comment
    declined added asked claim claimed matter unveiled earlier later late early meanwhile however continue
    continued able potential likely remain remained repeatedly shared temporarily share people chance outright
    popular tentative good details used order
    """.split()
)
_CONNECTORS = frozenset(["of", "on", "for", "the", "de", "la"])
# One way to read each character: nested repetition took seconds over a line of a hundred capitalised words.
_DATELINE = re.compile(
    r"^[ \t]*[A-Z](?:[\w.' ]|, ?(?=[A-Z0-9])){1,80}\((?:[A-Z]{2,8}|Reuters|Bloomberg)\)\s*[-–—:]?\s*", re.M
)
_DATE_LINE = re.compile(r"^\s*date\s+\d{4}-\d\d-\d\d\s*", re.I)
_MARKUP = re.compile(r"<(?:html|body|p|div|article|!doctype)\b", re.I)


@dataclass(frozen=True, slots=True)
class Document:
    """A seed as read: its first line or heading, and its text."""

    title: str
    body: str


def document(raw: str, name: str) -> Document:
    """A seed document from plain text, Markdown or HTML. `name` is the file, for the message when it is too short."""
    read = text.plain(raw) if _MARKUP.search(raw) else raw
    read = _DATE_LINE.sub("", read.lstrip("\ufeff"))
    read = _DATELINE.sub("", read)
    lines = [line.strip().lstrip("#").strip() for line in read.splitlines()]
    if len(text.tokens(" ".join(lines))) < MIN_WORDS:
        raise ConfigError(
            name,
            "",
            f"a seed needs at least {MIN_WORDS} words, this has {len(text.tokens(read))}.",
            "Give the whole article.",
        )
    title = next(line for line in lines if line)
    return Document(title, "\n".join(lines))


def profile(source: Document, slug: str, title: str | None = None, seed: str | None = None) -> TopicProfile:
    """A profile of up to 48 terms, most telling first, weights of unit length."""
    sentences = text.sentences(source.body)
    surfaces, mid_capital = _surfaces(sentences)
    counts = Counter(text.stem(word) for sentence in sentences for word in text.tokens(sentence))
    weights: dict[str, tuple[float, TermKind]] = {}
    for stem, count in counts.items():
        if _is_dull(stem):
            continue
        kind: TermKind = "name" if mid_capital[stem] * 2 > count else "word"
        # A rare word that stands once is more often the writer's manner than the matter; a name is not.
        once = ONCE if kind == "word" and count == 1 else 1.0
        value = (1 + math.log(count)) * phrase_rarity([stem]) * once
        weights[surfaces.get(stem, stem)] = (value, kind)
    chosen = _top(weights, MOST_WORDS)
    chosen |= _top(_phrases(sentences, mid_capital), MOST_PHRASES)
    length = math.sqrt(sum(value**2 for value, _ in chosen.values())) or 1.0
    terms = tuple(
        Term(surface, round(value / length, 3), kind, _aliases(surface))
        for surface, (value, kind) in sorted(chosen.items(), key=lambda item: (-item[1][0], item[0]))
    )
    return TopicProfile(
        slug=slug,
        title=title or text.clip(source.title, 80),
        terms=terms,
        rules=Rules(),
        threshold=THRESHOLD,
        seed=seed,
    )


def slug_of(name: str) -> str:
    """A file name as a slug: lower-case letters, digits and hyphens, at most 60 characters."""
    words = text.tokens(PurePath(name).stem)
    return "-".join(words)[:60].strip("-") or "topic"


def _is_dull(stem: str) -> bool:
    return (
        len(stem) < 3
        or stem.isdigit()
        or stem in AGENCIES
        or stem in CALENDAR
        or stem in MANNER
        or phrase_rarity([stem]) < MIN_RARITY
    )


def _top(weights: dict[str, tuple[float, TermKind]], most: int) -> dict[str, tuple[float, TermKind]]:
    return dict(sorted(weights.items(), key=lambda item: (-item[1][0], item[0]))[:most])


def _surfaces(sentences: list[str]) -> tuple[dict[str, str], Counter[str]]:
    """The most usual spelling of each stem, and how often it stood capitalised inside a sentence."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    capital: Counter[str] = Counter()
    for sentence in sentences:
        for at, (word, start, end) in enumerate(text.spans(sentence)):
            stem = text.stem(word)
            written = sentence[start : start + len(word)] if len(word) <= end - start else word
            if at and written[:1].isupper():
                capital[stem] += 1
            spellings[stem][written] += 1
    best = {}
    for stem, found in spellings.items():
        lower = {spelling for spelling in found if spelling[:1].islower()}
        pick = max(found, key=lambda s: (found[s], s in lower, s))
        best[stem] = pick if capital[stem] or not lower else next(iter(sorted(lower, key=lambda s: (-found[s], s))))
    return best, capital


def _phrases(sentences: list[str], capital: Counter[str]) -> dict[str, tuple[float, TermKind]]:
    """Names of two words and more, and pairs of content words that come back."""
    found: Counter[str] = Counter()
    kinds: dict[str, TermKind] = {}
    for sentence in sentences:
        words = text.spans(sentence)
        for name in _names(sentence, capital):
            found[name] += 1
            kinds[name] = "name"
        for (left, _, _), (right, _, _) in pairwise(words):
            if not (_is_dull(text.stem(left)) or _is_dull(text.stem(right))):
                pair = f"{left} {right}"
                found[pair] += 1
                kinds.setdefault(pair, "phrase")
    named = {text.fold(name) for name, kind in kinds.items() if kind == "name"}
    return {
        surface: ((1 + math.log(count)) * phrase_rarity(text.tokens(surface)) * PHRASE, kinds[surface])
        for surface, count in found.items()
        if kinds[surface] == "name" or (count >= 2 and surface not in named)
    }


def _names(sentence: str, capital: Counter[str]) -> list[str]:
    """Runs of two to five capitalised words, small words allowed inside. A possessive ends a run; the first word of a
    sentence counts only when it is capitalised elsewhere too."""
    names: list[str] = []
    run: list[str] = []
    for at, (word, start, end) in enumerate(text.spans(sentence)):
        written = sentence[start:end]
        is_name = written[:1].isupper() and word not in CALENDAR and (at > 0 or capital[text.stem(word)] > 0)
        if is_name:
            run.append(written[: len(word)])
        if is_name and len(written) == len(word):
            continue
        if not is_name and run and word in _CONNECTORS:
            run.append(written)
            continue
        names.append(_trimmed(run))
        run = []
    names.append(_trimmed(run))
    return [name for name in names if 1 <= name.count(" ") <= 5]


def _trimmed(run: list[str]) -> str:
    while run and run[-1] in _CONNECTORS:
        run = run[:-1]
    return " ".join(run)


def _aliases(surface: str) -> tuple[str, ...]:
    """Spellings that follow from form alone: "TikTok" is also written "Tik Tok"."""
    parts = re.findall(r"[A-Z][a-z]+", surface)
    return (" ".join(parts),) if len(parts) > 1 and "".join(parts) == surface else ()
