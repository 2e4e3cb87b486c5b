"""How telling a word is, from general word frequencies. Pure and the same on every machine.

`wordfreq` gives a word's share of all running words on the Zipf scale (log10 of occurrences in a billion
words). A word's weight is the surprise of meeting it at all in one article: -ln(1 - exp(-n * share)) for an
article of n words, which is the inverse document frequency without a collection.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from types import ModuleType

from pipeline.text import fold, stem

ARTICLE_WORDS = 400
"""The length of a typical news article, in words."""

LEAST_ZIPF = 1.5
"""Words the frequency lists do not hold (new names, mostly) count as this rare: one in 30 million."""

_NUMBER_RARITY = 1.0


@cache
def _lists() -> ModuleType:
    """wordfreq, loaded when the first word is asked about: a quarter of a second that most commands need not spend."""
    import wordfreq

    return wordfreq


def rarity(word: str, lang: str = "en") -> float:
    """Nats of surprise, about 0 ("the") to 11.3 (never seen). Numbers tell little: 1.

    `word` is folded. A language without a list falls back to English. Not remembered here: who asks often does.
    """
    if word.isdigit():
        return _NUMBER_RARITY
    if lang == "en" and word.isascii() and word.isalpha():
        # What wordfreq comes to for such a word, which it would first take apart for 50 µs.
        share = _lists().get_frequency_dict("en", "small").get(word)
        if share is None:
            return _RAREST
        zipf = round(math.log10(round(share, 3 + math.floor(-math.log(share, 10)))) + 9, 2)
    else:
        try:
            zipf = _lists().zipf_frequency(word, lang, wordlist="small")
        except LookupError:
            zipf = _lists().zipf_frequency(word, "en", wordlist="small")
    return _surprise(zipf)


def _surprise(zipf: float) -> float:
    expected = ARTICLE_WORDS * 10 ** (max(zipf, LEAST_ZIPF) - 9)
    return -math.log(-math.expm1(-expected))


_RAREST = _surprise(LEAST_ZIPF)

PREFIX = 6
"""Letters by which `beginning` knows a word: "reject", "rejects" and "rejected" are one."""


def beginning(stem: str) -> float:
    """Nats of surprise at any word that begins like this folded stem, PREFIX letters of it; numbers tell little: 1.

    From the English list, as `rarity` does. Not remembered here: who asks often does.
    """
    if stem.isdigit():
        return _NUMBER_RARITY
    share = _beginnings().get(stem[:PREFIX])
    return _RAREST if share is None else _surprise(math.log10(share) + 9)


@cache
def _beginnings() -> dict[str, float]:
    shares: dict[str, float] = {}
    for word, share in _lists().get_frequency_dict("en", "small").items():
        key = stem(fold(word))[:PREFIX]
        shares[key] = shares.get(key, 0.0) + share
    return shares


SUMMARY_WORDS = 60
"""The length of a headline with its summary, in words: what a topic is mostly judged by."""

LEAST_SHARE = 10**2.5 / 1e9
"""Share of running words below which rarer is no longer more telling: one in three million."""


def telling(word: str, lang: str = "en") -> float:
    """How much a word says of a topic in nats, 0 ("the") to 10.9 (in no list). Numbers tell little: 1.

    The surprise of meeting it in a headline with summary. Not remembered here: who asks often does. `word` is a folded
    stem, as common as all its words together ("alway" as "always"). A language without a list has no common words: all
    of its words tell the same.
    """
    if word.isdigit():
        return _NUMBER_RARITY
    common = _shares(lang).get(word, 0.0)
    return -math.log(-math.expm1(-SUMMARY_WORDS * common)) if common > LEAST_SHARE else _MOST_TELLING


_MOST_TELLING = -math.log(-math.expm1(-SUMMARY_WORDS * LEAST_SHARE))


def share(word: str, lang: str = "en") -> float:
    """The share of running words that have this folded stem, 0 when no list holds one."""
    return _shares(lang).get(word, 0.0)


@lru_cache(maxsize=64)
def _shares(lang: str) -> dict[str, float]:
    """Folded stem to its share of running words. English has its large list (40 MB of memory), since names a little
    below the common ones are what tells topics apart; the others have the small one (about 4 MB each)."""
    if lang == "en":
        size = "best"
    elif lang in _lists().available_languages("small"):
        size = "small"
    else:
        return {}
    folded: dict[str, float] = {}
    # Read past wordfreq's own memory, which would keep the list a second time.
    for rank, words in enumerate(_lists().get_frequency_list.__wrapped__(lang, size)):
        share = _lists().cB_to_freq(-rank)
        for word in fold("\n".join(words)).split("\n") if words else ():
            plain = stem(word) if word[-1:] == "s" else word
            folded[plain] = folded.get(plain, 0.0) + share
    return folded
