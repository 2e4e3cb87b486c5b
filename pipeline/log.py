"""Log lines: a constant event and its facts. `feed polled feed=https://... outcome=ok new=3`, or the same as JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Literal

from pipeline.hiding import masked

logger = logging.getLogger("newsbeat")

Form = Literal["text", "json"]

STAMP = "%Y-%m-%dT%H:%M:%SZ"


def event(name: str, level: int = logging.INFO, **facts: object) -> None:
    """One line. Facts that are `None` are left out; values with spaces are quoted."""
    if logger.isEnabledFor(level):
        told = {key: value for key, value in facts.items() if value is not None}
        line = " ".join([name, *(f"{key}={_said(value)}" for key, value in told.items())])
        logger.log(level, "%s", line, extra={"happened": name, "facts": told})


class Json(logging.Formatter):
    """One object a line: `at`, `level`, `event`, then the facts. Numbers stay numbers; a traceback is `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, object] = getattr(record, "facts", {})
        said: dict[str, object] = {
            "at": time.strftime(STAMP, time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "event": getattr(record, "happened", None) or _plain(record.getMessage()),
        }
        # No fact takes the place of these three.
        said |= {key if key not in said else f"{key}_": _value(value) for key, value in facts.items()}
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return masked(json.dumps(said, ensure_ascii=False))


class Lines(logging.Formatter):
    """One line, then its traceback if it has one. Neither form holds a password or a key, whoever wrote it."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def to_stderr(level: int = logging.INFO, form: Form = "text") -> None:
    """Sends log lines to stderr, one a line, with the time in UTC. Rotating them is left to who reads stderr."""
    handler = logging.StreamHandler(sys.stderr)
    formatter: logging.Formatter = Json()
    if form == "text":
        formatter = Lines("%(asctime)s %(levelname).1s %(message)s", STAMP)
    handler.setFormatter(formatter)
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


def _said(value: object) -> str:
    words = _plain(str(value))
    return '"' + words.replace('"', "'") + '"' if " " in words or not words else words


def _value(value: object) -> object:
    return value if isinstance(value, int | float | bool) else _plain(str(value))


def _plain(words: str) -> str:
    """What comes from outside may hold terminal escapes; a log line holds none."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())
