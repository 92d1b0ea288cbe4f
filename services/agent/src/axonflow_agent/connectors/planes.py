"""``POST /mcp/resources/query`` and ``/mcp/tools/execute``: governed reads and governed writes, kept apart."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Awaitable, Callable
from typing import Any

from axonflow_connectors import ConnectorFault, Rows, Written
from axonflow_contracts.connectors import ConnectorDefinition
from axonflow_contracts.errors import Fault, Surface
from axonflow_contracts.verdicts import Plane
from starlette.responses import Response

from axonflow_agent.connectors.bodies import EXECUTE, QUERY, ExecuteBody, QueryBody, Wanted
from axonflow_agent.connectors.calling import Caller, failure_of, rows_of
from axonflow_agent.connectors.permissions import Permissions, permit
from axonflow_agent.governed import Adapter, Call
from axonflow_agent.mcp.answers import policy_info
from axonflow_agent.mcp.checks import CheckedCall, Checks, Reply

QUERY_PATH = "/mcp/resources/query"
EXECUTE_PATH = "/mcp/tools/execute"
_DENIED = 403
_DONE = "; the write was done, its answer is withheld"
_SQL = frozenset({"postgres", "mysql", "sqlite"})


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectorPlanes:
    """Calls on connectors.

    Attributes:
        permissions: what a client's row lists.
    """

    checks: Checks
    caller: Caller
    permissions: Permissions

    def adapters(self) -> list[Adapter]:
        """The planes as the governed call takes them."""
        return [
            _adapter(QUERY_PATH, "mcp_query", self.query),
            _adapter(EXECUTE_PATH, "mcp_execute", self.execute),
        ]

    async def query(self, call: Call) -> Response:
        """Read; a statement that would write is refused by the connector."""
        body = call.read(QueryBody)
        wanted = body.wanted()
        checked, definition = await self._begin(call, body, wanted, QUERY)
        rows: Rows | None = None
        async with checked.asking(_about(definition, None)):
            if not checked.denied:
                rows = await self._done(checked, self.caller.query(checked, definition, wanted))
                await self._judged(checked, Reply(rows=rows.rows))
                self.caller.withhold(checked, rows)
            await checked.record(metadata=_about(definition, rows))
        if checked.denied or rows is None:
            return _refused(call, checked)
        data = list((checked.reply.rows if checked.reply else None) or ())
        answer = {"data": data, "row_count": len(data), "truncated": rows.truncated is not None}
        return call.json({**_answer(call, checked, definition), **answer})

    async def execute(self, call: Call) -> Response:
        """Write, once."""
        body = call.read(ExecuteBody)
        wanted = body.wanted()
        checked, definition = await self._begin(call, body, wanted, EXECUTE)
        written: Written | None = None
        about = _about(definition, None)
        async with checked.asking(about):
            if not checked.denied:
                _check_verb(definition, wanted)
                written = await self._done(checked, self.caller.execute(checked, definition, wanted))
                about["written"] = True
                given = rows_of(written)
                reply = Reply(rows=given) if given else Reply(message=_message(written))
                await self._judged(checked, reply, written=True)
                self.caller.withhold(checked, written.answer)
            await checked.record(metadata=about)
        if checked.denied or written is None:
            return _refused(call, checked, _DONE if written else "")
        answer: dict[str, Any] = {"rows_affected": written.rows_affected, "message": _message(written)}
        if checked.reply is not None and checked.reply.rows is not None:
            answer["data"] = list(checked.reply.rows)
        return call.json({**_answer(call, checked, definition), **answer})

    async def _begin(
        self, call: Call, body: QueryBody, wanted: Wanted, operation: str
    ) -> tuple[CheckedCall, ConnectorDefinition]:
        """The judged request, once who calls may use the connector."""
        body.claim(call)
        caller = call.caller
        permit(caller, self.permissions(caller.client_id), wanted.ask.connector, operation)
        definition = await self.caller.runtime.one(caller.org_id, caller.tenant_id, wanted.ask.connector)
        if definition.name != wanted.ask.connector:
            permit(caller, self.permissions(caller.client_id), definition.name, operation)
        checked = self.checks.begin(call, wanted.ask)
        await checked.judge_request()
        return checked, definition

    async def _done(self, checked: CheckedCall, work: Awaitable[Any]) -> Any:
        """What the connector gives; where it gives nothing, the row says so before the caller hears of it."""
        try:
            return await work
        except ConnectorFault as fault:
            refusal = failure_of(fault)
            await checked.record(failure=fault.message, metadata={"fault": fault.kind.value, "status": refusal.status})
            checked.call.status = "error" if refusal.status >= 500 else "refused"
            raise refusal from None  # the driver's words would reach a log with it

    async def _judged(self, checked: CheckedCall, reply: Reply, *, written: bool = False) -> None:
        try:
            await checked.judge_response(reply)
        except Fault as fault:
            # Something was asked of the connector, so the row must tell more than a refusal's does.
            await checked.record(failure=fault.message, metadata={"written": written, "status": fault.status})
            raise


def _check_verb(definition: ConnectorDefinition, wanted: Wanted) -> None:
    verb = wanted.ask.operation
    if definition.type not in _SQL or verb == EXECUTE:
        return
    first = wanted.ask.statement.lstrip(" \t\r\n(").partition(" ")[0].strip().lower()
    if first not in {verb, "with"}:
        raise Fault(400, "action is not what the statement begins with")


def _answer(call: Call, checked: CheckedCall, definition: ConnectorDefinition) -> dict[str, Any]:
    return {
        "success": True,
        "connector": definition.name,
        "duration_ms": math.ceil(call.exchange.elapsed_ms),
        "redacted": bool(checked.redacted_fields),
        "redacted_fields": list(checked.redacted_fields),
        "policy_info": policy_info(checked),
        "decision_id": call.exchange.decision_id,
        "meta": {"type": definition.type},
    }


def _refused(call: Call, checked: CheckedCall, after: str = "") -> Response:
    reason = checked.reason + after
    body = {
        "success": False,
        "error": reason,
        "blocked": True,
        "block_reason": reason,
        "decision_id": call.exchange.decision_id,
        "policy_info": policy_info(checked),
    }
    return call.json(body, _DENIED)


def _about(definition: ConnectorDefinition, rows: Rows | None) -> dict[str, Any]:
    about: dict[str, Any] = {"connector_type": definition.type, "connector_version": definition.version}
    if rows is not None and rows.truncated is not None:
        about["truncated"] = rows.truncated
    return about


def _message(written: Written) -> str:
    count = written.rows_affected
    return "Done" if count < 0 else f"{count} row{'' if count == 1 else 's'} affected"


def _adapter(path: str, kind: str, answer: Callable[[Call], Awaitable[Response]]) -> Adapter:
    return Adapter(
        path=path,
        plane=Plane.MCP,
        kind=kind,
        surface=Surface.HANDLER,
        door_surface=Surface.HANDLER,
        answer=answer,
        admits_services=True,
    )
