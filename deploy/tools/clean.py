"""``make clean``: removes what was installed, built and cached in the checkout; refuses while the product runs.

The data lies outside the checkout and is not touched.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = (".venv", ".tools", ".run")
TOOL_CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis")
CACHES = ("__pycache__", "node_modules")
SOURCES = ("libs", "services", "deploy", "tests", "requirements")


def main() -> int:
    """Remove everything, or say what is in the way."""
    sys.path.insert(0, str(ROOT / "deploy" / "native" / "src"))
    from axonflow_native.places import Places
    from axonflow_native.running import supervisor_runs
    from axonflow_native.stack_env import read_stack_env

    places = Places.of(ROOT)
    if supervisor_runs(places) or read_stack_env(places.stack_env):
        print("axonflow: the product runs in this checkout: `make down` first", file=sys.stderr)
        return 1
    for folder in (*MADE, *TOOL_CACHES):
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    for source in SOURCES:
        for cache in CACHES:
            for found in (ROOT / source).rglob(cache):
                shutil.rmtree(found, ignore_errors=True)
    print(f"axonflow: clean; the data stays in {places.state}, if there is any")
    return 0


if __name__ == "__main__":
    sys.exit(main())
