"""What a body is, from its first bytes. The media type is a hint only (fetch contract B1): real servers send feeds as
text/html and HTML as application/rss+xml."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urljoin

from pipeline.urls import canonical

Kind = Literal["empty", "html", "json", "sitemap", "xml"]

_PROLOGUE = re.compile(rb"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>|\s)*", re.S | re.I)
_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]*)")
_LINK = re.compile(rb"<link\b[^>]*>", re.I)
_ATTRIBUTE = re.compile(rb"""([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.I)
_FEED_TYPES = (b"application/rss+xml", b"application/atom+xml", b"application/feed+json")
_LOOK = 65536
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)


def utf8(body: bytes) -> tuple[bytes, bool]:
    """The body as UTF-8 when its first bytes tell its encoding, and whether they do.

    A byte order mark goes before whatever header and declaration say (RFC 7303, 3; contract B2).
    """
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body.decode(codec, "replace").encode("utf-8", "replace"), True
    return body, False


def kind(body: bytes) -> Kind:
    """The kind of document, from the first 64 KiB. What is neither is called xml and left to that reader."""
    head = body[:_LOOK].lstrip(b"\x00\x09\x0a\x0c\x0d\x20")
    if not head:
        return "empty"
    if head[:1] in b"{[":
        return "json"
    doctype = head[:200].lower()
    if doctype.startswith((b"<!doctype html", b"<html")):
        return "html"
    prologue = _PROLOGUE.match(head)
    root = _ROOT.match(head, prologue.end() if prologue else 0)
    name = root.group(1).lower().rpartition(b":")[2] if root else b""
    if name in (b"urlset", b"sitemapindex"):
        return "sitemap"
    if name in (b"html", b"head", b"body"):
        return "html"
    return "xml"


def feed_links(body: bytes, base: str) -> tuple[str, ...]:
    """The feeds an HTML page announces by `<link rel=alternate>`, as absolute addresses (contract E6)."""
    found: list[str] = []
    for tag in _LINK.findall(body[: 4 * _LOOK])[:50]:
        attributes = {key.lower(): a or b or c for key, a, b, c in _ATTRIBUTE.findall(tag)}
        if b"alternate" in attributes.get(b"rel", b"").lower() and attributes.get(b"type", b"").lower() in _FEED_TYPES:
            href = attributes.get(b"href", b"").decode("utf-8", "replace")
            absolute = canonical(urljoin(base, href)) if href else None
            if absolute and absolute not in found:
                found.append(absolute)
    return tuple(found[:5])
