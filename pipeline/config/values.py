"""What the rest of the house gets to know of the configuration: frozen, checked values."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from pipeline.model import Feed, Outlet, TopicProfile
from pipeline.retention import Rules

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """`[fetch]`: how Newsbeat behaves towards the web. The defaults are the fetch contract's section 1.

    Sizes are bytes. `allow_addresses` are networks that may be asked although they are not public.
    """

    contact: str = ""
    every: timedelta = timedelta(minutes=60)
    every_least: timedelta = timedelta(minutes=30)
    every_most: timedelta = timedelta(hours=6)
    per_host_gap: timedelta = timedelta(seconds=1)
    per_host_in_flight: int = 2
    in_flight: int = 32
    host_wide_429: bool = True
    allow_addresses: tuple[Network, ...] = ()
    connect_timeout: timedelta = timedelta(seconds=10)
    read_timeout: timedelta = timedelta(seconds=20)
    deadline: timedelta = timedelta(seconds=30)
    max_wire_bytes: int = 20 * 1024 * 1024
    max_body_bytes: int = 20 * 1024 * 1024
    max_ratio: int = 100
    max_redirects: int = 5
    backoff: timedelta = timedelta(minutes=60)
    backoff_cap: timedelta = timedelta(hours=24)
    hint_cap: timedelta = timedelta(hours=24)
    retry_after_cap: timedelta = timedelta(hours=72)
    jitter: float = 0.1
    jitter_cap: timedelta = timedelta(minutes=10)
    unconditional_every: timedelta = timedelta(hours=24)
    gone_recheck: timedelta = timedelta(hours=24)
    parse_deadline: timedelta = timedelta(seconds=20)
    parse_memory_mb: int = 200
    tick: timedelta = timedelta(seconds=5)
    archives: bool = False


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """`[site]`: what the published site is called, and how many processes answer (`None`: two, or one on one core)."""

    title: str = "Newsbeat"
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class WebsubSettings:
    """`[websub]`: where hubs reach us. Off while `callback` is empty. `listen` is a host and a port of this machine."""

    callback: str = ""
    listen: tuple[str, int] = ("127.0.0.1", 8002)


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything in `config/`, checked."""

    site: SiteSettings
    fetch: FetchSettings
    feeds: tuple[Feed, ...]
    outlets: tuple[Outlet, ...]
    topics: tuple[TopicProfile, ...]
    websub: WebsubSettings = WebsubSettings()
    keep: Rules = field(default_factory=Rules)
    log_format: Literal["text", "json"] = "text"
