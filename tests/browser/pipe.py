"""A Chromium and nothing else: driven over a pipe by its own protocol, in a profile that goes when it ends.

Whatever it asks of the hosts that hostile pages name (`.example`) ends at a canary on this machine, by
`--host-resolver-rules`: so a request that a page lets out is seen, in whatever way it goes. No other name is found, so
that nothing reaches anybody, Chromium's own calls home included. The protocol: https://chromedevtools.github.io/
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from browser import FLAGS

PATIENCE = 60.0
"""Seconds for one answer of the browser, on a machine that does other things as well."""


class Canary:
    """Listens on this machine and remembers the first bytes of whoever comes."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._door.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(2)
                try:
                    first = caller.recv(600)
                except OSError:
                    first = b""
                words = first.decode("latin-1")
                self.heard.append("".join(sign if " " <= sign <= "~" else "." for sign in words)[:200])

    def close(self) -> None:
        """Hears nobody any more."""
        self._door.close()


class Page:
    """One tab: it goes to addresses, and tells what happened there."""

    def __init__(self, ask: Callable[..., dict[str, Any]], session: str) -> None:
        self._ask, self._session = ask, session
        self.events: list[dict[str, Any]] = []
        for room in ("Page", "Network", "Runtime", "Log"):
            self.say(f"{room}.enable")

    def say(self, method: str, **values: Any) -> dict[str, Any]:
        """One command to this tab, and its answer."""
        return self._ask(method, values, self._session)

    def go(self, url: str) -> int:
        """Goes there, waits until all is loaded and a moment longer; the status of the answer. 0: none came."""
        self.events.clear()
        self.say("Page.navigate", url=url)
        self._until("Page.loadEventFired")
        self.value("new Promise(done => setTimeout(done, 30))")
        answers = [event["params"] for event in self.events if event["method"] == "Network.responseReceived"]
        return next((a["response"]["status"] for a in answers if a["type"] == "Document"), 0)

    def value(self, script: str) -> Any:
        """What a script of ours finds in the page."""
        told = self.say("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return told.get("result", {}).get("value")

    def _until(self, method: str) -> None:
        end = time.monotonic() + PATIENCE
        while not any(event["method"] == method for event in self.events) and time.monotonic() < end:
            self.say("Runtime.evaluate", expression="0")
            time.sleep(0.01)

    def trouble(self, base: str) -> list[str]:
        """What of it a safe page does not do: dialogs, errors, what was refused, requests elsewhere."""
        return [words for event in self.events if (words := _told(event["method"], event["params"], base))]


def _told(method: str, params: dict[str, Any], base: str) -> str | None:
    if method == "Page.javascriptDialogOpening":
        return f"a dialog: {params['message']}"
    if method == "Runtime.exceptionThrown":
        return f"a script failed: {params['exceptionDetails'].get('text')}"
    if method == "Log.entryAdded" and params["entry"]["level"] == "error":
        return str(params["entry"]["text"])
    if method == "Runtime.consoleAPICalled":
        return f"a script wrote: {params['type']}"
    if method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(base):
        return f"asks {params['request']['url'][:120]}"
    return None


@contextmanager
def tab(browser: str, canary: Canary, cookie: tuple[str, str, str] | None = None) -> Iterator[Page]:
    """A tab of a fresh Chromium, which ends with the block. `cookie` is (address, name, value)."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        ours, theirs = os.pipe(), os.pipe()
        # Chromium reads commands from its handle 3 and answers on 4; both are put out of their own way first.
        high = [fcntl.fcntl(handle, fcntl.F_DUPFD, 20) for handle in (ours[0], theirs[1])]
        process = subprocess.Popen(
            [browser, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "--disable-dev-shm-usage",
             "--disable-default-apps", "--disable-extensions", "--no-pings", "--no-default-browser-check",
             "--disable-features=MediaRouter,OptimizationHints,Translate,CertificateTransparencyComponentUpdater",
             f"--host-resolver-rules=MAP *.example 127.0.0.1:{canary.port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
             "about:blank"],
            pass_fds=(3, 4), preexec_fn=lambda: (os.dup2(high[0], 3), os.dup2(high[1], 4)),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for handle in (ours[0], theirs[1], *high):
            os.close(handle)
        line = _Line(ours[1], theirs[0])
        try:
            target = line.ask("Target.createTarget", {"url": "about:blank"})["targetId"]
            session = line.ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
            page = Page(line.ask, session)
            line.heard = page.events
            if cookie:
                page.say("Network.setCookie", url=cookie[0], name=cookie[1], value=cookie[2])
            yield page
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            line.close()


class _Line:
    """Messages to and fro, each ended by a zero. What comes unasked goes to `heard`; a dialog is closed at once."""

    def __init__(self, out: int, back: int) -> None:
        self._out, self._back = out, back
        self._held = b""
        self._last = 0
        self.heard: list[dict[str, Any]] = []

    def ask(self, method: str, params: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        wanted = self._send(method, params, session)
        while True:
            message = self._next()
            if message.get("id") == wanted:
                result: dict[str, Any] = message.get("result", {})
                return result
            if "method" in message:
                self.heard.append(message)
                if message["method"] == "Page.javascriptDialogOpening":
                    # Else the page stands still, and with it whatever we asked of it.
                    self._send("Page.handleJavaScriptDialog", {"accept": False}, message.get("sessionId"))

    def _send(self, method: str, params: dict[str, Any], session: str | None) -> int:
        self._last += 1
        told = {"id": self._last, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self._out, json.dumps(told).encode() + b"\0")
        return self._last

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._held:
            if not select.select([self._back], [], [], PATIENCE)[0]:
                raise TimeoutError("Chromium does not answer")
            piece = os.read(self._back, 65536)
            if not piece:
                raise ConnectionError("Chromium ended")
            self._held += piece
        first, _, self._held = self._held.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message

    def close(self) -> None:
        os.close(self._out)
        os.close(self._back)
