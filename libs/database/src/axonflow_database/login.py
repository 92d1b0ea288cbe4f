"""One way to log in, and the proof that what comes of it has no more rights than its role."""

from __future__ import annotations

import dataclasses
from typing import Any

import psycopg
from axonflow_settings import Secret
from psycopg import sql

from axonflow_database.errors import driver_errors

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

CONNECT_WAIT_S = 3

SET_ROLE = "SET ROLE {}"
SET_LIMITS = """
    SELECT set_config('statement_timeout', '10s', false),
           set_config('idle_in_transaction_session_timeout', '30s', false),
           set_config('search_path', 'public', false),
           set_config('timezone', 'UTC', false)
"""
WHO_AM_I = "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


class UnsafeLogin(Exception):
    """A connection would ignore row security; the text names the variable to mend."""


@dataclasses.dataclass(frozen=True, slots=True)
class Login:
    """A connection string and the role that its connections act as.

    Attributes:
        role: one of the roles that the migrator makes.
        dsn: the owner's, or that of a login made for the role.
        sets_role: whether the role is taken after logging in; a login made for the role inherits its rights.
    """

    role: str
    dsn: Secret
    sets_role: bool

    @classmethod
    def of(cls, role: str, own: Secret | None, owner: Secret) -> Login:
        """The role's ``own`` login if there is one, else the owner's that becomes the role."""
        return cls(role, own, sets_role=False) if own else cls(role, owner, sets_role=True)

    def connect_options(self) -> dict[str, Any]:
        """Keywords for ``connect``: short waits, and a dead network noticed within some 15 s."""
        return {
            "autocommit": True,
            "connect_timeout": CONNECT_WAIT_S,
            "application_name": self.role,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            "tcp_user_timeout": 15_000,
        }

    async def connect(self) -> Connection:
        """A new connection, with no more rights than the role.

        Raises:
            DatabaseUnavailable: PostgreSQL cannot be reached.
            UnsafeLogin: the login ignores row security.
        """
        with driver_errors():
            connection = await psycopg.AsyncConnection.connect(self.dsn.reveal(), **self.connect_options())
            try:
                await self.give_up_rights(connection)
            except BaseException:
                await connection.close()
                raise
        return connection

    async def give_up_rights(self, connection: Connection) -> None:
        """Take the role, set limits, and check what came of it; the first thing that a connection does.

        Raises:
            UnsafeLogin: the connection would still ignore row security.
        """
        if self.sets_role:
            await connection.execute(sql.SQL(SET_ROLE).format(sql.Identifier(self.role)))
        await connection.execute(SET_LIMITS)
        row = await (await connection.execute(WHO_AM_I)).fetchone()
        if row is None or row[1] or (self.sets_role and row[0] != self.role):
            raise UnsafeLogin(
                f"the login for {self.role} is a superuser or bypasses row security: name one that does not in "
                "AXONFLOW_DB_APP_ROLE_URL or AXONFLOW_DB_PLATFORM_ADMIN_URL"
            )
