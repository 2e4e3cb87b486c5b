"""Articles from a file of JSON lines into the archive, by the steps every polled entry takes. May stop anywhere and be
run again: what is there already stays untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pipeline import ingest, urls
from pipeline.errors import ParseError
from pipeline.ingest import Arrival, Desk
from pipeline.model import FeedState, Outlet
from pipeline.parse import jsonl

BATCH = 100
"""Articles kept in one transaction."""

MAX_TOLD = 200
"""Bad lines that are told one by one; of more there is only the number."""


@dataclass(slots=True)
class Report:
    """What came of a file so far. `twice` are lines that name an article of a line before; `bad` are (line, why)."""

    lines: int = 0
    new: int = 0
    revised: int = 0
    known: int = 0
    twice: int = 0
    bad_lines: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, line: int, why: str) -> None:
        self.bad_lines += 1
        if len(self.bad) < MAX_TOLD:
            self.bad.append((line, why))


def articles(
    lines: Iterable[tuple[int, bytes]], name: str, desk: Desk, now: datetime, told: Callable[[Report], None]
) -> Report:
    """Keeps every article of the lines (their number, their bytes) and returns what came of them.

    `name` is the file's: its articles hang on a feed `import:NAME`, which is never polled. An article is first seen
    when it was published, so that an archive keeps its order in time; without a date, now. `told` hears the report as
    it grows. Raises StoreError: what was kept before stays.
    """
    with desk.store.transaction():
        feed_id = desk.store.archive.feed_id(f"import:{name}", name, now)
    state = desk.store.feeds.state(feed_id)
    report = Report()
    for batch in _batches(_arrivals(lines, state, desk, now, report)):
        came = ingest.import_entries(state, desk, [arrival for _, arrival in batch], now)
        report.new += came.new
        report.revised += came.revised
        report.known += came.known
        numbers = {arrival.entry.guid: number for number, arrival in batch}
        for entry, url in came.clashes:
            why = f"the id {entry.guid!r} was {url} in an earlier {name}. Rename this file, or give other ids"
            report.refuse(numbers[entry.guid], why)
        told(report)
    report.bad.sort()
    return report


def _arrivals(
    lines: Iterable[tuple[int, bytes]], state: FeedState, desk: Desk, now: datetime, report: Report
) -> Iterator[tuple[int, Arrival]]:
    """Each line that can be read, with its number; the others, and those that repeat a name, are reported."""
    seen: set[int] = set()
    for number, raw in lines:
        if not raw.strip():
            continue
        report.lines += 1
        try:
            line = jsonl.read(raw, state.feed_url)
        except ParseError as error:
            report.refuse(number, error.why)
            continue
        # Hashes rather than texts: a file may have a million lines.
        names = {hash(name) for name in (line.entry.guid, line.entry.url) if name}
        if names & seen:
            report.twice += 1
            continue
        seen |= names
        seen_at = line.seen_at if line.seen_at and line.seen_at <= now else now
        yield number, Arrival(line.entry, _outlet(line, state, desk), seen_at)


def _batches(arrivals: Iterator[tuple[int, Arrival]]) -> Iterator[list[tuple[int, Arrival]]]:
    batch: list[tuple[int, Arrival]] = []
    for arrival in arrivals:
        batch.append(arrival)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _outlet(line: jsonl.Line, state: FeedState, desk: Desk) -> Outlet:
    """Who published it: as the line says, else by the address, else the file stands for its outlet."""
    url = line.entry.url or ""
    if line.outlet:
        return desk.outlets.named(line.outlet, url)
    host = urls.host_of(url).removeprefix("www.")
    return desk.outlets.of_url(url) or desk.outlets.named(host or state.title or state.feed_url, url)
