"""Log lines: a constant event and its facts. `feed polled feed=https://... outcome=ok new=3`."""

from __future__ import annotations

import logging
import sys
import time

logger = logging.getLogger("newsbeat")


def event(name: str, level: int = logging.INFO, **facts: object) -> None:
    """One line. Facts that are `None` are left out; values with spaces are quoted."""
    if logger.isEnabledFor(level):
        logger.log(
            level,
            "%s",
            " ".join([name, *(f"{key}={_said(value)}" for key, value in facts.items() if value is not None)]),
        )


def to_stderr(level: int = logging.INFO) -> None:
    """Sends log lines to stderr, one a line, with the time in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)s %(levelname).1s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


def _said(value: object) -> str:
    # What comes from outside may hold terminal escapes; a log line holds none.
    words = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return '"' + words.replace('"', "'") + '"' if " " in words or not words else words
