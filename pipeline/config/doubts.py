"""What a configuration may say and a person hardly means: an outlet almost spelled like another, an open exception."""

from __future__ import annotations

import difflib
from pathlib import Path

from pipeline.config.values import Setup
from pipeline.errors import ConfigError
from pipeline.hiding import has_key, masked

ALIKE = 0.8
"""How alike two names are, 0 to 1, before one may be a slip of the other."""


def doubts(setup: Setup, directory: Path) -> tuple[ConfigError, ...]:
    """Everything worth a look in a configuration that is in order, each with its place and cure."""
    file = str(directory / "feeds.toml")
    names = {outlet.name for outlet in setup.outlets}
    found = []
    for feed in setup.feeds:
        if feed.outlet and feed.outlet not in names and (near := _near(feed.outlet, names)):
            found.append(
                ConfigError(
                    file, f"feed {feed.url}", f'outlet = "{feed.outlet}" is not in outlets.toml.',
                    f'Did you mean "{near}"? If it is another outlet, name it in outlets.toml too.',
                )
            )  # fmt: skip
        if has_key(feed.url):
            found.append(
                ConfigError(
                    file, f"feed {masked(feed.url)}", "its address seems to hold a key.",
                    "Log lines and pages leave it out, but the database, its tables and its exports show it:"
                    " keep the site to yourself, or ask the outlet for an address without.",
                )
            )  # fmt: skip
        if feed.certificate == "any":
            found.append(
                ConfigError(
                    file, f"feed {feed.url}", 'its certificate is not checked (certificate = "any").',
                    "Take that out once its server's is in order, or pin it: see docs/guide.md.",
                )
            )  # fmt: skip
    main = str(directory / "newsbeat.toml")
    slugs = {profile.slug for profile in setup.topics}
    for slug in setup.keep.topics.keys() - slugs:
        near = _near(slug, slugs)
        found.append(
            ConfigError(main, "keep.topics", f'"{slug}" is no topic.', f'Did you mean "{near}"?' if near else "")
        )
    known = names | {feed.outlet for feed in setup.feeds if feed.outlet}
    for name in setup.keep.outlets.keys() - known:
        near = _near(name, known)
        found.append(
            ConfigError(
                main, "keep.outlets", f'"{name}" is no outlet of the configuration.',
                f'Did you mean "{near}"?' if near else "One that is named by its feed alone is fine.",
            )
        )  # fmt: skip
    return tuple(found)


def _near(name: str, names: set[str]) -> str | None:
    """The name that this one may be a slip of; upper and lower case do not make a difference."""
    folded = {one.casefold(): one for one in sorted(names)}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=ALIKE)
    return folded[near[0]] if near else None
