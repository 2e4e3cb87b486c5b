"""Copies of both databases.

A copy is SQLite's own (`Store.copy_to`): consistent beside a running writer, and looked over before it is called one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.errors import StoreError, UsageError
from pipeline.store.places import feedback_of
from pipeline.store.store import Store


def back_up(store: Store, file: Path, told: Callable[[int, int], None] = lambda _, __: None) -> Path | None:
    """Copies the database to `file`, and what people said beside it; returns where that lies, `None` when nobody said
    anything. `told` hears how many pages are left, and of how many.

    Raises UsageError when a file is there already, StoreError when a copy cannot be made; then none of it is left.
    """
    labels = feedback_of(file)
    said = store.feedback.anything()
    for there in (file, labels) if said else (file,):
        if there.exists():
            raise UsageError(f"{there} exists. Name a file that does not.")
    try:
        store.copy_to(file, told)
        if said:
            store.feedback.copy_to(labels)
    except StoreError:
        file.unlink(missing_ok=True)
        labels.unlink(missing_ok=True)
        raise
    return labels if said else None
