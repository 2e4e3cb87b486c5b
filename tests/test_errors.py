"""What a caller may catch, and the values that travel: one sentence a person can act on, and nothing that changes."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import timedelta

import pytest
from fakes import FEED, NOW, response

from pipeline import errors, model
from pipeline.config import ConfigErrors
from pipeline.errors import ConfigError, FetchError, NewsbeatError, ParseError, StoreError, UsageError
from pipeline.workers import WorkerLost

OURS = [ConfigError, FetchError, ParseError, StoreError, UsageError, WorkerLost, ConfigErrors]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_of_ours_hangs_on_one_root(kind: type[Exception]) -> None:
    assert issubclass(kind, NewsbeatError)


def test_tree_in_the_docstring_is_the_tree() -> None:
    here = {kind.__name__ for kind in NewsbeatError.__subclasses__() if kind.__module__ == errors.__name__}
    assert {name for name in here if f"── {name} " not in (errors.__doc__ or "")} == set()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            ConfigError("feeds.toml", "feed[1]", "is odd.", "Mend it."),
            "feeds.toml: feed[1]: is odd. Mend it.",
            id="all",
        ),
        pytest.param(ConfigError("feeds.toml", "", "is odd."), "feeds.toml: is odd.", id="no key, no cure"),
        pytest.param(FetchError(FEED, "the server answered 500"), f"{FEED}: the server answered 500", id="fetch"),
        pytest.param(ParseError(FEED, "empty"), f"{FEED}: empty", id="parse"),
    ],
)  # fmt: skip
def test_error_is_one_sentence(error: NewsbeatError, said: str) -> None:
    assert str(error) == said


def test_fetch_error_carries_what_the_schedule_needs() -> None:
    error = FetchError(FEED, "no", kind="status", status=429, retry_after=timedelta(minutes=2))
    assert (error.url, error.kind, error.status, error.retry_after) == (FEED, "status", 429, timedelta(minutes=2))


def test_parse_error_survives_pickling_whole() -> None:
    error = pickle.loads(pickle.dumps(ParseError(FEED, "HTML", ("https://example.org/feed.xml",))))
    assert (error.url, error.why, error.candidates) == (FEED, "HTML", ("https://example.org/feed.xml",))


@pytest.mark.parametrize("name", [name for name, value in vars(model).items() if is_dataclass(value)])
def test_value_is_frozen_and_holds_no_list(name: str) -> None:
    kind = getattr(model, name)
    assert kind.__dataclass_params__.frozen
    assert not any(str(field.type).startswith(("list", "dict", "set")) for field in fields(kind))


def test_value_cannot_be_changed() -> None:
    made = response()
    with pytest.raises(FrozenInstanceError):
        made.status = 500  # type: ignore[misc]


@pytest.mark.parametrize("name", ["etag", "x-other"])
def test_header_is_the_first_of_its_name_or_nothing(name: str) -> None:
    headers = (("etag", '"a"'), ("etag", '"b"'))
    expected = '"a"' if name == "etag" else None
    assert response(headers=headers).header(name) == expected
    assert model.NotModified(FEED, FEED, headers, NOW).header(name) == expected
