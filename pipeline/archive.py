"""A whole archive as JSON lines, and back: `newsbeat export --format archive`, and `import` of what that wrote.

An import is one transaction: all of it is kept, or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from pipeline import judging, stories
from pipeline.errors import StoreError, UsageError
from pipeline.store import Store
from pipeline.store.dump import Taken, Taker, records

MARK = b'{"kind": "newsbeat"'
"""How such a file begins."""


def lines(store: Store) -> Iterator[str]:
    """The archive, one JSON object a line, of one moment also beside a writer."""
    with store.snapshot():
        for record in records(store):
            yield json.dumps(record, ensure_ascii=False) + "\n"


def take_in(
    source: Iterable[tuple[int, bytes]], desk: judging.Desk, now: datetime, told: Callable[[Taken], None]
) -> Taken:
    """Keeps what the lines (their numbers, their bytes) hold; `told` hears what came so far.

    Raises UsageError with the line that is no record, StoreError when it is of a newer Newsbeat or the disk refuses.
    """
    store = desk.store
    taker = Taker(store)
    with store.transaction():
        for number, raw in source:
            if not raw.strip():
                continue
            try:
                record = json.loads(raw.decode("utf-8"))
                if not isinstance(record, dict):
                    raise UsageError("not a JSON object")
                taker.take(record)
            except (ValueError, RecursionError) as error:
                raise UsageError(f"line {number}: not JSON ({error}). Nothing was kept.") from None
            except UsageError as error:
                raise UsageError(f"line {number}: {error}. Nothing was kept.") from None
            except StoreError as error:
                raise StoreError(f"line {number}: {error}") from None
            told(taker.taken)
        taker.finish()
        _recall(taker.taken, desk, now)
    taker.say()
    return taker.taken


def _recall(taken: Taken, desk: judging.Desk, now: datetime) -> None:
    """What is of these days is found by what comes next."""
    copies = {row[0] for row in desk.store.connection.execute("SELECT id FROM articles WHERE copy_of IS NOT NULL")}
    for at in range(0, len(taken.fresh), 200):
        for article in desk.store.articles.get(taken.fresh[at : at + 200]):
            assert article.id is not None
            if abs(now - stories.moment(article)) <= stories.WINDOW:
                judging.recall(article.id, article, desk, is_copy=article.id in copies)
