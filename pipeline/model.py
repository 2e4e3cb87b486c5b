"""The values that travel through the house. Frozen; no behaviour beyond a derived property.

`None` means "not said". Times are aware UTC. Links end in `_url`, times in `_at`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

FeedStateName = Literal["ok", "failing", "gone", "moved", "paused"]
TextFrom = Literal["content", "summary", "page", "title"]
TermKind = Literal["name", "phrase", "word"]
DecidedBy = Literal["score", "rule", "person"]
PollVerdict = Literal["ok", "not_modified", "failed"]
SubscriptionState = Literal["offered", "asked", "confirmed", "renewing", "denied", "leaving"]


@dataclass(frozen=True, slots=True)
class Outlet:
    """Who publishes: a name, the domains it publishes under, and the family of newsrooms it belongs to."""

    name: str
    domains: tuple[str, ...]
    family: str


@dataclass(frozen=True, slots=True)
class Feed:
    """What the configuration asks for. `every` is the operator's own pace for this feed.

    `certificate` is an exception from checking its server's certificate: `any`, or `sha256:` and 64 hex digits for that
    one certificate; `None` where it is checked like any other.
    """

    url: str
    outlet: str | None = None
    title: str | None = None
    every: timedelta | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
    """What we remember of a feed between polls. Validators are kept byte for byte as the server gave them.

    `url` is where we ask: the configured address, or the one it moved to for good.
    `rhythm` is what `schedule.learn` made of its habits; `hint` and the skips are what the last document asked for,
    `fresh` what the server last said. `error_kind` is the class of the last failure, `None` after a success: the `kind`
    of a FetchError, or `not_a_feed`. `body_hash` is the hash of the last body that parsed; `same_bodies` how often
    in a row it came unasked for. Until `told_until` a hub tells of its news by itself. `not_before` is until when the
    server asked not to be asked (Retry-After), `certificate` the operator's exception (see Feed), `flaw` what is odd
    about the document we hold.
    """

    id: int
    feed_url: str
    url: str
    title: str | None = None
    outlet: str | None = None
    outlet_id: int | None = None
    state: FeedStateName = "ok"
    every: timedelta | None = None
    etag: str | None = None
    last_modified: str | None = None
    validators_url: str | None = None
    body_hash: str | None = None
    same_bodies: int = 0
    failures: int = 0
    error_kind: str | None = None
    gone_seen: int = 0
    moved_to: str | None = None
    moved_seen: int = 0
    rhythm: str | None = None
    hint: timedelta | None = None
    fresh: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    next_poll_at: datetime | None = None
    told_until: datetime | None = None
    not_before: datetime | None = None
    certificate: str | None = None
    flaw: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """Bytes off the wire, complete and decoded. `url` is where redirects ended; header names are lower case.

    `permanent_url` is the end of the leading run of permanent redirects (301, 308), `None` when there was none.
    """

    asked_url: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fetched_at: datetime
    permanent_url: str | None = None
    wire_bytes: int = 0

    @property
    def delta(self) -> bool:
        """Whether this is only what is new against the version we named (226, RFC 3229), not the whole document."""
        return self.status == 226

    def header(self, name: str) -> str | None:
        """The first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class NotModified:
    """The server says what we have is current (304): a success, with the headers it brought."""

    asked_url: str
    url: str
    headers: tuple[tuple[str, str], ...]
    fetched_at: datetime
    permanent_url: str | None = None
    status: int = 304

    def header(self, name: str) -> str | None:
        """The first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as the feed gives it, in the outlet's words and markup; only links are made absolute.

    `guid` is opaque. `content` is the item's full body where the feed carries one. `raw_hash` is a hash of
    everything above that a reader could see, so that an unchanged entry is recognised without reading it.
    `publisher` is who published the article, where the feed is another's collection and says so.
    """

    feed_url: str
    guid: str
    url: str | None
    title: str | None
    summary: str | None
    content: str | None
    authors: tuple[str, ...]
    published_at: datetime | None
    lang: str | None
    raw_hash: str
    publisher: str | None = None
    publisher_url: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """One answer of a feed, read. `skipped` counts items that could not be; `flaw` says what is odd about it.

    `whole` is False when the document was cut off: its validators vouch for nothing.
    `hint` is the longest wait the feed itself asks for (ttl, updatePeriod). `skip_hours` are hours of the day
    in GMT, `skip_days` are weekdays with Monday as 0. `links` are the document's own: (rel, absolute URL), of `LINKS`.
    """

    title: str | None
    entries: tuple[Entry, ...]
    lang: str | None = None
    hint: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    skipped: int = 0
    flaw: str | None = None
    whole: bool = True
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we arranged with a hub about one feed. `callback_url` and `secret` are between the hub and us.

    `asked_at` is when we last asked the hub, `failures` counts requests since it last said yes.
    """

    feed_id: int
    hub_url: str
    topic_url: str
    callback_url: str | None = None
    secret: str | None = None
    state: SubscriptionState = "offered"
    asked_at: datetime | None = None
    lease_until: datetime | None = None
    next_try_at: datetime | None = None
    failures: int = 0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """One page of one outlet, as plain text. `url` is canonical; `text_from` says where the text was found.

    `text_hash` is the hash of title, summary and text with case, punctuation and white space set aside: two
    wordings with one hash are one wording. `agency` is the news agency that signs the text.
    """

    url: str
    outlet: str
    title: str | None
    summary: str | None
    text: str
    text_from: TextFrom
    lang: str | None
    authors: tuple[str, ...]
    published_at: datetime | None
    first_seen_at: datetime
    text_hash: str
    id: int | None = None
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of an article an entry may be. `home_feed` is the feed that brought it first.

    `raw_hash` is what this feed last said under this guid, `None` when it never named it so.
    """

    article_id: int
    url: str
    title: str | None
    summary: str | None
    text_hash: str
    home_feed: str
    raw_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Headlined:
    """A stored article under a headline: whose it is, and its moments."""

    known: Known
    outlet: str
    published_at: datetime | None
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Former:
    """An entry of this feed that its latest document no longer names, and that one of its new entries may be.

    `guid` and `link` are those it was last seen under.
    """

    guid: str
    link: str | None
    published_at: datetime | None
    known: Known


@dataclass(frozen=True, slots=True)
class Revision:
    """One wording of an article. `kind` is the most telling thing that changed against the wording before: `first`, or
    one of `edits.KINDS`."""

    article_url: str
    n: int
    title: str | None
    summary: str | None
    text_hash: str
    kind: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Term:
    """One thing a topic listens for. `weight` is relative; `aliases` count as the term itself."""

    text: str
    weight: float
    kind: TermKind = "word"
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """Gates before the score: any one of, all of, none of these must stand in the article."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()


SCORING = 3
"""Which way of scoring this is. Raised when an article's score on the same profile becomes another: it is part of every
`profile_hash`, so that tags of an older way are seen to be stale and are made anew."""


@dataclass(frozen=True, slots=True)
class TopicProfile:
    """A topic: its terms, its gates, and the score from which an article is on topic (0 to 1).

    Scores are multiplied by `scale`, so that one threshold means the same for a narrow seed and a broad one. `fitted`
    is to how many stored articles it was fitted; 0: it knows its seed alone; None: a person wrote it.
    """

    slug: str
    title: str
    terms: tuple[Term, ...]
    rules: Rules = Rules()
    threshold: float = 0.23
    seed: str | None = None
    profile_hash: str = ""
    scale: float = 1.0
    fitted: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a score: the term, the field it stood in, how often, and the points it brought.

    `spans` are (start, end) character offsets of the first few places in that field, for highlighting.
    """

    term: str
    field: Literal["title", "summary", "text"]
    count: int
    points: float
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """How an article stands to a topic: 0 to 1, the verdict, and the evidence, most telling first.

    `why` says in words what decided instead of the score, and is empty where the score did.
    """

    article_url: str
    topic: str
    score: float
    on_topic: bool
    evidence: tuple[Evidence, ...]
    profile_hash: str
    why: str = ""
    decided_by: DecidedBy = "score"


@dataclass(frozen=True, slots=True)
class Label:
    """What a person says of an article and a topic. `created_at` is `None` where what stands there is no time."""

    article_id: int
    topic: str
    on_topic: bool
    actor: str
    created_at: datetime | None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What several outlets say about one event."""

    id: int
    title: str
    article_urls: tuple[str, ...]
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's word on two articles: of one event (`together`), or not (`apart`; the first is the one that left)."""

    id: int
    action: Literal["together", "apart"]
    article_id: int
    other_article_id: int
    url: str | None
    other_url: str | None
    actor: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """What people said of stories, by the numbers of articles: pairs that belong together, oldest word first, and for
    each article those it stands apart from."""

    together: tuple[tuple[int, int], ...]
    apart: Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an article belongs: the story it joins (`None`: it opens one) and the article it copies, if any.

    `absorbs` are stories that turn out to be of this event too, `takes` articles of other stories that belong here.
    `original_of` is an article that turns out to be a copy of this one, since this one came out first. `close` are
    stories that the article comes close to: they and its own are looked at again together.
    """

    story_id: int | None
    similarity: float
    copy_of: int | None = None
    absorbs: tuple[int, ...] = ()
    takes: tuple[int, ...] = ()
    original_of: int | None = None
    close: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """What one poll came to, in numbers and in a sentence."""

    feed_url: str
    outcome: PollVerdict
    status: int | None
    new: int
    revised: int
    unchanged: int
    bytes: int
    ms: int
    why: str
    next_poll_at: datetime | None
    started_at: datetime
