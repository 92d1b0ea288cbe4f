"""Connectors as the data sources of a pre-check: read with its query, judged, and masked like any other answer."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from typing import Any

from axonflow_connectors import ConnectorFault
from axonflow_contracts.errors import Fault

from axonflow_agent.connectors.bodies import QUERY, Wanted
from axonflow_agent.connectors.calling import Caller
from axonflow_agent.connectors.permissions import Permissions, permit
from axonflow_agent.gateway.sources import Fetched
from axonflow_agent.governed import Call
from axonflow_agent.mcp.checks import Ask, Checks, Reply

TIMEOUT_S = 5.0
MOST_ROWS = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectorSources:
    """Reads each source that the caller may use; the query that was just approved is the statement."""

    checks: Checks
    caller: Caller
    permissions: Permissions

    async def fetch(self, call: Call, sources: tuple[str, ...], query: str) -> Fetched:
        """What each source gave, and why the others gave nothing; nothing is raised."""
        outcomes = await asyncio.gather(*(self._one(call, name, query) for name in sources))
        found = dict(zip(sources, outcomes, strict=True))
        return Fetched(
            data={name: got for name, got in found.items() if isinstance(got, dict)},
            skipped={name: got for name, got in found.items() if isinstance(got, str)},
        )

    async def _one(self, call: Call, name: str, query: str) -> dict[str, Any] | str:
        """The answer's member, or a word for the row."""
        caller = call.caller
        checked = self.checks.begin(call, Ask(connector=name, operation=QUERY, statement=query))
        wanted = Wanted(ask=checked.ask, timeout_s=TIMEOUT_S, limit=MOST_ROWS)
        try:
            permit(caller, self.permissions(caller.client_id), name, QUERY)
            definition = await self.caller.runtime.one(caller.org_id, caller.tenant_id, name)
            if definition.name != name:
                permit(caller, self.permissions(caller.client_id), definition.name, QUERY)
            rows = await self.caller.query(checked, definition, wanted)
            await checked.judge_response(Reply(rows=rows.rows))
        except Fault as fault:
            return {403: "forbidden", 404: "unknown"}.get(fault.status, "unavailable")
        except ConnectorFault as fault:
            return fault.kind.value
        self.caller.withhold(checked, rows)
        if checked.denied or checked.reply is None:
            return "denied"
        data = list(checked.reply.rows or ())
        return {"rows": data, "row_count": len(data), "duration_ms": math.ceil(rows.duration_ms), "cached": False}
