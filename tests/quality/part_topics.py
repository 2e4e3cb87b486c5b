"""Topics from one document, held against labelled stories: is what a profile tags the story its seed tells?

For every story of three and more articles, up to five seeds (`sets.seeds`). Each seed becomes a profile as `topic new`
writes it, goes through its TOML, and scores all other articles of its set and the 2,225 background ones. `f1` is macro
F1 over seeds at the threshold the profile was written with; `map` is mean average precision, which knows no threshold;
`oracle` is F1 with the best threshold for each topic, which nobody could know beforehand. `cut` are candidates of 300
characters (and the title, where the set has titles), as a feed would bring them; seeds are always whole.

`archive` are the same for profiles that were made where all these articles, but for the seed, are stored: `topic new`
fits them (`topics.fitted`). Of FNC-1 every ninth story, of BASIL every fourth.

    python tests/quality/part_topics.py fnc1 --cut --every 10     one set, one length, every tenth story
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pipeline import config, extract, topics
from pipeline.errors import NewsbeatError
from pipeline.model import Article, TopicProfile
from quality import sets, streams

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CUT = 300
EVERY = {"fnc1": 9, "basil": 4}


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the seeds of one set."""

    f1: float
    map: float
    oracle: float


def measure() -> dict[str, float]:
    """Both sets, whole and cut: about three minutes of one core; and where an archive is there: three more."""
    found = {}
    for name in ("fnc1", "basil"):
        for cut in (False, True):
            figures = of_set(name, cut)
            length = "cut" if cut else "full"
            found |= {f"{name}_{length}_{key}": getattr(figures, key) for key in ("f1", "map", "oracle")}
            figures = of_set(name, cut, EVERY[name], archive=True)
            found |= {f"{name}_{length}_archive_{key}": getattr(figures, key) for key in ("f1", "map", "oracle")}
    return found


def of_set(name: str, cut: bool, every: int = 1, *, archive: bool = False) -> Figures:
    """The figures of one set. `every` takes only each n-th story's seeds, and, without an `archive`, each n-th
    background article."""
    samples = sets.labelled(name)
    chosen = list(sets.seeds(samples).items())[::every]
    seeds = [(index, story) for story, indices in chosen for index in indices]
    candidates = [*samples, *sets.background()[:: 1 if archive else every]]
    made = made_from([(index, samples[index]) for index, _ in seeds], samples, cut=cut, archive=archive)
    panel = topics.Panel(topics.compiled(one) for one in made)
    scored: dict[str, list[tuple[float, int]]] = {str(index): [] for index, _ in seeds}
    thresholds = {one.profile.slug: one.profile.threshold for one in panel.topics}
    for at, sample in enumerate(candidates):
        for match in panel.match(_article(sample, cut)):
            scored[match.topic].append((match.score, at))
    f1s, precisions, oracles = [], [], []
    for index, story in seeds:
        truth = {at for at, sample in enumerate(samples) if sample.story == story and at != index}
        ranked = sorted((pair for pair in scored[str(index)] if pair[1] != index), key=lambda pair: (-pair[0], pair[1]))
        f1s.append(_f1([at for score, at in ranked if score >= thresholds.get(str(index), 1.0)], truth))
        precisions.append(_average_precision([at for _, at in ranked], truth))
        oracles.append(_best_f1(ranked, truth))
    count = len(seeds)
    return Figures(sum(f1s) / count, sum(precisions) / count, sum(oracles) / count)


def made_from(
    seeds: Sequence[tuple[int, sets.Sample]], samples: Sequence[sets.Sample], *, cut: bool, archive: bool
) -> Iterator[TopicProfile]:
    """The profile of each seed that `topic new` takes, its slug being the seed's place; from the seed alone, or fitted
    to an `archive` of these samples and the background."""
    everything = [*samples, *sets.background()]
    stored = topics.heard(_article(sample, cut) for sample in everything) if archive else []
    return _profiles(seeds, stored, _stories(everything, cut) if archive else [])


def _stories(candidates: Sequence[sets.Sample], cut: bool) -> list[int]:
    """The story in which the program itself puts each article, all having come at one moment."""
    found = streams.told(sets.shuffled(streams.shortened(candidates) if cut else candidates)).story
    return [found[sample.id] for sample in candidates]


def _profiles(
    seeds: Sequence[tuple[int, sets.Sample]], stored: Sequence[topics.Heard] = (), stories: Sequence[int] = ()
) -> Iterator[TopicProfile]:
    """What `topic new` would write, read back as the service would. A seed that is refused finds nothing. `stored` is
    an archive that holds the seeds too, at their places; each is left out for its own profile. `stories` are the
    stories of what is stored."""
    with tempfile.TemporaryDirectory() as directory:
        for index, sample in seeds:
            slug = str(index)
            raw = f"{sample.title}\n\n{sample.text}" if sample.title else sample.text
            try:
                made = topics.profile(topics.document(raw, slug), slug)
                rest, told = ([*some[:index], *some[index + 1 :]] for some in (stored, stories))
                if fit := topics.fitted(made, rest, told):
                    made = fit.profile
                path = Path(directory, f"{slug}.toml")
                path.write_text(topics.toml(made), encoding="utf-8")
                yield config.topic(path)
            except NewsbeatError as refusal:
                print(refusal, file=sys.stderr)


def _article(sample: sets.Sample, cut: bool) -> Article:
    summary, text = (sample.text[:CUT], None) if cut else (None, sample.text)
    return extract.given(title=sample.title, summary=summary, text=text, url=sample.id, lang="en", now=NOW)


def _f1(found: Sequence[int], truth: set[int]) -> float:
    right = len(truth.intersection(found))
    return 2 * right / (len(found) + len(truth))


def _best_f1(ranked: Sequence[tuple[float, int]], truth: set[int]) -> float:
    """The best F1 of any threshold. Equal scores fall on one side together."""
    best, right = 0.0, 0
    for count, (score, at) in enumerate(ranked, 1):
        right += at in truth
        if count == len(ranked) or ranked[count][0] < score:
            best = max(best, 2 * right / (count + len(truth)))
    return best


def _average_precision(ranked: Sequence[int], truth: set[int]) -> float:
    total, right = 0.0, 0
    for count, at in enumerate(ranked, 1):
        if at in truth:
            right += 1
            total += right / count
    return total / len(truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=("fnc1", "basil"))
    parser.add_argument("--cut", action="store_true", help="candidates of 300 characters")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th story")
    parser.add_argument("--archive", action="store_true", help="fitted to an archive of these articles")
    asked = parser.parse_args()
    print(of_set(asked.set, asked.cut, asked.every, archive=asked.archive))


if __name__ == "__main__":
    main()
