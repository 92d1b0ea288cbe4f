"""Process ids are remembered with their start, so that only what was started here is ever ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axonflow_native.processes import ProcessRecord, start_time


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield running
    running.kill()
    running.wait()


def test_a_running_process_is_found_again_and_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    ProcessRecord(tmp_path / "p.json").note("agent", sleeper.pid)
    record = ProcessRecord(tmp_path / "p.json")
    assert record.alive() == {"agent": sleeper.pid}
    assert record.end_all() == ["agent"]
    assert sleeper.wait(5) != 0


def test_an_id_that_belongs_to_another_program_now_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"agent": (sleeper.pid, "some other start")}))
    assert ProcessRecord(path).end_all() == []
    assert sleeper.poll() is None


def test_a_forgotten_service_is_not_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record = ProcessRecord(tmp_path / "p.json")
    record.note("agent", sleeper.pid)
    record.forget("agent")
    assert record.end_all() == []
    assert sleeper.poll() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"agent": 5}'])
def test_a_damaged_record_is_an_empty_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text)
    assert ProcessRecord(path).alive() == {}


def test_a_process_that_is_dead_but_not_reaped_has_no_start(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(sleeper.pid) is None
