"""A TopicProfile as TOML, for a person to read and edit."""

from __future__ import annotations

import json

from pipeline.model import Term, TopicProfile

_HEAD = """\
# What Newsbeat listens for, written from the seed by `newsbeat topic new`. It is yours to edit:
# delete a term that misleads, raise the weight of one that matters, add names the seed does not have.
# Weights are relative to each other. `newsbeat topic explain SLUG ARTICLE` shows what each term brought.
"""


def toml(profile: TopicProfile) -> str:
    """The file `config/topics/SLUG.toml`, terms in order, most telling first."""
    lines = [_HEAD, f"title = {_quoted(profile.title)}"]
    if profile.seed:
        lines.append(f"seed = {_quoted(profile.seed)}")
    lines += [
        "# An article is on topic from this score on (0 to 1). Lower finds more, higher is stricter.",
        f"threshold = {profile.threshold:g}",
        "",
        "# Gates, before any score: one of `any`, all of `all`, none of `none` must stand in the article.",
        "[rules]",
        f"any = {_list(profile.rules.any)}",
        f"all = {_list(profile.rules.all)}",
        f"none = {_list(profile.rules.none)}",
    ]
    for term in profile.terms:
        lines += ["", *_term(term)]
    return "\n".join(lines) + "\n"


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
