"""How headlines differ: words only one of them has, words most share, and what an edit changed.

Values in, values out. Offsets are characters in the headline as stored, so that `safe.marked` can mark them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup, escape

from pipeline import worddiff
from pipeline.text import spans, stem

from .safe import Span, Tag, around

# Words that say nothing about an angle. Short on purpose: a headline's small words are few.
_SMALL = frozenset(
    "a about after again all amid among an and any are as at be been before but by can could did do does for from"
    " had has have he her his how if in into is it its just like may more most new no not now of off on one or our"
    " out over says say said she so some than that the their them then there they this to two under up us was we"
    " were what when where which while who why will with would you your".split()
)
# Beneath this many headlines every word is "unique", and marking them all says nothing.
_FEWEST = 3


@lru_cache(maxsize=1024)
def _telling(headline: str) -> tuple[tuple[str, int, int], ...]:
    """The words of a headline that carry meaning, as one form for singular and plural, with their offsets.

    Kept, since a page asks twice, and the next reader of a story asks again.
    """
    return tuple(
        (stem(word), start, end)
        for word, start, end in spans(headline)
        if word not in _SMALL and (len(word) > 2 or word.isdigit())
    )


def unique_spans(headlines: Sequence[str]) -> tuple[tuple[Span, ...], ...]:
    """For each headline the places of words that no other headline has. Empty when there are fewer than three."""
    if len(headlines) < _FEWEST:
        return tuple(() for _ in headlines)
    words = [_telling(headline) for headline in headlines]
    held = Counter(word for telling in words for word in {word for word, _, _ in telling})
    return tuple(tuple((start, end) for word, start, end in telling if held[word] == 1) for telling in words)


def shared(headlines: Sequence[str], most: int = 8) -> tuple[str, ...]:
    """The words most headlines use, most used first, each as it is most often written."""
    if len(headlines) < _FEWEST:
        return ()
    held: Counter[str] = Counter()
    spelling: dict[str, Counter[str]] = {}
    for headline in headlines:
        telling = _telling(headline)
        held.update({word for word, _, _ in telling})
        for word, start, end in telling:
            spelling.setdefault(word, Counter())[headline[start:end]] += 1
    need = max(2, (len(headlines) + 1) // 2)
    return tuple(spelling[word].most_common(1)[0][0] for word, count in held.most_common(most) if count >= need)


def _bare(tag: Tag, text: str) -> tuple[Markup, Markup, Markup]:
    """The words in the tag, and the white space around them outside it, where no line is drawn under it."""
    words = text.strip()
    at = text.index(words)
    return escape(text[:at]), around(tag, words), escape(text[at + len(words) :])


@lru_cache(maxsize=256)  # the front page shows the same four changes to everybody
def diff(before: str, after: str) -> tuple[Markup, Markup]:
    """Both wordings, escaped: what went is `<del>` in the first, what came is `<ins>` in the second."""
    left: list[Markup] = []
    right: list[Markup] = []
    # What went and what came since the last words that stayed: one mark, though it is several pieces.
    went = came = ""
    for segment in (*worddiff.diff(before, after), None):
        if segment is None or (segment.change == "kept" and segment.text.strip()):
            left += _bare("del", went)
            right += _bare("ins", came)
            went = came = ""
        if segment is None:
            continue
        if segment.change != "added":
            if segment.change == "removed" or (went and not segment.text.strip()):
                went += segment.text
            else:
                left.append(escape(segment.text))
        if segment.change != "removed":
            if segment.change == "added" or (came and not segment.text.strip()):
                came += segment.text
            else:
                right.append(escape(segment.text))
    return Markup().join(left), Markup().join(right)
