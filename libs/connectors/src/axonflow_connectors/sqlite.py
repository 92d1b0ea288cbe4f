"""SQLite files of the operator's directory: reads on a read-only handle, an authorizer, and a clock that interrupts."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.gathering import Gathering, within
from axonflow_connectors.protocol import Call, Capability, Connector, Limits, Rows, Written
from axonflow_connectors.specification import Configuration, ConnectorSpec, Field, Surroundings
from axonflow_connectors.sql_parameters import checked_parameters, checked_statement
from axonflow_connectors.threads import Threads

BUSY_TIMEOUT_S = 5.0
GRACE_S = 1.0  # the thread ends by its own clock; the event loop's is only behind it
_STEPS_BETWEEN_LOOKS = 10_000
_LONGEST_STATEMENT = 1_000_000
_TEST = "SELECT sqlite_version() AS version, count(*) AS objects FROM sqlite_schema"

# Pragmas that only tell; all others are refused, those that write by the read-only handle too.
_TELLING = frozenset({"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list"})
_NEVER = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
_NO_FUNCTIONS = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})


class Sqlite(Connector):
    """One file; each call has a handle of its own in a thread of its own."""

    capabilities = frozenset({Capability.QUERY, Capability.EXECUTE})

    def __init__(self, path: Path, *, writable: bool) -> None:
        self._path = path
        self._writable = writable
        self._threads = Threads()

    async def test(self) -> Mapping[str, str]:
        """SQLite's version, after a look into the file."""
        answer = await self._call(Call(statement=_TEST), "ro")
        return {"server": f"SQLite {answer.answer.rows[0]['version']}"}

    async def query(self, call: Call) -> Rows:
        """One statement on a handle that cannot write."""
        return (await self._call(call, "ro")).answer

    async def execute(self, call: Call) -> Written:
        """One statement, committed; only where the configuration says ``writable``."""
        if not self._writable:
            raise ConnectorFault(FaultKind.READ_ONLY, "This connector is installed for reading only")
        return await self._call(call, "rw")

    async def close(self) -> None:
        """Let the threads go; no handle is held between calls."""
        self._threads.close()

    async def _call(self, call: Call, mode: str) -> Written:
        parameters = checked_parameters(call.parameters)
        if len(checked_statement(call.statement)) > _LONGEST_STATEMENT:
            raise ConnectorFault(FaultKind.REQUEST, "The statement is too long")
        async with within(call.limits.timeout_s + GRACE_S):
            return await self._threads.run(self._run, call.statement, parameters, call.limits, mode)

    def _run(self, statement: str, parameters: Any, limits: Limits, mode: str) -> Written:
        gathering = Gathering(limits)
        with _faults(), contextlib.closing(self._handle(limits, mode)) as handle:
            cursor = handle.execute(statement, parameters)  # one statement: sqlite3 refuses a second
            names = [column[0] for column in cursor.description or ()]
            whole = True
            while names and whole and (batch := cursor.fetchmany(gathering.next_batch)):
                whole = gathering.add_all(dict(zip(names, row, strict=True)) for row in batch)
            affected = cursor.rowcount
            cursor.close()
            handle.commit()
        return Written(rows_affected=affected, answer=gathering.finish())

    def _handle(self, limits: Limits, mode: str) -> sqlite3.Connection:
        handle = sqlite3.connect(f"{self._path.as_uri()}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT_S)
        end = time.monotonic() + limits.timeout_s
        if limits.max_bytes:
            handle.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(limits.max_bytes, _LONGEST_STATEMENT))
        handle.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        handle.execute("PRAGMA trusted_schema = OFF")
        handle.set_authorizer(_authorize)
        handle.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)
        return handle


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _by: str | None) -> int:
    if action in _NEVER:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in _TELLING:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _NO_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(error) from error
    except (ValueError, OverflowError, TypeError) as error:
        raise ConnectorFault(FaultKind.REQUEST, "The statement or a parameter cannot be sent") from error


def _fault(error: sqlite3.Error) -> ConnectorFault:  # noqa: PLR0911 - one line a meaning
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_INTERRUPT:
        return ConnectorFault(FaultKind.TIMEOUT, "The database ended the statement at its time limit")
    if code == sqlite3.SQLITE_READONLY:
        return ConnectorFault(FaultKind.READ_ONLY, "This is a read: the database refused to change anything")
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM}:
        return ConnectorFault(FaultKind.UNREACHABLE, "The file of this connector cannot be opened as a database")
    if code == sqlite3.SQLITE_TOOBIG:
        return ConnectorFault(FaultKind.TOO_LARGE, "A value is larger than the byte limit")
    if code == sqlite3.SQLITE_AUTH:
        return ConnectorFault(FaultKind.REQUEST, "ATTACH, PRAGMA and reading files are refused")
    if isinstance(error, sqlite3.ProgrammingError):
        return ConnectorFault(FaultKind.REQUEST, "The statement must be one, with the parameters that it names")
    name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
    return ConnectorFault(FaultKind.FAILED, f"The database refused the statement: {name}")


def _file(configuration: Configuration, surroundings: Surroundings) -> Path:
    """The file below the organisation's folder, links followed.

    Raises:
        ConnectorFault: no directory is set, or the path leads out of it.
    """
    if surroundings.sqlite_root is None:
        raise ConnectorFault(
            FaultKind.CONFIGURATION, "SQLite is off here: the operator sets AXONFLOW_CONNECTOR_SQLITE_DIR"
        )
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", configuration.org_id):
        raise ConnectorFault(FaultKind.CONFIGURATION, "This organisation's name cannot be a folder of SQLite files")
    folder = (surroundings.sqlite_root / configuration.org_id).resolve()
    path = (folder / configuration.text("path")).resolve()
    if not path.is_relative_to(folder) or path == folder:
        raise ConnectorFault(FaultKind.CONFIGURATION, "options.path leads out of this organisation's folder")
    return path


async def _open(configuration: Configuration, surroundings: Surroundings) -> Connector:
    return Sqlite(_file(configuration, surroundings), writable=configuration.flag("writable"))


def _verify(configuration: Configuration, surroundings: Surroundings) -> None:
    _file(configuration, surroundings)


SPEC = ConnectorSpec(
    type="sqlite",
    title="SQLite",
    description="A file below the operator's directory; parameters as ? or :name.",
    category="database",
    tags=("sql",),
    fields=(
        Field(name="path", help="The file, relative to the organisation's folder.", required=True),
        Field(name="writable", help="Whether writes are allowed at all.", kind="boolean", default=False),
    ),
    capabilities=Sqlite.capabilities,
    open=_open,
    endpoints=lambda _given: (),
    verify=_verify,
)
