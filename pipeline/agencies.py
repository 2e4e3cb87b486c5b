"""Which news agency wrote a text: from its byline, its dateline, its credit. Pure; a table of their names.

Authorship is told from citation by place and form: an agency stands as author, in brackets after the place a text
begins with, or in a credit at its end. In a sentence ("the AP reported", "told AFP") it is quoted, and counts for
nothing; nor does a photo credit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline import patterns

# The name we give it: its long names, in any case; its short names, as it spells them; what may stand in its dateline.
# A short name that is also a state, a school exam or a train stands in no dateline ("PA" is Pennsylvania).
TABLE: tuple[tuple[str, str, str, bool], ...] = (
    ("AFP", "agence france[- ]presse|afp news agency|afp forum", "AFP|Afp", True),
    ("AP", "(?:the )?associated press|ap news(?:room)?|ap sports? (?:writer|editor)s?", "AP|The AP", True),
    ("Reuters", "(?:thomson )?reuters(?: staff| editorial| news| fact check)?", "REUTERS|Reuters|reuters", True),
    ("dpa", "deutsche presse[- ]agentur|german press agency|dpa[- ](?:afx|infocom|tmn)", "dpa|DPA", True),
    ("EFE", "agencia efe|efe news(?: services?)?|efeagro|efeverde", "EFE|Efe", True),
    ("ANSA", "agenzia ansa|redazione ansa", "ANSA|Ansa", True),
    ("Xinhua", "xinhua(?: news agency)?|agencia xinhua|新华社|新華社|新华网", "Xinhua|XINHUA", True),
    ("PA", "press association|pa media|pa news agency|pa sport", "PA", False),
    ("Kyodo", "kyodo news|kyodo", "Kyodo|KYODO|共同|共同通信", True),
    ("Jiji", "jiji press|jiji", "Jiji|JIJI|時事", True),
    ("Interfax", "interfax(?:[- ][a-z]+)?|интерфакс", "Interfax|INTERFAX|Интерфакс|ИНТЕРФАКС", True),
    ("TASS", "itar[- ]tass|tass(?: russian news agency)?|тасс", "TASS|ТАСС", True),
    ("RIA Novosti", "ria novosti|риа новости", "РИА Новости", True),
    ("Bloomberg", "bloomberg(?: news| opinion| businessweek)?", "Bloomberg|BLOOMBERG", True),
    ("UPI", "united press international", "UPI", True),
    ("AAP", "australian associated press|aap newswire", "AAP", True),
    ("ANI", "asian news international|ani news", "ANI", True),
    ("PTI", "press trust of india", "PTI", True),
    ("IANS", "indo[- ]asian news service", "IANS", True),
    ("APA", "austria presse agentur", "APA", True),
    ("Belga", "agence belga|belga news agency|belga", "Belga|BELGA", True),
    ("Keystone-SDA", "keystone[- ](?:sda|ats)|agence télégraphique suisse", "sda|SDA|ats|ATS", True),
    ("NTB", "norsk telegrambyr[åa]|ntb scanpix", "NTB", True),
    ("TT", "tidningarnas telegrambyrå|tt nyhetsbyrån", "TT", True),
    ("Ritzau", "ritzaus? bureau|ritzau", "Ritzau|ritzau|RITZAU", True),
    ("STT", "suomen tietotoimisto", "STT", True),
    ("ANP", "algemeen nederlands persbureau", "ANP", True),
    ("Lusa", "agência lusa|lusa", "Lusa|LUSA", True),
    ("Yonhap", "yonhap(?: news(?: agency)?)?|연합뉴스", "Yonhap|YONHAP|연합뉴스", True),
    ("CP", "(?:the )?canadian press|la presse canadienne", "", True),
    ("Anadolu", "anadolu(?: agency| ajansı)?", "Anadolu", True),
    ("Europa Press", "europa press", "EUROPA PRESS", True),
    ("PAP", "polska agencja prasowa", "PAP", True),
    ("CTK", "česká tisková kancelář", "ČTK|CTK", True),
    ("Ukrinform", "ukrinform|укринформ", "Ukrinform|Укринформ|Укрінформ", True),
    ("Bernama", "bernama", "Bernama|BERNAMA", True),
    ("Antara", "antara news", "ANTARA|Antara", True),
    ("Adnkronos", "adnkronos", "Adnkronos|ADNKRONOS", True),
)  # fmt: skip


def _either(group: str, only_datelines: bool = False) -> str:
    """Any agency's name, in a group that tells its place in TABLE."""
    return "|".join(
        f"(?P<{group}{at}>(?i:{long}){f'|{short}' if short else ''})"
        for at, (_, long, short, dateline) in enumerate(TABLE)
        if dateline or not only_datelines
    )


_NAMES, _LINED = _either("a"), _either("a", only_datelines=True)

# One author as feeds give it: "AFP", "By REUTERS", "Jane Doe, Associated Press", "Jane Doe (dpa)", "Reuters in Paris".
_BY = r"(?i:by|von|par|por|di|av|af|door|from|text|quelle|source)"
_WHOLE = re.compile(
    rf"(?:{_BY}:?\s+)?(?:{_NAMES})(?:\s+(?:in|à|en|a)\s+[^\W\d_][\w .'’-]{{1,40}}|\s*[/,-]\s*[^\s,].{{0,40}})?"
)
_LAST = re.compile(rf".{{3,60}}?(?:,\s*|\s*[|/–—-]\s*|\s*\(|\s+of\s+|\s+for\s+)(?:{_NAMES})\)?")
# "JANE DOE Associated Press", but never a short name after another: "Jane AP".
_BEHIND = re.compile(
    r".{3,60}?\s(?:(?P<ap>(?:The )?Associated Press)|(?P<cp>The Canadian Press)|(?P<afp>Agence France-Presse))"
)

# A dateline: places and a date, no sentence, then the agency in brackets and a dash.
_DATELINE = re.compile(
    r"\s*(?:[^\W\d_][^\n()\[\]]{0,70}(?:\[[^\]]{2,30}\][^\n()]{0,30})?|[^\W\d_][^\n()\[\]]{2,40}\([^\W\d_][^\n()]{2,30}\)\s*)?"
    rf"[(]\s*(?:{_LINED})\s*(?:[/,+-]\s?[^)]{{1,30}})?\s*[)]\s*(?:[-–—:|.]|\n)"
)
_LINE = re.compile(r"\n+")
_SLASHED = re.compile(r"\s*[^\n/]{2,60}/(?P<tass>TASS|ТАСС)/")
_DASHED = re.compile(r"\s*[А-ЯЁA-Z][^\n]{2,40}?\s[-–—]\s(?P<ria>РИА Новости)\b")
_SENTENCE = re.compile(
    r"(?<!\b[A-Z][a-z]{2})(?<!\bSt)(?<!\bSept)(?<!\bdic)(?<!\bdez)(?<!\d)\.\s+[a-zà-ÿ]|[;?!]|"
    r"\b(?:said|says|told|reported|that|which|who|sagte|selon)\b"
)
_BYLINE = re.compile(
    rf"\s*{_BY}:?\s+(?:[^\W\d_][\w. '’-]{{2,40}}(?:,|\s[|/–—-])\s*)?(?:{_NAMES})\s*(?:\n|[|·•–—-]|$|\.\s)"
)

# The end of a text: a credit that closes it, by its sign, in brackets, or after a dash or a word for source.
_FROM = r"(?i:with inputs? from|source|quelle|fonte|fuente|by|von|mit material von|avec)"
_RIGHTS = r"(?i:all rights reserved|alle rechte vorbehalten|tous droits (?:de reproduction )?réservés)"
_CREDIT = re.compile(
    rf"(?:(?:©|\(c\)|\b(?i:copyright))\s*(?:\d{{4}}(?:[-/]\d{{2,4}})?,?\s*)?(?:by\s+)?(?:{_either('a')})|"
    rf"[(\[]\s*(?:{_FROM}\s*:?\s+)?(?:{_either('b')})(?:\s?/\s?[^)\]]{{1,20}})?\s*[)\]]|"
    r"(?:\n\s*|(?:\n|[.!?”\"»])\s*(?:[-–—/]+\s*|(?i:source|quelle|fonte|fuente|agency|text)\s*:\s*))"
    rf"(?:{_either('c')}))[\s./|)\]]*(?:{_RIGHTS}[^\n]{{0,120}})?[\s.]*$"
)
_PICTURE = re.compile(r"(?i:photo|foto|image|bild|picture|getty|caption|video|graphic|illustration)[^\n]{0,40}$")
_REPORTING = re.compile(r"\(?(?:additional )?\breporting by [^\n]{3,300}?\bediting by\b", re.I)
_CONTRIBUTED = re.compile(
    r"(?:associated press|(?<!\w)AP) (?:\w+ )?(?:writers?|reporters?|journalists?|correspondents?)[^\n]{0,300}?"
    r" contributed",
    re.I,
)
_FIRST_PUBLISHED = re.compile(r"this report by the canadian press was first published", re.I)

# What stands in every text that one signs: a name, or how one speaks of its writers. Most texts have nothing of it.
_SIGNED = patterns.quick(re.sub(r"\?P<\w+>", "?:", _NAMES) + "|(?i:reporting by|canadian press)")

HEAD, TAIL = 300, 600
"""Characters at either end of a text in which an agency signs it."""

LINES = 3
"""Lines of a text that may begin with a dateline."""


def of(authors: Sequence[str], body: str) -> str | None:
    """The agency that wrote a text, by the name in TABLE; `None` when none signs it. `body` is plain text."""
    for author in authors:
        if found := _author(author):
            return found
    head, tail = body[:HEAD], body[-TAIL:].rstrip()
    if not _SIGNED.search(f"{head}\n{tail}"):
        return None
    # The date, or who wrote it, may stand on a line of its own before.
    starts = [0, *(found.end() for found in _LINE.finditer(head))][:LINES]
    for start in starts:
        dateline = _DATELINE.match(head, start)
        before = dateline.group().rpartition("(")[0] if dateline else ""
        if dateline and not _SENTENCE.search(before) and not _PICTURE.search(before):
            return _named(dateline)
    if _SLASHED.match(head[:100]):
        return "TASS"
    if _DASHED.match(head[:80]):
        return "RIA Novosti"
    if byline := _BYLINE.match(head):
        return _named(byline)
    if _REPORTING.search(tail):
        return "Reuters"
    if _CONTRIBUTED.search(tail):
        return "AP"
    if _FIRST_PUBLISHED.search(tail):
        return "CP"
    if (credit := _CREDIT.search(tail)) and not _PICTURE.search(tail[: credit.start()]):
        return _named(credit)
    return None


def _author(said: str) -> str | None:
    words = " ".join(said.split())
    if len(words) > 120:
        return None
    if found := _WHOLE.fullmatch(words) or _LAST.fullmatch(words):
        return _named(found)
    if behind := _BEHIND.fullmatch(words):
        return {"ap": "AP", "cp": "CP", "afp": "AFP"}[behind.lastgroup or "ap"]
    return None


def _named(found: re.Match[str]) -> str | None:
    at = next((int(group[1:]) for group, held in found.groupdict().items() if held), None)
    return TABLE[at][0] if at is not None else None
