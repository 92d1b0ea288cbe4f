"""The programs around what is measured: Go's where there is Go, slower ones in Python where there is none."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WORDS = HERE / "words.txt"
_BUILD_TIMEOUT_S = 600  # the first build compiles Go's own library


@dataclasses.dataclass(frozen=True, slots=True)
class Tools:
    """How to start each program.

    Attributes:
        go: the built Go program, or None.
        lacking: why there is no Go program, in words.
    """

    go: Path | None
    lacking: str = ""

    def upstream(self, reply: Path) -> list[str]:
        return [str(self.go), "upstream", str(reply)] if self.go else [*_python("bench.stub"), str(reply)]

    def load(self) -> list[str]:
        return [str(self.go), "load"] if self.go else _python("bench.load")

    def go_forwarder(self, upstream_port: int) -> list[str] | None:
        return [str(self.go), "forward", f"http://127.0.0.1:{upstream_port}"] if self.go else None

    def byte_forwarder(self, upstream_port: int) -> list[str]:
        return [*_python("bench.byte_forwarder"), "127.0.0.1", str(upstream_port)]


def find_tools(directory: Path, *, use_go: bool = True) -> Tools:
    """Build the Go program into ``directory`` if this machine can."""
    go = shutil.which("go") if use_go else None
    if go is None:
        return Tools(None, "go is not installed" if use_go else "--no-go")
    program = directory / "bench"
    # `local` keeps an older Go from fetching a newer one; the program has no dependencies to fetch.
    environ = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOWORK": "off"}
    try:
        done = subprocess.run(
            [go, "build", "-buildvcs=false", "-o", str(program), "."],
            cwd=HERE / "go",
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=_BUILD_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return Tools(None, f"go build took longer than {_BUILD_TIMEOUT_S} s")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Tools(None, f"go build failed: {last}")
    return Tools(program)


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]
