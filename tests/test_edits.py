"""What an edit changed: each kind by example, and the laws of the difference between two texts."""

from __future__ import annotations

import string
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import edits
from pipeline.edits import Wording, kinds
from pipeline.worddiff import diff

LEAD = "The harbour bridge was closed on Monday after cracks were found in two of its pillars, the council said."
MORE = (
    "Engineers will look at the pillars for a week. Ferries run every ten minutes until then. About 12,000 people cross"
    " the bridge on a working day, and many of them came late to work."
)
QUOTE = "“We had no choice but to close it at once,” said Ada Fisher, who leads the council."
BASE = Wording("Council closes the harbour bridge", None, f"{LEAD}\n\n{QUOTE}\n\n{MORE}")


def later(
    title: str | None = None, old: str = "", new: str = "", more: str = "", summary: str | None = None
) -> Wording:
    return Wording(title or BASE.title, summary, BASE.text.replace(old, new) + more if old else BASE.text + more)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(BASE, (), id="nothing"),
        pytest.param(Wording("COUNCIL closes the “harbour bridge”", None, BASE.text.replace("\n", " ")), (), id="type"),
        pytest.param(Wording("Council closes the harbour-bridge", None, BASE.text), (), id="a hyphen between words"),
        pytest.param(Wording("Council closes the harbourbridge", None, BASE.text), ("cosmetic",), id="words joined"),
        pytest.param(later("Council shuts the harbour bridge"), ("headline",), id="headline"),
        pytest.param(later("Bridge closed", "on Monday", "on Tuesday"), ("headline", "text"), id="headline and text"),
        pytest.param(later(old="a week", new="a month"), ("text",), id="text"),
        pytest.param(later(old="12,000", new="15,000"), ("number", "text"), id="a number"),
        pytest.param(later(old="two of its", new="three of its"), ("number", "text"), id="a number in words"),
        pytest.param(later(old="12,000", new="12 000"), (), id="a number written otherwise"),
        pytest.param(later(old="every ten minutes", new="every 10 minutes"), ("text",), id="a number now in digits"),
        pytest.param(later(more="\n\nUpdated 11:31 AM"), ("text",), id="a time of day"),
        pytest.param(later(old=QUOTE + "\n\n", new=""), ("quote_removed", "text"), id="a quote removed"),
        pytest.param(later(old="“We had no choice but to close it at once,”", new="They had to close it,"),
                     ("quote_removed", "text"), id="a quote told instead"),
        pytest.param(later(old="at once,”", new="right away,”"), ("text",), id="a quote reworded"),
        pytest.param(later(old="“We had", new='"We had'), (), id="other quotation marks"),
        pytest.param(Wording(BASE.title, None, f"{QUOTE}\n\n{LEAD}\n\n{MORE}"), ("text",), id="a quote moved"),
        pytest.param(Wording(BASE.title, None, "All is open again, and ferries have stopped. Come and see it."),
                     ("text",), id="a text written anew"),
        pytest.param(later(more="\n\nCorrection: An earlier version gave the wrong day."),
                     ("correction", "text"), id="Correction:"),
        pytest.param(later(more="\n\nThis article was amended on 3 March 2026 to give the right name."),
                     ("correction", "text"), id="amended"),
        pytest.param(later(more=" An earlier version of this story misspelled a name."),
                     ("correction", "text"), id="earlier version"),
        pytest.param(later(more="\n\nCorrection (March 3): The day was wrong."),
                     ("correction", "text"), id="Correction (date):"),
        pytest.param(later(more="\n\nKorrektur: In einer früheren Version stand ein falscher Name."),
                     ("correction", "text"), id="German"),
        pytest.param(later(more="\n\nRectificatif : le nom était faux."), ("correction", "text"), id="French"),
        pytest.param(later(more="\n\nFe de errores: el nombre era otro."), ("correction", "text"), id="Spanish"),
        pytest.param(later("CORRECTED-Council closes the harbour bridge"),
                     ("headline", "correction"), id="a corrected headline"),
        pytest.param(later(more="\n\nThe correction of the river will take years."),
                     ("text",), id="a correction that is none"),
        pytest.param(later(more="\n\nShe works as a corrections officer: a hard job."), ("text",), id="an officer"),
        pytest.param(later(more="\n\nShares saw a correction on Monday: they fell."), ("text",), id="of shares"),
        pytest.param(later("Council closes 2 bridges"), ("headline",), id="a number that is new in a headline"),
        pytest.param(Wording(None, None, BASE.text), ("text",), id="the headline is gone"),
    ],
)  # fmt: skip
def test_the_kinds_of_an_edit(after: Wording, expected: tuple[str, ...]) -> None:
    assert kinds(BASE, after) == expected


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        pytest.param("12 killed in blast", "14 killed in blast", True, id="a toll"),
        pytest.param("Twelve killed in blast", "14 killed in blast", True, id="words to digits, another number"),
        pytest.param("Twelve killed in blast", "12 killed in blast", False, id="the same number"),
        pytest.param("Loss of 3 million", "Loss of 3 billion", True, id="the unit"),
        pytest.param("Meeting at 10:30", "Meeting at 11:00", False, id="a time of day"),
        pytest.param("Posted 3 hours ago", "Posted 5 hours ago", False, id="how long ago"),
        pytest.param("It happened on 3 March", "It happened on 4 March", False, id="a date"),
        pytest.param("Blast in town", "12 killed in blast", False, id="a number that is new"),
        pytest.param("Inflation at 3.1%", "Inflation at 3.2%", True, id="a rate"),
        pytest.param("", "12 killed", False, id="nothing before"),
        pytest.param("Fund of 750M given", "Fund of 750 million given", False, id="a unit written otherwise"),
        pytest.param("Oil falls below $11 a barrel", "Airline may cut 12,000 jobs", False, id="another sentence"),
        pytest.param(
            "2 officers are suspended", "57 officers quit after two are suspended", False, id="one number more"
        ),
    ],
)
def test_a_number_changed_or_not(before: str, after: str, changed: bool) -> None:
    assert edits.numbers_changed(before, after) is changed


def test_a_correction_that_stood_there_before_is_no_news() -> None:
    note = "\n\nCorrection: the day was wrong."
    before = later(more=note)
    assert kinds(before, later(old="a week", new="a month", more=note)) == ("text",)
    assert kinds(before, BASE) == ("text",)


def test_the_most_telling_kind_comes_first() -> None:
    after = Wording(
        "Council shuts the bridge", None, f"{LEAD}\n\n{MORE.replace('12,000', '15,000')}\n\nCorrection: a day."
    )
    assert kinds(BASE, after) == ("headline", "correction", "quote_removed", "number", "text")
    assert list(kinds(BASE, after)) == sorted(kinds(BASE, after), key=edits.KINDS.index)


TEXTS = st.lists(
    st.sampled_from(["rain", "Rain", "sun.", "wind! ", "\n\n", "“so”", "12", " ", "é", "a-b", "it's"])
    | st.text(max_size=4),
    max_size=30,
).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
@example("", "a")
@example("\u2028\x85", "\r\n")
def test_the_difference_holds_both_texts_character_by_character(before: str, after: str) -> None:
    segments = diff(before, after)
    assert "".join(one.text for one in segments if one.change != "added") == before
    assert "".join(one.text for one in segments if one.change != "removed") == after
    assert all(one.text for one in segments)
    assert all(one.change != other.change for one, other in pairwise(segments))


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_any_two_wordings_have_kinds_and_one_alone_has_none(before: str, after: str) -> None:
    one, other = Wording(before, None, after), Wording(after, before, before)
    found = kinds(one, other)
    assert set(found) <= set(edits.KINDS)
    assert kinds(one, one) == ()


def many(numbers: range) -> str:
    return " ".join(f"S{n} ends here." for n in numbers)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("word " * 50_000, "word " * 49_999 + "other", id="one endless sentence"),
        pytest.param("Same line. \n" * 20_000, "Same line. \n" * 19_000, id="one line a thousand times"),
        pytest.param(many(range(9000)), many(range(1, 9000, 2)), id="thousands of sentences"),
        pytest.param("“" * 60_000, "”" * 60_000, id="nothing but quotation marks"),
        pytest.param("correction " * 20_000, "Correction (" * 20_000, id="half a correction, often"),
        pytest.param("1 2 " * 20_000, "2 1 " * 20_000, id="numbers"),
    ],
)  # fmt: skip
def test_long_texts_cost_little(before: str, after: str) -> None:
    """Each takes far less than a second; were the work to grow with the square of the length, the suite would stand."""
    segments = diff(before, after)
    assert "".join(one.text for one in segments if one.change != "removed") == after
    assert set(kinds(Wording("A", None, before), Wording("A", None, after))) <= {*edits.KINDS}


def test_changed_words_are_shown_and_the_rest_stays() -> None:
    segments = diff("The bridge is open. All well.", "The bridge is shut. All well.")
    assert [(one.change, one.text) for one in segments] == [
        ("kept", "The bridge is "), ("removed", "open"), ("added", "shut"), ("kept", ". All well."),
    ]  # fmt: skip


def test_the_letters_of_the_alphabet_are_no_numbers() -> None:
    assert not edits.numbers_changed(string.ascii_lowercase, string.ascii_uppercase)
