"""What a person said goes before what a score says. Pure: labels and matches in, matches out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pipeline.model import Match, TopicProfile

SAID = "a person said so"
"""Why a verdict differs from its score, in the words people read."""


def settled(
    article_url: str, found: Iterable[Match], profiles: Iterable[TopicProfile], said: Mapping[str, bool]
) -> tuple[Match, ...]:
    """The matches as they stand once people were heard.

    `said` is topic to whether a person calls the article on topic. The score and its evidence stay what they are; the
    verdict follows the person. An article that has no term of a topic at all gets a match of score 0 where a person
    spoke, so that every label is seen in the tags.
    """
    after = [
        replace(match, on_topic=said[match.topic], why=SAID, decided_by="person")
        if match.topic in said
        else replace(match, decided_by="rule")
        if match.why
        else match
        for match in found
    ]
    named = {match.topic for match in after}
    for profile in profiles:
        if profile.slug in said and profile.slug not in named:
            on_topic = said[profile.slug]
            after.append(Match(article_url, profile.slug, 0.0, on_topic, (), profile.profile_hash, SAID, "person"))
    return tuple(after)
