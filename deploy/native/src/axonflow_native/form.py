"""Chooses between the two forms: containers where an engine answers, processes otherwise.

A ``docker`` client without an engine is common, so the engine is asked, not looked up. Standard library only, since
``deploy/up.py`` reads it before anything is installed.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from axonflow_native.refusal import CannotStart

ASK_TIMEOUT_S = 20
NATIVE, COMPOSE = "native", "compose"


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """What will run, and why.

    Attributes:
        kind: ``native`` or ``compose``.
        reason: completes "AxonFlow runs as …, since …".
        compose: the compose command, empty for native.
    """

    kind: str
    reason: str
    compose: tuple[str, ...] = ()


def choose_form(environ: Mapping[str, str]) -> Form:
    """The form that ``FORM`` asks for, else the one this machine can run.

    Raises:
        CannotStart: ``FORM`` is neither of the two, or compose is asked for and cannot run.
    """
    wanted = environ.get("FORM", "").strip().lower()
    if wanted not in {"", NATIVE, COMPOSE}:
        raise CannotStart(f"FORM must be {NATIVE} or {COMPOSE}, not {wanted!r}; unset, the machine decides.")
    if wanted == NATIVE:
        return Form(NATIVE, "FORM=native asks for it")
    command, lack = find_compose(environ)
    if not lack:
        reason = "FORM=compose asks for it" if wanted else f"a container engine answers and `{' '.join(command)}` works"
        return Form(COMPOSE, reason, command)
    if wanted == COMPOSE:
        raise CannotStart(f"FORM=compose cannot run: {lack}. Mend that, or use FORM=native, which needs no engine.")
    return Form(NATIVE, lack)


def find_compose(environ: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """The compose command, or an empty one and what is lacking."""
    path = environ.get("PATH")
    if shutil.which("docker", path=path) is None:
        return (), "there is no docker on this machine"
    # `docker info` prints the engine's complaint but older clients still end with 0: ask for a field of the server.
    code, answer = _ask(["docker", "info", "--format", "{{.ServerVersion}}"], environ)
    if code != 0 or not answer:
        return (), "the docker client is here but no engine answers (`docker info`)"
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0], path=path) and _ask([*command, "version"], environ)[0] == 0:
            return command, ""
    return (), "a container engine answers but neither `docker compose` nor `docker-compose` is installed"


def _ask(command: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=ASK_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 1, ""
    return done.returncode, done.stdout.strip()
