"""How many rows a table has, where Datasette asks: its pages count whole tables, and a large one takes seconds.

A count is shown where it can be had at once. That of all articles is kept (`article_days`); others may take `COUNT_MS`,
and are left out when they take longer. The list of tables remembers its counts for `REMEMBERED` seconds.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from datasette.database import Database, QueryInterrupted

from . import turns

COUNT_MS = 25
"""Milliseconds. More than 20, since up to there Datasette looks at the clock after every step of SQLite's machine."""
REMEMBERED = 600.0
FEW = 20_000
"""Rows that are counted for the list of tables."""

_KEPT = "SELECT coalesce(sum(articles), 0) FROM article_days"
# Every article has one outlet and at most one story, so the view has as many rows.
_SAME = {"select count(*) from articles": _KEPT, "select count(*) from articles_browse": _KEPT}


class Counting(Database):  # type: ignore[misc]  # Datasette has no types
    """A database whose counts are bounded."""

    _counted: dict[str, int | None]
    _counted_at: float | None = None

    async def execute(self, sql: str, params: Any = None, *, custom_time_limit: int | None = None, **more: Any) -> Any:
        """As Datasette's own, except for counts of all rows."""
        words = " ".join(sql.split()).replace("[", "").replace("]", "")
        if words.startswith("select count(*) from "):
            sql = _SAME.get(words, sql)
            custom_time_limit = COUNT_MS
        return await super().execute(sql, params, custom_time_limit=custom_time_limit, **more)

    async def execute_fn(self, fn: Any) -> Any:
        """As Datasette's own, and at once where a page is made."""
        return fn(turns.connection(self)) if turns.here() else await super().execute_fn(fn)

    async def table_counts(self, limit: int = COUNT_MS) -> dict[str, int | None]:
        """The rows of each table, some minutes old; `None` ("many rows") for a large one. Whether one is large, its
        highest row number says, so that nothing goes through it: from a disk that would take seconds."""
        if self._counted_at is None or time.monotonic() - self._counted_at > REMEMBERED:
            self._counted = {name: await self._few(name) for name in await self.table_names()}
            self._counted_at = time.monotonic()
        return dict(self._counted)

    async def _few(self, table: str) -> int | None:
        name = table.replace("]", "]]")
        try:
            (highest,) = (await super().execute(f"SELECT max(rowid) FROM [{name}]", log_sql_errors=False)).first()  # noqa: S608
            if (highest or 0) <= FEW:
                counted = await super().execute(f"SELECT count(*) FROM [{name}]", custom_time_limit=COUNT_MS)  # noqa: S608
            elif table == "articles":
                counted = await super().execute(_KEPT)
            else:
                return None
        except (sqlite3.Error, QueryInterrupted):
            return await self._few_by_name(name)
        (found,) = counted.first()
        return int(found)

    async def _few_by_name(self, name: str) -> int | None:
        """The rows of a table without row numbers: counted as far as `FEW`."""
        sql = f"SELECT count(*) FROM (SELECT 1 FROM [{name}] LIMIT {FEW + 1})"  # noqa: S608
        try:
            (found,) = (await super().execute(sql, custom_time_limit=COUNT_MS, log_sql_errors=False)).first()
        except (sqlite3.Error, QueryInterrupted):
            return None
        return int(found) if found <= FEW else None
