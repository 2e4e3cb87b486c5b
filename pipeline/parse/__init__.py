"""One answer of a feed to a ParsedFeed. Bytes in, values out; no network, no store.

The only room that knows feed formats. `feed` looks at the body, not at the media type (fetch contract B1), and hands it
to the reader of that format: `xml` (RSS 0.9x to 2.0, RSS 1.0, Atom), `jsonfeed`, `sitemap` (news sitemaps).
It runs in a worker process: hostile input may take long or die, and then costs its own poll. `at_once` is for nearly
every feed and for any process: it reads what is small, well-formed and known in every part, within a time it keeps.
"""

from __future__ import annotations

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed, Response
from pipeline.parse import jsonfeed, sitemap, sniff, xml


def feed(response: Response) -> ParsedFeed:
    """The entries of a feed document, in document order, each with a name (guid) unique in it.

    Raises ParseError, in words, when the body is no feed: empty, HTML, or nothing we can read.
    """
    body, is_utf8 = sniff.utf8(response.body)
    match sniff.kind(body):
        case "empty":
            raise ParseError(response.url, "the answer was empty, not a feed")
        case "html":
            candidates = sniff.feed_links(body, response.url)
            hint = f"; it links to the feed {candidates[0]}" if candidates else ""
            raise ParseError(response.url, f"the answer is an HTML page, not a feed{hint}", candidates)
        case "json":
            return jsonfeed.read(body, response.url)
        case "sitemap":
            return sitemap.read(body, response.url, is_utf8)
        case _:
            return xml.read(body, response.url, "charset=utf-8" if is_utf8 else response.header("content-type"))


def at_once(response: Response) -> ParsedFeed | None:
    """`feed` for what can be read within milliseconds, by a reader that hostile input cannot keep; else `None`."""
    body, is_utf8 = sniff.utf8(response.body[: xml.MAX_AT_ONCE + 1])
    if len(response.body) > xml.MAX_AT_ONCE or sniff.kind(body) != "xml":
        return None
    return xml.at_once(body, response.url, "charset=utf-8" if is_utf8 else response.header("content-type"))
