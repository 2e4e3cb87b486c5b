"""What every page shares: the clock, the permission to look, and the answer with its headers."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datasette import Forbidden, Response
from datasette.database import QueryInterrupted
from jinja2 import Environment, Template

from . import times, turns
from .queries import DATABASE
from .safe import OWN_POLICY, coded
from .times import Clock

STATIC = Path(__file__).parent / "static"
# A changed style sheet gets a new address, so that no browser shows today's page in last month's clothes.
STYLE_VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(STATIC.glob("*.css")))).hexdigest()[:8]


def config(datasette: Any) -> dict[str, Any]:
    """The plugin's own settings: `title`, `now`, `texts`. Missing is empty."""
    # Datasette copies all it was told at each question.
    held: dict[str, Any] | None = getattr(datasette, "newsbeat_settings", None)
    if held is None:
        held = datasette.newsbeat_settings = dict(datasette.plugin_config("newsbeat") or {})
    return held


def has_editors(datasette: Any) -> bool:
    """Whether people can sign in here: an account is set up for datasette-auth-passwords."""
    accounts = datasette.plugin_config("datasette-auth-passwords") or {}
    return any(str(key).endswith("_password_hash") and value for key, value in accounts.items())


def title(datasette: Any) -> str:
    """The name of the site."""
    return str(config(datasette).get("title") or "Newsbeat")


def clock(datasette: Any) -> Clock:
    """Now: what the configuration plays (the demo lives in December 2020), else the clock."""
    return Clock(times.parse(config(datasette).get("now")) or datetime.now(UTC).replace(microsecond=0))


async def texts_open(datasette: Any, request: Any) -> bool:
    """May this reader see whole texts? Yes where the desk says so, or where the table's own rule lets them."""
    if config(datasette).get("texts") == "open":
        return True
    allowed = await datasette.permission_allowed(
        request.actor, "view-table", resource=(DATABASE, "article_texts"), default=False
    )
    return bool(allowed)


async def check(datasette: Any, request: Any) -> None:
    """Our pages follow Datasette's own rules for the instance and the database."""
    for action, resource in (("view-instance", None), ("view-database", DATABASE)):
        if not await datasette.permission_allowed(request.actor, action, resource=resource, default=True):
            raise Forbidden(action)


def cached(datasette: Any) -> dict[str, str]:
    """The header that lets a browser keep a page for as long as Datasette keeps its own."""
    return {"cache-control": f"max-age={int(datasette.setting('default_cache_ttl') or 0)}"}


class _Plain(Template):
    """A template of ours. Nothing in it waits, and without Jinja's ways of waiting it takes two thirds of the time."""

    async def render_async(self, *args: Any, **values: Any) -> str:
        return self.render(*args, **values)


def _template(datasette: Any, name: str) -> Template:
    own: Environment | None = getattr(datasette, "newsbeat_templates", None)
    if own is None:
        own = datasette.jinja_env.overlay(enable_async=False)
        own.template_class = _Plain
        datasette.newsbeat_templates = own
    return own.get_template(f"newsbeat/{name}.html")


async def page(datasette: Any, request: Any, template: str, *, status: int = 200, **values: object) -> Any:
    """A page of ours, with the strict policy that needs no script and no inline style."""
    values.setdefault("clock", clock(datasette))
    values.setdefault("editor", None)
    body = await datasette.render_template(_template(datasette, template), values, request=request)
    headers = {"content-security-policy": OWN_POLICY, **(cached(datasette) if status == 200 else {})}
    return Response.html(body, status=status, headers=headers)


async def missing(datasette: Any, request: Any, what: str, hint: str) -> Any:
    """A 404 that says what is not there, and where to go on."""
    return await page(datasette, request, "missing", status=404, what=what, hint=hint)


async def sorry(datasette: Any, request: Any, error: Exception) -> Any:
    """A page for a database that is too slow, or not there at all."""
    if isinstance(error, QueryInterrupted):
        what, hint = "This took too long.", "The database is busy. Try again in a moment."
    else:
        what = "The news database cannot be read."
        hint = "It may not exist yet: run `newsbeat once`. `newsbeat status` says more."
    return await page(datasette, request, "missing", status=503, what=what, hint=coded(hint))


def guarded(view: Any) -> Any:
    """A view behind the rules of the instance, whose database trouble becomes a page in words."""

    async def answer(datasette: Any, request: Any) -> Any:
        await check(datasette, request)
        if request.method not in {"GET", "HEAD"}:
            return Response.text("Only for reading.", status=405, headers={"allow": "GET, HEAD"})
        try:
            return await turns.taken(datasette, lambda: view(datasette, request))
        except (QueryInterrupted, sqlite3.Error, KeyError) as error:
            if isinstance(error, KeyError) and DATABASE in datasette.databases:
                raise
            return await sorry(datasette, request, error)

    answer.__name__ = view.__name__
    return answer


def whole(text: object) -> int | None:
    """A row id out of an address; `None` for what SQLite could not hold as one."""
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 19 else None
