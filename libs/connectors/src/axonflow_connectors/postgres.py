"""PostgreSQL: reads in a READ ONLY transaction through a server-side cursor, writes one statement at a time."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from axonflow_connectors.dialling import dial_target, tls_context, unreachable
from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.gathering import Gathering, within
from axonflow_connectors.protocol import Call, Capability, Connector, Limits, Rows, Written
from axonflow_connectors.spares import Spares
from axonflow_connectors.specification import Configuration, ConnectorSpec, Endpoint, Field, Surroundings
from axonflow_connectors.sql_parameters import for_postgres, require_read

Connection = psycopg.AsyncConnection[dict[str, Any]]

CONNECT_TIMEOUT_S = 10
_CURSOR = "axonflow_rows"
_VERIFIED = {"verify-ca", "verify-full"}

SET_TIMEOUT = "SELECT set_config('statement_timeout', %s, true)"
SHOW_VERSION = "SHOW server_version"
FORGET = "DISCARD ALL"


class Postgres(Connector):
    """One database under one login; what the login may do is the outermost limit."""

    capabilities = frozenset({Capability.QUERY, Capability.EXECUTE})

    def __init__(self, configuration: Configuration, surroundings: Surroundings) -> None:
        self._given = configuration
        self._outbound = surroundings.outbound
        self._spares: Spares[Connection] = Spares(self._dial, _clean, _drop)

    async def test(self) -> Mapping[str, str]:
        """The server's version."""
        async with within(CONNECT_TIMEOUT_S), _faults(), self._spares.take() as connection:
            cursor = await connection.execute(SHOW_VERSION)
            row = await cursor.fetchone() or {}
            return {"server": f"PostgreSQL {row.get('server_version', '')}".strip()}

    async def query(self, call: Call) -> Rows:
        """One statement that a cursor can be declared for (SELECT, VALUES, TABLE, WITH); undone in any case."""
        require_read(call.statement, ("SELECT", "WITH", "VALUES", "TABLE"))
        statement, parameters = for_postgres(call.statement, call.parameters)
        gathering = Gathering(call.limits)
        async with within(call.limits.timeout_s), _faults(), self._spares.take() as connection:
            await connection.set_read_only(True)
            # rolled back, since a function may change settings of the session even in a read
            async with connection.transaction(force_rollback=True):
                await _limit_time(connection, call.limits)
                async with psycopg.AsyncRawServerCursor(connection, _CURSOR, row_factory=dict_row) as cursor:
                    # sent by the extended protocol, which takes one statement alone
                    await cursor.execute(_text(statement), parameters)
                    await _gather(cursor, gathering)
        return gathering.finish()

    async def execute(self, call: Call) -> Written:
        """One statement in a transaction of its own; rows of a RETURNING come back within the limits."""
        statement, parameters = for_postgres(call.statement, call.parameters)
        gathering = Gathering(call.limits)
        async with within(call.limits.timeout_s), _faults(), self._spares.take() as connection:
            await connection.set_read_only(False)
            async with connection.transaction():
                await _limit_time(connection, call.limits)
                cursor = psycopg.AsyncRawCursor(connection, row_factory=dict_row)
                async with connection.pipeline():  # the extended protocol again: one statement alone
                    await cursor.execute(_text(statement), parameters)
                if cursor.description is not None:
                    async for row in cursor:
                        if not gathering.add(row):
                            break
            return Written(rows_affected=cursor.rowcount, answer=gathering.finish())

    async def close(self) -> None:
        """Close the idle connections."""
        await self._spares.close()

    async def _dial(self) -> Connection:
        given = self._given
        target = await dial_target(self._outbound, given.text("host"), given.number("port"))
        with _authority(given.text("ca_certificate"), given.text("sslmode")) as root:
            return await psycopg.AsyncConnection.connect(
                host=target.host,  # the name that the certificate is checked for
                hostaddr=target.address,
                port=target.port,
                dbname=given.text("database"),
                user=given.text("username"),
                password=given.secret("password"),
                sslmode=given.text("sslmode"),
                sslrootcert=root,
                connect_timeout=CONNECT_TIMEOUT_S,
                gssencmode="disable",
                application_name="axonflow",
                prepare_threshold=None,
                autocommit=True,
                row_factory=dict_row,
            )


async def _gather(cursor: psycopg.AsyncRawServerCursor[dict[str, Any]], gathering: Gathering) -> None:
    while batch := await cursor.fetchmany(gathering.next_batch):
        if not gathering.add_all(batch):
            return


async def _limit_time(connection: Connection, limits: Limits) -> None:
    await connection.execute(SET_TIMEOUT, (str(max(1, int(limits.timeout_s * 1000))),))


def _text(statement: str) -> sql.SQL:
    # The caller's statement is what this connector is for; it was judged before, and values are bound apart from it.
    return sql.SQL(statement)


async def _clean(connection: Connection) -> bool:
    """Leave nothing of one caller's session to the next; False when the server has gone."""
    try:
        await connection.set_read_only(None)
        await connection.execute(FORGET)
    except psycopg.Error:
        return False
    return True


async def _drop(connection: Connection) -> None:
    await connection.close()


@contextlib.contextmanager
def _authority(certificate: str, sslmode: str) -> Iterator[str]:
    """A path that libpq can read the authority from; ``system`` where none is given."""
    if not certificate:
        yield "system" if sslmode == "verify-full" else ""
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate)
        file.flush()
        yield file.name


@contextlib.asynccontextmanager
async def _faults() -> AsyncIterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise _fault(error) from error
    except ValueError as error:  # a lone surrogate
        raise ConnectorFault(FaultKind.REQUEST, "The statement or a parameter cannot be sent") from error


def _fault(error: psycopg.Error) -> ConnectorFault:
    state = error.sqlstate or ""
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return ConnectorFault(FaultKind.READ_ONLY, "This is a read: the database refused to change anything")
    if isinstance(error, psycopg.errors.QueryCanceled):
        return ConnectorFault(FaultKind.TIMEOUT, "The database ended the statement at its time limit")
    if state.startswith("28") or (not state and "authentication failed" in str(error)):
        return ConnectorFault(FaultKind.CREDENTIALS, "The database did not accept the username or password")
    if state[:2] in {"", "08", "57"} and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return unreachable(error)
    return ConnectorFault(
        FaultKind.FAILED, f"The database refused the statement: {type(error).__name__} ({state or 'no SQLSTATE'})"
    )


def _verify(configuration: Configuration, _surroundings: Surroundings) -> None:
    if configuration.text("ca_certificate"):
        tls_context(configuration.text("ca_certificate"), verify=True)
        if configuration.text("sslmode") not in _VERIFIED:
            raise ConnectorFault(
                FaultKind.CONFIGURATION, "options.ca_certificate is used with sslmode verify-ca or verify-full only"
            )
    elif configuration.text("sslmode") == "verify-ca":
        raise ConnectorFault(FaultKind.CONFIGURATION, "options.ca_certificate is required with sslmode verify-ca")


async def _open(configuration: Configuration, surroundings: Surroundings) -> Connector:
    return Postgres(configuration, surroundings)


SPEC = ConnectorSpec(
    type="postgres",
    title="PostgreSQL",
    description="Reads in read-only transactions, writes one statement at a time; parameters as $1 or :name.",
    category="database",
    tags=("sql",),
    fields=(
        Field(name="host", help="Name or address of the server.", required=True),
        Field(name="port", help="Port.", kind="integer", default=5432, low=1, high=65535),
        Field(name="database", help="Database.", required=True),
        Field(name="username", help="Login; give it no more rights than callers may use.", required=True),
        Field(name="password", help="Its password.", kind="secret", required=True),
        Field(
            name="sslmode",
            help="TLS, in libpq's words; verify-full checks the certificate and the name in it.",
            kind="choice",
            choices=("disable", "prefer", "require", "verify-ca", "verify-full"),
            default="prefer",
        ),
        Field(name="ca_certificate", help="Authority to verify the server by, in PEM.", multiline=True),
    ),
    capabilities=Postgres.capabilities,
    open=_open,
    endpoints=lambda given: (Endpoint(host=given.text("host"), port=given.number("port")),),
    verify=_verify,
)
