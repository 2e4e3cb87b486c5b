"""Commands that poll and serve: once, run, serve, up, demo."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from pipeline import config, log, service
from pipeline.cli.main import Place, Site, main
from pipeline.errors import UsageError
from pipeline.model import PollOutcome
from pipeline.times import from_stamp, maybe_stamp, stamp

verbose = click.option("-v", "--verbose", is_flag=True, help="Log everything, also what went well in detail.")
host_option = click.option("--host", default="127.0.0.1", show_default=True, help="The address the site listens on.")
port_option = click.option("--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="Its port.")

processes_option = click.option(
    "--processes", default=0, type=click.IntRange(0, 16), metavar="N",
    help="How many processes answer for the site. [default: as [site] processes says, else 2, or 1 on one core]",
)  # fmt: skip

log_option = click.option(
    "--log-format", "form", type=click.Choice(["text", "json"]), envvar="NEWSBEAT_LOG_FORMAT", show_envvar=True,
    help="Log lines as text or one JSON object a line. [default: as [log] format says]",
)  # fmt: skip

texts_option = click.option(
    "--texts", is_flag=True, help="Show whole articles, not only the passages that matched: for your own desk."
)


@main.command()
@click.option("--now", "epoch", type=float, metavar="EPOCH", help="Pretend it is this moment (seconds since 1970).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@verbose
@click.pass_obj
def once(place: Place, epoch: float | None, as_json: bool, verbose: bool) -> None:
    """One pass: poll every feed that is due, keep what they say, plan the next polls.

    Prints a line a feed and a summary. Exit 0 also when single feeds failed: that is in the lines, in `newsbeat status`
    and in the table `polls`.
    """
    log.to_stderr(logging.INFO if verbose else logging.WARNING)
    moment = _moment(epoch)

    async def work() -> list[PollOutcome]:
        async with service.opened(
            place.directory, place.db, what="newsbeat once", now=(lambda: moment) if moment else service.clock,
            listens=False,
        ) as running:  # fmt: skip
            return await running.once(lambda outcome: None if as_json else _line(outcome))

    outcomes = asyncio.run(work())
    failed = sum(outcome.outcome == "failed" for outcome in outcomes)
    summary = {
        "polls": len(outcomes),
        "failed": failed,
        "not_modified": sum(outcome.outcome == "not_modified" for outcome in outcomes),
        "new": sum(outcome.new for outcome in outcomes),
        "revised": sum(outcome.revised for outcome in outcomes),
        "unchanged": sum(outcome.unchanged for outcome in outcomes),
    }
    if as_json:
        click.echo(json.dumps({**summary, "feeds": [_plain(outcome) for outcome in outcomes]}))
        return
    if not outcomes:
        click.echo("Nothing is due. `newsbeat feeds list` says when each feed is next.")
        return
    click.echo(
        f"{summary['polls']} feeds polled, {failed} failed; {summary['new']} new articles,"
        f" {summary['revised']} revised, {summary['unchanged']} unchanged."
    )


@main.command()
@verbose
@log_option
@click.pass_obj
def run(place: Place, verbose: bool, form: log.Form | None) -> None:
    """The service: poll feeds as they fall due, until told to stop (Ctrl-C, SIGTERM).

    Tells systemd when it is ready and that it is alive, where that asks for it (Type=notify, WatchdogSec).
    """
    log.to_stderr(logging.DEBUG if verbose else logging.INFO, _form(place, form))
    asyncio.run(_serve(place, polls=True, site=None))


@main.command()
@host_option
@port_option
@texts_option
@processes_option
@click.option("--door", type=int, hidden=True, help="The handle of an open socket: one process of several behind it.")
@click.option("--now", metavar="UTC", help="The moment the pages play, like 2020-12-11T00:00:00Z. [default: the clock]")
@click.pass_obj
def serve(
    place: Place, host: str, port: int, texts: bool, processes: int, door: int | None, now: str | None
) -> None:  # fmt: skip
    """The site: Datasette on the database, with settings that are safe to publish. Reads only.

    Each process takes about 100 MB and computes on one core; editors stay signed in whichever answers.
    """
    log.to_stderr()
    try:
        from_stamp(now)
    except ValueError:
        raise UsageError(f"--now {now} is no moment. Write it like 2020-12-11T00:00:00Z.") from None
    asyncio.run(_serve(place, polls=False, site=Site(host, port, texts, now, processes, door)))


@main.command()
@host_option
@port_option
@texts_option
@processes_option
@verbose
@log_option
@click.pass_obj
def up(
    place: Place, host: str, port: int, texts: bool, processes: int, verbose: bool, form: log.Form | None
) -> None:  # fmt: skip
    """The service and the site under one roof, stopped by one Ctrl-C."""
    log.to_stderr(logging.DEBUG if verbose else logging.INFO, _form(place, form))
    asyncio.run(_serve(place, polls=True, site=Site(host, port, texts, processes=processes)))


@main.command()
@click.option("--exit", "leave", is_flag=True, help="Stop after the summary instead of leaving the site up.")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as one JSON object.")
@click.option(
    "--seconds", default=60.0, show_default=True, type=click.FloatRange(1, 3600), help="How long ten days take."
)
@host_option
@port_option
def demo(leave: bool, as_json: bool, seconds: float, host: str, port: int) -> None:
    """Ten days of an invented newsroom in about a minute, through the real service.

    Everything it makes lies under db/demo/. Exit 0 only if the numbers are what the newsroom's script says.
    """
    from pipeline import demo as newsroom

    site = Site(host, port, texts=True, now=stamp(newsroom.END))
    if not leave:
        from pipeline.cli.site import listening

        # A port that is taken is better known now than after the ten days.
        listening(site).close()
    good = asyncio.run(newsroom.play(Path("db/demo"), seconds=seconds, as_json=as_json))
    if leave or not good:
        raise SystemExit(0 if good else 1)
    log.to_stderr(logging.WARNING)
    place = Place(Path("db/demo/config"), Path("db/demo/news.db"))
    click.echo(f"\nThe site is up at http://{host}:{port} until Ctrl-C.")
    asyncio.run(_serve(place, polls=False, site=site))


async def _serve(place: Place, *, polls: bool, site: Site | None) -> None:
    """Runs what is asked for until a signal comes, or until one part of it fails."""
    stop = service.stop_on_signals()
    ready = asyncio.Event()
    here: list[service.Service] = []
    jobs: list[Coroutine[None, None, None]] = []
    if polls:
        jobs.append(_poll(place, site, stop, ready, here))
    else:
        ready.set()
    if site:
        from pipeline.cli.crew import cores
        from pipeline.cli.site import publish

        settings = config.load(place.directory).site
        site = replace(site, processes=site.processes or settings.processes or min(2, cores()))

        async def nudge() -> bool:
            return here[0].hear() if here else False

        jobs.append(publish(place, site, settings.title, stop, ready, nudge if polls else None))
    results = await asyncio.gather(*(_until(job, stop) for job in jobs), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _until(job: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """When one part ends, the others are told to."""
    try:
        await job
    finally:
        stop.set()


async def _poll(
    place: Place, site: Site | None, stop: asyncio.Event, ready: asyncio.Event, here: list[service.Service]
) -> None:
    what = "newsbeat up" if site else "newsbeat run"
    async with service.opened(place.directory, place.db, what=what) as running:
        here.append(running)
        ready.set()
        log.event("service started", config=place.directory, db=place.db)
        try:
            await running.run(stop)
        finally:
            here.clear()
    log.event("service stopped")


def _form(place: Place, given: log.Form | None) -> log.Form:
    """How log lines are written: as the option says, else the configuration, which may be broken and is told later."""
    if given:
        return given
    try:
        return config.load(place.directory).log_format
    except config.ConfigErrors:
        return "text"


def _moment(epoch: float | None) -> datetime | None:
    if epoch is None:
        return None
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"--now {epoch:g} is no moment. Give seconds since 1970.") from None


def _line(outcome: PollOutcome) -> None:
    mark = {"ok": "ok", "not_modified": "same", "failed": "FAILED"}[outcome.outcome]
    colour = {"ok": "green", "not_modified": None, "failed": "red"}[outcome.outcome]
    click.echo(f"{click.style(f'{mark:<7}', fg=colour)}{outcome.feed_url}  {outcome.why}")


def _plain(outcome: PollOutcome) -> dict[str, object]:
    return {
        **asdict(outcome),
        "next_poll_at": maybe_stamp(outcome.next_poll_at),
        "started_at": stamp(outcome.started_at),
    }
