"""Where a checkout keeps things: ``.run`` inside it for what runs now, a state directory outside it for what must last.

Standard library only, since ``deploy/up.py`` reads it before anything is installed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path

from axonflow_native.postgres import default_state_dir
from axonflow_native.refusal import CannotStart


@dataclasses.dataclass(frozen=True, slots=True)
class Places:
    """The paths of one checkout.

    Attributes:
        checkout: the repository's root, resolved.
        state: data that ``make down`` and ``make clean`` keep: the database, its password, audit fallback files.
    """

    checkout: Path
    state: Path

    @classmethod
    def of(cls, checkout: Path) -> Places:
        """The places of ``checkout``; two checkouts never share one, whatever they are called."""
        checkout = checkout.resolve()
        return cls(checkout, default_state_dir(checkout_key(checkout)))

    @property
    def run(self) -> Path:
        """What is running now, mode 0700."""
        return self.checkout / ".run"

    @property
    def logs(self) -> Path:
        """One file per service and one of the supervisor."""
        return self.run / "logs"

    @property
    def stack_env(self) -> Path:
        """URLs and secrets of the running stack, mode 0600; present only while it runs."""
        return self.run / "stack.env"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.run / "supervisor.lock"

    @property
    def pid(self) -> Path:
        """The supervisor's process id."""
        return self.run / "supervisor.pid"

    @property
    def processes(self) -> Path:
        """The services' process ids, so that a killed supervisor's services can be found."""
        return self.run / "processes.json"

    def make_run(self) -> None:
        """Make ``.run`` and its ``logs``.

        Raises:
            CannotStart: they belong to another user.
        """
        try:
            self.run.mkdir(mode=0o700, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            self.lock.touch(mode=0o600)
        except OSError as error:
            raise CannotStart(
                f"{error.filename} cannot be written ({error.strerror}): run as the user who owns this checkout"
            ) from error

    def make_state(self) -> None:
        """Make the state directory, each new one open for passing through, since PostgreSQL may run as ``nobody``.

        Raises:
            CannotStart: it cannot be made.
        """
        try:
            for folder in reversed([self.state, *self.state.parents]):
                if not folder.exists():
                    folder.mkdir(mode=0o755)
                    folder.chmod(0o755)  # whatever the umask
            (self.state / "audit").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise CannotStart(
                f"the state directory {self.state} cannot be made ({error.strerror}): set XDG_STATE_HOME to a folder "
                "that you can write"
            ) from error


def checkout_key(checkout: Path) -> str:
    """A readable name for a checkout that no other path has."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", checkout.name).strip("-.") or "axonflow"
    return f"{readable[:40]}-{hashlib.sha256(str(checkout).encode()).hexdigest()[:10]}"
