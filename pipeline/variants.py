"""AMP and mobile forms of an outlet's page, and what makes two addresses one page. Pure.

`desktop` gives the address of the ordinary page, which a browser can open. `page` gives a name to compare by, and may
set aside more: scheme, `www.`, index pages, a last slash. It is no address. Where an outlet finds its pages by a number
and takes any words beside it, the number is the name: its editors change those words.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

MOBILE = frozenset("m mobile mobil amp wap touch".split())
"""First labels of hosts that show another outfit of the same pages."""

# Their AMP and mobile pages have addresses of another make, from which the ordinary one cannot be told.
_OTHER_MAKE = frozenset("amp.usatoday.com amp.abc.net.au amp.rte.ie amp.nbcsports.com m.facebook.com".split())

# Suffixes under which names are given out in two steps, such as example.co.uk. Enough to tell a site from a suffix.
_SECOND_LEVEL = frozenset("co com net org gov ac edu or ne go gob nom in mil".split())

# Paths under which "amp" is a word like any other.
_WORDS = frozenset(
    "tag tags topic topics category categories wiki search glossary term keyword keywords author".split()
)
# A word of its own, not part of "example" or "campaign".
_AMP = re.compile(r"(?<![a-z])(?:is|no)?amp(?![a-z])")
_AMP_SUFFIX = re.compile(r"(?:\.amp(?=\.html?$)|\.amp$|[_~]amp(?=\.html?$)|!amp$)")
_AMP_VALUES = {
    **{key: {"amp"} for key in ("outputtype", "output", "view", "format", "mode", "type", "platform")},
    **{key: {"", "1", "true", "amp", "yes", "on", "html"} for key in ("amp", "is_amp", "isamp")},
    "noamp": {"", "1", "mobile", "available"},
}
_AMP_SHOW = re.compile(r"/amp_articleshow(?=/|$)")
_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;?]*", re.I)
_COOKIELESS = re.compile(r"/\([A-Z]\([A-Za-z0-9_-]{10,}\)\)(?=/|$)")

# One newsroom's pages under several hosts, path for path. Sister outlets that share texts are not the same page.
TWINS = {
    "edition.cnn.com": "cnn.com",
    "us.cnn.com": "cnn.com",
    "bbc.co.uk": "bbc.com",
    "huffingtonpost.com": "huffpost.com",
    "uk.reuters.com": "reuters.com",
    "in.reuters.com": "reuters.com",
    "ca.reuters.com": "reuters.com",
    "af.reuters.com": "reuters.com",
    "uk.news.yahoo.com": "news.yahoo.com",
    "ca.news.yahoo.com": "news.yahoo.com",
    "au.news.yahoo.com": "news.yahoo.com",
    "sg.news.yahoo.com": "news.yahoo.com",
    "in.news.yahoo.com": "news.yahoo.com",
    "beta.theguardian.com": "theguardian.com",
    "old.reddit.com": "reddit.com",
    "new.reddit.com": "reddit.com",
}

# Where the outlet finds the page by this number alone, whatever the words and the section beside it say.
BY_NUMBER = {
    "dailymail.co.uk": r"/article-(\d{6,})(?:/|$)",
    "thisismoney.co.uk": r"/article-(\d{6,})(?:/|$)",
    "indiatimes.com": r"/(?:amp_)?articleshow/(\d{6,})\.cms$",
    "usatoday.com": r"/(?:story|amp)/(?:.*/)?(\d{9,})$",
    "rnz.co.nz": r"/(?:news|national|international)/(?:[^/]+/)?(\d{5,})(?:/[^/]*)?$",
    "stuff.co.nz": r"/(?!20\d{6}/)(\d{8,})(?:/[^/]*)?$",
    "abc.net.au": r"/news/(?:[^/]+/)*(\d{7,})$",
    "news.sky.com": r"/story/(?:[^/]*-)?(\d{7,})$",
    "dw.com": r"/(a-\d{6,})$",
    "globalnews.ca": r"/news/(\d{5,})(?:/[^/]*)?$",
    "spiegel.de": r"-(a-(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{6,}))(?:-amp)?(?:\.html)?$",
    "huffpost.com": r"/entry/(?:[^/]*_)?(n_[0-9a-f]{8,}|us_[0-9a-f]{8,}|uk_[0-9a-f]{8,}|[a-z]{2}_[0-9a-f]{24})$",
    "independent.co.uk": r"-([ab]\d{6,})\.html$",
    "focus.de": r"_id_(\d{6,})\.html$",
    "cbc.ca": r"-(1\.\d{6,})$",
    "nbcnews.com": r"-((?:n|rcna|ncna)\d{5,})$",
}
_BY_NUMBER = {host: re.compile(pattern) for host, pattern in BY_NUMBER.items()}

_INDEX = re.compile(r"/(?:index|default)\.(?:html?|shtml|php|aspx?|jsp)$", re.I)
_SLASHES = re.compile(r"//+")
_WWW = re.compile(r"www\d?\.(?=[^.]+\.)")
# The same words in another outfit: on one page, for printing, at one post of a live page (Guardian), with the comments.
_OUTFITS = re.compile(
    r"(?:print|printable|printer|printerfriendly)=(?:1|true|yes|y)?|view=print|format=print|pagewanted=(?:all|print)|singlepage=(?:1|true)|"
    r"page=(?:all|full|with(?::|%3A)block-[0-9a-f]+)|showcomments=(?:1|true)|m=[01](?=$)",
    re.I,
)


def desktop(url: str) -> str | None:
    """The ordinary page of an AMP or mobile address, or of one with a session in it; `None` when it is one already.

    Takes and gives a canonical spelling.
    """
    low = url.lower()
    if not (
        ("amp" in low and _AMP.search(low))
        or ";" in url
        or "/(" in url
        or url.partition("://")[2].partition(".")[0] in MOBILE
        or ".m." in low
    ):
        return None
    parts = urlsplit(url)
    if parts.netloc in _OTHER_MAKE:
        return None
    netloc = _desktop_host(parts.netloc)
    path = _COOKIELESS.sub("", _SESSION.sub("", parts.path))
    query = parts.query
    if "amp" in low:
        path = _without_amp(path, parts.netloc)
        query = "&".join(pair for pair in query.split("&") if not _says_amp(pair)) if query else ""
        if netloc == "www.cnn.com" and parts.netloc == "amp.cnn.com":
            path = path.removeprefix("/cnn")
    made = urlunsplit((parts.scheme, netloc, path or "/", query, parts.fragment))
    return made if made != url else None


def _desktop_host(netloc: str) -> str:
    first, _, rest = netloc.partition(".")
    if first in MOBILE and _is_site(rest):
        # Mobile hosts stand beside www; below another name ("m.timesofindia.indiatimes.com") that name is the site.
        return f"www.{rest}" if _is_bare(rest) else rest
    if ".m.wiki" in netloc:  # en.m.wikipedia.org
        return netloc.replace(".m.wiki", ".wiki", 1)
    return netloc


def _is_site(host: str) -> bool:
    """Whether a name is a site of its own and not a suffix such as co.uk, a port or an address."""
    labels = host.partition(":")[0].split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return False
    return not (len(labels) == 2 and labels[0] in _SECOND_LEVEL and len(labels[1]) == 2)


def _is_bare(host: str) -> bool:
    """Whether a site's name has nothing before it: example.org and example.co.uk, but not news.example.org."""
    labels = host.partition(":")[0].split(".")
    return len(labels) == 2 or (len(labels) == 3 and labels[1] in _SECOND_LEVEL and len(labels[2]) == 2)


def _without_amp(path: str, netloc: str) -> str:
    last = path.rstrip("/").rpartition("/")[2]
    if len(last) > 4:
        path = _AMP_SUFFIX.sub("", path)
        path = _AMP_SHOW.sub("/articleshow", path)
        if netloc.endswith("spiegel.de"):
            path = re.sub(r"-amp(\.html)?$", r"\1", path)
    segments = path.split("/")
    if "amp" not in segments:
        return path
    kept: list[str] = []
    for at, segment in enumerate(segments):
        before = next((one for one in reversed(kept) if one), "")
        if segment == "amp" and before not in _WORDS and _tells(segments[:at] + segments[at + 1 :]):
            if before == "platform" and len(kept) == 2:  # Vox Media: /platform/amp/2020/...
                kept.pop()
            continue
        kept.append(segment)
    # `/story/amp` stood for `/story`, `/story/amp/` for `/story/`.
    return "/".join(kept) or "/"


def _tells(segments: list[str]) -> bool:
    """Whether what is left names an article: a segment with a number, or of several words."""
    return any(any(char.isdigit() for char in one) or one.count("-") > 1 or len(one) > 24 for one in segments)


def _says_amp(pair: str) -> bool:
    key, _, value = pair.lower().partition("=")
    return value in _AMP_VALUES.get(key, ())


def page(url: str) -> str:
    """The name under which an article's page is known: equal for two addresses that show one article.

    Takes a canonical address; anything else (`urn:...`) names itself. No address: do not open it.
    """
    if not url.startswith(("http://", "https://")):
        return url
    parts = urlsplit(url)
    host = _WWW.sub("", parts.netloc)
    host = TWINS.get(host, host)
    path = _SLASHES.sub("/", parts.path).rstrip("/")
    if (pattern := _number_of(host)) and (held := pattern.search(path)):
        return f"{host.removeprefix('amp.')}#{held.group(1)}"
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _OUTFITS.fullmatch(pair))
    if not query:
        path = _INDEX.sub("", path)
    return f"{host}{path}" + (f"?{query}" if query else "") + (f"#{parts.fragment}" if parts.fragment else "")


def _number_of(host: str) -> re.Pattern[str] | None:
    while host:
        if found := _BY_NUMBER.get(host):
            return found
        host = host.partition(".")[2]
    return None
