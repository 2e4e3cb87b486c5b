"""A source document to a topic profile, and an article's match with it. Pure: no files, no store, no network.

`document` reads a seed (document.py), `profile` writes a profile from one or several (seed.py, names.py), `match`
scores articles against compiled profiles (match.py, words.py, gates.py), and `toml` writes a profile as a person would
want to read and edit it (writing.py). Reading TOML is `config`'s. `fitted` is what an archive makes of a profile,
and `refitted` what it proposes for one in use (archive.py, likely.py, lessons.py).
`settled` lets a person's word go before the score (known.py), `marks` holds verdicts against labels (marks.py), and
`findings` says what is wrong with a profile that reads well (doctor.py).
"""

from pipeline.topics.archive import LEAST_ARTICLES, Fitted, Refitted, fitted, heard, refitted
from pipeline.topics.doctor import Finding, Tried, findings
from pipeline.topics.document import Document, document
from pipeline.topics.known import SAID, settled
from pipeline.topics.marks import Difference, Marks, differences, marks
from pipeline.topics.match import Compiled, Heard, Panel, compiled, match
from pipeline.topics.seed import profile, slug_of
from pipeline.topics.writing import notes, toml

__all__ = [
    "LEAST_ARTICLES",
    "SAID",
    "Compiled",
    "Difference",
    "Document",
    "Finding",
    "Fitted",
    "Heard",
    "Marks",
    "Panel",
    "Refitted",
    "Tried",
    "compiled",
    "differences",
    "document",
    "findings",
    "fitted",
    "heard",
    "marks",
    "match",
    "notes",
    "profile",
    "refitted",
    "settled",
    "slug_of",
    "toml",
]
