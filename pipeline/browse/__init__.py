"""The Datasette plugin "newsbeat": which addresses are ours, what templates know, what is refused at the door.

Only hooks live here. Pages are in views, story, article, health, search and atom; SQL in queries; the server in serve.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any

from markupsafe import Markup, escape
from pluggy import HookimplMarker

from . import (
    article,
    atom,
    carry,
    compare,
    editing,
    health,
    lines,
    metrics,
    outlet,
    private,
    queries,
    search,
    site,
    stored,
    story,
    views,
)
from .safe import DATASETTE_POLICY, HEADERS, headed, safe_url, tongue
from .tries import part

# A list in a form to take along.
_KINDS = r"\.(?P<kind>csv|json)"
# What `datasette.hookimpl` is, from where it has a type.
hookimpl = HookimplMarker("datasette")

# Datasette's workshop doors: they tell of paths and threads, and nobody who reads news needs them.
_CLOSED = ("/-/threads", "/-/databases", "/-/messages", "/-/allow-debug", "/-/patterns", "/-/password-tool")
# Nothing we take is longer: a form of an editor, or a password.
_MOST_POSTED = 64 * 1024
# In answers of queries and in our view these columns lead to our own pages; a name leads where its number does.
_PAGES = {"article_id": "article", "original_id": "article", "copy_of": "article", "story_id": "story"}
_NAMES = {"headline": "article_id", "story": "story_id", "after": "article_id"}


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    """Our pages. They come before Datasette's own, so `/` is the front page and `/news` the data."""
    return [
        (r"^/$", site.guarded(views.front)),
        (rf"^/topic/(?P<slug>[^/]+){_KINDS}$", site.guarded(carry.topic)),
        (rf"^/outlet/(?P<name>[^/]+){_KINDS}$", site.guarded(carry.outlet)),
        (rf"^/story/(?P<id>\d+){_KINDS}$", site.guarded(carry.story)),
        (rf"^/compare/(?P<slug>[^/]+){_KINDS}$", site.guarded(carry.coverage)),
        (rf"^/search{_KINDS}$", site.guarded(carry.found)),
        (rf"^/feeds{_KINDS}$", site.guarded(carry.feeds)),
        (rf"^/feed{_KINDS}$", site.guarded(carry.everything)),
        (r"^/topic/(?P<slug>[^/]+)\.atom$", site.guarded(atom.topic)),
        (r"^/outlet/(?P<name>[^/]+)\.atom$", site.guarded(atom.outlet)),
        (r"^/story/(?P<id>\d+)\.atom$", site.guarded(atom.story)),
        (r"^/search\.atom$", site.guarded(atom.found)),
        (r"^/topic/(?P<slug>[^/]+)$", site.guarded(views.topic)),
        (r"^/compare/(?P<slug>[^/]+)$", site.guarded(compare.compare)),
        (r"^/outlet/(?P<name>[^/]+)$", site.guarded(outlet.outlet)),
        (r"^/story/(?P<id>[^/]+)$", site.guarded(story.story)),
        (r"^/article/(?P<id>[^/]+)$", site.guarded(article.article)),
        (r"^/feeds$", site.guarded(health.feeds)),
        (r"^/search$", site.guarded(search.search)),
        (r"^/feed\.atom$", site.guarded(atom.everything)),
        (r"^/-/newsbeat/label$", editing.said(editing.label)),
        (r"^/-/newsbeat/merge$", editing.said(editing.merge)),
        (r"^/-/newsbeat/split$", editing.said(editing.split)),
        (r"^/-/newsbeat/health\.json$", metrics.alive),
        (r"^/-/newsbeat/metrics$", metrics.metrics),
        (r"^/robots\.txt$", metrics.robots),
    ]


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """What every template knows, Datasette's error page included, which is rendered without any context."""
    env.globals["site_title"] = site.title(datasette)
    env.globals["style_version"] = site.STYLE_VERSION
    env.globals["safe_url"] = safe_url
    env.globals["tongue"] = tongue
    env.globals["headed"] = headed
    env.globals["can_sign_in"] = site.has_editors(datasette)
    env.globals["to"] = datasette.urls.path
    env.globals["outlet_path"] = lines.outlet_path


@hookimpl
def prepare_connection(conn: sqlite3.Connection, database: str) -> None:
    """Old wordings keep their full text in `revisions.text`; readers of the table get NULL there.

    Whole texts are private by default, and a rule in datasette.yaml can close a table but not a column.
    """
    if database != queries.DATABASE:
        return

    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        hidden = action == sqlite3.SQLITE_READ and first == "revisions" and second == "text"
        return sqlite3.SQLITE_IGNORE if hidden else sqlite3.SQLITE_OK

    conn.set_authorizer(authorize)


@hookimpl
def permission_allowed(datasette: Any, actor: Any, action: str, resource: Any) -> Any:
    """Addresses of private feeds are for those who signed in."""
    return private.allowed(datasette, actor, action, resource)


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    """Links from answers of queries, and from the browsing view, to the page of the article, story or topic."""
    if database != queries.DATABASE or value is None:
        return None
    if column == "evidence" and table == "article_topics":
        told = [
            f"{item.term} in the {article.FIELDS[item.field]}, {item.points:.3f}" for item in stored.evidence(value)
        ]
        return escape("; ".join(told)) if told else None
    if table not in {None, "articles_browse"}:
        return None

    def link(where: str, text: object) -> Markup:
        return Markup('<a href="{}">{}</a>').format(datasette.urls.path(where), text)

    if column in _PAGES and isinstance(value, int):
        return link(f"/{_PAGES[column]}/{value}", value)
    if table == "articles_browse":
        return link(f"/article/{row['id']}", value) if column in {"id", "title"} else None
    if column in _NAMES and isinstance(value, str) and _NAMES[column] in row.keys():  # noqa: SIM118 -- a sqlite3.Row
        number = row[_NAMES[column]]
        return link(f"/{_PAGES[_NAMES[column]]}/{number}", value) if isinstance(number, int) else None
    if column == "topic" and isinstance(value, str):
        return link(f"/topic/{value}", value)
    return None


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Any], Any]:
    """The door: refuses what must not come in, and puts the safe headers on everything that goes out."""

    def wrap(app: Any) -> Any:
        tries = part(int(site.config(datasette).get("processes") or 1))

        async def door(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            raw = scope.get("raw_path") or b""
            path = scope.get("path", "")
            base = str(datasette.setting("base_url"))
            inner = "/" + path[len(base) :] if base != "/" and path.startswith(base) else path
            # Datasette 0.65.5 answers `/\host/` with a redirect to `/\host`, which browsers read as `//host`.
            if "\\" in path or b"\\" in raw or b"%5c" in raw.lower().split(b"?")[0]:
                await _plain(send, 400, b"A path holds no backslash.\n")
            elif inner.removesuffix(".json") in _CLOSED:
                await _plain(send, 404, b"There is nothing here.\n")
            elif _too_long(scope):
                await _plain(send, 413, b"That is too long to be one of our forms.\n")
            elif _in_parts(scope):
                await _plain(send, 415, b"Our forms are not sent in parts.\n")
            elif _gives_password(scope, inner) and not tries.allowed(time.monotonic(), _host(scope)):
                await _plain(send, 429, b"Too many tries to sign in. Wait a minute.\n")
            else:
                try:
                    await app(scope, receive, _with_headers(send))
                except UnicodeDecodeError:  # what checks forms takes any bytes for UTF-8
                    await _plain(send, 400, b"A form is UTF-8.\n")

        return door

    return wrap


def _too_long(scope: Any) -> bool:
    """A body is announced, and short: what checks forms reads all of it into memory first."""
    if scope["method"] in {"GET", "HEAD", "OPTIONS"}:
        return False
    told = dict(scope["headers"]).get(b"content-length", b"")
    return not told.isdigit() or int(told) > _MOST_POSTED


def _in_parts(scope: Any) -> bool:
    """No form of ours carries a file; asgi-csrf 0.11 fails on such a body beside python-multipart 0.0.26 and later
    (https://github.com/simonw/asgi-csrf/issues/38)."""
    return any(name == b"content-type" and b"multipart/" in value.lower() for name, value in scope["headers"])


def _host(scope: Any) -> str | None:
    """Who asks: behind a proxy on this machine uvicorn has put in the address that the proxy tells."""
    return str(scope["client"][0]) if scope.get("client") else None


def _gives_password(scope: Any, path: str) -> bool:
    signs_in = path == "/-/login" and scope["method"] == "POST"
    return signs_in or any(
        name == b"authorization" and value[:6].lower() == b"basic " for name, value in scope["headers"]
    )


def _with_headers(send: Any) -> Callable[[Any], Awaitable[None]]:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            held = list(message.get("headers") or [])
            names = {name.lower() for name, _ in held}
            wanted = {**HEADERS, "content-security-policy": DATASETTE_POLICY}
            held += [(k.encode(), v.encode()) for k, v in wanted.items() if k.encode() not in names]
            message = {**message, "headers": held}
        await send(message)

    return sending


async def _plain(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    headers += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
