"""Who wrote it: bylines, datelines and credits of agencies in several languages, and what is only a citation."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import agencies

STORY = "The harbour bridge was closed on Monday after cracks were found in two of its pillars, the council said."


@pytest.mark.parametrize(
    ("author", "agency"),
    [
        ("AFP", "AFP"), ("Agence France-Presse", "AFP"), ("Agence France-Presse in Paris", "AFP"),
        ("AFP/Jane Doe", "AFP"),
        ("Associated Press", "AP"), ("The Associated Press", "AP"), ("By The Associated Press", "AP"), ("AP", "AP"),
        ("JANE DOE Associated Press", "AP"), ("Jane Doe, Associated Press", "AP"), ("Jane Doe, AP", "AP"),
        ("Jane Doe | AP", "AP"), ("Associated Press in New York", "AP"), ("Jane Doe of The Associated Press", "AP"),
        ("By REUTERS", "Reuters"), ("Reuters", "Reuters"), ("Reuters Staff", "Reuters"),
        ("Reuters in London", "Reuters"),
        ("Jane Doe (Reuters)", "Reuters"), ("Thomson Reuters", "Reuters"), ("dpa", "dpa"), ("Von dpa", "dpa"),
        ("dpa/lnw", "dpa"), ("Deutsche Presse-Agentur", "dpa"), ("EFE", "EFE"), ("Por EFE", "EFE"),
        ("Agencia EFE", "EFE"),
        ("Redazione ANSA", "ANSA"), ("ANSA", "ANSA"), ("Xinhua", "Xinhua"), ("新华社", "Xinhua"), ("PA Media", "PA"),
        ("Press Association", "PA"), ("PA", "PA"), ("Kyodo News", "Kyodo"), ("Interfax", "Interfax"), ("ТАСС", "TASS"),
        ("Bloomberg News", "Bloomberg"), ("Jane Doe, Bloomberg", "Bloomberg"), ("UPI", "UPI"), ("AAP", "AAP"),
        ("ANI", "ANI"), ("PTI", "PTI"), ("Press Trust of India", "PTI"), ("APA", "APA"), ("Belga", "Belga"),
        ("Keystone-SDA", "Keystone-SDA"), ("NTB", "NTB"), ("TT", "TT"), ("Ritzau", "Ritzau"), ("Lusa", "Lusa"),
        ("Yonhap", "Yonhap"), ("The Canadian Press", "CP"), ("La Presse canadienne", "CP"),
        ("Anadolu Agency", "Anadolu"),
        ("Jane Doe", None), ("Ap Jones", None), ("Pa Kettle", None), ("AP Dhillon", None), ("Jane Doe, PhD", None),
        ("Reuters Institute fellows", None), ("Guardian staff and agencies", None), ("Staff", None), ("", None),
        ("Jane Bloomberg", None), ("Michael Bloomberg", None), ("Belgae Press", None), ("Tassos Papas", None),
        ("Jane Doe, AP English teacher", None), ("Staff of the TT Club", None),
    ],
)  # fmt: skip
def test_an_agency_as_author(author: str, agency: str | None) -> None:
    assert agencies.of([author], STORY) == agency


@pytest.mark.parametrize(
    ("start", "agency"),
    [
        ("WASHINGTON (AP) — ", "AP"), ("WASHINGTON (AP) - ", "AP"), ("ST. PAUL, Minn. (AP) — ", "AP"),
        ("LONDON (Reuters) - ", "Reuters"), ("LONDON, Dec 5 (Reuters) - ", "Reuters"), ("(Reuters) - ", "Reuters"),
        ("PARIS, Dec 5 (AFP) - ", "AFP"), ("Paris (AFP) – ", "AFP"), ("PARIS (AFP): ", "AFP"),
        ("BEIJING, Dec. 5 (Xinhua) -- ", "Xinhua"), ("Berlin (dpa) - ", "dpa"), ("Berlin/Paris (dpa/lnw) – ", "dpa"),
        ("Frankfurt (dpa-AFX) - ", "dpa"), ("Madrid, 5 dic (EFE).- ", "EFE"), ("(ANSA) - ROMA, 05 DIC - ", "ANSA"),
        ("MOSCOW, December 5. /TASS/. ", "TASS"), ("MOSCOW. Dec 5 (Interfax) - ", "Interfax"),
        ("МОСКВА, 5 дек — РИА Новости. ", "RIA Novosti"), ("TOKYO (Kyodo) -- ", "Kyodo"), ("Dec. 5 (UPI) -- ", "UPI"),
        ("New Delhi [India], December 5 (ANI): ", "ANI"), ("New Delhi, Dec 5 (PTI)\n", "PTI"),
        ("SEOUL, Dec. 5 (Yonhap) -- ", "Yonhap"), ("Lisboa, 05 dez 2020 (Lusa) - ", "Lusa"), ("Wien (APA) – ", "APA"),
        ("Bern (sda) - ", "Keystone-SDA"), ("Oslo (NTB): ", "NTB"), ("Bruxelles (Belga) - ", "Belga"),
        ("(Bloomberg) -- ", "Bloomberg"), ("By Jane Doe, Associated Press\n", "AP"), ("Von dpa\n", "dpa"),
        ("Par AFP\n", "AFP"),
        ("MADRID, 5 Dic. (EUROPA PRESS) - ", "Europa Press"), ("(AP) — ", "AP"),
        ("PHILADELPHIA (PA) - ", None), ("The deal was first told by a wire (AP) and then denied: ", None),
        ("Minister says bridge (AP) is safe. ", None), ("(AP Photo/Jane Doe) ", None), ("Photo: AP\n", None),
        ("The AP reported on Monday - ", None), ("A spokesman told AFP: ", None),
        ("Students of physics (AP) and of art ", None),
        ("", None),
        ("April 28, 2020 1:27 PM\n\nSINGAPORE (REUTERS) - ", "Reuters"), ("Iguala (Mexico) (AFP) - ", "AFP"),
        ("Photo by Jane Doe (AP)\n", None), ("By Jane Doe\n\nBEIRUT, Oct 17 (Reuters) - ", "Reuters"),
    ],
)  # fmt: skip
def test_an_agency_in_a_dateline(start: str, agency: str | None) -> None:
    assert agencies.of([], start + STORY) == agency


@pytest.mark.parametrize(
    ("end", "agency"),
    [
        (" © 2020 AFP", "AFP"), ("\n\n© Agence France-Presse", "AFP"), (" (AFP)", "AFP"), ("\n— AFP", "AFP"),
        (" - Reuters", "Reuters"),
        ("\n\n(Reporting by Jane Doe in London; Editing by John Roe)", "Reuters"),
        (" (Reporting by Jane Doe and John Roe; Writing by Ada Poe; Editing by Max Coe)", "Reuters"),
        ("\n\nCopyright 2020 The Associated Press. All rights reserved.", "AP"),
        ("\n___\nAssociated Press writers Jane Doe in Rome and John Roe in Oslo contributed to this report.", "AP"),
        ("\n\nThis report by The Canadian Press was first published Dec. 5, 2020.", "CP"), (" (dpa)", "dpa"),
        ("\nQuelle: dpa", "dpa"), (" (ANI)", "ANI"), (" (With inputs from PTI)", "PTI"), (" (ANSA).", "ANSA"),
        ("\n/TT", "TT"),
        (" (©NTB)", "NTB"), ("\n\nAFP", "AFP"), ("\n\nReuters", "Reuters"), ("\nAP", "AP"),
        ("\nReuters, Fairfax Media", None),
        ("\nglb/sb (Reuters, AFP)", None), ("\nAdditional reporting by Reuters and AP", None),
        ("\n[Image via AP]", None),
        ("\nThe Associated Press contributed to this report.", None), ("\nWith files from Reuters", None),
        (" [Yonhap]", "Yonhap"), ("\n\n(c) dpa", "dpa"),
        ("\nPhoto: © AFP", None), ("\nPhoto by Jane Doe (AP)", None), (" The AP reported this first.", None),
        (" It was first reported by Reuters.", None), (" She spoke to AFP.", None),
        (" Reuters contributed reporting.", None),
        (" He teaches physics at AP level.", None), (" The bank is owned by Bloomberg.", None), ("", None),
        ("\nAdditional reporting by Jane Doe", None), (" according to the dpa.", None),
    ],
)  # fmt: skip
def test_an_agency_in_a_credit(end: str, agency: str | None) -> None:
    assert agencies.of([], STORY + end) == agency


def test_every_agency_of_the_table_is_known_by_its_own_names() -> None:
    for name, _, short, dateline in agencies.TABLE:
        for spelled in filter(None, short.split("|")):
            assert agencies.of([spelled], STORY) == name
            assert (agencies.of([], f"OSLO ({spelled}) - {STORY}") == name) is dateline


@pytest.mark.parametrize("make", [str, str.upper, str.title])
def test_no_name_is_passed_over_before_the_text_is_looked_at_closely(make: Callable[[str], str]) -> None:
    """The quick look finds whatever the patterns it stands before could find."""
    closely = re.compile(agencies._NAMES)
    for _, long, short, _ in agencies.TABLE:
        spelled = [re.sub(r"\(\?:|\)|\?|\[.*?\]|\|.*", "", one) for one in re.split(r"\|(?![^(]*\))", long)]
        for name in (*filter(None, short.split("|")), *map(make, spelled)):
            assert bool(agencies._SIGNED.search(f"({name})")) or not closely.search(f"({name})"), name


def test_the_first_author_that_is_an_agency_counts() -> None:
    assert agencies.of(["Jane Doe", "Reuters", "AFP"], STORY) == "Reuters"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=3), st.text(max_size=80))
def test_any_text_has_an_agency_of_the_table_or_none(authors: list[str], body: str) -> None:
    assert agencies.of(authors, body) in {None, *(row[0] for row in agencies.TABLE)}


@pytest.mark.parametrize(
    "body", ["(" * 100_000, "reporting by " * 20_000, "© " * 50_000, "A " * 100_000, "\n" * 100_000]
)
def test_long_texts_are_read_at_their_ends_only(body: str) -> None:
    assert agencies.of([body], body) is None
