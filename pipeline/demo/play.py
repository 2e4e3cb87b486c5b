"""Playing the ten days: a configuration under db/demo/, the server, the real service on a fast clock, a summary."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import time
from datetime import timedelta
from importlib import resources
from pathlib import Path

import click

from pipeline import service
from pipeline.demo.clock import FastClock
from pipeline.demo.findings import TOPIC, Findings, findings
from pipeline.demo.newsroom import END, START, Newsroom, load, script
from pipeline.demo.server import NewsroomServer
from pipeline.errors import ConfigError

ROOT = Path(__file__).parents[2]
"""Where the distribution's config/ lies."""

BUSY_SHARE = 0.35
"""Share of the demo's time that polls take, in which the clock stands still; measured on two shared cores."""

MAX_SECONDS = 600.0


async def play(place: Path, *, seconds: float, as_json: bool) -> bool:
    """Plays the ten days into `place`, made anew, and prints what was found. True when it is what the script says."""
    newsroom = load()
    site = _site_texts()
    shutil.rmtree(place, ignore_errors=True)
    began = time.monotonic()
    found = await _ten_days(newsroom, place, site, seconds, quiet=as_json)
    took = time.monotonic() - began
    if as_json:
        click.echo(json.dumps({**found.numbers, "seconds": round(took, 1)}))
    else:
        _tell(newsroom, found, place, took)
    return found.good


async def _ten_days(newsroom: Newsroom, place: Path, site: str, seconds: float, *, quiet: bool) -> Findings:
    polling: list[service.Service] = []
    rate = (END - START).total_seconds() / (seconds * (1 - BUSY_SHARE))
    clock = FastClock(START, END, rate, lambda: bool(polling and polling[0].in_flight))
    with NewsroomServer(newsroom, clock.peek) as server:
        _configure(newsroom, server, site, place / "config")
        draw = random.Random(7).random  # noqa: S311  jitter, the same in every run
        async with service.opened(
            place / "config", place / "news.db", what="newsbeat demo", now=clock.now, draw=draw
        ) as running:
            polling.append(running)
            stop = asyncio.Event()
            service_task = asyncio.create_task(running.run(stop))
            await _watch(running, clock, quiet=quiet, give_up=time.monotonic() + max(seconds * 5, MAX_SECONDS))
            stop.set()
            await service_task
            await running.once()
            keys = {url.split("/")[3]: url for url, _ in server.feeds()}
            states = {line.url: line.state for line in running.store.feeds.lines()}
            return findings(
                running.store,
                script(newsroom),
                states={key: states[url] for key, url in keys.items()},
                server={"requests": sum(server.log.values()), "conditional": server.conditional},
            )


async def _watch(running: service.Service, clock: FastClock, *, quiet: bool, give_up: float) -> None:
    """A progress display until the ten days are over."""
    tty = sys.stderr.isatty()
    shown = 0
    while clock.peek() < END:
        if time.monotonic() > give_up:
            raise TimeoutError("the ten days do not come to an end; is something else keeping this machine busy?")
        moment = clock.peek()
        day = (moment - START) // timedelta(days=1) + 1
        if not quiet and (tty or day != shown):
            totals = running.store.numbers.totals(moment)
            part = (moment - START) / (END - START)
            text = (
                f"{moment:%a %d %b %H:%M}  {totals.articles:4d} articles  {totals.copies} copies  {totals.edits} edits"
                f"  {sum(line.on_topic for line in totals.topics)} on topic"
            )
            if tty:
                click.echo(f"\r[{'#' * round(part * 30):<30}] {text} ", nl=False, err=True)
            else:
                click.echo(f"day {day:2d}  {text}", err=True)
            shown = day
        await asyncio.sleep(0.1)
    if tty and not quiet:
        click.echo("", err=True)


def _site_texts() -> str:
    """config/datasette.yaml of the distribution, or of where we stand (a container). ConfigError when there is none."""
    for root in (ROOT, Path.cwd()):
        path = root / "config" / "datasette.yaml"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise ConfigError("config/datasette.yaml", "", "the file is missing.", "The demo's site needs it; restore it.")


def _configure(newsroom: Newsroom, server: NewsroomServer, site: str, directory: Path) -> None:
    """Writes the demo's own configuration, as a person would find it."""
    (directory / "topics").mkdir(parents=True)
    (directory / "newsbeat.toml").write_text(
        "# The demo's own: the newsroom is on this machine, so pacing is off and loopback is allowed.\n"
        '[site]\ntitle = "Newsbeat demo"\n\n[fetch]\ncontact = "https://newsbeat.example/demo"\nevery = "60m"\n'
        "# Every edit of the script is to be seen, so no feed learns to be asked more rarely.\n"
        'every_least = "60m"\nevery_most = "60m"\n'
        'per_host_gap = 0\nin_flight = 1\nhost_wide_429 = false\nallow_addresses = ["127.0.0.1/32"]\n'
        'tick = "0.04s"\n',
        encoding="utf-8",
    )
    (directory / "feeds.toml").write_text(
        "\n".join(f"[[feed]]\nurl = {json.dumps(url)}\noutlet = {json.dumps(name)}\n" for url, name in server.feeds()),
        encoding="utf-8",
    )
    (directory / "outlets.toml").write_text(
        "\n".join(
            f"[[outlet]]\nname = {json.dumps(outlet.name)}\ndomains = [{json.dumps(outlet.domain)}]\n"
            f"family = {json.dumps(outlet.family)}\n"
            for outlet in newsroom.outlets
        ),
        encoding="utf-8",
    )
    # The demo brings its own copy of the topic: config/ is yours, and may say something else by now.
    topic = resources.files("pipeline.demo").joinpath(f"{TOPIC}.toml").read_text(encoding="utf-8")
    (directory / "topics" / f"{TOPIC}.toml").write_text(topic, encoding="utf-8")
    (directory / "datasette.yaml").write_text(site, encoding="utf-8")


def _tell(newsroom: Newsroom, found: Findings, place: Path, took: float) -> None:
    numbers = found.numbers
    click.echo(
        f"\nTen days of {numbers['outlets']} outlets in {numbers['families']} families, {took:.0f} seconds:"
        f" {numbers['polls']} polls, {numbers['not_modified']} of them answered with nothing new,"
        f" {numbers['failed']} failed. The server counted {numbers['requests']} requests, {numbers['conditional']} of"
        " them conditional.\n"
    )
    click.echo(f"  {'':<46}{'the script says':>18}  {'found':>12}")
    for line in found.lines:
        mark = click.style("ok", fg="green") if line.good else click.style("NOT SO", fg="red")
        click.echo(f"  {line.name:<46}{line.said:>18}  {line.found:>12}  {mark}")
    if found.deadline:
        number, title, articles, outlets, families = found.deadline
        click.echo(
            f'\nThe story the seed was about: "{title}"\n{articles} articles at {outlets} outlets, but only {families}'
            " independent versions: five outlets ran one wire text, and two belong to one family."
        )
        click.echo(
            f"On the site it is /story/{number}. Try to find out there: who had it first? Who only ran the wire?"
            " Which headline was changed? And on /feeds: which feed needs care?"
        )
    click.echo(f"\nEverything lies in {place}/: config/, news.db, feedback.db.")
    if not found.good:
        click.echo("Some numbers are not what the newsroom's script says.", err=True)
