"""One host in turn: a cap on requests in flight and a gap between their starts (fetch contract N6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Host:
    slots: asyncio.Semaphore
    next_start: float = 0.0
    users: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pacer:
    """Lets requests start: at most `in_flight` over all hosts, `per_host` on one, `gap` seconds between starts there.

    `clock` is monotonic (contract T11). A host nobody waits for is forgotten once its gap has passed.
    """

    def __init__(
        self,
        *,
        gap: float,
        per_host: int,
        in_flight: int,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gap, self._per_host, self._clock, self._sleep = gap, per_host, clock, sleep
        self._all = asyncio.Semaphore(in_flight)
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Waits for this host's turn, and holds one of its places until the block ends."""
        state = self._hosts.setdefault(host, _Host(asyncio.Semaphore(self._per_host)))
        state.users += 1
        try:
            # The host's own queue first: a request waiting for its gap must not hold one of everybody's places.
            async with state.slots:
                async with state.turn:
                    wait = state.next_start - self._clock()
                    if wait > 0:
                        await self._sleep(wait)
                    await self._all.acquire()
                    state.next_start = self._clock() + self._gap
                try:
                    yield
                finally:
                    self._all.release()
        finally:
            state.users -= 1
            if len(self._hosts) > 1000:
                self._forget()

    def _forget(self) -> None:
        now = self._clock()
        self._hosts = {name: state for name, state in self._hosts.items() if state.users or state.next_start > now}
