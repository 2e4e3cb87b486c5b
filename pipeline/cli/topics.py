"""Commands that write and show topics: topic new, topic score, topic explain."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from pipeline import config, extract, service, teaching, topics
from pipeline.cli.main import Place, main
from pipeline.errors import FetchError, UsageError
from pipeline.fetch.pace import Pacer
from pipeline.model import Article, Evidence, Match, NotModified, Response, TopicProfile
from pipeline.parse import sniff
from pipeline.store import Store


@main.group()
def topic() -> None:
    """Topics: written from a seed, tried on articles, explained."""


@topic.command()
@click.argument("seeds", metavar="SEED...", nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to write it. [default: config/topics/SEED.toml]"
)
@click.option("--title", help="What the topic is called. [default: a short headline, else what weighs most]")
@click.option("--alone", is_flag=True, help="From the seed alone, without a look at what is stored.")
@click.pass_obj
def new(place: Place, seeds: tuple[str, ...], output: Path | None, title: str | None, alone: bool) -> None:
    """A topic profile from SEED: a text, Markdown or HTML file with the article to follow, its web address, or - for
    what stands on stdin. Of several seeds, what they share counts most.

    The profile is TOML, made to be read and edited: the most telling terms first. Where articles are stored (some 200
    at least), it is fitted to them: what stands in many of them weighs less, words that the nearest ones share become
    terms too, and the threshold lies where their scores and stories part. A comment at each term says where it stands.
    """
    documents = [topics.document(_seed(place, seed), seed) for seed in seeds]
    slug = topics.slug_of(output.name if output else _name(seeds[0]))
    made = topics.profile(documents, slug, title, None if seeds[0] == "-" else seeds[0])
    if not made.terms:
        raise UsageError(f"{seeds[0]}: no word in it tells a topic. Give the article itself, as text.")
    notes = topics.notes(made, documents)
    fit = None if alone else _fitted(place, made, documents[0].lang)
    if fit:
        made = fit.profile
        notes = {term: ", ".join([*([notes[term]] if term in notes else []), note]) for term, note in fit.notes.items()}
    why = f"This one is fitted to {fit.articles:,} stored articles, {fit.on_topic} of them on topic." if fit else ""
    written = topics.toml(made, notes, why)
    target = output or place.directory / "topics" / f"{slug}.toml"
    if str(target) == "-":
        click.echo(written, nl=False)
        return
    if target.exists():
        raise UsageError(f"{target} exists. Name another file with -o, or delete that one first.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(written, encoding="utf-8")
    click.echo(f"{target}: {len(made.terms)} terms, most telling first: {', '.join(t.text for t in made.terms[:6])}.")
    if fit:
        on = f"{fit.on_topic} of them on topic"
        words = f"; {fit.learned} terms learned from the nearest" if fit.learned else ""
        click.echo(f"Fitted to {fit.articles:,} stored articles, {on}: threshold {made.threshold:g}{words}.")
    else:
        click.echo(f"Written from the seed alone. Once {topics.LEAST_ARTICLES} articles are stored, `newsbeat topic"
                   f" tune {slug}` shows what they teach it; `newsbeat doctor` says when.")  # fmt: skip
    click.echo("Read it, delete what misleads, then `newsbeat retag` judges what is stored already.")
    click.echo(f"Three answers make it sharper: `newsbeat topic review {slug}`, a minute.")


def _fitted(place: Place, made: TopicProfile, lang: str) -> topics.Fitted | None:
    """The profile as the latest articles would have it; `None` where there are too few, or no database."""
    if not place.db.is_file() or not place.db.stat().st_size:
        return None
    with Store.read(place.db) as store:
        archive, stories = teaching.archive(store, watched)
    return topics.fitted(made, archive, stories, lang)


def watched(articles: Iterable[Article]) -> AbstractContextManager[Iterable[Article]]:
    """Articles with a bar that says how many have passed, where somebody sits at the terminal."""
    if not sys.stderr.isatty():
        return nullcontext(articles)
    return click.progressbar(articles, label="reading what is stored", file=sys.stderr, length=teaching.FITTED_TO)


def _seed(place: Place, seed: str) -> str:
    """What a seed holds, from a file, stdin or the web."""
    if seed == "-":
        return _written(sys.stdin.buffer.read(), "stdin")
    if seed.startswith(("http://", "https://")):
        return asyncio.run(_page(place, seed))
    try:
        return _written(Path(seed).read_bytes(), seed)
    except OSError as error:
        raise UsageError(f"{seed}: cannot be read ({error.strerror}). Name a file with the article's text.") from None


def _written(raw: bytes, name: str) -> str:
    """The words of a file: UTF-8, or what a byte order mark says, or else the letters of Windows."""
    raw, _ = sniff.utf8(raw)
    if b"\0" in raw:
        raise UsageError(f"{name}: is no text that can be read. Save it as plain text in UTF-8.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _name(seed: str) -> str:
    """What to call a topic after its seed: a file's name, or the last part of an address."""
    parts = [part for part in urlsplit(seed).path.split("/") if part] if "://" in seed else [seed]
    return parts[-1] if parts else urlsplit(seed).netloc


async def _page(place: Place, url: str) -> str:
    settings = config.load_to_ask(place.directory).fetch
    pacer = Pacer(gap=settings.per_host_gap.total_seconds(), per_host=1, in_flight=1, clock=time.monotonic)
    web = service.make_web(settings, service.clock, pacer)
    try:
        answer = await web.get(url)
    finally:
        await web.close()
    if isinstance(answer, NotModified):
        raise FetchError(url, "the server answered 304 to a first request", kind="protocol")
    return _decoded(answer)


def _decoded(answer: Response) -> str:
    """A page in the encoding it says it is in, by header or by its first lines; UTF-8 where that is none of text."""
    declared = dict(answer.headers).get("content-type", "") + answer.body[:2048].decode("ascii", "replace")
    said = re.search(r"charset=[\s\"']*([\w.:-]{1,40})", declared, re.I)
    try:
        return answer.body.decode(said[1] if said else "utf-8", "replace")
    except (LookupError, UnicodeError):  # "zlib" is a codec too, and "idna" raises
        return answer.body.decode("utf-8", "replace")


@topic.command()
@click.argument("slug", metavar="TOPIC")
@click.option(
    "--jsonl", type=click.Path(path_type=Path), required=True, help="Articles, one JSON object a line; - for stdin."
)
@click.pass_obj
def score(place: Place, slug: str, jsonl: Path) -> None:
    """Scores articles given as JSON lines: id, and any of title, summary, text, url, published_at, lang.

    TOPIC is a slug of the configuration or a path to a profile. Prints one JSON object a line: id, score, on_topic,
    evidence.
    """
    one = topics.compiled(profile_of(place, slug))
    for number, values in _lines(jsonl):
        identifier = values.get("id")
        if identifier is None:
            raise UsageError(f'{jsonl}: line {number}: the key "id" is missing.')
        found = topics.match(_article(values, f"{jsonl}: line {number}"), (one,))
        match = found[0] if found else Match("", one.profile.slug, 0.0, False, (), one.profile.profile_hash)
        evidence = [asdict(piece) for piece in match.evidence]
        line = {"id": identifier, "score": match.score, "on_topic": match.on_topic, "evidence": evidence}
        click.echo(json.dumps(line, ensure_ascii=False))


@topic.command()
@click.argument("slug", metavar="TOPIC")
@click.argument("article")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def explain(place: Place, slug: str, article: str, as_json: bool) -> None:
    """Why ARTICLE (its number or address) is on TOPIC, or is not: each term, where it stood, its points."""
    profile = profile_of(place, slug)
    with Store.read(place.db) as store:
        found = article_of(store, place, article)
        said = store.feedback.on(found.id or 0, found.url)
    matches = topics.settled(found.url, topics.match(found, (topics.compiled(profile),)), (profile,), said)
    match = matches[0] if matches else Match(found.url, profile.slug, 0.0, False, (), profile.profile_hash)
    if as_json:
        click.echo(json.dumps(asdict(match), ensure_ascii=False))
        return
    verdict = "on topic" if match.on_topic else "not on topic"
    click.echo(f"{found.title or '(no headline)'}\n{found.outlet}, {found.url}\n")
    click.echo(
        f"{match.score:.2f} of {profile.threshold:.2f} needed for {profile.title!r}: {verdict}" + _because(match)
    )
    for piece in match.evidence:
        click.echo(_evidence_line(piece))


def profile_of(place: Place, slug: str) -> TopicProfile:
    """A profile by slug, or by the path of a TOML file."""
    path = Path(slug)
    if path.suffix == ".toml":
        return config.topic(path)
    path = place.directory / "topics" / f"{slug}.toml"
    if not path.exists():
        there = sorted(found.stem for found in path.parent.glob("*.toml"))
        raise UsageError(f"no topic {slug!r} in {path.parent}. There is {', '.join(there) or 'none yet'}.")
    return config.topic(path)


def article_of(store: Store, place: Place, which: str) -> Article:
    """A stored article by its number or address."""
    found = store.articles.find(which)
    if found is None:
        raise UsageError(f"no article {which!r} in {place.db}. Give the number or the address of a stored one.")
    return found


def _lines(jsonl: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with click.open_file(str(jsonl), encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    values = json.loads(line)
                except ValueError as error:
                    raise UsageError(f"{jsonl}: line {number}: not JSON ({error}).") from None
                if not isinstance(values, dict):
                    raise UsageError(f"{jsonl}: line {number}: not a JSON object.")
                yield number, values
    except OSError as error:
        raise UsageError(f"{jsonl}: cannot be read ({error.strerror}).") from None


def _article(values: dict[str, Any], place: str) -> Article:
    fields = {}
    for key in ("title", "summary", "text", "url", "lang"):
        value = values.get(key)
        if value is not None and not isinstance(value, str):
            raise UsageError(f'{place}: "{key}" is not text.')
        fields[key] = value
    return extract.given(**fields, now=service.clock())


def _because(match: Match) -> str:
    return f" ({match.why})" if match.why else ""


def _evidence_line(piece: Evidence) -> str:
    bar = "█" * max(1, round(piece.points * 100))
    return f"  {piece.points:5.3f}  {piece.term:<28} {piece.count} x in the {piece.field:<8} {bar}"
