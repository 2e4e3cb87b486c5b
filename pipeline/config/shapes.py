"""The shape of each file, as pydantic models: which keys there are, of what kind, within which bounds.

Unknown keys are refused. These models stay in this room; everyone else gets the values of `values.py`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import math
import re
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from pipeline import patterns
from pipeline.retention import LEAST
from pipeline.text import tokens
from pipeline.urls import MAX_URL, canonical

_UNITS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
    "w": 604800,
    "week": 604800,
    "y": 365 * 86400,
    "year": 365 * 86400,
}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+?)s?\s*", re.I)
METADATA = ipaddress.ip_address("169.254.169.254")


def parse_duration(value: object) -> timedelta:
    """ "60m", "10 min", "2h", "1 day", "90 s" or 0 as a timedelta; ValueError in words for anything else."""
    if value == 0 and not isinstance(value, bool):
        return timedelta()
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    unit = found.group(2).lower() if found else ""
    if found and unit in _UNITS:
        with contextlib.suppress(OverflowError):
            return timedelta(seconds=float(found.group(1)) * _UNITS[unit])
    raise ValueError(f'{value!r} is not a length of time. Write it like "60m", "10 min" or "2h".')


def _within(low: timedelta, high: timedelta) -> AfterValidator:
    def check(value: timedelta) -> timedelta:
        if not low <= value <= high:
            raise ValueError(f"{_say(value)} is out of bounds. Choose between {_say(low)} and {_say(high)}.")
        return value

    return AfterValidator(check)


def _say(value: timedelta) -> str:
    seconds = value.total_seconds()
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _one_url(value: str) -> str:
    if len(value) > MAX_URL or canonical(value) is None:
        raise ValueError(f"{value!r} is not a web address. Write it whole, with http:// or https://.")
    if "@" in urlsplit(value).netloc:
        # Not shown in the message either: what is told here may be logged.
        raise ValueError("the address holds a user name or password. Feed addresses are published; take it out.")
    return value


def _network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(value if isinstance(value, str) else "", strict=False)
    except ValueError:
        raise ValueError(f'{value!r} is no address or network. Write it like "127.0.0.1/32".') from None
    if METADATA.version == network.version and METADATA in network:
        raise ValueError(f"{value} holds 169.254.169.254, where clouds keep credentials. It can never be allowed.")
    return network


def _address(value: Any) -> tuple[str, int]:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not host or not port.isdecimal() or not 0 < int(port[:9]) < 65536:
        raise ValueError(f'{value!r} is no address to listen on. Write it like "127.0.0.1:8002".')
    return host.strip("[]"), int(port)


def _certificate(value: str) -> str:
    """`any`, or a fingerprint as `openssl x509 -fingerprint -sha256` prints it, with colons or without."""
    kind, _, digits = value.strip().lower().partition(":")
    digits = digits.replace(":", "")
    if kind == "any" and not digits:
        return kind
    if kind == "sha256" and re.fullmatch("[0-9a-f]{64}", digits):
        return f"sha256:{digits}"
    raise ValueError(
        f'{value!r} is no exception we know. Write "sha256:" and the fingerprint of its certificate (64 digits),'
        ' or "any" to check nothing.'
    )


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Url = Annotated[str, AfterValidator(_one_url)]
Words = Annotated[str, Field(min_length=1, max_length=200)]
_S, _M, _H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class Shape(BaseModel):
    """A table of keys; unknown ones are refused, and TOML's own types are not bent into others."""

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


class Site(Shape):
    title: Words = "Newsbeat"
    processes: Annotated[int, Field(ge=1, le=16)] | None = None


class Fetch(Shape):
    """HARD limits of the contract (deadline, sizes, ratio) may be lowered here, never raised."""

    contact: str = ""
    every: Annotated[Duration, _within(5 * _M, 24 * _H)] = 60 * _M
    every_least: Annotated[Duration, _within(5 * _M, 24 * _H)] = 30 * _M
    every_most: Annotated[Duration, _within(30 * _M, 24 * _H)] = 6 * _H
    per_host_gap: Annotated[Duration, _within(0 * _S, 60 * _S)] = 1 * _S
    per_host_in_flight: int = Field(default=2, ge=1, le=8)
    in_flight: int = Field(default=32, ge=1, le=256)
    host_wide_429: bool = True
    allow_addresses: list[Annotated[Any, AfterValidator(_network)]] = []
    connect_timeout: Annotated[Duration, _within(1 * _S, 30 * _S)] = 10 * _S
    read_timeout: Annotated[Duration, _within(1 * _S, 30 * _S)] = 20 * _S
    deadline: Annotated[Duration, _within(1 * _S, 30 * _S)] = 30 * _S
    max_wire_bytes: int = Field(default=20 * 1024 * 1024, ge=1024, le=20 * 1024 * 1024)
    max_body_bytes: int = Field(default=20 * 1024 * 1024, ge=1024, le=20 * 1024 * 1024)
    max_ratio: int = Field(default=100, ge=10, le=100)
    max_redirects: int = Field(default=5, ge=0, le=5)
    backoff: Annotated[Duration, _within(5 * _M, 24 * _H)] = 60 * _M
    backoff_cap: Annotated[Duration, _within(1 * _H, 168 * _H)] = 24 * _H
    hint_cap: Annotated[Duration, _within(0 * _S, 168 * _H)] = 24 * _H
    retry_after_cap: Annotated[Duration, _within(1 * _H, 168 * _H)] = 72 * _H
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.1
    jitter_cap: Annotated[Duration, _within(0 * _S, 60 * _M)] = 10 * _M
    unconditional_every: Annotated[Duration, _within(1 * _H, 168 * _H)] = 24 * _H
    gone_recheck: Annotated[Duration, _within(1 * _H, 168 * _H)] = 24 * _H
    parse_deadline: Annotated[Duration, _within(1 * _S, 60 * _S)] = 20 * _S
    parse_memory_mb: int = Field(default=200, ge=64, le=8192)
    tick: Annotated[Duration, _within(timedelta(milliseconds=20), 60 * _S)] = 5 * _S
    archives: bool = False

    @field_validator("contact")
    @classmethod
    def _reachable(cls, value: str) -> str:
        if value and "@" not in value and canonical(value) is None:
            raise ValueError(f"{value!r} is neither a web address nor a mail address.")
        if any(char in value for char in "\r\n()"):
            raise ValueError("a contact cannot hold line breaks or brackets; it goes into a header.")
        if not value.isascii() or not value.isprintable():
            raise ValueError(f"{value!r} holds a sign that no header can carry. Write it in plain ASCII.")
        return value


class Websub(Shape):
    """Off while `callback` is empty."""

    callback: str = ""
    listen: Annotated[Any, AfterValidator(_address)] = ("127.0.0.1", 8002)

    @field_validator("callback")
    @classmethod
    def _reachable(cls, value: str) -> str:
        if value and ("?" in value or "#" in value or not _one_url(value).isascii()):
            raise ValueError(f'{value!r} is more than an address. Write it like "https://news.example.org".')
        return value


Age = Annotated[Duration, _within(LEAST, timedelta(days=36500))]


class Keep(Shape):
    """How long what is kept; what is not said: for ever."""

    articles: Age | None = None
    on_topic: Age | None = None
    labelled: Age | None = None
    polls: Age | None = None
    outlets: dict[Words, Age] = {}
    topics: dict[Words, Age] = {}


class Log(Shape):
    format: Literal["text", "json"] = "text"


class NewsbeatFile(Shape):
    site: Site = Site()
    fetch: Fetch = Fetch()
    websub: Websub = Websub()
    keep: Keep = Keep()
    log: Log = Log()


class FeedEntry(Shape):
    url: Url
    outlet: Words | None = None
    title: Words | None = None
    every: Annotated[Duration, _within(5 * _M, 24 * _H)] | None = None
    certificate: Annotated[str, AfterValidator(_certificate)] | None = None


class FeedsFile(Shape):
    feed: list[FeedEntry] = []


class OutletEntry(Shape):
    name: Words
    domains: list[Words] = Field(min_length=1)
    family: Words | None = None

    @field_validator("domains")
    @classmethod
    def _bare(cls, value: list[str]) -> list[str]:
        for domain in value:
            if "/" in domain or ":" in domain or " " in domain:
                raise ValueError(f'{domain!r} is not a bare domain. Write it like "example.org".')
        return value


class OutletsFile(Shape):
    outlet: list[OutletEntry] = []


class TermEntry(Shape):
    text: Words
    weight: Annotated[float, Field(gt=0, le=1000)]
    kind: Literal["name", "phrase", "word"] = "word"
    aliases: list[Words] = []

    @field_validator("weight")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("a weight is a plain number")
        return value


def _rule(value: str) -> str:
    if value.startswith(patterns.MARK):
        if why := patterns.fault(value):
            raise ValueError(why)
    elif not tokens(value):
        raise ValueError(f"{value!r} holds no word. Write a word, a phrase, or {patterns.MARK} and a pattern.")
    return value


Rule = Annotated[Words, AfterValidator(_rule)]


class RulesEntry(Shape):
    any: list[Rule] = []
    all: list[Rule] = []
    none: list[Rule] = []


class TopicFile(Shape):
    title: Words
    seed: str | None = None
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.23
    scale: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    fitted: int | None = Field(None, ge=0)
    term: list[TermEntry] = Field(min_length=1, max_length=1000)
    rules: RulesEntry = RulesEntry()
