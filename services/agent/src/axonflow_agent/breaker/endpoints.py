"""HTTP of the circuit breaker, and its URL table (agent contract §1.13); answers stand under ``data`` and flat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_settings import Edition
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axonflow_agent.auth.rights import holds
from axonflow_agent.breaker.records import Circuit, Scope
from axonflow_agent.breaker.service import CheckBody, CircuitService, ConfigBody, ResetBody, TripBody
from axonflow_agent.policies.bodies import read
from axonflow_agent.policies.endpoints import answer, author

PATH = "/api/v1/circuit-breaker"
STOP_PATH = "/api/v1/emergency-stop"
RIGHT = "circuit:write"
DEFAULT_HISTORY, MOST_HISTORY = 50, 100

Enter = Callable[[Request], Awaitable[Caller]]
Permissions = Callable[[str], Iterable[str]]
Handler = Callable[[Request, Caller], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class CircuitEndpoints:
    """Every call of the family."""

    service: CircuitService

    async def trip(self, request: Request, caller: Caller) -> Response:
        """``POST /trip``: 201."""
        circuit = await self.service.trip(await read(request, TripBody), author(request, caller))
        return answer({**_brief(circuit), "message": "The circuit is open: calls of its scope are refused"}, 201)

    async def stop(self, request: Request, caller: Caller) -> Response:
        """``POST /api/v1/emergency-stop``: everything of the organisation."""
        body = msgspec.structs.replace(await read(request, TripBody), scope=Scope.GLOBAL, scope_id="")
        circuit = await self.service.trip(body, author(request, caller))
        return answer({**_brief(circuit), "message": "Every governed call of the organisation is refused"}, 201)

    async def reset(self, request: Request, caller: Caller) -> Response:
        """``POST /reset``."""
        circuit = await self.service.reset(await read(request, ResetBody), author(request, caller))
        return answer({**_brief(circuit), "message": "The circuit is closed"})

    async def release(self, request: Request, caller: Caller) -> Response:
        """``POST /api/v1/emergency-stop/release``."""
        body = msgspec.structs.replace(await read(request, ResetBody), scope=Scope.GLOBAL, scope_id="")
        circuit = await self.service.reset(body, author(request, caller))
        return answer({**_brief(circuit), "message": "The emergency stop is over"})

    async def check(self, request: Request, caller: Caller) -> Response:
        """``POST /check``."""
        circuit = self.service.check(await read(request, CheckBody), caller)
        return answer({"allowed": circuit is None, **(_shown(circuit) if circuit else {})})

    async def status(self, _request: Request, caller: Caller) -> Response:
        """``GET /status``."""
        active = await self.service.active(caller)
        stopped = any(circuit.scope is Scope.GLOBAL for circuit in active)
        shown = [_shown(circuit) for circuit in active]
        return _twice({"active_circuits": shown, "count": len(shown), "emergency_stop_active": stopped})

    async def history(self, request: Request, caller: Caller) -> Response:
        """``GET /history?limit``."""
        entries = await self.service.history(caller, _limit(request))
        return _twice({"history": [_entry(entry) for entry in entries], "count": len(entries)})

    async def config(self, request: Request, caller: Caller) -> Response:
        """``GET /config?tenant_id``."""
        return _twice(await self.service.config(caller, request.query_params.get("tenant_id", "")))

    async def configure(self, request: Request, caller: Caller) -> Response:
        """``PUT /config``."""
        return answer(await self.service.configure(await read(request, ConfigBody), author(request, caller)))


def routes(
    enter: Enter, read_by: Enter, permissions: Permissions, service: CircuitService, edition: Edition
) -> list[Route]:
    """The routes; in other editions than enterprise there is nothing at them.

    Args:
        enter: who calls.
        read_by: who reads the state; another service may ask for a caller.
        permissions: what a client's row lists; whoever is restricted needs ``circuit:write`` to open, close or set
            anything, or what was stopped could start itself again.
        service: what does the work.
        edition: the tier in force.
    """
    endpoints = CircuitEndpoints(service)
    table: tuple[tuple[str, str, Handler], ...] = (
        ("POST", PATH + "/trip", endpoints.trip),
        ("POST", PATH + "/reset", endpoints.reset),
        ("POST", PATH + "/check", endpoints.check),
        ("GET", PATH + "/status", endpoints.status),
        ("GET", PATH + "/history", endpoints.history),
        ("GET", PATH + "/config", endpoints.config),
        ("PUT", PATH + "/config", endpoints.configure),
        ("POST", STOP_PATH, endpoints.stop),
        ("POST", STOP_PATH + "/release", endpoints.release),
    )
    changing = (endpoints.trip, endpoints.reset, endpoints.stop, endpoints.release, endpoints.configure)

    def behind(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            caller = await (read_by if handler == endpoints.status else enter)(request)
            if edition is not Edition.ENTERPRISE:
                raise Fault(404, "The circuit breaker belongs to the enterprise edition")
            if handler in changing and not holds(caller, permissions(caller.client_id), RIGHT):
                raise Fault(403, f"Permission denied: circuits are changed with {RIGHT}")
            return await handler(request, caller)

        return endpoint

    return [Route(path, behind(handler), methods=[method]) for method, path, handler in table]


def _limit(request: Request) -> int:
    word = request.query_params.get("limit", str(DEFAULT_HISTORY))
    if not (word.isascii() and word.isdigit() and len(word) <= 3 and 1 <= int(word) <= MOST_HISTORY):
        raise Fault(400, f"limit must be between 1 and {MOST_HISTORY}")
    return int(word)


def _twice(document: Any) -> Response:
    """Flat and under ``data``: clients read the one or the other."""
    flat = msgspec.to_builtins(document)
    return answer({**flat, "data": flat})


def _brief(circuit: Circuit) -> dict[str, Any]:
    shown = _shown(circuit)
    return {"circuit_id": shown["id"], **{key: shown[key] for key in _BRIEF}}


_BRIEF = ("state", "scope", "scope_id", "tripped_at", "expires_at")


def _shown(circuit: Circuit) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(circuit)
    return {**shown, "state": circuit.state_at(datetime.now(UTC)).value}


def _entry(entry: Any) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(entry)
    return {key: value for key, value in shown.items() if value is not None}
