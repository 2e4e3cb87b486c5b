"""The pure parts of the site, each alone: times, marks, diffs, charts, stored JSON, what a person types."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import sample

from pipeline.browse import charts, safe, search, stored, times, wording


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("2020-12-05T12:09:30Z", "just now"), ("2020-12-05T11:10:00Z", "1 h ago"),
        ("2020-12-05T12:04:00Z", "6 min ago"),
        ("2020-12-02T12:10:00Z", "3 days ago"), ("2020-12-05T12:40:00Z", "in 30 min"), (None, "never"),
        ("nonsense", "unknown"), ("2018-01-05T12:10:00Z", "5 Jan 2018"),
        ("2020-11-21T12:10:01Z", "13 days ago"), ("2020-11-21T12:10:00Z", "21 Nov"),
        ("2021-02-01T00:00:00Z", "1 Feb 2021"),
    ],
)  # fmt: skip
def test_times_are_told_from_now(then: str | None, told: str) -> None:
    now = times.parse(sample.NOW)
    assert now is not None
    assert times.Clock(now).words(then) == told


def test_evidence_comes_most_telling_first() -> None:
    text = '[{"term":"a","field":"text","points":1},{"term":"b","field":"title","points":2}]'
    assert [item.points for item in stored.evidence(text)] == [2, 1]


def test_marks_are_put_after_escaping_and_never_overlap() -> None:
    assert safe.marked("a<b>c", [(1, 4), (2, 9), (-3, 0)]) == "a<mark>&lt;b&gt;c</mark>"
    assert safe.snippet("\x03<b>\x02x\x02y\x03 z\x02w") == "&lt;b&gt;<mark>xy</mark> z<mark>w</mark>"


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        ("de", ' dir="auto" lang="de"'),
        ("pt-BR", ' dir="auto" lang="pt-BR"'),
        ('x" onclick="y', ' dir="auto"'),
        ("English (US)", ' dir="auto"'),
        ("", ' dir="auto"'),
        (None, ' dir="auto"'),
    ],
)
def test_words_of_strangers_run_in_their_own_direction_and_language(lang: str | None, told: str) -> None:
    assert safe.tongue(lang) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Apollo-11 <lands>", "<span class=whole>Apollo-11</span> &lt;lands&gt;"),
        ("A-1 and B-2", "<span class=whole>A-1</span> and <span class=whole>B-2</span>"),
        ("no number-here", "no number-here"),
        ("", ""),
    ],
)
def test_a_name_with_a_number_stays_on_one_line(text: str, told: str) -> None:
    assert safe.headed(text) == told


def test_paragraphs_keep_the_offsets_of_the_whole_text() -> None:
    assert safe.paragraphs("one two\n\nthree four", [(4, 7), (9, 14)]) == (
        "one <mark>two</mark>",
        "<mark>three</mark> four",
    )


def test_a_profile_is_read_and_anything_else_is_shown_as_it_is() -> None:
    whole = {"terms": [{"text": "a", "weight": 0.1}, {"text": "b", "weight": 0.2}], "rules": {"none": ["c", 3]}}
    assert [t.text for t in stored.profile(json.dumps(whole)).terms] == ["b", "a"]
    assert stored.profile(json.dumps(whole)).none == ("c",)
    assert stored.profile(json.dumps({**whole, "fitted": 0})).alone
    assert not stored.profile(json.dumps({**whole, "fitted": None})).alone
    assert stored.profile("<neither>").raw == "<neither>"


def test_unique_words_need_three_headlines_and_forgive_plurals() -> None:
    assert wording.unique_spans(["Alpha deal", "Beta deal"]) == ((), ())
    assert wording.unique_spans(["Big deals stall", "Deal done", "A deal at last"])[1] == ((5, 9),)
    assert wording.shared(["TikTok deal stalls", "TikTok deals", "Deal off"])[0].lower().startswith("deal")


def test_a_diff_shows_a_changed_capital_and_escapes_both_sides() -> None:
    before, after = wording.diff("the <b> Bill", "The <b> bill now")
    assert before == "<del>the</del> &lt;b&gt; <del>Bill</del>"
    assert after == "<ins>The</ins> &lt;b&gt; <ins>bill now</ins>"


def test_charts_survive_empty_numbers() -> None:
    assert "<svg" in charts.bars([], [])
    assert "<svg" in charts.columns([], [])
    assert "<svg" in charts.strip([])
    assert "<svg" in charts.meter(9.0, -1.0)


@pytest.mark.parametrize(
    ("score", "threshold", "drawn", "line"),
    [(0.1, 0.2, 12.0, 23.0), (0.2, 0.2, 24.0, 23.0), (0.9, 0.2, 72.0, 23.0), (0.5, 0.5, 36.0, 35.0)],
)
def test_a_bar_has_room_for_three_thresholds(score: float, threshold: float, drawn: float, line: float) -> None:
    told = charts.meter(score, threshold)
    assert f'width="{drawn:.2f}" height="6.00"' in told
    assert f'<rect x="{line:.2f}"' in told


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ("HTTP 404 Not Found", "gone"), ("HTTP 503 Service Unavailable", "Trouble at the outlet"),
        ("timed out", "slowly"),
        ("the certificate has expired", "certificate"), ("something odd", "newsbeat feeds list"), (None, ""),
    ],
)  # fmt: skip
def test_each_kind_of_trouble_has_a_cure(error: str | None, word: str) -> None:
    assert word in stored.cure(error)


def test_search_questions_are_always_well_formed(tmp_path: Path) -> None:
    with sqlite3.connect(sample.build(tmp_path)[0]) as db:
        for typed in (
            'a"b',
            "x OR",
            "OR x",
            "a OR b OR c -d",
            '-"x y" z',
            "*",
            "a*",
            "né à",
            "NOT",
            '""',
            "- -",
            "a:b",
            "(",
            "^x",
            "a-b",
        ):
            asked = search.read(typed)
            if asked.match:
                db.execute("SELECT rowid FROM articles_fts WHERE articles_fts MATCH ?", (asked.match,)).fetchall()


def test_a_mark_of_what_changed_ends_with_its_words() -> None:
    before, after = wording.diff("Judge says no to TikTok ban", "TikTok ban blocked again")
    assert before == "<del>Judge says no to</del> TikTok ban"
    assert after == "TikTok ban <ins>blocked again</ins>"
    assert wording.diff("TikTok: time's up", "TikTok stays")[0] == "TikTok<del>: time&#39;s up</del>"
