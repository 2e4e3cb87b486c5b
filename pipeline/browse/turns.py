"""A page is made in one go, in a thread of its own: its questions, its arithmetic, its template.

Datasette sends each question to another thread and waits; a page of ours asks a dozen, and going to and fro cost a
fifth of its time, more when many read at once. Here the whole page moves once, and asks where it stands.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from datasette.database import connections

AT_ONCE = 2
"""Pages under way in one process. One at a time would be as fast, but for those that wait for the disk."""


class _Here(threading.local):
    turn = False


_HERE = _Here()


def _begin() -> None:
    _HERE.turn = True


def here() -> bool:
    """Whether this thread makes pages, and so may wait for the database itself."""
    return _HERE.turn


def connection(database: Any) -> Any:
    """This thread's own connection to a database, opened when first needed; kept where Datasette keeps its own."""
    held = getattr(connections, database.name, None)
    if held is None:
        held = database.connect()
        database.ds._prepare_connection(held, database.name)
        setattr(connections, database.name, held)
    return held


async def taken(datasette: Any, view: Callable[[], Awaitable[Any]]) -> Any:
    """What the view returns or raises. The threads are the site's own: each holds connections to its files."""
    threads: ThreadPoolExecutor | None = getattr(datasette, "newsbeat_turns", None)
    if threads is None:
        threads = datasette.newsbeat_turns = ThreadPoolExecutor(AT_ONCE, "page", initializer=_begin)

    async def all_of_it() -> Any:
        return await view()

    context = contextvars.copy_context()
    # A loop of its own, for what a view may wait for beside the database: another plugin's word on who may look.
    return await asyncio.get_running_loop().run_in_executor(threads, lambda: context.run(asyncio.run, all_of_it()))
