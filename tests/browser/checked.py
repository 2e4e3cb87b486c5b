"""Starts the sample site and lets Chromium check it (`check.py`, in the environment of Playwright), after the poisoned
one (`poisoned.py`, which needs no more than Chromium). Exit 0 when nothing was found.
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


def main() -> int:
    """What the checks say, as an exit code."""
    poison = subprocess.run([sys.executable, str(HERE / "poisoned.py")], check=False).returncode
    with site() as told:
        command = [str(BROWSER), str(HERE / "check.py"), told["url"], told["cookie"]]
        return max(poison, subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    sys.exit(main())
