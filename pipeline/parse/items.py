"""The first tier's openings: what the start of an element in an item means, and which text is to be read for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from feedparser.urls import _urljoin

from pipeline.parse import names
from pipeline.parse.fields import PLAIN_LINK, Close, Fields
from pipeline.parse.names import Names, Refused

MAX_DEPTH = 64
"""Deepest nesting read here; feedparser's way has a limit of its own."""

_TEXT_TYPES = frozenset(("text", "plain", "html", "text/plain", "text/html"))
_MARKUP_TYPES = frozenset(("xhtml", "application/xhtml+xml"))
_HTML_TYPES = frozenset(("html", "text/html", "application/xhtml+xml", "xhtml"))


class Openings(Fields):
    """What opens in an item."""

    def __init__(self, body: bytes, url: str) -> None:
        super().__init__(body, url)
        self.parser = expat.ParserCreate("utf-8", " ")
        self.names = Names()
        self.ways = Ways(self.names)

    def collect(self, name: str, close: Close, attributes: dict[str, str]) -> None:
        """Reads the text of this element, in the form its attributes say, for `close` at its end."""
        self.field = name
        self.close = close
        self.open_at = self.depth
        self.pieces.clear()
        if attributes:
            self.typed(attributes)
            if self.markup:
                self.parser.CharacterDataHandler = self._escaped

    def _escaped(self, text: str) -> None:
        self.pieces.append(escape(text))

    def skip(self, name: str, allowed: frozenset[str] | None = None) -> None:
        """Passes over this element; what is in it must not matter either, or be of what is allowed."""
        self.field = name
        self.open_at = self.depth
        self.inside = allowed

    def open_group(self, _name: str, _close: Close | None, _attributes: dict[str, str]) -> None:
        """media:group and media:content: what they hold may be of the item."""

    def open_text(self, name: str, close: Close, attributes: dict[str, str]) -> None:
        self.collect(name, close, attributes)

    def open_link(self, name: str, close: Close, attributes: dict[str, str]) -> None:
        item = self.item
        assert item is not None
        given = self.link_attributes(attributes)
        rel, href = given.get("rel", "alternate"), given.get("href")
        if href is None:
            self.collect(name, close, {})
            self.attributes = given
            return
        href = href if PLAIN_LINK.fullmatch(href) else _urljoin(self.own_base(given), href)
        item.links.append((rel, href))
        if rel == "alternate" and given.get("type", "text/html").lower() in _HTML_TYPES:
            item.link = href
        self.skip(name)

    def open_guid(self, name: str, close: Close, attributes: dict[str, str]) -> None:
        self.collect(name, close, {})
        self.attributes = names.given(attributes)

    open_source = open_guid

    def open_origin(self, name: str, _close: Close, _attributes: dict[str, str]) -> None:
        raise Refused(f"<{name}> with attributes")

    def open_image(self, name: str, _close: Close | None, _attributes: dict[str, str]) -> None:
        self.title_depth = -1
        self.skip(name, names.IN_IMAGE)

    def open_in_group(self, raw: str, attributes: dict[str, str]) -> None:
        name = self.names[raw]
        if self.depth > MAX_DEPTH:
            raise Refused("nested deeper than 64")
        if name == "media_title":
            self.collect(name, Fields.end_media_title, attributes)
        elif name == "media_description":
            self.collect(name, Fields.end_caption, {})
        elif names.matters(name):
            raise Refused(f"<{name}> in a media group")
        elif name not in ("media_content", "media_group"):
            self.skip(name)

    def typed(self, attributes: dict[str, str]) -> None:
        """What the attributes of a text say of its form."""
        given = names.given(attributes)
        if given.get("mode") == "base64":
            raise Refused("text in base64")
        if kind := given.get("type"):
            kind = kind.lower()
            if kind in _MARKUP_TYPES:
                self.markup = True
            elif kind not in _TEXT_TYPES:
                raise Refused("text of another type")
        elif kind == "":
            raise Refused("text of another type")

    def link_attributes(self, attributes: dict[str, str]) -> dict[str, str]:
        given = names.given(attributes)
        if "rel" in given:
            given["rel"] = given["rel"].lower()
        href = given.get("url", given.get("uri", given.get("href")))
        if href:
            given["href"] = href
        return given


Opening = Callable[[Openings, str, Any, dict[str, str]], None]
Way = tuple[str, Close | None, Opening | None]


class Ways(dict[str, Way]):
    """Each name as expat gives it to what is done with such an element in an item: its name, what is done with its
    text at the end (nothing: it is passed over), and what at its start, where it has attributes or no text of use."""

    def __init__(self, known: Names) -> None:
        super().__init__()
        self._names = known

    def __missing__(self, raw: str) -> Way:
        name = self._names[raw]
        if name not in _WAYS and name in names.HANDLED:
            raise Refused(f"<{name}> in an entry")
        way = self[raw] = (name, *_WAYS.get(name, (None, None)))
        return way


_WAYS: dict[str, tuple[Close | None, Opening | None]] = {
    **dict.fromkeys(names.HARMLESS, (None, None)),
    **dict.fromkeys(names.TITLE, (Fields.end_title, Openings.open_text)),
    **dict.fromkeys(names.LINK, (Fields.end_link, Openings.open_link)),
    **dict.fromkeys(names.GUID, (Fields.end_guid, Openings.open_guid)),
    **dict.fromkeys(names.DESCRIPTION, (Fields.end_description, Openings.open_text)),
    **dict.fromkeys(names.ABSTRACT, (Fields.end_abstract, Openings.open_text)),
    **dict.fromkeys(names.SUMMARY, (Fields.end_description, Openings.open_text)),
    **dict.fromkeys(names.CONTENT, (Fields.end_content, Openings.open_text)),
    **dict.fromkeys(names.PUBLISHED, (Fields.end_published, None)),
    **dict.fromkeys(names.UPDATED, (Fields.end_updated, None)),
    **dict.fromkeys(names.AUTHOR, (Fields.end_author, None)),
    **dict.fromkeys(names.ORIGINS, (Fields.end_origin, Openings.open_origin)),
    "media_group": (None, Openings.open_group),
    "media_content": (None, Openings.open_group),
    "media_title": (Fields.end_media_title, Openings.open_text),
    "media_description": (Fields.end_caption, None),
    "source": (Fields.end_source, Openings.open_source),
    "image": (None, Openings.open_image),
}
