"""One host in turn: a cap on requests in flight and a gap between their starts (fetch contract N6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial


@dataclass(slots=True)
class _Host:
    slots: asyncio.Semaphore
    next_start: float = 0.0
    users: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Once:
    """Calls a function the first time it is called."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function

    def __call__(self) -> None:
        function, self._function = self._function, None
        if function:
            function()


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
    async def turn(self, host: str) -> AsyncIterator[Callable[[], None]]:
        """Waits for this host's turn, and holds one of its places until the block ends.

        Hands out what is to be called when the request really goes out: the gap counts from there, and the next one is
        not let go before. Counted from here, a busy moment between the two would eat into the gap on the wire.
        """
        state = self._hosts.setdefault(host, _Host(asyncio.Semaphore(self._per_host)))
        state.users += 1
        try:
            # The host's own queue first: a request waiting for its gap must not hold one of everybody's places.
            async with state.slots:
                await state.turn.acquire()
                sent = _Once(partial(self._started, state))
                try:
                    wait = state.next_start - self._clock()
                    if wait > 0:
                        await self._sleep(wait)
                    async with self._all:
                        yield sent
                finally:
                    sent()
        finally:
            state.users -= 1
            if len(self._hosts) > 1000:
                self._forget()

    def _started(self, state: _Host) -> None:
        state.next_start = self._clock() + self._gap
        state.turn.release()

    def _forget(self) -> None:
        now = self._clock()
        self._hosts = {name: state for name, state in self._hosts.items() if state.users or state.next_start > now}
