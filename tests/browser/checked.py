"""Starts the sample site and the poisoned one, and lets Chromium check them (`check.py`, in the environment of
Playwright). Exit 0 when nothing was found.

    python tests/browser/checked.py [poison]      # only what hostile content does
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
BROWSER = HERE.parent.parent / ".venv" / "shots" / "bin" / "python"


@contextmanager
def site(*options: str) -> Iterator[dict[str, str]]:
    """A site of its own, for as long as the block lasts: its address, and an editor's cookie."""
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen(
            [sys.executable, str(HERE / "serve.py"), directory, *options],
            stdout=subprocess.PIPE, text=True, cwd=HERE.parent.parent,
        )  # fmt: skip
        try:
            assert server.stdout
            told: dict[str, str] = json.loads(server.stdout.readline())
            yield told
        finally:
            server.terminate()
            server.wait()


def main(only: str | None = None) -> int:
    """What the checks say, as an exit code."""
    worst = 0
    for part in ("poison", "pages"):
        if only in {None, part}:
            with site(*(["poison"] if part == "poison" else [])) as told:
                command = [str(BROWSER), str(HERE / "check.py"), part, told["url"], told["cookie"]]
                worst = max(worst, subprocess.run(command, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
