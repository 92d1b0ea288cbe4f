"""HTTP of the static policies (agent contract §1.11) and of the trial beside them; faults are for their surfaces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_governance.changes import Author
from axonflow_web.access import TRACE
from starlette.requests import Request
from starlette.responses import Response

from axonflow_agent.overrides.service import OverrideBody, OverrideService
from axonflow_agent.policies import bodies
from axonflow_agent.policies.editor import PolicyEditor
from axonflow_agent.policies.linting import with_findings
from axonflow_agent.policies.patterns import try_pattern
from axonflow_agent.policies.query import parse_effective, parse_query
from axonflow_agent.policies.service import PolicyReader
from axonflow_agent.policies.trial import PolicyTrial, TrialBody

MOST_INPUTS = 100

Answer = Callable[[Request], Awaitable[Response]]


async def list_static_policies(request: Request, caller: Caller, reader: PolicyReader) -> Response:
    """One page of the static policies that ``caller`` may see; faults are for the middleware surface."""
    return answer(await reader.page(parse_query(request.query_params), caller))


@dataclass(frozen=True, slots=True)
class PolicyEndpoints:
    """One policy, its changes and its history."""

    reader: PolicyReader
    editor: PolicyEditor

    async def get(self, request: Request, caller: Caller) -> Response:
        """``GET /{id}``."""
        return answer(await self.reader.one(_key(request), caller))

    async def effective(self, request: Request, caller: Caller) -> Response:
        """``GET /effective``."""
        return answer(await self.reader.effective(parse_effective(request.query_params), caller))

    async def versions(self, request: Request, caller: Caller) -> Response:
        """``GET /{id}/versions``."""
        return answer(await self.editor.versions(_key(request), caller))

    async def create(self, request: Request, caller: Caller) -> Response:
        """``POST``: 201."""
        row = await self.editor.create(await bodies.read(request, bodies.NewPolicy), author(request, caller))
        return answer(await with_findings(self.reader, row, caller), 201)

    async def update(self, request: Request, caller: Caller) -> Response:
        """``PUT /{id}``: partial."""
        change = await bodies.read(request, bodies.PolicyChange)
        row = await self.editor.update(_key(request), change, author(request, caller))
        return answer(await with_findings(self.reader, row, caller))

    async def toggle(self, request: Request, caller: Caller) -> Response:
        """``PATCH /{id}``: the whole policy, since SDKs read it."""
        switch = await bodies.read(request, bodies.Switch)
        if switch.enabled is None:
            raise Fault(400, "enabled is required")
        row = await self.editor.toggle(_key(request), author(request, caller), enabled=switch.enabled)
        shown = await with_findings(self.reader, row, caller) if row.enabled else self.reader.shown(row, {})
        return answer(shown)

    async def delete(self, request: Request, caller: Caller) -> Response:
        """``DELETE /{id}``: 204."""
        await self.editor.delete(_key(request), author(request, caller))
        return Response(status_code=204)


@dataclass(frozen=True, slots=True)
class OverrideEndpoints:
    """Overrides of a policy, and all that act for a tenant."""

    service: OverrideService

    async def list(self, _request: Request, caller: Caller) -> Response:
        """``GET /overrides``."""
        return answer(await self.service.acting(caller))

    async def get(self, request: Request, caller: Caller) -> Response:
        """``GET /{id}/override``."""
        return answer(await self.service.one(_key(request), caller))

    async def create(self, request: Request, caller: Caller) -> Response:
        """``POST /{id}/override``: 201."""
        body = await bodies.read(request, OverrideBody)
        return answer(await self.service.create(_key(request), body, author(request, caller)), 201)

    async def delete(self, request: Request, caller: Caller) -> Response:
        """``DELETE /{id}/override``: 204."""
        organization_id = request.query_params.get("organization_id")
        await self.service.delete(_key(request), author(request, caller), organization_id)
        return Response(status_code=204)


@dataclass(frozen=True, slots=True)
class TrialEndpoints:
    """A pattern or a query tried out; nothing is written."""

    trial: PolicyTrial
    max_body_bytes: int

    async def pattern(self, request: Request, _caller: Caller) -> Response:
        """``POST /api/v1/static-policies/test``: a pattern that no policy may have is a 200 with ``valid`` false."""
        body = await bodies.read(request, bodies.PatternTrial)
        if not body.pattern:
            raise Fault(400, "pattern is required")
        inputs = body.inputs if body.inputs is not None else () if body.input is None else (body.input,)
        if len(inputs) > MOST_INPUTS:
            raise Fault(400, f"inputs must be at most {MOST_INPUTS}")
        return answer(await asyncio.to_thread(try_pattern, body.pattern, inputs))

    async def query(self, request: Request, caller: Caller) -> Response:
        """``POST /api/policies/test``."""
        return answer(await self.trial.run(await bodies.read(request, TrialBody, self.max_body_bytes), caller))


def author(request: Request, caller: Caller) -> Author:
    """Who changes something in this request."""
    trace = request.scope.get(TRACE)
    return Author(caller, trace.trace_id if trace is not None else "")


def answer(body: Any, status: int = 200) -> Response:
    """``body`` as JSON."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _key(request: Request) -> str:
    key: str = request.path_params["policy_id"]
    return key
