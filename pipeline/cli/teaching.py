"""Commands by which a topic learns from a person: topic review, topic tune."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pipeline import config, teaching, text, topics
from pipeline.cli.judging import apply, marks_as_numbers, marks_in_words, say
from pipeline.cli.main import Place
from pipeline.cli.topics import profile_of, topic, watched
from pipeline.model import TopicProfile
from pipeline.store import Store
from pipeline.times import maybe_stamp

LEAD = 320
"""Characters of an article that are shown with a question."""


@topic.command("review")
@click.argument("slug", metavar="TOPIC")
@click.option("-n", "--questions", "most", default=3, show_default=True, type=click.IntRange(1, 50), help="How many.")
@click.option("--actor", help="Who answers. [default: your login]")
@click.option("--json", "as_json", is_flag=True, help="Print the questions as one JSON object, and ask nothing.")
@click.pass_obj
def review(place: Place, slug: str, most: int, actor: str | None, as_json: bool) -> None:
    """Asks about the articles whose labels would teach TOPIC most: y on topic, n off topic, s skip, q quit.

    Three answers take a minute, and they do more for a topic than an hour of editing weights. Each question depends on
    the answers before. The answers are kept as labels; at the end you see what `topic tune` makes of them. A program
    takes the questions from --json and answers with `topic label`.
    """
    profile = profile_of(place, slug)
    setup = config.load(place.directory)
    if as_json:
        with Store.read(place.db) as store:
            asked = teaching.questions(store, profile, most)
        told = {"topic": profile.slug, "threshold": profile.threshold, "questions": [_plain(one) for one in asked]}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    heard = _ask(place, profile, most, actor)
    if heard:
        apply(place, setup)
    with Store.read(place.db) as store:
        proposal = teaching.propose(store, profile)
    if heard:
        click.echo(f"{heard} answers kept.")
    if proposal.threshold == profile.threshold and not proposal.weights:
        click.echo(f"The threshold {profile.threshold:g} agrees with what you say as well as any: nothing to change.")
    else:
        click.echo(f"`newsbeat topic tune {slug}` proposes a threshold of {proposal.threshold:g} instead of"
                   f" {profile.threshold:g}: {marks_in_words(proposal.after)}.")  # fmt: skip


def _ask(place: Place, profile: TopicProfile, most: int, actor: str | None) -> int:
    """Asks until enough was answered, nothing is left, or the person leaves; returns how many answers were kept."""
    answers: dict[int, bool] = {}
    passed: list[int] = []
    with Store.read(place.db) as store:
        while len(answers) < most:
            one = teaching.next_question(store, profile, answers, passed)
            if one is None:
                click.echo("There is nothing left to ask: no other stored article comes near the topic.")
                break
            number = one.article.id or 0
            _show(one, profile, len(answers) + 1, most)
            try:
                answer = click.prompt("On topic?", type=click.Choice(["y", "n", "s", "q"]), show_choices=True)
            except click.Abort:  # Ctrl-C, or the end of what was given
                click.echo()
                break
            if answer == "q":
                break
            if answer == "s":
                passed.append(number)
                continue
            answers[number] = answer == "y"
            say(place, profile.slug, one.article, answer == "y", actor)
    return len(answers)


def _show(one: teaching.Asked, profile: TopicProfile, at: int, most: int) -> None:
    article, match = one.article, one.match
    when = article.published_at or article.first_seen_at
    click.echo(f"\n{at}/{most}  {click.style(article.title or '(no headline)', bold=True)}")
    click.echo(f"     {article.outlet}, {when:%d %B %Y}, article {article.id}, {article.url}")
    if lead := _lead(one):
        click.echo(click.wrap_text(lead, 100, "     ", "     "))
    terms = ", ".join(f"{term} {points:.2f}" for term, points in _terms(one)[:6]) or "no term of the topic"
    side = "on topic" if match.on_topic else "not on topic"
    click.echo(f"     {match.score:.2f} of {profile.threshold:g}, so far {side}: {terms}")


def _lead(one: teaching.Asked) -> str:
    lead = " ".join((one.article.summary or one.article.text).split())
    return text.clip(lead, LEAD) if lead != one.article.title else ""


def _terms(one: teaching.Asked) -> list[tuple[str, float]]:
    points: dict[str, float] = {}
    for piece in one.match.evidence:
        points[piece.term] = points.get(piece.term, 0.0) + piece.points
    return sorted(points.items(), key=lambda pair: -pair[1])


def _plain(one: teaching.Asked) -> dict[str, Any]:
    article = one.article
    return {
        "article_id": article.id,
        "title": article.title,
        "lead": _lead(one),
        "outlet": article.outlet,
        "url": article.url,
        "published_at": maybe_stamp(article.published_at),
        "score": one.match.score,
        "on_topic": one.match.on_topic,
        "terms": [{"term": term, "points": round(points, 4)} for term, points in _terms(one)],
    }


@topic.command("tune")
@click.argument("slug", metavar="TOPIC")
@click.option("--write", is_flag=True, help="Take the proposal over into the topic's file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def tune(place: Place, slug: str, write: bool, as_json: bool) -> None:
    """Proposes a threshold, and with labels enough also weights, as a difference to the topic's file.

    While nobody has said anything, it goes by what is stored (some 200 articles at least): a threshold where scores and
    stories part, and words that the nearest articles share.

    Nothing changes without --write; then a running service judges the archive anew by itself, and `newsbeat retag`
    does it while none runs. A threshold changes only if a label speaks against the present one.
    """
    profile = profile_of(place, slug)
    path = Path(slug) if slug.endswith(".toml") else place.directory / "topics" / f"{slug}.toml"
    with Store.read(place.db) as store:
        proposal = teaching.propose(store, profile)
        stored = None if proposal.labels else teaching.archive(store, watched)
    # Of a topic that knows its seed alone, the weights are the seed's still. Rules say what fitting would have to look
    # away from, and that is for the other way.
    new = profile.fitted == 0 and not any((profile.rules.any, profile.rules.all, profile.rules.none))
    fit = topics.fitted(profile, *stored) if stored and new else None
    refit = topics.refitted(profile, *stored) if stored and not fit else None
    if fit:
        weights, added = fit.onto(profile)
        edit = config.retuned(path, fit.profile.threshold, weights, added, fit.articles)
        refit = topics.Refitted(fit.profile.threshold, added, fit.articles, fit.on_topic)
    elif refit:
        edit = config.retuned(path, refit.threshold, {}, refit.added)
    else:
        edit = config.retuned(path, proposal.threshold, proposal.weights)
    if write and edit.diff:
        config.write_topic(edit)
    if as_json:
        told = _numbers(profile, proposal, edit.diff, write)
        if refit:
            told["threshold"]["proposed"] = refit.threshold
            told["added"] = [
                {"term": term.text, "weight": term.weight, "why": why} for term, why in refit.added.items()
            ]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    if refit:
        _say_refit(slug, path, refit, edit.diff, written=write)
        return
    if not proposal.labels:
        click.echo(f"Nobody has said anything yet. `newsbeat topic review {slug}` asks about three articles.")
        return
    click.echo(edit.diff, nl=False)
    click.echo(f"on {proposal.labels} labelled articles: {marks_in_words(proposal.before)} now")
    if edit.diff:
        click.echo(f"{'':<{len(str(proposal.labels)) + 22}}{marks_in_words(proposal.after)} with the change")
    if proposal.checked:
        click.echo(
            f"checked: thresholds made without a label are right about it in {proposal.checked.right} of"
            f" {proposal.checked.labels}. Labels lie where verdicts are hard; over all articles more are right."
        )
    if proposal.why:
        click.echo(proposal.why)
    if not edit.diff:
        click.echo("No label speaks against the profile as it is: nothing to change.")
    elif write:
        click.echo(f"{path} is changed. A running service judges the archive anew; else run `newsbeat retag {slug}`.")
    else:
        click.echo(f"Nothing is changed. `newsbeat topic tune {slug} --write` takes it over.")


def _say_refit(slug: str, path: Path, refit: topics.Refitted, diff: str, *, written: bool) -> None:
    """What the archive proposes where nobody has said anything."""
    click.echo(diff, nl=False)
    click.echo(
        f"Nobody has said anything yet. Of {refit.articles:,} stored articles, some {refit.expected} seem on topic."
    )
    if not diff:
        click.echo("What is stored proposes no change.")
    elif written:
        click.echo(f"{path} is changed. A running service judges the archive anew; else run `newsbeat retag {slug}`.")
    else:
        click.echo(f"Nothing is changed. `newsbeat topic tune {slug} --write` takes it over; `newsbeat topic backtest`"
                   " shows what it would add and drop.")  # fmt: skip
    click.echo(f"A person knows better: `newsbeat topic review {slug}` asks about three articles.")


def _numbers(profile: TopicProfile, proposal: teaching.Proposal, diff: str, write: bool) -> dict[str, Any]:
    return {
        "topic": profile.slug,
        "threshold": {"now": profile.threshold, "proposed": proposal.threshold},
        "weights": [
            {"term": profile.terms[at].text, "now": profile.terms[at].weight, "proposed": weight}
            for at, weight in sorted(proposal.weights.items())
        ],
        "labels": proposal.labels,
        "before": marks_as_numbers(proposal.before),
        "after": marks_as_numbers(proposal.after),
        "checked": proposal.checked and asdict(proposal.checked),
        "why": proposal.why,
        "diff": diff,
        "written": bool(write and diff),
    }
