"""``/api/v1/mcp-server``: JSON-RPC behind the agent's door; what a tool judges leaves a row, as refusals do."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from axonflow_contracts.errors import Fault, Surface, envelope
from axonflow_contracts.verdicts import Plane
from axonflow_web import fault_response
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from axonflow_agent.correlation import exchange_of
from axonflow_agent.governed import Adapter, Call, Governed, refusal_of
from axonflow_agent.mcp_server.catalogue import Tool
from axonflow_agent.mcp_server.sessions import HEADER, Sessions
from axonflow_agent.mcp_server.tools import Outcome, Toolbox
from axonflow_agent.mcp_server.transport import exchange

logger = logging.getLogger("axonflow.agent")

PATH = "/api/v1/mcp-server"
KIND = "mcp_server"
_INITIALIZE = "initialize"
_CHECKS = "check_"


@dataclasses.dataclass(frozen=True, slots=True)
class McpServerPlane:
    """The MCP server.

    Attributes:
        governed: what makes its routes; over the governor of the MCP planes.
        origins: whose web pages may call; ``*`` is any. A page elsewhere that found its way here is turned away.
    """

    governed: Governed
    toolbox: Toolbox
    sessions: Sessions
    origins: tuple[str, ...]

    def routes(self) -> list[BaseRoute]:
        """POST is the protocol, DELETE ends a session, and there is no stream to GET."""
        adapter = Adapter(
            path=PATH,
            plane=Plane.MCP,
            kind=KIND,
            surface=Surface.JSON_RPC,
            door_surface=Surface.JSON_RPC,
            answer=self.answer,
        )
        return [
            self.governed.route(adapter),
            Route(PATH, self.end, methods=["DELETE"]),
            Route(PATH, self.no_stream, methods=["GET"]),
        ]

    async def answer(self, call: Call) -> Response:
        """One JSON-RPC message."""
        self._check_origin(call.request)
        method = _method(call.document)
        session_id = call.request.headers.get(HEADER)
        if session_id is not None and method != _INITIALIZE:
            await self.sessions.check(call.caller, session_id)

        async def use_tool(name: str, arguments: Mapping[str, Any]) -> Outcome:
            return await self._use_tool(call, name, arguments)

        async def further() -> tuple[Tool, ...]:
            return await self.toolbox.further(call)

        response = await exchange(call.request, call.document, use_tool, further)
        if response.status_code >= HTTPStatus.BAD_REQUEST and not call.recorded:
            raise _refused(response)
        if method == _INITIALIZE and response.status_code == HTTPStatus.OK:
            opened = await self.sessions.open(call.caller)
            if opened:
                response.headers[HEADER] = opened
        return response

    async def no_stream(self, _request: Request) -> Response:
        """There is none: every client asks once, so that is no refusal that the record should hold."""
        return fault_response(Surface.JSON_RPC, Fault(405, "Method Not Allowed", headers={"Allow": "POST, DELETE"}))

    async def end(self, request: Request) -> Response:
        """End the session that the header names."""
        session_id = request.headers.get(HEADER, "")
        caller = None
        try:
            caller = (authenticated := self.governed.door.authenticate(request)).caller
            await self.governed.door.admit(authenticated)
            await self.sessions.end(caller, session_id)
        except Fault as fault:
            await self.governed.governor.refuse(exchange_of(request.scope), refusal_of(fault, request, caller))
            return fault_response(Surface.JSON_RPC, fault)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _check_origin(self, request: Request) -> None:
        # MCP 2025-06-18, transports, security warning: DNS rebinding brings foreign pages to local servers.
        origin = request.headers.get("origin")
        if origin is not None and "*" not in self.origins and origin not in self.origins:
            raise Fault(403, "This origin may not call: AXONFLOW_CORS_ALLOWED_ORIGINS does not name it")

    async def _use_tool(self, call: Call, name: str, arguments: Mapping[str, Any]) -> Outcome:
        """A tool's outcome; what is refused is told inside of the result, as the contract has it."""
        try:
            return await self._ran(call, name, arguments)
        except Fault as fault:
            if not call.recorded:
                await self.governed.governor.refuse(call.exchange, refusal_of(fault, call.request, call.caller))
                call.recorded = True
            surface = Surface.MCP_CHECK if name.startswith(_CHECKS) else Surface.FLAT
            return Outcome(envelope(surface, fault), failed=True)

    async def _ran(self, call: Call, name: str, arguments: Mapping[str, Any]) -> Outcome:
        try:
            return await self.toolbox.run(call, name, arguments)
        except Fault:
            raise
        except Exception as error:
            logger.exception("an MCP tool failed on a bug")
            raise Fault(500, "Internal server error") from error


def _method(document: Mapping[str, Any]) -> str:
    """The method of a request or notification; a reply to a request of ours has none, and there are none.

    Raises:
        Fault: 400 for what is no JSON-RPC 2.0 message.
    """
    method = document.get("method")
    if document.get("jsonrpc") != "2.0" or not isinstance(method, str):
        raise Fault(400, "Invalid request: a JSON-RPC 2.0 request or notification is expected")
    return method


def _refused(response: Response) -> Fault:
    """The SDK's refusal as a fault, with the body that it had, so that it leaves a row."""
    try:
        told = msgspec.json.decode(bytes(response.body))
    except msgspec.DecodeError:
        told = {}
    told = told if isinstance(told, dict) else {}
    error = told.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return Fault(response.status_code, message or "The MCP request was refused", details=told)
