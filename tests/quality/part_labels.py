"""What answers bring: three and five labels a topic, asked for by the rule of `topic review`, answered from the truth.

For every story of three and more articles, up to five seeds (`sets.seeds`). Each seed becomes a profile as `topic new`
writes it, and scores all other articles of its set and the 2,225 background ones, whole. Then the rule asks
(`learn.question`), the truth answers, and `learn.threshold` says where the threshold goes; the figure is macro F1 over
seeds, with labelled articles known. `simple` is the rule to beat: ask about the article nearest the threshold, put the
threshold between the answers. A seed that `topic new` refuses finds nothing.

`archive` are the same for profiles that were made where all these articles, but for the seed, are stored, as `topic
review` mostly finds them: of FNC-1 every ninth story, of BASIL every fourth.

    python tests/quality/part_labels.py basil --every 10     one set, every tenth story
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pipeline import extract, learn, topics
from pipeline.judging import NEAR_MISS
from pipeline.learn import Candidate
from quality import part_topics, sets

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANSWERS = (0, 3, 5)

Rule = Callable[[Sequence[Candidate], dict[int, bool], float], tuple[Candidate | None, float]]
"""Candidates, labels and the present threshold in; the next question and the threshold now out."""


def measure() -> dict[str, float]:
    """Both sets, several minutes of one core, most of it for the scores."""
    found = {}
    for name in ("fnc1", "basil"):
        found |= {f"{name}_{key}": value for key, value in of_set(name).items()}
        fitted = of_set(name, part_topics.EVERY[name], archive=True)
        found |= {f"{name}_archive_{key}": value for key, value in fitted.items()}
    return found


def of_set(name: str, every: int = 1, *, archive: bool = False) -> dict[str, float]:
    """The figures of one set; `every` takes only each n-th story."""
    sums = {f"{rule}_{count}": 0.0 for rule in _RULES for count in ANSWERS}
    seeds = 0
    for scored, truth, threshold in _topics(name, every, archive=archive):
        seeds += 1
        for rule, ask in _RULES.items():
            for count, value in _taught(scored, truth, threshold, ask):
                sums[f"{rule}_{count}"] += value
    return {key: value / seeds for key, value in sums.items()}


def _topics(name: str, every: int, *, archive: bool) -> Iterator[tuple[list[Candidate], set[int], float]]:
    """For each seed: what scores at all, which articles are truly on topic, and the threshold. Refused seeds last."""
    samples = sets.labelled(name)
    chosen = [(at, story) for story, places in list(sets.seeds(samples).items())[::every] for at in places]
    made = part_topics.made_from([(at, samples[at]) for at, _ in chosen], samples, cut=False, archive=archive)
    profiles = {int(one.slug): topics.compiled(one) for one in made}
    panel = topics.Panel(profiles.values())
    scored: dict[int, list[Candidate]] = {at: [] for at in profiles}
    for at, sample in enumerate([*samples, *sets.background()]):
        article = extract.given(title=sample.title, summary=None, text=sample.text, url=None, lang="en", now=NOW)
        for found in panel.match(article):
            if int(found.topic) != at:
                scored[int(found.topic)].append(Candidate(at, found.score, at))
    for at, story in chosen:
        if at in profiles:
            truth = {other for other, sample in enumerate(samples) if sample.story == story and other != at}
            yield scored[at], truth, profiles[at].profile.threshold
    for _ in range(len(chosen) - len(profiles)):
        yield [], {0}, 0.22


def _taught(scored: Sequence[Candidate], truth: set[int], threshold: float, rule: Rule) -> Iterator[tuple[int, float]]:
    """F1 after so many answers. Asked is only about what the archive would hold: near misses and better."""
    stored = [one for one in scored if one.score >= threshold * NEAR_MISS]
    said: dict[int, bool] = {}
    for count in range(max(ANSWERS) + 1):
        one, now = rule(stored, said, threshold)
        if count in ANSWERS:
            yield count, _f1(scored, truth, now, said)
        if one:
            said[one.number] = one.number in truth


def _f1(scored: Sequence[Candidate], truth: set[int], threshold: float, said: dict[int, bool]) -> float:
    found = {one.number for one in scored if said.get(one.number, one.score >= threshold)}
    return 2 * len(found & truth) / (len(found) + len(truth))


def _ours(stored: Sequence[Candidate], said: dict[int, bool], present: float) -> tuple[Candidate | None, float]:
    return learn.question(stored, said, present), learn.threshold(stored, said, present)


def _simple(stored: Sequence[Candidate], said: dict[int, bool], present: float) -> tuple[Candidate | None, float]:
    """The threshold that agrees with most answers, nearest to the present one, in the middle between two answers."""
    answered = sorted((one.score, said[one.number]) for one in stored if one.number in said)
    now = present
    if answered:
        edges = [0.0, *sorted({score for score, _ in answered}), 1.0]
        spans = [(low, high) for low, high in pairwise(edges) if low < high]
        middles = [
            present if low < present <= high and (low == 0 or high == 1) else high * 0.9 if low == 0
            else low * 1.1 if high == 1 else (low + high) / 2
            for low, high in spans
        ]  # fmt: skip
        now = min(middles, key=lambda t: (sum((score >= t) != on for score, on in answered), abs(t - present)))
    left = [one for one in stored if one.number not in said]
    return min(left, key=lambda one: (abs(one.score - now), one.number), default=None), now


_RULES: dict[str, Rule] = {"review": _ours, "simple": _simple}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=("fnc1", "basil"))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th story")
    parser.add_argument("--archive", action="store_true", help="fitted to an archive of these articles")
    asked = parser.parse_args()
    for key, value in of_set(asked.set, asked.every, archive=asked.archive).items():
        print(f"{key:<12} {value:.4f}")


if __name__ == "__main__":
    main()
