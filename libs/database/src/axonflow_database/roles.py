"""The three roles that services act as, made by the migrator (rulings §6).

Roles belong to the cluster and not to a database, so migrators of several databases may make them at the same moment,
where no advisory lock keeps them apart; losing that race is no error.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

APP = "axonflow_app"
AUDIT_WRITER = "axonflow_audit_writer"
PLATFORM = "axonflow_platform"
ROLES = (APP, AUDIT_WRITER, PLATFORM)

# Owns rows that ship with the product; no organisation can have this id.
SYSTEM_ORG = "@system"

_ATTEMPTS = 5
_SET_OPTION_SINCE = 160_000

_CREATE_ROLE = "CREATE ROLE {} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS"
_ROLE_FACTS = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s"
_MAY_SET_ROLE = "SELECT pg_has_role(current_user, %s, %s)"

_LOST_RACES = (
    psycopg.errors.DuplicateObject,
    psycopg.errors.UniqueViolation,
    psycopg.errors.InternalError_,  # "tuple concurrently updated"
)


class UnsafeRole(Exception):
    """A role of ours exists with rights that would defeat row security; the text names it."""


def make_roles(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Make the roles that are missing, and let the current user act as each.

    Args:
        connection: in autocommit mode, as a superuser or a user with CREATEROLE.

    Raises:
        UnsafeRole: a role is a superuser or bypasses row security.
        psycopg.Error: the user may not make roles, or the server went away.
    """
    for role in ROLES:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                _make_role(connection, role)
                _admit_owner(connection, role)
            except _LOST_RACES:
                if attempt == _ATTEMPTS:
                    raise
            else:
                break


def _make_role(connection: psycopg.Connection[tuple[object, ...]], role: str) -> None:
    facts = connection.execute(_ROLE_FACTS, (role,)).fetchone()
    if facts is None:
        connection.execute(sql.SQL(_CREATE_ROLE).format(sql.Identifier(role)))
    elif facts[0]:
        raise UnsafeRole(
            f"role {role} is a superuser or bypasses row security, which would open every organisation's rows: "
            f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS"
        )


def _admit_owner(connection: psycopg.Connection[tuple[object, ...]], role: str) -> None:
    has_set_option = connection.info.server_version >= _SET_OPTION_SINCE
    may = connection.execute(_MAY_SET_ROLE, (role, "SET" if has_set_option else "MEMBER")).fetchone()
    if may is not None and may[0]:
        return
    grant = "GRANT {} TO CURRENT_USER" + (" WITH INHERIT FALSE, SET TRUE" if has_set_option else "")
    connection.execute(sql.SQL(grant).format(sql.Identifier(role)))
