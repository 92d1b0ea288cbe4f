"""``make test-compose``: the compose stack on a real engine, the gateway checks against it, and nothing left behind.

Runs ``tests/e2e/compose`` against a stack of its own: own project, own ports, own volumes. Needs an engine or a
machine that can be given one (see ``engine.py``); otherwise it says why not and ends with 0.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from engine import Engine, NoEngine, install, open_engine

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "e2e" / "compose"
FILES = (ROOT / "deploy/compose/docker-compose.yml", TESTS / "upstream.yml")
BASE_IMAGES = ("python:3.11-slim-bookworm", "postgres:15-bookworm")
DEBIAN_IMAGE = "debian:bookworm-slim"  # what the two are made on
# Label of the Dockerfiles' stages, whose images a builder may leave without a name.
STAGE_LABEL = "org.axonflow.stage"
SERVICE_PORTS = ("AGENT_PORT", "ORCHESTRATOR_PORT", "PORTAL_PORT")
# The caller's settings of the product stay outside: this stack is the one of the files, whoever runs it.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR")
PULL_TIMEOUT_S = 120.0
HEALTHY_TIMEOUT_S = 180.0
HOPELESS_RESTARTS = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Stack:
    """One compose project: the command that speaks to it and the environment it runs in."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    def compose(self, *arguments: str, check: bool = True) -> None:
        """Run compose on the project.

        Raises:
            subprocess.CalledProcessError: it failed and ``check`` is true.
        """
        subprocess.run([*self.command, *arguments], env=self.environment, check=check)

    def url(self, port_variable: str) -> str:
        """Address of a published port."""
        return f"http://127.0.0.1:{self.environment[port_variable]}"


def main(pytest_arguments: list[str]) -> int:
    """Run the tests; returns pytest's exit code, or 0 with the reason where this machine cannot have an engine."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    kept = {name: value for name, value in os.environ.items() if name in KEPT_VARIABLES or name.startswith("DOCKER_")}
    try:
        with open_engine(kept) as engine, _base_images(engine), _stack(engine) as stack:
            return _run_tests(stack, pytest_arguments)
    except NoEngine as reason:
        print(f"test-compose: skipped: {reason}")
        return 0
    except subprocess.CalledProcessError as error:
        print(f"test-compose: failed: {' '.join(map(str, error.cmd))} ended with {error.returncode}", file=sys.stderr)
        return 1


@contextlib.contextmanager
def _base_images(engine: Engine) -> Iterator[None]:
    """Have the images that the files name: those there already, else pulled, else made from Debian's packages."""
    missing = [image for image in BASE_IMAGES if not _has_image(engine, image)]
    if all(_pulled(engine, image) for image in missing):
        yield
        return
    missing += [image for image in (DEBIAN_IMAGE,) if not _has_image(engine, image)]
    print("test-compose: no image registry answers: making the base images from Debian's packages", flush=True)
    install(("debootstrap",), "the base images can neither be pulled nor made")
    # The folder is ours to remove, also when the script is interrupted.
    with tempfile.TemporaryDirectory(prefix="axonflow-images-", dir="/var/tmp", ignore_cleanup_errors=True) as scratch:
        making = {**engine.environment, "TMPDIR": scratch}
        subprocess.run([ROOT / "deploy/tools/make-base-images"], env=making, check=True)
    try:
        yield
    finally:
        if not engine.own:
            engine.docker("image", "rm", *missing, check=False)


def _has_image(engine: Engine, image: str) -> bool:
    return bool(engine.docker("image", "ls", "--quiet", image))


def _pulled(engine: Engine, image: str) -> bool:
    try:
        done = subprocess.run(
            ["docker", "pull", "--quiet", image],
            env=engine.environment,
            check=False,
            capture_output=True,
            timeout=PULL_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@contextlib.contextmanager
def _stack(engine: Engine) -> Iterator[Stack]:
    """Build and start the stack on free ports; afterwards its containers, volumes, networks and images are gone."""
    project = f"axonflow-test-{secrets.token_hex(4)}"
    files = [part for file in FILES for part in ("--file", str(file))]
    ports = _free_ports(*SERVICE_PORTS, "POSTGRES_PORT", "UPSTREAM_PORT")
    environment = {
        **engine.environment,
        **ports,
        "UPSTREAM_SCRIPT": str(TESTS / "upstream.py"),
        "OPENAI_BASE_URL": "http://upstream:9000/v1",
    }
    stack = Stack((*engine.compose, "--ansi", "never", "--project-name", project, *files), environment)
    try:
        stack.compose("build")
        stack.compose("up", "--detach")
        _await_health(engine, stack, project)
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "5", check=False)
        if not engine.own:
            engine.docker("image", "prune", "--force", "--filter", f"label={STAGE_LABEL}", check=False)


def _free_ports(*names: str) -> dict[str, str]:
    with contextlib.ExitStack() as held:
        listeners = [held.enter_context(socket.socket()) for _ in names]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return {name: str(listener.getsockname()[1]) for name, listener in zip(names, listeners, strict=True)}


def _await_health(engine: Engine, stack: Stack, project: str) -> None:
    waiting = {f"{stack.url(name)}/health" for name in SERVICE_PORTS}
    deadline = time.monotonic() + HEALTHY_TIMEOUT_S
    while waiting:
        waiting = {url for url in waiting if not _healthy(url)}
        if waiting and (time.monotonic() > deadline or _restarts(engine, project) >= HOPELESS_RESTARTS):
            stack.compose("ps", check=False)
            stack.compose("logs", "--tail", "40", check=False)
            raise subprocess.CalledProcessError(1, ["waiting for", *sorted(waiting)])
        time.sleep(0.5)


def _restarts(engine: Engine, project: str) -> int:
    """How often the engine started the project's containers again."""
    listed = engine.docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={project}").split()
    counts = engine.docker("inspect", "--format", "{{.RestartCount}}", *listed) if listed else ""
    return sum(int(count) for count in counts.split())


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - a loopback address made above
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _run_tests(stack: Stack, arguments: list[str]) -> int:
    """Run pytest with the stack described in a file of its own; the stack's logs are shown when a test fails."""
    described = {
        "compose": stack.command,
        "environment": dict(stack.environment),
        "agent_url": stack.url("AGENT_PORT"),
        "orchestrator_url": stack.url("ORCHESTRATOR_PORT"),
        "portal_url": stack.url("PORTAL_PORT"),
        "upstream_url": stack.url("UPSTREAM_PORT"),
        "overlay": str(ROOT / "deploy/compose/docker-compose.enterprise.yml"),
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(described, file)
        file.flush()
        command = [sys.executable, "-m", "pytest", str(TESTS), "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "AXONFLOW_TEST_STACK": file.name})
    if done.returncode != 0:
        stack.compose("ps", check=False)
        stack.compose("logs", "--tail", "60", check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
