"""Commands that look: check, status, feeds list."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta

import click

from pipeline import care, checkup, config, doctor, service
from pipeline.cli.main import Place, main
from pipeline.errors import ConfigError, StoreError
from pipeline.store import Store
from pipeline.store.facts import facts, holder
from pipeline.store.numbers import TopicLine
from pipeline.times import maybe_stamp, spoken

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")


@main.command()
@as_json
@click.pass_obj
def check(place: Place, as_json: bool) -> None:
    """Everything that is wrong in the configuration, at once: file, key, finding, cure.

    What is allowed and yet worth a look is named too (an outlet that is spelled almost like another, a feed whose
    certificate is not checked), and is no failure.

    Topics are also looked over as a doctor would: terms that never hit or hit everything, that stand twice, a threshold
    nothing reaches, rules that keep everything out. Where there is a database, they are tried on its latest articles,
    for a few seconds. Exit 2 only for what cannot work.

    --json prints {"ok", "feeds", "outlets", "topics", "findings"}; a finding has "file", "key", "why", "cure" and
    "grave", which says whether the program cannot work with it.
    """
    setup, found = None, []
    try:
        setup = config.load(place.directory)
    except config.ConfigErrors as error:
        if not as_json:
            raise
        found = [(one, True) for one in error.findings]
    else:
        found = [*_of_topics(place, setup), *((one, False) for one in _doubts(setup, place))]
    grave = any(is_grave for _, is_grave in found)
    numbers = {key: len(getattr(setup, key)) if setup else None for key in ("feeds", "outlets", "topics")}
    if as_json:
        findings = [
            {"file": one.file, "key": one.key, "why": one.why, "cure": one.hint, "grave": is_grave}
            for one, is_grave in found
        ]
        click.echo(json.dumps({"ok": not grave, **numbers, "findings": findings}, ensure_ascii=False))
    elif setup:
        for one, is_grave in found:
            click.echo(f"{'newsbeat' if is_grave else 'worth a look'}: {one}", err=True)
        held = ", ".join(f"{number} {key if number != 1 else key[:-1]}" for key, number in numbers.items())
        click.echo(f"{place.directory}: {held};{_in_order(setup, grave)}")
    if grave:
        raise SystemExit(2)


def _of_topics(place: Place, setup: config.Setup) -> Iterator[tuple[ConfigError, bool]]:
    """What is wrong with the topics, and whether one of them cannot work for it."""
    with contextlib.ExitStack() as opened:
        store = None
        if place.db.is_file() and place.db.stat().st_size:
            try:
                store = opened.enter_context(Store.read(place.db))
            except StoreError as error:
                click.echo(f"newsbeat: {error} The topics were not tried on it.", err=True)
        for profile, finding in checkup.of_topics(setup.topics, store, service.clock()):
            where = place.directory / "topics" / f"{profile.slug}.toml"
            yield ConfigError(str(where), finding.key, finding.why, finding.cure), finding.grave


def _doubts(setup: config.Setup, place: Place) -> Iterator[ConfigError]:
    """What is allowed and yet worth a look; and the one thing `run` wants."""
    yield from config.doubts(setup, place.directory)
    if not setup.fetch.contact:
        why = "is empty. `newsbeat run` needs to know how servers can reach you."
        yield ConfigError(str(place.directory / "newsbeat.toml"), "fetch.contact", why, "A web page or a mail address.")


def _in_order(setup: config.Setup, grave: bool) -> str:
    if grave:
        return " not everything is in order."
    return " everything is in order." if setup.fetch.contact else " one thing is to be done before `newsbeat run`:"


def duration(_context: click.Context, _option: click.Parameter, value: str | None) -> timedelta | None:
    """A time as in the configuration, given as an option."""
    try:
        return config.parse_duration(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@main.command()
@click.option(
    "--polled-within", metavar="TIME", callback=duration,
    help='Exit 1 unless a feed was asked within this time ("2h"): a health check.',
)  # fmt: skip
@as_json
@click.pass_obj
def status(place: Place, polled_within: timedelta | None, as_json: bool) -> None:
    """How things stand, in numbers. `newsbeat doctor` says what to do about it."""
    now = service.clock()
    with Store.read(place.db) as store:
        totals = store.numbers.totals(now)
        notices = store.notices.all()
        running, free = holder(place.db), doctor.free(place.db)
        # A health check asks every minute; what looks back over weeks is left out of it.
        found = () if polled_within else care.findings(facts(store, now, free), now)
    levels = Counter(str(one.level) for one in found)
    quiet = sum(one.kind == "quiet" for one in found)
    if polled_within and (totals.last_polled_at is None or now - totals.last_polled_at > polled_within):
        last = (
            f"the last poll was {spoken(now - totals.last_polled_at)} ago" if totals.last_polled_at else "no poll yet"
        )
        raise StoreError(f"{place.db}: {last}; is `newsbeat run` running?")
    if as_json:
        values = asdict(totals)
        for key in ("last_ok_at", "last_polled_at", "next_poll_at"):
            values[key] = maybe_stamp(values[key])
        values["notices"] = [asdict(notice) for notice in notices]
        values |= {"service": running, "disk_free": free, "broken": levels["broken"], "care": levels["care"]}
        values |= {"quiet": quiet}
        values["on_topic"] = {line.slug: line.on_topic for line in totals.topics}
        click.echo(json.dumps(values))
        return
    click.echo(f"Service   {running or 'not running'}")
    trouble = [f"{totals.failing} failing"] if totals.failing else []
    trouble += [f"{totals.gone} gone"] if totals.gone else []
    trouble += [f"{totals.paused} paused"] if totals.paused else []
    trouble += [f"{quiet} quiet against their own rhythm"] if quiet else []
    trouble += [f"{totals.late} overdue for more than an hour"] if totals.late else []
    click.echo(f"Feeds     {totals.feeds}" + (f"  ({', '.join(trouble)})" if trouble else ""))
    click.echo(f"Polls     {totals.polls_24h} in 24 hours, {totals.failed_24h} failed; {_ago(totals.last_ok_at, now)}")
    click.echo(
        f"Articles  {totals.articles}, {totals.articles_24h} of them in 24 hours; {totals.copies} wire copies,"
        f" {totals.edits} edits"
    )
    click.echo(f"Stories   {totals.stories}, {totals.shared_stories} of them told by several newsrooms")
    for line in totals.topics:
        click.echo(f"Topic     {line.title}: {line.on_topic} articles" + _notes(line))
    room = f", {free / 1e9:.1f} GB free" if free is not None else ""
    click.echo(f"Database  {totals.bytes / 1e6:.1f} MB in {place.db}{room}")
    for notice in notices:
        click.echo(click.style(f"{notice.about.capitalize()}, since {notice.since}: ", fg="red") + notice.said)
    if any(notice.about == "configuration" for notice in notices):
        click.echo("The service goes on with the last good configuration; `newsbeat check` says what to mend.")
    if levels["broken"] or levels["care"]:
        click.echo(f"{levels['broken']} broken, {levels['care']} to be cared for: `newsbeat doctor` names each.")


@main.group()
def feeds() -> None:
    """The feeds that are followed, and how each is."""


@feeds.command("list")
@as_json
@click.pass_obj
def feeds_list(place: Place, as_json: bool) -> None:
    """Every feed: its state, its next poll, why it comes then, and its trouble in words; those in trouble first."""
    now = service.clock()
    with Store.read(place.db) as store:
        lines = store.feeds.lines()
    if as_json:
        for line in lines:
            values = asdict(line)
            for key in ("last_ok_at", "last_new_at", "next_poll_at", "error_since"):
                values[key] = maybe_stamp(values[key])
            click.echo(json.dumps(values))
        return
    for line in lines:
        colour = {"ok": "green", "moved": "green", "failing": "red", "gone": "red"}.get(line.state)
        when = _in(line.next_poll_at, now) if line.state not in ("gone", "paused") else "not asked any more"
        flag = f"  [{_exception(line.certificate)}]" if line.certificate else ""
        click.echo(f"{click.style(f'{line.state:<8}', fg=colour)}{line.outlet or '?'}  {line.url}  ({when}){flag}")
        if line.last_error and line.error_since:
            click.echo(f"        {line.last_error} (trouble for {spoken(now - line.error_since)})")
        elif line.last_error and line.last_error not in (line.why or ""):
            click.echo(f"        {line.last_error}")
        if line.why and line.why != line.last_error:
            click.echo(f"        {line.why}")


def _notes(line: TopicLine) -> str:
    """What else is to be said of a topic, in brackets; mostly nothing."""
    notes = [f"{line.labelled} by a person's word"] if line.labelled else []
    notes += [f"{line.left} stored articles still to be judged by its present profile"] if line.left else []
    notes += [f"{line.stale} verdicts of an older profile"] if line.stale else []
    return f" ({'; '.join(notes)})" if notes else ""


def _exception(certificate: str) -> str:
    return "certificate not checked" if certificate == "any" else "certificate pinned"


def _ago(moment: datetime | None, now: datetime) -> str:
    return f"last success {spoken(now - moment)} ago" if moment else "no success yet"


def _in(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never asked"
    return f"next in {spoken(moment - now)}" if moment > now else f"due since {spoken(now - moment)}"
