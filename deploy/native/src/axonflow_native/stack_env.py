"""``.run/stack.env``: the running stack's addresses and secrets, for shells, tests and ``docker --env-file`` alike.

Standard library only, since ``deploy/up.py`` reads it before anything is installed.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path


def write_stack_env(path: Path, values: Mapping[str, str]) -> None:
    """Write ``values`` at once, readable by nobody else."""
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def read_stack_env(path: Path) -> dict[str, str]:
    """What was written; empty when there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: "".join(shlex.split(value)) for name, value in pairs}
