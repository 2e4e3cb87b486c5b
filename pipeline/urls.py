"""The canonical URL, and which outlet a URL belongs to. Pure; w3lib does the spelling, the tables are ours."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote_plus, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

from pipeline.model import Outlet

MAX_URL = 2048
"""Longest URL kept, in characters (fetch contract N12; Media Cloud's MAX_URL)."""

# Query parameters that say how a reader came, not what is read. Each line: where it is documented or seen.
TRACKERS = frozenset(
    """
    fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid twclid ttclid li_fat_id igshid mc_cid mc_eid _ga _gl
    _hsenc _hsmi mkt_tok vero_id oly_anon_id oly_enc_id at_medium at_campaign at_custom1 at_custom2 at_custom3
    at_custom4 ns_mchannel ns_source ns_campaign ns_linkname ns_fee smid smtyp partner emc campaign_id
    instance_id segment_id regi_id cmp cmpid cmp_id icid ito xtor wt_mc wt.mc_id wt_zmc ocid soc_src soc_trk
    ncid cid_source traffic_source sref srnd ftag ref_src ref_url __twitter_impression feedtype feedname
    source_feed guccounter
    """.split()
)
# fbclid, igshid: Meta; gclid to wbraid: Google Ads help; msclkid: Microsoft; mc_*: Mailchimp; _hs*: HubSpot;
# at_*, ns_*: BBC; smid, partner, emc: New York Times; cmp: Guardian; ito: Daily Mail; xtor: AT Internet (Le Monde);
# wt_mc: Webtrekk (German broadcasters); ocid: MSN; soc_*, ncid, guccounter: Yahoo; ftag: CBS and CNET.
TRACKER_PREFIXES = ("utm_", "pk_", "mtm_", "hsa_", "oft_")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_HOST = re.compile(r"[a-z0-9_.:-]+")
_SCHEMES = ("http", "https")


def canonical(url: str, base: str | None = None) -> str | None:
    """The one spelling under which an article is kept; `None` when it is no http or https address.

    Relative addresses are taken from `base`. Lower-case host without default port or user name, no fragment, no
    tracking parameters, the rest of the query in a fixed order, percent-encoding made regular. Idempotent.
    """
    # As browsers read it (WHATWG URL): a link broken over lines is one, a space inside is written %20.
    stripped = "".join(part.strip(" ") for part in _CONTROL.split(url)).replace(" ", "%20")
    if not stripped:
        return None
    if base:
        try:
            stripped = urljoin(base, stripped)
        except ValueError:
            return None
    if len(stripped) > MAX_URL:
        return None
    try:
        parts = urlsplit(stripped)
        host, port = _ascii(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in _SCHEMES or not _HOST.fullmatch(host) or "\\" in parts.netloc:
        return None
    scheme = parts.scheme.lower()
    netloc = f"[{host}]" if ":" in host else host
    if port and port != (443 if scheme == "https" else 80):
        netloc = f"{netloc}:{port}"
    query = "&".join(pair for pair in parts.query.split("&") if not _is_tracker(unquote_plus(pair.partition("=")[0])))
    try:
        regular = canonicalize_url(urlunsplit((scheme, netloc, parts.path or "/", query, "")))
    except (ValueError, UnicodeError):
        return None
    return str(regular) if 0 < len(regular) <= MAX_URL else None


def _ascii(host: str) -> str:
    """A host name as DNS has it: ASCII, lower case, no dot after it. UnicodeError, a ValueError, when it is none."""
    return host.encode("idna").decode().lower().rstrip(".")


def _is_tracker(key: str) -> bool:
    low = key.lower()
    return low in TRACKERS or low.startswith(TRACKER_PREFIXES)


@lru_cache(maxsize=16384)
def host_of(url: str) -> str:
    """The host name of a URL in lower case, without port; empty when there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_address(host: str) -> bool:
    """Whether a host is written as a bare IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


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
