"""The sample newsroom, or the poisoned one, as a real site for a real browser. Prints one line of JSON, then serves.

python tests/browser/serve.py DIRECTORY [poison]      # {"url": ..., "cookie": ...} of an editor who signed in
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

import poison
import sample
import uvicorn
import yaml
from desk import METADATA

from pipeline.browse.serve import SECRET, build
from pipeline.cli.main import Place
from pipeline.cli.notebook import Kept


async def _later() -> bool:
    """There is no service here; what is said shows from feedback.db alone."""
    return False


def main(directory: Path, poisoned: bool) -> None:
    """Builds, says where, serves until it is ended."""
    news, feedback = sample.build(directory)
    if poisoned:
        poison.poison(news)
    os.environ[SECRET] = "for a test on this machine only"
    kept = Kept(Place(directory, news), _later)
    told = yaml.safe_load(METADATA.read_text())
    # With the extra [editors] there is a page to sign in on; nobody does, so the hash is of nothing.
    told["plugins"] = {"datasette-auth-passwords": {"mara_password_hash": "pbkdf2_sha256$1$x$x"}}
    (directory / "datasette.yaml").write_text(yaml.safe_dump(told))
    site = build(
        news, feedback, directory / "datasette.yaml", title="The Desk", now=sample.NOW, texts_open=True, notebook=kept
    )
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(site.app(), log_level="warning", lifespan="on"))
    door.listen(64)
    print(json.dumps({"url": url, "cookie": site.sign({"a": {"id": "mara"}}, "actor")}), flush=True)
    server.run(sockets=[door])


if __name__ == "__main__":
    main(Path(sys.argv[1]), "poison" in sys.argv[2:])
