"""Stories as articles arrive one by one: a real database, ingest's own path, invented reports."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import NOW

from pipeline import ingest, schedule
from pipeline.ingest import Desk
from pipeline.model import Entry, Outlet
from pipeline.store import Store
from pipeline.urls import OutletBook

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Report:
    """What one outlet says, days after NOW."""

    event: str
    title: str
    text: str
    days: float = 0
    outlet: str = ""


QUAKE = [
    Report("quake", "Earthquake of 6.1 shakes Valdorra, forty dead",
           "An earthquake of magnitude 6.1 struck the mountain town of Valdorra before dawn, and rescuers pulled forty"
           " bodies from collapsed stone houses. Mayor Ines Quiroga asked for tents and blankets."),
    Report("quake", "Rescuers dig in Valdorra after deadly quake",
           "Rescue teams dug through rubble in Valdorra after the earthquake that killed at least forty people. Stone"
           " houses collapsed in the mountain town, mayor Ines Quiroga said, and tents are needed.", 0.3),
    Report("quake", "Valdorra mourns as quake toll passes fifty",
           "The toll of Valdorra's earthquake rose to fifty-two. Mayor Ines Quiroga declared three days of mourning"
           " in the mountain town, where rescuers still dig in collapsed stone houses.", 1.4),
]  # fmt: skip
SECOND_QUAKE = [
    Report("second quake", "Tremor of 5.8 off Senmaru island, no casualties",
           "A tremor of magnitude 5.8 was felt on Senmaru island on Tuesday. The harbour was cleared for an hour over a"
           " tsunami warning that was lifted later; governor Kenta Orime said nobody was hurt.", 1.0),
    Report("second quake", "Senmaru lifts tsunami warning after tremor",
           "Governor Kenta Orime of Senmaru island said that nobody was hurt in the 5.8 tremor. A tsunami warning"
           " cleared the harbour for an hour and was lifted.", 1.2),
]  # fmt: skip
MATCHES = [
    Report("first match", "Harwick beat Tollby 3-1 as Deller scores twice",
           "Harwick Rovers beat Tollby United 3-1 on Saturday. Sam Deller scored two goals before half-time, and keeper"
           " Ott saved a penalty taken by Tollby captain Lars Bruun."),
    Report("first match", "Deller double sinks Tollby at Harwick",
           "Two goals by Sam Deller gave Harwick Rovers a 3-1 win over Tollby United. Keeper Ott kept out Lars Bruun's"
           " penalty.", 0.1),
    Report("second match", "Harwick held to a goalless draw by Penmoor",
           "Harwick Rovers drew 0-0 at Penmoor Town in the rain. Penmoor's Abel Nkunda hit the post late, and referee"
           " Marit Sole sent off Harwick defender Joe Carrow.", 3.9),
    Report("second match", "Carrow sent off as Penmoor and Harwick share points",
           "Joe Carrow saw red from referee Marit Sole as Harwick Rovers left Penmoor Town with a goalless draw. Abel"
           " Nkunda hit the post.", 4.0),
]  # fmt: skip
ANNIVERSARY = [
    Report("anniversary", "A year on, Valdorra remembers its dead",
           "One year after the earthquake in which fifty-two people died, Valdorra unveiled a memorial of slate. Mayor"
           " Ines Quiroga said that half of the stone houses in the mountain town are rebuilt.", 365),
]  # fmt: skip
PORT = [
    Report("port", "Dockers at Gaverne walk out over night shifts",
           "Dockers at the port of Gaverne walked out on Monday over night shifts. The union of Petra Haldane said that"
           " no ship would be unloaded; the port authority called the strike illegal."),
    Report("port", "Gaverne port stands still on second day of strike",
           "No ship was unloaded at Gaverne on the second day of the dockers' strike over night shifts. Petra Haldane's"
           " union met the port authority, which calls the strike illegal.", 1.1),
    Report("port", "Talks in Gaverne port strike break down",
           "Talks between the port authority of Gaverne and the dockers' union broke down. Petra Haldane said the"
           " strike over night shifts goes on, and no ship is unloaded.", 2.8),
    Report("port", "Strike ends: Gaverne dockers accept new night shifts",
           "The dockers of Gaverne ended their strike after accepting new rules for night shifts. Ships are unloaded"
           " again, the port authority and Petra Haldane's union said.", 3.9),
]  # fmt: skip


def desk_of(store: Store) -> Desk:
    return Desk(store, OutletBook(), {}, (), schedule.Pace())


def told(store: Store, reports: Sequence[Report]) -> None:
    """These reports arrive one by one, each at another outlet unless it names one."""
    desk = desk_of(store)
    with store.transaction():
        feed_id = store.archive.feed_id("import:test", "test", NOW)
    state = store.feeds.state(feed_id)
    for report in reports:
        at = NOW + report.days * DAY
        name = report.outlet or f"Outlet of {report.title}"
        url = f"https://{abs(hash(name))}.example/{abs(hash((report.title, name)))}"
        entry = Entry(state.feed_url, url, url, report.title, None, report.text, (), at, "en", url)
        ingest.import_entries(state, desk, [ingest.Arrival(entry, Outlet(name, (), name), at)], NOW + 400 * DAY)


def together(path: Path) -> set[frozenset[str]]:
    """The headlines of each story."""
    with closing(sqlite3.connect(path)) as rows:
        found: dict[int, set[str]] = {}
        for story, title in rows.execute(
            "SELECT s.story_id, a.title FROM story_articles s JOIN articles a ON a.id = s.article_id"
        ):
            found.setdefault(story, set()).add(title)
    return {frozenset(titles) for titles in found.values()}


def said(reports: Sequence[Report]) -> set[frozenset[str]]:
    """The headlines of each event."""
    return {frozenset(one.title for one in reports if one.event == event) for event in {one.event for one in reports}}


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param(QUAKE + SECOND_QUAKE, id="a second earthquake"),
        pytest.param(MATCHES, id="the next match day"),
        pytest.param(QUAKE + ANNIVERSARY, id="an anniversary"),
        pytest.param(PORT, id="a strike that goes on for days"),
        pytest.param(QUAKE + SECOND_QUAKE + MATCHES + PORT + ANNIVERSARY, id="all at once"),
    ],
)
def test_a_story_grows_for_days_and_swallows_no_neighbour(tmp_path: Path, reports: list[Report]) -> None:
    with Store.open(tmp_path / "news.db") as store:
        told(store, sorted(reports, key=lambda one: one.days))
    assert together(tmp_path / "news.db") == said(reports)


def test_an_archive_read_backwards_gives_the_same_stories(tmp_path: Path) -> None:
    reports = QUAKE + SECOND_QUAKE + PORT
    with Store.open(tmp_path / "news.db") as store:
        told(store, sorted(reports, key=lambda one: -one.days))
    assert together(tmp_path / "news.db") == said(reports)


def test_a_restart_after_each_article_changes_nothing(tmp_path: Path) -> None:
    reports = sorted(QUAKE + SECOND_QUAKE + MATCHES + PORT, key=lambda one: one.days)
    with Store.open(tmp_path / "whole.db") as store:
        told(store, reports)
    for report in reports:
        with Store.open(tmp_path / "news.db") as store:
            told(store, [report])
    tables = "stories", "story_articles", "story_centres", "story_words", "story_merges"
    with (
        closing(sqlite3.connect(tmp_path / "whole.db")) as one,
        closing(sqlite3.connect(tmp_path / "news.db")) as other,
    ):
        for table in tables:
            query = f"SELECT * FROM {table}"
            assert one.execute(query).fetchall() == other.execute(query).fetchall(), table


WIRE = (
    "Surveyors mapped a colony of puffins on the cliffs of Ostrey this spring and counted twice as many burrows as a"
    " decade ago. The biologist Wenche Aalbu credits a ban on trawling near the skerries, which left more sand eels"
    " for the chicks. Fishermen in Ostrey had opposed the ban and lost their court case in the capital. The warden"
    " hopes that gannets will follow, and a webcam will be mounted beside the lighthouse before the next breeding"
    " season begins."
)


def copies(path: Path) -> dict[str, str]:
    """Outlet to the outlet whose text it ran."""
    with closing(sqlite3.connect(path)) as rows:
        return dict(
            rows.execute(
                "SELECT o.name, p.name FROM articles a JOIN outlets o ON o.id = a.outlet_id"
                " JOIN articles b ON b.id = a.copy_of JOIN outlets p ON p.id = b.outlet_id"
            )
        )


def test_copies_are_flat_and_point_to_the_earliest_in_whatever_order_they_are_seen(tmp_path: Path) -> None:
    ran = [
        Report("puffins", "Puffins return", WIRE, 0.2, "Post"),
        Report("puffins", "More puffins on the cliffs of Ostrey", "OSTREY (CW) - " + WIRE, 0.1, "Gazette"),
        Report("puffins", "Burrows counted", WIRE[: len(WIRE) * 2 // 3], 0.3, "Echo"),
        Report("puffins", "Colony doubles", WIRE, 0.0, "Wire"),
        Report("puffins", "A webcam for puffins", "Our reporter was there. " + WIRE, 0.4, "Mail"),
    ]
    with Store.open(tmp_path / "news.db") as store:
        told(store, ran)
    assert copies(tmp_path / "news.db") == dict.fromkeys(("Post", "Gazette", "Echo", "Mail"), "Wire")
    with closing(sqlite3.connect(tmp_path / "news.db")) as rows:
        assert rows.execute("SELECT article_count, outlet_count, family_count FROM stories").fetchall() == [(5, 5, 1)]


def test_a_story_bears_the_headline_of_its_most_central_report(tmp_path: Path) -> None:
    aside = Report("port", "Analysis: what the walkout of Gaverne's dockers costs the canneries of the coast",
                   "The strike of dockers at the port of Gaverne leaves sardine canneries without tins. Economist Ruy"
                   " Tamsin counts the losses of growers, hauliers, canneries and cold stores.", -0.1)  # fmt: skip
    with Store.open(tmp_path / "news.db") as store:
        told(store, [aside, *PORT])
        story = store.stories.get(1)
        assert story is not None
        assert len(story.article_urls) == 5
        assert story.title in {one.title for one in PORT}, "not the earliest, which looks at one side of it"


def test_what_no_window_reaches_is_forgotten_and_stories_stay(tmp_path: Path) -> None:
    with Store.open(tmp_path / "news.db") as store:
        told(store, QUAKE)
        with store.transaction():
            store.stories.forget(NOW + 30 * DAY)
    with closing(sqlite3.connect(tmp_path / "news.db")) as rows:
        for table, count in (("story_words", 0), ("story_prints", 0), ("story_centres", 0), ("story_articles", 3)):
            assert rows.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,), table
