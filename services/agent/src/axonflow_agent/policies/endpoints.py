"""`GET /api/v1/static-policies` (agent contract §1.11)."""

from __future__ import annotations

import msgspec
from axonflow_contracts.caller import Caller
from starlette.requests import Request
from starlette.responses import Response

from axonflow_agent.policies.query import parse_query
from axonflow_agent.policies.service import PolicyReader


async def list_static_policies(request: Request, caller: Caller, reader: PolicyReader) -> Response:
    """One page of the static policies that ``caller`` may see; faults are for the middleware surface."""
    page = await reader.page(parse_query(request.query_params), caller)
    return Response(msgspec.json.encode(page), media_type="application/json")
