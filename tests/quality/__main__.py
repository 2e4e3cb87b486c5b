"""`./run quality [PART]... [--json]`: measures each part and holds its figures against the floors."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from quality import sets


def main() -> int:
    """0 when every figure is at or above its floor, 1 when one fell, 2 when there is nothing to measure with."""
    parts = sorted(path.stem[5:] for path in Path(__file__).parent.glob("part_*.py"))
    parser = argparse.ArgumentParser(prog="./run quality", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(parts)}; all when none is named")
    parser.add_argument("--json", action="store_true", help="one object: part to figure to value")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.parts) - set(parts)):
        parser.error(f"no part {unknown[0]!r}; there is {', '.join(parts)}")
    if not sets.there():
        print(f"No labelled articles in {sets.DATA}; name their folder in NEWSBEAT_DATA.", file=sys.stderr)
        return 2
    figures: dict[str, dict[str, float]] = {}
    fell = []
    for part in asked.parts or parts:
        print(f"measuring {part} ...", file=sys.stderr)
        figures[part] = importlib.import_module(f"quality.part_{part}").measure()
        floors = sets.floors(part)
        for name, value in figures[part].items():
            floor = floors.get(name)
            mark = "" if floor is None else f"  floor {floor:.3f}" + ("" if value >= floor else "  FELL")
            fell += [f"{part}.{name}"] if floor is not None and value < floor else []
            if not asked.json:
                print(f"{part:<12} {name:<44} {value:8.3f}{mark}")
        fell += [f"{part}.{name} (not measured)" for name in floors if name not in figures[part]]
    if asked.json:
        print(json.dumps(figures))
    if fell:
        print(f"below the floor: {', '.join(fell)}", file=sys.stderr)
    return 1 if fell else 0


if __name__ == "__main__":
    sys.exit(main())
