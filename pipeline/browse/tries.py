"""How often a password may be tried: by one address, and by all together. Times and addresses in, yes or no out.

A password costs a tenth of a second to check, so guessing is slow by itself. The limit of an address keeps one guesser
from going on; that of all keeps many of them from taking up the site. An editor is not shut out by a stranger at
another address until all together reach theirs.
"""

from __future__ import annotations

import ipaddress
from collections import deque

BY_ONE, BY_ALL, WITHIN = 10, 60, 60.0
"""Tries of one address and of all, in so many seconds."""


def neighbourhood(host: str | None) -> str:
    """What counts as one address: of IPv6 the first half, since a home has all of the second."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host or ""
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False).network_address)


class Tries:
    """What is allowed within any `within` seconds. It remembers no more than the tries it allowed."""

    def __init__(self, by_one: int = BY_ONE, by_all: int = BY_ALL, within: float = WITHIN) -> None:
        self._by_one, self._by_all, self._within = by_one, by_all, within
        self._held: deque[tuple[float, str]] = deque()

    def allowed(self, now: float, host: str | None = None) -> bool:
        """Whether one more may be tried at this moment from there; counts it if so."""
        while self._held and now - self._held[0][0] > self._within:
            self._held.popleft()
        who = neighbourhood(host)
        if len(self._held) >= self._by_all or sum(one == who for _, one in self._held) >= self._by_one:
            return False
        self._held.append((now, who))
        return True


def part(of: int) -> Tries:
    """The limits of one process of so many, so that all of them together stay below."""
    return Tries(max(1, BY_ONE // of), max(1, BY_ALL // of))
