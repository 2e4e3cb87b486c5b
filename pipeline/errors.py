"""The few exceptions a caller is meant to catch.

    NewsbeatError
    ├── ConfigError     a file in config/ (or a seed, or an option) says something we cannot follow
    ├── ConfigErrors    all such findings in a configuration at once
    ├── FetchError      a URL could not be read: try later, or ask the operator
    ├── ParseError      an answer is not a feed we can read
    ├── WorkerLost      a worker process did not come back with its work
    ├── StoreError      the database is from the future, or out of room
    │   └── StoreHeld   another Newsbeat writes to it
    └── UsageError      what was asked for does not exist

Each carries what a person needs to act. Anything else that is raised is a bug and keeps its traceback.
Nothing new (304) is not an error: `fetch` returns `NotModified`.
"""

from __future__ import annotations

from datetime import timedelta


class NewsbeatError(Exception):
    """The root: `str(error)` is one sentence a person can act on."""


class ConfigError(NewsbeatError):
    """One finding in a file: which file, which key (or line), what is wrong, and the cure.

    `hint` may be empty. `findings` holds every finding when several were made at once.
    """

    def __init__(self, file: str, key: str, why: str, hint: str = "") -> None:
        self.file, self.key, self.why, self.hint = file, key, why, hint
        place = f"{file}: {key}: " if key else f"{file}: "
        super().__init__(f"{place}{why}{' ' + hint if hint else ''}")


class ConfigErrors(NewsbeatError):
    """All findings in a configuration, in the order of the files."""

    def __init__(self, findings: tuple[ConfigError, ...]) -> None:
        self.findings = findings
        super().__init__("\n".join(str(finding) for finding in findings))


class FetchError(NewsbeatError):
    """A URL that could not be read.

    `kind` is one word for the log and the schedule: `dns`, `unreachable` (no way there), `connect`, `tls`, `timeout`,
    `status`, `too_big`, `bomb`, `truncated`, `redirect`, `wait` (a redirect that asks to wait first), `address`,
    `scheme`, `protocol`.
    `status` is the HTTP status when there was one. `retry_after` is the server's wish, `None` when it has none.
    """

    def __init__(
        self,
        url: str,
        why: str,
        *,
        kind: str = "protocol",
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        self.url, self.why, self.kind, self.status, self.retry_after = url, why, kind, status, retry_after
        super().__init__(f"{url}: {why}")


class ParseError(NewsbeatError):
    """An answer that is not a feed: which URL, and why in words. `candidates` are feeds it links to."""

    def __init__(self, url: str, why: str, candidates: tuple[str, ...] = ()) -> None:
        self.url, self.why, self.candidates = url, why, candidates
        super().__init__(f"{url}: {why}")

    def __reduce__(self) -> tuple[type[ParseError], tuple[str, str, tuple[str, ...]]]:
        """Crosses the border of a worker process whole."""
        return ParseError, (self.url, self.why, self.candidates)


class WorkerLost(NewsbeatError):
    """The work did not come back: over its deadline, over its memory, or its process died."""


class StoreError(NewsbeatError):
    """The database cannot be used as asked; the sentence says who holds it or what is missing."""


class StoreHeld(StoreError):
    """Another process of ours holds the database for writing; the sentence says which."""


class UsageError(NewsbeatError):
    """What was asked for does not exist or does not fit; the sentence says what there is instead."""
