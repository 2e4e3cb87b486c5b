"""The bench of hostile answers itself: it measures, and it tells a poll that failed from others that suffered."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench" / "hostile.py"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")
def test_bench_of_hostile_answers_says_what_one_costs() -> None:
    ran = subprocess.run(
        [sys.executable, str(BENCH), "--json", "gzip cut"], capture_output=True, text=True, check=False
    )
    (row,) = json.loads(ran.stdout)
    assert (row["outcome"], row["kind"], row["others"], ran.returncode) == ("failed", "truncated", 3, 0)
    assert row["main_mb"] < 200


def test_bench_names_its_cases_when_asked_for_another() -> None:
    ran = subprocess.run([sys.executable, str(BENCH), "no such"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "silence" in ran.stderr
