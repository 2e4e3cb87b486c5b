"""What is wrong with a topic that reads well: each finding with its key, and none where nothing is wrong."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes import CONTACT, NOW, article
from hypothesis import given
from hypothesis import strategies as st

from pipeline import checkup, topics
from pipeline.cli import main
from pipeline.model import Evidence, Match, Outlet, Rules, Term, TopicProfile
from pipeline.store import Store
from pipeline.topics import Tried

BARRAGE = TopicProfile(
    "barrage",
    "The barrage",
    (Term("barrage", 0.6), Term("estuary", 0.5, "word", ("tidal mouth",)), Term("sluice", 0.3)),
)


def terms(*more: Term) -> TopicProfile:
    return replace(BARRAGE, terms=(*BARRAGE.terms, *more))


def tried(**changes: object) -> Tried:
    """An archive in which the topic does well."""
    hits = Counter({"barrage": 40, "estuary": 60, "sluice": 9})
    values = {"articles": 2000, "hits": hits, "highest": 0.6, "enough": 30, "closed": 3, **changes}
    return Tried(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("profile", "key", "why", "grave"),
    [
        pytest.param(terms(Term("…", 1)), "term[4].text", "'…' holds no word", True, id="no word"),
        pytest.param(terms(Term("weir", 1, "word", ("--",))), "term[4].aliases[1]", "holds no word", True, id="alias"),
        pytest.param(replace(BARRAGE, rules=Rules(none=("!",))), "rules.none[1]", "holds no word", True, id="rule"),
        pytest.param(terms(Term("Barrages", 1)), "term[4]", "is one with 'barrage' of term[1]", False, id="twice"),
        pytest.param(terms(Term("tidal mouths", 1)), "term[4]", "one with 'tidal mouth' of term[2]", False, id="alias"),
        pytest.param(terms(Term("weir", 0.001)), "term[4].weight", "next to nothing", False, id="no weight"),
        pytest.param(replace(BARRAGE, threshold=0.8), "threshold", "more than hardly any", False, id="threshold"),
        pytest.param(
            replace(BARRAGE, rules=Rules(all=("Korvik",), none=("korvik",))),
            "rules.all", "nothing gets in", True, id="all and none",
        ),
        pytest.param(
            replace(BARRAGE, rules=Rules(any=("Korvik", "Holt"), none=("korvik", "Holt"))),
            "rules.any", "nothing gets in", True, id="any and none",
        ),
        pytest.param(
            replace(BARRAGE, rules=Rules(none=("Estuary",))), "rules.none", "is also a term (term[2])", False, id="term"
        ),
    ],
)  # fmt: skip
def test_a_file_that_reads_well_may_still_be_wrong(profile: TopicProfile, key: str, why: str, grave: bool) -> None:
    (found,) = topics.findings(profile)
    assert (found.key, found.grave) == (key, grave)
    assert why in found.why
    assert found.cure


@pytest.mark.parametrize(
    ("seen", "key", "why"),
    [
        pytest.param(tried(beside=Counter(barrage=1182)), "term[1]", "in 60% of", id="everything"),
        pytest.param(tried(hits=Counter(barrage=40, estuary=9)), "term[3]", "'sluice' stands in none", id="never"),
        pytest.param(tried(hits=Counter(), enough=0), "term", "not one term stands in any", id="none at all"),
        pytest.param(tried(enough=0, highest=0.11), "threshold", "the highest has 0.11", id="out of reach"),
        pytest.param(tried(closed=30), "rules", "the rules keep every one of them out", id="closed"),
    ],
)
def test_the_archive_shows_what_the_file_does_not(seen: Tried, key: str, why: str) -> None:
    (found,) = topics.findings(BARRAGE, seen)
    assert found.key == key
    assert why in found.why
    assert not found.grave


def test_nothing_is_found_where_nothing_is_wrong_or_too_little_is_known() -> None:
    assert topics.findings(BARRAGE) == ()
    assert topics.findings(BARRAGE, tried()) == ()
    assert topics.findings(BARRAGE, tried(articles=150, hits=Counter(barrage=150), enough=0)) == ()
    assert topics.findings(BARRAGE, tried(articles=900, hits=Counter(barrage=40))) == (), "it may wait for its day"


words = st.sampled_from(["barrage", "Barrages", "…", "Korvik", "tidal mouth", "!", "the"])
listed_terms = st.builds(Term, words, st.floats(0.001, 10), st.just("word"), st.lists(words, max_size=2).map(tuple))


@given(
    st.lists(listed_terms, min_size=1, max_size=12),
    st.builds(Rules, *[st.lists(words, max_size=3).map(tuple)] * 3),
    st.floats(0.01, 0.99),
)
def test_any_profile_can_be_looked_over(listed: list[Term], rules: Rules, threshold: float) -> None:
    profile = replace(BARRAGE, terms=tuple(listed), rules=rules, threshold=threshold)
    seen = Tried()
    for at in range(250):
        piece = Evidence(listed[at % len(listed)].text, "text", 1, 0.2)
        seen.add(Match("u", "barrage", 0.2, True, (piece,), "h", "closed" * (at % 2)) if at % 3 else None, threshold)
    for found in topics.findings(profile, seen):
        assert found.why.endswith((".", "!", "?"))
        assert found.cure


# --- the archive and the command ------------------------------------------------------------------------------


def archive(path: Path, count: int, days: int = 0) -> None:
    with Store.open(path) as store, store.transaction():
        outlet = store.feeds.outlet_id(Outlet("Example Times", (), "Example Media Group"))
        for at in range(count):
            seen = NOW - timedelta(days=days * (count - at) / count)
            said = "Engineers spoke about plans in the town hall of Korvik. " * 3 + "One is a barrage."
            store.articles.add(article(f"n{at}", text=said, first_seen_at=seen), outlet)


def test_topics_are_tried_on_the_latest_articles(tmp_path: Path) -> None:
    archive(tmp_path / "news.db", 250)
    with Store.read(tmp_path / "news.db") as store:
        found = [finding.key for _, finding in checkup.of_topics([BARRAGE], store, NOW)]
        assert "term[1]" in found
        assert [finding.key for _, finding in checkup.of_topics([BARRAGE], None, NOW)] == []


def test_a_topic_that_knows_its_seed_alone_is_told_once_there_are_articles(tmp_path: Path) -> None:
    alone = replace(BARRAGE, fitted=0)
    archive(tmp_path / "news.db", topics.LEAST_ARTICLES)
    with Store.open(tmp_path / "news.db") as store:

        def told(profile: TopicProfile) -> list[str]:
            return [found.cure for _, found in checkup.of_topics([profile], store, NOW) if found.key == "fitted"]

        assert told(alone) == [f"`newsbeat topic tune {BARRAGE.slug}` shows what they teach it."]
        assert told(BARRAGE) == told(replace(alone, fitted=200)) == [], "nobody asks about a person's own file"
        one = next(iter(store.articles.all()))
        store.feedback.say(one.id or 0, one.url, BARRAGE.slug, False, "ada", NOW)
        assert told(alone) == [], "who answered has taught it"


def test_a_topic_without_an_article_for_a_month_is_told(tmp_path: Path) -> None:
    archive(tmp_path / "news.db", 10, days=40)
    with Store.read(tmp_path / "news.db") as store:
        (told,) = [finding.why for _, finding in checkup.of_topics([BARRAGE], store, NOW)]
        assert told == "no article on this topic for 40 days, though others came in."
        assert list(checkup.of_topics([BARRAGE], store, NOW + timedelta(days=60))) == [], "nothing came in at all"


def test_check_warns_and_exits_0_and_for_what_cannot_work_2(tmp_path: Path) -> None:
    config = tmp_path / "config"
    (config / "topics").mkdir(parents=True)
    (config / "newsbeat.toml").write_text(f'[fetch]\ncontact = "{CONTACT}"\n')
    (config / "feeds.toml").write_text('[[feed]]\nurl = "https://feeds.example.org/world.xml"\n')
    head = 'title = "The barrage"\nthreshold = 0.2\n[[term]]\ntext = "barrage"\nweight = 1.0\n'

    def check(more: str = "") -> tuple[int, str]:
        (config / "topics" / "barrage.toml").write_text(head + more)
        ran = CliRunner().invoke(main, ["--config", str(config), "--db", str(tmp_path / "news.db"), "check"])
        return ran.exit_code, ran.output

    assert check() == (0, f"{config}: 1 feed, 0 outlets, 1 topic; everything is in order.\n")
    code, said = check('[[term]]\ntext = "Barrages"\nweight = 1.0\n')
    assert code == 0
    assert f"worth a look: {config / 'topics' / 'barrage.toml'}: term[2]: 'Barrages' is one with" in said
    code, said = check('[[term]]\ntext = "?"\nweight = 1.0\n')
    assert code == 2
    assert "not everything is in order" in said
    assert not (tmp_path / "news.db").exists(), "looking makes no database"
    archive(tmp_path / "news.db", 250)
    head = head.replace("0.2", "0.74")
    code, said = check()
    assert code == 0
    assert "'barrage' stands in 100% of what is off topic among the latest 250 articles" in said
    with sqlite3.connect(tmp_path / "news.db") as db:
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm0009_verdicts'")
    code, said = check()
    assert code == 0
    assert "The topics were not tried on it." in said
