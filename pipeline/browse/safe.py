"""What makes hostile words harmless: links, marks, headers. Plain text in; text, `Markup` or `None` out.

Feeds are written by strangers. Titles, summaries and bodies are stored as plain text, so nothing here parses
markup: text is escaped first and only then are our own tags put around it. That order is the whole defence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlsplit

from markupsafe import Markup, escape

# Own pages need no script at all; Datasette's own pages carry a few inline styles, and nothing more than that.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
OWN_POLICY = _POLICY.format(styles="")
DATASETTE_POLICY = _POLICY.format(styles=" 'unsafe-inline'")
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}

# Browsers drop tabs and newlines inside a URL and ignore what is below a space before it
# (https://url.spec.whatwg.org/#concept-basic-url-parser); so do we, before we look at the scheme.
_IGNORED = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff]")
_LONGEST_URL = 4096
_NUMBERED = re.compile(r"(\b\w{1,20}-\d{1,6}\b)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")

Span = tuple[int, int]
Tag = Literal["mark", "u", "del", "ins"]


def safe_url(url: object) -> str | None:
    """An http or https URL that may stand in an href; `None` for anything else."""
    if not isinstance(url, str):
        return None
    text = _IGNORED.sub("", url)
    if len(text) > _LONGEST_URL or "\\" in text:
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and host else None


def tongue(lang: object) -> Markup:
    """The attributes of words that strangers wrote: the direction they run in, and their language where it is one
    (BCP 47), so that a screen reader says them right."""
    known = isinstance(lang, str) and _LANGUAGE.fullmatch(lang)
    # A language is letters, digits and hyphens, so that it needs no escaping.
    return Markup(f' dir="auto" lang="{lang}"') if known else Markup(' dir="auto"')  # noqa: S704 -- see above


def headed(text: str) -> Markup:
    """A headline, escaped, in which a name with a number ("Apollo-11") stays on one line."""
    parts = _NUMBERED.split(text)
    return Markup().join(Markup("<span class=whole>{}</span>").format(p) if at % 2 else escape(p)
                         for at, p in enumerate(parts))  # fmt: skip


def merged(spans: Iterable[Span], length: int) -> tuple[Span, ...]:
    """Spans in order, clipped to `length`, overlapping ones joined."""
    kept: list[Span] = []
    for start, end in sorted((max(0, start), min(length, end)) for start, end in spans):
        if start >= end:
            continue
        if kept and start <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(kept[-1][1], end))
        else:
            kept.append((start, end))
    return tuple(kept)


def around(tag: Tag, text: str) -> Markup:
    """The text, escaped, in one of our own tags; white space alone stays bare."""
    # Put together as text: `Markup.format` takes ten times as long, and a page has hundreds of these.
    return Markup(f"<{tag}>{escape(text)}</{tag}>") if text.strip() else escape(text)  # noqa: S704 -- escaped


def marked(text: str, spans: Iterable[Span], tag: Tag = "mark") -> Markup:
    """The text, escaped, with our own `tag` around each span."""
    parts, at = [], 0
    for start, end in merged(spans, len(text)):
        parts += [escape(text[at:start]), around(tag, text[start:end])]
        at = end
    return Markup().join([*parts, escape(text[at:])])


def coded(words: str) -> Markup:
    """A sentence of ours whose commands stand in backticks, as `<code>`."""
    parts = words.split("`")
    return Markup().join(Markup("<code>{}</code>").format(p) if at % 2 else escape(p) for at, p in enumerate(parts))


def snippet(text: object) -> Markup:
    """A search snippet whose hits stand between the control characters 2 and 3, escaped and then marked.

    The text itself may hold such characters: they open and close nothing but our own `<mark>`, in pairs.
    """
    out, inside = Markup(), False
    for part in re.split("([\x02\x03])", text if isinstance(text, str) else ""):
        if part == "\x02" and not inside:
            out, inside = out + Markup("<mark>"), True
        elif part == "\x03" and inside:
            out, inside = out + Markup("</mark>"), False
        elif part not in {"\x02", "\x03"}:
            out += escape(part)
    return out + Markup("</mark>") if inside else out


def paragraphs(text: str, spans: Iterable[Span]) -> tuple[Markup, ...]:
    """The text, a paragraph a line of its own, with the spans marked. Offsets count in the whole text."""
    whole = merged(spans, len(text))
    return tuple(
        marked(match.group(), [(start - match.start(), end - match.start()) for start, end in whole])
        for match in re.finditer(r"[^\r\n]*\S[^\r\n]*", text)
    )


def passages(text: str, spans: Iterable[Span], near: int = 90, most: int = 3) -> tuple[Markup, ...]:
    """Short quotations around the marked places, for readers who may not see the whole text.

    Never more than a third of the text in all, save for one passage that a short text must have.
    """
    whole = merged(spans, len(text))
    found: list[Markup] = []
    done, spent = 0, 0
    for start, end in whole:
        if start < done or len(found) == most:
            continue
        left = max(done, text.rfind(" ", 0, max(0, start - near)) + 1, text.rfind("\n", 0, start) + 1)
        right = text.find(" ", min(len(text), end + near))
        right = len(text) if right < 0 else right
        line_end = text.find("\n", end)
        right = min(right, line_end) if line_end >= 0 else right
        if found and spent + right - left > len(text) // 3:
            break
        words = marked(text[left:right], [(a - left, b - left) for a, b in whole])
        found.append(Markup("{}{}{}").format("… " if left else "", words, " …" if right < len(text) else ""))
        done, spent = right, spent + right - left
    return tuple(found)
