"""Where the files of a database lie, and what copies of it beside it are called."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

FEEDBACK = "feedback.db"
"""What people say lies beside the database, under this name."""


def feedback_of(copy: Path) -> Path:
    """Where what people said lies beside a copy."""
    return copy.with_name(f"{copy.stem}.{FEEDBACK}")


def beside(db: Path, why: str, now: datetime) -> Path:
    """A free name beside the database that says why it was copied, and when: `news.before-repair-2026...Z.db`."""
    made = db.with_name(f"{db.stem}.{why}-{now:%Y%m%dT%H%M%SZ}{db.suffix}")
    number = 1
    while made.exists() or feedback_of(made).exists():
        number += 1
        made = db.with_name(f"{db.stem}.{why}-{now:%Y%m%dT%H%M%SZ}-{number}{db.suffix}")
    return made
