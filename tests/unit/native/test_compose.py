"""The compose form's commands, against a ``docker`` that the test puts on the path."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from axonflow_native.compose import ComposeStack
from axonflow_native.places import Places
from axonflow_native.ports import Ports
from axonflow_native.refusal import CannotStart

DOCKER = """#!/bin/sh
echo "$COMPOSE_PROJECT_NAME|$DATABASE_URL|$@" >> "{calls}"
case "$1" in
    compose) case "$*" in *" up "*) exit {up};; esac ;;
    ps) [ "$2" = --quiet ] || echo c0ffee ;;
    inspect) echo "5 axonflow-agent" ;;
    logs) echo '{{"level": "error", "message": "ORG_ID must not be the default"}}' ;;
esac
exit 0
"""


class Scene:
    """A checkout, an engine that writes down what it is asked, and four free ports."""

    def __init__(self, folder: Path, *, up: int = 0, **environ: str) -> None:
        self.calls_file = folder / "calls"
        docker = folder / "docker"
        docker.write_text(DOCKER.format(calls=self.calls_file, up=up))
        docker.chmod(0o755)
        path = f"{folder}{os.pathsep}{os.defpath}"
        self.environ = {"PATH": path, **environ}
        self.ports = Ports(*free_ports(4))
        self.stack = ComposeStack(Places.of(folder), self.ports, ("docker", "compose"), self.environ)

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()


def test_a_container_that_is_restarted_over_and_over_is_given_up_with_its_own_sentence(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    with pytest.raises(CannotStart, match="axonflow-agent cannot start: ORG_ID must not be the default"):
        scene.stack.up()
    assert scene.calls[-1].endswith("docker-compose.yml down")


def test_a_build_that_fails_is_a_refusal_and_leaves_nothing_running(tmp_path: Path) -> None:
    scene = Scene(tmp_path, up=17)
    with pytest.raises(CannotStart, match="`docker compose up` failed"):
        scene.stack.up()
    assert scene.calls[-1].endswith("docker-compose.yml down")


def test_a_taken_port_is_said_before_anything_is_built(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    with (
        socket.create_server(("127.0.0.1", scene.ports.portal)),
        pytest.raises(CannotStart, match=f"Port {scene.ports.portal} is taken .* Set PORTAL_PORT"),
    ):
        scene.stack.up()
    assert not [call for call in scene.calls if " up " in call]


def test_two_checkouts_are_two_projects(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (Scene(tmp_path / name).stack.project for name in ("one", "two"))
    assert one != two


def test_the_callers_project_name_is_kept(tmp_path: Path) -> None:
    scene = Scene(tmp_path, COMPOSE_PROJECT_NAME="mine")
    scene.stack.down()
    assert scene.calls[0].startswith("mine|")


def test_our_own_database_address_is_not_handed_to_containers(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    url = scene.stack.published()["DATABASE_URL"]
    assert url == f"postgresql://axonflow:localdev123@127.0.0.1:{scene.ports.postgres}/axonflow"
    again = ComposeStack(scene.stack.places, scene.ports, ("docker", "compose"), {**scene.environ, "DATABASE_URL": url})
    again.down()
    assert "postgresql" not in scene.calls[0]


def test_an_outside_database_is_passed_on_and_published(tmp_path: Path) -> None:
    outside = "postgresql://me:mine@db.example/ours"
    scene = Scene(tmp_path, DATABASE_URL=outside)
    scene.stack.down()
    assert f"|{outside}|" in scene.calls[0]
    assert scene.stack.published()["DATABASE_URL"] == outside
