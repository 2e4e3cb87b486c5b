"""A TopicProfile as TOML, for a person to read and edit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from pipeline.model import Article, Term, TopicProfile
from pipeline.topics.document import Document
from pipeline.topics.match import Panel, compiled

_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_HEAD = """\
# What Newsbeat listens for, written from the seed by `newsbeat topic new`. It is yours to edit:
# delete a term that misleads, raise the weight of one that matters, add names the seed does not have.
# Weights are relative to each other. `newsbeat topic explain SLUG ARTICLE` shows what each term brought.
# An alias is another spelling of its term: a short form, another language ("ByteDance" is "字节跳动"), an inflection.
"""
_SCALE = (
    "Scores are multiplied by this: the seed strays, so that other reports of its event score low.",
    "Scores are multiplied by this: the seed keeps to a few words, so that much scores high on it.",
)
_FITTED = (
    "Stored articles this was fitted to. 0: its seed alone, until `newsbeat topic tune` fits it to what came since."
)


def toml(profile: TopicProfile, notes: Mapping[str, str] = MappingProxyType({}), why: str = "") -> str:
    """The file `config/topics/SLUG.toml`, terms in order, most telling first. `notes` are comments by term, `why` one
    at the threshold."""
    lines = [_HEAD, f"title = {_quoted(profile.title)}"]
    if profile.seed:
        lines.append(f"seed = {_quoted(profile.seed)}")
    lines += [
        "# An article is on topic from this score on (0 to 1). Lower finds more, higher is stricter.",
        *([f"# {why}"] if why else []),
        f"threshold = {profile.threshold:g}",
        *(["", f"# {_SCALE[profile.scale < 1]}", f"scale = {profile.scale:g}"] if profile.scale != 1 else []),
        *(["", f"# {_FITTED}", f"fitted = {profile.fitted}"] if profile.fitted is not None else []),
        "",
        "# Gates, before any score: one of `any`, all of `all`, none of `none` must stand in the article.",
        "# Words, phrases, or patterns (in single quotes): 're:\\bTik ?Tok\\b'",
        "[rules]",
        f"any = {_list(profile.rules.any)}",
        f"all = {_list(profile.rules.all)}",
        f"none = {_list(profile.rules.none)}",
    ]
    for term in profile.terms:
        lines += ["", *([f"# {note}"] if (note := notes.get(term.text)) else []), *_term(term)]
    return "\n".join(lines) + "\n"


def notes(profile: TopicProfile, sources: Sequence[Document]) -> dict[str, str]:
    """How often each term stands in the seed, and whether in its headline, in words."""
    counts: Counter[str] = Counter()
    above: set[str] = set()
    panel = Panel((compiled(profile),))
    for source in sources:
        said = "\n".join(source.paragraphs)
        seed = Article(
            "urn:seed", "", source.headline or None, None, said, "content", source.lang, (), None, _NEVER, ""
        )
        for found in panel.match(seed):
            for one in found.evidence:
                counts[one.term] += one.count
                if one.field == "title":
                    above.add(one.term)
    return {
        term.text: f"stands {counts[term.text]} times" + (", also in the headline" if term.text in above else "")
        for term in profile.terms
        if counts[term.text] > 1
    }


def _term(term: Term) -> list[str]:
    lines = [
        "[[term]]",
        f"text = {_quoted(term.text)}",
        f"weight = {term.weight:g}",
        f"kind = {_quoted(term.kind)}",
    ]
    if term.aliases:
        lines.append(f"aliases = {_list(term.aliases)}")
    return lines


def _quoted(value: str) -> str:
    # JSON's string escapes are TOML's basic string escapes; only DEL differs.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(_quoted(value) for value in values) + "]"
