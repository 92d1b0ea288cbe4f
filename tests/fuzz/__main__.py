"""``python -m fuzz``: the big differential run, or one case again with ``--replay FILE``; 1 when the two differ."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from fuzz import differential
from fuzz.generator import Case

CASES_VARIABLE = "AXONFLOW_FUZZ_CASES"
NIGHTLY_CASES = 100_000


def main() -> int:
    arguments = _arguments()
    if arguments.replay is not None:
        case = msgspec.json.decode(arguments.replay.read_bytes(), type=Case)
        found = differential.differs(case)
        print("\n".join(found) or "the engine and the reference agree")
        return int(bool(found))
    began = time.monotonic()
    done = differential.run(arguments.cases, arguments.seed, tell=differential.say)
    for difference in done.differences:
        print(difference.text(), end="\n\n")
    print(f"{', '.join(f'{name} {count}' for name, count in sorted(done.counts.items()))}")
    print(f"{len(done.differences)} differences, {time.monotonic() - began:.0f} s, first seed {arguments.seed}")
    return int(bool(done.differences))


def _arguments() -> Any:
    wanted = int(os.environ.get(CASES_VARIABLE) or NIGHTLY_CASES)
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=wanted, metavar="N", help=f"or {CASES_VARIABLE}; {wanted} now")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the first set; each set has the next one")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="one case, as a difference prints it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
