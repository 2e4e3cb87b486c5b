"""What in an address is nobody else's business: user names, passwords, keys. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_USER = re.compile(r"(://)[^/?#@\s\"'<>]+@")
# Parameters by which papers and readers hand out private feeds.
_KEY = re.compile(
    r"([?&;](?:[\w.-]*(?:token|secret|passw(?:or)?d|passwd|signature|apikey)|(?:[\w.-]*[_-])?key|auth|sig|pwd|jwt|sid)=)"
    r"[^&;#\s\"'<>]+",
    re.I,
)


def bare(url: str) -> str:
    """The address without a user name and a password. Nobody is asked with them, so nothing is lost."""
    if "@" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def masked(words: str) -> str:
    """The same words with passwords and keys in the addresses among them left out."""
    if "://" not in words:
        return words
    return _KEY.sub(r"\1…", _USER.sub(r"\1…@", words))


def has_key(url: str) -> bool:
    """Whether an address seems to hold a key that makes it private."""
    return bool(_KEY.search(url))
