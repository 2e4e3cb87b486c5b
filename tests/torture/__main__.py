"""What the real service outlives, done to it in a process of its own, on real feeds where they lie beside the project.

    ./run torture [CASE ...] [--kills 300] [--times 40] [--steps 150] [--seed 1] [--invented] [--json FILE] [--keep DIR]

Cases: kill, disk, small-disk, locked, read-only, clock, cut-off, readers, power; without one, all of them. Each ends
with a database that is held against that of an undisturbed run of the same world. Exit 1 when they differ, or when a
database was not sound at any moment in between. The kills take about ten minutes, all the others together as long.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.torture import faults, kills, power, state
from tests.torture.drive import Found, undisturbed
from tests.torture.world import World, invented, recorded, there, world

Told = Callable[[str], None]
FAULTS = ("disk", "small-disk", "locked", "read-only", "clock", "cut-off", "readers", "power")
READING = 0.03


def _fault(case: str, made: World, place: Path, times: int, seed: int, other: Path) -> Found:
    """One case, its database held against that of the undisturbed run."""
    exactly = case in ("disk", "small-disk", "locked", "read-only", "power")
    if case == "power":
        found, dbs = power.cuts(made, place, times * 5, seed)
        for db in dbs:
            found.differences += state.differences(state.read(other), state.read(db))
        return found
    inside = place / f"under-{case}"
    inside.mkdir(exist_ok=True)
    if case == "small-disk":
        with faults.small_disk(inside, 60) as disk:
            if disk is None:
                return Found(case, notes={"passed over": "a file system may not be mounted here"})
            return _held(case, made, disk, times, seed, other, exactly)
    return _held(case, made, inside, times, seed, other, exactly)


def _held(case: str, made: World, inside: Path, times: int, seed: int, other: Path, exactly: bool) -> Found:
    torment = {
        "disk": faults.no_room_in_files,
        "small-disk": faults.no_room_on_disk,
        "locked": faults.locked,
        "read-only": faults.read_only,
        "clock": faults.another_day,
        "cut-off": faults.cut_off,
        "readers": faults.without_readers,
    }[case]
    powerless = case == "read-only" and os.geteuid() == 0
    if powerless and not shutil.which("setpriv"):
        return Found(case, notes={"passed over": "permissions do not hold root, and setpriv is not here"})
    found, run = faults.tormented(
        case, made, inside.parent, times, seed, torment, exactly=exactly, db=inside / "news.db",
        workers=READING if case == "readers" else None, prefix=faults.WITHOUT_POWERS if powerless else (),
    )  # fmt: skip
    found.differences = state.differences(state.read(other, exactly=exactly), state.read(run.db, exactly=exactly))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", choices=["kill", *FAULTS, []])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--times", type=int, default=40, help="of every other case; five times as many power cuts")
    parser.add_argument("--steps", type=int, default=150, help="answers that change; eight times as many for the kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--invented", action="store_true", help="invented feeds, also where real ones are")
    parser.add_argument("--json", type=Path, help="everything that was seen")
    parser.add_argument("--keep", type=Path, help="leave databases and logs here")
    options = parser.parse_args()
    if options.keep and options.keep.exists() and any(options.keep.iterdir()):
        parser.error(f"{options.keep} is not empty")
    cases = options.case or ["kill", *FAULTS]

    def told(words: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{words:<78}", end="", file=sys.stderr, flush=True)

    real = there() and not options.invented
    print("recorded answers of real outlets" if real else "invented answers", flush=True)
    rows: list[Found] = []
    with tempfile.TemporaryDirectory() as scratch:
        place = options.keep or Path(scratch)
        if "kill" in cases:
            steps = options.steps * 8
            with world(recorded(steps) if real else invented(steps), place / "kill") as made:
                rows.append(kills.killed(made, place / "kill", options.kills, options.seed, told))
            _say(rows[-1])
        if set(cases) & set(FAULTS):
            script = recorded(options.steps, others=0) if real else invented(options.steps)
            with world(script, place / "faults", backoff="5m") as made:
                told("the undisturbed run")
                other = undisturbed(made, place / "faults", place / "faults" / "undisturbed.db")
                for case in (one for one in FAULTS if one in cases):
                    told(case)
                    rows.append(_fault(case, made, place / "faults", options.times, options.seed, other.db))
                    _say(rows[-1])
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1, default=str))
    return int(any(row.faults or row.differences for row in rows))


def _say(found: Found) -> None:
    good = "as if undisturbed" if not found.differences else "DIFFERENT"
    sound = "sound throughout" if not found.faults else "NOT SOUND"
    if "passed over" in found.notes:
        good, sound = "passed over", str(found.notes["passed over"])
    print(f"\n{found.what}: {found.times} times in {found.seconds:.0f} s; {good}, {sound}")
    for what, count in sorted(found.seen.items()):
        print(f"    {count:>6} {what}")
    for what, said in found.notes.items():
        if what != "passed over":
            print(f"    {what}: {said}")
    for words in [*found.faults[:10], *found.differences]:
        print(f"    ! {words}")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
