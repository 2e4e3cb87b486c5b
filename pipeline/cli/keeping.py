"""Commands that keep what is stored safe: verify, backup, restore."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from pipeline import service
from pipeline.cli.carrying import Progress
from pipeline.cli.looking import as_json
from pipeline.cli.main import Place, main
from pipeline.store import Store
from pipeline.store.backup import back_up
from pipeline.store.places import beside
from pipeline.store.repair import repair
from pipeline.store.restore import restore
from pipeline.store.verify import Verdict, verify
from pipeline.times import maybe_stamp


@main.command("verify")
@click.option(
    "--repair", "mend", is_flag=True,
    help="Derive anew what can be (numbers, index, stories, names); a backup is made first. Not while a service runs.",
)  # fmt: skip
@as_json
@click.pass_obj
def verify_command(place: Place, mend: bool, as_json: bool) -> None:
    """Is the database whole, and does everything in it agree?

    Asks SQLite (its structures, foreign keys), then our own laws: every article has its text, its entry and its
    wordings, every earlier wording its text, numbers are those of the rows they count, the full-text index is in step
    with the articles, stories with their reports, tags with their profiles and with what people said, no copy copies a
    copy, no feed was overlooked. Each finding says how many, one of them, and the cure.

    Works beside a running service, on one moment of the database. Exit 0: clean; 1: something was found, or is left
    after --repair.
    """
    progress = Progress()
    if not mend:
        with Store.read(place.db) as store:
            verdict = verify(store, service.clock(), progress)
        _tell(place, verdict, as_json)
        raise SystemExit(1 if verdict.findings else 0)
    with Store.open(place.db, what="newsbeat verify --repair") as store:
        verdict = verify(store, service.clock(), progress)
        if not as_json:
            _tell(place, verdict, as_json)
        done: list[str] = []
        copy = None
        if any(finding.repairable for finding in verdict.findings):
            copy = beside(place.db, "before-repair", service.clock())
            progress(f"a backup is made: {copy}")
            back_up(store, copy)
            done = repair(store, verdict.findings, progress)
            verdict = verify(store, service.clock(), progress)
    if as_json:
        _tell(place, verdict, as_json, repaired=done, backup=str(copy) if copy else None)
    elif copy:
        click.echo(f"\nA backup lies in {copy}.")
        for line in done:
            click.echo(f"  {line}")
        click.echo()
        _tell(place, verdict, as_json)
    raise SystemExit(1 if verdict.findings else 0)


def _tell(place: Place, verdict: Verdict, as_json: bool, **more: object) -> None:
    if as_json:
        findings = [asdict(finding) for finding in verdict.findings]
        told = {"ok": not findings, "db": str(place.db), "asked": verdict.asked, "findings": findings, **more}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for one in verdict.findings:
        click.echo(f"{click.style(one.name, fg='red')}: {one.count} {one.what}, such as {one.example}.")
        click.echo(f"    {one.cure}")
    count = len(verdict.findings)
    said = "clean" if not count else f"{count} {'law does' if count == 1 else 'laws do'} not hold"
    click.echo(f"{place.db}: {verdict.asked} laws asked, {said}.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(place: Place, file: Path) -> None:
    """A consistent copy of the database in FILE, also while the service runs.

    In a directory it gets the moment as its name. What people said goes beside it, as FILE.feedback.db. `newsbeat
    restore FILE` brings both back.
    """
    progress = Progress()
    with Store.read(place.db) as store:
        file = file / f"{place.db.stem}-{service.clock():%Y%m%dT%H%M%SZ}.db" if file.is_dir() else file
        labels = back_up(store, file, lambda left, all: progress(f"{all - left} of {all} pages copied"))
    click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB, intact.")
    if labels:
        click.echo(f"{labels}: what people said; it goes back as feedback.db beside the database.")


@main.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--labels", type=click.Choice(["backup", "present"]),
    help="Whose labels count, where something was said since the backup.",
)  # fmt: skip
@as_json
@click.pass_obj
def restore_command(place: Place, file: Path, labels: str | None, as_json: bool) -> None:
    """Puts the backup FILE in the place of the database, which is kept beside.

    First FILE is copied, brought up to date and verified; one that is damaged, another program's or from a newer
    Newsbeat is refused, and nothing is changed. What people said comes back with it, if it lies beside FILE. Stop the
    service and the site first: while somebody holds the database it is left alone.
    """
    done = restore(file, place.db, service.clock(), labels, Progress())
    if as_json:
        told = {**asdict(done), "newest_at": maybe_stamp(done.newest_at), "old": str(done.old) if done.old else None}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    newest = f", the newest of {done.newest_at:%d %B %Y, %H:%M} UTC" if done.newest_at else ""
    click.echo(f"{place.db}: {done.articles} articles{newest}, from {file}.")
    if done.old:
        click.echo(f"{done.old}: what was there before.")
    click.echo(f"The labels are those of {'the backup' if done.labels == 'backup' else 'before'}.")
    for one in done.findings:
        click.echo(f"{click.style(one.name, fg='yellow')}: {one.count} {one.what}, such as {one.example}. {one.cure}")
