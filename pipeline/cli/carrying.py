"""Commands that carry in and out: import, export."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import click

from pipeline import archive, config, discover, export, importing, ingest, log, retag, service, urls
from pipeline.cli.looking import as_json
from pipeline.cli.main import Place, main
from pipeline.errors import NewsbeatError, ParseError, StoreError, UsageError
from pipeline.model import Feed
from pipeline.parse import jsonl, opml
from pipeline.store import Store

QUIET = 2.0
"""Seconds that pass before progress is told, and between two tellings."""

NEWEST = 100
"""Articles in an Atom export."""


class Progress:
    """Tells how far work is, once it takes longer than a person waits without asking."""

    def __init__(self) -> None:
        self._next = time.monotonic() + QUIET

    def __call__(self, words: str) -> None:
        if time.monotonic() >= self._next:
            click.echo(words, err=True)
            self._next = time.monotonic() + QUIET


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
@click.pass_obj
def import_command(place: Place, file: Path, as_json: bool) -> None:
    """Feeds from FILE.opml, articles from FILE.jsonl, or a whole archive that `newsbeat export --format archive` wrote.

    Feeds go into feeds.toml; those that are there already are passed over. Articles are JSON lines (id, title, summary,
    text, url, published_at, lang, outlet; a title, a text or a url is enough), kept as if a feed had brought them. An
    archive is taken in whole or not at all. Importing a file twice changes nothing. Exit 1 when anything in the file
    was bad: it is listed, the rest is done.
    """
    with _opened(file) as source:
        is_list = file.suffix.lower() in (".opml", ".xml") or (
            file.suffix.lower() not in (".jsonl", ".ndjson", ".json")
            and source.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        )
        if source.peek(64).startswith(archive.MARK):
            _archive(place, file, source, as_json)
            return
        bad = _feeds(place, file, source, as_json) if is_list else _articles(place, file, source, as_json)
    raise SystemExit(1 if bad else 0)


def _feeds(place: Place, file: Path, source: IO[bytes], as_json: bool) -> int:
    """Adds the feeds of an OPML list; returns how many of them were bad."""
    setup = config.load(place.directory)
    try:
        outlines = opml.read(source.read(opml.MAX_BYTES + 1), str(file))
    except ParseError as error:
        raise UsageError(f"{error}.") from None
    progress = Progress()
    known = {discover.same(feed.url) for feed in setup.feeds}
    groups: dict[str | None, list[Feed]] = {}
    bad: list[tuple[int, str]] = []
    twice = 0
    for number, outline in enumerate(outlines, 1):
        progress(f"{number} of {len(outlines)} feeds looked at")
        try:
            feed = config.feed(f"{file}: line {outline.line}", outline.url, title=outline.title)
        except config.ConfigErrors as error:
            bad.append((outline.line, f"{outline.title or 'no title'}: {error.findings[0].why}"))
            continue
        if discover.same(feed.url) in known:
            twice += 1
            continue
        known.add(discover.same(feed.url))
        groups.setdefault(outline.group, []).append(feed)
    added = sum(len(feeds) for feeds in groups.values())
    if added:
        progress(f"writing {added} feeds")
        config.add_feeds(place.directory, [config.Group(tuple(feeds), heading) for heading, feeds in groups.items()])
    told = {"feeds": len(outlines), "added": added, "known": twice}
    said = f"{len(outlines)} feeds: {added} added to {place.directory / 'feeds.toml'}, {twice} there already"
    _tell(file, said, told, bad[: importing.MAX_TOLD], len(bad), as_json)
    return len(bad)


def _articles(place: Place, file: Path, source: IO[bytes], as_json: bool) -> int:
    """Keeps the articles of a file of JSON lines; returns how many lines were bad."""
    log.to_stderr(logging.WARNING)
    setup = config.load(place.directory)
    now = service.clock()
    progress = Progress()
    name = "stdin" if str(file) == "-" else file.name
    with Store.open(place.db, what="newsbeat import") as store:
        desk = ingest.Desk(store, urls.OutletBook(), {}, (), service.pace_of(setup.fetch))
        if stale := service.apply(setup, desk, now):
            retag.everything(desk, stale, lambda count: progress(f"{count} stored articles judged anew"))
        report = importing.articles(
            _lines(source), name, desk, now,
            lambda so_far: progress(f"{so_far.lines} lines read, {so_far.new} new articles"),
        )  # fmt: skip
    told = {key: getattr(report, key) for key in ("lines", "new", "revised", "known", "twice")}
    said = f"{report.lines} lines: {report.new} new articles, {report.revised} revised, {report.known} there already"
    said += f", {report.twice} twice in the file" if report.twice else ""
    _tell(file, said, told, report.bad, report.bad_lines, as_json)
    return report.bad_lines


def _archive(place: Place, file: Path, source: IO[bytes], as_json: bool) -> None:
    """Takes in a whole archive; the configuration of this place is applied after it."""
    log.to_stderr(logging.WARNING)
    setup = config.load(place.directory)
    progress = Progress()
    with Store.open(place.db, what="newsbeat import") as store:
        desk = ingest.Desk(store, urls.OutletBook(), {}, (), service.pace_of(setup.fetch))
        try:
            taken = archive.take_in(
                enumerate(source, 1), desk, service.clock(),
                lambda so_far: progress(f"{so_far.articles} articles taken in, {so_far.known} known"),
            )  # fmt: skip
        except UsageError as error:
            raise UsageError(f"{file}: {error}") from None
        except StoreError as error:
            raise StoreError(f"{file}: {error}") from None
        service.apply(setup, desk, service.clock())
    told = {"new": taken.articles, "known": taken.known, "words": taken.labels}
    said = f"{taken.articles} articles, {taken.known} there already; {taken.labels} words of people"
    click.echo(json.dumps(told) if as_json else f"{file}: {said}.")


def _tell(file: Path, said: str, told: dict[str, int], bad: list[tuple[int, str]], count: int, as_json: bool) -> None:
    """What came of it; what was bad goes to stderr, line by line."""
    if as_json:
        listed = [{"line": line, "why": why} for line, why in bad]
        click.echo(json.dumps({**told, "bad": count, "findings": listed}, ensure_ascii=False))
        return
    for line, why in bad:
        click.echo(f"{file}: line {line}: {why}", err=True)
    if count > len(bad):
        click.echo(f"{file}: and {count - len(bad)} more", err=True)
    click.echo(f"{file}: {said}, {count} bad.")


def _lines(source: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each line with its number; of one that is too long only as much as shows that it is."""
    number = 0
    while line := source.readline(jsonl.MAX_LINE + 1):
        number += 1
        yield number, line
        while len(line) > jsonl.MAX_LINE and not line.endswith(b"\n"):
            line = source.readline(jsonl.MAX_LINE + 1)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[io.BufferedReader[Any]]:
    try:
        source = io.BufferedReader(cast(Any, sys.stdin.buffer)) if str(file) == "-" else file.open("rb")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}). Name an OPML or JSONL file, or -.") from None
    with source:
        yield source


@main.command("export")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["archive", "opml", "csv", "jsonl", "atom"]),
    required=True,
    help="What to write.",
)
@click.option("--topic", metavar="TOPIC", help="Only articles on this topic.")
@click.option(
    "--since", metavar="DATE", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="Only articles that came out at or after this moment (UTC).",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write it. [default: stdout]")
@click.pass_obj
def export_command(place: Place, kind: str, topic: str | None, since: datetime | None, output: Path | None) -> None:
    """The feeds as OPML; the articles as CSV, JSON lines or Atom (the newest 100); or the whole archive.

    An export in JSON lines can be imported elsewhere, as articles anew. `archive` holds everything a person would miss:
    articles with every wording, the names their feeds gave them, tags, stories, and what people said; its import gives
    the same archive again. FILE is replaced in one step, and only by a whole export.
    """
    setup = config.load(place.directory)
    if kind == "opml":
        if topic or since:
            raise UsageError("--topic and --since choose articles; OPML holds feeds. Leave them out.")
        titles = {}
        with contextlib.suppress(StoreError), Store.read(place.db) as store:  # before the first poll there is none
            titles = store.archive.titles()
        feeds = [replace(feed, title=feed.title or titles.get(feed.url)) for feed in setup.feeds]
        _write(output, export.opml(feeds, urls.OutletBook(setup.outlets), setup.site.title))
        return
    if kind == "archive":
        if topic or since:
            raise UsageError("--topic and --since choose articles; an archive is whole. Leave them out.")
        with Store.read(place.db) as store:
            _write(output, archive.lines(store))
        return
    moment = since.replace(tzinfo=UTC) if since else None
    with Store.read(place.db) as store:
        if topic and topic not in (there := store.archive.topics()):
            raise UsageError(f"no topic {topic!r} in {place.db}. There is {', '.join(there) or 'none yet'}.")
        if kind == "atom":
            title = setup.site.title
            titles = {profile.slug: profile.title for profile in setup.topics}
            title = f"{titles.get(topic, topic)} – {title}" if topic else title
            _write(output, [export.atom(store.archive.newest(NEWEST, topic, moment), title, topic or "")])
        else:
            write = export.jsonl if kind == "jsonl" else export.table
            _write(output, write(store.archive.articles(topic, moment)))


def _write(output: Path | None, pieces: Iterable[str]) -> None:
    """Writes the pieces as they come, to stdout or, once all are there, to a file."""
    if output is None or str(output) == "-":
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{output.name}-", dir=output.parent)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written ({error.strerror}). Name another file with -o.") from None
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        fresh.chmod(0o666 & ~_umask())
        fresh.replace(output)
    except OSError as error:
        raise NewsbeatError(f"{output}: could not be written whole ({error.strerror}). It is as it was.") from None
    finally:
        fresh.unlink(missing_ok=True)


def _umask() -> int:
    """What new files are not allowed; there is no way to ask without setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
