"""`topic label`, `backtest`, `review`, `tune` and `retag` as a person runs them, on a small archive."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import CONTACT, NOW, article
from outlets import Outlets

from pipeline import config, ingest, retag, schedule, service, topics
from pipeline.cli import main
from pipeline.cli.main import Place
from pipeline.cli.notebook import Kept
from pipeline.model import Article, Outlet, Term, TopicProfile
from pipeline.store import Feedback, Store
from pipeline.urls import OutletBook

PROFILE = """\
# The barrage, as the desk follows it.
title = "The barrage"
threshold = {threshold}  # set by hand

[rules]
any = []
all = []
none = ["carnival"]

[[term]]
text = "barrage"
weight = 0.6
kind = "name"

[[term]]
text = "estuary"
weight = 0.5

[[term]]
text = "sluice"
weight = 0.3
"""
BODY = "Engineers spoke for an hour about the plans in the town hall of Korvik, and many came to listen to them. "
# From wholly about it to not at all, and one that a rule keeps out.
TEXTS = {
    "all": "Barrage, estuary and sluice. The barrage needs a sluice, the sluice an estuary.",
    "most": "The barrage over the estuary needs a sluice. " + BODY,
    "half": "The barrage over the estuary. " + BODY * 2,
    "some": "The estuary. " + BODY * 3,
    "least": "A sluice was mended. " + BODY * 4,
    "none": BODY * 2,
    "party": "A carnival on the barrage over the estuary, with a sluice.",
}


def reports() -> dict[str, Article]:
    return {name: article(name, title=f"News of {name}", summary=None, text=text) for name, text in TEXTS.items()}


def scored() -> dict[str, float]:
    """What each scores. Where the threshold has to lie between two of them, it is taken from here."""
    terms = (Term("barrage", 0.6, "name"), Term("estuary", 0.5), Term("sluice", 0.3))
    one = topics.compiled(TopicProfile("barrage", "The barrage", terms, threshold=0.3))
    found = {name: topics.match(report, (one,)) for name, report in reports().items()}
    return {name: matches[0].score if matches else 0.0 for name, matches in found.items()}


def between(above: str, below: str) -> float:
    scores = scored()
    assert scores[above] > scores[below]
    return round((scores[above] + scores[below]) / 2, 4)


Newsbeat = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A configuration with one topic, and an archive of seven articles judged on it."""
    (tmp_path / "config" / "topics").mkdir(parents=True)
    (tmp_path / "config" / "newsbeat.toml").write_text(f'[fetch]\ncontact = "{CONTACT}"\n')
    (tmp_path / "config" / "feeds.toml").write_text('[[feed]]\nurl = "https://feeds.example.org/world.xml"\n')
    (tmp_path / "config" / "topics" / "barrage.toml").write_text(PROFILE.format(threshold=between("most", "half")))
    with Store.open(tmp_path / "news.db") as store:
        with store.transaction():
            outlet = store.feeds.outlet_id(Outlet("Example Times", (), "Example Media Group"))
            for report in reports().values():
                store.articles.add(report, outlet)
        setup = config.load(tmp_path / "config")
        desk = ingest.Desk(store, OutletBook(), {}, (), schedule.Pace())
        service.apply(setup, desk, NOW)
        retag.everything(desk, ["barrage"])
    return tmp_path


@pytest.fixture
def newsbeat(place: Path) -> Newsbeat:
    def run(*words: str, given: str | None = None) -> Result:
        return CliRunner().invoke(
            main, ["--config", str(place / "config"), "--db", str(place / "news.db"), *words], input=given
        )

    return run


def number(name: str) -> str:
    return str(list(TEXTS).index(name) + 1)


def rows(place: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(place / "news.db") as db:
        return db.execute(sql).fetchall()


def on_topic(place: Path) -> set[str]:
    found = rows(place, "SELECT article_id FROM article_topics WHERE on_topic = 1")
    return {list(TEXTS)[article_id - 1] for (article_id,) in found}


# --- label ----------------------------------------------------------------------------------------------------


def test_a_label_goes_before_the_score_at_once(place: Path, newsbeat: Newsbeat) -> None:
    assert on_topic(place) == {"all", "most"}
    assert "on topic" in newsbeat("topic", "label", "barrage", number("least"), "on").stdout
    assert newsbeat("topic", "label", "barrage", article("all").url, "off", "--actor", "ben").exit_code == 0
    assert on_topic(place) == {"most", "least"}
    explained = newsbeat("topic", "explain", "barrage", number("least")).stdout
    assert "on topic (a person said so)" in explained
    listed = newsbeat("topic", "label", "barrage").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["on", "off"]
    assert listed[1].endswith("(ben)")
    said = [json.loads(line) for line in newsbeat("topic", "label", "barrage", "--json").stdout.splitlines()]
    assert [(one["article_id"], one["on_topic"]) for one in said] == [(5, True), (1, False)]
    newsbeat("retag")
    assert on_topic(place) == {"most", "least"}
    assert "forgotten" in newsbeat("topic", "label", "barrage", number("all"), "--forget").stdout
    assert on_topic(place) == {"all", "most", "least"}
    assert "nothing was said of it" in newsbeat("topic", "label", "barrage", number("all"), "--forget").stdout


def test_hear_takes_up_what_was_said_elsewhere_and_leaves_it_to_a_service_that_runs(
    place: Path, newsbeat: Newsbeat
) -> None:
    feedback = Feedback.open(place / "feedback.db")
    feedback.say(int(number("none")), article("none").url, "barrage", True, "site", NOW)
    feedback.close()
    with Store.open(place / "news.db", what="newsbeat run"):
        assert newsbeat("hear", "--quiet").exit_code == 1
        assert "takes it up by itself" in newsbeat("hear").stderr
    assert "none" not in on_topic(place)
    assert "1 articles judged anew" in newsbeat("hear").stdout
    assert "none" in on_topic(place)
    assert newsbeat("hear", "--quiet").exit_code == 0


def test_where_no_service_runs_the_site_lets_another_process_hear(place: Path) -> None:
    kept = Kept(Place(place / "config", place / "news.db"), now=lambda: NOW, patience=300)
    kept.label((int(number("none")), article("none").url), "barrage", True, "mara")
    with Store.open(place / "news.db", what="newsbeat run"):
        assert not asyncio.run(kept.followed()), "that service will"
    assert "none" not in on_topic(place)
    assert asyncio.run(kept.followed())
    assert "none" in on_topic(place)
    kept.label((int(number("none")), article("none").url), "barrage", None, "mara")
    assert asyncio.run(kept.followed())
    assert "none" not in on_topic(place)


def test_a_label_is_kept_while_another_process_holds_the_database(place: Path, newsbeat: Newsbeat) -> None:
    with Store.open(place / "news.db", what="newsbeat run"):
        said = newsbeat("topic", "label", "barrage", number("least"), "on")
    assert said.exit_code == 0
    assert "in use by newsbeat run" in said.stderr
    assert on_topic(place) == {"all", "most"}
    newsbeat("retag")
    assert on_topic(place) == {"all", "most", "least"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["topic", "label", "nope", "1", "on"], "no topic 'nope'", id="topic"),
        pytest.param(["topic", "label", "barrage", "99", "on"], "no article '99'", id="article"),
        pytest.param(["topic", "label", "barrage", "1"], "say `on` or `off`", id="no verdict"),
        pytest.param(["topic", "label", "barrage", "1", "on", "--forget"], "say `on` or `off`", id="both"),
        pytest.param(["topic", "label", "barrage", "1", "perhaps"], "'perhaps' is not one of", id="no such verdict"),
        pytest.param(["topic", "backtest", "nope"], "no topic 'nope'", id="backtest"),
        pytest.param(["topic", "backtest", "barrage", "--profile", "/none.toml"], "missing", id="backtest of no file"),
    ],
)
def test_what_is_asked_wrongly_gets_words_and_exit_2(newsbeat: Newsbeat, words: list[str], said: str) -> None:
    ran = newsbeat(*words)
    assert ran.exit_code == 2
    assert said in ran.stderr


def test_status_tells_of_labels_and_of_what_is_left(place: Path, newsbeat: Newsbeat) -> None:
    newsbeat("topic", "label", "barrage", number("least"), "on")
    (line,) = json.loads(newsbeat("status", "--json").stdout)["topics"]
    assert line == {"slug": "barrage", "title": "The barrage", "on_topic": 3, "stale": 0, "left": 0, "labelled": 1}
    assert "The barrage: 3 articles (1 by a person's word)" in newsbeat("status").stdout


def test_a_backup_holds_the_labels_too(place: Path, newsbeat: Newsbeat) -> None:
    newsbeat("topic", "label", "barrage", number("least"), "on")
    assert newsbeat("backup", str(place / "copy.db")).exit_code == 0
    with sqlite3.connect(place / "copy.feedback.db") as db:
        assert db.execute("SELECT count(*) FROM labels").fetchone() == (1,)


# --- backtest -------------------------------------------------------------------------------------------------


def test_backtest_lists_what_would_change_and_why(place: Path, newsbeat: Newsbeat) -> None:
    edited = place / "edited.toml"
    loose = PROFILE.format(threshold=between("half", "some")).replace('none = ["carnival"]', "none = []")
    edited.write_text(loose + '\n[[term]]\ntext = "Korvik"\nweight = 0.9\n')
    ran = newsbeat("topic", "backtest", "barrage", "--profile", str(edited))
    assert ran.exit_code == 0
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("would keep 2, would add ")
    told = {line.split("News of ")[1].split()[0]: why for line, why in pairwise(lines) if line.startswith("+ ")}
    assert 'it was kept out: "carnival" stands in it' in told["party"]
    assert "Korvik +0." in told["half"]
    assert f"the threshold is {between('half', 'some'):g}, was {between('most', 'half'):g}" in told["half"]
    assert on_topic(place) == {"all", "most"}, "nothing was changed"


def test_backtest_says_how_good_both_profiles_are_on_labels(place: Path, newsbeat: Newsbeat) -> None:
    for name, verdict in (("half", "on"), ("some", "off"), ("all", "on")):
        newsbeat("topic", "label", "barrage", number(name), verdict)
    edited = place / "edited.toml"
    edited.write_text(PROFILE.format(threshold=between("half", "some")))
    said = json.loads(newsbeat("topic", "backtest", "barrage", "--profile", str(edited), "--json").stdout)
    assert (said["articles"], said["labels"]) == (7, 3)
    assert said["add"] == 0, "what a person said is on topic already"
    assert (said["before"]["precision"], said["before"]["recall"]) == (1.0, 0.5)
    assert (said["after"]["precision"], said["after"]["recall"]) == (1.0, 1.0)
    told = newsbeat("topic", "backtest", "barrage", "--profile", str(edited)).stdout
    assert (
        "on 3 labelled articles: 3 right, precision 1.00, recall 1.00 (2 right, precision 1.00, recall 0.50 now)"
        in told
    )


def test_backtest_lists_the_most_telling_and_counts_all(place: Path, newsbeat: Newsbeat) -> None:
    edited = place / "edited.toml"
    edited.write_text(PROFILE.format(threshold=0.01))
    said = json.loads(
        newsbeat("topic", "backtest", "barrage", "--profile", str(edited), "--list", "1", "--json").stdout
    )
    assert (said["add"], [one["title"] for one in said["added"]]) == (3, ["News of half"])
    edited.write_text(PROFILE.format(threshold=0.99))
    said = json.loads(
        newsbeat("topic", "backtest", "barrage", "--profile", str(edited), "--list", "1", "--json").stdout
    )
    assert (said["drop"], [one["title"] for one in said["dropped"]]) == (2, ["News of all"])
    assert said["dropped"][0]["why"] == f"the threshold is 0.99, was {between('most', 'half'):g}"


# --- review ---------------------------------------------------------------------------------------------------


def asked(run: Result) -> list[str]:
    return [line.split("News of ")[1] for line in run.stdout.splitlines() if "/3  News of " in line]


def test_review_asks_keeps_the_answers_and_says_what_tune_makes_of_them(place: Path, newsbeat: Newsbeat) -> None:
    ran = newsbeat("topic", "review", "barrage", given="y\ny\nn\n")
    assert ran.exit_code == 0, ran.output
    assert len(set(asked(ran))) == 3
    assert "party" not in asked(ran), "no threshold lets in what a rule keeps out"
    assert "Example Times, 02 March 2026, article " in ran.stdout
    assert "barrage 0." in ran.stdout
    assert "3 answers kept." in ran.stdout
    listed = newsbeat("topic", "label", "barrage").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["on", "on", "off"]
    assert not set(asked(newsbeat("topic", "review", "barrage", given="q\n"))) & set(asked(ran)), "never asked twice"


def test_a_question_can_be_passed_over_and_answers_given_before_leaving_are_kept(
    place: Path, newsbeat: Newsbeat
) -> None:
    ran = newsbeat("topic", "review", "barrage", given="s\ny\nq\n")
    assert len(set(asked(ran))) == 3
    assert "1 answers kept." in ran.stdout
    ran = newsbeat("topic", "review", "barrage", given="")
    assert ran.exit_code == 0, "the end of what was given is leaving"
    assert len(newsbeat("topic", "label", "barrage").stdout.splitlines()) == 1


def test_review_says_so_when_there_is_nothing_to_ask(place: Path, newsbeat: Newsbeat) -> None:
    (place / "config" / "topics" / "moon.toml").write_text(
        'title = "Moon"\nthreshold = 0.3\n[[term]]\ntext = "moon"\nweight = 1.0\n'
    )
    ran = newsbeat("topic", "review", "moon")
    assert ran.exit_code == 0
    assert "nothing left to ask" in ran.stdout


def test_a_program_takes_the_questions_as_json_and_answers_with_label(place: Path, newsbeat: Newsbeat) -> None:
    said = json.loads(newsbeat("topic", "review", "barrage", "--json").stdout)
    assert said["topic"] == "barrage"
    assert len({one["article_id"] for one in said["questions"]}) == 3
    first = said["questions"][0]
    assert {"title", "lead", "outlet", "url", "published_at", "score", "on_topic", "terms"} <= first.keys()
    newsbeat("topic", "label", "barrage", str(first["article_id"]), "on")
    after = json.loads(newsbeat("topic", "review", "barrage", "--json").stdout)
    assert first["article_id"] not in {one["article_id"] for one in after["questions"]}


# --- tune -----------------------------------------------------------------------------------------------------


def test_tune_proposes_a_threshold_between_the_answers_and_writes_it_only_when_told(
    place: Path, newsbeat: Newsbeat
) -> None:
    newsbeat("topic", "label", "barrage", number("half"), "on")
    newsbeat("topic", "label", "barrage", number("some"), "off")
    path = place / "config" / "topics" / "barrage.toml"
    before = path.read_text()
    ran = newsbeat("topic", "tune", "barrage")
    assert ran.exit_code == 0, ran.output
    assert "-threshold = " in ran.stdout
    assert "  # set by hand" in ran.stdout
    assert "1 right, precision -, recall 0.00 now" in ran.stdout
    assert "2 right, precision 1.00, recall 1.00 with the change" in ran.stdout
    assert "weights stay: they need 8 labels on topic and 8 off" in ran.stdout
    assert path.read_text() == before, "nothing changes without the person"
    said = json.loads(newsbeat("topic", "tune", "barrage", "--write", "--json").stdout)
    scores = scored()
    assert scores["some"] < said["threshold"]["proposed"] <= scores["half"]
    assert said["written"]
    changed = [
        line for line, old in zip(path.read_text().splitlines(), before.splitlines(), strict=True) if line != old
    ]
    assert changed == [f"threshold = {said['threshold']['proposed']:g}  # set by hand"]
    assert "nothing to change" in newsbeat("topic", "tune", "barrage").stdout
    newsbeat("retag")
    assert on_topic(place) == {"all", "most", "half"}


def test_tune_without_labels_says_how_to_begin(newsbeat: Newsbeat) -> None:
    assert "topic review barrage" in newsbeat("topic", "tune", "barrage").stdout


def test_tune_goes_by_what_is_stored_while_nobody_has_said_anything(place: Path, newsbeat: Newsbeat) -> None:
    with Store.open(place / "news.db") as store, store.transaction():
        outlet = store.feeds.outlet_id(Outlet("Example Times", (), "Example Media Group"))
        for at in range(200):
            store.articles.add(article(f"off{at}", title=f"News {at}", summary=None, text=BODY), outlet)
        for at in range(4):
            words = "The barrage over the estuary needs a sluice. Pontefract would build it. "
            store.articles.add(article(f"near{at}", title="Pontefract bids", summary=None, text=words * 2), outlet)
    path = place / "config" / "topics" / "barrage.toml"
    path.write_text(path.read_text().replace("threshold = ", "threshold = 0.9  # "))
    before = path.read_text()
    ran = newsbeat("topic", "tune", "barrage")
    assert ran.exit_code == 0, ran.output
    assert "-threshold = 0.9" in ran.stdout
    assert '+text = "Pontefract"' in ran.stdout
    assert "Nobody has said anything yet. Of 211 stored articles" in ran.stdout
    assert "topic review barrage" in ran.stdout
    assert path.read_text() == before, "nothing changes without the person"
    said = json.loads(newsbeat("topic", "tune", "barrage", "--write", "--json").stdout)
    now = config.topic(path)
    assert said["written"]
    assert now.threshold == said["threshold"]["proposed"] < 0.9
    assert [term.text for term in now.terms][3:] == [one["term"] for one in said["added"]]
    assert before.splitlines()[0] == path.read_text().splitlines()[0], "comments stay"


def test_tune_fits_a_topic_that_knows_its_seed_alone_as_it_would_have_been_made(
    place: Path, newsbeat: Newsbeat
) -> None:
    seed = place / "seed.txt"
    seed.write_text("Pontefract bids for the barrage\n\n" + "Pontefract would build the barrage and a sluice. " * 3)
    ran = newsbeat("topic", "new", str(seed), "--alone", "-o", str(place / "config" / "topics" / "bid.toml"))
    assert "Written from the seed alone. Once 200 articles are stored, `newsbeat topic tune bid`" in ran.stdout
    path = place / "config" / "topics" / "bid.toml"
    assert config.topic(path).fitted == 0
    with Store.open(place / "news.db") as store, store.transaction():
        outlet = store.feeds.outlet_id(Outlet("Example Times", (), "Example Media Group"))
        for at in range(240):
            store.articles.add(article(f"off{at}", title=f"A sluice {at}", summary=None, text=BODY), outlet)
        for at in range(4):
            words = "Pontefract bids for the barrage. Its turbines come from Helmsley. "
            store.articles.add(article(f"near{at}", title="Pontefract bids", summary=None, text=words * 2), outlet)
    made = newsbeat("topic", "new", str(seed), "-o", str(place / "made.toml"))
    assert made.exit_code == 0, made.output
    wanted = config.topic(place / "made.toml")
    assert newsbeat("topic", "tune", "bid", "--write").exit_code == 0
    tuned = config.topic(path)
    assert (tuned.fitted, tuned.scale, tuned.threshold) == (wanted.fitted, 1.0, wanted.threshold)
    weights = {term.text: term.weight for term in tuned.terms}
    assert {term.text: weights[term.text] for term in wanted.terms} == {t.text: t.weight for t in wanted.terms}
    assert all(weights[text] == 0.001 for text in weights.keys() - {term.text for term in wanted.terms})
    assert "fitted" not in newsbeat("topic", "tune", "bid").stdout, "from now on only a threshold and words are offered"


def test_weights_move_once_there_are_labels_enough_and_they_help_on_others(place: Path, newsbeat: Newsbeat) -> None:
    with Store.open(place / "news.db") as store:
        with store.transaction():
            outlet = store.feeds.outlet_id(Outlet("Example Times", (), "Example Media Group"))
            ids = {}
            for at in range(12):
                for kind, words in (("on", "The sluice on the barrage."), ("off", "The estuary by the barrage.")):
                    report = article(f"{kind}{at}", title=f"Report {at}", summary=None, text=words + " " + BODY)
                    ids[kind, at] = (store.articles.add(report, outlet) or 0, report.url)
        for (kind, _), (article_id, url) in ids.items():
            store.feedback.say(article_id, url, "barrage", kind == "on", "ada", NOW)
    newsbeat("retag")
    said = json.loads(newsbeat("topic", "tune", "barrage", "--json").stdout)
    weights = {one["term"]: one["proposed"] / one["now"] for one in said["weights"]}
    assert weights["sluice"] == pytest.approx(1.5, abs=0.01)
    assert weights["estuary"] == pytest.approx(1 / 1.5, abs=0.01)
    assert said["after"]["hit"] + said["after"]["left"] >= said["before"]["hit"] + said["before"]["left"]
    assert "+weight = 0.45" in said["diff"]


def test_a_file_that_gives_no_threshold_gets_one_above_its_tables(place: Path, newsbeat: Newsbeat) -> None:
    path = place / "config" / "topics" / "barrage.toml"
    path.write_text("".join(line for line in PROFILE.splitlines(True) if not line.startswith("threshold")))
    newsbeat("retag")
    newsbeat("topic", "label", "barrage", number("all"), "off")
    said = json.loads(newsbeat("topic", "tune", "barrage", "--write", "--json").stdout)
    assert said["written"]
    assert config.topic(path).threshold == said["threshold"]["proposed"] > scored()["all"]


PAGE = (
    "<!doctype html><meta charset={charset}><title>Saltmere</title><article><h1>Saltmere votes on water buyback</h1>"
    + "<p>The council of Saltmere voted on Tuesday to buy its water company back from Helvia Utilités.</p>" * 6
    + "</article>"
)


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-8", "zlib", "idna", "nonsense"])
def test_topic_new_reads_a_web_page_in_its_encoding(tmp_path: Path, charset: str) -> None:
    with Outlets() as site:
        site.bodies["/a.html"] = PAGE.format(charset=charset).encode("iso-8859-1" if "iso" in charset else "utf-8")
        directory = site.configure(tmp_path / "config")
        ran = CliRunner().invoke(main, ["--config", str(directory), "topic", "new", f"{site.url}/a.html", "-o", "-"])
    assert ran.exit_code == 0, ran.stderr
    profile = tomllib.loads(ran.stdout)
    assert profile["seed"] == f"{site.url}/a.html"
    assert any("Utilités" in term["text"] for term in profile["term"])


@pytest.mark.parametrize(("path", "said"), [("/none", "404"), ("/empty", "words")])
def test_a_web_seed_that_is_no_article_is_told_in_words(tmp_path: Path, path: str, said: str) -> None:
    with Outlets({"/empty": b"<p>Nothing"}) as site:
        directory = site.configure(tmp_path / "config")
        ran = CliRunner().invoke(main, ["--config", str(directory), "topic", "new", f"{site.url}{path}", "-o", "-"])
    assert ran.exit_code in (1, 2)
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_web_seed_is_not_asked_for_by_somebody_without_a_contact(tmp_path: Path) -> None:
    with Outlets({"/a.html": b"<p>Text"}) as site:
        directory = site.configure(tmp_path / "config", contact="")
        ran = CliRunner().invoke(main, ["--config", str(directory), "topic", "new", f"{site.url}/a.html", "-o", "-"])
        assert site.asked == []
    assert ran.exit_code == 2
    assert "contact" in ran.stderr


SEED = (
    "Un barrage à Korvik\n\n"
    + "Le barrage de l'estuaire à Korvik a été achevé lundi, dit l'ingénieur Amélie Théron. " * 8
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_topic_new_reads_a_file_as_editors_save_it(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "seed.txt").write_bytes(SEED.encode(encoding))
    ran = CliRunner().invoke(main, ["topic", "new", str(tmp_path / "seed.txt"), "-o", "-"])
    assert ran.exit_code == 0, ran.output
    assert "Amélie Théron" in ran.output


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(SEED.encode("utf-16-le"), "Save it as plain text in UTF-8", id="no mark says which"),
        pytest.param(bytes(range(256)) * 20, "Save it as plain text in UTF-8", id="no text"),
        pytest.param(b"and the of in to a is that it for " * 20, "no word in it tells a topic", id="nothing to tell"),
    ],
)
def test_topic_new_refuses_what_tells_no_topic(tmp_path: Path, raw: bytes, said: str) -> None:
    (tmp_path / "seed.txt").write_bytes(raw)
    for words, given in (([str(tmp_path / "seed.txt")], None), (["-"], raw)):
        ran = CliRunner().invoke(main, ["topic", "new", *words, "-o", str(tmp_path / "made.toml")], input=given)
        assert (ran.exit_code, said in ran.stderr) == (2, True), ran.output
    assert not (tmp_path / "made.toml").exists()


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("x" * 5000, id="a word without end"),
        pytest.param("Korvik" * 60, id="a name without end"),
        pytest.param(" ".join(["Upper Saltmere Harbour Board"] * 12), id="a name of many words"),
        pytest.param('\x07 "quoted" \\ back \u2028 line', id="signs that TOML must escape"),
    ],
)
def test_what_topic_new_writes_can_always_be_loaded(tmp_path: Path, odd: str) -> None:
    (tmp_path / "seed.txt").write_text(f"{SEED} {odd} spoke. {odd} left. {SEED}", encoding="utf-8")
    ran = CliRunner().invoke(main, ["topic", "new", str(tmp_path / "seed.txt"), "-o", str(tmp_path / "made.toml")])
    assert ran.exit_code == 0, ran.output
    assert config.topic(tmp_path / "made.toml").terms
