"""Documents that are nearly XML made XML: their encoding found, and the faults mended that say plainly what was meant.

A bare "&", an entity of HTML, a control character, half a surrogate pair, white space or a broken declaration before
the feed. What else is wrong (tags that do not match, markup that is not escaped) is left to feedparser.
"""

from __future__ import annotations

import codecs
import re
from html.entities import html5

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.I)
_DECLARED = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)[\"']", re.I)
_FAULTS = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|((?:&#(?:[xX][0-9a-fA-F]+|[0-9]+);?)+)"
    rb"|&(?!(?:amp|lt|gt|quot|apos);)(?:(\w{1,32});)?",
    re.S,
)
_REFERENCE = re.compile(rb"&#(x?)([0-9a-f]+)", re.I)
_USUAL = re.compile(rb"&#(?:[1-9][0-9]{2,3}|3[2-9]|[4-9][0-9]|[xX](?:20[0-9a-fA-F]{2}|[1-9a-fA-F][0-9a-fA-F]));")
_CONTROL = bytes(code for code in range(32) if code not in (9, 10, 13))
_ROOT = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf)\b", re.I)
_LAST = ("utf-8", "windows-1252", "iso-8859-2")
# A document whose first letters can be read as ASCII is in none of these, whatever it says; or they are no encodings of
# text, and slow on hostile input.
_NEVER = ("utf-16", "utf-32", "punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined")


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
    root = _ROOT.search(body)
    if root and b"<!ENTITY" not in body[: root.start()].upper():
        body = body[root.start() :]
    return _FAULTS.sub(_mended, body.translate(None, _CONTROL))


def _mended(found: re.Match[bytes]) -> bytes:
    numbers, name = found.groups()
    if numbers:
        return _characters(numbers)
    if name is None:
        return b"&amp;" if found.group() == b"&" else found.group()
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
