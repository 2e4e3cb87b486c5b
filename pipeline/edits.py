"""What an edit changed: the kinds of change between two wordings. Pure.

Case, punctuation and white space are not wording: what differs in them alone is no edit (`text.wording`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import text, worddiff

KINDS = ("headline", "correction", "quote_removed", "number", "text", "cosmetic")
"""From the most telling to the least. The first that applies is the kind of a revision."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What an outlet published at one moment, as plain text."""

    title: str | None
    summary: str | None
    text: str

    @property
    def body(self) -> str:
        """The text, with the summary before it where the text does not hold that already."""
        summary = self.summary or ""
        return self.text if not summary or summary[:80] in self.text else f"{summary}\n\n{self.text}"


# How outlets own up to a mistake. Where one word could open any sentence, a sign must follow it.
_CORRECTION = re.compile(
    r"(?:^|[.!?…)\]\"”\n(\[*]\s*)(?:"
    r"(?:correction|corrections|corrected|clarification|erratum|errata|rectification|rectificatif|korrektur|"
    r"berichtigung|richtigstellung|correcci[oó]n|rectificaci[oó]n|aclaraci[oó]n|rettifica|precisazione|corre[cç][aã]o|"
    r"rectificatie|correctie|r[aä]ttelse|rettelse|korrigering|oikaisu|sprostowanie|исправление|поправка|düzeltme|"
    r"editor[’']?s note|anmerkung der redaktion|anm\. ?d\. ?red\.|"
    r"note de la r[eé]daction|nota del? (?:editor|redactor)|"
    r"fe de err(?:ores|atas)|errata corrige|примечание редакции)"
    r"\s*(?:\([^)]{0,60}\)|,?\s*[^\s:]{1,12}\s\d[^:\n]{0,20})?\s*[:–—]"
    r")|(?:"
    r"(?:an?|the) (?:earlier|previous|original|prior) version of (?:this|the)"
    r" (?:article|story|report|post|piece|headline)|"
    r"(?:this|the) (?:article|story|report|post|piece|headline|page|item) (?:was|has been|is)"
    r" (?:corrected|amended|clarified|updated to (?:correct|reflect|clarify)|edited to correct|changed to correct)|"
    r"(?:was|were) (?:amended|corrected) on \d|we (?:regret|apologi[sz]e for) the error|"
    r"in einer (?:früheren|vorherigen|ersten) (?:version|fassung)|wir haben (?:den fehler|das) korrigiert|"
    r"une (?:première |précédente )?version (?:précédente|antérieure|initiale)? ?de (?:cet article|ce texte)|"
    r"una versi[oó]n (?:anterior|previa) de este (?:art[ií]culo|texto)|"
    r"una versione precedente di questo articolo|uma versão anterior d(?:este|esta) (?:texto|artigo|reportagem)|"
    r"in een eerdere versie van dit"
    r")|\bCORRECTED?[-–—:]",
    re.I,
)
_CORRECTED_TITLE = re.compile(
    r"^(?:correct(?:ed|ion)|clarification|refile|korrektur|corrección|rectificatif)\s*[-–—:]", re.I
)

_QUOTE = re.compile(
    r"“([^“”]{8,600})”|„([^“”„]{8,600})[“”]|«([^«»]{8,600})»|\"([^\"\n]{8,600})\"|‘([^‘’]{16,400}(?:’\w[^‘’]*)*)’(?!\w)"
)
MIN_QUOTE = 4
"""Words that make a quoted passage a statement rather than a name or a term."""

QUOTE_KEPT = 0.6
"""Share of a quote's runs of three words that the new wording still holds: then it was reworded or moved."""

REST_KEPT = 0.4
"""Share of the other runs that must have stayed: in a text written anew, no single quote was taken out."""

SAME_SENTENCE = 0.4
"""Likeness of two sentences from which a number in one stands for a number in the other."""

LONGEST_COUNT = 8
"""Words of a stretch in which one number may stand for another; in a longer one all was said anew."""

_CLOCK = re.compile(
    r"\b\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?(?:\s?(?:GMT|UTC|ET|EST|EDT|PT|BST|CET|CEST|SGT|NZST|NZDT|AEST|IST))?\b|"
    r"\b\d{1,2}\s?(?:[ap]\.m\.|[ap]m\b)|\b(?:19|20)\d\d-\d\d-\d\d\b|\b\d{1,2}\.\d{1,2}\.(?:19|20)\d\d\b|"
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?\s\d{1,2}(?:st|nd|rd|th)?(?:,?\s(?:19|20)\d\d)?\b|"
    r"\b\d{1,2}(?:st|nd|rd|th)?\.?\s(?:jan|feb|mar|m[aä]r|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez)[a-z]*\.?"
    r"(?:\s(?:19|20)\d\d)?\b|\b\d+\s(?:seconds?|minutes?|mins?|hours?|hrs?|days?)\sago\b",
    re.I,
)
_COUNTED = re.compile(r"(\d+(?:[.,\u00a0\u202f]\d+)*)(?:(bn|tn|m|k)\b)?|([^\W\d_]+)")
_UNITS = {
    **{word: str(value) for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
        " seventeen eighteen nineteen twenty".split()
    )},
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "dozen": "12", "dozens": "12s", "hundred": "100", "hundreds": "100s", "thousand": "1000", "thousands": "1000s",
    "million": "1e6", "millions": "1e6s", "billion": "1e9", "billions": "1e9s", "trillion": "1e12", "bn": "1e9",
    "m": "1e6", "k": "1000", "tn": "1e12", "half": "0.5",
}  # fmt: skip
# "one" is mostly no number, "second" a moment or a place.
_NO_NUMBER = frozenset({"one", "zero"})


def kinds(before: Wording, after: Wording) -> tuple[str, ...]:
    """Everything that the later wording changed, most telling first; empty when the words are the same."""
    if _same_words(before, after):
        return ()
    if all(
        _letters(old) == _letters(new)
        for old, new in ((before.title, after.title), (before.summary, after.summary), (before.text, after.text))
    ):
        return ("cosmetic",)
    found = set()
    retitled = bool(after.title) and _letters(before.title) != _letters(after.title)
    if retitled:
        found.add("headline")
    old, new = before.body, after.body
    rewritten = _letters(old) != _letters(new) and not (retitled and _only_titles(before, after))
    if rewritten:
        found.add("text")
    if corrected(before, after):
        found.add("correction")
    if rewritten and quotes_removed(old, new):
        found.add("quote_removed")
    if numbers_changed(before.title or "", after.title or "") or (rewritten and numbers_changed(old, new)):
        found.add("number")
    return tuple(kind for kind in KINDS if kind in found) or ("text",)


def corrected(before: Wording, after: Wording) -> bool:
    """Whether the later wording owns up to a mistake, in words the earlier one did not have."""
    if _CORRECTED_TITLE.match(after.title or "") and not _CORRECTED_TITLE.match(before.title or ""):
        return True
    known = {_letters(sentence) for sentence in text.sentences(before.body)}
    fresh = "\n".join(one for one in text.sentences(after.body) if _letters(one) not in known)
    return len(_CORRECTION.findall(fresh)) > 0 and len(_CORRECTION.findall(after.body)) > len(
        _CORRECTION.findall(before.body)
    )


def quotes_removed(before: str, after: str) -> list[str]:
    """The quoted statements of the earlier text that the later one holds no more, in their order."""
    quotes = [next(part for part in found if part) for found in _QUOTE.findall(before[:100_000])]
    words = [(quote, text.tokens(quote)) for quote in quotes]
    words = [(quote, said) for quote, said in words if len(said) >= MIN_QUOTE]
    if not words:
        return []
    held = _runs(text.tokens(after[:100_000]))
    gone = [(quote, said) for quote, said in words if len(_runs(said) & held) < QUOTE_KEPT * len(_runs(said))]
    rest = _runs(text.tokens(before[:100_000])) - {run for _, said in gone for run in _runs(said)}
    if not rest or len(rest & held) < REST_KEPT * len(rest):
        return []
    return [quote for quote, _ in gone]


def _runs(words: Sequence[str]) -> set[tuple[str, str, str]]:
    return set(zip(words, words[1:], words[2:], strict=False))


def numbers_changed(before: str, after: str) -> bool:
    """Whether a number became another in its place: "12 killed" to "14 killed". Times of day and dates are none."""
    if not before or not after:
        return False
    clean = _CLOCK.sub(" ", before), _CLOCK.sub(" ", after)
    for removed, added, whole in worddiff.replaced(*clean, SAME_SENTENCE):
        was, now = _numbers(removed), _numbers(added)
        short = len(removed.split()) <= LONGEST_COUNT and len(added.split()) <= LONGEST_COUNT
        if was and len(was) == len(now) and was != now and short and not set(was) <= set(_numbers(whole)):
            return True
    return False


def _numbers(words: str) -> Sequence[str]:
    """The numbers of a folded stretch, in digits; units count, so that 3 million is not 3 billion but is 3m."""
    found = []
    for digits, unit, word in _COUNTED.findall(words):
        if digits:
            found.append(re.sub(r"[,\u00a0\u202f]", "", digits))
        if (unit or word) in _UNITS and word not in _NO_NUMBER:
            found.append(_UNITS[unit or word])
    return sorted(found)


def _only_titles(before: Wording, after: Wording) -> bool:
    """Whether the text is no more than the headline, in both wordings."""
    return before.text == (before.title or "") and after.text == (after.title or "") and before.summary == after.summary


def _same_words(before: Wording, after: Wording) -> bool:
    return text.wording(before.title, before.summary, before.text) == text.wording(
        after.title, after.summary, after.text
    )


def _letters(value: str | None) -> str:
    return "".join(char for char in text.fold(value or "") if char.isalnum())
