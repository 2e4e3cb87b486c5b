"""How two texts differ, word by word. Pure; the time grows with their length, not with its square."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from pipeline.text import fold

MAX_PIECES = 400
"""Words and signs of a stretch that are compared one by one; a longer one counts as replaced."""

MAX_SENTENCES = 3000

Change = Literal["kept", "removed", "added"]

_PIECE = re.compile(r"\s+|\w+(?:['’]\w+)*|[^\w\s]")
_SENTENCE = re.compile(r"[^\n]*?(?:[.!?…][\"'”’)\]]*\s+|\n+|$)", re.S)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch that both wordings hold, or one of them."""

    change: Change
    text: str


def diff(before: str, after: str) -> tuple[Segment, ...]:
    """The two texts as stretches kept, removed and added. Kept and removed make the earlier text, kept and added the
    later, character by character.

    Sentences first, then the words of those that changed; where more than MAX_PIECES of them meet, all count as
    replaced, so that the time grows with the length of the texts and not with its square.
    """
    segments: list[Segment] = []
    for what, old, new in _sentencewise(before, after):
        if what == "equal":
            _add(segments, "kept", old)
            continue
        left, right = _PIECE.findall(old), _PIECE.findall(new)
        if len(left) > MAX_PIECES or len(right) > MAX_PIECES:
            _add(segments, "removed", old)
            _add(segments, "added", new)
            continue
        matcher = SequenceMatcher(None, left, right, autojunk=False)
        for _, a, b, c, d in matcher.get_opcodes():
            same = left[a:b] == right[c:d]
            _add(segments, "kept" if same else "removed", "".join(left[a:b]))
            _add(segments, "added", "" if same else "".join(right[c:d]))
    return tuple(segments)


def _add(segments: list[Segment], change: Change, words: str) -> None:
    if not words:
        return
    if segments and segments[-1].change == change:
        words = segments.pop().text + words
    segments.append(Segment(change, words))


def _sentencewise(before: str, after: str) -> Iterator[tuple[str, str, str]]:
    old, new = _sentences(before), _sentences(after)
    if len(old) > MAX_SENTENCES or len(new) > MAX_SENTENCES:
        yield ("equal" if before == after else "replace"), before, after
        return
    # Popular sentences count as junk in long texts (autojunk), so that a text of one line a thousand times is quick.
    for what, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        yield what, "".join(old[a:b]), "".join(new[c:d])


def _sentences(body: str) -> list[str]:
    return [found for found in _SENTENCE.findall(body) if found]


def replaced(before: str, after: str, alike: float) -> Iterator[tuple[str, str, str]]:
    """Stretches of folded words that stand for each other, of sentences that are `alike` by so much (0 to 1) and more;
    and the whole later sentence with each."""
    for what, old, new in _sentencewise(before, after):
        left, right = fold(old).split(), fold(new).split()
        if what != "replace" or len(left) > MAX_PIECES or len(right) > MAX_PIECES:
            continue
        matcher = SequenceMatcher(None, left, right, autojunk=False)
        if matcher.ratio() < alike:
            continue
        for op, a, b, c, d in matcher.get_opcodes():
            if op == "replace":
                yield " ".join(left[a:b]), " ".join(right[c:d]), " ".join(right)
