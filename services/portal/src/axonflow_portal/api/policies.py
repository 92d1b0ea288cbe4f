"""`GET /api/v1/portal/policies`: the page's list as JSON (orchestrator contract §4.3)."""

from __future__ import annotations

import msgspec
from axonflow_contracts.policies import UnifiedPolicyList
from starlette.requests import Request
from starlette.responses import Response

from axonflow_portal.listing import parse_filter, select
from axonflow_portal.reading import PolicySource


async def unified_policies(request: Request, source: PolicySource) -> Response:
    """The matching policies, and what could not be read; 502 when nothing could (see `pages.endpoints`)."""
    wanted = parse_filter(request.query_params)
    read = await source.read()
    rows = tuple(select(read.policies, wanted))
    errors = (read.trouble.error,) if read.trouble else ()
    body = UnifiedPolicyList(policies=rows, total=len(rows), partial=bool(errors), source_errors=errors)
    status = 502 if errors and not read.policies else 200
    return Response(msgspec.json.encode(body), status, media_type="application/json")
