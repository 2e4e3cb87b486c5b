"""The first tier of reading RSS and Atom: one pass of expat over a document whose every part we know.

Gives exactly what feedparser gives (`judge`), at the cost of little more than expat. Whatever it does not know exactly
is refused, and the document goes to feedparser. So the rules below are feedparser's, warts and all: which of two titles
counts, when a second description becomes the content. Each wart is held against feedparser in `tests/test_exact.py`.

Linear in the size of the document; nothing is declared, expanded or fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.parsers import expat
from xml.sax.saxutils import escape

from feedparser.urls import _urljoin, make_safe_absolute_uri

from pipeline.parse import names
from pipeline.parse.entry import MAX_ENTRIES
from pipeline.parse.fields import Document, Fields, Item, sync
from pipeline.parse.items import MAX_DEPTH, Openings
from pipeline.parse.names import PERSON, Refused, local

_STEP = 1 << 15
_ENDS_EARLY = frozenset((3, 5, 6, 20))  # no element found, unclosed token, partial character, unclosed CDATA section
_JUNK_AFTER = 9
_ROOT_END = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>", re.I)
_ANOTHER = re.compile(rb"<(?:\w+:)?(?:item|entry)\b", re.I)


class IllFormed(Exception):
    """The document is not XML, in expat's words. Mended, it may be."""


def read(body: bytes, url: str, late: Callable[[], bool] | None = None) -> Document:
    """The document in `body`, which is UTF-8 whatever it declares. Raises Refused or IllFormed.

    With `late` it is asked after every 32 kB whether to go on.
    """
    walk = _Walk(body, url)
    step = _STEP if late else len(body) or 1
    try:
        for at in range(0, len(body) or 1, step):
            walk.parser.Parse(body[at : at + step] if late else body, at + step >= len(body))
            if late and late():
                raise Refused("it takes long")
    except expat.ExpatError as error:
        walk.broke(error)
    finally:
        del walk.parser  # it holds the walk, which holds the whole document
    return walk.finished()


class _Walk(Openings):
    """One pass: where in the document we are, and what opens."""

    def __init__(self, body: bytes, url: str) -> None:
        super().__init__(body, url)
        self.root = ""
        self.item_at = self.field_at = 0
        self.in_feed = self.channels = self.ended = self.feed_summary = False
        self.bases: list[tuple[int, str]] = []
        parser = self.parser
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.pieces.append
        parser.StartNamespaceDeclHandler = self.declares
        parser.StartDoctypeDeclHandler = self.doctype

    # --- what expat calls -----------------------------------------------------------------------------------

    def start(self, raw: str, attributes: dict[str, str]) -> None:
        self.depth = depth = self.depth + 1
        if self.open_at:
            self._inner(raw, attributes)
        elif depth == self.field_at:
            name, close, opening = self.ways[raw]
            if opening is not None and (attributes or close is None):
                opening(self, name, close, attributes)
            else:
                self.field = name
                self.close = close
                self.open_at = depth
                self.pieces.clear()
        elif self.item is not None:
            self.open_in_group(raw, attributes)
        else:
            self._outside(self.names[raw], attributes)

    def end(self, raw: str) -> None:
        depth = self.depth
        self.depth = depth - 1
        if depth == self.open_at:
            self.open_at = 0
            if self.close is not None:
                close, self.close = self.close, None
                close(self)
                if self.markup:
                    self.markup = False
                    self.parser.CharacterDataHandler = self.pieces.append
            self.inside = None
        elif self.open_at:
            self._inner_ends(raw, depth)
        elif depth == self.item_at:
            self.item = None
            self.item_at = self.field_at = 0
            self.has_content = False
            self._leave(depth)
        elif depth < 3 and self.item is None:
            if depth == 1 or (self.in_feed and self.root != "feed"):
                self.in_feed = False
                self.ended = depth == 1
            self._leave(depth)

    def declares(self, prefix: str | None, uri: str | None) -> None:
        """A namespace is declared. Refused where feedparser's one table of prefixes would be led astray."""
        if uri:
            if not self.version:
                low = uri.lower()
                self.version = (
                    "rss090"
                    if (prefix, low) == (None, "http://my.netscape.com/rdf/simple/0.9/")
                    else "rss10"
                    if low == "http://purl.org/rss/1.0/"
                    else "atom10"
                    if low == names.ATOM
                    else ""
                )
            self.names.declare(prefix, uri)

    def doctype(self, _name: str, system: str | None, public: str | None, internal: bool) -> None:
        if internal or system or public:
            raise Refused("a document type")

    # --- above the items ------------------------------------------------------------------------------------

    def _outside(self, name: str, attributes: dict[str, str]) -> None:
        depth = self.depth
        if depth == 1:
            self._open_root(name, attributes)
        elif name in ("item", "entry") and (depth == 2 or (depth == 3 and self.in_feed and self.root != "feed")):
            self._open_item(attributes)
        elif depth == 2 and self.root != "feed":
            if name == "channel" and not self.channels:
                self.in_feed = self.channels = True
                given = names.given(attributes)
                if "href" in given or "lastmod" in given:
                    raise Refused("a channel with an address")
                self._rebase(given)
            elif name in ("image", "textinput"):
                self.skip(name, names.IN_PICTURE if name == "image" else names.IN_TEXTINPUT)
                self.title_depth = -1
            else:
                raise Refused(f"<{name}> beside the channel")
        elif not self.in_feed:
            raise Refused(f"<{name}> outside of the feed")
        else:
            self._feed_field(name, attributes)

    def _open_root(self, name: str, attributes: dict[str, str]) -> None:
        if name not in ("rss", "feed", "rdf_rdf"):
            raise Refused(f"the root <{name}>" if name in names.HANDLED else "an unknown root")
        self.root = name
        self.in_feed = name == "feed"
        given = names.given(attributes)
        self._rebase(given)
        if name == "feed":
            if not self.version:
                self.version = "atom"
        else:
            if name == "rss" and not self.version.startswith("rss"):
                self.version = "rss"
        if name != "rdf_rdf" and (lang := given.get("xml:lang", given.get("lang"))):
            self.document.lang = lang.replace("_", "-")

    def _open_item(self, attributes: dict[str, str]) -> None:
        document = self.document
        document.seen += 1
        self.item_at = self.depth
        self.field_at = self.depth + 1
        self.title_depth = -1
        self.item = item = Item(self.base)
        if document.seen <= MAX_ENTRIES:
            document.items.append(item)
        if attributes:
            given = names.given(attributes)
            self._rebase(given)
            item.base = self.base
            item.id = given.get("rdf:about") or None
            if not given.keys().isdisjoint(("about", "href", "lastmod")):
                raise Refused("an entry with an address of its own")

    def _feed_field(self, name: str, attributes: dict[str, str]) -> None:
        if name in names.TITLE:
            self.collect("title", Fields.end_feed_title, attributes)
        elif name == "link":
            self._feed_link(attributes)
        elif name in names.LANGUAGE:
            self.collect("language", Fields.end_feed_language, {})
        elif name in names.HINTS:
            if attributes:
                raise Refused(f"<{name}> with attributes")
            self.collect(name, Fields.end_feed_hint, {})
        elif name in ("skiphours", "skipdays"):
            self.skip(name, frozenset((name[4:-1],)))
        elif name in names.SUMMARY or name in names.DESCRIPTION:
            if self.feed_summary and not self.has_content:
                self.has_content = True
            elif name in names.SUMMARY:
                self.feed_summary = True
            self.skip(name)
        elif name == "image":
            self.title_depth = -1
            self.skip(name, names.IN_PICTURE)
        elif name == "textinput":
            self.title_depth = -1
            self.skip(name, names.IN_TEXTINPUT)
        elif name in names.AUTHOR:
            self.skip("person", PERSON)
        elif name in (*names.GUID, *names.ABSTRACT) or name in names.PUBLISHED or name in names.UPDATED:
            self.skip(name)
        elif name in ("hour", "day") or names.matters(name):
            raise Refused(f"<{name}> in the feed")
        else:
            self.skip(name)

    def _feed_link(self, attributes: dict[str, str]) -> None:
        given = self.link_attributes(attributes)
        href = given.get("href")
        if href is not None:
            self.document.links.append((given.get("rel", "alternate"), _urljoin(self.own_base(given), href)))
        elif given.get("rel", "alternate") != "alternate":
            raise Refused("a link of the feed without an address")
        self.skip("link")

    # --- inside a field -------------------------------------------------------------------------------------

    def _inner(self, raw: str, attributes: dict[str, str]) -> None:
        """An element within the field that is being read or passed over."""
        if self.depth > MAX_DEPTH:
            raise Refused("nested deeper than 64")
        name = self.names[raw]
        if self.markup:
            self._markup(raw, name, attributes)
        elif self.close is not None:
            if self.field in names.AUTHOR:
                self._author_part_opens(name, attributes)
            elif self.field == "source":
                self._source_part_opens(name, attributes)
            else:
                raise Refused(f"markup in <{self.field}>")
        elif self.inside is not None:
            self.pieces.clear()
            if name in self.inside:
                return
            if self.field in ("image", "textinput") or names.matters(name) or name in names.HINTS:
                raise Refused(f"<{name}> in <{self.field}>")
        elif names.matters(name) or (
            self.item is None and (name in names.HINTS or name in names.LANGUAGE or name in ("hour", "day"))
        ):
            raise Refused(f"<{name}> in <{self.field}>")

    def _inner_ends(self, raw: str, depth: int) -> None:
        if self.markup:
            self.pieces.append(f"</{local(raw)}>")
        elif self.close is not None:
            if self.field == "source":
                self._source_part(raw, depth)
            else:
                self._author_part(raw)
        elif self.field in ("skiphours", "skipdays") and self.names[raw] in (self.inside or ()):
            said = "".join(self.pieces).strip()
            (self.document.hours if self.field == "skiphours" else self.document.days).append(said)

    def _markup(self, raw: str, name: str, attributes: dict[str, str]) -> None:
        """An element of XHTML, written out again as feedparser writes it."""
        tag = local(raw)
        if name in names.HANDLED or tag in ("svg", "math"):
            raise Refused(f"<{name}> in markup")
        said = ""
        for key, value in attributes.items():
            key = key.lower()
            if " " in key:
                if not key.startswith(_OF_XML):
                    raise Refused("an attribute with a prefix in markup")
                key = f"xml:{local(key)}"
            if key in ("rel", "type"):
                value = value.lower()
            said += f' {key}="{escape(value, _QUOTE)}"'
        self.pieces.append(f"<{tag}{said}>")

    def _author_part_opens(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth != self.open_at + 1:
            raise Refused("nested elements in an author")
        if name in PERSON:
            assert self.item is not None
            if not self.attributes:
                self.item.authors.append({})
            self.attributes = {"before": "".join(self.pieces)}
            self.pieces.clear()
        elif names.matters(name) or not attributes:
            raise Refused(f"<{name}> in an author")

    def _author_part(self, raw: str) -> None:
        name = self.names[raw]
        if name in PERSON:
            said = "".join(self.pieces).strip()
            self.pieces[:] = [self.attributes["before"]]
            key = "name" if name in ("name", "itunes_name") else "email" if name.endswith("email") else "href"
            assert self.item is not None
            sync(self.item)
            self.item.authors[-1][key] = said

    def _source_part_opens(self, name: str, attributes: dict[str, str]) -> None:
        if name not in names.IN_SOURCE and (names.matters(name) or attributes):
            raise Refused(f"<{name}> in a source")
        if self.depth == self.open_at + 1:
            self.attributes["before"] = "".join(self.pieces)
            if name == "title":
                self.typed(attributes)
        elif name == "title" or self.markup:
            raise Refused("a title in a part of a source")
        self.pieces.clear()

    def _source_part(self, raw: str, depth: int) -> None:
        if depth == self.open_at + 1:
            if self.names[raw] == "title":
                self.attributes["title"] = self.attributes.get("title") or self.text()
            self.pieces[:] = [self.attributes["before"]]

    # --- helpers --------------------------------------------------------------------------------------------

    def _leave(self, depth: int) -> None:
        if self.bases and self.bases[-1][0] == depth:
            self.base = self.bases.pop()[1]

    def _rebase(self, given: dict[str, str]) -> None:
        said = given.get("xml:base", given.get("base"))
        if said:
            self.bases.append((self.depth, self.base))
            self.base = make_safe_absolute_uri(self.base, said) or self.base

    # --- the end --------------------------------------------------------------------------------------------

    def broke(self, error: expat.ExpatError) -> None:
        """What a document that is not well-formed comes to. Complete items count where it ends too early (B3, C7)."""
        said = expat.ErrorString(error.code)
        if error.code == _JUNK_AFTER and self.ended:
            if _ANOTHER.search(self.body, self.parser.ErrorByteIndex):
                raise Refused("a second document") from None
            self.document.flaw = f"not well-formed ({said}); what could be read was kept"
        elif error.code in _ENDS_EARLY and self.root:
            if _ROOT_END.search(self.body[-4096:]):
                raise Refused("an end within a text") from None
            self.document.whole = False
            self.document.flaw = "the document is cut off; its complete entries were kept"
            if self.item is not None:
                self.document.seen -= 1
                if self.document.items and self.document.items[-1] is self.item:
                    self.document.items.pop()
        else:
            raise IllFormed(f"{said}: line {error.lineno}, column {error.offset}") from None

    def finished(self) -> Document:
        document = self.document
        if len(document.items) != min(document.seen, MAX_ENTRIES):
            raise Refused("an entry was lost")
        if document.whole and not self.ended:
            raise Refused("no end")
        return document


_OF_XML = "http://www.w3.org/xml/1998/namespace "
_QUOTE = {'"': "&quot;"}
