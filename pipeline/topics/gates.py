"""The gates of a profile: what any, all or none of must stand in an article before its score counts.

A rule is words, compared as terms are (case, accents and plurals set aside, whole words only), or `re:` and a pattern.
Patterns are RE2's: its time grows with the text and with nothing else, so that none can run away on what the network
sends. What RE2 cannot do (look around, refer back) is refused when the profile is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import patterns, text
from pipeline.model import Rules
from pipeline.topics.words import Word, stems


@dataclass(frozen=True, slots=True)
class Gates:
    """The rules of one profile, ready."""

    any: tuple[_Gate, ...]
    all: tuple[_Gate, ...]
    none: tuple[_Gate, ...]

    def closed(self, fields: Sequence[tuple[str, Sequence[Word]]]) -> str:
        """Why they keep an article out, in words; empty when they let it in. Fields are (as written, its words)."""
        if self.any and not any(gate.open(fields) for gate in self.any):
            return f"none of {text.listing(gate.rule for gate in self.any)} stands in it"
        for gate in self.all:
            if not gate.open(fields):
                return f'"{gate.rule}" does not stand in it'
        for gate in self.none:
            if gate.open(fields):
                return f'"{gate.rule}" stands in it'
        return ""


@dataclass(frozen=True, slots=True)
class _Gate:
    rule: str
    words: tuple[str, ...]

    def open(self, fields: Sequence[tuple[str, Sequence[Word]]]) -> bool:
        if self.rule.startswith(patterns.MARK):
            pattern = patterns.compiled(self.rule)
            return any(pattern.search(raw) for raw, _ in fields)
        size = len(self.words)
        if not size:
            return False
        return any(
            words[at][0] == self.words[0]
            and at + size <= len(words)
            and all(words[at + i][0] == self.words[i] for i in range(1, size))
            for _, words in fields
            for at in range(len(words))
        )


def ready(rules: Rules) -> Gates | None:
    """The gates of a profile; `None` when it has none. `patterns.fault` has vouched for each rule."""
    if not (rules.any or rules.all or rules.none):
        return None
    any_of, all_of, none_of = (
        tuple(_Gate(rule, stems(rule)) for rule in given) for given in (rules.any, rules.all, rules.none)
    )
    return Gates(any_of, all_of, none_of)
