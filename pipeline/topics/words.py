"""An article's words as topics read them: stems with their places, for any script, and how telling each is.

Scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are read as overlapping pairs of signs: a
name of four signs is three pairs in a row, and is found wherever these stand. Segmenters would read better and weigh 20
to 200 MB each.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from pipeline import rarity, text

Word = tuple[str, int, int]
"""A stem and its (start, end) offsets."""

_SCRIPTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("\u0370-\u03ff", "el", ()),
    ("\u0400-\u052f", "ru", ("uk", "bg", "mk", "sr")),
    ("\u0590-\u05ff", "he", ()),
    ("\u0600-\u06ff", "ar", ("fa", "ur")),
    ("\u0900-\u097f", "hi", ()),
    ("\u0980-\u09ff", "bn", ()),
    ("\u0b80-\u0bff", "ta", ()),
    ("\u0e00-\u0e7f", "th", ()),
    ("\u3040-\u30ff", "ja", ()),
    ("\u4e00-\u9fff", "zh", ("ja",)),
    ("\u1100-\u11ff\uac00-\ud7af", "ko", ()),
)
"""Script, the language it is read as, and others that are believed when the feed names them."""

_SCRIPT = re.compile("|".join(f"([{signs}])" for signs, _, _ in _SCRIPTS))
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
_UNSPACED_SIGN = re.compile(f"[{_UNSPACED}]")
_PART = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_VOWELS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3"
_SIGN = re.compile(f"[^{_VOWELS}][{_VOWELS}]*")
_DOTTED = re.compile(r"\.(?<=\b[A-Za-z]\.)[A-Za-z]\b")
# The full stops that `_joined` takes out between single letters, and texts in which it would be less simple.
_INNER_STOP = re.compile(r"\.(?<![\w'’][A-Za-z]\.)(?<=[A-Za-z]\.)(?=[A-Za-z](?!\w))")
_NOT_THAT_SIMPLE = re.compile(
    r"\.(?<=[A-Za-z]\.)[A-Za-z](?:['’]|\.[A-Za-z]\.[Ss]\b)|\.(?<=['’][A-Za-z]\.)[A-Za-z](?!\w)"
)
_ARABIC = re.compile("[\u0600-\u06ff]")
_POINTS = re.compile("[\u0591-\u05bd\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")
_ARTICLE = re.compile("^[\u0648\u0641\u0628\u0643]?\u0627\u0644(?=.{3})")

_PARTICLE_SHARE = 0.002
"""A sign that stands alone this often (的, の) tells nothing in any pair."""


def heard(raw: str, own: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The stems of `read` without their places, which few articles are asked for: a tenth of its cost. `own` are its
    `text.stems`, where they are known already."""
    if _DOTTED.search(raw):
        if not text.is_simple(raw) or _NOT_THAT_SIMPLE.search(raw):
            return stems(raw)
        return text.stems(_INNER_STOP.sub("", raw))
    if text.is_even(raw):
        return text.stems(raw) if own is None else own
    return stems(raw)


def read(raw: str) -> list[Word]:
    """Stems with their places in `raw`, in order. "U.S." and "F.B.I." are one word each."""
    found: list[Word] = []
    if raw.isascii():
        found = [(text.stem(word), start, end) for word, start, end in text.spans(raw)]
    else:
        for word, start, end in text.spans(raw):
            if word.isascii():
                found.append((text.stem(word), start, end))
            elif _UNSPACED_SIGN.search(word):
                found += _parts(raw[start:end], start)
            else:
                found.append((_stem(word), start, end))
    return _joined(found, raw) if _DOTTED.search(raw) else found


def _joined(found: list[Word], raw: str) -> list[Word]:
    """Letters with a full stop between them as one word."""
    joined: list[Word] = []
    letters = 0
    for word, start, end in found:
        one = len(word) == 1 and word.isalpha()
        if one and letters and raw[joined[-1][2] : start] == ".":
            joined[-1] = (joined[-1][0] + word, joined[-1][1], end)
        else:
            joined.append((word, start, end))
            letters = 0
        letters += one
    return joined


def stems(surface: str) -> tuple[str, ...]:
    """The stems of a term as it is written in a profile."""
    return tuple(word for word, _, _ in read(surface))


@lru_cache(maxsize=4)
def tellings(lang: str) -> text.Remembered[str, float]:
    """What `telling` says of each stem in an article of this language."""
    return text.Remembered(lambda word: _telling(word, lang), 131072)


def telling(word: str, lang: str) -> float:
    """How telling a stem is in an article of this language, 0 to 10.9; its script overrules a language that is not its
    own."""
    return tellings(lang)[word]


def _telling(word: str, lang: str) -> float:
    if word.isascii():
        return rarity.telling(word, lang if lang not in _OWN_SCRIPT else "en")
    script = _SCRIPT.search(word)
    if script is None:
        return rarity.telling(word, lang)
    _, usual, others = _SCRIPTS[(script.lastindex or 1) - 1]
    own = lang if lang in others else usual
    if _UNSPACED_SIGN.search(word):
        signs = _SIGN.findall(word)
        if len(signs) > 1 and any(rarity.share(sign, own) > _PARTICLE_SHARE for sign in signs):
            return 0.0
    return rarity.telling(word, own)


_OWN_SCRIPT = frozenset(lang for _, usual, others in _SCRIPTS for lang in (usual, *others))


def _parts(written: str, offset: int) -> list[Word]:
    """A run that holds signs of an unspaced script: these in pairs, what stands between them as a word."""
    found: list[Word] = []
    for part in _PART.finditer(written):
        start = offset + part.start()
        if not _UNSPACED_SIGN.match(part.group()):
            found += [(_stem(word), start + a, start + b) for word, a, b in text.spans(part.group())]
            continue
        signs = [(sign.start(), sign.end()) for sign in _SIGN.finditer(part.group())]
        pairs = list(pairwise(signs)) or [(sign, sign) for sign in signs]
        found += [(text.fold(part.group()[a:b]), start + a, start + b) for (a, _), (_, b) in pairs]
    return found


def _stem(word: str) -> str:
    if _ARABIC.search(word):
        return _ARTICLE.sub("", _POINTS.sub("", word))
    return text.stem(_POINTS.sub("", word))
