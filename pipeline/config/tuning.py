"""A topic's file with another threshold and other weights: as text to be looked at, and written when a person says so.

Everything else in the file stays as it is, comments and order included.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array

from pipeline.config.load import topic
from pipeline.config.write import _alone, _refused, _replace
from pipeline.model import Term


@dataclass(frozen=True, slots=True)
class Edit:
    """A file as it is, and as it would be."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """What would change, as a unified diff; empty when nothing would."""
        name = str(self.path)
        lines = difflib.unified_diff(self.before.splitlines(True), self.after.splitlines(True), name, name, n=2)
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def retuned(
    path: Path,
    threshold: float,
    weights: Mapping[int, float],
    added: Mapping[Term, str] = MappingProxyType({}),
    fitted: int | None = None,
) -> Edit:
    """The topic in `path` with this threshold, these weights by the term's place in the file, from 0, and the `added`
    terms at its end, each under its comment; and to how many articles it is `fitted` now, where that changed.

    Raises ConfigErrors when the file cannot be read.
    """
    now = topic(path)
    try:
        before = path.read_bytes().decode("utf-8")
        document = tomlkit.parse(before)
        if now.threshold != threshold:
            document["threshold"] = threshold
        if fitted is not None:
            document["fitted"] = fitted
            document.pop("scale", None)  # its threshold stands for that now
        terms = document["term"]
        assert isinstance(terms, AoT | Array)
        for at, weight in weights.items():
            if now.terms[at].weight != weight:
                terms[at]["weight"] = weight
        after = tomlkit.dumps(document)
        if added and isinstance(terms, AoT):
            after = after.rstrip("\n") + "\n" + "".join(_written(term, note) for term, note in added.items())
        return Edit(path, before, after)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise _refused(path, f"cannot be read for editing ({error}).", "Change it by hand.") from None


def _written(term: Term, note: str) -> str:
    table = tomlkit.table()
    table.update({"text": term.text, "weight": term.weight, "kind": term.kind})
    return f"\n# {note}\n[[term]]\n{table.as_string()}"


def write_topic(edit: Edit) -> None:
    """Puts the edited text in its file's place in one step. Raises ConfigErrors: the file then stays, also when
    somebody changed it meanwhile."""
    path = edit.path.resolve()
    try:
        with _alone(path.parent):
            _replace(path, edit.before.encode("utf-8"), edit.after.encode("utf-8"), topic)
    except OSError as error:
        raise _refused(path, f"cannot be written ({error.strerror}).", "Check its owner and permissions.") from None
