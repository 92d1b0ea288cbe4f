"""One call on a connector between its two judgements: limits in, rows or a failure of ours out."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import msgspec
from axonflow_connectors import ConnectorFault, FaultKind, Limits, Rows, Written
from axonflow_contracts.connectors import ConnectorDefinition
from axonflow_contracts.errors import Fault
from axonflow_telemetry.performance import Performance

from axonflow_agent.connectors.bodies import Wanted
from axonflow_agent.connectors.runtime import ConnectorRuntime
from axonflow_agent.mcp import recording
from axonflow_agent.mcp.checks import CheckedCall
from axonflow_agent.mcp.exfiltration import Limits as Exfiltration

T = TypeVar("T")
FAILED = "Query execution failed"
# 5xx are tried again by clients and let some of them go on ungoverned, so only what may heal by itself is one.
STATUS = {
    FaultKind.CONFIGURATION: 500,
    FaultKind.REQUEST: 400,
    FaultKind.READ_ONLY: 403,
    FaultKind.LOCKED: 403,
    FaultKind.EGRESS: 403,
    FaultKind.CREDENTIALS: 500,
    FaultKind.UNREACHABLE: 502,
    FaultKind.TIMEOUT: 500,
    FaultKind.TOO_LARGE: 403,
    FaultKind.FAILED: 500,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Calls connectors under the operator's limits.

    Attributes:
        exfiltration: rows and bytes that one answer may carry; 0 is any number.
        performance: hears of each call.
    """

    runtime: ConnectorRuntime
    exfiltration: Exfiltration
    performance: Performance

    async def query(self, checked: CheckedCall, definition: ConnectorDefinition, wanted: Wanted) -> Rows:
        """Read what may be asked.

        Raises:
            ConnectorFault: there is no answer.
        """
        return await promptly(self._query(checked, definition, wanted))

    async def execute(self, checked: CheckedCall, definition: ConnectorDefinition, wanted: Wanted) -> Written:
        """Write what may be asked, once.

        Raises:
            ConnectorFault: it was not done, or whether it was is unknown.
        """
        return await promptly(self._execute(checked, definition, wanted))

    def withhold(self, checked: CheckedCall, rows: Rows) -> None:
        """Deny an answer that was cut for being too many bytes: the judged rows alone would seem to be within."""
        out, side = checked.exfiltration, checked.response
        if rows.truncated != "bytes" or out is None or out.exceeded or side is None:
            return
        carried = max(rows.bytes_read, out.byte_limit + 1)
        out = msgspec.structs.replace(
            out, bytes_returned=carried, exceeded=True, limit_type="bytes", within_limits=False
        )
        checked.exfiltration = out
        checked.response = recording.with_match(side, out.match())

    async def _query(self, checked: CheckedCall, definition: ConnectorDefinition, wanted: Wanted) -> Rows:
        with self._counted(definition):
            async with self.runtime.using(checked.call.caller.org_id, definition) as connector:
                return await connector.query(wanted.call(checked.ask, self._limits(wanted)))

    async def _execute(self, checked: CheckedCall, definition: ConnectorDefinition, wanted: Wanted) -> Written:
        with self._counted(definition):
            async with self.runtime.using(checked.call.caller.org_id, definition) as connector:
                return await connector.execute(wanted.call(checked.ask, self._limits(wanted)))

    @contextlib.contextmanager
    def _counted(self, definition: ConnectorDefinition) -> Iterator[None]:
        started, succeeded = time.perf_counter(), False
        try:
            yield
            succeeded = True
        finally:
            took_ms = (time.perf_counter() - started) * 1000
            self.performance.add_connector_call(definition.name, took_ms, succeeded=succeeded)

    def _limits(self, wanted: Wanted) -> Limits:
        most = self.exfiltration.rows
        # One row beyond the limit is read, so that too many rows are seen to be too many and refused, not cut.
        allowed = most + 1 if most else 0
        rows = wanted.limit if wanted.limit and (not allowed or wanted.limit < allowed) else allowed
        return Limits(max_rows=rows, max_bytes=self.exfiltration.bytes, timeout_s=wanted.timeout_s)


async def promptly(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives. Whoever is cut off has time for a row, and none to wait until a hanging driver gives up."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.add_done_callback(_unheard)
        task.cancel()
        raise
    return task.result()


def _unheard(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()  # nobody asks for it any more


def failure_of(fault: ConnectorFault) -> Fault:
    """How a call that the connector did not answer is answered; the driver's own words go nowhere."""
    status = STATUS[fault.kind]
    message = f"{FAILED}: {fault.message}" if status >= 500 else fault.message
    return Fault(status, message)


def rows_of(written: Written) -> list[dict[str, Any]]:
    """What a write gave back."""
    return list(written.answer.rows)
