"""The compose form's commands: the stack of ``deploy/compose`` under a project name of this checkout's own.

Works with ``docker compose`` and with docker-compose 1.29, which cannot wait for health, so the addresses are asked.
Standard library only, since ``deploy/up.py`` runs it before anything is installed.
"""

from __future__ import annotations

import dataclasses
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from axonflow_native.keeper import answers
from axonflow_native.log_files import spoken_last
from axonflow_native.places import Places, checkout_key
from axonflow_native.ports import Ports, require_free
from axonflow_native.refusal import CannotStart

HEALTH_LIMIT_S = 240.0
POLL_S = 0.5
RESTARTS_BEFORE_GIVING_UP = 3
ENGINE_TIMEOUT_S = 60


@dataclasses.dataclass(frozen=True, slots=True)
class ComposeStack:
    """One checkout's containers.

    Attributes:
        places: where the checkout keeps things.
        ports: what is published on this machine.
        command: ``docker compose`` or ``docker-compose``.
        environ: the caller's environment.
    """

    places: Places
    ports: Ports
    command: tuple[str, ...]
    environ: Mapping[str, str]

    @property
    def project(self) -> str:
        """The compose project: the caller's COMPOSE_PROJECT_NAME, else one that no other checkout has."""
        return self.environ.get("COMPOSE_PROJECT_NAME", "") or project_name(self.places.checkout)

    @property
    def running(self) -> bool:
        """Whether a container of the project runs."""
        return bool(self._docker("ps", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}"))

    def up(self) -> None:
        """Build, start and wait until all three services answer.

        Raises:
            CannotStart: a port is taken, a build failed or a service does not come up; the stack is stopped again.
        """
        if not self.running:
            require_free(dataclasses.asdict(self.ports), "127.0.0.1")
        if self._compose("up", "-d", "--build"):
            self._compose("down")
            raise CannotStart(f"`{' '.join(self.command)} up` failed; its reason stands above.")
        try:
            self._await_health()
        except CannotStart:
            self._compose("down")
            raise

    def down(self) -> None:
        """Stop and remove the containers; the volumes stay.

        Raises:
            CannotStart: compose could not.
        """
        if self._compose("down"):
            raise CannotStart(f"`{' '.join(self.command)} down` failed; its reason stands above.")

    def show_processes(self) -> None:
        """Print the containers and their state."""
        self._compose("ps")

    def show_logs(self, *, follow: bool) -> None:
        """Print the end of the containers' logs; with ``follow`` go on until interrupted."""
        self._compose("logs", "--tail", "100", *(["--follow"] if follow else []))

    def published(self) -> dict[str, str]:
        """What ``.run/stack.env`` says."""
        return {
            "FORM": "compose",
            "COMPOSE_PROJECT_NAME": self.project,
            **self._urls(),
            "DATABASE_URL": self._database_url(),
        }

    def _urls(self) -> dict[str, str]:
        return {f"{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in self._services().items()}

    def _services(self) -> dict[str, int]:
        return {"agent": self.ports.agent, "orchestrator": self.ports.orchestrator, "portal": self.ports.portal}

    def _database_url(self) -> str:
        outside = self._environment().get("DATABASE_URL", "")
        return outside or self._inner_database_url()

    def _inner_database_url(self) -> str:
        # The defaults are those of deploy/compose/docker-compose.yml.
        user = quote(self.environ.get("DATABASE_USER") or "axonflow", safe="")
        password = quote(self.environ.get("DATABASE_PASSWORD") or "localdev123", safe="")
        name = quote(self.environ.get("DATABASE_NAME") or "axonflow", safe="")
        return f"postgresql://{user}:{password}@127.0.0.1:{self.ports.postgres}/{name}"

    def _environment(self) -> dict[str, str]:
        environment = {**self.environ, "COMPOSE_PROJECT_NAME": self.project}
        # A shell that has read .run/stack.env hands our own address back, which means nothing inside a container.
        if urlsplit(environment.get("DATABASE_URL", ""))[:2] == urlsplit(self._inner_database_url())[:2]:
            del environment["DATABASE_URL"]
        return environment

    def _compose(self, *arguments: str) -> int:
        file = self.places.checkout / "deploy" / "compose" / "docker-compose.yml"
        done = subprocess.run(
            [*self.command, "-f", str(file), *arguments],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return done.returncode

    def _docker(self, *arguments: str) -> str:
        done = subprocess.run(
            ["docker", *arguments],
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=ENGINE_TIMEOUT_S,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    def _await_health(self) -> None:
        deadline = time.monotonic() + HEALTH_LIMIT_S
        waiting = {name: f"{self._urls()[f'{name.upper()}_URL']}/health" for name in self._services()}
        while waiting:
            self._require_steady()
            if time.monotonic() > deadline:
                raise CannotStart(f"No answer from {', '.join(waiting.values())} within {HEALTH_LIMIT_S:g} s.")
            time.sleep(POLL_S)
            waiting = {name: url for name, url in waiting.items() if not answers(url)}

    def _require_steady(self) -> None:
        """Raise CannotStart with a container's last sentence when it is restarted over and over."""
        for container in self._containers():
            state = '{{.RestartCount}} {{index .Config.Labels "com.docker.compose.service"}}'
            restarts, _, service = self._docker("inspect", "--format", state, container).partition(" ")
            if restarts.isdigit() and int(restarts) >= RESTARTS_BEFORE_GIVING_UP:
                said = spoken_last(self._docker("logs", "--tail", "20", container).splitlines())
                raise CannotStart(f"The {service} cannot start: {said or 'it said nothing'}")

    def _containers(self) -> list[str]:
        return self._docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={self.project}").split()


def project_name(checkout: Path) -> str:
    """A compose project name for a checkout: lower case, and no other path's."""
    return f"axonflow-{checkout_key(checkout).rpartition('-')[2]}"
