"""Documents that are nearly XML made XML: their encoding found, and the faults mended that say plainly what was meant.

A bare "&", an entity of HTML, a control character, half a surrogate pair, white space or a broken declaration before
the feed, a prefix that nobody declared, values without quotes, a field of an entry that is never closed. What else is
wrong (other tags that do not match, markup that is not escaped) is left to feedparser.
"""

from __future__ import annotations

import codecs
import re
from html.entities import html5
from xml.parsers import expat

from pipeline.parse.names import PREFIXES

MOST_PREFIXES = 50
"""Most namespaces that are declared for a document that does not declare them."""

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.I)
_DECLARED = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)[\"']", re.I)
_KEPT = re.compile(rb"<!(?:\[CDATA\[.*?(?:\]\]>|\Z)|--.*?(?:-->|\Z))", re.S)
_NUMBER = rb"#(?:[xX][0-9a-fA-F]+|[0-9]+);?"
_FAULTS = re.compile(rb"&(?!amp;|lt;|gt;|quot;|apos;)(?:(%b(?:&%b)*)|(\w{1,32});)?" % (_NUMBER, _NUMBER))
_REFERENCE = re.compile(rb"&#(x?)([0-9a-f]+)", re.I)
_USUAL = re.compile(rb"&#(?:[1-9][0-9]{2,3}|3[2-9]|[4-9][0-9]|[xX](?:20[0-9a-fA-F]{2}|[1-9a-fA-F][0-9a-fA-F]));")
_CONTROL = bytes(code for code in range(32) if code not in (9, 10, 13))
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf)\b[^<>]*>", re.I)
_TAG = re.compile(rb"<[A-Za-z_][\w.:-]*\s[^<>]*>")
_VALUE = re.compile(rb"\"[^\"]*\"|'[^']*'|=\s*([^\s\"'>/]+)")
_DECLARED_PREFIX = re.compile(rb"\sxmlns:([A-Za-z_][\w.-]*)\s*=")
_PREFIX = re.compile(rb"<([A-Za-z_][\w.-]*):|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=")
_URIS = {prefix.encode(): uri.encode() for uri, prefix in reversed(PREFIXES.items()) if prefix}
# Elements that all have a prefix which nobody declared are those of the format itself.
_URIS |= dict.fromkeys((b"rss", b"atom", b"feed"), b"http://backend.userland.com/rss")
_LAST = ("utf-8", "windows-1252", "iso-8859-2")
# A document whose first letters can be read as ASCII is in none of these, whatever it says; or they are no encodings of
# text, and slow on hostile input.
_NEVER = ("utf-16", "utf-32", "punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined")


_ENTRY = re.compile(rb"<(item|entry)(?=[\s>])[^>]*>")
_FIELDS = (
    b"title", b"link", b"description", b"summary", b"guid", b"id", b"pubDate", b"published", b"updated", b"content",
    b"content:encoded", b"author", b"category", b"dc:creator", b"dc:date",
)  # fmt: skip
_OPEN = {name: re.compile(rb"<%b(?:\s[^<>]*)?(?<!/)>(?:[^<]|<!\[CDATA\[.*?\]\]>)*" % name, re.S) for name in _FIELDS}


def encodings(body: bytes, content_type: str | None) -> tuple[str, ...]:
    """The encodings a body may be in, best first: as the header says, as the document says, and the usual ones."""
    header = _CHARSET.search(content_type or "")
    declared = _DECLARED.match(body[:1024])
    said = [header.group(1)] if header else []
    said += [declared.group(1).decode("ascii", "replace")] if declared else []
    found: dict[str, None] = {}
    for name in (*said, *_LAST):
        try:
            codec = codecs.lookup("gb18030" if name.lower() == "gb2312" else name).name
        except (LookupError, ValueError):
            continue
        if not codec.replace("_", "-").startswith(_NEVER):
            found[codec] = None
    return tuple(found)


def utf8(body: bytes, tried: tuple[str, ...]) -> bytes:
    """The body in UTF-8, from the first of these encodings that it is in."""
    for name in tried:
        try:
            return body.decode(name).encode("utf-8")
        except (LookupError, UnicodeError):
            continue
    return body.decode("utf-8", "replace").encode("utf-8")


def mended(body: bytes) -> bytes:
    """A body in UTF-8 with these faults mended; linear in its length."""
    body = body.translate(None, _CONTROL)
    root = _ROOT.search(body)
    unquoted = root is not None and _quoted(root) != root.group()
    if root and b"<!ENTITY" not in body[: root.start()].upper():
        body = _declaring(_quoted(root), body) + body[root.end() :]
    made: list[bytes] = []
    at = 0
    for kept in (*_KEPT.finditer(body), None):
        part = _FAULTS.sub(_mended, body[at : kept.start() if kept else None])
        made.append(_TAG.sub(_quoted, part) if unquoted else part)
        if kept:
            made.append(kept.group())
            at = kept.end()
    return b"".join(made)


def closed(body: bytes) -> bytes:
    """A body in which a field that an entry opens and never closes ends where the next tag begins: else the entry after
    it would be taken for a part of it. Linear; an entry with half a CDATA section is left alone."""
    made: list[bytes] = []
    at = 0
    for opened in _ENTRY.finditer(body):
        if opened.start() < at:
            continue
        end = body.find(b"</" + opened[1], opened.end())
        if end < 0:
            break
        entry = body[opened.end() : end]
        if entry.count(b"<![CDATA[") == entry.count(b"]]>"):
            for name in _FIELDS:
                if b"<" + name in entry and b"</" + name not in entry:
                    entry = _OPEN[name].sub(rb"\g<0></" + name + b">", entry)
        made += (body[at : opened.end()], entry)
        at = end
    return b"".join((*made, body[at:]))


def is_well_formed(body: bytes) -> bool:
    """Whether expat has nothing against a body in UTF-8; one that declares entities is not looked at."""
    try:
        return b"<!ENTITY" in body or bool(expat.ParserCreate("utf-8").Parse(body, True))
    except expat.ExpatError:
        return False


def _quoted(tag: re.Match[bytes]) -> bytes:
    """A tag with all its values in quotes."""
    return _VALUE.sub(lambda found: b'="%b"' % found[1] if found[1] else found[0], tag.group())


def _declaring(root: bytes, body: bytes) -> bytes:
    """The first tag with the namespaces that the document uses and does not declare."""
    used = {a or b for a, b in _PREFIX.findall(body)} - {b"xml", b"xmlns"} - set(_DECLARED_PREFIX.findall(body))
    new = [
        b' xmlns:%b="%b"' % (prefix, _URIS.get(prefix, b"urn:undeclared:" + prefix))
        for prefix in sorted(used)[:MOST_PREFIXES]
    ]
    end = -2 if root.endswith(b"/>") else -1
    return root[:end] + b"".join(new) + root[end:]


def _mended(found: re.Match[bytes]) -> bytes:
    numbers, name = found.groups()
    if numbers:
        return _characters(found.group())
    if name is None:
        return b"&amp;"
    meant = html5.get(f"{name.decode('utf-8', 'replace')};")
    return "".join(f"&#{ord(char)};" for char in meant).encode() if meant else b"&amp;" + name + b";"


def _characters(run: bytes) -> bytes:
    """A run of character references with the impossible ones replaced, and surrogate pairs (an emoji in two halves)
    made one character."""
    if b";&" not in run and _USUAL.fullmatch(run):
        return run
    numbers = [int(digits[-9:], 16 if hexed else 10) for hexed, digits in _REFERENCE.findall(run)]
    halves = "".join(chr(n) if 31 < n < 0x110000 or n in (9, 10, 13) else "\ufffd" for n in numbers)
    whole = halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return "".join(f"&#{ord(char)};" for char in whole).encode()
