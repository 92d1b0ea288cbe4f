"""Writes the hashed lock files of this folder: one for development, one per service, none with an address.

A service's lock is the third-party closure of its own package and of ours that it depends on, constrained by
the development lock, so the tests run on exactly what is shipped. ``uv.lock`` is never written: it carries
addresses of the registry it was made on.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SERVICES = ("agent", "orchestrator", "portal")
OURS = "axonflow-"


def packages() -> dict[str, list[str]]:
    """Every package of the workspace with the requirements it declares."""
    found: dict[str, list[str]] = {}
    for pattern in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]:
        for project in sorted(ROOT.glob(f"{pattern}/pyproject.toml")):
            declared = tomllib.loads(project.read_text())["project"]
            found[declared["name"]] = declared["dependencies"]
    return found


def third_party(name: str, declared: dict[str, list[str]]) -> set[str]:
    """The outside requirements of one of our packages, followed through ours."""
    wanted: set[str] = set()
    for requirement in declared[name]:
        package = re.split(r"[\s\[<>=;]", requirement, maxsplit=1)[0]
        wanted |= third_party(package, declared) if package.startswith(OURS) else {requirement}
    return wanted


def compile_lock(target: str, requirements: list[str], *options: str) -> None:
    """Resolve ``requirements`` for every platform and write them with hashes."""
    print(f"lock: requirements/{target}", flush=True)
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "-",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-annotate",
        "--quiet",
        "--custom-compile-command",
        "make lock",
        "--output-file",
        str(HERE / target),
        *options,
    ]
    subprocess.run(command, input="\n".join(requirements), text=True, check=True, cwd=ROOT)


def main() -> None:
    """Write all lock files; ``--upgrade`` takes the newest releases instead of keeping what is locked."""
    upgrade = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    declared = packages()
    everything = set().union(*(third_party(name, declared) for name in declared))
    tools = [line for line in (HERE / "dev.in").read_text().splitlines() if line and not line.startswith("#")]
    compile_lock("dev.txt", sorted(everything) + tools, *upgrade)
    for service in SERVICES:
        wanted = sorted(third_party(f"{OURS}{service}", declared))
        compile_lock(f"{service}.txt", [*wanted, "uv_build"], "--constraint", str(HERE / "dev.txt"), *upgrade)
    for name in sorted(path.stem for kind in ("sdk", "framework") for path in HERE.glob(f"{kind}-*.in")):
        compile_lock(f"{name}.txt", (HERE / f"{name}.in").read_text().splitlines(), *upgrade)


if __name__ == "__main__":
    main()
