"""Pure functions in other processes: they come back, are ended, or are lost, and the next one works."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import FEED, item, response, rss

from pipeline import parse
from pipeline.errors import NewsbeatError, ParseError
from pipeline.workers import WorkerLost, Workers


def double(number: int) -> int:
    return number * 2


def process_id(_: object) -> int:
    return os.getpid()


def hang(_: object) -> None:
    time.sleep(3600)


def spin(_: object) -> None:
    while True:
        pass


def die(code: int) -> None:
    os._exit(code)


def eat(megabytes: int) -> int:
    return len(bytearray(megabytes * 1024 * 1024))


def refuse(url: str) -> None:
    raise ParseError(url, "the answer is an HTML page, not a feed", ("https://example.org/feed.xml",))


def stumble(_: object) -> None:
    raise KeyError("a bug")


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(1, deadline=60, memory_mb=1024)
    yield made
    made.close()


def children() -> set[int]:
    """Ids of the worker processes that live."""
    return {process.pid or 0 for process in multiprocessing.active_children()}


def gone(before: set[int]) -> bool:
    """Whether no worker is left but those that were there before; processes take a moment to die."""
    until = time.monotonic() + 30
    while children() - before and time.monotonic() < until:
        time.sleep(0.02)
    return not children() - before


def test_result_comes_back_from_another_process(workers: Workers) -> None:
    async def run() -> None:
        assert await workers.run(double, 21) == 42
        assert await workers.run(process_id, None) != os.getpid()

    asyncio.run(run())


def test_feed_is_read_whole_in_a_worker(workers: Workers) -> None:
    found = asyncio.run(workers.run(parse.feed, response(rss(item("bridge"), item("tunnel")))))
    assert [entry.title for entry in found.entries] == ["Council opens the bridge", "Council opens the tunnel"]


def test_worker_is_kept_for_the_next_call() -> None:
    async def run() -> set[int]:
        return {await one.run(process_id, n) for n in range(4)}

    one = Workers(1, deadline=5, memory_mb=1024)
    assert len(asyncio.run(run())) == 1
    one.close()


def test_parse_error_crosses_the_border_whole(workers: Workers) -> None:
    with pytest.raises(ParseError) as caught:
        asyncio.run(workers.run(refuse, FEED))
    error = caught.value
    assert (error.url, error.why) == (FEED, "the answer is an HTML page, not a feed")
    assert error.candidates == ("https://example.org/feed.xml",)
    assert str(error) == f"{FEED}: the answer is an HTML page, not a feed"


def test_bug_crosses_the_border_as_itself_and_costs_no_worker(workers: Workers) -> None:
    async def run() -> None:
        with pytest.raises(KeyError, match="a bug"):
            await workers.run(stumble, None)
        assert await workers.run(double, 1) == 2

    asyncio.run(run())


@pytest.mark.parametrize(
    ("function", "given", "said"),
    [
        pytest.param(hang, None, "reading it took more than 0.3 s", id="hangs"),
        pytest.param(spin, None, "reading it took more than 0.3 s", id="spins"),
        pytest.param(die, 0, "reading it crashed the reading process", id="ends quietly"),
        pytest.param(die, 9, "reading it crashed the reading process", id="crashes"),
        pytest.param(eat, 4096, "reading it took more than 1024 MB of memory", id="eats all memory"),
    ],
)
def test_work_that_does_not_come_back_is_told_and_the_next_one_works(
    function: Callable[[object], object], given: object, said: str, workers: Workers
) -> None:
    async def run() -> None:
        workers._deadline = 0.3 if "0.3 s" in said else 60  # what comes back is not hurried
        with pytest.raises(WorkerLost) as caught:
            await workers.run(function, given)
        workers._deadline = 60
        assert str(caught.value) == said
        assert isinstance(caught.value, NewsbeatError)
        assert await asyncio.gather(*(workers.run(double, n) for n in range(4))) == [0, 2, 4, 6]

    asyncio.run(run())


def test_one_that_hangs_holds_nobody_else_up() -> None:
    async def run() -> None:
        both = Workers(2, deadline=60, memory_mb=1024)
        lost = asyncio.create_task(both.run(hang, None))
        assert [await both.run(double, n) for n in range(20)] == [n * 2 for n in range(20)]
        assert not lost.done()
        lost.cancel()
        with pytest.raises(asyncio.CancelledError):
            await lost
        both.close()

    asyncio.run(run())


def test_more_calls_than_workers_wait_for_their_turn(workers: Workers) -> None:
    async def run() -> None:
        assert await asyncio.gather(*(workers.run(double, n) for n in range(12))) == [n * 2 for n in range(12)]

    asyncio.run(run())


def test_call_that_is_given_up_leaves_no_process_and_the_next_one_works() -> None:
    before = children()

    async def run() -> None:
        one = Workers(1, deadline=30, memory_mb=1024)
        await one.run(double, 1)
        task = asyncio.create_task(one.run(hang, None))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await one.run(double, 2) == 4
        one.close()

    asyncio.run(run())
    assert gone(before)


def test_close_leaves_no_process() -> None:
    before = children()

    async def run() -> Workers:
        made = Workers(3, deadline=5, memory_mb=1024)
        await asyncio.gather(*(made.run(double, n) for n in range(6)))
        assert children() - before
        return made

    made = asyncio.run(run())
    made.close()
    assert gone(before)
    made.close()


ORPHANS = """
import asyncio, os, signal, sys
sys.path.insert(0, "tests")
from test_workers import process_id
from pipeline.workers import Workers
if __name__ == "__main__":
    print(asyncio.run(Workers(1, deadline=60, memory_mb=1024).run(process_id, None)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_reader_ends_when_the_service_was_killed(tmp_path: Path) -> None:
    """`kill -9`, or the kernel short of memory: nobody tells the readers."""
    (tmp_path / "killed.py").write_text(ORPHANS)
    ran = subprocess.run(
        [sys.executable, str(tmp_path / "killed.py")], stdout=subprocess.PIPE, text=True, check=False,
        cwd=Path(__file__).parents[1], env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    assert ran.returncode == -signal.SIGKILL
    until = time.monotonic() + 30
    while living(int(ran.stdout)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not living(int(ran.stdout))


def living(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has asked after does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # no /proc
        return True


def test_closing_workers_that_never_worked_is_nothing() -> None:
    Workers(4, deadline=1, memory_mb=256).close()
