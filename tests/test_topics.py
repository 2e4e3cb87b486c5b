"""Seed to profile, and article to match: the score is the sum of its evidence, and the evidence points at the words."""

from __future__ import annotations

import time
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from fakes import article
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import patterns, reading, text, topics
from pipeline.errors import ConfigError
from pipeline.model import SCORING, Article, Evidence, Match, Rules, Term, TopicProfile
from pipeline.topics import words
from pipeline.topics.document import MIN_WORDS
from pipeline.topics.match import MAX_SPANS, SINGLE_TERM
from pipeline.topics.words import read as words_of

FERRY = TopicProfile(
    slug="albatross",
    title="The grounding of the Albatross",
    terms=(
        Term("Albatross", 0.5, "name"),
        Term("Skarn reef", 0.4, "name", ("Skarn rocks",)),
        Term("Korvik", 0.4, "name"),
        Term("lifeboat", 0.2),
        Term("coastguard", 0.2, "word", ("coast guard",)),
        Term("deal", 0.1, "word", ("deals",)),
    ),
    threshold=0.2,
    profile_hash="p1",
)
REPORT = article(
    title="Albatross hits Skarn reef",
    summary="Lifeboats were sent from Korvik.",
    text="The ferry Albatross struck the Skarn reef off Korvik. Lifeboats and the coast guard came. No deals followed.",
)


def matched(report: Article, profile: TopicProfile = FERRY) -> Match | None:
    found = topics.match(report, [topics.compiled(profile)])
    return found[0] if found else None


def score(report: Article, profile: TopicProfile = FERRY) -> float:
    found = matched(report, profile)
    return found.score if found else 0.0


def evidence(report: Article, term: str, profile: TopicProfile = FERRY) -> list[Evidence]:
    found = matched(report, profile)
    return [one for one in found.evidence if one.term == term] if found else []


def test_a_report_of_the_matter_is_on_topic_with_its_evidence() -> None:
    found = matched(REPORT)
    assert found is not None
    assert found.on_topic
    assert found.score >= FERRY.threshold
    assert (found.topic, found.profile_hash, found.article_url, found.why) == ("albatross", "p1", REPORT.url, "")
    assert {one.term for one in found.evidence} == {term.text for term in FERRY.terms}
    assert found.evidence[0].term in ("Albatross", "Skarn reef", "Korvik")


def test_scores_that_change_ask_for_another_number_of_the_way_they_are_made() -> None:
    """These scores belong to this SCORING. Where they change, raise it in model.py, so that tags are made anew."""
    short = article(title="Lifeboats out off Korvik", summary=None, text="A ferry is aground, the coastguard says.")
    assert (SCORING, score(REPORT), score(short)) == (3, 0.4849, 0.3358)


def test_a_report_without_any_term_gives_no_match() -> None:
    other = article(title="Bakery wins a prize", summary="A loaf of rye.", text="The sisters bake in Lower Tannet.")
    assert topics.match(other, [topics.compiled(FERRY)]) == ()


@pytest.mark.parametrize(
    ("written", "places"),
    [
        pytest.param("Korvik", ["Korvik"], id="the term"),
        pytest.param("KORVIK", ["KORVIK"], id="in capitals"),
        pytest.param("Korvik's mayor", ["Korvik's"], id="possessive"),
        pytest.param("Korvik, korvik", ["Korvik", "korvik"], id="twice"),
        pytest.param("Korviksund", [], id="not inside a word"),
        pytest.param("Ko\u0301rvik", ["Ko\u0301rvik"], id="with an accent in two characters"),
    ],
)
def test_a_term_is_found_however_it_is_written(written: str, places: list[str]) -> None:
    report = article(title="Ferry aground", summary=None, text=f"News from {written} today.")
    spans = [span for one in evidence(report, "Korvik") for span in one.spans]
    assert [report.text[start:end] for start, end in spans] == places


@pytest.mark.parametrize(
    ("written", "count"),
    [
        pytest.param("the coastguard", 1, id="the term"),
        pytest.param("the coast guard", 1, id="its alias"),
        pytest.param("the coast-guard", 1, id="its alias with a hyphen"),
        pytest.param("coast guard and coastguards", 2, id="alias and plural"),
        pytest.param("the guard of the coast", 0, id="another order"),
    ],
)
def test_an_alias_counts_as_the_term_itself(written: str, count: int) -> None:
    report = article(title="Ferry aground", summary=None, text=f"They met {written} there.")
    assert sum(one.count for one in evidence(report, "coastguard")) == count


def test_an_alias_that_is_the_plural_does_not_count_a_mention_twice() -> None:
    report = article(title="Ferry aground", summary=None, text="Two deals and one deal.")
    assert [one.count for one in evidence(report, "deal")] == [2]
    without = replace(FERRY, terms=tuple(replace(term, aliases=()) for term in FERRY.terms))
    assert score(report) == score(report, without)


def test_forms_of_one_term_that_overlap_are_one_mention_the_longest() -> None:
    profile = replace(FERRY, terms=(*FERRY.terms, Term("Holt", 0.3, "name", ("Ragna Holt", "Holt Shipping"))))
    report = article(title="Ferry aground", summary=None, text="Holt Shipping owns it. Ragna Holt Shipping too.")
    [found] = evidence(report, "Holt", profile)
    assert [report.text[start:end] for start, end in found.spans] == ["Holt Shipping", "Ragna Holt"]


def test_a_mention_in_the_headline_brings_more_than_one_in_the_text() -> None:
    body = "Bakers, masons and weavers marched through the old market to the tune of a brass band. " * 5
    above = article(title="Korvik marches", summary=None, text=f"{body} It was in town.")
    below = article(title="Town marches", summary=None, text=f"{body} It was in Korvik.")
    strict = replace(FERRY, threshold=0.9)
    assert score(above, strict) > score(below, strict)


def test_one_term_alone_does_not_make_a_topic() -> None:
    report = article(title="Albatross Albatross", summary=None, text="Albatross. " * 50)
    found = matched(report)
    assert found is not None
    assert found.score <= FERRY.threshold * SINGLE_TERM + 1e-4
    assert not found.on_topic


def test_a_profile_of_few_terms_may_be_met_by_one() -> None:
    few = replace(FERRY, terms=FERRY.terms[:2])
    found = matched(article(title="Albatross aground", summary=None, text="The Albatross ran aground."), few)
    assert found is not None
    assert found.on_topic


@pytest.mark.parametrize(
    ("rules", "open_", "why"),
    [
        pytest.param(Rules(), True, "", id="no gates"),
        pytest.param(Rules(any=("ferry", "tanker")), True, "", id="one of any"),
        pytest.param(Rules(any=("tanker", "yacht")), False, "none of tanker and yacht stands in it", id="none of any"),
        pytest.param(Rules(all=("ferry", "Korvik")), True, "", id="all of all"),
        pytest.param(Rules(all=("ferry", "yacht")), False, '"yacht" does not stand in it', id="not all of all"),
        pytest.param(Rules(none=("yacht",)), True, "", id="none of none"),
        pytest.param(Rules(none=("yacht", "coast guard")), False, '"coast guard" stands in it', id="one of none"),
        pytest.param(Rules(none=("boat", "ree", "kor")), True, "", id="a part of a word is not the word"),
        pytest.param(Rules(all=("SKARN  REEF",)), True, "", id="case and space do not count"),
    ],
)
def test_gates_are_closed_or_open_before_the_score(rules: Rules, open_: bool, why: str) -> None:
    found = matched(REPORT, replace(FERRY, rules=rules))
    assert found is not None
    assert (found.on_topic, found.why) == (open_, why)
    assert found.score == score(REPORT), "a gate does not change the score"


def test_the_score_does_not_grow_with_length() -> None:
    long = replace(REPORT, text=" ".join([REPORT.text] * 30))
    assert score(long) < score(REPORT) * 1.5


def test_a_summary_that_is_the_text_counts_once() -> None:
    lead = "The Albatross struck the Skarn reef off Korvik."
    once = article(title="Ferry aground", summary=lead, text=lead, text_from="summary")
    assert {one.field for one in matched(once).evidence} == {"text"}  # type: ignore[union-attr]
    bare = article(title="Albatross aground at Korvik", summary=None, text="Albatross", text_from="title")
    assert {one.field for one in matched(bare).evidence} == {"title"}  # type: ignore[union-attr]


VOCABULARY = (
    "Albatross Skarn reef rocks Korvik's lifeboats coast guard coastguard deal deals the of a ferry Zürich".split()
)
prose = st.lists(st.sampled_from([*VOCABULARY, ".", "\n", "–", "Ko\u0301rvik"]), max_size=60).map(" ".join)
profiles = st.builds(
    lambda terms, threshold: replace(FERRY, terms=tuple(terms), threshold=threshold),
    st.lists(
        st.builds(
            Term,
            st.sampled_from([*VOCABULARY, "Skarn reef", "coast guard", "!!!"]),
            st.floats(0.01, 100),
            st.just("word"),
            st.lists(st.sampled_from([*VOCABULARY, "the ferry", "…"]), max_size=3).map(tuple),
        ),
        min_size=1,
        max_size=8,
    ),
    st.floats(0.01, 0.99),
)
sources = st.sampled_from(["content", "summary", "page", "title"])


@settings(max_examples=200, deadline=None)
@given(st.none() | prose, st.none() | prose, prose, sources, profiles)
def test_the_score_lies_in_0_to_1_and_is_the_sum_of_its_evidence(
    title: str | None, summary: str | None, body: str, source: Any, profile: TopicProfile
) -> None:
    report = article(title=title, summary=summary, text=body, text_from=source)
    found = matched(report, profile)
    if found is None:
        return
    points = sum(one.points for one in found.evidence)
    assert 0 <= found.score <= 1
    assert found.score == pytest.approx(min(points, 1), abs=0.0001 * (len(found.evidence) + 1))
    assert found.on_topic == (found.score >= profile.threshold)
    fields = {"title": title or "", "summary": summary or "", "text": body}
    forms = {
        term.text: {tuple(word for word, _, _ in words_of(form)) for form in (term.text, *term.aliases)}
        for term in profile.terms
    }
    for term in profile.terms:  # a term listed twice brings both its lists of aliases
        forms[term.text] |= {
            tuple(word for word, _, _ in words_of(form))
            for twin in profile.terms
            if twin.text == term.text
            for form in twin.aliases
        }
    for one in found.evidence:
        assert one.points >= 0
        assert len(one.spans) == min(one.count, MAX_SPANS)
        assert all(end <= start for (_, end), (start, _) in zip(one.spans, one.spans[1:], strict=False))
        for start, end in one.spans:
            words = tuple(word for word, _, _ in words_of(fields[one.field][start:end]))
            assert words in forms[one.term]


@settings(max_examples=100, deadline=None)
@given(prose, prose, profiles)
def test_a_profile_is_judged_alone_as_among_others(title: str, body: str, profile: TopicProfile) -> None:
    report = article(title=title, text=body)
    together = topics.match(report, [topics.compiled(FERRY), topics.compiled(replace(profile, slug="other"))])
    alone = topics.match(report, [topics.compiled(replace(profile, slug="other"))])
    assert [found for found in together if found.topic == "other"] == list(alone)


@settings(max_examples=100, deadline=None)
@given(prose, prose, profiles, st.floats(0.1, 10))
def test_only_the_proportion_of_weights_counts(title: str, body: str, profile: TopicProfile, factor: float) -> None:
    report = article(title=title, text=body)
    heavier = replace(profile, terms=tuple(replace(term, weight=term.weight * factor) for term in profile.terms))
    assert score(report, heavier) == pytest.approx(score(report, profile), abs=0.0002)


# --- from a seed ----------------------------------------------------------------------------------------------

HEADLINE = "Regulators weigh the sale of TideBank to Norholm Group"
SEED = f"""{HEADLINE}

KORVIK (XYZ) - Regulators are weighing whether Norholm Group may buy TideBank, the country's third largest lender.
TideBank's board accepted the takeover in October. The Finance Authority said on Friday that the takeover needed
approval under the Cross Border Lending Act. Norholm Group, owned by Ilse Varga, wants to merge TideBank with its
insurance arm. Critics of the takeover say that branch closures would follow. Ilse Varga promised that TideBank would
keep its branches open until 2030.
"""


def profile_of(raw: str = SEED) -> TopicProfile:
    return topics.profile(topics.document(raw, "seeds/tidebank.txt"), "tidebank", seed="seeds/tidebank.txt")


def test_a_seed_makes_a_profile_that_finds_it() -> None:
    made = profile_of()
    read = topics.document(SEED, "seed")
    found = matched(article(title=read.headline, summary=None, text="\n".join(read.paragraphs)), made)
    assert found is not None
    assert found.on_topic
    assert found.score > 0.5


def test_a_profile_holds_what_the_seed_is_about() -> None:
    made = profile_of()
    texts = [term.text for term in made.terms]
    assert made.title == HEADLINE
    assert {"TideBank", "Norholm Group", "Ilse Varga"} <= set(texts)
    assert next(term for term in made.terms if term.text == "TideBank").kind == "name"
    assert next(term for term in made.terms if term.text == "TideBank").aliases == ("Tide Bank",)
    folded = {text.fold(word) for word in texts}
    assert not folded & {"xyz", "friday", "october", "said", "the", "2030"}
    assert [term.weight for term in made.terms] == sorted((term.weight for term in made.terms), reverse=True)
    assert sum(term.weight**2 for term in made.terms) == pytest.approx(1, abs=0.02)
    assert len(made.terms) <= 48


@pytest.mark.parametrize(
    ("wrapped", "title"),
    [
        pytest.param(SEED, HEADLINE, id="plain text"),
        pytest.param("\ufeff" + SEED, HEADLINE, id="byte order mark"),
        pytest.param("# " + SEED, HEADLINE, id="Markdown"),
        pytest.param("date 2025-11-03 " + SEED, HEADLINE, id="a date line"),
        pytest.param(
            "<html><body><h1>The sale</h1><p>" + SEED + "</p><script>var x = 'tracking';</script></body></html>",
            "The sale",
            id="HTML",
        ),
    ],
)
def test_a_seed_may_be_text_markdown_or_html(wrapped: str, title: str) -> None:
    read = topics.document(wrapped, "seed")
    said = " ".join(read.paragraphs)
    assert read.headline == title
    assert "tracking" not in said
    assert "(XYZ)" not in said, "the dateline goes"
    assert "TideBank" in {term.text for term in topics.profile(read, "tidebank").terms}


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("", id="empty"),
        pytest.param("Too short to be a seed.", id="a sentence"),
        pytest.param("<html><body><script>" + "word " * 100 + "</script></body></html>", id="only a script"),
        pytest.param("word " * (MIN_WORDS - 1), id="one word short"),
    ],
)
def test_a_seed_that_is_too_short_says_so(raw: str) -> None:
    with pytest.raises(ConfigError, match=f"at least {MIN_WORDS} words") as caught:
        topics.document(raw, "seeds/short.txt")
    assert caught.value.file == "seeds/short.txt"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("Word " * 20_000, id="capitalised words without end"),
        pytest.param("\n" * 20_000 + SEED, id="blank lines without end"),
        pytest.param("A" * 20_000 + " " + SEED, id="a word without end"),
        pytest.param("Korvik, " * 10_000, id="places without end"),
    ],
)
def test_a_hostile_seed_is_read_in_time(raw: str) -> None:
    started = time.process_time()
    topics.profile(topics.document(raw, "seed"), "seed")
    assert time.process_time() - started < 10  # a tenth of a second; what is worse than linear takes minutes


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        pytest.param("seeds/2020-12-05-tiktok.txt", "2020-12-05-tiktok", id="a file name"),
        pytest.param("TikTok's Sale.md", "tiktok-sale", id="a title"),
        pytest.param("Énergie & Société", "energie-societe", id="accents"),
        pytest.param("...", "topic", id="no words"),
        pytest.param("a" * 100, "a" * 60, id="long"),
    ],
)
def test_a_slug_is_made_of_letters_digits_and_hyphens(name: str, slug: str) -> None:
    assert topics.slug_of(name) == slug


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([*SEED.split(), "Éclair", "\n", "(AFP)", '"', "\\", "\x7f"]), min_size=60, max_size=150)
)
def test_any_seed_makes_a_profile_that_survives_being_written_as_toml(said: list[str]) -> None:
    raw = " ".join(said)
    if len(words_of(raw)) < 60:
        return
    made = topics.profile(topics.document(raw, "seed"), "seed", seed="seeds/seed.txt")
    read = tomllib.loads(topics.toml(made))
    assert read["title"] == made.title
    assert read["seed"] == made.seed
    assert read["threshold"] == made.threshold
    assert read.get("term", []) == [
        {"text": term.text, "weight": term.weight, "kind": term.kind}
        | ({"aliases": list(term.aliases)} if term.aliases else {})
        for term in made.terms
    ]
    assert len({term.text for term in made.terms}) == len(made.terms)


def test_gates_survive_being_written_as_toml() -> None:
    rules = Rules(any=('say "so"', "b"), all=("back\\slash",), none=("tab\there",))
    read = tomllib.loads(topics.toml(replace(FERRY, rules=rules)))
    assert read["rules"] == {"any": ['say "so"', "b"], "all": ["back\\slash"], "none": ["tab\there"]}


# --- names, languages, gates ----------------------------------------------------------------------------------


LONG_SEED = """The Orrin Bay inquiry

The Commission on Harbour Safety (CHS) opened its inquiry into the Orrin Bay disaster on Tuesday. Helga Brandvold, who
chairs it, said the ferry QuayLine had sailed without a pilot. Brandvold named three officials. The CHS will hear the
crew of QuayLine's ferry next. The Northern Pilots Union denies blame; the NPU says its pilots warned the port in Orrin
Bay. Brandvold promised a report on Orrin Bay before the winter, and the Northern Pilots Union promised to read it.

Sign up for our newsletter to read more stories like this.
Photo: Some Agency / All rights reserved
"""


def test_short_and_long_forms_of_a_name_are_one_term() -> None:
    terms = {term.text: term for term in topics.profile(topics.document(LONG_SEED, "seed"), "orrin-bay").terms}
    assert "CHS" in terms["Commission on Harbour Safety"].aliases, "by its brackets"
    assert "NPU" in terms["Northern Pilots Union"].aliases, "by its initials"
    assert terms["Helga Brandvold"].aliases == ("Brandvold",), "a surname, and no first name"
    assert "Quay Line" in terms["QuayLine"].aliases, "by its capitals"
    assert {term.kind for name, term in terms.items() if name in ("Helga Brandvold", "Orrin Bay")} == {"name"}
    assert not {"CHS", "NPU", "Brandvold", "newsletter", "Agency"} & set(terms)


def test_a_page_is_read_without_what_stands_around_its_article() -> None:
    body = "".join(f"<p>{line}</p>" for line in LONG_SEED.splitlines()[2:7])
    page = (
        "<html><body><nav><a>Home</a><a>Regatta results</a></nav><main><h1>The <b>Orrin Bay</b> inquiry</h1>"
        f"{body}<aside>Regatta tickets are on sale now for everyone who likes boats</aside></main></body></html>"
    )
    read = topics.document(page, "page")
    assert read.headline == "The Orrin Bay inquiry"
    assert "Regatta" not in " ".join(read.paragraphs)
    assert "Helga Brandvold" in " ".join(read.paragraphs)


def test_of_several_seeds_what_they_share_counts_most() -> None:
    other = "Bakers of Tannet\n\n" + "The bakers of Tannet struck over ovens. Korvik sent flour to Tannet. " * 5
    both = topics.profile([topics.document(LONG_SEED, "a"), topics.document(other + LONG_SEED, "b")], "both")
    weights = {term.text: term.weight for term in both.terms}
    assert weights["Orrin Bay"] > weights["Tannet"]


def test_a_note_says_how_often_a_term_stands_in_the_seed() -> None:
    read = topics.document(LONG_SEED, "seed")
    made = topics.profile(read, "orrin-bay")
    notes = topics.notes(made, [read])
    assert notes["Orrin Bay"] == "stands 4 times, also in the headline"
    assert '# stands 4 times, also in the headline\n[[term]]\ntext = "Orrin Bay"' in topics.toml(made, notes)


@pytest.mark.parametrize(
    ("lang", "surface", "said", "places"),
    [
        pytest.param("zh", "字节跳动", "美国要求字节跳动出售其业务。", ["字节跳动"], id="Chinese, without spaces"),
        pytest.param("ja", "潮力発電所", "新しい潮力発電所の建設が始まった。", ["潮力発電所"], id="Japanese"),
        pytest.param("ja", "タイドバンク", "買収されたタイドバンクは", ["タイドバンク"], id="Japanese, katakana"),
        pytest.param("th", "เรือข้ามฟาก", "มีเรือข้ามฟากลำใหม่", ["เรือข้ามฟาก"], id="Thai, with its vowel signs"),
        pytest.param("de", "Fährunglück", "Das Fährunglück von Korvik", ["Fährunglück"], id="German"),
        pytest.param("de", "Fahrunglück", "Das FÄHRUNGLÜCK", ["FÄHRUNGLÜCK"], id="German, folded"),
        pytest.param("fr", "marée", "L'usine de MAREE, la marée", ["MAREE", "marée"], id="French"),
        pytest.param("ar", "سفينة", "غرقت السفينة قرب", ["السفينة"], id="Arabic, with its article"),
        pytest.param("ru", "паром", "Новый паром «Паром»", ["паром", "Паром"], id="Russian"),
        pytest.param("hi", "दिल्ली", "नई दिल्ली में", ["दिल्ली"], id="Hindi, with its vowel signs"),
        pytest.param("en", "FBI", "The F.B.I. and the FBI", ["F.B.I", "FBI"], id="letters with points"),
        pytest.param("zh", "TikTok", "美国封禁TikTok应用", ["TikTok"], id="Latin letters in Chinese"),
    ],
)
def test_terms_are_found_in_any_script(lang: str, surface: str, said: str, places: list[str]) -> None:
    profile = replace(FERRY, terms=(Term("Albatross", 0.5, "name", (surface,)),))
    report = article(title=None, summary=None, text=said, lang=lang)
    found = matched(report, profile)
    assert found is not None
    assert [said[start:end] for one in found.evidence for start, end in one.spans] == places
    assert found.score > 0.3


def test_a_word_is_common_in_its_own_language() -> None:
    profile = replace(FERRY, terms=(Term("sammen", 0.5),))
    report = article(title=None, summary=None, text="De gik sammen.", lang="da")
    assert score(report, profile) < score(replace(report, lang="en"), profile)


@pytest.mark.parametrize(
    ("rule", "opens"),
    [
        pytest.param(r"re:\bskarn\s+(reef|rocks)\b", True, id="a pattern, case aside"),
        pytest.param(r"re:yacht|tanker", False, id="none of it"),
        pytest.param("lifeboat", True, id="a plural counts"),
    ],
)
def test_rules_may_be_patterns(rule: str, opens: bool) -> None:
    found = matched(REPORT, replace(FERRY, rules=Rules(all=(rule,))))
    assert found is not None
    assert found.on_topic is opens


@pytest.mark.parametrize(
    ("rules", "open_"),
    [
        pytest.param(Rules(none=("sandbank lighthouse",)), False, id="words behind what is read for the score"),
        pytest.param(Rules(none=("re:light.?house",)), False, id="a pattern there"),
        pytest.param(Rules(all=("sandbank lighthouse",)), True, id="words that must stand in it, there"),
        pytest.param(Rules(none=("rowing boat",)), True, id="words that stand nowhere"),
    ],
)
def test_rules_are_held_against_more_than_the_score_is_read_from(rules: Rules, open_: bool) -> None:
    long = replace(REPORT, text=REPORT.text + " Nothing more was known." * 200 + " They saw the sandbank lighthouse.")
    found = matched(long, replace(FERRY, rules=rules))
    assert len(long.text) > reading.LONGEST_READ
    assert found is not None
    assert found.on_topic is open_


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        pytest.param("re:(reef", "no pattern that RE2 knows", id="a bracket open"),
        pytest.param(r"re:(?=reef)", "cannot look around", id="look-ahead"),
        pytest.param("re:x*", "fits an empty text", id="fits everything"),
        pytest.param("re:" + "a" * 600, "at most 500 characters", id="too long"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused_in_words(rule: str, said: str) -> None:
    assert said in patterns.fault(rule)


def test_a_pattern_does_not_run_away() -> None:
    report = article(title=None, summary=None, text="a" * 10_000 + "!", text_from="content")
    few = replace(FERRY, terms=(Term("a" * 10_000, 0.5),), rules=Rules(none=("re:(a+)+$",)))
    assert patterns.fault("re:(a+)+$") == ""
    started = time.process_time()
    topics.match(report, [topics.compiled(few)])
    assert time.process_time() - started < 10  # a pattern that backtracks takes years


def test_what_scores_too_little_is_left_out_where_that_is_asked() -> None:
    one = topics.compiled(replace(FERRY, threshold=0.9))
    report = article(title="Town news", summary=None, text="A lifeboat was painted. " + "Bakers baked bread. " * 30)
    [found] = topics.match(report, [one])
    assert topics.match(report, [one], found.score / 0.9 - 0.01) == (found,)
    assert topics.match(report, [one], found.score / 0.9 + 0.01) == ()


NEWS = st.lists(
    st.sampled_from(
        "Albatross albatrosses Skarn reef rocks Korvik lifeboat coast guard deal bakers bread rain".split()
    ),
    max_size=40,
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(NEWS, NEWS, NEWS, st.floats(0.05, 0.9), st.floats(0.0, 1.5), st.sampled_from(["title", "summary", "content"]))
def test_who_cannot_score_enough_is_told_before_scoring_and_nobody_else_is_left_out(
    title: str, summary: str, body: str, threshold: float, least: float, source: Any
) -> None:
    report = article(title=title or None, summary=summary, text=body if source != "title" else title, text_from=source)
    few = replace(FERRY, slug="few", terms=FERRY.terms[1:3], threshold=threshold)
    panel = topics.Panel([topics.compiled(replace(FERRY, threshold=threshold)), topics.compiled(few)])
    everything = panel.match(report)
    enough = tuple(one for one in everything if one.score >= least * threshold)
    assert panel.match(report, least) == enough
    assert panel.match(report, least, reading.of(report)) == enough


@settings(max_examples=300)
@given(
    st.text(max_size=80)
    | st.text("aBsS.'’_ é", max_size=40)
    | st.text("aB1.'’s éßİ中文のไท “”„«»–—•\xa0…", max_size=60)
)
@example("\u0e31 a vowel sign that stands alone")
@example("U.S. and U.S.'s, U.S's, l'U.S, U.S.S.R.s, é.A.b")
def test_stems_heard_are_those_that_are_read_with_their_places(raw: str) -> None:
    assert words.heard(raw) == tuple(word for word, _, _ in words.read(raw))
    assert words.heard(raw, text.stems(raw)) == words.heard(raw)


@pytest.mark.parametrize(
    "said", ["'U.S. forces", "so. 'U.S. forces'", "’U.S. forces", "it's U.S. law", "x'U.S. law", "'F.B.I."]
)
def test_letters_with_full_stops_after_a_quotation_mark_are_one_word_wherever_they_are_read(said: str) -> None:
    """They were two where only stems were asked for, and one where places were: evidence then pointed past the end."""
    assert list(words.heard(said)) == [word for word, _, _ in words_of(said)]


def test_a_short_text_without_a_headline_is_not_set_back_for_having_none() -> None:
    profile = replace(FERRY, threshold=0.9)

    def fallen(headline: str) -> float:
        """How far a score falls when words that tell next to nothing make two hundred of a text."""
        said = "The Albatross lies on the Skarn reef."
        short, long = (
            score(article(title=headline, summary=None, text=said + " of the and" * more), profile) for more in (0, 70)
        )
        return long / short

    assert fallen("Ferry") == pytest.approx(1, abs=0.05)
    assert 0.8 < fallen("") < 0.92
