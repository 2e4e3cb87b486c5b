"""A source document to a topic profile, and an article's match with it. Pure: no files, no store, no network.

`profile` writes a profile from a document (seed.py), `match` scores an article against compiled profiles (match.py),
and `toml` writes a profile as a person would want to read and edit it (writing.py). Reading TOML is `config`'s.
"""

from pipeline.topics.match import Compiled, Panel, compiled, match
from pipeline.topics.seed import document, profile, slug_of
from pipeline.topics.writing import toml

__all__ = ["Compiled", "Panel", "compiled", "document", "match", "profile", "slug_of", "toml"]
