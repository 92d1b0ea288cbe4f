"""Transactions as a low-privilege role: one pool for tenants' data, one for reads across organisations.

Connections log in as the owner unless the settings name logins of the roles, and give up its rights before their
first statement; every transaction sets its role and organisation again, so nothing that ran before it matters.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator

from axonflow_settings import ServiceSettings

from axonflow_database.errors import DatabaseUnavailable
from axonflow_database.listening import listen
from axonflow_database.login import Connection, Login
from axonflow_database.pool import RolePool
from axonflow_database.roles import APP, AUDIT_WRITER, PLATFORM, SYSTEM_ORG


@dataclasses.dataclass(frozen=True, slots=True)
class Database:
    """PostgreSQL as a service uses it after migrations.

    Every method raises ``DatabaseUnavailable`` when PostgreSQL does not answer within bounded waits; pools find a
    server that comes back by themselves. Other driver errors (a constraint, a missing right) reach the caller as they
    are.
    """

    _app: RolePool
    _platform: RolePool
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
            RolePool.of(Login.of(APP, settings.app_role_url, owner), settings.pool_size),
            RolePool.of(Login.of(PLATFORM, settings.platform_role_url, owner), settings.pool_size),
            Login.of(AUDIT_WRITER, None, owner),
        )
        for login in (database._app.login, database._platform.login, database._audit):
            await (await login.connect()).close()
        for pool in (database._app, database._platform):
            await pool.open()
        return database

    async def close(self) -> None:
        """Close the pools; transactions under way lose their connections when they end."""
        for pool in (self._app, self._platform):
            await pool.close()

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
