"""Patterns in rules: `re:` and an expression, run by RE2, whose time grows with the text and with nothing else.

And a few of our own, with too many branches for `re`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import re2

MARK = "re:"

LONGEST = 500
"""Characters of a pattern."""

MEMORY = 1 << 20
"""Bytes an automaton may take; RE2 refuses a pattern that needs more."""


class Pattern(Protocol):
    """What a compiled pattern can do."""

    def search(self, text: str) -> object | None:
        """Something where the pattern stands in the text, `None` where it does not."""


@lru_cache(maxsize=4096)
def compiled(rule: str) -> Pattern:
    """A rule `re:...` ready to search, upper and lower case alike. `fault` has vouched for it."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MEMORY
    found: Pattern = re2.compile(rule.removeprefix(MARK).strip(), options)
    return found


def quick(expression: str) -> Pattern:
    """An expression of our own ready to search, case by case, far faster than `re` where it has many branches. Text
    must hold no lone surrogate."""
    options = re2.Options()
    options.never_capture = True
    found: Pattern = re2.compile(expression, options)
    return found


def fault(rule: str) -> str:
    """What is wrong with a rule `re:...`, and its cure, in words; empty when it is good."""
    if len(rule) > LONGEST:
        return f"a pattern has at most {LONGEST} characters, this one {len(rule)}. Make several rules of it."
    try:
        pattern = compiled(rule)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"{rule!r} is no pattern that RE2 knows ({why.strip(': ')}). It cannot look around or refer back."
    if pattern.search(""):
        return f"{rule!r} fits an empty text, and so everything. Say what must stand there."
    return ""
