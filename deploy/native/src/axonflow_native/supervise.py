"""The supervisor's process: takes the checkout's lock, runs the stack, reports to whoever started it, cleans up.

Reports are JSON lines on stdout, read by ``launch``; the log is stderr.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

from axonflow_native.places import Places
from axonflow_native.ports import listening_host, require_free
from axonflow_native.postgres import PostgresError
from axonflow_native.processes import ProcessRecord, adopt_orphans
from axonflow_native.refusal import CannotStart
from axonflow_native.stack import Stack
from axonflow_native.stack_env import write_stack_env
from axonflow_native.supervisor import Supervisor

PROGRESS, READY, FAILED = "progress", "ready", "failed"


@contextlib.contextmanager
def only_one(places: Places) -> Iterator[None]:
    """Hold the checkout's lock and keep the process id beside it.

    Raises:
        CannotStart: another supervisor holds it.
    """
    with places.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart("Another supervisor of this checkout runs already: `make status` shows it.") from None
        places.pid.write_text(f"{os.getpid()}\n", encoding="ascii")
        try:
            yield
        finally:
            places.pid.unlink(missing_ok=True)


class Reporter:
    """Tells the log, and the launcher for as long as it listens."""

    def __init__(self) -> None:
        self._listened = True

    def log(self, text: str) -> None:
        """One line for the log alone."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(f"{stamp} {text}", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """One line for the log, and progress for the launcher."""
        self.log(text)
        self.tell(PROGRESS, text)

    def tell(self, kind: str, text: str = "") -> None:
        """One report for the launcher."""
        if self._listened:
            try:
                print(json.dumps([kind, text]), flush=True)
            except OSError:  # the launcher is gone; the stack goes on
                self._listened = False

    def farewell(self) -> None:
        """The launcher has what it waits for; nothing more goes to stdout."""
        self._listened = False
        void = os.open(os.devnull, os.O_WRONLY)
        os.dup2(void, sys.stdout.fileno())
        os.close(void)


def supervise(stack: Stack) -> int:
    """Run ``stack`` until SIGTERM or SIGINT; 1 when it cannot be brought up."""
    reporter = Reporter()
    places = stack.places
    try:
        places.make_run()
        with only_one(places):
            try:
                _run(stack, reporter)
            finally:
                places.stack_env.unlink(missing_ok=True)
    except (CannotStart, PostgresError) as refusal:
        reporter.log(f"stopped: {refusal}")
        reporter.tell(FAILED, str(refusal))
        return 1
    reporter.say("stopped; the data is kept")
    return 0


def _run(stack: Stack, reporter: Reporter) -> None:
    places = stack.places
    places.make_state()
    adopt_orphans()
    record = ProcessRecord(places.processes)
    if leftovers := record.end_all():
        reporter.say(f"ended what a killed supervisor had left behind: {', '.join(leftovers)}")
    require_free(stack.service_ports(), listening_host(stack.environ))
    drain_s = stack.settings().drain_s
    supervisor = Supervisor(stack.services, stack.database, record, reporter.say, drain_s=drain_s)

    def ready() -> None:
        write_stack_env(places.stack_env, stack.published())
        reporter.say("all services answer")
        reporter.tell(READY)
        reporter.farewell()

    asyncio.run(_until_signalled(supervisor, ready))


async def _until_signalled(supervisor: Supervisor, ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    await supervisor.run(ready)
