"""Hostile content in a real Chromium: every page of the poisoned newsroom; no script runs, no request leaves.

Needs a Chromium and nothing else; skipped in words where there is none. `./run axe` checks more.
"""

from __future__ import annotations

import poisoned
import pytest
from browser import chromium
from checked import site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        chromium() is None, reason="no Chromium here; apt-get install chromium, or NEWSBEAT_CHROMIUM=..."
    ),
]


def test_hostile_content_does_nothing_in_a_real_browser() -> None:
    with site("poison") as told:
        assert poisoned.look(chromium() or "", told["url"], told["cookie"]) == []


def test_without_templates_that_escape_and_without_a_policy_poison_is_found_at_work() -> None:
    with site("poison", "unescaped", "open") as told:
        found = " ".join(poisoned.look(chromium() or "", told["url"], told["cookie"], ("/story/1",)))
    assert "a dialog: 1" in found
    assert "asks https://evil.example/pixel.png" in found
    assert "a request went out" in found
