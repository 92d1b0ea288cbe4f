"""The launcher behind ``make up``, ``down``, ``status`` and ``logs``; runs on a bare Python, before anything else.

What it does is in ``axonflow_native.command``, which needs the standard library alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run one command from the checkout's own source."""
    sys.path.insert(0, str(ROOT / "deploy" / "native" / "src"))
    from axonflow_native import command

    return command.main(sys.argv[1:], ROOT, os.environ)


if __name__ == "__main__":
    sys.exit(main())
