"""Commands for stories and a person's word on them: story show, story merge, story split, story said,
story withdraw, story regroup."""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

import click

from pipeline import regroup, restory, service
from pipeline.cli.main import Place, main
from pipeline.cli.topics import article_of
from pipeline.config import FetchSettings
from pipeline.errors import StoreHeld, UsageError
from pipeline.judging import Desk
from pipeline.model import Article
from pipeline.store import FEEDBACK, Feedback, Store
from pipeline.store.corrections import Corrections, Named
from pipeline.times import maybe_stamp, stamp
from pipeline.urls import OutletBook

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
actor_option = click.option("--actor", help="Who says so. [default: your login]")


SILENT = 2.0
"""Seconds after which work tells how far it is."""


@main.group()
def story() -> None:
    """Stories: what is in one, and a person's word on what belongs together.

    A word is about articles and kept in feedback.db. It goes before the program's own grouping, now and whenever
    stories are made anew; the latest word counts.
    """


@story.command()
@click.argument("number", type=int)
@as_json
@click.pass_obj
def show(place: Place, number: int, as_json: bool) -> None:
    """The articles of story NUMBER, oldest first, each with the number by which `story split` knows it."""
    with Store.read(place.db) as store:
        title, articles = _story(store, number)
    _tell(number, title, articles, as_json)


@story.command()
@click.argument("first", type=int)
@click.argument("second", type=int)
@actor_option
@as_json
@click.pass_obj
def merge(place: Place, first: int, second: int, actor: str | None, as_json: bool) -> None:
    """Says that stories FIRST and SECOND are of one event. What SECOND holds moves to FIRST."""
    if first == second:
        raise UsageError("name two stories; `newsbeat story show NUMBER` shows what is in one.")
    with Store.read(place.db) as store:
        named = [_named(one) for number in (first, second) for one in _story(store, number)[1]]
    feedback = Feedback.open(place.db.with_name(FEEDBACK))
    try:
        Corrections(feedback).merge(named, actor or _login(), service.clock())
    finally:
        feedback.close()
    _apply(place, [named[0][0]], as_json)


@story.command()
@click.argument("articles", nargs=-1, required=True)
@actor_option
@as_json
@click.pass_obj
def split(place: Place, articles: tuple[str, ...], actor: str | None, as_json: bool) -> None:
    """Says that ARTICLES (numbers or addresses) are not of one event with the rest of their story.

    They leave it for a story of their own, together. New reports join whichever they are more like.
    """
    leaving: dict[int, list[Article]] = defaultdict(list)
    with Store.read(place.db) as store:
        for which in articles:
            found = article_of(store, place, which)
            story_id = store.stories.of([found.id or 0]).get(found.id or 0)
            if story_id is None:
                raise UsageError(f"{which}: is in no story.")
            leaving[story_id].append(found)
        rest = {}
        for story_id, group in leaving.items():
            ids = {one.id for one in group}
            rest[story_id] = [_named(one) for one in _story(store, story_id)[1] if one.id not in ids]
            if not rest[story_id]:
                raise UsageError(f"that is all of story {story_id}; name only those that do not belong.")
    feedback = Feedback.open(place.db.with_name(FEEDBACK))
    try:
        for story_id, group in leaving.items():
            named = [_named(one) for one in group]
            Corrections(feedback).split(named, rest[story_id], actor or _login(), service.clock())
    finally:
        feedback.close()
    _apply(place, [group[0].id or 0 for group in leaving.values()], as_json)


@story.command()
@as_json
@click.pass_obj
def said(place: Place, as_json: bool) -> None:
    """All that people said of stories and that counts, oldest first."""
    with Store.read(place.db) as store:
        words = store.corrections.standing()
    for word in words:
        if as_json:
            click.echo(json.dumps({**asdict(word), "created_at": maybe_stamp(word.created_at)}, ensure_ascii=False))
        else:
            pair = f"{word.article_id:>6} {word.other_article_id:>6}"
            click.echo(f"{word.id:>5}  {word.action:<9} {pair}  ({word.actor}, {maybe_stamp(word.created_at)})")
    if not words and not as_json:
        click.echo("Nobody has said anything yet. `newsbeat story merge` and `newsbeat story split` do.")


@story.command()
@click.argument("words", nargs=-1, required=True, type=int)
@as_json
@click.pass_obj
def withdraw(place: Place, words: tuple[int, ...], as_json: bool) -> None:
    """Takes back WORDS, by their numbers in `story said`, with all that was said in the same merge or split.

    The program then looks again at the stories concerned, as if nobody had said it.
    """
    feedback = Feedback.open(place.db.with_name(FEEDBACK))
    try:
        taken = Corrections(feedback).withdraw(words, service.clock())
    finally:
        feedback.close()
    missing = set(words) - {word.id for word in taken}
    if missing:
        raise UsageError(f"no word {min(missing)} that counts; `newsbeat story said` lists them.")
    urls = sorted({url for word in taken for url in (word.url, word.other_url) if url})
    try:
        with Store.open(place.db, what="newsbeat story") as store:
            ids = sorted(store.articles.ids(urls).values())
            restory.around(_desk(store), ids)
            regroup.hear(store)
            for story_id in sorted(set(store.stories.of(ids).values())):
                _tell(story_id, *_story(store, story_id), as_json)
    except StoreHeld as held:
        cure = "`newsbeat story regroup`, once it is stopped, looks at the stories again"
        click.echo(f"Taken back; {str(held).split('. ')[0]}: {cure}.", err=True)


@story.command("regroup")
@as_json
@click.pass_obj
def regroup_(place: Place, as_json: bool) -> None:
    """Looks at all stories again, all their reports together, and says what that changed.

    The running service does so for every story that a new report comes close to; this is for an archive from before, or
    after a word was taken back. It may be stopped and run again. A person's merges and splits stand, and reports that
    no window remembers any more stay where they are.
    """
    began = time.monotonic()

    def told(done: int, whole: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - began > SILENT:
            click.echo(f"\r{done:,} of {whole:,} reports", err=True, nl=done == whole)

    with Store.open(place.db, what="newsbeat story regroup") as store:
        reports, moved = restory.again(_desk(store), told)
        regroup.hear(store)
    if as_json:
        click.echo(json.dumps({"reports": reports, "moved": moved}))
        return
    click.echo(f"{reports:,} reports looked at, {moved:,} of them are in another story now.")


def _desk(store: Store) -> Desk:
    return Desk(store, OutletBook(), {}, (), service.pace_of(FetchSettings()))


def _story(store: Store, number: int) -> tuple[str, list[Article]]:
    """A story's title and its articles, oldest first."""
    known = store.stories.get(number)
    if known is None:
        raise UsageError(f"there is no story {number}. The site shows each story's number in its address.")
    articles = store.articles.get(store.stories.members(number))
    return known.title, sorted(articles, key=lambda one: (one.published_at or one.first_seen_at, one.id or 0))


def _apply(place: Place, shown: Sequence[int], as_json: bool) -> None:
    """Lets the stories follow the word now, where no service runs that would; shows where these articles are then."""
    try:
        with Store.open(place.db, what="newsbeat story") as store:
            regroup.hear(store)
            for story_id in dict.fromkeys(store.stories.of(shown).values()):
                _tell(story_id, *_story(store, story_id), as_json)
    except StoreHeld as held:
        click.echo(f"Kept; {str(held).split('. ')[0]}, and the stories follow there.", err=True)


def _tell(number: int, title: str, articles: Sequence[Article], as_json: bool) -> None:
    if as_json:
        listed = [
            {
                "id": one.id, "outlet": one.outlet, "title": one.title, "url": one.url, "agency": one.agency,
                "at": stamp(one.published_at or one.first_seen_at),
            }
            for one in articles
        ]  # fmt: skip
        click.echo(json.dumps({"id": number, "title": title, "articles": listed}, ensure_ascii=False))
        return
    outlets = len({one.outlet for one in articles})
    click.echo(f"Story {number}: {title}  ({len(articles)} articles of {outlets} outlets)")
    for one in articles:
        click.echo(
            f"{one.id or 0:>8}  {stamp(one.published_at or one.first_seen_at)}  {one.outlet}: {one.title or one.url}"
            + (f"  [{one.agency}]" if one.agency else "")
        )


def _named(article: Article) -> Named:
    assert article.id is not None
    return article.id, article.url


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "terminal"  # a container whose user has no name
