"""What is wrong with the topics as they meet the archive: the latest articles are judged on trial, for a few seconds at
most. For `newsbeat check`, and for whoever else wants to know.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pipeline import topics
from pipeline.model import TopicProfile
from pipeline.store import Store
from pipeline.topics import Finding, Tried

LATEST = 2000
"""Articles judged on trial, the latest."""

SECONDS = 5.0
"""How long that may take; then what was seen so far has to do."""

QUIET = timedelta(days=30)
"""A topic without an article for so long is told."""


def of_topics(
    profiles: Iterable[TopicProfile], store: Store | None, now: datetime
) -> Iterator[tuple[TopicProfile, Finding]]:
    """Each finding with its topic: from the files alone, and, with a store, from the archive too."""
    known = tuple(profiles)
    tried = _tried(known, store) if store else {}
    for profile in known:
        for finding in topics.findings(profile, tried.get(profile.slug)):
            yield profile, finding
        if store and _alone(store, profile, tried[profile.slug]):
            why = "it knows its seed alone, and there are articles by now that it could be fitted to."
            yield profile, Finding("fitted", why, f"`newsbeat topic tune {profile.slug}` shows what they teach it.")
        if store and (days := _quiet(store, profile, now)) is not None:
            why = f"no article on this topic for {days} days, though others came in."
            yield profile, Finding("", why, f"`newsbeat topic review {profile.slug}` shows what comes nearest.")


def _tried(profiles: tuple[TopicProfile, ...], store: Store) -> dict[str, Tried]:
    tried = {profile.slug: Tried() for profile in profiles}
    panel = topics.Panel(topics.compiled(profile) for profile in profiles)
    until = time.monotonic() + SECONDS
    for article in store.articles.latest(LATEST):
        found = {match.topic: match for match in panel.match(article)}
        for profile in profiles:
            tried[profile.slug].add(found.get(profile.slug), profile.threshold)
        if time.monotonic() > until:
            break
    return tried


def _alone(store: Store, profile: TopicProfile, tried: Tried) -> bool:
    """Whether the archive could teach a topic that was made without one, and nobody has taught it since."""
    could = profile.fitted == 0 and tried.articles >= topics.LEAST_ARTICLES
    return could and not store.feedback.resolved(profile.slug, store.articles.ids)


def _quiet(store: Store, profile: TopicProfile, now: datetime) -> int | None:
    """For how many days the topic had no article while the archive got some; `None` when that is not so."""
    newest = store.articles.newest_at()
    last = store.topics.last_on(profile.slug)
    if newest is None or now - newest > QUIET or (store.articles.oldest_at() or now) > now - QUIET:
        return None
    since = last or store.articles.oldest_at()
    return (now - since).days if since and now - since > QUIET else None
