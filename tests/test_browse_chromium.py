"""Hostile content in a real Chromium: every page of the poisoned newsroom, no dialog, no foreign address.

Skipped in words where no Chromium is; `./run axe` sets one up, and checks more.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from browser import chromium
from checked import BROWSER, HERE


@pytest.mark.slow
def test_hostile_content_does_nothing_in_a_real_browser() -> None:
    if chromium() is None or not BROWSER.is_file():
        pytest.skip("no Chromium or no Playwright here; `./run axe` sets them up")
    told = subprocess.run(
        [sys.executable, str(HERE / "checked.py"), "poison"], capture_output=True, text=True, check=False, timeout=240
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "poison: nothing found" in told.stdout
