"""The native form's commands: ``up`` starts a supervisor in the background and waits for it, ``down`` ends it.

Also ``status`` and ``logs``. What cannot be done is one sentence on stderr and exit code 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from axonflow_native.keeper import answers
from axonflow_native.log_files import last_sentence, show
from axonflow_native.places import Places
from axonflow_native.processes import ProcessRecord
from axonflow_native.refusal import CannotStart
from axonflow_native.running import POLL_S, end_supervisor, supervisor_pid, supervisor_runs
from axonflow_native.stack import ENDING_ORDER, Stack
from axonflow_native.stack_env import read_stack_env
from axonflow_native.supervise import FAILED, PROGRESS, READY
from axonflow_native.terminal import say, say_urls

JOIN_LIMIT_S = 240.0


def up(checkout: Path, environ: Mapping[str, str]) -> None:
    """Start everything unless it runs; returns when all three services answer.

    Raises:
        CannotStart: a service, the database, a port or a setting stands in the way; nothing is left running.
    """
    places = Places.of(checkout)
    places.make_run()
    if supervisor_runs(places):
        join(places)
        return
    Stack.read(checkout, environ)  # a wrong port is said before anything starts
    supervise_command = [sys.executable, "-P", "-m", "axonflow_native", "--checkout", str(checkout), "supervise"]
    launch(supervise_command, places, environ)
    say_urls(places)


def launch(command: Sequence[str], places: Places, environ: Mapping[str, str]) -> None:
    """Run a supervisor in the background and relay its progress until it is ready.

    Raises:
        CannotStart: it said why it gave up, or ended without a word.
    """
    log_path = places.logs / "supervisor.log"
    with log_path.open("ab") as log:
        log_start = log.tell()
        running = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=places.run,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        _relay(running, log_path, log_start)
    except KeyboardInterrupt:
        running.terminate()
        running.wait()
        raise
    finally:
        if running.stdout is not None:
            running.stdout.close()


def _relay(running: subprocess.Popen[str], log_path: Path, log_start: int) -> None:
    for line in running.stdout or ():
        kind, text = json.loads(line)
        if kind == READY:
            return
        if kind == FAILED:
            running.wait()
            raise CannotStart(text)
        if kind == PROGRESS:
            say(text)
    running.wait()
    said = last_sentence(log_path, log_start) or "it said nothing"
    raise CannotStart(f"The supervisor ended with code {running.returncode}: {said} (its log: {log_path})")


def join(places: Places) -> None:
    """Say that the stack runs; when it is just being started by someone else, wait until it does.

    Raises:
        CannotStart: the other start came to nothing.
    """
    deadline = time.monotonic() + JOIN_LIMIT_S
    if not places.stack_env.exists():
        say("another `make up` or `make down` of this checkout is under way; waiting for it")
    while not places.stack_env.exists():
        if not supervisor_runs(places) or time.monotonic() > deadline:
            raise CannotStart("The other start or stop has left nothing running: try `make up` again.")
        time.sleep(POLL_S)
    say(f"already running natively (supervisor {supervisor_pid(places)}); `make down` stops it")
    say_urls(places)


def down(checkout: Path) -> None:
    """Stop whatever of the native form runs, data kept.

    Raises:
        CannotStart: it cannot be stopped.
    """
    places = Places.of(checkout)
    ended = end_supervisor(places)
    left = ProcessRecord(places.processes).end_all()
    database = Stack.read(checkout, {}).database
    if not ended and database is not None and database.running:
        database.stop()
        left.append("PostgreSQL")
    places.stack_env.unlink(missing_ok=True)
    if left:
        say(f"stopped what a killed supervisor had left behind: {', '.join(left)}")
    say("stopped; the data is kept" if ended or left else "nothing was running")


def status(checkout: Path) -> bool:
    """Print what runs; True when all of it answers."""
    places = Places.of(checkout)
    if not supervisor_runs(places):
        say("not running; `make up` starts it")
        return False
    published, alive = read_stack_env(places.stack_env), ProcessRecord(places.processes).alive()
    say(f"running natively, supervisor {supervisor_pid(places)}, state in {places.state}")
    well = bool(published)
    for name in ENDING_ORDER:
        url = published.get(f"{name.upper()}_URL", "")
        if url and answers(url + "/health"):
            state = "answers"
        else:
            well, state = False, f"does not answer; it said last: {last_sentence(places.logs / f'{name}.log')}"
        say(f"  {name:<12} process {alive.get(name, '-'):<7} {url or 'starting'}  {state}")
    return well


def logs(checkout: Path, *, follow: bool) -> None:
    """Print the end of every log; with ``follow`` go on until interrupted."""
    places = Places.of(checkout)
    show({name: places.logs / f"{name}.log" for name in ("supervisor", *ENDING_ORDER)}, follow=follow)
