"""Commands for stories and a person's word on them: story show, story merge, story split, story said."""

from __future__ import annotations

import getpass
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

import click

from pipeline import regroup, service
from pipeline.cli.main import Place, main
from pipeline.cli.topics import article_of
from pipeline.errors import StoreHeld, UsageError
from pipeline.model import Article
from pipeline.store import FEEDBACK, Feedback, Store
from pipeline.store.corrections import Corrections, Named
from pipeline.times import maybe_stamp, stamp

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
actor_option = click.option("--actor", help="Who says so. [default: your login]")


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
            click.echo(f"{word.action:<9} {word.article_id:>6} {word.other_article_id:>6}  ({word.actor})")
    if not words and not as_json:
        click.echo("Nobody has said anything yet. `newsbeat story merge` and `newsbeat story split` do.")


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
