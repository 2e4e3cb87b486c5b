"""Addresses that only lead to another one: redirectors, AMP caches, Google News links. Pure.

Only what stands in the address itself is read. A shortener (t.co, bit.ly) tells nothing without being asked, and nobody
is asked here. Copies of a page (web archives, translations) are another text and are left alone.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

# (host, start of the path, names of the parameter that holds the target). A host stands for those below it too.
REDIRECTORS = (
    ("bing.com", "/news/apiclick.aspx", ("url",)),
    ("l.facebook.com", "/l.php", ("u",)),
    ("lm.facebook.com", "/l.php", ("u",)),
    ("l.instagram.com", "/", ("u",)),
    ("l.messenger.com", "/l.php", ("u",)),
    ("l.threads.net", "/", ("u",)),
    ("out.reddit.com", "/", ("url",)),
    ("t.umblr.com", "/redirect", ("z",)),
    ("youtube.com", "/redirect", ("q",)),
    ("vk.com", "/away.php", ("to",)),
    ("slack-redir.net", "/link", ("url",)),
    ("disq.us", "/url", ("url",)),
    ("duckduckgo.com", "/l/", ("uddg",)),
    ("safelinks.protection.outlook.com", "/", ("url",)),
    ("linkedin.com", "/redir/redirect", ("url",)),
    ("exit.sc", "/", ("url",)),
    ("go.redirectingat.com", "/", ("url",)),
    ("go.skimresources.com", "/", ("url",)),
    ("click.linksynergy.com", "/", ("murl",)),
    ("news.url.google.com", "/url", ("url", "q")),
)
_GOOGLE = re.compile(r"(?:www\.|news\.|plus\.)?google\.(?:com?\.)?[a-z]{2,3}")
_GOOGLE_URL = re.compile(r"/(?:news/)?url")
_GOOGLE_AMP = re.compile(r"/amp/(s/)?([^/].*)", re.S)
_CACHE_HOST = re.compile(r"(?:[a-z0-9-]+\.)?(?:cdn\.ampproject\.org|bing-amp\.com|ampproject\.net)")
_CACHE_PATH = re.compile(r"/(?:[a-z]|wp|mbv|ad)/(s/)?([^/].*)", re.S)
_YAHOO_RD = re.compile(r"/\*+-?(https?[:%].*)", re.S | re.I)
_YAHOO_RU = re.compile(r"/RU=(https?(?:%3a|:)%2f[^/]+)/", re.I)
_GOOGLE_NEWS = re.compile(r"(?:/rss)?(?:/__i/rss/rd)?/(?:articles|read|stories)/([A-Za-z0-9_-]{16,})={0,2}")

# One look at a host that lets nearly every address pass.
_MAYBE = re.compile(
    r"(?:google\.|ampproject|bing-amp\.com|rd\.yahoo\.com|r\.search\.yahoo|"
    + "|".join(re.escape(host) for host, _, _ in REDIRECTORS)
    + ")",
    re.I,
)

OPAQUE_HOSTS = frozenset({"news.google.com"})
"""Aggregators whose links name an article by a token of their own, which may change at every fetch."""


def target(url: str) -> str | None:
    """The address that a redirector's address holds; `None` when this is none, or holds no web address."""
    if not _may_lead_on(url.partition("://")[2].partition("/")[0]):
        return None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    found: str | None = None
    if _GOOGLE.fullmatch(host):
        found = _from_google(host, parts.path, parts.query)
    elif _CACHE_HOST.fullmatch(host):
        found = _from_path(_CACHE_PATH.fullmatch(parts.path), parts.query)
    elif host == "rd.yahoo.com" or host.endswith(".rd.yahoo.com"):
        held = _YAHOO_RD.search(parts.path + (f"?{parts.query}" if parts.query else ""))
        found = _decoded(held.group(1)) if held else None
    elif host == "r.search.yahoo.com":
        held = _YAHOO_RU.search(parts.path)
        found = unquote(held.group(1)) if held else None
    else:
        for place, path, names in REDIRECTORS:
            if (host == place or host.endswith("." + place)) and parts.path.startswith(path):
                found = _from_query(parts.query, names)
                break
    return found if found and found.lower().startswith(("http://", "https://")) else None


@lru_cache(maxsize=8192)
def _may_lead_on(host: str) -> bool:
    return _MAYBE.search(host) is not None


def is_opaque(url: str | None) -> bool:
    """Whether an address is an aggregator's own name for an article, which tells neither page nor outlet."""
    if not url or "://news.google." not in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.hostname in OPAQUE_HOSTS and _GOOGLE_NEWS.fullmatch(parts.path.rstrip("/")) is not None


def _from_google(host: str, path: str, query: str) -> str | None:
    if _GOOGLE_URL.fullmatch(path):
        return _from_query(query, ("url", "q"))
    if host == "news.google.com":
        held = _GOOGLE_NEWS.fullmatch(path.rstrip("/"))
        return _from_token(held.group(1)) if held else None
    return _from_path(_GOOGLE_AMP.fullmatch(path), query)


def _from_query(query: str, names: tuple[str, ...]) -> str | None:
    held = dict(reversed(parse_qsl(query)))
    return next((held[name] for name in names if held.get(name, "").lower().startswith(("http://", "https://"))), None)


def _from_path(held: re.Match[str] | None, query: str) -> str | None:
    """`/c/s/example.org/story` is https://example.org/story, without `s/` http."""
    if held is None or "." not in held.group(2).partition("/")[0]:
        return None
    return f"http{'s' if held.group(1) else ''}://{held.group(2)}" + (f"?{query}" if query else "")


def _decoded(value: str) -> str:
    return unquote(value) if value[:8].lower().startswith(("http%", "https%")) else value


def _from_token(token: str) -> str | None:
    """The address in a Google News token of the kind given until 2024: a small protobuf in base64 whose field 4 is the
    page (field 26 its AMP form). Newer tokens hold a name that only Google can read.
    """
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    at = raw.find(b'"')
    if not raw.startswith(b"\x08") or at < 0 or at > 4:
        return None
    length, at = 0, at + 1
    for shift in (0, 7):
        if at >= len(raw):
            return None
        length |= (raw[at] & 0x7F) << shift
        at += 1
        if raw[at - 1] < 0x80:
            break
    held = raw[at : at + length]
    if len(held) != length or not held.startswith((b"http://", b"https://")):
        return None
    try:
        return held.decode("ascii")
    except UnicodeDecodeError:
        return None
