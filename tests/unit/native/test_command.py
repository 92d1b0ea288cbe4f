"""The launcher's decisions before anything is started, and that it needs nothing installed."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axonflow_native import command
from axonflow_native.places import Places
from axonflow_native.stack_env import write_stack_env

ROOT = Path(__file__).resolve().parents[3]
NO_DOCKER = {"PATH": ""}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = Places.of(tmp_path)
    found.make_run()
    return found


@pytest.fixture
def native_running(places: Places) -> Iterator[Places]:
    with places.lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield places


def test_the_launcher_runs_on_a_python_with_nothing_installed() -> None:
    # -S leaves site-packages out, -I the caller's paths: an import of anything but the standard library would fail.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "deploy/up.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (2, command.USAGE)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["up", "down"]])
def test_an_unknown_command_shows_the_usage(arguments: list[str], tmp_path: Path) -> None:
    assert command.main(arguments, tmp_path, NO_DOCKER) == 2


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"AGENT_PORT": "none"}, "AGENT_PORT must be a port"),
        ({"FORM": "podman"}, "FORM must be native or compose"),
        ({"FORM": "compose"}, "there is no docker on this machine"),
    ],
)
def test_what_cannot_be_started_is_a_sentence_and_a_failure(
    environ: dict[str, str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["up"], tmp_path, {**NO_DOCKER, **environ}) == 1
    assert sentence in capsys.readouterr().err


def test_nothing_running_is_no_failure_of_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["down"], tmp_path, NO_DOCKER) == 0
    assert "nothing was running" in capsys.readouterr().out


def test_status_of_nothing_is_a_failure_that_scripts_can_see(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["status"], tmp_path, NO_DOCKER) == 1
    assert "make up" in capsys.readouterr().out


def test_logs_of_nothing_say_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["logs"], tmp_path, NO_DOCKER) == 1
    assert "There are no logs yet" in capsys.readouterr().err


def test_the_other_form_is_not_started_beside_the_running_one(
    native_running: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["up"], native_running.checkout, {**NO_DOCKER, "FORM": "compose"}) == 1
    assert "The native form is running" in capsys.readouterr().err


def test_containers_that_were_started_here_are_not_forgotten_when_the_engine_is_away(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack_env(places.stack_env, {"FORM": "compose"})
    assert command.main(["up"], places.checkout, NO_DOCKER) == 1
    assert "The compose form was started here, but there is no docker" in capsys.readouterr().err


def test_a_reader_who_leaves_early_does_not_end_what_is_being_done() -> None:
    script = "import sys\nfrom axonflow_native.terminal import say\nfor _ in range(9): say('x' * 9999)\n"
    script += "sys.stderr.write('done')"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as speaking:
        assert speaking.stdout is not None
        assert speaking.stderr is not None
        speaking.stdout.close()
        assert speaking.stderr.read() == "done"
    assert speaking.returncode == 0
