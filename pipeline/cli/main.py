"""The group of commands, where its two options come from, and how trouble is told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from pipeline import __version__, config
from pipeline.errors import ConfigError, NewsbeatError, StoreError, UsageError


@dataclass(frozen=True, slots=True)
class Place:
    """Where this installation lies: its configuration and its database."""

    directory: Path
    db: Path


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site listens, whether it shows whole texts, and the moment it plays (`None`: the clock).

    `processes` is how many answer; 0 is what the configuration says. `door` is the handle of an open socket, for one
    of several processes behind it.
    """

    host: str
    port: int
    texts: bool
    now: str | None = None
    processes: int = 0
    door: int | None = None


class Told(click.Group):
    """Turns expected trouble into words and an exit code; anything else is a bug and keeps its traceback."""

    def main(self, args: Sequence[str] | None = None, **extra: object) -> object:  # type: ignore[override]
        try:
            return super().main(args, **extra)  # type: ignore[call-overload]
        except config.ConfigErrors as error:
            for finding in error.findings:
                click.echo(f"newsbeat: {finding}", err=True)
            sys.exit(2)
        except (ConfigError, UsageError) as error:
            click.echo(f"newsbeat: {error}", err=True)
            sys.exit(2)
        except NewsbeatError as error:
            click.echo(f"newsbeat: {error}", err=True)
            sys.exit(2 if isinstance(error, StoreError) and "newer Newsbeat" in str(error) else 1)


@click.group(cls=Told, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config", "directory", default="config", envvar="NEWSBEAT_CONFIG", show_default=True, show_envvar=True,
    type=click.Path(path_type=Path), help="The directory with newsbeat.toml, feeds.toml, outlets.toml and topics/.",
)  # fmt: skip
@click.option(
    "--db", default="db/news.db", envvar="NEWSBEAT_DB", show_default=True, show_envvar=True,
    type=click.Path(path_type=Path), help="The SQLite file everything is kept in.",
)  # fmt: skip
@click.version_option(__version__, prog_name="newsbeat")
@click.pass_context
def main(context: click.Context, directory: Path, db: Path) -> None:
    """Follow one matter through the news.

    Hand Newsbeat an article, and it writes a topic you can read; then it follows your feeds, keeps every article once,
    groups what outlets say about one event, marks what is on topic and says why.

    \b
    A first hour:
      newsbeat check                        is the configuration in order?
      newsbeat topic new seeds/ARTICLE.txt  a topic from an article
      newsbeat once                         poll every feed that is due, once
      newsbeat up                           follow the feeds, and the site at http://127.0.0.1:8001
    """
    context.obj = Place(directory, db)


# The commands register themselves on `main`; imported here, below it, so that each finds it.
from pipeline.cli import adding, caring, carrying, grouping, judging, keeping, looking  # noqa: E402, F401, I001
from pipeline.cli import notebook, pruning, retrying, running, teaching, topics  # noqa: E402, F401
