"""The measured tables and the plot of docs/performance.md, written anew between its two marks by `./run bench`."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from tests.bench.compare import STEPS, Row, ratios

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "performance.md"
PLOT = DOCS / "pictures" / "performance.svg"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SITE = "<!-- site: begin -->", "<!-- site: end -->"
WORDS = {"first": "first poll of all", "not_modified": "all 304", "one_new": "one new entry a feed"}
COLOURS = {"newsbeat": "#1f6f54", "reader": "#b4532a", "newsboat": "#6b6b6b"}


def write(figures: dict[str, Any], runs: dict[str, list[Row]], grown: dict[int, list[Row]]) -> None:
    """Replaces what stands between the marks, and the plot."""
    loads = ", ".join(str(load) for load in figures["loads"])
    lines = [
        f"Measured by `./run bench` on {figures['machine']}, two shared cores; load average while measuring: {loads}.",
        "",
    ]
    for name, rows in runs.items():
        lines += _table(name, rows)
    lines += _growth({0: [row for row in runs.get("invented", []) if row.program == "newsbeat"], **grown})
    _between(BEGIN, END, lines)
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(_plot(next(iter(runs.values()))), encoding="utf-8")


def write_site(lines: list[str]) -> None:
    """Replaces what stands between the site's marks."""
    _between(*SITE, ["Measured by `./run bench site --write` on two shared cores.", "", *lines])


def _between(begin: str, end: str, lines: list[str]) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text("\n".join([before + begin, "", *lines, ""]) + end + after, encoding="utf-8")


def _table(name: str, rows: list[Row]) -> list[str]:
    ours = ratios(rows)
    made = [
        f"**{rows[0].feeds} {name} feeds**",
        "",
        "| step | program | entries | CPU s per 1,000 feeds | entries per CPU s | peak MB | db MB | reader / ours |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for step, _ in STEPS:
        for row in (row for row in rows if row.step == step):
            key = f"{'first_poll' if step == 'first' else step}_ratio"
            ratio = ours.get(key, "") if row.program == "newsbeat" else ""
            rate = f"{row.entries / row.cpu_s:.0f}" if row.entries and row.cpu_s else ""
            made.append(
                f"| {WORDS[step]} | {row.program} | {row.entries} | {row.cpu_s_per_1000_feeds:.1f} | {rate} |"
                f" {row.peak_mb:.0f} | {row.db_mb:.1f} | {ratio} |"
            )
    return [*made, ""]


def _growth(grown: dict[int, list[Row]]) -> list[str]:
    if len(grown) < 2:
        return []
    made = [
        "**With articles stored already** (Newsbeat alone, invented feeds; 10,000 articles a day, the last today)",
        "",
        "| stored before | step | CPU s per 1,000 feeds | of what it is with nothing stored | peak MB | database MB |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    alone = {row.step: row.cpu_s_per_1000_feeds for row in grown[0]}
    for size, rows in grown.items():
        for row in rows:
            times = f"{row.cpu_s_per_1000_feeds / alone[row.step]:.2f}" if alone.get(row.step) else ""
            made.append(
                f"| {size:,} | {WORDS[row.step]} | {row.cpu_s_per_1000_feeds:.1f} | {times} | {row.peak_mb:.0f} |"
                f" {row.db_mb:.0f} |"
            )
    return [*made, ""]


def _plot(rows: list[Row]) -> str:
    """Bars of processor seconds per 1,000 feeds, a group a step, each with its number."""
    most = max(row.cpu_s_per_1000_feeds for row in rows) or 1.0
    parts, top = [], 34
    for step, _ in STEPS:
        parts.append(f'<text x="12" y="{top}" font-weight="600">{escape(WORDS[step])}</text>')
        for row in (row for row in rows if row.step == step):
            top += 22
            width = max(1.0, 430 * row.cpu_s_per_1000_feeds / most)
            parts.append(
                f'<text x="12" y="{top + 4}">{row.program}</text>'
                f'<rect x="90" y="{top - 9}" width="{width:.0f}" height="16" rx="2" fill="{COLOURS[row.program]}"/>'
                f'<text x="{96 + width:.0f}" y="{top + 4}">{row.cpu_s_per_1000_feeds:.1f}</text>'
            )
        top += 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 {top}" width="600" height="{top}" role="img"'
        ' font-family="system-ui, sans-serif" font-size="13" fill="#333">'
        "<title>Processor seconds per 1,000 feeds; shorter is better</title>"
        f'<rect width="600" height="{top}" fill="#fff"/>'
        '<text x="12" y="14" font-size="12">Processor seconds per 1,000 feeds; shorter is better</text>'
        f"{''.join(parts)}</svg>\n"
    )
