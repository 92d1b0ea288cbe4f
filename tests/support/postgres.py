"""PostgreSQL for tests: a server per pytest worker, a template migrated once, a fresh database a test.

``AXONFLOW_TEST_POSTGRES=15`` takes Debian's PostgreSQL 15 in place of the embedded 18.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
from axonflow_native.postgres import SYSTEM_STATE, EmbeddedPostgres, PostgresError, StopMode
from axonflow_settings import ServiceSettings, load
from psycopg import sql

if TYPE_CHECKING:
    from axonflow_policy import PolicySet

VERSION_VARIABLE = "AXONFLOW_TEST_POSTGRES"
EMBEDDED_VERSION = "18"
TEMPLATE = "axonflow_template"
PREFIX = "test-"


def service_settings(url: str, **environ: str) -> ServiceSettings:
    """Settings of a service on the database at ``url``; keywords are further environment variables."""
    return load(ServiceSettings, {"DATABASE_URL": url, **environ})


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server that tests own, with a template database to copy from."""

    postgres: EmbeddedPostgres

    def url(self, database: str) -> str:
        return self.postgres.url(database)

    def start(self) -> None:
        self.postgres.start()

    def stop(self, mode: StopMode = "fast") -> None:
        self.postgres.stop(mode)

    def kill(self) -> None:
        """SIGKILL to the postmaster and its children, as when memory runs out."""
        family = self._processes()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = psutil.wait_procs(family, timeout=10)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
        # the dead postmaster may stay a zombie where nobody reaps, and look alive to the next one
        (self.postgres.data_dir / "postmaster.pid").unlink()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """A server that takes connections, as the kernel does for it, and never answers."""
        self._processes()[0].suspend()  # first, so that it makes no more children
        family = self._processes()
        try:
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.suspend()
            yield
        finally:
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def _processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(int((self.postgres.data_dir / "postmaster.pid").read_text().splitlines()[0]))
        return [postmaster, *postmaster.children(recursive=True)]

    def execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    @contextlib.contextmanager
    def database(self, template: str | None = TEMPLATE) -> Iterator[str]:
        """The owner's URL of a fresh database, dropped afterwards; ``template=None`` gives an empty one."""
        name = f"t_{uuid.uuid4().hex}"
        created, source = sql.Identifier(name), sql.Identifier(template or "template0")
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(created, source))
        try:
            yield self.url(name)
        finally:
            self.postgres.start()
            self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(created))

    def make_template(self, compiled: PolicySet | None = None) -> None:
        """Migrate the template once and put the compiled catalogue in it; a database made from it needs neither."""
        from axonflow_database import migrate

        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        settings = service_settings(self.url(TEMPLATE))
        migrate(settings)
        asyncio.run(_leave_catalogue(settings, compiled))


async def _leave_catalogue(settings: ServiceSettings, compiled: PolicySet | None) -> None:
    """Leave the system policies and their compiled database behind, as an agent's first start does."""
    from axonflow_contracts.posture import Posture
    from axonflow_database import Database
    from axonflow_governance import PolicySource, store

    database = await Database.open(settings)
    if compiled is not None and (dump := compiled.dump()):
        async with database.platform() as connection:
            await store.keep_dump(connection, compiled.dump_key, dump)
    source = PolicySource(database, Posture())
    await source.start()
    await source.close()
    await database.close()


@contextlib.contextmanager
def running_server(*, fsync: bool = False) -> Iterator[Server]:
    """A server of the version that the run asks for, gone without a trace afterwards.

    ``fsync`` makes every commit wait for the disk, as in production.
    """
    binaries = _binaries(os.environ.get(VERSION_VARIABLE, EMBEDDED_VERSION))
    state = _state_dir()
    try:
        yield Server(_started(state, binaries, fsync=fsync))
    finally:
        _remove(state)


def _binaries(version: str) -> Path | None:
    if version == EMBEDDED_VERSION:
        return None
    binaries = Path(f"/usr/lib/postgresql/{version}/bin")
    if not (binaries / "initdb").exists():
        pytest.skip(
            f"{VERSION_VARIABLE}={version}, but {binaries} is missing: `apt-get install postgresql-{version}` as root"
        )
    return binaries


def _started(state: Path, binaries: Path | None, *, fsync: bool) -> EmbeddedPostgres:
    for attempt in range(5):
        postgres = EmbeddedPostgres(state / "data", _free_port(), state / "password", fsync=fsync, binaries=binaries)
        try:
            postgres.start()
        except PostgresError:
            if attempt == 4:  # each try has another port; the last failure is no race for one
                raise
        else:
            return postgres
    raise AssertionError


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _state_dir() -> Path:
    # As root the data belongs to another account, which may not enter pytest's own temporary directories.
    base = SYSTEM_STATE if os.geteuid() == 0 else Path(tempfile.gettempdir()) / f"axonflow-{os.geteuid()}"
    base.mkdir(parents=True, exist_ok=True)
    for left in base.glob(f"{PREFIX}*"):
        if not psutil.pid_exists(int(left.name.removeprefix(PREFIX).split("-")[0])):
            _remove(left)  # of a run that was killed
    state = base / f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}"
    state.mkdir(mode=0o755)
    return state


def _remove(state: Path) -> None:
    pid_file = state / "data" / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
        postmaster = psutil.Process(int(pid_file.read_text().splitlines()[0]))
        if postmaster.name() == "postgres":
            postmaster.send_signal(3)  # SIGQUIT: immediate shutdown, nothing here is kept
            postmaster.wait(timeout=10)
    shutil.rmtree(state, ignore_errors=True)
