"""An article's words, read once for all who judge it: topics and stories hear the same stems. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline import text
from pipeline.model import Article

Field = Literal["title", "summary", "text"]

LONGEST_READ = 3000
"""Characters of a field that are read: a report tells its event at the beginning, and what follows is background, which
other events share. Topics find as much in it as in 10,000 (docs/design.md), and it costs a third less."""

LONGEST_WORD = 100


@dataclass(frozen=True, slots=True)
class Passage:
    """One field: as written, what of it is read, and the words of that as stems, in order."""

    name: Field
    raw: str
    read: str
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an article says, in words: of its headline, and of the beginning of its text; and the fields that say
    something of their own, for a text may be the headline or the summary again."""

    title: tuple[str, ...]
    opening: tuple[str, ...]
    passages: tuple[Passage, ...]


def of(article: Article) -> Reading:
    """Reads an article. Costs a pass over its text; what is longer than LONGEST_READ is not looked at."""
    title = _passage("title", article.title or "")
    if article.text_from == "title":
        return Reading(title.stems, title.stems, (title,))
    body = _passage("text", article.text)
    if article.text_from in ("content", "page") and article.summary:
        return Reading(title.stems, body.stems, (title, _passage("summary", article.summary), body))
    return Reading(title.stems, body.stems, (title, body))


def beginning(said: str) -> str:
    """What of a field is read: LONGEST_READ characters, less a word that would be cut, where a space is near."""
    if len(said) <= LONGEST_READ:
        return said
    end = said.rfind(" ", LONGEST_READ - LONGEST_WORD, LONGEST_READ)
    return said[: end if end > 0 else LONGEST_READ]


def _passage(name: Field, said: str) -> Passage:
    read = beginning(said)
    return Passage(name, said, read, text.stems(read))
