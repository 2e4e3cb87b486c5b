"""Words from text: plain text out of markup, folding, tokens, shingles, hashes. Knows no article."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import nh3

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

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
_CLEANER = nh3.Cleaner(tags=set(_BLOCKS), clean_content_tags=set(_UNREAD), attributes={})
_SPACES = re.compile(r"[^\S\n]+")
# What plain text seldom holds: signs that are dropped, line ends and spaces of other kinds than the usual ones.
_SELDOM = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ud800-\udfff"
    r"\ufeff]"
)
_SELDOM_ASCII = bytes([*range(9), 11, 12, *range(14, 32), 127])
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
# Signs beyond ASCII that stand between words whatever is beside them (quotation marks, dashes, symbols, emoji), and
# letters that stay letters when they are folded (Latin, Greek, Cyrillic). Most texts hold no others.
_APART = (
    "\x80-\xa9\xab-\xb1\xb4\xb6-\xb8\xbb\xbf\xd7\xf7\u2000-\u206f\u20a9-\u20cf\u2190-\u245f\u2500-\u2775\u2794-\u27ff"
    "\U0001f300-\U0001faff"
)
_LETTERS = (
    "\xaa\xb2\xb3\xb5\xb9\xba\xc0-\xd6\xd8-\xf6\xf8-\u013e\u0141-\u02c1\u0386\u0388-\u03f5\u0400-\u0482\u048a-\u052f"
    "\u1e00-\u1eff"
)
_NOT_APART = re.compile(rf"[^\x00-\x7f{_APART}]")
_NOT_EVEN = re.compile(rf"[^\x00-\x7f{_APART}{_LETTERS}]")
# ASCII as words are compared: small letters, digits, underscore and apostrophe; all else is space.
_LOW = bytes(c if chr(c) in "abcdefghijklmnopqrstuvwxyz0123456789_'" else 32 for c in bytes(range(256)).lower())
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
        first, *others = _cleaned(text).split("<")
        # Nothing but the tags of _BLOCKS, bare, is left between pointed brackets.
        text = "\n".join([first, *[part.partition(">")[2] for part in others]])
        if "&" in text:  # Nor any entity but these four, of which "&amp;" comes last: what it gives is no entity.
            text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    elif "&" in text:
        text = html.unescape(text)
    if _has_seldom(text):
        text = _CONTROL.sub("", _LINE_END.sub("\n", text))
        text = _SPACES.sub(" ", text)
    else:
        text = text.replace("\t", " ").replace("\xa0", " ").replace("\r\n", "\n").replace("\r", "\n")
    if "\n" in text:
        text = "\n".join([line.strip(" ") for line in text.split("\n")])
    while "  " in text:
        text = text.replace("  ", " ")
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip()


def _cleaned(markup: str) -> str:
    try:
        return _CLEANER.clean(markup)
    except UnicodeEncodeError:
        return _CLEANER.clean(_SURROGATE.sub("", markup))


def _has_seldom(text: str) -> bool:
    if text.isascii():
        said = text.encode()
        return len(said.translate(None, _SELDOM_ASCII)) < len(said)
    return _SELDOM.search(text) is not None


def line(markup: str | None) -> str | None:
    """`plain`, on one line; `None` when nothing is left. For titles and names."""
    if not markup:
        return None
    return _LINES[markup] if len(markup) < 1000 else " ".join(plain(markup).split()) or None


def fold(text: str) -> str:
    """Lower case without diacritics and compatibility forms: "Société" and "societe" are one."""
    if text.isascii():
        return text.lower()
    text = text.replace("’", "'")
    # Folded once more at the end: "™" is "TM" only by then.
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text.casefold())).casefold()


def tokens(text: str) -> list[str]:
    """Folded words in order; possessives lose their ending ("TikTok's" is "tiktok")."""
    flat = _flat(text)
    if flat is None:
        return [word if word.isalnum() else _POSSESSIVE.sub("", word) for word in _RUN.findall(fold(text))]
    return (f"{flat} ".replace("'s ", " ") if "'" in flat else flat).split()


def is_even(text: str) -> bool:
    """Whether folding letter by letter gives what folding the whole does: nothing in it becomes more than a letter, or
    less than one. True of nearly all that is in Latin, Greek or Cyrillic letters."""
    return text.isascii() or not _NOT_EVEN.search(text)


def is_simple(text: str) -> bool:
    """Whether all its letters are ASCII, whatever signs stand between them."""
    return text.isascii() or not _NOT_APART.search(text)


def _flat(text: str) -> str | None:
    """What `_WORD` and `_RUN` find in a text whose letters, once folded, are ASCII, with one space between words, at a
    tenth of their cost; None for other texts. Remembered, since the same text is hashed, named and read in turn."""
    return _FLATS[text] if len(text) <= _SIGNS_HELD // 16 else _flattened(text)


def _flattened(text: str) -> str | None:
    if text.isascii():
        plain = text.encode()
    elif not _NOT_APART.search(text):
        plain = text.replace("’", "'").encode("ascii", "replace")
    else:
        folded = fold(text)
        if _NOT_APART.search(folded):
            return None
        plain = folded.encode("ascii", "replace")
    flat = plain.translate(_LOW)
    if b"'" in flat:
        # An apostrophe counts between two letters only.
        flat = b" %b " % flat.replace(b"''", b"  ")
        flat = flat.replace(b"' ", b"  ").replace(b" '", b"  ")
    return " ".join(flat.decode().split())


def spans(text: str) -> list[tuple[str, int, int]]:
    """Folded words with their (start, end) offsets in `text`, for highlighting."""
    if text.isascii():
        low = text.lower()
        return [
            (word if (word := found.group()).isalnum() else _POSSESSIVE.sub("", word), found.start(), found.end())
            for found in _WORD.finditer(low)
        ]
    return [(_POSSESSIVE.sub("", fold(found.group())), found.start(), found.end()) for found in _RUN.finditer(text)]


class Remembered(dict[KeyT, ValueT]):
    """What a pure function said of each key so far, to be looked up by `map` without a call; begins anew when `most`
    are held."""

    def __init__(self, made: Callable[[KeyT], ValueT], most: int = 65536) -> None:
        super().__init__()
        self._made, self._most = made, most

    def __missing__(self, key: KeyT) -> ValueT:
        if len(self) >= self._most:
            self.clear()
        value = self[key] = self._made(key)
        return value


_LINES: Remembered[str, str | None] = Remembered(lambda markup: " ".join(plain(markup).split()) or None, 2048)


class _Flats(dict[str, str | None]):
    """What `_flattened` said of the latest texts; begins anew when they hold _SIGNS_HELD characters."""

    signs = 0

    def __missing__(self, text: str) -> str | None:
        self.signs += len(text)
        if self.signs > _SIGNS_HELD:
            self.clear()
            self.signs = len(text)
        made = self[text] = _flattened(text)
        return made


_SIGNS_HELD = 1 << 20
_FLATS = _Flats()


def stems(text: str) -> tuple[str, ...]:
    """Its `tokens`, each as its `stem`; one that was met before is the same object again, which is counted and looked
    up faster than an equal one."""
    return tuple(map(_STEMS.__getitem__, tokens(text)))


def stem(word: str) -> str:
    """One form for singular and plural: "deals" is "deal", "companies" is "company". English, and light."""
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]


def _one_stem(word: str) -> str:
    made = stem(word)
    # No stem has another: what ends in "s" after all ends in "ss".
    return word if made == word else _STEMS[made]


_STEMS: Remembered[str, str] = Remembered(_one_stem, 131072)


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
    return digest(*(_said(part) if part else None for part in parts))


def _said(part: str) -> str:
    flat = _flat(part)
    return " ".join(_WORD.findall(fold(part))) if flat is None else flat


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


# A spreadsheet takes a cell that starts so for a formula (CWE-1236); headlines are other people's words.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet(words: str) -> str:
    """The words of a cell in CSV; an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{words}" if words.startswith(_FORMULA) else words
