"""The command that adds a feed: feeds add. Finds, shows, asks, writes; the finding is in `seeking`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click

from pipeline import config, discover, service, topics
from pipeline.cli.looking import as_json, feeds
from pipeline.cli.main import Place
from pipeline.cli.seeking import Found, Seeker, Verdict
from pipeline.errors import NewsbeatError, UsageError
from pipeline.times import maybe_stamp, spoken


@feeds.command("add")
@click.argument("url")
@click.option("--outlet", metavar="NAME", help="Who publishes it. [default: as outlets.toml says of its domain]")
@click.option("--every", metavar="TIME", help='How often to ask it ("30m"). [default: learned from the feed]')
@click.option("--yes", is_flag=True, help="Ask nothing: of several feeds, the first that is new.")
@as_json
@click.pass_obj
def add(place: Place, url: str, outlet: str | None, every: str | None, yes: bool, as_json: bool) -> None:
    """Finds the feeds of a site, shows what each would bring, and adds one to feeds.toml.

    URL is a site or a feed. At most 12 requests are made, as politely as any poll. A running service takes the new feed
    up by itself.
    """
    setup = config.load_to_ask(place.directory)
    asked = config.feed("feeds add", discover.address(url), outlet, every=every)
    file = place.directory / "feeds.toml"
    followed = {discover.same(feed.url): feed.url for feed in setup.feeds}
    if there := followed.get(discover.same(asked.url)):
        raise UsageError(f"{file}: {there} is there already. `newsbeat feeds list` says how it is.")
    found, requests = asyncio.run(_seek(setup, asked.url))
    new = [one for one in found if discover.same(one.url) not in followed]
    if not as_json:
        for number, one in enumerate(found, 1):
            click.echo(_card(number if len(found) > 1 else None, one, one in new))
    added: str | None = None
    trouble: NewsbeatError | None = None
    try:
        chosen = _choose(asked.url, found, new, requests, yes, file)
        config.add_feeds(place.directory, [config.Group((replace(asked, url=chosen.url),))])
        added = chosen.url
    except NewsbeatError as error:
        trouble = error
    if as_json:
        shown = [_plain(one, one in new) for one in found]
        click.echo(
            json.dumps({"asked": asked.url, "requests": requests, "found": shown, "added": added}, ensure_ascii=False)
        )
    if trouble:
        raise trouble
    if not as_json:
        click.echo(f"{file}: added {added}. A running service takes it up by itself.")


async def _seek(setup: config.Setup, url: str) -> tuple[tuple[Found, ...], int]:
    def told(address: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"asking {address}", err=True)

    seeker = Seeker(setup.fetch, [topics.compiled(profile) for profile in setup.topics], told)
    try:
        return await seeker.seek(url), seeker.pacer.asked
    finally:
        await seeker.close()


def _choose(asked: str, found: Sequence[Found], new: Sequence[Found], requests: int, yes: bool, file: Path) -> Found:
    """The feed to add: the only one found, the first new one when nothing is to be asked, else as a person says."""
    if not found:
        raise NewsbeatError(
            f"{asked}: no feed found in {requests} requests: none is announced, and none lies at the usual addresses."
            " Look for RSS or Atom on the site, and give that address."
        )
    if not new:
        raise UsageError(f"{file}: {found[0].url} is there already. `newsbeat feeds list` says how it is.")
    if yes or len(found) == 1:
        return new[0]
    if not sys.stdin.isatty():
        listed = "".join(f"\n  newsbeat feeds add {one.url}" for one in new)
        raise UsageError(
            f"{len(found)} feeds found, and nobody to ask which. Add --yes for the first new one, or name one:{listed}"
        )
    first = found.index(new[0]) + 1
    chosen = found[click.prompt("Which one?", type=click.IntRange(1, len(found)), default=first, err=True) - 1]
    if chosen not in new:
        raise UsageError(f"{file}: {chosen.url} is there already. Choose another.")
    return chosen


def _card(number: int | None, one: Found, is_new: bool) -> str:
    """A feed as a few lines."""
    mark = f"{number}. " if number else ""
    pad = " " * (len(mark) or 2)
    age = f"newest {spoken(service.clock() - one.newest_at)} ago" if one.newest_at else "no dates"
    lines = [
        f"{mark}{click.style(one.title or '(no title)', bold=True)}{'' if is_new else '  (followed already)'}",
        f"{pad}{one.url}",
        f"{pad}{one.format}, {one.entries} {'entry' if one.entries == 1 else 'entries'}, {age}",
        *(f"{pad}- {headline}" for headline in one.headlines),
        *(f"{pad}{_said(verdict, one.entries)}" for verdict in one.verdicts),
    ]
    return "\n".join(lines) + "\n"


def _said(verdict: Verdict, entries: int) -> str:
    best = f'; nearest {verdict.score:.2f}: "{verdict.best}"' if verdict.best else ""
    return f"Topic {verdict.title}: {verdict.on_topic} of {entries} on topic{best}"


def _plain(one: Found, is_new: bool) -> dict[str, object]:
    return {**asdict(one), "newest_at": maybe_stamp(one.newest_at), "followed": not is_new}
