"""MySQL and MariaDB: reads in a READ ONLY transaction, streamed row by row; one connection a call, in a thread.

The driver has no way to reset a session, and a session's state must not pass from one caller to the next.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Mapping
from typing import Any

import pymysql
from axonflow_outbound import Dialable
from pymysql.constants import CLIENT
from pymysql.cursors import SSDictCursor

from axonflow_connectors.dialling import dial_target, tls_context, unreachable
from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.gathering import Gathering, within
from axonflow_connectors.protocol import Call, Capability, Connector, Rows, Written
from axonflow_connectors.specification import Configuration, ConnectorSpec, Endpoint, Field, Surroundings
from axonflow_connectors.sql_parameters import for_mysql, require_read
from axonflow_connectors.threads import Threads

CONNECT_TIMEOUT_S = 10.0
BEGIN_READ = "START TRANSACTION READ ONLY"
BEGIN_WRITE = "START TRANSACTION READ WRITE"
SELECT_VERSION = "SELECT VERSION() AS version"
# Known to the reader of parameters (sql_parameters), whatever the server's own mode is.
SQL_MODE = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"

_FILES = re.compile(r"\b(?:OUTFILE|DUMPFILE|LOAD_FILE)\b", re.IGNORECASE)
_CONDITIONAL = re.compile(r"/\*M?!")
_ACCESS_DENIED = {1044, 1045, 1698}
_GARBLED = (struct.error, IndexError, AttributeError, AssertionError, UnicodeDecodeError)
_READ_ONLY = 1792
_OUT_OF_TIME = {1969, 3024}  # MariaDB's and MySQL's


class Mysql(Connector):
    """One database under one login; what the login may do is the outermost limit."""

    capabilities = frozenset({Capability.QUERY, Capability.EXECUTE})

    def __init__(self, configuration: Configuration, surroundings: Surroundings) -> None:
        self._given = configuration
        self._outbound = surroundings.outbound
        self._threads = Threads()

    async def test(self) -> Mapping[str, str]:
        """The server's version."""
        rows = await self.query(Call(statement=SELECT_VERSION))
        return {"server": str(rows.rows[0]["version"]) if rows.rows else ""}

    async def query(self, call: Call) -> Rows:
        """One SELECT, SHOW, DESCRIBE or EXPLAIN; undone in any case."""
        require_read(call.statement, ("SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN"))
        return (await self._call(call, BEGIN_READ)).answer

    async def execute(self, call: Call) -> Written:
        """One statement, committed."""
        return await self._call(call, BEGIN_WRITE)

    async def close(self) -> None:
        """Let the threads go; no connection is held between calls."""
        self._threads.close()

    async def _call(self, call: Call, begin: str) -> Written:
        if _CONDITIONAL.search(call.statement) or _FILES.search(call.statement):
            raise ConnectorFault(
                FaultKind.REQUEST, "Conditional comments and files of the server may not be named in a statement"
            )
        statement, values = for_mysql(call.statement, call.parameters)
        target = await dial_target(self._outbound, self._given.text("host"), self._given.number("port"))
        work = _Work(self._given, target, call.limits.timeout_s)
        async with within(call.limits.timeout_s):
            try:
                return await self._threads.run(work.run, begin, statement, values, Gathering(call.limits))
            except asyncio.CancelledError:
                work.abandon()
                raise


class _Work:
    """One call in its thread; ``abandon`` makes it end from outside."""

    def __init__(self, given: Configuration, target: Dialable, timeout_s: float) -> None:
        self._given = given
        self._target = target
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._abandoned = False

    def abandon(self) -> None:
        """Shut the socket down, so that the driver's read ends; without one yet, nothing is asked any more."""
        self._abandoned = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself

    def run(self, begin: str, statement: str, values: list[Any], gathering: Gathering) -> Written:
        """Connect, begin, ask, read within the limits, commit or undo, close."""
        try:
            connection = self._connect()
        except pymysql.Error as error:
            raise _fault(error) from error
        except OSError as error:
            raise unreachable(error) from error
        except _GARBLED as error:
            raise ConnectorFault(FaultKind.FAILED, "The server does not speak the MySQL protocol") from error
        cursor = SSDictCursor(connection)
        try:
            return _answer(cursor, begin, statement, values, gathering)
        except pymysql.Error as error:
            raise _fault(error) from error
        except OSError as error:
            raise unreachable(error) from error
        except _GARBLED as error:
            raise ConnectorFault(FaultKind.FAILED, "The server does not speak the MySQL protocol") from error
        except (ValueError, TypeError) as error:
            raise ConnectorFault(FaultKind.REQUEST, "The statement or a parameter cannot be sent") from error
        finally:
            _let_go(connection, cursor)

    def _connect(self) -> Any:
        given, target = self._given, self._target
        connection = pymysql.Connection(
            host=target.host,  # the name that the certificate is checked for
            port=target.port,
            user=given.text("username"),
            password=given.secret("password"),
            database=given.text("database"),
            charset="utf8mb4",
            sql_mode=SQL_MODE,
            read_timeout=self._timeout_s,
            write_timeout=self._timeout_s,
            local_infile=False,
            autocommit=False,
            client_flag=CLIENT.FOUND_ROWS,
            ssl=_tls(given),
            defer_connect=True,
        )
        self._socket = socket.create_connection((target.address, target.port), CONNECT_TIMEOUT_S)
        if self._abandoned:  # its caller was told that the time is over: a write must not follow that
            self._socket.close()
            raise TimeoutError("the call was given up")
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect(self._socket)
        # a socket that is shut does not end a statement on the server
        if "MariaDB" in connection.get_server_info():
            connection.query(f"SET SESSION max_statement_time = {self._timeout_s:.3f}")
        else:
            connection.query(f"SET SESSION max_execution_time = {max(1, int(self._timeout_s * 1000))}")
        return connection


def _answer(cursor: Any, begin: str, statement: str, values: list[Any], gathering: Gathering) -> Written:
    connection = cursor.connection
    connection.query(begin)
    if values:
        cursor.execute(statement, values)
    else:
        cursor.execute(statement.replace("%%", "%"))  # the driver formats only where there are values
    whole = True
    while cursor.description and whole and (batch := cursor.fetchmany(gathering.next_batch)):
        whole = gathering.add_all(batch)
    affected = cursor.rowcount if not cursor.description else -1
    if begin == BEGIN_WRITE:
        cursor.close()  # reads what the limits left out, which stands between us and the commit
        connection.commit()
    return Written(rows_affected=affected, answer=gathering.finish())


def _let_go(connection: Any, cursor: Any) -> None:
    """Close without reading what is left of a cut answer, as the driver's own ways of closing would."""
    if (result := connection._result) is not None:  # noqa: SLF001 - see above
        result.unbuffered_active = False
    cursor.connection = None
    connection._force_close()  # noqa: SLF001 - see above


def _tls(given: Configuration) -> Any:
    mode = given.text("tls")
    return None if mode == "off" else tls_context(given.text("ca_certificate"), verify=mode == "verify")


def _fault(error: pymysql.Error) -> ConnectorFault:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code == _READ_ONLY:
        return ConnectorFault(FaultKind.READ_ONLY, "This is a read: the database refused to change anything")
    if code in _OUT_OF_TIME:
        return ConnectorFault(FaultKind.TIMEOUT, "The database ended the statement at its time limit")
    if code in _ACCESS_DENIED:
        return ConnectorFault(FaultKind.CREDENTIALS, "The database did not accept the username or password")
    if code >= 2000 and isinstance(error, pymysql.OperationalError | pymysql.InterfaceError):
        return unreachable(error)
    return ConnectorFault(FaultKind.FAILED, f"The database refused the statement: error {code}")


def _verify(configuration: Configuration, _surroundings: Surroundings) -> None:
    if configuration.text("ca_certificate"):
        tls_context(configuration.text("ca_certificate"), verify=True)


async def _open(configuration: Configuration, surroundings: Surroundings) -> Connector:
    return Mysql(configuration, surroundings)


SPEC = ConnectorSpec(
    type="mysql",
    title="MySQL / MariaDB",
    description="Reads in read-only transactions, writes one statement at a time; parameters as ? or :name.",
    category="database",
    tags=("sql", "mariadb"),
    fields=(
        Field(name="host", help="Name or address of the server.", required=True),
        Field(name="port", help="Port.", kind="integer", default=3306, low=1, high=65535),
        Field(name="database", help="Database.", required=True),
        Field(name="username", help="Login; give it no more rights than callers may use.", required=True),
        Field(name="password", help="Its password.", kind="secret", required=True),
        Field(
            name="tls",
            help="verify checks the certificate and the name in it; require encrypts only.",
            kind="choice",
            choices=("off", "require", "verify"),
            default="verify",
        ),
        Field(name="ca_certificate", help="Authority to verify the server by, in PEM.", multiline=True),
    ),
    capabilities=Mysql.capabilities,
    open=_open,
    endpoints=lambda given: (Endpoint(host=given.text("host"), port=given.number("port")),),
    verify=_verify,
)
