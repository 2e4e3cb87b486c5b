"""Adding feeds to feeds.toml. With tuning.py the only user of tomlkit.

What stands in the file stays as it is, comments and order included; new feeds come at the end. The new text is read
back by the same reader as every start of the program before it takes the old one's place, in one step: a reader sees
the old file or the new one, never half of one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import tomlkit
from pydantic import ValidationError
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, InlineTable, Table

from pipeline import text
from pipeline.config import shapes
from pipeline.config.load import _finding, _read, _twice
from pipeline.errors import ConfigError, ConfigErrors
from pipeline.model import Feed

AnyTable = TypeVar("AnyTable", Table, InlineTable)

MAX_WORDS = 200
"""Longest heading written, in characters."""

_INLINE = re.compile(r"^\s*feed\s*=", re.M)


@dataclass(frozen=True, slots=True)
class Group:
    """Feeds to be written together, under a comment that names them when `heading` is given."""

    feeds: tuple[Feed, ...]
    heading: str | None = None


def feed(where: str, url: str, outlet: str | None = None, title: str | None = None, every: str | None = None) -> Feed:
    """A feed as feeds.toml would take it. Raises ConfigErrors in which `where` stands for the file."""
    given = {"url": url, "outlet": outlet, "title": title, "every": every}
    try:
        entry = shapes.FeedEntry.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        raise ConfigErrors(
            tuple(_finding(Path(where), shapes.FeedEntry, detail) for detail in error.errors(include_url=False))
        ) from None
    return Feed(entry.url, entry.outlet, entry.title, entry.every)


def add_feeds(directory: Path, groups: Sequence[Group]) -> None:
    """Adds feeds to the feeds.toml of a directory. Raises ConfigErrors when that cannot be; the file then stays."""
    path = (directory / "feeds.toml").resolve()
    try:
        with _alone(path.parent):
            before = path.read_bytes()
            after = _with(before.decode("utf-8"), groups).encode("utf-8")
            added = [one.url for group in groups for one in group.feeds]
            _replace(path, before, after, lambda fresh: _check(path, fresh, added))
    except OSError as error:
        raise _refused(path, f"cannot be written ({error.strerror}).", "Check its owner and permissions.") from None
    except (UnicodeDecodeError, TOMLKitError) as error:
        raise _refused(path, f"cannot be added to ({error}).", "`newsbeat check` says what is wrong in it.") from None


def _with(before: str, groups: Sequence[Group]) -> str:
    """The text of a feeds.toml with these feeds at its end."""
    end = "\r\n" if "\r\n" in before else "\n"
    whole = before if not before or before.endswith("\n") else before + end
    if _INLINE.search(whole):  # feed = [{url = "..."}], rare and allowed; no [[feed]] can follow it
        document = tomlkit.parse(whole)
        listed = document.get("feed")
        if isinstance(listed, Array) and len(listed):
            for one in (one for group in groups for one in group.feeds):
                listed.append(_filled(tomlkit.inline_table(), one))
            return tomlkit.dumps(document)
        if isinstance(listed, Array):
            document.remove("feed")
            whole = tomlkit.dumps(document)
    added = _blocks(groups).replace("\n", end)
    gap = "" if not whole or whole.endswith(end * 2) else end
    return f"{whole}{gap}{added}"


def _blocks(groups: Sequence[Group]) -> str:
    """The new feeds as text, a blank line between any two."""
    blocks = []
    for group in groups:
        if group.heading and (words := text.line(group.heading)):
            blocks.append(f"# ---- {text.clip(words, MAX_WORDS)} ----\n")
        blocks += [f"[[feed]]\n{_filled(tomlkit.table(), one).as_string()}" for one in group.feeds]
    return "\n".join(blocks)


def _filled(table: AnyTable, one: Feed) -> AnyTable:
    every = shapes._say(one.every) if one.every else None
    for key, value in (
        ("url", one.url),
        ("outlet", one.outlet),
        ("title", one.title),
        ("every", every),
        ("certificate", one.certificate),
    ):
        if value:
            table.add(key, value)
    return table


def _replace(path: Path, before: bytes, after: bytes, check: Callable[[Path], object]) -> None:
    """Puts the new text in the old one's place, once `check` has read it well and the old one is still the same."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(handle)
        check(fresh)
        old = path.stat()
        fresh.chmod(stat.S_IMODE(old.st_mode))
        with contextlib.suppress(PermissionError):
            os.chown(fresh, old.st_uid, old.st_gid)
        if path.read_bytes() != before:
            raise _refused(path, "was changed by somebody else just now.", "Try again.")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _check(path: Path, fresh: Path, added: list[str]) -> None:
    """Reads the new file as the program will: it holds every old feed as it was, then the new ones."""
    findings: list[ConfigError] = []
    old, new = (_read(one, shapes.FeedsFile, findings) for one in (path, fresh))
    if new:
        findings += _twice(fresh, "url", [entry.url for entry in new.feed])
    if findings or old is None or new is None:
        raise ConfigErrors(tuple(ConfigError(str(path), one.key, one.why, one.hint) for one in findings))
    if [*old.feed, *added] != [*new.feed[: len(old.feed)], *(entry.url for entry in new.feed[len(old.feed) :])]:
        raise _refused(path, "cannot be added to without disturbing what stands in it.", "Add the feed by hand.")


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One writer at a time, over all processes: two adding at once would lose one's feeds."""
    door = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield
    finally:
        os.close(door)


def _refused(path: Path, why: str, cure: str) -> ConfigErrors:
    return ConfigErrors((ConfigError(str(path), "", why, cure),))
