"""Commands that judge anew, and that hear what a person says: topic label, topic backtest, retag."""

from __future__ import annotations

import getpass
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from pipeline import backtest, config, ingest, log, retag, service, topics, urls
from pipeline.cli.carrying import Progress
from pipeline.cli.main import Place, main
from pipeline.cli.topics import article_of, profile_of, topic
from pipeline.errors import StoreHeld, UsageError
from pipeline.model import Article
from pipeline.store import FEEDBACK, Feedback, Store
from pipeline.times import maybe_stamp

_VERDICTS = {"on": True, "off": False}


@topic.command("label")
@click.argument("slug", metavar="TOPIC")
@click.argument("article", required=False)
@click.argument("verdict", metavar="[on|off]", type=click.Choice(["on", "off"]), required=False)
@click.option("--forget", is_flag=True, help="Take back what was said of this article; the score counts again.")
@click.option("--actor", help="Who says so. [default: your login]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a label.")
@click.pass_obj
def label_command(
    place: Place, slug: str, article: str | None, verdict: str | None, forget: bool, actor: str | None, as_json: bool
) -> None:
    """Says that ARTICLE (its number or address) is on TOPIC, or off it. Without ARTICLE: all that was said.

    A label goes before the score, now and whenever the archive is judged anew, and `topic tune` learns from it. It is
    kept in feedback.db beside the database; a running service takes it up within seconds.
    """
    profile = profile_of(place, slug)
    if article is None:
        _list_labels(place, profile.slug, as_json)
        return
    if forget == (verdict is not None):
        raise UsageError("say `on` or `off` after the article, or --forget.")
    setup = config.load(place.directory)
    with Store.read(place.db) as store:
        found = article_of(store, place, article)
    heard = say(place, profile.slug, found, None if forget else _VERDICTS[verdict or ""], actor)
    words = "nothing was said of it" if heard == 0 else "forgotten" if forget else f"{verdict} topic"
    if as_json:
        click.echo(json.dumps({"article_id": found.id, "topic": profile.slug, "label": None if forget else verdict}))
    else:
        click.echo(f"{found.title or found.url} ({found.outlet}): {words}.")
    if heard:
        apply(place, setup)


def say(place: Place, slug: str, article: Article, on_topic: bool | None, actor: str | None) -> int:
    """Keeps a label, or (`None`) takes back what was said; returns how many words changed."""
    feedback = Feedback.open(place.db.with_name(FEEDBACK))
    try:
        assert article.id is not None
        if on_topic is None:
            return feedback.withdraw(article.id, article.url, slug, service.clock())
        feedback.say(article.id, article.url, slug, on_topic, actor or _login(), service.clock())
        return 1
    finally:
        feedback.close()


def apply(place: Place, setup: config.Setup) -> None:
    """Lets the verdicts follow the labels now, where no service runs that would."""
    try:
        with Store.open(place.db, what="newsbeat topic label") as store:
            desk = ingest.Desk(store, urls.OutletBook(), {}, (), service.pace_of(setup.fetch))
            service.apply(setup, desk, service.clock())
            retag.hear(desk)
    except StoreHeld as held:
        click.echo(f"Kept; {str(held).split('. ')[0]}, and the verdict follows there.", err=True)


def _list_labels(place: Place, slug: str, as_json: bool) -> None:
    with Store.read(place.db) as store:
        labels = store.feedback.resolved(slug, store.articles.ids)
        titles = {one.id: one for one in store.articles.get([label.article_id for label in labels])}
    for label in labels:
        article = titles.get(label.article_id)
        if as_json:
            click.echo(json.dumps({**asdict(label), "created_at": maybe_stamp(label.created_at)}, ensure_ascii=False))
            continue
        verdict = "on topic " if label.on_topic else "off topic"
        click.echo(f"{verdict}  {label.article_id:>6}  {(article and article.title) or label.url}  ({label.actor})")
    if not labels and not as_json:
        click.echo(f"Nobody has said anything yet. `newsbeat topic review {slug}` asks about three articles.")


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "terminal"  # a container whose user has no name


@topic.command("backtest")
@click.argument("slug", metavar="TOPIC")
@click.option("--profile", "file", type=click.Path(path_type=Path), help="Try this file instead of the topic's own.")
@click.option(
    "--list", "most", default=20, show_default=True, type=click.IntRange(0, 10_000), help="How many of each to list."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def backtest_command(place: Place, slug: str, file: Path | None, most: int, as_json: bool) -> None:
    """What a changed profile would change in the archive, without changing anything.

    A running service takes an edited profile up at once; to look before, edit a copy and name it with --profile. Each
    change is listed with its score, the score it had, and the terms that made the difference. Where people labelled
    articles, precision and recall on those tell whether the change is for the better.
    """
    profile = config.topic(file) if file else profile_of(place, slug)
    profile = replace(profile, slug=Path(slug).stem if slug.endswith(".toml") else slug)
    progress = Progress()
    with Store.read(place.db) as store:
        report = backtest.run(store, profile, most, lambda count: progress(f"{count} articles read"))
        behind = profile.slug in store.topics.waiting()
    if behind:
        click.echo("The archive is not wholly judged by the present profile yet; `newsbeat status` says.", err=True)
    if as_json:
        click.echo(json.dumps(_plain(profile.slug, report), ensure_ascii=False))
        return
    click.echo(f"would keep {report.keep}, would add {report.add}, would drop {report.drop}")
    for sign, changes in (("+", report.added), ("-", report.dropped)):
        for change in changes:
            click.echo(f"{sign} {change.score:.2f}  {change.article.title or change.article.url}  {_origin(change)}")
            click.echo(f"        {_difference(change)}")
    if report.after.labels:
        before = f" ({marks_in_words(report.before)} now)" if report.before else ""
        click.echo(f"on {report.after.labels} labelled articles: {marks_in_words(report.after)}{before}")


def marks_in_words(marks: topics.Marks) -> str:
    """Precision and recall as a person reads them."""
    parts = [
        f"{name} {'-' if value is None else format(value, '.2f')}"
        for name, value in (("precision", marks.precision), ("recall", marks.recall))
    ]
    return f"{marks.right} right, {', '.join(parts)}"


def marks_as_numbers(marks: topics.Marks | None) -> dict[str, float | int | None] | None:
    """The same for programs."""
    return {**asdict(marks), "precision": marks.precision, "recall": marks.recall} if marks else None


def _plain(slug: str, report: backtest.Report) -> dict[str, Any]:
    def change(one: backtest.Change) -> dict[str, Any]:
        article = {key: getattr(one.article, key) for key in ("id", "title", "outlet", "url")}
        return {**article, "was": one.was, "score": one.score, "why": one.why, "terms": [asdict(t) for t in one.terms]}

    return {
        "topic": slug,
        **{key: getattr(report, key) for key in ("articles", "keep", "add", "drop")},
        "added": [change(one) for one in report.added],
        "dropped": [change(one) for one in report.dropped],
        "labels": report.after.labels,
        "before": marks_as_numbers(report.before),
        "after": marks_as_numbers(report.after),
    }


def _origin(change: backtest.Change) -> str:
    return f"({change.article.outlet}, {change.article.id}, was {change.was:.2f})"


def _difference(change: backtest.Change) -> str:
    terms = [f"{one.term} {one.now - one.was:+.2f}" for one in change.terms[:4]]
    more = len(change.terms) - len(terms)
    told = ", ".join(terms) + (f" and {more} more" if more > 0 else "")
    return "; ".join(part for part in (change.why, told) if part) or "the stored verdict is of another profile"


@main.command("retag")
@click.argument("slugs", metavar="[TOPIC]...", nargs=-1)
@click.pass_obj
def retag_command(place: Place, slugs: tuple[str, ...]) -> None:
    """Judges every stored article anew on the topics named, or on all. The service does this by itself.

    Stopped half-way, the next `retag`, or the service, goes on where this one was.
    """
    log.to_stderr()
    setup = config.load(place.directory)
    unknown = sorted(set(slugs) - {profile.slug for profile in setup.topics})
    if unknown:
        raise UsageError(f"no topic {unknown[0]!r} in {place.directory / 'topics'}.")
    Store.read(place.db).close()  # says so when there is nothing to judge, instead of making an empty database
    with Store.open(place.db, what="newsbeat retag") as store:
        desk = ingest.Desk(store, urls.OutletBook(), {}, (), service.pace_of(setup.fetch))
        service.apply(setup, desk, service.clock())
        chosen = slugs or tuple(profile.slug for profile in setup.topics)
        on_the_way = {slug: at for slug, (at, _) in store.topics.waiting().items() if slug in chosen and at}
        if on_the_way:
            click.echo(f"Going on after article {min(on_the_way.values())}.", err=True)
        shown = sys.stderr.isatty()
        done = retag.everything(
            desk, chosen, lambda n: click.echo(f"\r{n} articles", nl=False, err=True) if shown else None
        )
        if shown:
            click.echo("", err=True)
    click.echo(f"{done} articles judged anew on {', '.join(sorted(chosen)) or 'no topic'}.")
