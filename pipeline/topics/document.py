"""A seed document as read: its headline and paragraphs, without what surrounds an article. Text, Markdown or HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline import rarity, text
from pipeline.errors import ConfigError
from pipeline.topics.words import read, stems

MIN_WORDS = 8
"""A document of fewer words is no ground for a profile. A headline with a line of summary is, if a poor one."""

LONGEST_HEADLINE = 30
"""Words; a longer first line is a paragraph."""

LANGUAGES = "en de fr es it pt nl sv nb da fi pl cs hu ro tr id".split()
"""Languages in Latin letters that a seed may be in, told apart by their commonest words."""

COMMON = 0.002
"""Share of running words from which a word is one of its language's commonest."""

_MARKUP = re.compile(r"<(?:html|body|p|div|article|!doctype)\b", re.I)
# Places and an agency in brackets, alone on their line or before a dash. One way to read each character: nested
# repetition took seconds over a line of a hundred capitalised words.
_DATELINE = re.compile(
    r"^[ \t]*[A-Z](?:[\w.']|[ ,](?=[A-Z0-9,])){1,80}[ ]?\((?:[A-Z]{2,8}|Reuters|Bloomberg)\)[ \t]*(?:[-–—:]+\s*|$)",
    re.M,
)
_DATE_LINE = re.compile(r"^\s*date\s+\d{4}-\d\d-\d\d\s*", re.I)
_MARKDOWN = re.compile(
    r"!\[[^\]\n]*\]\([^)\n]*\)|(?<=\])\([^)\n]*\)|^[ \t]*(?:#{1,6}|>|[-*+](?=\s))[ \t]*|\*\*|__|`", re.M
)
_OUTLET_SUFFIX = re.compile(r"\s+[|–—-]\s+[A-Z][\w.&' ]{1,40}$")
# Lines that stand around an article on a page, by how they begin or by what they hold.
_AROUND = re.compile(
    r"""^(?:(?:sign\ up|subscribe|read\ (?:more|also|next)|related|see\ also|follow\ us|click\ here|share\ this|advert
        |story\ continues|most\ read|recommended|watch\ (?:live|now|:)|listen\ (?:to|:)|download\ (?:the|our)|photo
        |image|picture|file\ photo|getty|copyright|©|\(c\)|all\ rights|this\ (?:article|story)\ (?:was|first|originally)
        |updated?\b.{0,40}\d|published\b.{0,40}\d|by\ [A-Z][\w.'-]+(?:\ [A-Z][\w.'-]+){1,3}$
        |(?:reporting|editing|writing|additional\ reporting)\ by)
      |.{0,80}(?:getty\ images|all\ rights\ reserved|our\ newsletter|terms\ of\ (?:use|service)|privacy\ policy
        |cookie))""",
    re.I | re.X,
)


_ARTICLE = re.compile(r"<(article|main)\b.*?</\1\s*>", re.S | re.I)
_HEADING = re.compile(r"<h1\b[^>]*>(.*?)</h1\s*>", re.S | re.I)
_ASIDE = re.compile(r"<(nav|header|footer|aside|form|figcaption|button|h1)\b.*?</\1\s*>", re.S | re.I)

WRAPPED = 60
LEAST_LINE, FEW_LINES = 40, 5
"""On a page of more lines than these few, a line of fewer characters is a label or a link, not running text."""


@dataclass(frozen=True, slots=True)
class Document:
    """A seed as read: its headline ("" when it has none), its paragraphs in order, and its language."""

    headline: str
    paragraphs: tuple[str, ...]
    lang: str = "en"


def document(raw: str, name: str) -> Document:
    """A seed document from plain text, Markdown or HTML. `name` is the file, for the message when it is too short."""
    plain = _article(raw) if _MARKUP.search(raw) else _MARKDOWN.sub("", raw)
    plain = _DATELINE.sub("", _DATE_LINE.sub("", plain.lstrip("\ufeff")))
    lines = [" ".join(line.split()) for line in _unwrapped(plain.splitlines())]
    kept = [line for line in lines if line and not (len(line) < 300 and _AROUND.match(line))]
    count = sum(len(read(line)) for line in kept)
    if count < MIN_WORDS:
        raise ConfigError(
            name, "", f"a seed needs at least {MIN_WORDS} words, this has {count}.", "Give the whole article."
        )
    headline = ""
    if len(kept) > 1 and len(read(kept[0])) <= LONGEST_HEADLINE and not kept[0].endswith((".", "。", "।")):
        headline = _OUTLET_SUFFIX.sub("", kept[0])
        kept = kept[1:]
    return Document(headline, tuple(kept), _language(" ".join(kept)))


def _unwrapped(lines: list[str]) -> list[str]:
    """Lines that were broken at the margin as one: those that end in mid-sentence at 60 characters or more."""
    joined: list[str] = []
    open_line = False
    for line in lines:
        if open_line and line.strip():
            joined[-1] += f" {line}"
        else:
            joined.append(line)
        open_line = len(line) >= WRAPPED and line.rstrip()[-1:] not in (".", "!", "?", '"', "”", ":")
    return joined


def _article(page: str) -> str:
    """The article of a page: its first <article> or <main> when it has one, without what is no running text."""
    found = _ARTICLE.search(page)
    inside = found[0] if found and len(text.plain(found[0])) > len(text.plain(page)) / 8 else page
    heading = _HEADING.search(inside) or _HEADING.search(page)
    title = text.line(heading[1]) if heading else None
    lines = text.plain(_ASIDE.sub(" ", inside)).splitlines()
    body = [line for line in lines if line != title and (len(line) >= LEAST_LINE or len(lines) < FEW_LINES)]
    return "\n".join([title or "", *body])


def _language(said: str) -> str:
    """The language whose commonest words stand most often in it; English where none does."""
    words = [word for word in stems(said[:5000]) if word.isascii()]
    return max(LANGUAGES, key=lambda lang: (sum(rarity.share(word, lang) > COMMON for word in words), lang == "en"))
