"""A word to systemd: that we are ready, alive, about to stop (sd_notify(3)). Nothing where no systemd listens.

The protocol is a datagram of lines to the socket that NOTIFY_SOCKET names; a leading `@` is the abstract namespace.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta


def tell(*lines: str) -> bool:
    """Sends lines such as `READY=1`; whether somebody was there to hear. Never raises: it is only a word."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if not where.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
            door.connect("\0" + where[1:] if where.startswith("@") else where)
            door.sendall("\n".join(lines).encode())
    except OSError:
        return False
    return True


def patience() -> timedelta | None:
    """How long systemd waits for a sign of life before it restarts us (WatchdogSec); `None` when it does not watch."""
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not usec.isdecimal() or (pid and pid != str(os.getpid())):
        return None
    return timedelta(microseconds=int(usec))
