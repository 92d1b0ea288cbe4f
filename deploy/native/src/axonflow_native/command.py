"""``make up``, ``down``, ``status`` and ``logs``: decides on the form, says which and why, and hands over.

Standard library only, since it runs before anything is installed; the native form goes on in the checkout's ``.venv``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from axonflow_native.compose import ComposeStack
from axonflow_native.form import COMPOSE, NATIVE, Form, choose_form, find_compose
from axonflow_native.places import Places
from axonflow_native.ports import read_ports
from axonflow_native.refusal import CannotStart
from axonflow_native.running import supervisor_runs
from axonflow_native.stack_env import read_stack_env, write_stack_env
from axonflow_native.terminal import complain, say, say_urls

USAGE = "usage: up.py up|down|status|logs"
WHAT_RUNS = {NATIVE: "processes on this machine", COMPOSE: "containers"}


def main(arguments: list[str], checkout: Path, environ: Mapping[str, str]) -> int:
    """Carry out one command; its exit code."""
    verbs = {"up": up, "down": down, "status": status, "logs": logs}
    if len(arguments) != 1 or arguments[0] not in verbs:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        return verbs[arguments[0]](Places.of(checkout), environ)
    except CannotStart as refusal:
        complain(refusal)
        return 1
    except KeyboardInterrupt:
        return 130


def up(places: Places, environ: Mapping[str, str]) -> int:
    """Start the product in the form that runs already, else in the one that is asked for or possible."""
    ports = read_ports(environ)
    running = running_form(places)
    form = _join(running, environ) if running else choose_form(environ)
    say(f"{form.kind} form: {WHAT_RUNS[form.kind]}, since {form.reason}")
    if form.kind == NATIVE:
        tool = places.checkout / "deploy" / "tools" / "prepare.py"
        if code := subprocess.run([sys.executable, str(tool)], check=False).returncode:
            return code
        return native("up", places, environ)
    places.make_run()
    stack = ComposeStack(places, ports, form.compose, environ)
    stack.up()
    write_stack_env(places.stack_env, stack.published())
    say_urls(places)
    return 0


def down(places: Places, environ: Mapping[str, str]) -> int:
    """Stop whichever form runs, data kept."""
    if (stack := compose_stack(places, environ)) is not None and stack.running:
        stack.down()
        places.stack_env.unlink(missing_ok=True)
        say("stopped; the data is kept in the compose volumes")
        return 0
    if venv_python(places).exists() and places.run.exists():
        return native("down", places, environ)
    places.stack_env.unlink(missing_ok=True)
    say("nothing was running")
    return 0


def status(places: Places, environ: Mapping[str, str]) -> int:
    """Print what runs; 0 when something does."""
    running = running_form(places)
    if running == NATIVE:
        return native("status", places, environ)
    stack = compose_stack(places, environ)
    if running is None or stack is None or not stack.running:
        say("not running; `make up` starts it")
        return 1
    say(f"running in containers, compose project {stack.project}")
    stack.show_processes()
    say_urls(places)
    return 0


def logs(places: Places, environ: Mapping[str, str]) -> int:
    """Print the logs of whichever form runs, or ran last."""
    stack = compose_stack(places, environ)
    if running_form(places) == COMPOSE and stack is not None:
        stack.show_logs(follow=sys.stdout.isatty())
        return 0
    if not places.logs.exists() or not venv_python(places).exists():
        raise CannotStart("There are no logs yet: `make up` starts the product.")
    return native("logs", places, environ)


def running_form(places: Places) -> str | None:
    """The form that runs in this checkout, as far as ``.run`` knows; None when nothing does."""
    if supervisor_runs(places):
        return NATIVE
    return COMPOSE if read_stack_env(places.stack_env).get("FORM") == COMPOSE else None


def _join(running: str, environ: Mapping[str, str]) -> Form:
    """The running form itself; refuses to start the other one beside it."""
    wanted = environ.get("FORM", "").strip().lower() or running
    if wanted != running:
        raise CannotStart(f"The {running} form is running and FORM={wanted} asks for the other: `make down` first.")
    if running == NATIVE:
        return Form(NATIVE, "it runs already")
    command, lack = find_compose(environ)
    if lack:
        raise CannotStart(f"The compose form was started here, but {lack}. Mend that, or remove .run/stack.env.")
    return Form(COMPOSE, "it runs already and is brought up to date", command)


def compose_stack(places: Places, environ: Mapping[str, str]) -> ComposeStack | None:
    """The checkout's containers, None where no engine answers."""
    noted = read_stack_env(places.stack_env)
    if noted.get("FORM") == NATIVE:
        return None
    command, lack = find_compose(environ)
    if lack:
        return None
    project = noted.get("COMPOSE_PROJECT_NAME") or environ.get("COMPOSE_PROJECT_NAME", "")
    return ComposeStack(places, read_ports(environ), command, {**environ, "COMPOSE_PROJECT_NAME": project})


def venv_python(places: Places) -> Path:
    """The interpreter that has the product installed."""
    return places.checkout / ".venv" / "bin" / "python"


def native(verb: str, places: Places, environ: Mapping[str, str]) -> NoReturn:
    """Become ``python -m axonflow_native``, so that an interrupt reaches it alone."""
    python = str(venv_python(places))
    sys.stdout.flush()
    command = [python, "-P", "-m", "axonflow_native", "--checkout", str(places.checkout), verb]
    os.execve(python, command, dict(environ))  # noqa: S606 - no shell is wanted
