"""What the names of elements mean, as feedparser takes them: namespaces, and which names matter to us.

Namespaces and handlers are feedparser's own, read from its classes, so that a name which a later feedparser gives a
meaning is refused here rather than passed over.
"""

from __future__ import annotations

from feedparser.mixin import _FeedParserMixin as FeedParserMixin

ATOM = "http://www.w3.org/2005/atom"
MAX_NAMES = 2000
"""Most different names of elements that a document may have."""


PREFIXES: dict[str, str] = {uri.lower(): prefix.lower() for uri, prefix in FeedParserMixin.namespaces.items()}
"""Namespace in lower case to the prefix that stands for it; feeds, RSS and Atom alike, have none."""

STANDARD = frozenset(PREFIXES.values()) - {""}
HANDLED = frozenset(
    name.split("_", 2)[2].lower() for name in dir(FeedParserMixin) if name.startswith(("_start_", "_end_"))
)
"""Every name that means something to feedparser, as prefix_name."""

TITLE = ("title", "dc_title")
LINK = ("link",)
GUID = ("guid", "id")
DESCRIPTION = ("description", "dc_description")
ABSTRACT = ("abstract",)
SUMMARY = ("summary", "itunes_summary")
CONTENT = ("content", "content_encoded", "fullitem")
PUBLISHED = ("published", "issued", "pubdate", "dcterms_issued")
UPDATED = ("updated", "modified", "lastbuilddate", "dc_date", "dcterms_modified")
AUTHOR = ("author", "managingeditor", "dc_creator", "dc_author", "itunes_author")
LANGUAGE = ("language", "dc_language")

HARMLESS = frozenset(
    """
    category cc_license cloud contributor copyright created creativecommons_license dc_contributor dc_publisher
    dc_rights dc_subject dcterms_created dcterms_valid email enclosure expirationdate feedburner_browserfriendly
    generator
    georss_box georss_line georss_point georss_polygon height homepage info itunes_block itunes_category itunes_email
    itunes_explicit itunes_image itunes_keywords itunes_link itunes_name itunes_owner itunes_subtitle keywords
    language dc_language media_category media_content media_credit media_group media_keywords media_license media_player
    media_rating media_restriction media_thumbnail name newlocation rights subtitle tagline tags uri url webmaster width
    """.split()
)
"""Names that feedparser knows and that change nothing of what we take from an entry."""

RESERVED = frozenset(
    """
    links authors author_detail contributors published_parsed issued_parsed updated_parsed date_parsed modified_parsed
    guidislink generator_detail publisher_detail
    """.split()
)
"""Names of no meaning under which feedparser keeps something of its own: an element of that name takes its place, and
the whole feed with it. `judge` has such elements passed over."""

ORIGINS = ("feedburner_origlink", "pheedo_origlink")
"""Where a service that counts clicks tells the address behind its own. Of no meaning to feedparser."""

HINTS = frozenset(("ttl", "sy_updateperiod", "sy_updatefrequency"))
"""Names that mean something to us and nothing to feedparser, outside of entries."""

PERSON = frozenset(("name", "email", "uri", "url", "homepage", "itunes_name", "itunes_email"))
IN_IMAGE = frozenset(("url", "width", "height", "href"))
IN_PICTURE = IN_IMAGE | {"title", "link", "description"}
IN_TEXTINPUT = frozenset(("title", "link", "description", "name"))
IN_SOURCE = frozenset(
    "title id updated link author name uri email subtitle icon logo rights generator category".split()
)


def matters(name: str) -> bool:
    """Whether an element inside another could change what feedparser makes of the entry around it."""
    return (name in HANDLED and name not in HARMLESS) or name in ORIGINS


class Refused(Exception):
    """This document holds what the first tier does not know; the reason is for counting."""


class Names(dict[str, str]):
    """Each name as expat gives it ("uri local prefix") to feedparser's name for it; found once a document."""

    def __init__(self) -> None:
        super().__init__()
        self._unknown: dict[str, str] = {}
        self._uris: dict[str, str] = {}

    def __missing__(self, raw: str) -> str:
        if len(self) >= MAX_NAMES:
            raise Refused("too many names")
        uri, _, local = raw.partition(" ")
        if not local:
            name = uri.lower()
        else:
            local, _, own = local.partition(" ")
            prefix = _prefix(uri)
            if prefix is None:
                prefix = own.lower()
            name = f"{prefix}_{local}".lower() if prefix else local.lower()
        self[raw] = name
        return name

    def declare(self, prefix: str | None, uri: str) -> None:
        """Notes a declaration. Raises Refused where feedparser's single table of prefixes would be led astray."""
        known = _prefix(uri)
        own = prefix or ""
        if known is None:
            if self._unknown.setdefault(own, uri) != uri:
                raise Refused("one prefix for two namespaces")
            if (first := self._uris.setdefault(uri, own)) != own and not {"", *STANDARD}.isdisjoint((own, first)):
                raise Refused("one namespace under two names")
            if own and own.lower() != own and own.lower() in STANDARD:
                raise Refused("a well-known prefix in capitals")
        elif own and own in STANDARD and own != known:
            raise Refused("a well-known prefix for something else")
        if " " in uri or "\n" in uri or "\t" in uri:
            raise Refused("a namespace with a space")


def _prefix(uri: str) -> str | None:
    low = uri.lower()
    return "" if "backend.userland.com/rss" in low else PREFIXES.get(low)


def given(attributes: dict[str, str]) -> dict[str, str]:
    """Attributes by the names feedparser has for them: `xml:base`, but `href` also under a prefix of no meaning."""
    found = {}
    for key, value in attributes.items():
        if " " in key:
            uri, part, _ = key.split(" ", 2)
            prefix = _prefix(uri)
            key = f"{prefix}:{part}" if prefix else part
        found[key.lower()] = value
    return found


def local(raw: str) -> str:
    """The local part of a name as expat gives it, in lower case."""
    parts = raw.split(" ")
    return (parts[0] if len(parts) == 1 else parts[1]).lower()
