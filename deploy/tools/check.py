"""``make check``: every check that needs no database and no network, all of them run, one line each.

Stops at nothing: whoever runs it sees every complaint of one pass. ``--static`` leaves out the unit tests, for a run
that has all tests behind it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
UNIT_TESTS = "unit tests"


def packages() -> dict[str, Path]:
    """Import name of each package of the workspace, with its folder."""
    members = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["workspace"]["members"]
    return {
        "axonflow_" + folder.name: folder
        for pattern in members
        for folder in sorted(ROOT.glob(pattern))
        if (folder / "pyproject.toml").exists()
    }


def checks() -> list[tuple[str, list[str], Path]]:
    """Name, command and folder of every check, cheapest first."""
    ours = packages()
    found = [
        ("format", ["ruff", "format", "--check", "."], ROOT),
        ("lint", ["ruff", "check", "--quiet", "."], ROOT),
        ("borders", ["lint-imports"], ROOT),
    ]
    found += [(f"requirements {name}", ["deptry", "src"], folder) for name, folder in ours.items()]
    modules = [word for name in ours for word in ("-p", name)]
    found += [
        ("types", ["mypy", *modules], ROOT),
        ("types of scripts", ["mypy", "deploy/up.py", *scripts()], ROOT),
        (UNIT_TESTS, ["python", "-m", "pytest", "-q", "tests/unit"], ROOT),
    ]
    return found


def scripts() -> list[str]:
    """The tools beside this file, and the writers of locks and reference."""
    return [
        *sorted(str(path.relative_to(ROOT)) for path in Path(__file__).parent.glob("*.py")),
        "requirements/lock.py",
        "docs/write_settings.py",
    ]


def main() -> int:
    """Run all; 1 when any complains."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    failed: list[str] = []
    static = "--static" in sys.argv[1:]
    for name, command, folder in checks():
        if static and name == UNIT_TESTS:
            continue
        began = time.monotonic()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name} ({time.monotonic() - began:.1f} s)", flush=True)
        if done.returncode or name == UNIT_TESTS:
            print(done.stdout + done.stderr, flush=True)
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"check: {len(failed)} failed: {', '.join(failed)}", flush=True)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
