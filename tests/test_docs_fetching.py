"""docs/fetching.md against the contract's rules, the tests it names, and the true defaults of `[fetch]`."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import fields
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import parse_duration
from pipeline.config.values import FetchSettings

TESTS = Path(__file__).parent
DOCUMENT = (TESTS.parent / "docs" / "fetching.md").read_text(encoding="utf-8")

# Sections 1 to 9 of the fetch contract, which lies outside this project: how many rules each letter has.
RULES = {"N": 14, "C": 10, "T": 12, "R": 6, "E": 6, "Q": 7, "S": 7, "B": 6, "I": 10}
ROWS = {cells[0]: cells for line in DOCUMENT.splitlines() if (cells := line.strip("| ").split(" | "))[0][1:].isdigit()}
SAID = dict(re.findall(r"`([a-z_0-9]+) = ([^`]+)`", DOCUMENT))


@cache
def named_in(name: str) -> frozenset[str]:
    tree = ast.parse((TESTS / name).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_rule_is_in_the_table_once() -> None:
    rules = [f"{letter}{n}" for letter, count in RULES.items() for n in range(1, count + 1)]
    listed = re.findall(r"^\| ([A-Z]\d+) \|", DOCUMENT, re.M)
    assert listed == rules


@pytest.mark.parametrize("rule", ROWS)
def test_every_rule_is_proven_by_a_test_that_exists(rule: str) -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", ROWS[rule][-1])
    assert named
    for file, name in named:
        assert (TESTS / file).exists(), file
        assert name in named_in(file), f"{file}::{name}"


def test_every_key_of_fetch_is_named_with_its_true_default() -> None:
    settings = FetchSettings()
    assert set(SAID) == {field.name for field in fields(settings)}
    for key, said in SAID.items():
        value: Any = tomllib.loads(f"value = {said}")["value"]
        default = getattr(settings, key)
        if isinstance(default, timedelta):
            value = parse_duration(value)
        if isinstance(default, tuple):
            value = tuple(value)
        assert value == default, key
        assert type(value) is type(default), key
