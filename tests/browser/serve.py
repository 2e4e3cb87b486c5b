"""The sample newsroom, or the poisoned one, as a real site for a real browser. Prints one line of JSON, then serves.

python tests/browser/serve.py DIRECTORY [poison] [unescaped] [open]      # {"url": ..., "cookie": ...} of an editor

`unescaped` breaks the templates on purpose, and `open` the policy of the pages too, so that who looks for what poison
does can be seen to find it.
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

from pipeline import browse
from pipeline.browse.serve import SECRET, build
from pipeline.cli.main import Place
from pipeline.cli.notebook import Kept


async def _later() -> bool:
    """There is no service here; what is said shows from feedback.db alone."""
    return False


def main(directory: Path, *options: str) -> None:
    """Builds, says where, serves until it is ended."""
    news, feedback = sample.build(directory)
    if "poison" in options:
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
    if "unescaped" in options:
        site.jinja_env.autoescape = False
    if "open" in options:
        browse.site.OWN_POLICY = "default-src * 'unsafe-inline'"
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(site.app(), log_level="warning", lifespan="on"))
    door.listen(64)
    print(json.dumps({"url": url, "cookie": site.sign({"a": {"id": "mara"}}, "actor")}), flush=True)
    server.run(sockets=[door])


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
