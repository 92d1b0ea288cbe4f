"""The file that tells shells and tests where the stack is."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from axonflow_native.stack_env import read_stack_env, write_stack_env

VALUES = {
    "AGENT_URL": "http://127.0.0.1:8080",
    "DATABASE_URL": "postgresql://u:p'$(id)&x@127.0.0.1:5432/db?sslmode=disable&a=b c",
    "EMPTY": "",
}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "stack.env"
    write_stack_env(path, VALUES)
    return path


def test_what_is_written_is_read_back(written: Path) -> None:
    assert read_stack_env(written) == VALUES


def test_only_the_owner_can_read_it(written: Path) -> None:
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_replaced_by_one_they_cannot(tmp_path: Path) -> None:
    path = tmp_path / "stack.env"
    path.write_text("AGENT_URL=old\n")
    path.chmod(0o644)
    write_stack_env(path, VALUES)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_shell_reads_exactly_the_values(written: Path) -> None:
    script = f'. "{written}"; printf "%s|%s|%s" "$AGENT_URL" "$DATABASE_URL" "$EMPTY"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={})
    assert done.stdout.split("|") == list(VALUES.values())


def test_plain_addresses_stand_without_quotes(written: Path) -> None:
    assert "AGENT_URL=http://127.0.0.1:8080\n" in written.read_text()


def test_no_file_is_an_empty_stack(tmp_path: Path) -> None:
    assert read_stack_env(tmp_path / "missing") == {}
