"""The command that asks feeds before their time: feeds retry. Writes due times; who polls is the service."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from pipeline import schedule, service, urls
from pipeline.cli.looking import as_json, feeds
from pipeline.cli.main import Place
from pipeline.errors import UsageError
from pipeline.memory import GONE_AFTER
from pipeline.store import Store
from pipeline.store.feeds import Followed
from pipeline.times import spoken, stamp

SECOND = timedelta(seconds=1)
SHOWN = 20
"""Feeds that are told one by one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of the wish to ask one feed now; `at` is `None` where it stays unasked."""

    url: str
    at: datetime | None
    why: str


@feeds.command("retry")
@click.argument("names", metavar="[FEED]...", nargs=-1)
@click.option("--failing", is_flag=True, help="Every feed whose last poll failed, as after a loss of the network.")
@click.option("--all", "everything", is_flag=True, help="Every feed that is asked at all.")
@as_json
@click.pass_obj
def retry(place: Place, names: tuple[str, ...], failing: bool, everything: bool, as_json: bool) -> None:
    """Asks feeds now rather than when they are due.

    FEED is an address, the number of a feed, the name of an outlet or a host. A running service takes it up within
    seconds; where none runs, `newsbeat once` does it. It is a poll like any other: validators are sent, the pause
    between two requests to a host is kept, and who asked to be left alone (Retry-After, 429) is until then.

    A feed that is gone, or that was merged with another, is asked again only if its address or number is given.
    """
    if bool(names) + failing + everything != 1:
        raise UsageError("feeds retry: give a FEED, or --failing, or --all.")
    now = service.clock()
    with Store.beside(place.db) as store, store.transaction():
        known = store.feeds.followed()
        chosen: dict[int, bool] = {}
        for name in names:
            chosen.update(_named(name, known))
        if failing:
            chosen = {feed.id: False for feed in known if feed.state == "failing"}
        if everything:
            chosen = {feed.id: False for feed in known}
        asked = [_ask(store, feed, chosen[feed.id], now) for feed in known if feed.id in chosen]
        if not names:  # who is not asked at all was not meant
            asked = [one for one in asked if one.at]
    if as_json:
        shown = [{"url": one.url, "next_poll_at": stamp(one.at) if one.at else None, "why": one.why} for one in asked]
        click.echo(json.dumps({"asked": sum(one.at is not None for one in asked), "feeds": shown}))
    else:
        _told(asked, now)
    if names and not any(one.at for one in asked):
        raise SystemExit(1)


def _named(name: str, known: Sequence[Followed]) -> dict[int, bool]:
    """The feeds that a name means, and whether it means the one feed alone. Raises UsageError when there is none."""
    exact = {feed.id: True for feed in known if name in (str(feed.id), feed.url, feed.current_url)}
    if exact:
        return exact
    folded = name.casefold()
    found = {
        feed.id: False
        for feed in known
        if folded in ((feed.outlet or "").casefold(), urls.host_of(feed.url), urls.host_of(feed.current_url))
    }
    if not found:
        raise UsageError(
            f"{name}: no feed has this address, number, outlet or host. `newsbeat feeds list` shows them all."
        )
    return found


def _ask(store: Store, feed: Followed, explicit: bool, now: datetime) -> Asked:
    asleep = feed.state in ("gone", "paused")
    if feed.state == "paused" and not feed.merged:
        return Asked(feed.url, None, "is not in feeds.toml any more; put it there to have it asked again")
    if asleep and not explicit:
        what = "is gone (410)" if feed.state == "gone" else "was merged with the feed it moved to"
        return Asked(feed.url, None, f"{what}; name its address to have it asked all the same")
    if asleep:
        store.feeds.revive(feed.id, GONE_AFTER - 1 if feed.state == "gone" else 0)
    plan = schedule.asked_for(feed.last_polled_at, feed.not_before, now)
    at, why = plan.at, plan.why
    held = store.feeds.held(urls.host_of(feed.current_url), now)
    if held and held[0] > at:
        at, why = held[0], f"its host asked everybody to wait another {spoken(held[0] - now)} ({held[1]})"
    store.feeds.ask_for(feed.id, at, now)
    return Asked(feed.url, at, why)


def _told(asked: Sequence[Asked], now: datetime) -> None:
    for one in asked[:SHOWN]:
        when = "not asked" if one.at is None else "now" if one.at - now < SECOND else f"in {spoken(one.at - now)}"
        click.echo(f"{when:<14}{one.url}  {one.why}")
    if len(asked) > SHOWN:
        click.echo(f"... and {len(asked) - SHOWN} more.")
    due = sum(one.at is not None for one in asked)
    if not due:
        click.echo("No feed is asked before its time.")
        return
    click.echo(
        f"{due} {'feed' if due == 1 else 'feeds'} asked for. A running service begins within seconds; without one,"
        " `newsbeat once` does it."
    )
