"""The accepted tools of a tenant's upstream MCP servers, as tools of the agent's own MCP server: ``connector.tool``."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from axonflow_connectors import ConnectorFault, Rows
from axonflow_contracts.connectors import ConnectorDefinition
from axonflow_contracts.errors import Fault

from axonflow_agent.connectors.bodies import DEFAULT_TIMEOUT_S, EXECUTE, Wanted
from axonflow_agent.connectors.calling import Caller, failure_of
from axonflow_agent.connectors.locking import TYPE
from axonflow_agent.connectors.permissions import Permissions, permit
from axonflow_agent.governed import Call
from axonflow_agent.mcp.checks import Ask, CheckedCall, Checks, Reply
from axonflow_agent.mcp_server.catalogue import Tool

logger = logging.getLogger("axonflow.agent.connectors")

LISTING_S = 5.0
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_VIA = {"via": "mcp-server", "connector_type": TYPE}


@dataclass(frozen=True, slots=True)
class FederatedTools:
    """Shows and calls them for whoever may execute on their connector.

    Attributes:
        permissions: what a client's row lists.
    """

    checks: Checks
    caller: Caller
    permissions: Permissions

    async def tools(self, call: Call) -> tuple[Tool, ...]:
        """Those that may be called now; a server that does not answer in time shows none."""
        definitions = [each for each in await self._servers(call) if self._may(call, each)]
        found = await asyncio.gather(*(self._of(call, definition) for definition in definitions))
        return tuple(tool for tools in found for tool in tools if _NAME.fullmatch(tool.name))

    async def run(self, call: Call, name: str, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bool] | None:
        """Call one under the same checks as any call on a connector; the answer and whether it is a failure.

        Returns:
            None where no server of the tenant has a tool of this name.

        Raises:
            Fault: 403 without permission, and as the connector fails.
        """
        target = _target(name, await self._servers(call))
        if target is None:
            return None
        definition, tool = target
        client = call.caller.client_id
        permit(call.caller, self.permissions(client), definition.name, EXECUTE)
        ask = Ask(connector=definition.name, operation=EXECUTE, statement=tool, parameters=dict(arguments))
        checked = self.checks.begin(call, ask)
        await checked.judge_request()
        async with checked.asking(_VIA):
            if not checked.denied:
                rows = await self._rows(checked, definition)
                await self._judged(checked, Reply(rows=rows.rows))
                self.caller.withhold(checked, rows)
            await checked.record(metadata=_VIA)
        return _answer(checked), checked.denied

    async def _rows(self, checked: CheckedCall, definition: ConnectorDefinition) -> Rows:
        wanted = Wanted(ask=checked.ask, timeout_s=DEFAULT_TIMEOUT_S)
        try:
            return (await self.caller.execute(checked, definition, wanted)).answer
        except ConnectorFault as fault:
            refusal = failure_of(fault)
            about = {**_VIA, "fault": fault.kind.value, "status": refusal.status}
            await checked.record(failure=fault.message, metadata=about)
            raise refusal from None  # the server's words would reach a log with it

    async def _judged(self, checked: CheckedCall, reply: Reply) -> None:
        try:
            await checked.judge_response(reply)
        except Fault as fault:
            # Something was asked of the server, so the row must tell more than a refusal's does.
            await checked.record(failure=fault.message, metadata={**_VIA, "status": fault.status})
            raise

    async def _servers(self, call: Call) -> list[ConnectorDefinition]:
        runtime = self.caller.runtime
        if not runtime.enabled:
            return []
        try:
            known = await runtime.all(call.caller.org_id, call.caller.tenant_id)
        except Fault as fault:
            logger.warning("tools of upstream servers are left out: %s", fault.message)
            return []
        return [definition for definition in known.values() if definition.type == TYPE]

    def _may(self, call: Call, definition: ConnectorDefinition) -> bool:
        try:
            permit(call.caller, self.permissions(call.caller.client_id), definition.name, EXECUTE)
        except Fault:
            return False
        return True

    async def _of(self, call: Call, definition: ConnectorDefinition) -> list[Tool]:
        try:
            async with (
                asyncio.timeout(LISTING_S),
                self.caller.runtime.using(call.caller.org_id, definition) as connector,
            ):
                tools = await connector.tools()
        except (ConnectorFault, TimeoutError):
            return []
        return [Tool(f"{definition.name}.{tool.name}", tool.description, tool.input_schema) for tool in tools]


def _target(name: str, servers: list[ConnectorDefinition]) -> tuple[ConnectorDefinition, str] | None:
    """The server and its tool; both may have dots, and the longer server's name is meant."""
    for definition in sorted(servers, key=lambda each: -len(each.name)):
        prefix = f"{definition.name}."
        if name.startswith(prefix) and len(name) > len(prefix):
            return definition, name.removeprefix(prefix)
    return None


def _answer(checked: CheckedCall) -> dict[str, Any]:
    if checked.denied:
        return {"success": False, "error": checked.reason, "blocked": True, "block_reason": checked.reason}
    data = list((checked.reply.rows if checked.reply else None) or ())
    return {
        "success": True,
        "data": data,
        "redacted": bool(checked.redacted_fields),
        "redacted_fields": list(checked.redacted_fields),
    }
