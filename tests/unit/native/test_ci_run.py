"""``.ci/run``, with a ``make`` that writes down what it is asked: the order, the exit codes, and no root needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., "tuple[int, list[str], str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run CI in a copy; ``failing`` is the target that fails, ``engine`` whether a container engine answers."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    (tmp_path / ".ci").mkdir()
    shutil.copy2(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    programs = tmp_path / "programs"
    programs.mkdir()
    calls = tmp_path / "calls"

    def program(name: str, script: str) -> None:
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)

    def run_ci(failing: str = "none", *, engine: bool = False) -> tuple[int, list[str], str]:
        program("make", f'echo "$1" >> "{calls}"; echo "make $1 ran"; [ "$1" = {failing} ] && exit 3; exit 0')
        program("id", "echo 1000")  # an ordinary user: nothing may be installed
        program("docker", "echo 20.10" if engine else "exit 1")
        environ = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "CI": "true"}
        done = subprocess.run(
            ["bash", ".ci/run"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, calls.read_text().split(), done.stdout

    return run_ci


def test_checks_come_first_and_the_readmes_test_command_last(run: Run) -> None:
    code, calls, said = run()
    assert code == 0
    assert (calls[0], calls[-1]) == ("check", "test")
    assert said.splitlines()[-1] == "make test ran"


@pytest.mark.parametrize("failing", ["check", "test"])
def test_a_failure_is_the_exit_code_and_the_tests_run_all_the_same(run: Run, failing: str) -> None:
    code, calls, _ = run(failing)
    assert code == 3
    assert calls[-1] == "test"


@pytest.mark.parametrize("engine", [True, False])
def test_the_compose_stack_is_tested_only_where_an_engine_answers(run: Run, engine: bool) -> None:
    _, calls, _ = run(engine=engine)
    assert ("test-compose" in calls) is engine
