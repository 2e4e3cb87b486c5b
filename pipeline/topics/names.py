"""Names in a text by their form: runs of capitalised words, their short forms tied to the long ones."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.model import TermKind
from pipeline.topics.words import Word, read, stems, telling

CALENDAR = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december today yesterday tomorrow week month year day hour midnight noon gmt
    est morning evening afternoon night
    """.split()
)
_TITLES = frozenset(
    """
    mr mrs ms dr sir lord lady president vice senator sen representative rep congressman congresswoman gov governor
    judge justice prime minister chancellor secretary general king queen prince princess pope mayor professor prof
    attorney former chief executive ceo the a an
    """.split()
)
_CONNECTORS = frozenset("of on the de la le du des di da del der den von van zu al bin ibn y e".split())
MOST_WORDS = 7
"""Words in a name, small ones included."""

ALONE, ALONE_WITHIN = 4.5, 7.0
"""How telling a surname that stands alone, and any other word of a name, must be to stand for all of it."""

_TITLE_CASE = 0.6
"""Share of capitals from which a headline capitalises everything, so that its capitals say nothing."""

_ACRONYM = re.compile(r"(?:[A-Z]\.?){2,7}")


@dataclass(slots=True)
class Sentence:
    """A sentence as parallel lists: stems, words as written, weights, and whether only a space parts a word from the
    next."""

    stems: list[str]
    written: list[str]
    weights: list[float]
    adjoining: list[bool]
    words: list[Word]
    raw: str


@dataclass(frozen=True, slots=True)
class Name:
    """A thing a text names: how it is written, its other spellings, and all of them as stems, the main one first."""

    surface: str
    kind: TermKind
    aliases: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]


def sentence(raw: str, weight: float) -> Sentence:
    """A sentence ready to be counted. Possessives are written without their ending."""
    words = read(raw)
    written = []
    for _, start, end in words:
        written.append(re.sub(r"['’]s?$", "", raw[start:end]))
    gaps = [raw[a[2] : b[1]] for a, b in pairwise(words)]
    adjoining = [
        gap in ("", " ", "-") and not raw[max(0, one[2] - 2) : one[2]].endswith(("'s", "’s"))
        for one, gap in zip(words, [*gaps, "."], strict=False)
    ]
    return Sentence([word for word, _, _ in words], written, [weight] * len(words), adjoining, words, raw)


def known(sentences: Sequence[Sentence], lang: str) -> tuple[list[Name], list[Name]]:
    """The names in these sentences, single words included; and the long names that stand only once and hold a
    word that tells enough by itself: they count beside their words, since the next report may shorten them."""
    capital, small = _capitals(sentences)
    runs: Counter[str] = Counter()
    for one in sentences:
        if not _shouts(one):
            runs.update(_runs(one, capital, small, lang))
    spelled: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for surface, count in runs.items():
        spelled[stems(surface)][surface] += count
    long = {form: found.most_common(1)[0][0] for form, found in spelled.items() if len(form) > 1}
    counts = {form: sum(spelled[form].values()) for form in long}
    long = _without_longer(long, counts)
    short: dict[tuple[str, ...], str] = {}
    for stem, written in _singles(sentences, capital, small).items():
        if len(stem) > 1:
            short[(stem,)] = written
    inside = Counter(word for form, found in spelled.items() for word in form for _ in range(sum(found.values())))
    seen = Counter(
        stem
        for one in sentences
        if not _shouts(one)
        for stem, written in zip(one.stems, one.written, strict=True)
        if written[:1].isupper()
    )
    alone = {form[0] for form in short if seen[form[0]] > inside[form[0]]}
    brackets = _in_brackets(sentences)
    beside = {
        form: surface
        for form, surface in long.items()
        if counts[form] == 1
        and form not in brackets
        and form[-1] not in alone
        and any(telling(word, lang) >= ALONE_WITHIN for word in form)
    }
    whole = {form: surface for form, surface in long.items() if form not in beside}
    return _tied(whole, short, alone, brackets, lang), [_name(surface, []) for surface in beside.values()]


def _tied(
    long: dict[tuple[str, ...], str],
    short: dict[tuple[str, ...], str],
    alone: set[str],
    brackets: dict[tuple[str, ...], str],
    lang: str,
) -> list[Name]:
    """Names with their short forms: words that tell enough by themselves and stand in one name only (a surname), an
    acronym by its brackets or initials."""
    holders: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    initials: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for form, surface in long.items():
        for word in dict.fromkeys(form):
            holders[word].append(form)
        initials["".join(word[0] for word in re.findall(r"\w+", surface) if word[0].isupper()).lower()].append(form)
    made: list[Name] = []
    used: set[tuple[str, ...]] = set()
    for form, surface in long.items():
        written = (
            dict(zip(form, re.findall(r"\w+", surface), strict=False)) if len(form) == len(surface.split()) else {}
        )
        aliases = []
        for word, spelled in written.items():
            # "Trump" stands for Donald Trump where it stands alone; "Investment" does not for a committee on it.
            # Where the text itself shortens a name to its last word, its first one is no short form.
            if form[-1] in alone and word != form[-1]:
                continue
            least = ALONE if word in alone else ALONE_WITHIN
            if holders[word] == [form] and telling(word, lang) >= least and not _CONNECTORS & set(form):
                aliases.append(spelled)
                used.add((word,))
        for single, spelled in short.items():
            word = single[0]
            by_initials = _ACRONYM.fullmatch(spelled) and initials.get(word) == [form] and len(word) > 2
            if by_initials or brackets.get(form) == word:
                aliases.append(spelled)
                used.add(single)
        if (said := brackets.get(form)) and said not in [alias.lower() for alias in aliases]:
            aliases.append(said.upper())
        made.append(_name(surface, aliases))
    made += [_name(written, []) for form, written in short.items() if form not in used]
    return made


def _name(surface: str, aliases: Iterable[str]) -> Name:
    both = (*aliases, *_apart(surface))
    forms = dict.fromkeys(form for spelling in (surface, *both) if (form := stems(spelling)))
    return Name(surface, "name", tuple(both), tuple(forms))


def _apart(surface: str) -> tuple[str, ...]:
    """Spellings that follow from form alone: "TikTok" is also written "Tik Tok"."""
    parts = re.findall(r"[A-Z][a-z]+", surface)
    return (" ".join(parts),) if len(parts) > 1 and "".join(parts) == surface else ()


def _capitals(sentences: Iterable[Sentence]) -> tuple[Counter[str], Counter[str]]:
    """How often each stem stands capitalised, and small, where that says something: not first, not in a headline that
    capitalises everything."""
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for one in sentences:
        if _shouts(one):
            continue
        for at, (stem, written) in enumerate(zip(one.stems, one.written, strict=True)):
            if written[:1].islower():
                small[stem] += 1
            elif written[:1].isupper() and (at or any(char.isupper() for char in written[1:])):
                capital[stem] += 1
    return capital, small


def _shouts(one: Sentence) -> bool:
    words = [word for word in one.written if len(word) > 3 and word[0].isalpha()]
    return len(words) > 2 and sum(word[0].isupper() for word in words) > _TITLE_CASE * len(words)


def _singles(sentences: Iterable[Sentence], capital: Counter[str], small: Counter[str]) -> dict[str, str]:
    """Stems that are names by themselves, as they are mostly written."""
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for one in sentences:
        for stem, written in zip(one.stems, one.written, strict=True):
            if capital[stem] > small[stem] and written[:1].isupper() and stem not in CALENDAR:
                spelled[stem][written] += 1
    return {stem: found.most_common(1)[0][0] for stem, found in spelled.items()}


def _runs(one: Sentence, capital: Counter[str], small: Counter[str], lang: str) -> list[str]:
    """Runs of two and more capitalised words, small words allowed inside. A possessive or a comma ends a run; the first
    word of a sentence counts only when it is capitalised elsewhere too, or is hardly a word
    ("Helga"). Titles before a name are left out."""
    found: list[list[str]] = []
    run: list[str] = []
    for at, (stem, written) in enumerate(zip(one.stems, one.written, strict=True)):
        is_name = (
            (written[:1].isupper() or (bool(run) and written.isdigit()))
            and stem not in CALENDAR
            and (at > 0 or capital[stem] > small[stem] or (not small[stem] and telling(stem, lang) >= ALONE_WITHIN))
        )
        if is_name or (run and stem in _CONNECTORS and written.islower()):
            run.append(written)
        else:
            found.append(run)
            run = []
        if not one.adjoining[at]:
            found.append(run)
            run = []
    found.append(run)
    return [name for words in found if (name := _trimmed(words))]


def _trimmed(run: list[str]) -> str:
    """A run as a name, or "" when it is none."""
    while run and (run[-1].lower() in _CONNECTORS or run[-1].isdigit()):
        run = run[:-1]
    while run and (run[0].lower().rstrip(".") in _TITLES or run[0].lower() in _CONNECTORS):
        run = run[1:]
    return " ".join(run) if 2 <= len(run) <= MOST_WORDS else ""


def _without_longer(long: dict[tuple[str, ...], str], counts: dict[tuple[str, ...], int]) -> dict[tuple[str, ...], str]:
    """A name that holds another one, and does not stand more often, is a mention of the shorter."""
    kept = {}
    for form, surface in long.items():
        parts = (form[i:j] for i in range(len(form)) for j in range(i + 2, len(form) + 1))
        inside = [part for part in parts if part != form and part in long]
        if not any(counts[other] >= counts[form] for other in inside):
            kept[form] = surface
    return kept


def _in_brackets(sentences: Iterable[Sentence]) -> dict[tuple[str, ...], str]:
    """Names followed by their acronym in brackets: name to acronym, as stems."""
    found: dict[tuple[str, ...], str] = {}
    for one in sentences:
        for at, (letters, start, end) in enumerate(one.words):
            if not (one.raw[start - 1 : start] == "(" and one.raw[end : end + 1] == ")" and 2 <= len(letters) <= 7):
                continue
            for first in range(max(0, at - MOST_WORDS), at - 1):
                words = one.written[first:at]
                initials = "".join(word[0].lower() for word in words if word[:1].isupper())
                if words[0][:1].isupper() and initials and letters.startswith(initials[: len(letters)]):
                    found[tuple(one.stems[first:at])] = letters
                    break
    return found
