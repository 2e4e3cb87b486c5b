"""Looking for the feeds of a site: `discover` says where, this asks, and says what each feed would bring."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from pipeline import discover, extract, fetch, parse, service, text, topics
from pipeline.config import FetchSettings
from pipeline.errors import FetchError, ParseError, WorkerLost
from pipeline.model import Entry, NotModified, ParsedFeed, Response
from pipeline.parse import sniff
from pipeline.workers import Workers

HEADLINES = 3
"""Headlines shown of each feed, the newest."""

LONGEST = 160
"""Characters of a title that are shown."""

BUSY = (429, 503)
"""A server that answers so wants to be left alone."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a topic would say of a feed's entries: how many are on it, and the one that is nearest."""

    topic: str
    title: str
    on_topic: int
    score: float
    best: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A feed as it is shown before it is added. `url` is where it moved to for good, if it did."""

    url: str
    title: str | None
    format: str
    entries: int
    newest_at: datetime | None
    headlines: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


class Allowance(fetch.Pacer):
    """Lets only so many requests start, redirects included, and spaces them like any others. `asked` counts them."""

    asked = 0

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[Callable[[], None]]:
        if self.asked >= discover.MAX_REQUESTS:
            raise FetchError(host, f"{discover.MAX_REQUESTS} requests were made", kind="allowance")
        self.asked += 1
        async with super().turn(host) as sent:
            yield sent


class Seeker:
    """One discovery. `told` hears each address before it is asked."""

    def __init__(
        self, settings: FetchSettings, profiles: Sequence[topics.Compiled], told: Callable[[str], None]
    ) -> None:
        self.pacer = Allowance(gap=settings.per_host_gap.total_seconds(), per_host=1, in_flight=1, clock=time.monotonic)
        self._profiles, self._told = profiles, told
        self._web = service.make_web(settings, service.clock, self.pacer)
        self._workers = Workers(1, deadline=settings.parse_deadline.total_seconds(), memory_mb=settings.parse_memory_mb)

    async def close(self) -> None:
        """Ends the worker and the connections."""
        self._workers.close()
        await self._web.close()

    async def seek(self, url: str) -> tuple[Found, ...]:
        """The feeds at an address or of its site; none when there are none within MAX_REQUESTS.

        Raises FetchError when the site cannot be asked, or asks to be left alone (429, 503).
        """
        page_url = url
        links: tuple[str, ...] = ()
        try:
            answer = await self._get(url)
            page_url = answer.url
            return (await self._read(answer),)
        except ParseError as error:
            links = error.candidates
        except WorkerLost as error:
            raise ParseError(url, str(error)) from None
        except FetchError as error:
            if error.kind != "status" or error.status in BUSY:
                raise
        announced = [found async for found in self._feeds(discover.candidates(page_url, links))]
        return tuple(announced) or await self._guess(page_url, links)

    async def _guess(self, page_url: str, links: Iterable[str]) -> tuple[Found, ...]:
        async for found in self._feeds(discover.guesses(page_url, links)):
            return (found,)
        robots = await self._quietly(discover.robots(page_url))
        async for found in self._feeds(discover.sitemaps(page_url, robots.body if robots else None)):
            return (found,)
        return ()

    async def _feeds(self, addresses: Iterable[str]) -> AsyncIterator[Found]:
        """Those of the addresses that are feeds and hold something, each place once."""
        seen: set[str] = set()
        for address in addresses:
            answer = await self._quietly(address)
            if answer is None or discover.same(answer.url) in seen:
                continue
            seen.add(discover.same(answer.url))
            try:
                found = await self._read(answer)
            except (ParseError, WorkerLost):
                continue
            if found.entries:
                yield found

    async def _quietly(self, url: str) -> Response | None:
        """The answer, or `None` where there is none. A site that asks to be left alone is."""
        try:
            return await self._get(url)
        except FetchError as error:
            if error.status in BUSY:
                raise
            return None

    async def _get(self, url: str) -> Response:
        if self.pacer.asked < discover.MAX_REQUESTS:
            self._told(url)
        answer = await self._web.get(url)
        if isinstance(answer, NotModified):
            raise FetchError(url, "the server answered 304 to a first request", kind="protocol")
        return answer

    async def _read(self, answer: Response) -> Found:
        parsed = await self._workers.run(parse.feed, answer)
        return shown(answer, parsed, self._profiles)


def shown(answer: Response, parsed: ParsedFeed, profiles: Sequence[topics.Compiled]) -> Found:
    """What a person wants to know of a feed before following it."""
    dated = sorted(parsed.entries, key=_age)
    headlines = [text.clip(title, LONGEST) for entry in dated if (title := extract.title(entry.title))]
    moments = [entry.published_at for entry in parsed.entries if entry.published_at]
    return Found(
        url=answer.permanent_url or answer.asked_url,
        title=text.clip(extract.title(parsed.title) or "", LONGEST) or None,
        format=discover.kind(sniff.utf8(answer.body)[0]),
        entries=len(parsed.entries),
        newest_at=max(moments, default=None),
        headlines=tuple(headlines[:HEADLINES]),
        verdicts=_verdicts(parsed.entries, profiles, answer.fetched_at),
    )


def _age(entry: Entry) -> float:
    """Newest first; those without a date after all others, in their order."""
    return -entry.published_at.timestamp() if entry.published_at else 1.0


def _verdicts(entries: Sequence[Entry], profiles: Sequence[topics.Compiled], now: datetime) -> tuple[Verdict, ...]:
    articles = [extract.article(entry, "", now) for entry in entries]
    made = []
    for profile in profiles:
        best, on_topic, title = 0.0, 0, None
        for article in articles:
            for match in topics.match(article, (profile,)):
                on_topic += match.on_topic
                if match.score > best:
                    best, title = match.score, text.clip(article.title or article.url, LONGEST)
        made.append(Verdict(profile.profile.slug, profile.profile.title, on_topic, best, title))
    return tuple(made)
