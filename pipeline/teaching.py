"""A topic learns from labels, and before there are any from what is stored: which articles to ask about, and what its
profile should become. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from pipeline import backtest, learn, topics
from pipeline.learn import Candidate
from pipeline.model import Article, Label, Match, TopicProfile
from pipeline.store import Store

LATEST = 1000
"""Articles on the topic, and as many off it, that are looked at: the last weeks of a busy topic, all of a quiet one."""

FOLDS = 5
"""Into so many parts the labels are divided to try weights on labels they were not made from."""

FITTED_TO = 5000
"""Stored articles that a topic is fitted to, the latest: some ten seconds."""

MOST_LEFT_OUT = 60
"""Labels that are each left out once for the check; of more, the latest."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a person: the article, and how it stands now."""

    article: Article
    match: Match


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the labels say a profile should be. `weights` are by the term's place, those that change.

    `before` and `after` are the marks on all labels; `checked` those of thresholds each made without the label it is
    held against (`None` with fewer than two). `why` says in words what was not touched.
    """

    threshold: float
    weights: Mapping[int, float]
    labels: int
    before: topics.Marks
    after: topics.Marks
    checked: topics.Marks | None
    why: str


def questions(store: Store, profile: TopicProfile, most: int) -> list[Asked]:
    """The articles whose labels would teach most, the best first; to be asked at once."""
    candidates, said = _pool(store, profile, _labels(store, profile))
    found = learn.questions(candidates, said, profile.threshold, most)
    return [_asked(store, profile, one.number) for one in found]


def next_question(
    store: Store, profile: TopicProfile, said_now: Mapping[int, bool], skipped: Sequence[int]
) -> Asked | None:
    """The same, one at a time: after what was said since the store was opened, and without those passed over."""
    candidates, said = _pool(store, profile, _labels(store, profile))
    rest = [one for one in candidates if one.number not in skipped]
    found = learn.question(rest, {**said, **said_now}, profile.threshold)
    return _asked(store, profile, found.number) if found else None


def propose(store: Store, profile: TopicProfile) -> Proposal:
    """A threshold, and where there are labels enough also weights, from the labels; the profile's own without any."""
    labels = _labels(store, profile)
    one = topics.compiled(profile)
    articles = {article.id or 0: article for article in store.articles.get([label.article_id for label in labels])}
    said = {label.article_id: label.on_topic for label in labels if label.article_id in articles}
    candidates, known = _pool(store, profile, labels)
    before = backtest.on_labels(store, labels, one)
    threshold = _threshold(profile, candidates, known, articles)
    tuned = replace(profile, threshold=threshold)
    weights, why = _weights(profile, articles, said)
    if weights:
        with_them, without = (_tried_on_others(profile, articles, said, weighed=weighed) for weighed in (True, False))
        if with_them > without:
            heavier = _weighed(profile, weights)
            pool, known = _pool(store, heavier, labels, anew=True)
            threshold = _threshold(heavier, pool, known, articles)
            tuned = replace(heavier, threshold=threshold)
        else:
            weights = {}
            why = f"weights stay: tried on labels they were not made from, others are right about {with_them} of"
            why += f" {len(said)}, these about {without}."
    after = backtest.on_labels(store, labels, topics.compiled(tuned))
    return Proposal(threshold, weights, len(said), before, after, _left_out(candidates, known, profile.threshold), why)


def archive(
    store: Store, told: Callable[[Iterable[Article]], AbstractContextManager[Iterable[Article]]] = nullcontext
) -> tuple[list[topics.Heard], list[int]]:
    """The latest stored articles made ready, and the story of each (0: none). `told` watches them pass."""
    numbers: list[int] = []

    def noted(articles: Iterable[Article]) -> Iterator[Article]:
        for article in articles:
            numbers.append(article.id or 0)
            yield article

    with told(store.articles.latest(FITTED_TO)) as latest:
        heard = topics.heard(noted(latest))
    places = store.stories.of(numbers)
    return heard, [places.get(number, 0) for number in numbers]


def _labels(store: Store, profile: TopicProfile) -> tuple[Label, ...]:
    return store.feedback.resolved(profile.slug, store.articles.ids)


def _pool(
    store: Store, profile: TopicProfile, labels: Sequence[Label], *, anew: bool = False
) -> tuple[list[Candidate], dict[int, bool]]:
    """The articles near the topic with their scores by this profile, and what was said of them.

    Stored scores are taken where they are this profile's; those of labelled articles are always made anew.
    """
    said = {label.article_id: label.on_topic for label in labels}
    standing = store.topics.standing(profile.slug, LATEST, list(said))
    fresh = [
        one.article_id for one in standing if anew or one.article_id in said or one.profile_hash != profile.profile_hash
    ]
    scores = _scores(store.articles.get(fresh), profile)
    candidates = [
        Candidate(one.article_id, scores.get(one.article_id, one.score), one.group, one.published_at[:10])
        for one in standing
    ]
    numbers = {one.number for one in candidates}
    return candidates, {number: on for number, on in said.items() if number in numbers}


def _scores(articles: Sequence[Article], profile: TopicProfile) -> dict[int, float]:
    panel = topics.Panel((topics.compiled(profile),))
    found = {article.id or 0: panel.match(article) for article in articles}
    return {number: matches[0].score if matches else 0.0 for number, matches in found.items()}


def _threshold(
    profile: TopicProfile,
    candidates: Sequence[Candidate],
    said: Mapping[int, bool],
    articles: Mapping[int, Article],
) -> float:
    """The threshold from the answers. What one term alone may bring depends on the threshold, and so do scores: they
    are made anew at each threshold tried, until it stays, and the one that is right about most labels is taken.
    """
    tried: dict[float, int] = {}
    threshold, pool = profile.threshold, list(candidates)
    labelled = [articles[number] for number in said if number in articles]
    for _ in range(4):
        scores = _scores(labelled, replace(profile, threshold=threshold))
        tried[threshold] = sum((scores[number] >= threshold) == said[number] for number in scores)
        pool = [replace(one, score=scores.get(one.number, one.score)) for one in pool]
        threshold = learn.threshold(pool, said, profile.threshold)
        if threshold in tried:
            break
    else:
        scores = _scores(labelled, replace(profile, threshold=threshold))
        tried[threshold] = sum((scores[number] >= threshold) == said[number] for number in scores)
    # The first one is the present one: it stays where no other is right about more.
    return max(tried, key=lambda value: tried[value])


def _weights(
    profile: TopicProfile, articles: Mapping[int, Article], said: Mapping[int, bool]
) -> tuple[dict[int, float], str]:
    """Other weights by the term's place, or why there are none."""
    on, off = (_terms(profile, articles, [n for n, there in said.items() if there == kind]) for kind in (True, False))
    factors = learn.factors(on, off)
    if min(len(on), len(off)) < learn.ENOUGH:
        least = learn.ENOUGH
        return {}, f"weights stay: they need {least} labels on topic and {least} off, to tell a habit from a chance."
    return _multiplied(profile, factors), ""


def _terms(profile: TopicProfile, articles: Mapping[int, Article], numbers: Sequence[int]) -> list[set[str]]:
    """Which terms stand in each of these articles."""
    panel = topics.Panel((topics.compiled(profile),))
    found = (panel.match(articles[number]) for number in numbers)
    return [{piece.term for match in matches for piece in match.evidence} for matches in found]


def _multiplied(profile: TopicProfile, factors: Mapping[str, float]) -> dict[int, float]:
    weights = {
        at: round(term.weight * factors[term.text], 3) for at, term in enumerate(profile.terms) if term.text in factors
    }
    return {at: weight for at, weight in weights.items() if weight > 0}


def _weighed(profile: TopicProfile, weights: Mapping[int, float]) -> TopicProfile:
    terms = tuple(replace(term, weight=weights.get(at, term.weight)) for at, term in enumerate(profile.terms))
    return replace(profile, terms=terms)


def _tried_on_others(
    profile: TopicProfile, articles: Mapping[int, Article], said: Mapping[int, bool], *, weighed: bool
) -> int:
    """How many labels are met by thresholds, and weights where `weighed`, made from the labels of the other parts."""
    right = 0
    order = sorted(said)
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS])
        rest = {number: said[number] for number in order if number not in held}
        made = profile
        if weighed:
            on, off = (_terms(profile, articles, [n for n, there in rest.items() if there == k]) for k in (True, False))
            made = _weighed(profile, _multiplied(profile, learn.factors(on, off, least=1)))
        scores = _scores([articles[number] for number in order], made)
        pool = [Candidate(number, scores[number], number) for number in rest]
        threshold = learn.threshold(pool, rest, profile.threshold)
        right += sum((scores[number] >= threshold) == said[number] for number in held)
    return right


def _left_out(candidates: Sequence[Candidate], said: Mapping[int, bool], present: float) -> topics.Marks | None:
    """The marks of thresholds that are each made without the label they are held against."""
    if len(said) < 2:
        return None
    scores = {one.number: one.score for one in candidates}
    pairs = []
    for number in sorted(said)[-MOST_LEFT_OUT:]:
        rest = {other: on for other, on in said.items() if other != number}
        pairs.append((scores[number] >= learn.threshold(candidates, rest, present), said[number]))
    return topics.marks(pairs)


def _asked(store: Store, profile: TopicProfile, number: int) -> Asked:
    (article,) = store.articles.get([number])
    found = topics.match(article, (topics.compiled(profile),))
    return Asked(article, found[0] if found else Match(article.url, profile.slug, 0.0, False, (), profile.profile_hash))
