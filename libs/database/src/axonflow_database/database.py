"""Transactions as a low-privilege role: one pool for tenants' data, one for reads across organisations.

Connections log in as the owner unless the settings name logins of the roles, and give up its rights before their
first statement; every transaction sets its role and organisation again, so nothing that ran before it matters.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from axonflow_settings import ServiceSettings
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

from axonflow_database.errors import DatabaseUnavailable, driver_errors
from axonflow_database.listening import listen
from axonflow_database.login import Connection, Login
from axonflow_database.roles import APP, AUDIT_WRITER, PLATFORM, SYSTEM_ORG

ACQUIRE_WAIT_S = 3.0  # for a connection, and again for its first answer
OPEN_WAIT_S = 10.0
MAX_WAITING = 256  # callers in the queue of one pool; the next one is refused at once
RECONNECT_FOR_S = 5.0  # then a pool gives up until someone asks, which finds a returned server sooner than long waits

# One message and one answer; literals, since a message of two statements takes no parameters.
BEGIN_AS = "BEGIN; SELECT set_config('role', {}, true), set_config('app.current_org_id', {}, true)"
BEGIN = "BEGIN; SELECT set_config('app.current_org_id', {}, true)"


class _Connections(AsyncConnectionPool[Connection]):
    """psycopg's pool, whose tasks end when they are cancelled.

    Its own worker forgets a cancellation that falls while it connects, and a process that ends by an error, without
    closing the pool, would then wait for it for ever.
    """

    @classmethod
    async def worker(cls, q: Any) -> None:
        """Run the pool's chores until told to stop, or cancelled."""
        work = asyncio.create_task(super().worker(q))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            while not work.done():
                work.cancel()
                await asyncio.wait({work}, timeout=0.1)
            raise


@dataclasses.dataclass(frozen=True, slots=True)
class _Pool:
    """A pool and the role its transactions run as."""

    login: Login
    connections: _Connections

    @classmethod
    def of(cls, login: Login, size: int) -> _Pool:
        pool = _Connections(
            login.dsn.reveal(),
            kwargs=login.connect_options(),
            configure=login.give_up_rights,
            min_size=1,
            max_size=size,
            timeout=ACQUIRE_WAIT_S,
            max_waiting=MAX_WAITING,
            reconnect_timeout=RECONNECT_FOR_S,
            open=False,
            name=login.role,
        )
        return cls(login, pool)

    @contextlib.asynccontextmanager
    async def transaction(self, org_id: str) -> AsyncIterator[Connection]:
        """A transaction as the pool's role; committed at the end, rolled back by an exception."""
        with driver_errors():
            connection = await self._begun(org_id)
            try:
                yield connection
                _require_sound(connection)
                await connection.commit()
            except BaseException:
                with contextlib.suppress(psycopg.Error):
                    await connection.rollback()
                raise
            finally:
                await self.connections.putconn(connection)

    async def _begun(self, org_id: str) -> Connection:
        # A server that restarted leaves dead connections in the pool. Nothing has been done on one whose transaction
        # does not even begin, so the next is tried: at most as many as the pool can hold, and then a new one.
        tries_left = self.connections.max_size
        while True:
            connection = await self.connections.getconn()
            try:
                await self._begin(connection, org_id)
            except BaseException as error:
                dead = connection.closed and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
                await self.connections.putconn(connection)
                if not dead or tries_left == 0:
                    raise
                tries_left -= 1
            else:
                return connection

    async def _begin(self, connection: Connection, org_id: str) -> None:
        org = sql.Literal(org_id)
        begin = sql.SQL(BEGIN_AS).format(self.login.role, org) if self.login.sets_role else sql.SQL(BEGIN).format(org)
        try:
            async with asyncio.timeout(ACQUIRE_WAIT_S):
                await connection.execute(begin)
        except TimeoutError as error:
            raise psycopg.errors.QueryCanceled("the server did not begin a transaction in time") from error


def _require_sound(connection: Connection) -> None:
    # COMMIT after a failed statement that somebody caught is a silent ROLLBACK.
    if connection.info.transaction_status == TransactionStatus.INERROR:
        raise psycopg.errors.InFailedSqlTransaction("a statement failed, so this transaction cannot be committed")


@dataclasses.dataclass(frozen=True, slots=True)
class Database:
    """PostgreSQL as a service uses it after migrations.

    Every method raises ``DatabaseUnavailable`` when PostgreSQL does not answer within bounded waits; pools find a
    server that comes back by themselves. Other driver errors (a constraint, a missing right) reach the caller as they
    are.
    """

    _app: _Pool
    _platform: _Pool
    _audit: Login

    @classmethod
    async def open(cls, settings: ServiceSettings) -> Database:
        """Open the pools and prove that neither they nor the audit writer run as a superuser.

        Raises:
            DatabaseUnavailable: PostgreSQL cannot be reached.
            UnsafeLogin: a login can do more than row security allows.
        """
        owner = settings.owner_dsn
        database = cls(
            _Pool.of(Login.of(APP, settings.app_role_url, owner), settings.pool_size),
            _Pool.of(Login.of(PLATFORM, settings.platform_role_url, owner), settings.pool_size),
            Login.of(AUDIT_WRITER, None, owner),
        )
        for login in (database._app.login, database._platform.login, database._audit):
            await (await login.connect()).close()
        with driver_errors():
            for pool in (database._app, database._platform):
                await pool.connections.open(wait=True, timeout=OPEN_WAIT_S)
        return database

    async def close(self) -> None:
        """Close the pools; transactions under way lose their connections when they end."""
        for pool in (self._app, self._platform):
            await pool.connections.close()

    @contextlib.asynccontextmanager
    async def tenant(self, org_id: str) -> AsyncIterator[Connection]:
        """A transaction that sees the rows of one organisation, and the product's own policies.

        Raises:
            ValueError: ``org_id`` is empty or the reserved id.
        """
        if not org_id or org_id == SYSTEM_ORG or "\0" in org_id:
            raise ValueError("a tenant transaction needs the id of an organisation")
        async with self._app.transaction(org_id) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def platform(self) -> AsyncIterator[Connection]:
        """A transaction that reads across organisations and writes what belongs to none."""
        async with self._platform.transaction("") as connection:
            yield connection

    async def audit_connection(self) -> Connection:
        """A connection of its own that may only add audit rows; autocommit, and the caller closes it."""
        return await self._audit.connect()

    def listen(self, channel: str) -> AsyncIterator[str]:
        """Payloads sent to ``channel``, for ever.

        An empty payload comes first and after each reconnect: something may have been missed, so look. While
        PostgreSQL is away nothing comes and nothing is raised.
        """
        return listen(self._platform.login, channel)

    async def answers(self) -> bool:
        """Whether PostgreSQL answers now, within the bounded wait."""
        try:
            async with self.platform():
                return True
        except DatabaseUnavailable:
            return False
