"""Which form runs, decided by asking an engine that the test puts on the path."""

from __future__ import annotations

from pathlib import Path

import pytest
from axonflow_native.form import COMPOSE, NATIVE, choose_form
from axonflow_native.refusal import CannotStart

ENGINE_ANSWERS = 'if [ "$1" = info ]; then echo 20.10.24; exit 0; fi\n'
PLUGIN = 'if [ "$1" = compose ]; then echo v2; exit 0; fi\n'


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}exit 1\n")
    path.chmod(0o755)


def asking(folder: Path, **environ: str) -> dict[str, str]:
    return {"PATH": str(folder), **environ}


def test_an_engine_with_the_plugin_runs_compose(tmp_path: Path) -> None:
    program(tmp_path, "docker", ENGINE_ANSWERS + PLUGIN)
    form = choose_form(asking(tmp_path))
    assert (form.kind, form.compose) == (COMPOSE, ("docker", "compose"))
    assert "engine answers" in form.reason


def test_an_engine_with_the_old_command_runs_compose(tmp_path: Path) -> None:
    program(tmp_path, "docker", ENGINE_ANSWERS)
    program(tmp_path, "docker-compose", "exit 0\n")
    assert choose_form(asking(tmp_path)).compose == ("docker-compose",)


def test_without_docker_the_form_is_native_and_says_so(tmp_path: Path) -> None:
    form = choose_form(asking(tmp_path))
    assert (form.kind, form.reason) == (NATIVE, "there is no docker on this machine")


def test_a_client_without_an_engine_is_native_and_says_so(tmp_path: Path) -> None:
    program(tmp_path, "docker", "echo 'Cannot connect to the daemon' >&2\n")
    form = choose_form(asking(tmp_path))
    assert form.kind == NATIVE
    assert "no engine answers" in form.reason


def test_a_client_that_complains_with_exit_code_zero_is_not_an_engine(tmp_path: Path) -> None:
    program(tmp_path, "docker", "echo 'Cannot connect to the daemon' >&2\nexit 0\n")
    assert choose_form(asking(tmp_path)).kind == NATIVE


def test_an_engine_without_compose_is_native_and_says_so(tmp_path: Path) -> None:
    program(tmp_path, "docker", ENGINE_ANSWERS)
    form = choose_form(asking(tmp_path))
    assert form.kind == NATIVE
    assert "docker-compose" in form.reason


def test_native_can_be_forced_where_an_engine_answers(tmp_path: Path) -> None:
    program(tmp_path, "docker", ENGINE_ANSWERS + PLUGIN)
    assert choose_form(asking(tmp_path, FORM="native")).kind == NATIVE


def test_compose_that_cannot_run_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="FORM=compose cannot run: there is no docker"):
        choose_form(asking(tmp_path, FORM="compose"))


def test_an_unknown_form_names_the_legal_ones(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="native or compose, not 'podman'"):
        choose_form(asking(tmp_path, FORM="podman"))
