"""Bytes changed at random, as wires, editors, converters and ill will change them. Deterministic by seed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]

_TAG = re.compile(rb"</?[A-Za-z][^<>]{0,200}>")
_TEXT = re.compile(rb">[^<>]{3,}<")
_NUMBER = re.compile(rb"\d{2,}")
_HREF = re.compile(rb"https?://[^\s\"'<>\]]+")
_ENCODINGS = "utf-16 utf-16-le utf-16-be utf-32 latin-1 cp1252 cp1251 shift_jis gb18030 koi8-r utf-7 utf-8-sig".split()
_ENTITIES = [
    b"&nbsp;", b"&#0;", b"&#xD800;", b"&#x110000;", b"&#99999999999;", b"&unknown;", b"&", b"&&amp;", b"&lt;script&gt;",
    b"&#8;", b"&amp;amp;amp;amp;", b"&#x;", b"&#xFFFF;", b"&#128;", b"&LT;",
]  # fmt: skip
_BYTES = [
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x85",
    b"\xe2\x80\xae", b"\xe2\x80\xa8", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?x ?>", b"<?xml version='1.0'?>",
]  # fmt: skip
_LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
    b'<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e SYSTEM "file:///etc/passwd">]>'
)
_VALUES = [
    b"", b" ", b"0", b"-1", b"9" * 400, b"1e999", b"NaN", b"9999-12-31T23:59:59Z", b"0001-01-01", b"Mon, 99 Foo 20x6",
    b"31 Feb 2026 25:61:61 +9999", b"http://[::1", b"http://\x7f/", b"javascript:alert(1)", b"//x", b"http://a@b@c/",
    b"data:,x", b"x" * 5000, b"\xf0\x9f\x92\xa9" * 300, b"http://xn--a/", b"http://1.2.3.4.5/", b"#", b"?",
]  # fmt: skip


def flipped(raw: bytes, draw: random.Random) -> bytes:
    """A few bits, or many."""
    made = bytearray(raw)
    for _ in range(draw.choice((1, 1, 2, 10, 100)) if made else 0):
        made[draw.randrange(len(made))] ^= 1 << draw.randrange(8)
    return bytes(made)


def cut(raw: bytes, draw: random.Random) -> bytes:
    """The end is missing, or the beginning."""
    at = draw.randint(0, len(raw))
    return raw[:at] if draw.random() < 0.8 else raw[at:]


def hole(raw: bytes, draw: random.Random) -> bytes:
    """A piece is missing."""
    at = draw.randint(0, len(raw))
    return raw[:at] + raw[at + draw.choice((1, 3, 40, 1000)) :]


def doubled(raw: bytes, draw: random.Random) -> bytes:
    """A piece stands twice, or a thousand times."""
    at = draw.randint(0, len(raw))
    piece = raw[at : at + draw.choice((1, 10, 200, 5000))]
    times = draw.choice((2, 2, 5, 1000))
    return raw[:at] + piece * min(times, 1 + 200_000 // max(1, len(piece))) + raw[at:]


def encoded(raw: bytes, draw: random.Random) -> bytes:
    """Other bytes for the same words, or other words by the same bytes; what is declared stays, or changes alone."""
    other = draw.choice(_ENCODINGS)
    if draw.random() < 0.3:
        return re.sub(rb"encoding=([\"'])[^\"']*", rb"encoding=\g<1>" + other.encode(), raw, count=1)
    words = raw.decode(draw.choice(("utf-8", "latin-1")), "replace")
    return words.encode(other, "replace" if draw.random() < 0.5 else "ignore")


def entities(raw: bytes, draw: random.Random) -> bytes:
    """Entities where words were, and declarations of some that grow."""
    if draw.random() < 0.15:
        return raw.replace(b"?>", b"?>" + _LAUGHS, 1).replace(b"<title>", b"<title>&d;&e;", 1)
    return _into_text(raw, draw, _ENTITIES)


def crumbs(raw: bytes, draw: random.Random) -> bytes:
    """Bytes that mean something to somebody, anywhere."""
    for _ in range(draw.choice((1, 1, 3, 20))):
        at = draw.randint(0, len(raw))
        raw = raw[:at] + draw.choice(_BYTES) + raw[at:]
    return raw


def tags(raw: bytes, draw: random.Random) -> bytes:
    """Tags that are gone, repeated, renamed, or nested without end."""
    found = list(_TAG.finditer(raw))
    if not found:
        return crumbs(raw, draw)
    tag = draw.choice(found)
    what = draw.choice(("gone", "repeated", "many", "renamed", "all of them gone", "moved"))
    start, end, words = tag.start(), tag.end(), tag.group()
    if what == "gone":
        return raw[:start] + raw[end:]
    if what == "repeated":
        return raw[:start] + words * 2 + raw[end:]
    if what == "many":
        return raw[:start] + words * draw.choice((50, 300, 20_000)) + raw[end:]
    if what == "renamed":
        return (
            raw[:start]
            + draw.choice((words.upper(), words[:2] + b"x:" + words[2:], words[:-1] + b" a=b a=b>"))
            + raw[end:]
        )
    if what == "moved":
        at = draw.randint(0, len(raw))
        return raw[:at] + words + raw[at:]
    return raw.replace(words, b"")


def values(raw: bytes, draw: random.Random) -> bytes:
    """Numbers, addresses and words that cannot be."""
    shape = draw.choice((_NUMBER, _HREF, _TEXT))
    found = list(shape.finditer(raw))
    for one in sorted(draw.sample(found, min(len(found), draw.choice((1, 5, 50)))), key=lambda m: -m.start()):
        value = draw.choice(_VALUES)
        raw = raw[: one.start()] + (b">" + value + b"<" if shape is _TEXT else value) + raw[one.end() :]
    return raw


def _into_text(raw: bytes, draw: random.Random, pieces: list[bytes]) -> bytes:
    found = list(_TEXT.finditer(raw))
    for one in sorted(draw.sample(found, min(len(found), draw.choice((1, 5, 30)))), key=lambda m: -m.start()):
        at = draw.randint(one.start() + 1, one.end() - 1)
        raw = raw[:at] + draw.choice(pieces) + raw[at:]
    return raw


MUTATIONS: dict[str, Mutation] = {
    "bytes flipped": flipped,
    "cut off": cut,
    "a hole": hole,
    "doubled": doubled,
    "encodings": encoded,
    "entities": entities,
    "crumbs": crumbs,
    "tags": tags,
    "values": values,
}


def mutant(raw: bytes, draw: random.Random, others: list[bytes]) -> tuple[bytes, str]:
    """A changed document, and what was done to it: one thing mostly, sometimes up to four, sometimes half another's."""
    names = [draw.choice(list(MUTATIONS)) for _ in range(draw.choice((1, 1, 1, 2, 4)))]
    for name in names:
        raw = MUTATIONS[name](raw, draw)[:3_000_000]
    if draw.random() < 0.05:
        other = draw.choice(others)
        raw = raw[: draw.randint(0, len(raw))] + other[draw.randint(0, len(other)) :]
        names.append("spliced")
    return raw, "+".join(dict.fromkeys(names))
