"""How the site asks: a question in SQL with its values in, rows out. The questions are in `queries`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from datasette.database import QueryInterrupted

DATABASE = "news"
FEEDBACK = "feedback"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """One question, and values it can be asked with in a test."""

    sql: str
    example: Mapping[str, object] = field(default_factory=dict)


def ids(values: Iterable[object]) -> str:
    """A list of ids as the one parameter that carries it."""
    return json.dumps(list(values))


PATIENT: ContextVar[bool] = ContextVar("patient", default=False)
"""Set while a list is taken along whole: there nobody waits for a page, and half a list is none."""
_TRIES = 5


async def answered(datasette: Any, database: str, query: Query, values: Mapping[str, object]) -> list[Row]:
    """The answer, a dictionary a row. Raises Datasette's QueryInterrupted when it takes too long; where somebody is
    `PATIENT`, only after some tries, each of which finds more of its rows in memory."""
    for left in range(_TRIES if PATIENT.get() else 0, -1, -1):
        try:
            result = await datasette.get_database(database).execute(query.sql, values, log_sql_errors=False)
            break
        except QueryInterrupted:
            if not left:
                raise
    if not result.rows:
        return []
    # A row that is asked for its names compares them one by one, each time.
    names = result.rows[0].keys()
    return [dict(zip(names, row, strict=True)) for row in result.rows]


async def rows(datasette: Any, query: Query, **values: object) -> list[Row]:
    """The answer of news.db."""
    return await answered(datasette, DATABASE, query, values)


async def first(datasette: Any, query: Query, **values: object) -> Row | None:
    """The first row of the answer, or `None`."""
    found = await rows(datasette, query, **values)
    return found[0] if found else None
