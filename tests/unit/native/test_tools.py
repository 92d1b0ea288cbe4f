"""The tools under ``make`` on machines that lack something: what they say, and that they end with a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FINDER = ROOT / "deploy" / "tools" / "python.sh"


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def find(folder: Path, finder: Path = FINDER, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", finder, "-c", "print('found')"],
        env={"PATH": str(folder), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_is_there_but_does_not_run_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "python3", "echo 'version manager: no such version' >&2; exit 127")
    (tmp_path / "python3.12").symlink_to(sys.executable)
    assert find(tmp_path).stdout == "found\n"


def test_an_old_python_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "python3", "exit 1")  # what the question for 3.11 is answered with
    (tmp_path / "python3.11").symlink_to(sys.executable)
    assert find(tmp_path).stdout == "found\n"


def test_a_python_that_is_named_but_too_old_is_refused(tmp_path: Path) -> None:
    program(tmp_path / "mine", "exit 1")
    done = find(tmp_path, PYTHON=str(tmp_path / "mine"))
    assert done.returncode == 1
    assert "is not a Python of at least 3.11" in done.stderr


def test_no_python_at_all_is_a_sentence(tmp_path: Path) -> None:
    finder = tmp_path / "python.sh"
    finder.write_text(FINDER.read_text().replace("/usr/bin/python3", "/nowhere/python3"))
    done = find(tmp_path, finder)
    assert done.returncode == 1
    assert "No Python of at least 3.11 was found" in done.stderr


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """As much of a checkout as the preparation looks at."""
    for name in ("deploy/tools/prepare.py", "requirements/dev.txt"):
        (tmp_path / "checkout" / name).parent.mkdir(parents=True)
        shutil.copy2(ROOT / name, tmp_path / "checkout" / name)
    return tmp_path / "checkout"


def prepare(checkout: Path, *without: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the preparation with a Python that lacks the modules ``without``."""
    lacking = checkout / "lacking"
    lacking.mkdir()
    for name in without:
        (lacking / f"{name}.py").write_text(f"raise ModuleNotFoundError('not installed', name={name!r})\n")
    return subprocess.run(
        [sys.executable, checkout / "deploy" / "tools" / "prepare.py"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(lacking), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_a_python_that_makes_no_environments_says_what_to_install(bare_checkout: Path, module: str) -> None:
    done = prepare(bare_checkout, module)
    assert done.returncode == 1
    assert f"its {module} module is missing" in done.stderr
    assert "apt-get install python3-venv" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_that_install_at_once_wait_for_each_other(bare_checkout: Path) -> None:
    script = "import prepare, sys\nwith prepare.one_at_a_time():\n    print('inside', flush=True)\n    sys.stdin.read()"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(bare_checkout / "deploy" / "tools")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, env=environ, text=True, **pipes) as first:  # type: ignore[call-overload]
        assert first.stdout.readline() == "inside\n"
        with subprocess.Popen(command, env=environ, text=True, **pipes) as second:  # type: ignore[call-overload]
            assert "another make is installing; waiting" in second.stderr.readline()
            first.stdin.close()
            assert second.stdout.readline() == "inside\n"
            second.stdin.close()
