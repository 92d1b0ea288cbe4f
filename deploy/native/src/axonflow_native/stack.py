"""What the native form consists of on this machine: the database, the three services, and the environment of each."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from axonflow_settings import ServiceSettings, SettingsError, load

from axonflow_native.keeper import Service
from axonflow_native.places import Places
from axonflow_native.ports import Ports, listening_host, read_ports, service_urls
from axonflow_native.postgres import EmbeddedPostgres, PostgresError, embedded_binaries
from axonflow_native.processes import reap
from axonflow_native.refusal import CannotStart

DATABASE = "axonflow"
ENDING_ORDER = ("agent", "orchestrator", "portal")


@dataclasses.dataclass(frozen=True, slots=True)
class Stack:
    """A resolved native stack.

    Attributes:
        places: where the checkout keeps things.
        ports: one per process.
        database: the embedded PostgreSQL, None when the caller's environment names one.
        environ: the caller's environment.
    """

    places: Places
    ports: Ports
    database: StackDatabase | None
    environ: Mapping[str, str]

    @classmethod
    def read(cls, checkout: Path, environ: Mapping[str, str]) -> Stack:
        """The stack that ``environ`` asks for.

        Raises:
            CannotStart: a port is invalid.
        """
        places, ports = Places.of(checkout), read_ports(environ)
        server = EmbeddedPostgres(places.state / "postgres", ports.postgres, places.state / "postgres.password")
        outside = environ.get("DATABASE_URL", "").strip() or environ.get("DATABASE_HOST", "").strip()
        embedded = not outside or _is_ours(outside, server)
        return cls(places, ports, StackDatabase(server) if embedded else None, environ)

    def service_ports(self) -> dict[str, int]:
        """The services' ports by name; PostgreSQL's is looked after by its starter."""
        return {name: getattr(self.ports, name) for name in ENDING_ORDER}

    def environment(self) -> dict[str, str]:
        """What all services get: the caller's environment with this stack's addresses."""
        shared = {
            **self.environ,
            **service_urls(self.environ, self.ports),
            "HOST": listening_host(self.environ),
            "PYTHONUNBUFFERED": "1",
        }
        shared.setdefault("AUDIT_FALLBACK_PATH", str(self.places.state / "audit" / "audit_fallback.jsonl"))
        if self.database is not None:
            shared["DATABASE_URL"] = self.database.url()
        return shared

    def settings(self) -> ServiceSettings:
        """What the services have in common.

        Raises:
            CannotStart: the environment cannot be used; every fault is named.
        """
        try:
            return load(ServiceSettings, self.environment())
        except SettingsError as error:
            raise CannotStart("\n".join(fault.rstrip(".") + "." for fault in error.faults)) from error

    def services(self) -> tuple[Service, ...]:
        """The three services, in the order in which they are ended."""
        shared, urls = self.environment(), service_urls(self.environ, self.ports)
        return tuple(
            Service(
                name=name,
                # -P: the working directory must not be able to shadow a module.
                command=(sys.executable, "-P", "-m", f"axonflow_{name}"),
                environment={**shared, "PORT": str(port)},
                health_url=urls[f"{name.upper()}_URL"] + "/health",
                log_file=self.places.logs / f"{name}.log",
                working_dir=self.places.state,
            )
            for name, port in self.service_ports().items()
        )

    def published(self) -> dict[str, str]:
        """What ``.run/stack.env`` says."""
        return {
            "FORM": "native",
            **service_urls(self.environ, self.ports),
            "DATABASE_URL": self.settings().owner_dsn.reveal(),
            "AUDIT_FALLBACK_PATH": self.environment()["AUDIT_FALLBACK_PATH"],
        }


@dataclasses.dataclass(frozen=True, slots=True)
class StackDatabase:
    """The embedded PostgreSQL with this product's database in it."""

    server: EmbeddedPostgres

    def start(self) -> None:
        """Start the server and make the database if there is none.

        Raises:
            CannotStart: PostgreSQL refuses; holds its reason.
        """
        try:
            self.server.start()
        except PostgresError as error:
            raise CannotStart(f"{error}.") from error
        host, port = "127.0.0.1", str(self.server.port)
        password = urlsplit(self.server.url()).password or ""
        user = urlsplit(self.server.url()).username or ""
        done = subprocess.run(
            [str(embedded_binaries() / "createdb"), "-h", host, "-p", port, "-U", user, DATABASE],
            env={"PGPASSWORD": password, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and "already exists" not in done.stderr:
            raise CannotStart(f"The database {DATABASE} could not be made: {done.stderr.strip()}")

    def stop(self) -> None:
        """Stop the server, data kept."""
        self.server.stop()

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            postmaster = (self.server.data_dir / "postmaster.pid").read_text(encoding="utf-8")
            reap(int(postmaster.splitlines()[0]))
        return self.server.running

    def url(self) -> str:
        """The owner's connection string; a placeholder until the first start has made the password."""
        if not self.server.password_file.exists():
            return f"postgresql://axonflow@127.0.0.1:{self.server.port}/{DATABASE}"
        return self.server.url(DATABASE)


def _is_ours(url: str, server: EmbeddedPostgres) -> bool:
    # A shell that has read .run/stack.env hands our own address back; it must not count as an outside database.
    if not server.password_file.exists() or "://" not in url:
        return False
    return urlsplit(url).password == urlsplit(server.url()).password
