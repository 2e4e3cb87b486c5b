"""Is it the same text, and which story does it join. All reports are invented."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest
from fakes import NOW, article
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import prints, stories
from pipeline.model import Placement
from pipeline.stories import Candidate, Vector

Report = tuple[str | None, str]

FERRY = (
    "Ferry Albatross runs aground off Korvik",
    "The ferry Albatross ran aground on the Skarn reef off Korvik in thick fog, and lifeboats took all ninety"
    " passengers ashore. Captain Ragna Holt told the coastguard that the radar had failed minutes before.",
)
FERRY_AGAIN = (
    "Ninety rescued as Albatross hits reef near Korvik",
    "Lifeboats brought ninety passengers of the grounded ferry Albatross to Korvik. The coastguard said that the"
    " ship struck the Skarn reef in fog after its radar failed, according to captain Ragna Holt.",
)
FERRY_THIRD = (
    "Fog and a failed radar: how the Albatross ran onto the Skarn reef",
    "All ninety passengers of the ferry Albatross are safe in Korvik after the ship ran aground on the Skarn reef in"
    " fog. Captain Ragna Holt said the radar failed; the coastguard sent lifeboats.",
)
BAKERY = (
    "Village bakery wins the golden rye prize",
    "A bakery in Lower Tannet won the golden rye prize for a sourdough loaf baked in a wood oven by the Pemberle"
    " sisters, who learned the craft from their grandmother.",
)
WIRE = (
    "Surveyors mapped a colony of puffins on the cliffs of Ostrey this spring and counted twice as many burrows as a"
    " decade ago. The biologist Wenche Aalbu credits a ban on trawling near the skerries, which left more sand eels"
    " for the chicks. Fishermen in Ostrey had opposed the ban and lost their court case in the capital. The warden"
    " hopes that gannets will follow, and a webcam will be mounted beside the lighthouse before the next breeding"
    " season begins. Visitors are asked to keep dogs on leads along the coastal path until the last chick has flown."
)


def printed(title: str | None, body: str) -> Vector:
    """A fingerprint in a window that knows nothing."""
    return prints.fingerprint(prints.words(title, body))


def key(word: str) -> int:
    """What a word is called in a fingerprint."""
    [only] = printed(None, word)
    return only


def candidate(
    report: Report,
    article_id: int = 1,
    *,
    outlet: str = "Hill Gazette",
    story_id: int | None = 1,
    copy_of: int | None = None,
    seen_at: datetime = NOW,
) -> Candidate:
    return Candidate(article_id, outlet, seen_at, copy_of, story_id, printed(*report))


def place(
    report: Report,
    *candidates: Candidate,
    outlet: str = "Example Times",
    texts: dict[int, str] | None = None,
    at: datetime = NOW,
) -> Placement:
    """Where a report belongs; `texts` are the texts of the candidates, for those that are looked at twice."""
    own = printed(*report)
    made = article(title=report[0], text=report[1], outlet=outlet, published_at=at, first_seen_at=at)
    twice = stories.look_twice(made, own, candidates)
    read = {number: body for number, body in (texts or {}).items() if number in twice}
    of = {story: [one for one in candidates if one.story_id == story] for story in {c.story_id for c in candidates}}
    centres = {story: stories.gathered(reports) for story, reports in of.items() if story is not None}
    return stories.place(made, own, candidates, {story: c for story, c in centres.items() if c}, read)


def test_an_article_without_neighbours_opens_a_story() -> None:
    assert place(FERRY).story_id is None


def test_a_report_of_the_same_event_joins_its_story() -> None:
    made = place(FERRY_AGAIN, candidate(FERRY, story_id=7), candidate(BAKERY, 2, story_id=8))
    assert made.story_id == 7
    assert made.copy_of is None
    assert stories.SAME_EVENT <= made.similarity <= 1


def test_a_report_of_another_event_opens_its_own() -> None:
    assert place(BAKERY, candidate(FERRY), candidate(FERRY_AGAIN, 2)).story_id is None


def test_a_likeness_fades_with_time() -> None:
    placed = [
        place(FERRY_AGAIN, candidate(FERRY, seen_at=NOW - timedelta(hours=hours))).similarity for hours in (0, 12, 24)
    ]
    assert placed == sorted(set(placed), reverse=True)
    assert place(FERRY_AGAIN, candidate(FERRY, seen_at=NOW - timedelta(days=30))).story_id is None


def test_a_report_that_came_out_later_is_a_neighbour_too() -> None:
    """An archive is read in any order."""
    assert place(FERRY_AGAIN, candidate(FERRY, seen_at=NOW + timedelta(hours=24))).story_id == 1
    assert place(FERRY_AGAIN, candidate(FERRY, seen_at=NOW + timedelta(days=30))).story_id is None


def test_stories_that_turn_out_to_be_one_event_become_one() -> None:
    made = place(FERRY_AGAIN, candidate(FERRY, 1, story_id=7), candidate(FERRY_THIRD, 2, story_id=8))
    assert {made.story_id, *made.absorbs} == {7, 8}
    assert place(FERRY_AGAIN, candidate(FERRY, 1, story_id=7), candidate(BAKERY, 2, story_id=8)).absorbs == ()


def test_a_report_that_stands_in_the_wrong_story_comes_along() -> None:
    stray = candidate(FERRY, 3, story_id=8)
    bakery = [candidate(BAKERY, 4 + n, story_id=8) for n in range(3)]
    made = place(FERRY_AGAIN, candidate(FERRY_THIRD, 1, story_id=7), stray, *bakery)
    assert (made.story_id, made.absorbs, made.takes) == (7, (), (3,))


def test_a_candidate_that_no_story_holds_is_joined_by_nobody() -> None:
    assert place(FERRY_AGAIN, candidate(FERRY, story_id=None)).story_id is None


@pytest.mark.parametrize(
    ("body", "stored", "outlet", "copy_of"),
    [
        pytest.param(WIRE, WIRE, "Hill Gazette", 1, id="the same text at another outlet"),
        pytest.param(WIRE + " Our reporter was there.", WIRE, "Hill Gazette", 1, id="with something added"),
        pytest.param(WIRE[: len(WIRE) * 2 // 3], WIRE, "Hill Gazette", 1, id="shortened"),
        pytest.param(WIRE.upper(), WIRE, "Hill Gazette", 1, id="in capitals"),
        pytest.param(WIRE, WIRE, "Example Times", None, id="at the same outlet"),
        pytest.param(WIRE[:200], WIRE[:200], "Hill Gazette", 1, id="the same summary word for word"),
        pytest.param(WIRE[:200], WIRE[:120] + FERRY[1][:80], "Hill Gazette", None, id="half a summary in common"),
        pytest.param(WIRE[:100], WIRE[:100], "Hill Gazette", None, id="too short to be called one"),
        pytest.param(FERRY[1], WIRE, "Hill Gazette", None, id="another text"),
        pytest.param(" ".join(sorted(WIRE.split())), WIRE, "Hill Gazette", None, id="the same words in another order"),
    ],
)
def test_a_copy_is_the_same_text_at_another_outlet(body: str, stored: str, outlet: str, copy_of: int | None) -> None:
    near = candidate(("Puffins return to Ostrey", stored), outlet=outlet)
    assert place(("More puffins on the cliffs", body), near, texts={1: stored}).copy_of == copy_of


def test_a_copy_points_to_the_earliest_version_and_joins_its_story() -> None:
    report = ("Puffins return to Ostrey", WIRE)
    first = candidate(report, 3, story_id=9)
    second = candidate(report, 5, outlet="Coast Post", story_id=9, copy_of=3)
    texts = {3: WIRE, 5: WIRE}
    assert place(report, second, first, texts=texts) == Placement(9, 1.0, 3)
    assert place(report, second, texts=texts) == Placement(9, 1.0, 3), "a copy of a copy is a copy of the first"


def test_an_original_that_is_seen_late_takes_its_place() -> None:
    report = ("Puffins return to Ostrey", WIRE)
    stored = candidate(report, 3, story_id=9)
    made = place(report, stored, texts={3: WIRE}, at=NOW - timedelta(hours=2))
    assert (made.story_id, made.copy_of, made.original_of) == (9, None, 3)


def test_only_texts_that_are_much_alike_are_looked_at_twice() -> None:
    wire = ("Puffins return to Ostrey", WIRE)
    near = [candidate(wire, 1), candidate(FERRY, 2), candidate(BAKERY, 3)]
    made = article(outlet="Example Times")
    assert stories.look_twice(made, printed("More puffins", WIRE), near) == [1]
    own = article(outlet="Hill Gazette")
    assert stories.look_twice(own, printed("More puffins", WIRE), near) == [], "an outlet does not copy itself"


def test_an_article_joins_the_story_it_is_most_like_on_average() -> None:
    near = [candidate(FERRY, 1, story_id=1), candidate(FERRY_THIRD, 2, story_id=1)]
    mixed = [candidate(FERRY, 3, story_id=2), candidate(BAKERY, 4, story_id=2)]
    assert place(FERRY_AGAIN, *mixed, *near).story_id == 1


def test_a_word_that_many_recent_articles_hold_counts_less() -> None:
    found = prints.words(*FERRY)
    plain = prints.fingerprint(found)
    weeks = prints.fingerprint(found, {key("albatross"): 300, key("reef"): 1}, 1000)
    assert weeks[key("albatross")] < plain[key("albatross")] / 2
    assert weeks[key("reef")] > plain[key("reef")] * 0.9
    assert key("korvik") in weeks


BEAT = {"vaccine": 180, "virus": 240, "pandemic": 150}
"""Words of a beat, and how many of a small window's reports hold them."""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("Korvik ferry crew wait for a virus vaccine", "Sailors say that the pandemic emptied the harbour."),
            ("Virus vaccine trial begins in Lower Tannet", "The pandemic left the laboratory short of volunteers."),
        ),
        (
            ("Rye prize judged by post", "Bakers blame the virus, and a vaccine that came late in the pandemic."),
            ("Puffin wardens off Ostrey", "Visitors wait for a vaccine as the virus and the pandemic close paths."),
        ),
    ],
)
def test_two_short_reports_of_one_beat_are_not_of_one_event(one: Report, other: Report) -> None:
    held = {key(word): count for word, count in BEAT.items()}
    read = [prints.words(*report) for report in (one, other)]
    assert stories.alike(*(prints.fingerprint(found) for found in read)) > stories.SAME_EVENT, "nothing known of a beat"
    assert stories.alike(*(prints.fingerprint(found, held, 600) for found in read)) < stories.SAME_EVENT / 2


def test_a_few_reports_of_a_new_event_make_its_words_no_more_common() -> None:
    found = prints.words("Ferry Albatross runs aground off Korvik", "Lifeboats came from Skarn.")
    known = prints.fingerprint(found, {key("albatross"): 3, key("skarn"): 2}, 600)
    plain = prints.fingerprint(found)
    assert known[key("albatross")] > plain[key("albatross")] * 0.7
    assert known[key("skarn")] > plain[key("skarn")] * 0.8


def test_forms_of_a_word_are_one_word() -> None:
    assert key("rejected") == key("rejects") == key("rejecting") != key("ferry")


def test_what_any_report_may_hold_makes_less_of_a_likeness() -> None:
    usual = printed(
        None, "The minister said on Monday that the government will present a plan to parliament next year."
    )
    rare = printed(*FERRY)
    assert prints.likeness(usual, usual) < prints.likeness(rare, rare)


def test_a_word_that_all_recent_articles_hold_counts_nothing() -> None:
    found = prints.words("Albatross", "")
    assert sum(prints.fingerprint(found, {key("albatross"): 10**6}, 10**6).values()) < prints.LONGEST + 1e-9


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param((None, ""), FERRY, id="nothing to compare"),
        pytest.param((None, "the of and"), FERRY, id="only common words"),
        pytest.param(BAKERY, ("Zyx", "qwv"), id="no word in common"),
    ],
)
def test_nothing_in_common_is_no_likeness(one: Report, other: Report) -> None:
    assert prints.likeness(printed(*one), printed(*other)) == 0
    assert not stories.same_text(stories.runs(one[1]), stories.runs(WIRE))


def test_telling_words_are_the_rarest_and_most_stressed_first() -> None:
    made = prints.telling_words(printed(*FERRY))
    assert len(made) <= prints.TELLING_WORDS
    assert list(made.values()) == sorted(made.values(), reverse=True)
    assert {key("albatross"), key("korvik")} <= set(list(made)[:5])
    assert printed("the", "the of and") == {}


WORDS = "albatross korvik reef fog ferry captain radar lifeboat harbour the of and bakery rye 2026 deals deal".split()
reports = st.tuples(
    st.none() | st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=90).map(" ".join),
)


@settings(max_examples=150, deadline=None)
@given(reports, reports)
def test_likeness_is_symmetric_and_bounded(one: Report, other: Report) -> None:
    left, right = printed(*one), printed(*other)
    value = prints.likeness(left, right)
    assert value == pytest.approx(prints.likeness(right, left))
    assert 0 <= value <= prints.LONGEST**2 + 1e-6
    ours, theirs = stories.runs(one[1]), stories.runs(other[1])
    assert stories.same_text(ours, theirs) == stories.same_text(theirs, ours)


@settings(max_examples=100, deadline=None)
@given(
    reports, st.dictionaries(st.sampled_from(sorted({key(w) for w in WORDS if printed(None, w)})), st.integers(1, 60))
)
def test_the_window_only_takes_weight_away(report: Report, held: dict[int, int]) -> None:
    found = prints.words(*report)
    plain, weighed = prints.fingerprint(found), prints.fingerprint(found, held, 60)
    assert plain.keys() >= weighed.keys()
    free = [word for word in weighed if word not in held]
    assert all(weighed[word] >= plain[word] * (1 - 1e-9) for word in free), "of unit length: what loses gives to others"


@settings(max_examples=50, deadline=None)
@given(st.lists(reports, min_size=1, max_size=5))
def test_a_centre_grown_one_by_one_is_the_centre_made_anew(given: list[Report]) -> None:
    own = [candidate(one, number) for number, one in enumerate(given, start=1)]
    grown = stories.opened(1, own[0].print, NOW)
    for one in own[1:]:
        grown = stories.joined(grown, one.article_id, one.print, one.seen_at)
    made = stories.gathered(own)
    assert made is not None
    assert (grown.count, grown.first_at, grown.last_at) == (made.count, made.first_at, made.last_at)
    assert dict(grown.sum) == pytest.approx(dict(made.sum))


@settings(max_examples=100, deadline=None)
@given(reports)
def test_a_fingerprint_has_about_length_one_or_is_empty_and_survives_being_packed(report: Report) -> None:
    made = printed(*report)
    length = math.sqrt(sum(value**2 for value in made.values()))
    assert not made or prints.SHORTEST - 1e-9 <= length <= prints.LONGEST + 1e-9
    back: Vector = prints.unpacked(prints.packed(made))
    assert back == pytest.approx(made)
    assert prints.likeness(made, back) == pytest.approx(prints.likeness(made, made), abs=1e-5)


neighbours = st.lists(
    st.tuples(
        reports,
        st.sampled_from(["Example Times", "Hill Gazette"]),
        st.none() | st.integers(1, 3),
        st.none() | st.integers(1, 9),
        st.integers(0, 200),
    ),
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(reports, neighbours)
def test_an_article_joins_one_of_its_neighbours_stories_or_none(
    report: Report, near: list[tuple[Report, str, int | None, int | None, int]]
) -> None:
    candidates = [
        candidate(stored, number, outlet=outlet, story_id=story, copy_of=copy, seen_at=NOW - timedelta(hours=hours))
        for number, (stored, outlet, story, copy, hours) in enumerate(near, start=10)
    ]
    texts = {number: stored[1] for number, (stored, *_) in enumerate(near, start=10)}
    made = place(report, *candidates, texts=texts)
    assert made.story_id in {None, *(one.story_id for one in candidates)}
    assert 0 <= made.similarity <= 1 + 1e-6
    if made.story_id is not None and made.copy_of is None:
        assert made.similarity >= stories.SAME_EVENT
    assert made.story_id not in made.absorbs
    assert made == place(report, *candidates, texts=texts), "the same question has the same answer"


def test_looked_at_together_reports_are_grouped_by_event_in_whatever_order_they_came() -> None:
    reports = [
        candidate(one, number, story_id=number, outlet=f"Outlet {number}")
        for number, one in enumerate((FERRY, BAKERY, FERRY_AGAIN, FERRY_THIRD), 1)
    ]
    assert stories.grouped(reports, 100) == [[1, 3, 4], [2]]
    assert stories.grouped(reports[::-1], 100) == [[1, 3, 4], [2]]


def test_looked_at_together_a_copy_goes_with_its_original_and_weeks_are_kept_apart() -> None:
    copy = candidate(FERRY, 2, story_id=7, copy_of=1)
    later = candidate(FERRY_AGAIN, 3, story_id=8, seen_at=NOW + timedelta(days=20))
    assert stories.grouped([candidate(FERRY), copy, later], 100) == [[1, 2], [3]]


def test_a_large_story_is_looked_at_as_a_whole_and_what_belongs_to_it_still_comes() -> None:
    held = [candidate(one, number, story_id=7) for number, one in enumerate((FERRY, FERRY_AGAIN), 1)]
    whole = stories.gathered(held)
    assert whole is not None
    others = [candidate(FERRY_THIRD, 3, story_id=8), candidate(BAKERY, 4, story_id=9)]
    assert stories.grouped(others, 100, {7: whole}) == [[-7, 3], [4]]
    assert stories.grouped([others[1]], 100, {7: whole}) == [[4], [-7]]
