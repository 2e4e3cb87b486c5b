"""Who tells of a feed's news by itself (W3C WebSub, sections 4 to 7). Judgements only: values in, values out.

What goes over the wire is `hub`'s business; what is remembered is the table `websub`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urljoin

from pipeline.hiding import bare
from pipeline.model import Subscription, SubscriptionState

LEASE = timedelta(days=7)
"""How long we ask a hub to tell us; it answers with a time of its own."""

LONGEST_LEASE = timedelta(days=30)
EARLY = 0.75
"""The share of a lease after which it is renewed, so that a few tries fit into what is left."""

SOONEST = timedelta(minutes=10)
RETRY, RETRY_CAP = timedelta(hours=1), timedelta(hours=24)
DENIED_FOR = timedelta(days=7)
ASKED_FOR = timedelta(hours=1)
"""How long after our request a hub may ask whether it was ours."""

LEAVE_WITHIN = timedelta(minutes=10)
"""How long a hub has to ask whether we really want to leave; then the subscription is forgotten."""

METHODS = ("sha1", "sha256", "sha384", "sha512")
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,<>\"]+\s*(?:=\s*(?:\"[^\"]*\"|[^\s\",;<>]*))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]+))", re.I)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a hub's question is answered with, and the subscription after it; `None` when nothing changes."""

    status: int
    body: str = ""
    after: Subscription | None = None


def offer(headers: Iterable[tuple[str, str]], links: Iterable[tuple[str, str]], base: str) -> tuple[str, str] | None:
    """The hub of a document and the address the hub knows it by; `None` unless both are said.

    Link headers go before what the document says (WebSub 4); of several hubs, one with TLS.
    """
    said = [*_linked(headers, base), *links]
    hubs = [url for rel, url in said if rel == "hub"]
    topics = [url for rel, url in said if rel == "self"]
    if not hubs or not topics:
        return None
    return bare(next((url for url in hubs if url.startswith("https://")), hubs[0])), bare(topics[0])


def _linked(headers: Iterable[tuple[str, str]], base: str) -> list[tuple[str, str]]:
    """The links in Link headers (RFC 8288): (rel, absolute URL)."""
    found = []
    for name, value in headers:
        for href, parameters in _LINK.findall(value[:8192]) if name == "link" else ():
            rel = _REL.search(parameters)
            try:
                url = urljoin(base, href.strip()).partition("#")[0]
            except ValueError:
                continue
            if rel and len(url) <= 2048 and url.isprintable() and url.lower().startswith(("http://", "https://")):
                found += [(one, url) for one in (rel[1] or rel[2]).lower().split()]
    return found


def form(one: Subscription) -> dict[str, str]:
    """What is posted to the hub (WebSub 5.1)."""
    values = {"hub.callback": one.callback_url or "", "hub.topic": one.topic_url}
    if one.state == "leaving":
        return {"hub.mode": "unsubscribe", **values}
    lease = str(round(LEASE.total_seconds()))
    return {"hub.mode": "subscribe", **values, "hub.lease_seconds": lease, "hub.secret": one.secret or ""}


def asking(one: Subscription, now: datetime) -> Subscription:
    """The subscription as the hub is being asked: to be asked again, ever more rarely, until it is confirmed."""
    if one.state == "leaving":
        return replace(one, asked_at=now, failures=1, next_try_at=now + LEAVE_WITHIN)
    wait = min(RETRY * 2 ** min(one.failures, 10), RETRY_CAP)
    state: SubscriptionState = "renewing" if one.state in ("confirmed", "renewing") else "asked"
    return replace(one, state=state, asked_at=now, failures=one.failures + 1, next_try_at=now + wait)


def answered(one: Subscription | None, query: Mapping[str, str], now: datetime) -> Verdict:
    """The answer to a hub that asks whether a request was ours (WebSub 5.3), or that says no (5.2).

    Yes only to what we asked for: this callback, this topic, this mode, and lately. A hub that did not hear our yes may
    ask again.
    """
    if one is None or query.get("hub.topic") != one.topic_url:
        return Verdict(404)
    mode = query.get("hub.mode")
    if mode == "denied":
        why = f"the hub said no ({query.get('hub.reason') or 'without a reason'})"[:300]
        after = replace(one, state="denied", lease_until=None, next_try_at=now + DENIED_FOR, why=why)
        return Verdict(200, "", after if one.state in ("asked", "confirmed", "renewing") else None)
    challenge = query.get("hub.challenge")
    lately = one.asked_at is not None and now - one.asked_at <= ASKED_FOR
    if not challenge or not lately:
        return Verdict(404)
    if mode == "subscribe" and one.state in ("asked", "confirmed", "renewing"):
        said = query.get("hub.lease_seconds", "")
        lease = timedelta(seconds=int(said[:9])) if said.isdecimal() and int(said[:9]) else LEASE
        lease = min(lease, LONGEST_LEASE)
        renew_at = now + max(lease * EARLY, SOONEST)
        after = replace(one, state="confirmed", lease_until=now + lease, next_try_at=renew_at, failures=0, why=None)
        return Verdict(200, challenge, after)
    if mode == "unsubscribe" and one.state == "leaving":
        return Verdict(200, challenge, replace(one, next_try_at=now))
    return Verdict(404)


def genuine(signature: str | None, secret: str | None, body: bytes) -> bool:
    """Whether a delivery was signed with our secret (WebSub 7.1), compared in constant time. Unsigned is not."""
    method, _, given = (signature or "").partition("=")
    if not secret or method.strip().lower() not in METHODS:
        return False
    expected = hmac.new(secret.encode(), body, getattr(hashlib, method.strip().lower())).hexdigest()
    return hmac.compare_digest(expected.encode(), given.strip().lower().encode("utf-8", "replace"))


def told(one: Subscription, now: datetime) -> bool:
    """Whether a hub tells us of this feed now."""
    return one.state in ("confirmed", "renewing") and one.lease_until is not None and one.lease_until > now
