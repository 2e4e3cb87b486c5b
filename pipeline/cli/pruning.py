"""The command that lets go of what is old: prune."""

from __future__ import annotations

import difflib
import json
import sys
from dataclasses import asdict, replace
from datetime import timedelta

import click

from pipeline import config, prune, service
from pipeline.cli.carrying import Progress
from pipeline.cli.looking import as_json, duration
from pipeline.cli.main import Place, main
from pipeline.errors import UsageError
from pipeline.retention import LEAST, Rules
from pipeline.store import Store


@main.command("prune")
@click.option(
    "--older-than", metavar="TIME", callback=duration, help='Articles on no topic that we got so long ago ("365d").'
)
@click.option("--outlet", "outlets", metavar="NAME", multiple=True, help="With --older-than: only of this outlet.")
@click.option("--topic", "topics", metavar="SLUG", multiple=True, help="With --older-than: those on this topic.")
@click.option("--on-topic-too", is_flag=True, help="With --older-than: whether on a topic or not.")
@click.option("--labelled-too", is_flag=True, help="Also those that people labelled.")
@click.option("--polls-older-than", metavar="TIME", callback=duration, help="Rows of the table polls.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--vacuum", is_flag=True, help="Give the room back to the disk; not while a service runs.")
@as_json
@click.pass_obj
def prune_command(
    place: Place, older_than: timedelta | None, outlets: tuple[str, ...], topics: tuple[str, ...], on_topic_too: bool,
    labelled_too: bool, polls_older_than: timedelta | None, dry_run: bool, yes: bool, vacuum: bool, as_json: bool,
) -> None:  # fmt: skip
    """Lets go of old articles: by the rules of [keep] in newsbeat.toml, or by the options given instead.

    What is on a topic stays, and what a person said anything of, unless told otherwise. A story goes whole or stays
    whole. Age counts from when Newsbeat got an article. What went does not come back when a feed still lists it;
    `newsbeat import` brings it back on purpose. Works beside a running service, which does the same once a day by
    [keep]. `newsbeat backup` first, if you are not sure.
    """
    rules = _rules(place, older_than, outlets, topics, on_topic_too, labelled_too, polls_older_than)
    progress = Progress()
    now = service.clock()

    def told(report: prune.Report) -> None:
        progress(f"{report.looked} old stories looked at, {report.articles} articles")

    with Store.beside(place.db) as store:
        _known(store, outlets, topics, place)
        report = prune.everything(store, rules, now, told, dry=True)
        if not dry_run and (report.articles or report.polls):
            if not yes and sys.stdin.isatty():
                _said(report, "would go")
                click.confirm("Let go of them?", abort=True, err=True)
            report = prune.everything(store, rules, now, told)
    if vacuum and not dry_run:
        with Store.open(place.db, what="newsbeat prune --vacuum") as store:
            progress("the room is given back")
            store.connection.execute("VACUUM")
    if as_json:
        click.echo(json.dumps({**asdict(report), "dry_run": dry_run}, ensure_ascii=False))
    else:
        _said(report, "would go" if dry_run else "gone")


def _rules(
    place: Place, older_than: timedelta | None, outlets: tuple[str, ...], topics: tuple[str, ...], on_topic_too: bool,
    labelled_too: bool, polls: timedelta | None,
) -> Rules:  # fmt: skip
    """The rules as the options say; without any, those of the configuration."""
    if older_than is None and (outlets or topics or on_topic_too):
        raise UsageError("--outlet, --topic and --on-topic-too say of what; --older-than says how old. Add it.")
    for given in (older_than, polls):
        if given is not None and given < LEAST:
            raise UsageError(f"{LEAST.days} days is the least: stories and feeds look back so far.")
    if older_than is None and polls is None:
        keep = config.load(place.directory).keep
        if keep == Rules():
            file = place.directory / "newsbeat.toml"
            raise UsageError(f"{file} keeps everything for ever. Write [keep] there, or say --older-than.")
        return replace(keep, labelled=keep.least) if labelled_too else keep
    everywhere = older_than if not outlets and not topics else None
    return Rules(
        articles=everywhere,
        on_topic=older_than if on_topic_too else None,
        outlets=dict.fromkeys(outlets, older_than) if older_than else {},
        topics=dict.fromkeys(topics, older_than) if older_than else {},
        labelled=older_than if labelled_too else None,
        polls=polls,
    )


def _known(store: Store, outlets: tuple[str, ...], topics: tuple[str, ...], place: Place) -> None:
    """A name that nothing bears lets go of nothing; better said."""
    there = {row[0] for row in store.connection.execute("SELECT name FROM outlets")}
    for name in outlets:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1)
            raise UsageError(f"no outlet {name!r} in {place.db}." + (f' Did you mean "{near[0]}"?' if near else ""))
    for slug in topics:
        if slug not in store.archive.topics():
            listed = ", ".join(store.archive.topics()) or "none yet"
            raise UsageError(f"no topic {slug!r} in {place.db}. There is {listed}.")


def _said(report: prune.Report, how: str) -> None:
    for heading, counts in (("outlet", report.outlets), ("topic", report.topics)):
        for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:20]:
            click.echo(f"  {count:>7}  {name} ({heading})")
    stay = report.looked - report.stories
    kept = (
        f" {stay} old stories stay: something in them is on a topic, younger, or somebody spoke of it." if stay else ""
    )
    polls = f", {report.polls} polls" if report.polls else ""
    click.echo(f"{report.articles} articles of {report.stories} stories{polls} {how}.{kept}")
