"""The canonical URL, and which outlet a URL belongs to. Pure; w3lib does the spelling, the tables are ours.

`trackers` knows which parameters say nothing of the page, `unwrap` what a redirector leads to, `variants` the AMP and
mobile forms of a page, and by which name two addresses of one page are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

from pipeline import unwrap, variants
from pipeline.model import Outlet
from pipeline.trackers import is_tracker

MAX_URL = 2048
"""Longest URL kept, in characters (fetch contract N12; Media Cloud's MAX_URL)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_HOST = re.compile(r"[a-z0-9_.:-]+")
_SCHEMES = ("http", "https")
# An address that is spelled regularly but for its trackers and the order of its query, as nearly all in feeds are.
_REGULAR = re.compile(
    r"(https?://((?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63})(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?)"
    r"(?:\?((?:[A-Za-z0-9_.~-]+=[A-Za-z0-9_.~-]*(?:&(?!$)|$))+))?"
)
_ROUTES = ("!", "/")
"""How a fragment begins that names a page to a program in it, rather than a place on the page."""


def canonical(url: str, base: str | None = None) -> str | None:
    """The one spelling under which an article is kept; `None` when it is no http or https address.

    Relative addresses are taken from `base`. Lower-case host without default port or user name, no fragment (but `#!`
    and `#/`, which name pages), no tracking parameters, the rest of the query in a fixed order, percent-encoding made
    regular; the target of a redirector, and the ordinary page of an AMP or mobile one. Idempotent, and an address that
    a browser can open: what could cost that (the scheme, `www.`, a last slash) is left to `variants.page`.
    """
    if len(url) <= MAX_URL and (parted := _REGULAR.fullmatch(url)):
        return _unwrapped(_sorted(*parted.groups()))
    # As browsers read it (WHATWG URL): a link broken over lines is one, a space inside is written %20.
    stripped = "".join(part.strip(" ") for part in _CONTROL.split(url)).replace(" ", "%20")
    if not stripped:
        return None
    if base:
        try:
            stripped = urljoin(base, stripped)
        except ValueError:
            return None
    return _unwrapped(_spelled(stripped))


def _unwrapped(found: str | None) -> str | None:
    """The page that a spelled address leads to: itself, but for redirectors, AMP and mobile forms."""
    # Each turn takes a wrapping off, so this ends.
    while found and (inner := unwrap.target(found) or variants.desktop(found)) and (better := _spelled(inner)):
        if better == found:
            break
        found = better
    return found


def page(url: str) -> str:
    """The name by which two addresses of one article are known as one; see `variants.page`."""
    return variants.page(canonical(url) or url)


def _spelled(url: str) -> str | None:
    """One address in its regular spelling, without trackers."""
    if len(url) > MAX_URL:
        return None
    try:
        parts = urlsplit(url)
        host, port = _ascii(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in _SCHEMES or not _HOST.fullmatch(host) or "\\" in parts.netloc:
        return None
    scheme = parts.scheme.lower()
    netloc = f"[{host}]" if ":" in host else host
    if port and port != (443 if scheme == "https" else 80):
        netloc = f"{netloc}:{port}"
    query = "&".join(pair for pair in parts.query.split("&") if not is_tracker(pair, host))
    fragment = parts.fragment if parts.fragment.startswith(_ROUTES) else ""
    try:
        regular = canonicalize_url(
            urlunsplit((scheme, netloc, parts.path or "/", query, fragment)), keep_fragments=True
        )
    except (ValueError, UnicodeError):
        return None
    return str(regular) if 0 < len(regular) <= MAX_URL else None


def _sorted(page: str, host: str, query: str | None) -> str | None:
    """What `_spelled` says of a regular address, at a twentieth of the cost."""
    if page.count("/") == 2:
        page += "/"
    if query:
        pairs = [pair for pair in query.split("&") if not is_tracker(pair, host)]
        if len(pairs) > 1:
            pairs.sort(key=lambda pair: pair.split("="))
        if pairs:
            page = f"{page}?{'&'.join(pairs)}"
    return page if len(page) <= MAX_URL else None


def _ascii(host: str) -> str:
    """A host name as DNS has it: ASCII, lower case, no dot after it. UnicodeError, a ValueError, when it is none."""
    return host.encode("idna").decode().lower().rstrip(".")


@lru_cache(maxsize=16384)
def host_of(url: str) -> str:
    """The host name of a URL in lower case, without port; empty when there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


class OutletBook:
    """Finds the outlet of a URL by the longest domain that fits, or by its name. Immutable once made."""

    def __init__(self, outlets: Iterable[Outlet] = ()) -> None:
        self.outlets = tuple(outlets)
        self._by_domain = {domain.lower(): outlet for outlet in self.outlets for domain in outlet.domains}
        self._by_name = {outlet.name: outlet for outlet in self.outlets}

    def of_url(self, url: str) -> Outlet | None:
        """The outlet that publishes under this URL's host; `None` when no entry knows it."""
        host = host_of(url)
        while host:
            if host in self._by_domain:
                return self._by_domain[host]
            host = host.partition(".")[2]
        return None

    def named(self, name: str, url: str = "") -> Outlet:
        """The outlet of that name; one that nobody described is a family of its own."""
        known = self._by_name.get(name)
        if known:
            return known
        host = host_of(url).removeprefix("www.")
        return Outlet(name=name, domains=(host,) if host else (), family=name)
