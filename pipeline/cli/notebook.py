"""Keeps what editors say on the site, and lets verdicts and stories follow: here, or in the service that runs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import datetime

import click

from pipeline import config, ingest, log, regroup, retag, service, urls
from pipeline.cli.main import Place, main
from pipeline.errors import StoreHeld
from pipeline.store import FEEDBACK, Feedback, Store
from pipeline.store.corrections import Corrections, Named

HEAR = "newsbeat hear"
PATIENCE = 20.0
"""Seconds the site waits for verdicts and stories to follow; what was said is kept in any case."""

Nudge = Callable[[], Awaitable[bool]]


class Kept:
    """The site's `Notebook`. Writes feedback.db and nothing else.

    `nudge` tells a service of this very process; without one another process (`newsbeat hear`) lets the tables follow,
    so that the one that talks to the world never holds news.db for writing.
    """

    def __init__(
        self,
        place: Place,
        nudge: Nudge | None = None,
        now: Callable[[], datetime] = service.clock,
        patience: float = PATIENCE,
    ) -> None:
        self._place, self._nudge, self._now, self._patience = place, nudge, now, patience
        self._file = place.db.with_name(FEEDBACK)
        self._alone = asyncio.Lock()

    def label(self, article: Named, topic: str, on_topic: bool | None, actor: str) -> None:
        with closing(Feedback.open(self._file)) as feedback:
            if on_topic is None:
                feedback.withdraw(*article, topic, self._now())
            else:
                feedback.say(*article, topic, on_topic, actor, self._now())

    def merge(self, articles: Sequence[Named], actor: str) -> None:
        with closing(Feedback.open(self._file)) as feedback:
            Corrections(feedback).merge(articles, actor, self._now())

    def split(self, articles: Sequence[Named], rest: Sequence[Named], actor: str) -> None:
        with closing(Feedback.open(self._file)) as feedback:
            Corrections(feedback).split(articles, rest, actor, self._now())

    async def followed(self) -> bool:
        if self._nudge:
            return await self._nudge()
        async with self._alone:
            try:
                child = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "pipeline.cli",
                    "--config", str(self._place.directory), "--db", str(self._place.db), "hear", "--quiet",
                    stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
                )  # fmt: skip
            except OSError as error:
                log.event("what was said is kept, but not taken up", why=error)
                return False
            try:
                return await asyncio.wait_for(child.wait(), self._patience) == 0
            except TimeoutError:
                child.kill()
                await child.wait()
                return False


@main.command()
@click.option("--quiet", is_flag=True, help="Say nothing; exit 1 when a service runs, which does it by itself.")
@click.pass_obj
def hear(place: Place, quiet: bool) -> None:
    """Brings what people said into verdicts and stories, where no service runs that would.

    Labels and corrections lie in feedback.db, from the site or from `topic label` and `story merge`. Cheap when all of
    it is taken up already.
    """
    log.to_stderr()
    setup = config.load(place.directory)
    Store.read(place.db).close()  # says so when there is none, instead of making an empty one
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with Store.open(place.db, what=HEAR) as store:
                desk = ingest.Desk(store, urls.OutletBook(), {}, (), service.pace_of(setup.fetch))
                service.apply(setup, desk, service.clock())
                heard, moved = retag.hear(desk), regroup.hear(store)
            break
        except StoreHeld as held:
            # Another of its kind, for another process of the site, may have looked before this word was said.
            if HEAR in str(held) and time.monotonic() < end:
                time.sleep(0.2)
                continue
            if quiet:
                raise SystemExit(1) from None
            click.echo(f"{str(held).split('. ')[0]}, and takes it up by itself.", err=True)
            return
    if not quiet:
        click.echo(f"{heard} articles judged anew for labels, {moved} moved to another story.")
