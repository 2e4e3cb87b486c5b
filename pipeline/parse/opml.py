"""OPML (opml.org, 1.0 to 2.0), the lists that feed readers hand over, to their feeds. Bytes in, values out.

Read with expat as news sitemaps are: entity declarations refused, nesting and size bounded. All or nothing: half a list
taken for the whole would be noticed months later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.parsers import expat

from pipeline import text
from pipeline.errors import ParseError

MAX_BYTES = 20 * 1024 * 1024
"""Largest list read; ten thousand feeds are about two megabytes."""

MAX_DEPTH = 256
"""Deepest nesting of elements that is read (fetch contract N13)."""

MAX_FEEDS = 100_000

MAX_TITLE = 200
"""Longest title or group name kept, in characters: what feeds.toml takes."""

# An ampersand that begins nothing XML knows. Many tools write addresses with `&` as they are.
_BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)")


@dataclass(frozen=True, slots=True)
class Outline:
    """One feed of a list, as the list says it. `group` names the outlines around it, `line` is where it stands."""

    url: str
    title: str | None
    group: str | None
    line: int


def read(body: bytes, name: str) -> tuple[Outline, ...]:
    """Every feed of the list in its order. `name` is what to call the list when it is refused.

    Raises ParseError, in words: too large, too deep, entities declared, cut off, not OPML.
    """
    if len(body) > MAX_BYTES:
        raise ParseError(name, f"larger than {MAX_BYTES // 2**20} MiB, which no list of feeds is")
    try:
        return _read(body, name)
    except expat.ExpatError:
        mended = _BARE.sub(b"&amp;", body)
        try:
            return _read(mended, name)
        except expat.ExpatError as error:
            raise ParseError(name, f"not well-formed XML: {error}. Nothing was taken from it") from None


def _read(body: bytes, name: str) -> tuple[Outline, ...]:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    reader = _Reader(name, parser)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.EntityDeclHandler = reader.refuse_entity
    try:
        parser.Parse(body.lstrip(), True)
    except (LookupError, ValueError) as error:  # an encoding expat cannot read
        raise ParseError(name, f"in an encoding that cannot be read ({error}). Save it as UTF-8") from None
    return tuple(reader.found)


class _Reader:
    """Walks through the outlines; one with an address is a feed, one without is a group."""

    def __init__(self, name: str, parser: expat.XMLParserType) -> None:
        self.found: list[Outline] = []
        self._name, self._parser = name, parser
        self._groups: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._groups and tag.lower() != "opml":
            raise ParseError(self._name, f"its outermost element is <{tag[:40]}>, not <opml>: not a list of feeds")
        if len(self._groups) >= MAX_DEPTH:
            raise ParseError(self._name, f"nested more than {MAX_DEPTH} deep; no list of feeds is")
        said = {key.lower(): value.strip() for key, value in attributes.items()}
        title = text.line(said.get("text")) or text.line(said.get("title"))
        title = text.clip(title, MAX_TITLE) if title else None
        is_feed = tag.lower() == "outline" and ("xmlurl" in said or said.get("type", "").lower() in ("rss", "atom"))
        if is_feed:
            if len(self.found) >= MAX_FEEDS:
                raise ParseError(self._name, f"more than {MAX_FEEDS} feeds. Divide it")
            around = " / ".join(group for group in self._groups if group)
            url = said.get("xmlurl") or said.get("url") or ""
            line = self._parser.CurrentLineNumber
            self.found.append(Outline(url, title, text.clip(around, MAX_TITLE) or None, line))
        self._groups.append(title if title and not is_feed else "")

    def end(self, _tag: str) -> None:
        self._groups.pop()

    def refuse_entity(self, entity: str, *_: object) -> None:
        raise ParseError(self._name, f"declares the entity {entity[:40]!r}; entity declarations are refused")
