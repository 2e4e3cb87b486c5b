"""Atom feeds of what is on topic (RFC 4287), with an ETag and a 304 for those who ask again (RFC 9110, 13.1.2).

The document holds nothing that changes by itself (no "generated at"), so the same articles are the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from datasette import Response

from . import queries, search, site, times
from .lines import lines_of, listed, outlet_path, topics
from .outlet import find
from .queries import Row, ids, rows
from .safe import safe_url

_ATOM = "http://www.w3.org/2005/Atom"
_MOST = 50
# What XML 1.0 cannot carry, lone surrogates included (https://www.w3.org/TR/xml/#charsets).
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

ET.register_namespace("", _ATOM)


def _put(parent: ET.Element, name: str, text: object = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, f"{{{_ATOM}}}{name}", {k: _ILLEGAL.sub("", v) for k, v in attributes.items()})
    if text is not None:
        element.text = _ILLEGAL.sub("", str(text))
    return element


def document(name: str, self_url: str, page_url: str, lines: list[Row], page_of: Any) -> bytes:
    """The feed as bytes. `page_of` gives the address of our own page of an article id."""
    root = ET.Element(f"{{{_ATOM}}}feed")
    _put(root, "id", uuid.uuid5(uuid.NAMESPACE_URL, self_url).urn)
    _put(root, "title", name)
    _put(root, "updated", max((line["at"] for line in lines), default="1970-01-01T00:00:00Z"))
    _put(root, "link", rel="self", type="application/atom+xml", href=self_url)
    _put(root, "link", rel="alternate", type="text/html", href=page_url)
    _put(_put(root, "author"), "name", name)
    _put(root, "generator", "Newsbeat")
    for line in lines:
        entry = _put(root, "entry")
        _put(entry, "id", uuid.uuid5(uuid.NAMESPACE_URL, str(line["url"])).urn)
        _put(entry, "title", line["title"])
        _put(entry, "updated", line["at"])
        _put(entry, "published", line["at"])
        _put(_put(entry, "author"), "name", line["outlet"])
        here = page_of(line["id"])
        outside = safe_url(line["url"])
        _put(entry, "link", rel="alternate", type="text/html", href=outside or here)
        if outside:
            _put(entry, "link", rel="related", type="text/html", title="Why it matched", href=here)
        for topic in line["topics"]:
            _put(entry, "category", term=topic["slug"], label=topic["title"])
        matched = f"Matched {', '.join(line['matched'])}." if line["matched"] else ""
        _put(entry, "summary", " ".join(part for part in (line["summary"], matched) if part), type="text")
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _known(header: str | None, etag: str) -> bool:
    """Does the reader hold this version already? Weak comparison, as RFC 9110 asks for If-None-Match."""
    held = [part.strip().removeprefix("W/") for part in (header or "").split(",")]
    return etag in held or "*" in held


async def _answer(datasette: Any, request: Any, name: str, path: str, page: str, lines: list[Row]) -> Any:
    def absolute(where: str) -> str:
        return str(datasette.absolute_url(request, datasette.urls.path(where)))

    dated = [line for line in lines if times.parse(line["at"])]
    body = document(name, absolute(path), absolute(page), dated[:_MOST], lambda number: absolute(f"/article/{number}"))
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, **site.cached(datasette)}
    if _known(request.headers.get("if-none-match"), etag):
        return Response(body="", status=304, headers=headers, content_type="application/atom+xml; charset=utf-8")
    return Response(body=body.decode("utf-8"), headers=headers, content_type="application/atom+xml; charset=utf-8")


async def everything(datasette: Any, request: Any) -> Any:
    """The newest articles of every topic."""
    until = site.clock(datasette).before(hours=-2)
    matches = await rows(datasette, queries.NEWEST_ON_TOPIC, until=until, most=_MOST * 2)
    lines = await listed(datasette, matches, await topics(datasette))
    return await _answer(datasette, request, site.title(datasette), "/feed.atom", "/", lines)


async def topic(datasette: Any, request: Any) -> Any:
    """The newest articles of one topic."""
    slug = request.url_vars["slug"]
    row = await queries.first(datasette, queries.TOPIC, topic=slug)
    if row is None:
        return Response.text("There is no topic of that name.\n", status=404)
    matches = await rows(datasette, queries.TOPIC_ARTICLES, topic=slug, before="9999", before_id=0, most=_MOST)
    lines = await listed(datasette, matches, await topics(datasette))
    name = f"{row['title']} – {site.title(datasette)}"
    return await _answer(datasette, request, name, f"/topic/{slug}.atom", f"/topic/{slug}", lines)


async def outlet(datasette: Any, request: Any) -> Any:
    """The newest articles of one outlet, on topic or not."""
    row = await find(datasette, request.url_vars["name"])
    if row is None:
        return Response.text("There is no outlet of that name.\n", status=404)
    latest = await rows(
        datasette, queries.OUTLET_EVERY, outlet=row["id"], before="9999", before_id=0, most=_MOST
    )  # fmt: skip
    lines = await lines_of(datasette, [found["id"] for found in latest], await topics(datasette))
    here = outlet_path(row["name"], row["id"])
    return await _answer(datasette, request, f"{row['name']} – {site.title(datasette)}", f"{here}.atom", here, lines)


async def story(datasette: Any, request: Any) -> Any:
    """The newest reports of one story: how it goes on."""
    number = site.whole(request.url_vars["id"])
    row = await queries.first(datasette, queries.STORY, story=number) if number is not None else None
    if row is None:
        return Response.text("There is no story of that number.\n", status=404)
    reports = await rows(datasette, queries.STORY_REPORTS, ids=ids([row["id"]]), most=2000)
    newest = [report["id"] for report in reports[::-1][:_MOST]]
    lines = await lines_of(datasette, newest, await topics(datasette))
    here = f"/story/{row['id']}"
    return await _answer(datasette, request, f"{row['title']} – {site.title(datasette)}", f"{here}.atom", here, lines)


async def found(datasette: Any, request: Any) -> Any:
    """What a search finds, the newest: a search to follow. Its address is the search page's."""
    asked = await search.question(datasette, request)
    chosen = await search.numbers(datasette, replace(asked, order="new"), 2**62, _MOST)
    lines = await lines_of(datasette, chosen, await topics(datasette))
    told = f"?{request.query_string}" if request.query_string else ""
    name = f"{asked.typed or 'Search'} – {site.title(datasette)}"
    return await _answer(datasette, request, name, f"/search.atom{told}", f"/search{told}", lines)
