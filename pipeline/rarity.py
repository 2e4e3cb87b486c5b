"""How telling a word is, from general word frequencies. Pure and the same on every machine.

`wordfreq` gives a word's share of all running words on the Zipf scale (log10 of occurrences in a billion
words). A word's weight is the surprise of meeting it at all in one article: -ln(1 - exp(-n * share)) for an
article of n words, which is the inverse document frequency without a collection.
"""

from __future__ import annotations

import math
from functools import lru_cache

from wordfreq import zipf_frequency

ARTICLE_WORDS = 400
"""The length of a typical news article, in words."""

LEAST_ZIPF = 1.5
"""Words the frequency lists do not hold (new names, mostly) count as this rare: one in 30 million."""

_NUMBER_RARITY = 1.0


@lru_cache(maxsize=262144)
def rarity(word: str, lang: str = "en") -> float:
    """Nats of surprise, about 0 ("the") to 11.3 (never seen). Numbers tell little: 1.

    `word` is folded. A language without a list falls back to English.
    """
    if word.isdigit():
        return _NUMBER_RARITY
    try:
        zipf = zipf_frequency(word, lang, wordlist="small")
    except LookupError:
        zipf = zipf_frequency(word, "en", wordlist="small")
    expected = ARTICLE_WORDS * 10 ** (max(zipf, LEAST_ZIPF) - 9)
    return -math.log(-math.expm1(-expected))
