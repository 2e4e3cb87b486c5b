"""The command that says what needs a person: doctor."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import click

from pipeline import doctor, service
from pipeline.cli.looking import as_json
from pipeline.cli.main import Place, main

_COLOURS = {"broken": "red", "care": "yellow", "note": None}


@main.command("doctor")
@click.option("--all", "notes", is_flag=True, help="Also what is only good to know.")
@as_json
@click.pass_obj
def doctor_command(place: Place, notes: bool, as_json: bool) -> None:
    """What is broken, and the cure for each in a line.

    Looks at the service (does it run, does it ask, did it refuse a configuration), at clock and disk, at every feed
    (gone, moved, behind a wall, its certificate, no feed any more, silent against its own rhythm), and at the topics.
    A feed is called silent when it is quiet for longer than its own pauses are, and a quiet day gives all feeds more
    time. Asks no server. Exit 1 when something is broken.
    """
    found = doctor.look(place.directory, place.db, service.clock())
    levels = Counter(str(one.level) for one in found)
    broken = levels["broken"] > 0
    if as_json:
        click.echo(json.dumps({"ok": not broken, **{level: levels[level] for level in _COLOURS},
                               "findings": [asdict(one) for one in found]}, ensure_ascii=False))  # fmt: skip
        raise SystemExit(1 if broken else 0)
    shown = [one for one in found if notes or one.level != "note"]
    for one in shown:
        click.echo(f"{click.style(f'{one.kind:<13}', fg=_COLOURS[one.level])} {one.about}")
        click.echo(f"              {one.why}")
        if one.cure:
            click.echo(f"              → {one.cure}")
    hidden = len(found) - len(shown)
    more = f" {hidden} more {'is' if hidden == 1 else 'are'} only good to know: --all." if hidden else ""
    if not shown:
        click.echo(f"All is well.{more}")
    else:
        click.echo(f"\n{levels['broken']} broken, {levels['care']} to be cared for.{more}")
    raise SystemExit(1 if broken else 0)
