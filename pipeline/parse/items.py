"""The first tier's openings: what the start of an element in an item means, and which text is to be read for it."""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat
from xml.sax.saxutils import escape

from feedparser.urls import _urljoin

from pipeline.parse import names
from pipeline.parse.fields import PLAIN_LINK, Fields
from pipeline.parse.names import PERSON, XML_PREFIX, Names, Refused, local

_TEXT_TYPES = frozenset(("text", "plain", "html", "text/plain", "text/html"))
_MARKUP_TYPES = frozenset(("xhtml", "application/xhtml+xml"))
_HTML_TYPES = frozenset(("html", "text/html", "application/xhtml+xml", "xhtml"))
_OF_LINKS = frozenset(("href", "rel", "type", "url", "uri", "base"))


class Openings(Fields):
    """What opens in an item. `inside` names the elements that a field may hold, where it may."""

    def __init__(self, body: bytes, url: str) -> None:
        super().__init__(body, url)
        self.parser = expat.ParserCreate("utf-8", " ")
        self.names = Names()
        self.inside: frozenset[str] | None = None

    def collect(self, name: str, attributes: dict[str, str], end: Callable[[], None]) -> None:
        """Reads the text of this element, and hands it to `end` at its end."""
        self.field = name
        self.close = end
        self.open_at = self.depth
        self.inside = None
        self.markup = False
        if attributes:
            self.typed(attributes)
        self.parser.CharacterDataHandler = self._escaped if self.markup else self.pieces.append

    def _escaped(self, text: str) -> None:
        self.pieces.append(escape(text))

    def skip(self, name: str, _attributes: dict[str, str]) -> None:
        """Passes over this element; what is in it must not matter either."""
        self.field = name
        self.open_at = self.depth
        self.inside = None
        self.markup = False
        self.attributes = {}

    def skip_within(self, name: str, allowed: frozenset[str]) -> None:
        self.skip(name, {})
        self.inside = allowed

    def open_group(self, _name: str, _attributes: dict[str, str]) -> None:
        """media:group and media:content: what they hold may be of the item."""

    def open_title(self, _name: str, attributes: dict[str, str]) -> None:
        self.collect("title", attributes, self.end_title)

    def open_media_title(self, _name: str, attributes: dict[str, str]) -> None:
        self.collect("media_title", attributes, self.end_media_title)

    def open_caption(self, _name: str, attributes: dict[str, str]) -> None:
        self.collect("media_description", {}, self.end_caption)

    def open_link(self, _name: str, attributes: dict[str, str]) -> None:
        item = self.item
        assert item is not None
        if not attributes:
            item.links.append(("alternate", None))
            self.collect("link", {}, self.end_link)
            return
        given = self.link_attributes(attributes)
        rel, href = given.get("rel", "alternate"), given.get("href")
        if href is None:
            item.links.append((rel, None))
            self.attributes = given
            self.collect("link", {}, self.end_link)
            return
        base = self.own_base(given)
        href = href if PLAIN_LINK.fullmatch(href) else _urljoin(base, href)
        item.links.append((rel, href))
        if rel == "alternate" and given.get("type", "text/html").lower() in _HTML_TYPES:
            item.link = href
        self.skip("link", {})

    def open_guid(self, _name: str, attributes: dict[str, str]) -> None:
        self.collect("id", {}, self.end_guid)
        self.attributes = {key.lower(): value for key, value in attributes.items()} if attributes else attributes

    def open_description(self, _name: str, attributes: dict[str, str]) -> None:
        item = self.item
        assert item is not None
        again = item.summary is not None and not self.has_content
        self.collect("description", attributes, self.end_description)
        if again:
            # A second summary, where there is no content yet, is the content.
            self.has_content = True
            self.close = self.end_content

    open_summary = open_description

    def open_content(self, _name: str, attributes: dict[str, str]) -> None:
        self.has_content = True
        self.collect("content", attributes, self.end_content)

    def open_published(self, _name: str, _attributes: dict[str, str]) -> None:
        self.collect("published", {}, self.end_published)

    def open_updated(self, _name: str, _attributes: dict[str, str]) -> None:
        self.collect("updated", {}, self.end_updated)

    def open_author(self, _name: str, _attributes: dict[str, str]) -> None:
        item = self.item
        assert item is not None
        self.collect("author", {}, self.end_author)
        self.inside = PERSON
        item.authors.append({})

    def open_origin(self, name: str, attributes: dict[str, str]) -> None:
        if attributes:
            raise Refused(f"<{name}> with attributes")
        self.collect(name, {}, self.end_origin)

    def open_source(self, _name: str, attributes: dict[str, str]) -> None:
        self.title_depth = -1
        self.collect("source", {}, self.end_source)
        self.inside = names.IN_SOURCE
        self.attributes = {key.lower(): value for key, value in attributes.items()}

    def open_image(self, name: str, _attributes: dict[str, str]) -> None:
        self.title_depth = -1
        self.skip_within(name, names.IN_IMAGE)

    def open_in_group(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("media_content", "media_group"):
            return
        if name == "media_title":
            self.open_media_title(name, attributes)
        elif name == "media_description":
            self.open_caption(name, attributes)
        elif names.matters(name):
            raise Refused(f"<{name}> in a media group")
        else:
            self.skip(name, attributes)

    def typed(self, attributes: dict[str, str]) -> None:
        """What the attributes of a text say of its form."""
        given = {key.lower(): value for key, value in attributes.items()}
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
        for key in given:
            if key.endswith((" type", " mode")) or " type " in key or " mode " in key:
                raise Refused("a type with a prefix")

    def link_attributes(self, attributes: dict[str, str]) -> dict[str, str]:
        given = {key.lower(): value for key, value in attributes.items()}
        for key in given:
            if " " in key and not key.startswith(XML_PREFIX) and local(key) in _OF_LINKS:
                raise Refused("a link's attribute with a prefix")
        if "rel" in given:
            given["rel"] = given["rel"].lower()
        href = given.get("url", given.get("uri", given.get("href")))
        if href:
            given["href"] = href
        return given


Opening = Callable[[Openings, str, dict[str, str]], None]

OPENINGS: dict[str, Opening] = {
    **dict.fromkeys(names.HARMLESS, Openings.skip),
    **dict.fromkeys(names.TITLE, Openings.open_title),
    **dict.fromkeys(names.LINK, Openings.open_link),
    **dict.fromkeys(names.GUID, Openings.open_guid),
    **dict.fromkeys(names.DESCRIPTION, Openings.open_description),
    **dict.fromkeys(names.SUMMARY, Openings.open_summary),
    **dict.fromkeys(names.CONTENT, Openings.open_content),
    **dict.fromkeys(names.PUBLISHED, Openings.open_published),
    **dict.fromkeys(names.UPDATED, Openings.open_updated),
    **dict.fromkeys(names.AUTHOR, Openings.open_author),
    "media_group": Openings.open_group,
    "media_content": Openings.open_group,
    "media_title": Openings.open_media_title,
    "media_description": Openings.open_caption,
    **dict.fromkeys(names.ORIGINS, Openings.open_origin),
    "source": Openings.open_source,
    "image": Openings.open_image,
}
