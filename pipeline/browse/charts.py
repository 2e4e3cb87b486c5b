"""Numbers in, SVG out. Every drawing is made on the server from numbers of our own; colours are in the style sheet.

A chart says in words what it shows (`aria-label`), and a state never speaks by colour alone: a failed hour is
tall, a good one low, an hour without a poll is a dot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal

from markupsafe import Markup, escape

from .times import parse, short_day

Hour = Literal["ok", "failed", "mixed", "none"]


def _svg(kind: str, width: int, height: int, label: str, body: Sequence[str], stretch: bool = False) -> Markup:
    # Put together as plain text, thousands of times a page: `Markup.format` takes ten times as long. What is no number
    # and no constant of ours is escaped here, and `_rect` does so itself.
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    return Markup(  # noqa: S704 -- see above
        f'<svg class="chart {kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' aria-label="{escape(label)}"{ratio}>{"".join(body)}</svg>'
    )


def _rect(x: float, y: float, width: float, height: float, kind: str, title: str = "") -> str:
    inner = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" class="{kind}">{inner}</rect>'


def bars(
    days: Sequence[str], counts: Sequence[int], width: int = 98, height: int = 28, top: int = 0, stretch: bool = False
) -> Markup:
    """A small column a day, the last one (today, not over yet) in the accent colour. `top` is what fills the height,
    where several drawings share one measure."""
    return _bars(tuple(days), tuple(counts), width, height, top, stretch)


# Kept, since the numbers of a topic or a newsroom change with the next poll, and pages are asked for in between.
@lru_cache(maxsize=512)
def _bars(
    days: tuple[str, ...], counts: tuple[int, ...], width: int, height: int, top: int, stretch: bool
) -> Markup:  # fmt: skip
    top, step = max([1, top, *counts]), width / max(1, len(counts))
    body = [_rect(0, height - 1, width, 1, "base")]
    for at, (day, count) in enumerate(zip(days, counts, strict=True)):
        tall = max(2.0, (height - 2) * count / top) if count else 0.0
        kind = "now" if at == len(counts) - 1 else "bar"
        if tall:
            body.append(_rect(at * step + 0.5, height - 1 - tall, step - 1, tall, kind, f"{short_day(day)}: {count}"))
    label = f"Articles a day over {len(days)} days: {sum(counts)} in all, at most {max([0, *counts])} a day"
    return _svg("bars", width, height, label, body, stretch)


def columns(days: Sequence[str], counts: Sequence[int], wire: Sequence[int] = (), height: int = 120) -> Markup:
    """The wide chart, a column a day; it stretches to the width of the page. `wire` is the pale upper part of each."""
    width, top = 30 * max(1, len(counts)), max([1, *counts])
    body = [_rect(0, height - 1, width, 1, "base")]
    for at, (day, count) in enumerate(zip(days, counts, strict=True)):
        # A ghost column over the full height, so that hovering anywhere over a day tells its number.
        body.append(_rect(at * 30, 0, 30, height, "ghost", f"{short_day(day)}: {count}"))
        if count:
            tall = max(2.0, (height - 2) * count / top)
            kind = "now" if at == len(counts) - 1 else "bar"
            body.append(_rect(at * 30 + 2, height - 1 - tall, 26, tall, kind, f"{short_day(day)}: {count}"))
            if wire and wire[at]:
                told = f"{short_day(day)}: {count}, of them {wire[at]} wire"
                body.append(_rect(at * 30 + 2, height - 1 - tall, 26, tall * wire[at] / count, "wire", told))
    label = f"Articles a day over {len(days)} days; the same numbers are in the table below"
    return _svg("columns", width, height, label, body, stretch=True)


def meter(score: float, threshold: float, width: int = 72) -> Markup:
    """A score from 0 to 1 as a bar, the threshold as an upright line through it.

    Scores gather around the threshold, and most thresholds are low: a full bar is three of them, or 1 where that is
    less.
    """
    score, threshold = min(1.0, max(0.0, score)), min(1.0, max(0.0, threshold))
    full = min(1.0, 3 * threshold) or 1.0
    body = [
        _rect(0, 3, width, 6, "track"),
        _rect(0, 3, width * min(1.0, score / full), 6, "bar" if score < threshold else "over"),
        _rect(min(width - 2.0, max(0.0, width * threshold / full - 1)), 0, 2, 12, "line"),
    ]
    return _svg("meter", width, 12, f"Score {score:.2f}, threshold {threshold:.2f}", body)


_SHAPES: dict[Hour, tuple[tuple[float, float, str], ...]] = {
    "ok": ((6, 10, "ok"),),
    "failed": ((0, 16, "failed"),),
    "mixed": ((0, 8, "failed"), (9, 7, "ok")),
    "none": ((14, 2, "none"),),
}


@lru_cache(maxsize=2048)
def _cell(at: int, step: float, hour: str, state: Hour) -> str:
    """One hour of a strip. All strips of a page are made of the same few cells."""
    told = f"{hour}:00 {WORDS[state]}"
    return "".join(_rect(at * step + 0.5, y, step - 1, tall, kind, told) for y, tall, kind in _SHAPES[state])


def strip(hours: Sequence[tuple[str, Hour]], width: int = 192, height: int = 16) -> Markup:
    """One cell an hour: low when every poll was fine, tall when all failed, half and half, a dot when none ran."""
    step = width / max(1, len(hours))
    body = [_cell(at, step, hour[11:13], state) for at, (hour, state) in enumerate(hours)]
    bad = sum(state in {"failed", "mixed"} for _, state in hours)
    ran = sum(state != "none" for _, state in hours)
    return _svg(
        "strip", width, height, f"Last {len(hours)} hours: polled in {ran}, trouble in {bad}", body, stretch=True
    )


WORDS: dict[Hour, str] = {
    "ok": "polled",
    "failed": "every poll failed",
    "mixed": "some polls failed",
    "none": "not polled",
}


Mark = Literal["own", "wire", "self"]


def lane(
    marks: Sequence[tuple[float, Mark, str]], width: int = 240, height: int = 18, since: float | None = None
) -> Markup:
    """Reports on a line of time from 0 to 1, each with its words: own text tall, wire low, the one meant in colour.

    `since` draws the way a copied text came: a bar from there to its first mark. Stretches to the width it is given.
    """
    body = [_rect(0, height / 2 - 0.5, width, 1, "base")]
    room = width - 4
    if since is not None and marks:
        start = room * min(1.0, max(0.0, since))
        body.append(_rect(start, height / 2 - 1.5, max(1.0, room * marks[0][0] - start), 3, "way"))
    shapes = {"own": (2, height - 4), "wire": (height / 2 - 3.5, 7), "self": (0, height)}
    for at, kind, told in marks:
        y, tall = shapes[kind]
        body.append(_rect(room * min(1.0, max(0.0, at)), y, 4, tall, kind, told))
    label = "; ".join(told for _, _, told in marks)
    return _svg("lane", width, height, label, body, stretch=True)


def share(part: int, whole: int, width: int = 96) -> Markup:
    """How a number stands beside the largest of its list."""
    body = [_rect(0, 0, max(2.0, width * part / max(1, whole)), 10, "bar")]
    return _svg("share", width, 10, f"{part}", body)


def arrivals(counts: Mapping[str, int], since: datetime, until: datetime, width: int = 240) -> Markup:
    """When reports came, as ticks on a line from `since` to `until`: a burst, or a slow climb. `counts` says how many
    came about each moment."""
    length = max(1.0, (until - since).total_seconds())
    inside = {moment: n for text, n in counts.items() if (moment := parse(text)) and n > 0}
    if not inside:
        return Markup()
    body = [_rect(0, 12, width, 1, "base")]
    for moment in inside:
        part = min(1.0, max(0.0, (moment - since).total_seconds() / length))
        body.append(_rect((width - 2) * part, 2, 2, 10, "bar"))
    told = f"{sum(inside.values())} versions over the last {round(length / 3600)} hours, newest on the right"
    return _svg("arrivals", width, 14, told, body)
