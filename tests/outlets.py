"""A few feeds on 127.0.0.1 for tests of the service and the command: bodies that a test can change while they run."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fakes import Item, rss


@dataclass
class Outlets:
    """Path to body; a body that is a number is a status, one that is a float is seconds to keep silent."""

    bodies: dict[str, bytes | int | float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> Outlets:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.append(self.path)
                body = outer.bodies.get(self.path, 404)
                if isinstance(body, float):
                    time.sleep(body)
                    body = b""
                status, body = (200, body) if isinstance(body, bytes) else (body, b"")
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                with contextlib.suppress(ConnectionError):  # a service that was stopped or killed hangs up
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self, path: str, *items: Item) -> None:
        """This feed now holds these items."""
        self.bodies[path] = rss(*items)

    def configure(
        self, directory: Path, *paths: str, fetch: str = "", contact: str = "https://reader.example/"
    ) -> Path:
        """A configuration in `directory` that follows these feeds, and returns it."""
        (directory / "topics").mkdir(parents=True, exist_ok=True)
        (directory / "newsbeat.toml").write_text(
            f'[fetch]\ncontact = "{contact}"\nper_host_gap = 0\nper_host_in_flight = 8\nhost_wide_429 = false\n'
            f'allow_addresses = ["127.0.0.1/32"]\ntick = "0.05s"\n{fetch}\n',
            encoding="utf-8",
        )
        (directory / "feeds.toml").write_text(
            "".join(f'[[feed]]\nurl = "{self.url}{path}"\n' for path in paths), encoding="utf-8"
        )
        return directory
