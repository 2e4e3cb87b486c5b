"""The group of commands, where its two options come from, and how trouble is told."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from pipeline import __version__
from pipeline.errors import ConfigError, ConfigErrors, NewsbeatError, StoreError, UsageError


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


COMMANDS: dict[str, tuple[str, str]] = {
    "backup": ("keeping", "A consistent copy of the database in FILE, also while the service runs."),
    "check": ("looking", "Everything that is wrong in the configuration, at once: file, key, finding, cure."),
    "demo": ("running", "Ten days of an invented newsroom in about a minute, through the real service."),
    "doctor": ("caring", "What is broken, and the cure for each in a line."),
    "export": ("carrying", "The feeds as OPML; the articles as CSV, JSON lines or Atom (the newest 100); or the whole"),
    "feeds": ("looking adding retrying", "The feeds that are followed, and how each is."),
    "hear": ("notebook", "Brings what people said into verdicts and stories, where no service runs that would."),
    "import": ("carrying", "Feeds from FILE.opml, articles from FILE.jsonl, or a whole archive that `newsbeat export"),
    "once": ("running", "One pass: poll every feed that is due, keep what they say, plan the next polls."),
    "prune": ("pruning", "Lets go of old articles: by the rules of [keep] in newsbeat.toml, or by the options given"),
    "restore": ("keeping", "Puts the backup FILE in the place of the database, which is kept beside."),
    "retag": ("judging", "Judges every stored article anew on the topics named, or on all."),
    "run": ("running", "The service: poll feeds as they fall due, until told to stop (Ctrl-C, SIGTERM)."),
    "serve": ("running", "The site: Datasette on the database, with settings that are safe to publish."),
    "status": ("looking", "How things stand, in numbers."),
    "story": ("grouping", "Stories: what is in one, and a person's word on what belongs together."),
    "topic": ("topics judging teaching", "Topics: written from a seed, tried on articles, explained."),
    "up": ("running", "The service and the site under one roof, stopped by one Ctrl-C."),
    "verify": ("keeping", "Is the database whole, and does everything in it agree?"),
}
"""Each command, the modules here that make it, and the beginning of what it says of itself. A command is imported when
it is asked for: all of them together take most of a second, and so would a page of help."""


class Told(click.Group):
    """Turns expected trouble into words and an exit code; anything else is a bug and keeps its traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:
        # The commands register themselves on `main`.
        for module in COMMANDS[cmd_name][0].split() if cmd_name in COMMANDS else ():
            importlib.import_module(f"pipeline.cli.{module}")
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        room = formatter.width - 6 - max(map(len, COMMANDS))
        said = [(name, click.Command(name, help=help).get_short_help_str(room)) for name, (_, help) in COMMANDS.items()]
        with formatter.section("Commands"):
            formatter.write_dl(said)

    def main(self, args: Sequence[str] | None = None, **extra: object) -> object:  # type: ignore[override]
        try:
            return super().main(args, **extra)  # type: ignore[call-overload]
        except ConfigErrors as error:
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
