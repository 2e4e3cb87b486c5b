"""Tables that hold the addresses of feeds, closed to strangers where one of these addresses is a key.

A feed's address must stand whole in the table it is polled from. Our own pages mask it; Datasette's tables and the
canned queries that give it would not. Where no feed is private, nothing is closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pipeline.hiding import has_key

from . import queries

_HOLD = {
    "view-table": frozenset({"feeds", "archives"}),
    "view-query": frozenset({"feeds_in_trouble", "quiet_feeds"}),
}


def allowed(datasette: Any, actor: Any, action: str, resource: Any) -> Callable[[], Awaitable[bool | None]] | None:
    """Whether this may be looked at, in the form Datasette asks for: `None`, or what comes to `None`, leaves the answer
    to other rules; False is no."""
    if action not in _HOLD or (actor or {}).get("id"):
        return None
    database, name = resource
    if database != queries.DATABASE or name not in _HOLD[action]:
        return None

    async def judged() -> bool | None:
        known = await queries.rows(datasette, queries.FEED_ADDRESSES)
        return False if any(has_key(url) for row in known for url in row.values() if url) else None

    return judged
