"""``python -m axonflow_native up|down|status|logs``; ``supervise`` is what ``up`` runs in the background."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from axonflow_native import launch
from axonflow_native.postgres import PostgresError
from axonflow_native.refusal import CannotStart
from axonflow_native.stack import Stack
from axonflow_native.supervise import supervise
from axonflow_native.terminal import complain


def main() -> int:
    """Run one command; its exit code."""
    parser = argparse.ArgumentParser(prog="axonflow_native", description="AxonFlow as processes, without containers.")
    parser.add_argument("--checkout", type=Path, default=Path.cwd(), help="the repository's root (default: here)")
    parser.add_argument("command", choices=("up", "down", "status", "logs", "supervise"))
    asked = parser.parse_args()
    try:
        if asked.command == "supervise":
            return supervise(Stack.read(asked.checkout, os.environ))
        if asked.command == "status":
            return 0 if launch.status(asked.checkout) else 1
        if asked.command == "logs":
            launch.logs(asked.checkout, follow=sys.stdout.isatty())
        elif asked.command == "down":
            launch.down(asked.checkout)
        else:
            launch.up(asked.checkout, os.environ)
    except (CannotStart, PostgresError) as refusal:
        complain(refusal)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
