"""A copy of this checkout that a test may bring up: own folder, state and ports, run with ``make`` as people do."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from axonflow_native.places import checkout_key
from axonflow_native.postgres import SYSTEM_STATE
from axonflow_native.stack_env import read_stack_env

from support.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("AGENT_PORT", "ORCHESTRATOR_PORT", "PORTAL_PORT", "POSTGRES_PORT")
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "NO_PROXY")
MAKE_TIMEOUT_S = 600


@dataclasses.dataclass(frozen=True)
class Checkout:
    """A checkout on ports of its own.

    Attributes:
        path: its root.
        ports: one per variable of ``PORTS``.
        environ: further variables of everything run in it.
        account: runs as this account; None is whoever runs the tests.
    """

    path: Path
    ports: Mapping[str, str] = dataclasses.field(default_factory=lambda: {name: str(free_port()) for name in PORTS})
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict)
    account: pwd.struct_passwd | None = None

    def make(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """``make`` with this checkout's ports; native unless told otherwise."""
        inherited = {name: os.environ[name] for name in os.environ if name in KEPT or name.startswith("PIP_")}
        who = self.account
        identity = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            ["make", *arguments],
            cwd=self.path,
            env={**inherited, "FORM": "native", **self.ports, **self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=MAKE_TIMEOUT_S,
            **identity,  # type: ignore[call-overload]  # the stubs cannot follow keywords that are sometimes absent
        )
        return done

    @property
    def stack_env(self) -> dict[str, str]:
        """What the running stack says about itself."""
        return read_stack_env(self.path / ".run" / "stack.env")

    def url(self, service: str) -> str:
        """Address of agent, orchestrator or portal."""
        return f"http://127.0.0.1:{self.ports[f'{service.upper()}_PORT']}"


def clone(target: Path) -> None:
    """What the repository holds and the work tree adds, without what was built in it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source = ROOT / name
        if source.is_file():  # a file deleted in the work tree is still listed
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


@contextlib.contextmanager
def temporary_checkout(python: str, ports: Mapping[str, str] | None = None) -> Iterator[Checkout]:
    """A clean checkout below a folder that every account can enter; its state is removed afterwards.

    Args:
        python: what ``.venv`` is made with.
        ports: none for the defaults; unless given, free ones.
    """
    folder = Path("/var/tmp") / f"axonflow-e2e-{os.getpid()}-{free_port()}"  # noqa: S108 - made here, mode 0755
    path = folder / "checkout"
    path.mkdir(parents=True)
    folder.chmod(0o755)
    clone(path)
    checkout = Checkout(path, environ={"PYTHON": python})
    if ports is not None:
        checkout = dataclasses.replace(checkout, ports=ports)
    try:
        yield checkout
    finally:
        checkout.make("down")
        shutil.rmtree(folder, ignore_errors=True)
        if os.geteuid() == 0:
            shutil.rmtree(SYSTEM_STATE / checkout_key(path.resolve()), ignore_errors=True)
