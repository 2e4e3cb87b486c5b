"""What programs take from the site: metrics, lists as CSV, JSON and Atom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sample
from desk import METADATA, get

from pipeline import vitals
from pipeline.browse import metrics, times
from pipeline.browse.serve import build


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return sample.build(tmp_path_factory.mktemp("db"))


@pytest.fixture(scope="module")
def site(files: tuple[Path, Path]) -> Any:
    return build(*files, METADATA, title="The Desk", now=sample.NOW, texts_open=True)


# --- metrics --------------------------------------------------------------------------------------------------

_SAMPLE = re.compile(r'[a-z_][a-z0-9_]*(\{[a-z_]+="([^"\\\n]|\\\\|\\"|\\n)*"\})? -?\d+(\.\d+)?(e[+-]?\d+)?$')


def test_metrics_are_prometheus_text_with_help_and_type_for_every_family(site: Any) -> None:
    answer = get(site, "/-/newsbeat/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    explained: set[str] = set()
    for line in answer.text.splitlines():
        if line.startswith("# HELP "):
            explained.add(line.split()[2])
        elif not line.startswith("# TYPE "):
            assert _SAMPLE.match(line), line
            assert re.split(r"[{ ]", line)[0] in explained, line
    assert "newsbeat_up 1\n" in answer.text
    assert 'newsbeat_feeds{state="failing"} 1\n' in answer.text
    assert 'newsbeat_feeds{state="gone"} 1\n' in answer.text
    assert re.search(r'newsbeat_topic_articles_24h\{topic="tiktok-sale"\} [1-9]', answer.text)


def test_metrics_say_down_when_nothing_was_heard_and_when_there_is_nothing_to_read(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    later = build(*files, METADATA, now="2020-12-05T13:30:00Z")
    assert "newsbeat_up 0\n" in get(later, "/-/newsbeat/metrics").text
    (tmp_path / "news.db").touch()
    answer = get(build(tmp_path / "news.db", None, METADATA), "/-/newsbeat/metrics")
    assert answer.status_code == 503
    assert answer.text.endswith("newsbeat_up 0\n")


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    told = metrics.family("x", "gauge", "X.", [({"topic": 'a"} 1\nb\\'}, 0.5)])
    assert told.splitlines()[2] == 'x{topic="a\\"} 1\\nb\\\\"} 0.5'


@pytest.mark.parametrize(
    ("state", "failures", "error", "new", "added", "kind"),
    [
        ("gone", 9, None, None, None, "gone"),
        ("failing", 3, None, None, None, "failing"),
        ("paused", 0, None, None, None, "paused"),
        ("ok", 1, None, "2020-12-05T10:00:00Z", None, "shaky"),
        ("ok", 0, "2020-12-03T12:10:00Z", "2020-12-05T10:00:00Z", None, "shaky"),
        ("ok", 0, "2020-12-03T12:09:59Z", "2020-12-05T10:00:00Z", None, "ok"),
        ("ok", 0, None, None, "2020-12-04T00:00:00Z", "ok"),
        ("ok", 0, None, "2020-11-05T12:09:00Z", "2020-01-01T00:00:00Z", "quiet"),
        ("ok", 0, None, None, None, "quiet"),
    ],
)
def test_a_feed_is_called_what_a_person_would_call_it(
    state: str, failures: int, error: str | None, new: str | None, added: str | None, kind: str
) -> None:
    now = times.parse(sample.NOW)
    assert now is not None
    told = vitals.kind(state, failures, times.parse(error), times.parse(new), times.parse(added), now)
    assert told == kind
