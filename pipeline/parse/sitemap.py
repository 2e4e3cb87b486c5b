"""A news sitemap (Google News' extension of sitemaps.org 0.9) to a ParsedFeed. Headline, address and time; no text.

Read with expat, entity declarations refused (fetch contract N13, S7).
"""

from __future__ import annotations

from xml.parsers import expat

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed
from pipeline.parse import entry
from pipeline.urls import canonical

MAX_DEPTH = 256
_LEAVES = frozenset({"loc", "lastmod", "title", "publication_date", "name", "language"})


def read(body: bytes, url: str, is_utf8: bool = False) -> ParsedFeed:
    """The sitemap's pages; of a document that is cut or ill-formed, those before the fault, and `whole` is False.

    `is_utf8` says that the declaration's encoding is not the body's. An index of sitemaps, or a document without one
    complete page before its fault: ParseError.
    """
    reader = _Reader(url)
    parser = expat.ParserCreate("utf-8" if is_utf8 else None, " ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.words
    parser.EntityDeclHandler = reader.refuse_entity
    flaws = []
    try:
        parser.Parse(body.lstrip(), True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two: an encoding expat cannot read
        if not reader.drafts:
            raise ParseError(url, f"the news sitemap is not well-formed: {error}") from None
        flaws = [f"not well-formed ({error}); {len(reader.drafts)} complete items were kept"]
    drafts = reader.drafts[: entry.MAX_ENTRIES]
    kept = [draft for draft in drafts if not entry.is_empty(draft)]
    return ParsedFeed(
        title=reader.publication,
        entries=entry.name(url, kept),
        lang=reader.lang,
        skipped=len(drafts) - len(kept),
        flaw="; ".join([*flaws, *entry.cuts(drafts, len(reader.drafts))]) or None,
        whole=not flaws,
    )


class _Reader:
    """Collects one `<url>` at a time; a local name is enough, since prefixes in the wild differ."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.drafts: list[entry.Draft] = []
        self.publication: str | None = None
        self.lang: str | None = None
        self._fields: dict[str, str] = {}
        self._open: str | None = None
        self._depth = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ParseError(self.url, f"nested more than {MAX_DEPTH} deep; no news sitemap is")
        name = tag.rpartition(" ")[2]
        if self._depth == 1 and name == "sitemapindex":
            raise ParseError(self.url, "this is an index of sitemaps; subscribe to the news sitemap it lists")
        if name == "url":
            self._fields = {}
        namespace = tag.rpartition(" ")[0]
        # image:title and video:title stand beside news:title; only the news one is the headline.
        self._open = name if name in _LEAVES and "image" not in namespace and "video" not in namespace else None

    def words(self, text: str) -> None:
        if self._open:
            self._fields[self._open] = self._fields.get(self._open, "") + text

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._open = None
        if tag.rpartition(" ")[2] == "url":
            field = {key: value.strip() for key, value in self._fields.items()}
            self.publication = self.publication or field.get("name") or None
            self.lang = self.lang or field.get("language") or None
            link = canonical(field.get("loc", ""), self.url)
            self.drafts.append(
                entry.Draft(
                    guid=None,
                    url=link,
                    title=field.get("title") or None,
                    summary=None,
                    content=None,
                    published_at=entry.iso_moment(field.get("publication_date") or field.get("lastmod")),
                    lang=field.get("language") or None,
                )
            )

    def refuse_entity(self, name: str, *_: object) -> None:
        raise ParseError(self.url, f"declares the entity {name!r}; entity declarations are refused")
