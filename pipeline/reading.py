"""An article's words, read once for all who judge it: topics and stories hear the same stems. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline import text
from pipeline.model import Article

Field = Literal["title", "summary", "text"]

LONGEST_READ = 10_000
"""Characters of a field that are read."""

OPENING = 3000
"""Characters of a text that can tell the event; see `prints.STRESS`."""

LONGEST_WORD = 100


@dataclass(frozen=True, slots=True)
class Passage:
    """One field: as written, and the words of its first LONGEST_READ characters as stems, in order."""

    name: Field
    raw: str
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an article says, in words: of its headline, and of the first OPENING characters of its text; and the fields
    that say something of their own, for a text may be the headline or the summary again."""

    title: tuple[str, ...]
    opening: tuple[str, ...]
    passages: tuple[Passage, ...]


def of(article: Article) -> Reading:
    """Reads an article. Costs a pass over its text; what is longer than LONGEST_READ is not looked at."""
    title = _passage("title", article.title or "")
    passages = [title]
    if article.text_from in ("content", "page") and article.summary:
        passages.append(_passage("summary", article.summary))
    if article.text_from == "title":
        return Reading(title.stems, title.stems, (title,))
    raw = article.text[:LONGEST_READ]
    # Divided between words, so that the first part holds the first words; where no space is near, it is read alone.
    end = raw.rfind(" ", OPENING - LONGEST_WORD, OPENING) if len(raw) > OPENING else 0
    if end > 0:
        opening = text.stems(raw[:end])
        whole = opening + text.stems(raw[end:])
    else:
        whole = text.stems(raw)
        opening = text.stems(raw[:OPENING]) if end else whole
    passages.append(Passage("text", article.text, whole))
    return Reading(title.stems, opening, tuple(passages))


def _passage(name: Field, said: str) -> Passage:
    return Passage(name, said, text.stems(said[:LONGEST_READ]))
