"""Finds out what of the native form runs in a checkout, and ends it.

A supervisor is running exactly while its lock is held; a process id alone proves nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time

from axonflow_native.places import Places
from axonflow_native.refusal import CannotStart

POLL_S = 0.1
END_LIMIT_S = 180.0  # three drains in a row at their default, and the database


def supervisor_runs(places: Places) -> bool:
    """Whether a supervisor holds the checkout's lock."""
    try:
        with places.lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    except PermissionError as error:
        raise CannotStart(f"{places.lock} belongs to another user: run as the user who started the product.") from error
    return False


def supervisor_pid(places: Places) -> int | None:
    """The process id that the supervisor wrote down."""
    try:
        return int(places.pid.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def end_supervisor(places: Places, limit_s: float = END_LIMIT_S) -> bool:
    """Tell the supervisor to end and wait for it; False when none runs.

    Raises:
        CannotStart: it is still there after ``limit_s``, or it belongs to another user.
    """
    if not supervisor_runs(places):
        return False
    if (pid := supervisor_pid(places)) is not None:
        try:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        except PermissionError as error:
            raise CannotStart(f"Process {pid} belongs to another user: stop it as that user.") from error
    deadline = time.monotonic() + limit_s
    while supervisor_runs(places):
        if time.monotonic() > deadline:
            raise CannotStart(f"The supervisor (process {pid}) did not end within {limit_s:g} s; its log: make logs")
        time.sleep(POLL_S)
    return True
