"""Words from text: plain text out of markup, folding, tokens, shingles, hashes. Knows no article."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import nh3

# Elements that start a new line when a page is read aloud; everything else runs on.
_BLOCKS = frozenset(
    """
    address article aside blockquote br dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li
    main ol p pre section table td th tr ul
    """.split()
)
# Elements dropped with all they hold: code, and those whose markup HTML reads as bare text. The `<noscript><img ...>`
# of lazy loading is in many feeds, and would come out as words.
_UNREAD = frozenset("script style iframe noscript noembed noframes xmp plaintext textarea title".split())
_TAG = re.compile(r"<[^>]*>")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n\s*\n+")
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_COMBINING = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")
_WORD = re.compile(r"\w[\w\u0300-\u036f]*(?:['’]\w[\w\u0300-\u036f]*)*")
# The same with the vowel signs of Thai, Hindi, Arabic and their kin, which `\w` leaves out: words would
# fall apart. `_WORD` stays as it is, since hashes of wordings are stored.
_SIGNS = "".join(chr(c) for c in range(0x300, 0x10000) if unicodedata.category(chr(c)) in ("Mn", "Mc"))
_RUN = re.compile(rf"\w[\w{_SIGNS}]*(?:['’]\w[\w{_SIGNS}]*)*")
_POSSESSIVE = re.compile(r"['’]s?$")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(]?[A-Z0-9À-Þ])")


def plain(markup: str | None) -> str:
    """Text as a reader sees it, paragraphs divided by one blank line.

    Takes HTML or plain text. Scripts, styles, frames, images and attributes are dropped by nh3 (ammonia), so what
    comes back is text, never markup; control and direction-changing characters and lone surrogates are removed.
    """
    if not markup:
        return ""
    text = markup
    if "<" in text:
        text = nh3.clean(_SURROGATE.sub("", text), tags=set(_BLOCKS), clean_content_tags=set(_UNREAD), attributes={})
        text = _TAG.sub("\n", text)
    if "&" in text:
        text = html.unescape(text)
    text = _CONTROL.sub("", _LINE_END.sub("\n", text))
    text = _SPACES.sub(" ", text)
    return _BLANK_LINES.sub("\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()


def line(markup: str | None) -> str | None:
    """`plain`, on one line; `None` when nothing is left. For titles and names."""
    return " ".join(plain(markup).split()) or None


def fold(text: str) -> str:
    """Lower case without diacritics and compatibility forms: "Société" and "societe" are one."""
    if text.isascii():
        return text.lower()
    text = text.replace("’", "'")
    # Folded once more at the end: "™" is "TM" only by then.
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text.casefold())).casefold()


def tokens(text: str) -> list[str]:
    """Folded words in order; possessives lose their ending ("TikTok's" is "tiktok")."""
    found = (_WORD if text.isascii() else _RUN).findall(fold(text))
    return [word if word.isalnum() else _POSSESSIVE.sub("", word) for word in found]


def spans(text: str) -> list[tuple[str, int, int]]:
    """Folded words with their (start, end) offsets in `text`, for highlighting."""
    if text.isascii():
        low = text.lower()
        return [
            (word if (word := found.group()).isalnum() else _POSSESSIVE.sub("", word), found.start(), found.end())
            for found in _WORD.finditer(low)
        ]
    return [(_POSSESSIVE.sub("", fold(found.group())), found.start(), found.end()) for found in _RUN.finditer(text)]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """One form for singular and plural: "deals" is "deal", "companies" is "company". English, and light."""
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]


def sentences(text: str) -> list[str]:
    """Sentences and headings in order, split at paragraph ends and at full stops before a capital."""
    return [
        sentence.strip()
        for paragraph in text.split("\n")
        for sentence in _SENTENCE_END.split(paragraph)
        if sentence.strip()
    ]


def shingles(words: Sequence[str], size: int = 5) -> frozenset[int]:
    """Every run of `size` words, as a set of hashes. Empty when there are fewer words than that."""
    return frozenset(hash(tuple(words[i : i + size])) for i in range(len(words) - size + 1))


def digest(*parts: str | None) -> str:
    """A hash of parts, order and absence included, as 32 hexadecimal digits."""
    said = b"".join(
        [b"\x00\xff" if part is None else b"\x01%b\xff" % part.encode("utf-8", "surrogatepass") for part in parts]
    )
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def wording(*parts: str | None) -> str:
    """A hash of the words alone: case, punctuation and white space are set aside."""
    return digest(*(" ".join(_WORD.findall(fold(part))) if part else None for part in parts))


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words and marked with an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (head[: head.rfind(" ")] if " " in head[limit // 2 :] else head).rstrip() + "…"


def listing(words: Iterable[str]) -> str:
    """Words as a person would list them: "a, b and c"."""
    items = list(words)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""
