"""Runs a pure function in another process, with a deadline and a memory limit.

Reading a hostile body may take for ever, eat all memory or crash the interpreter. Each worker is one process of its
own: the one that hangs or dies is replaced, and nobody else's work is lost with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

from pipeline.errors import WorkerLost

Given = TypeVar("Given")
Made = TypeVar("Made")


class Workers:
    """A few worker processes, each started when first needed. One call may take `deadline` seconds, and `memory_mb`
    megabytes of address space beyond what the process has when it is ready."""

    def __init__(self, count: int, *, deadline: float, memory_mb: int) -> None:
        self._deadline, self._memory_mb = deadline, memory_mb
        self._context = multiprocessing.get_context("spawn")
        # The latest first: a process that has started is asked before another one starts.
        self._free: asyncio.Queue[ProcessPoolExecutor | None] = asyncio.LifoQueue()
        for _ in range(max(1, count)):
            self._free.put_nowait(None)

    async def run(self, function: Callable[[Given], Made], given: Given) -> Made:
        """`function(given)`, computed elsewhere. Raises what it raises, or WorkerLost in words.

        The first call of a process waits for the interpreter to start; the deadline covers the work.
        """
        worker = await self._free.get()
        try:
            if worker is None:
                worker = self._start()
                # Starting the interpreter is not the work's fault: it has its own, longer, time.
                await asyncio.wait_for(asyncio.wrap_future(worker.submit(_ready, function, self._memory_mb)), 60)
            return await asyncio.wait_for(asyncio.wrap_future(worker.submit(function, given)), self._deadline)
        except TimeoutError:
            worker = self._end(worker)
            raise WorkerLost(f"reading it took more than {self._deadline:g} s") from None
        except MemoryError:
            worker = self._end(worker)
            raise WorkerLost(f"reading it took more than {self._memory_mb} MB of memory") from None
        except BrokenProcessPool:
            worker = self._end(worker)
            raise WorkerLost("reading it crashed the reading process") from None
        except asyncio.CancelledError:
            worker = self._end(worker)
            raise
        finally:
            self._free.put_nowait(worker)

    def close(self) -> None:
        """Ends every worker that is not busy now; busy ones end with their task."""
        for worker in [self._free.get_nowait() for _ in range(self._free.qsize())]:
            self._end(worker)
            self._free.put_nowait(None)

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, mp_context=self._context, initializer=_quiet)

    @staticmethod
    def _end(worker: ProcessPoolExecutor | None) -> None:
        """Kills the process; a polite shutdown would wait for the very work that hangs."""
        if worker is None:
            return
        for process in list((worker._processes or {}).values()):
            with contextlib.suppress(ProcessLookupError, ValueError):
                process.kill()
        worker.shutdown(wait=False, cancel_futures=True)


def _quiet() -> None:
    """Runs first in each worker: Ctrl-C is left to the parent, and who has lost the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()


def _end_with_parent() -> None:
    """A parent that was killed tells nobody; its worker would wait for work for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _ready(_function: object, memory_mb: int) -> None:
    """Unpickling the function imports its module, before the first deadline starts; from then on memory is capped."""
    # macOS knows the limit but does not let it be set; there the deadline alone protects.
    with contextlib.suppress(ValueError, OSError):
        size = _address_space() + memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _address_space() -> int:
    """Bytes of address space this process has; raises OSError where there is no /proc."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
