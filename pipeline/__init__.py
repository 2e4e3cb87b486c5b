"""Newsbeat: follow one matter through the news, from a seed article to a site.

The rooms stand on floors and lean on lower ones only; `docs/design.md` draws the house.
"""

__version__ = "0.1.0"
