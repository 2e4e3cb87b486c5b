"""The first tier's fields: what the text of an element means at its end. Each rule here is one of feedparser's.

Which of two titles counts, when a second description is the content, what a guid says of the link: the warts are
feedparser's own, but for `media:description` (see docs/design.md).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from feedparser.html import _cp1252
from feedparser.urls import _urljoin, make_safe_absolute_uri

from pipeline.parse.names import Refused

# What makes a text worth repairing: U+0080 to U+009F, two characters of Latin-1 that were one in UTF-8, and characters
# of Latin-1 by number. Rare, and looked for once in a document rather than in each text.
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
_C1_TEXT = re.compile("[\x80-\x9f]")
_DOUBLE = re.compile(rb"\xc3[\x82-\xb4]\xc2[\x80-\xbf]")
_BY_NUMBER = re.compile(rb"&#(?:[xX]0*[89a-fA-F][0-9a-fA-F];|0*(?:1[2-9]|2[0-5])[0-9];)")
_REFERENCE = re.compile("&([A-Za-z0-9_]+);")
LONGEST_AUTHOR = 200
PLAIN_LINK = re.compile(r"https?://(?!/)[!#-;=?-Z_a-z~]*", re.A)
_ADDRESS = re.compile(
    r"[a-zA-Z0-9_.+-]+@(?:\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.|(?:[a-zA-Z0-9-]+\.)+)(?:[a-zA-Z]{2,4}|[0-9]{1,3})\]?"
    r"(?:\?subject=\S+)?"
)


@dataclass(slots=True)
class Item:
    """One item as it is being read; `None` where nothing was said. Names as in feedparser's entries."""

    base: str
    id: str | None = None
    link: str | None = None
    links: list[tuple[str, str | None]] = field(default_factory=list)
    title: str | None = None
    title_at: int = 0
    summary: str | None = None
    caption: str | None = None
    contents: list[str] = field(default_factory=list)
    author: str | None = None
    authors: list[dict[str, str]] = field(default_factory=list)
    origins: dict[str, str] | None = None
    publisher: str | None = None
    publisher_url: str | None = None
    published: str | None = None
    updated: str | None = None


@dataclass(slots=True)
class Document:
    """What a document says: of itself, and its first items; `seen` counts all of them."""

    items: list[Item] = field(default_factory=list)
    seen: int = 0
    title: str | None = None
    lang: str | None = None
    said: dict[str, str] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    hours: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    whole: bool = True
    flaw: str | None = None


Close = Callable[["Fields"], None]


class Fields:
    """What has been read so far. `depth` is that of the element we are in, `open_at` that of the field which is being
    read, 0 when there is none; `close` is what is done with its text at its end, and `inside` names the elements it may
    hold."""

    def __init__(self, body: bytes, url: str) -> None:
        self.body = body
        self.odd: bool | None = None
        self.document = Document()
        self.item: Item | None = None
        self.base = make_safe_absolute_uri(url, url) or url
        self.version = ""
        self.depth = self.open_at = 0
        self.field = ""
        self.close: Close | None = None
        self.inside: frozenset[str] | None = None
        self.pieces: list[str] = []
        self.attributes: dict[str, str] = {}
        self.markup = False
        self.title_depth = -1
        self.has_content = False

    def text(self) -> str:
        """The text of the field that has just ended, as feedparser cleans it."""
        pieces = self.pieces
        if len(pieces) > 1:
            if self.markup and self.version == "atom10":
                pieces = unwrapped(pieces)
            text = "".join(pieces).strip()
        else:
            text = pieces[0].strip() if pieces else ""
        if text.isascii():
            return text
        if self.odd is None:
            self.odd = _is_odd(self.body)
        return repaired(text) if self.odd else text

    def own_base(self, given: dict[str, str]) -> str:
        """The address from which links in an element with these attributes are taken."""
        said = given.get("xml:base", given.get("base"))
        return (make_safe_absolute_uri(self.base, said) or self.base) if said else self.base

    def end_feed_title(self) -> None:
        said, depth = self.text(), self.depth + 1
        if not -1 < self.title_depth <= depth:
            self.document.title = said
        if said:
            self.title_depth = depth

    def end_feed_language(self) -> None:
        self.document.lang = self.text()

    def end_feed_hint(self) -> None:
        self.document.said[self.field] = self.text()

    def end_title(self) -> None:
        """The first that is not empty counts."""
        said = self._any_title()
        if said:
            self.title_depth = self.depth + 1

    def end_media_title(self) -> None:
        """Counts where there is no other."""
        self._any_title()

    def _any_title(self) -> str:
        item, said, depth = self.item, self.text(), self.depth + 1
        assert item is not None
        if not -1 < self.title_depth <= depth and (not item.title_at or depth <= item.title_at):
            item.title, item.title_at = said, depth
        return said

    def end_caption(self) -> None:
        """The first media:description is the summary, of an entry that has no other words."""
        assert self.item is not None
        self.item.caption = self.item.caption or self.text()

    def end_link(self) -> None:
        """The text of a link; the last one counts."""
        item, said = self.item, self.text()
        assert item is not None
        if said and not PLAIN_LINK.fullmatch(said):
            said = _urljoin(self.own_base(self.attributes), said)
        said = _REFERENCE.sub(r"&\g<1>", said.replace("&amp;", "&")) if "&" in said else said
        item.link = said
        item.links.append((self.attributes.get("rel", "alternate"), said or None))
        self.attributes = {}

    def end_guid(self) -> None:
        """The last one counts; it is the link, unless it says it is not."""
        item, said = self.item, self.text()
        assert item is not None
        item.id = said
        if item.link is None and self.attributes.get("ispermalink", "true") == "true":
            item.link = said
        self.attributes = {}

    def end_description(self) -> None:
        """The last one counts; but a second one, where there is no content yet, is the content."""
        item = self.item
        assert item is not None
        if item.summary is not None and not self.has_content:
            self.end_content()
        else:
            item.summary = self.text()

    def end_abstract(self) -> None:
        assert self.item is not None
        self.item.summary = self.text()

    def end_content(self) -> None:
        """Content is the summary too, where there is none."""
        item, said = self.item, self.text()
        self.has_content = True
        assert item is not None
        item.contents.append(said)
        if item.summary is None:
            item.summary = said

    def end_origin(self) -> None:
        assert self.item is not None
        self.item.origins = {**(self.item.origins or {}), self.field: self.text()}

    def end_source(self) -> None:
        """The last source counts: its text, or the title in it. A title after it may take the place of one before."""
        assert self.item is not None
        said = self.text()
        self.title_depth = -1
        self.item.publisher = said or self.attributes.get("title")
        self.item.publisher_url = self.attributes.get("url")
        self.attributes = {}

    def end_published(self) -> None:
        assert self.item is not None
        self.item.published = self.text()

    def end_updated(self) -> None:
        assert self.item is not None
        self.item.updated = self.text()

    def end_author(self) -> None:
        assert self.item is not None
        if not self.attributes:
            self.item.authors.append({})
        self.item.author = self.text()
        sync(self.item)
        self.attributes = {}


def sync(item: Item) -> None:
    """An author's name and address from the text of the element, where its parts do not say them."""
    last = item.authors[-1]
    if last:
        name, email = last.get("name"), last.get("email")
        if name or email:
            item.author = f"{name} ({email})" if name and email else name or email
        return
    said = item.author
    if not said:
        return
    if "@" in said:
        if len(said) > LONGEST_AUTHOR:
            raise Refused("a long author with an address")
        if found := _ADDRESS.search(said):
            last["email"] = found.group()
            said = said.replace(found.group(), "").replace("()", "").replace("<>", "").replace("&lt;&gt;", "").strip()
            said = said[1:] if said.startswith("(") else said
            said = said[:-1] if said.endswith(")") else said
            said = said.strip()
    if said:
        last["name"] = said


def _is_odd(body: bytes) -> bool:
    return (
        (b"\xc2" in body and _C1.search(body) is not None)
        or (b"\xc3" in body and _DOUBLE.search(body) is not None)
        or _BY_NUMBER.search(body) is not None
    )


def repaired(text: str) -> str:
    """UTF-8 that was taken for Latin-1 is turned back, and characters of windows-1252 get their proper place."""
    with contextlib.suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_cp1252) if _C1_TEXT.search(text) else text


def unwrapped(pieces: list[str]) -> list[str]:
    """XHTML without the <div> around all of it, which RFC 4287 demands and is no part of the text."""
    start, stop = 0, len(pieces)
    while stop - start > 1 and not pieces[stop - 1].strip():
        stop -= 1
    while stop - start > 1 and not pieces[start].strip():
        start += 1
    pieces = pieces[start:stop]
    if not (pieces[0] == "<div>" or pieces[0].startswith("<div ")) or pieces[-1] != "</div>":
        return pieces
    depth = 0
    for piece in pieces[:-1]:
        if piece.startswith("</"):
            depth -= 1
            if depth == 0:
                return pieces
        elif piece.startswith("<") and not piece.endswith("/>"):
            depth += 1
    return pieces[1:-1]
