"""HTTP of the audit family (orchestrator contract section 1.13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_guards import Attempt
from axonflow_web import TRACE, read_body
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator import callers
from axonflow_orchestrator.audit import queries
from axonflow_orchestrator.audit.export import AuditExport, Form
from axonflow_orchestrator.audit.queries import Search, Window
from axonflow_orchestrator.audit.service import AuditReader
from axonflow_orchestrator.audit.tool_calls import LARGEST_BODY, ToolCall, ToolCallRecorder
from axonflow_orchestrator.questions import answered, from_json, from_query, read_json
from axonflow_orchestrator.repeatable import Repeatable
from axonflow_orchestrator.resources import Orchestrator

LARGEST_SEARCH = 65_536
_MEDIA_TYPES = {Form.CSV: "text/csv; charset=utf-8", Form.JSONL: "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class AuditEndpoints:
    """Searches, single entries, traces, sums, exports, and reports of tool calls."""

    orchestrator: Orchestrator
    reader: AuditReader
    export_: AuditExport
    recorder: ToolCallRecorder
    repeatable: Repeatable

    async def search(self, request: Request) -> Response:
        """``POST /api/v1/audit/search``."""
        asked = await read_json(request, Search, LARGEST_SEARCH)
        return await self._page(request, asked, queries.SEARCH_ROWS)

    async def tenant(self, request: Request) -> Response:
        """``GET /api/v1/audit/tenant/{tenant_id}``: the caller's own; in community a name is a client's."""
        asked = from_query(request.query_params, Search)
        readable, tenant_id = self._readable(request), request.path_params["tenant_id"]
        if readable.tenant_id is not None and tenant_id != readable.tenant_id:
            raise Fault(404, "Tenant not found")
        whole = {readable.tenant_id, readable.org_id, callers.COMMUNITY}
        client_id = asked.client_id if tenant_id in whole else tenant_id
        return await self._page(request, msgspec.structs.replace(asked, client_id=client_id), queries.TENANT_ROWS)

    async def entry(self, request: Request) -> Response:
        """``GET /api/v1/audit/{id}``."""
        return _json(await self.reader.one(request.path_params["id"], self._readable(request)))

    async def correlation(self, request: Request) -> Response:
        """``GET /api/v1/audit/correlation/{trace_id}``."""
        return _json(await self.reader.trace(request.path_params["trace_id"], self._readable(request)))

    async def summary(self, request: Request) -> Response:
        """``POST /api/v1/audit/summary``."""
        asked = await read_json(request, Window, LARGEST_SEARCH)
        return _json(await self.reader.summary(queries.window_of(asked, self._readable(request)), asked.interval))

    async def export(self, request: Request) -> Response:
        """``GET /api/v1/audit/export``: every row of the filter, up to this moment."""
        try:
            form = Form(request.query_params.get("format") or Form.JSONL)
        except ValueError:
            raise Fault(400, f"format must be one of {', '.join(Form)}") from None
        wanted = queries.filter_of(from_query(request.query_params, Search), self._readable(request))
        wanted = msgspec.structs.replace(wanted, until=wanted.until or datetime.now(UTC))
        name = f"audit-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{form}"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        pieces = await self.export_.open(wanted, form)
        return StreamingResponse(pieces, headers=headers, media_type=_MEDIA_TYPES[form])

    async def tool_call(self, request: Request) -> Response:
        """``POST /api/v1/audit/tool-call``: 201."""
        caller = callers.caller_of(request, self.orchestrator.settings)
        body = await read_body(request, LARGEST_BODY)
        trace = request.scope.get(TRACE)
        trace_id = trace.trace_id if trace is not None else ""

        async def work(attempt: Attempt) -> Response:
            call = from_json(body, ToolCall)
            row_id, at = attempt.row_id, attempt.first_at
            return _json(await self.recorder.record(call, caller, row_id=row_id, at=at, trace_id=trace_id), 201)

        return await self.repeatable.answer(request, caller, body, work)

    async def _page(self, request: Request, asked: Search, default: int) -> Response:
        wanted, page = queries.filter_of(asked, self._readable(request)), queries.page_of(asked, default)
        days = self.orchestrator.settings.limits.audit_retention_days
        return _json(await self.reader.page(wanted, page, days))

    def _readable(self, request: Request) -> callers.Readable:
        settings = self.orchestrator.settings
        return callers.readable_by(callers.caller_of(request, settings), settings)


def routes(orchestrator: Orchestrator) -> list[BaseRoute]:
    """The family's URL table."""
    database = orchestrator.database
    endpoints = AuditEndpoints(
        orchestrator,
        AuditReader(database),
        AuditExport(database),
        ToolCallRecorder(orchestrator.audit),
        Repeatable(orchestrator.idempotency),
    )
    base = "/api/v1/audit"
    return [
        Route(f"{base}/search", endpoints.search, methods=["POST"]),
        Route(f"{base}/summary", endpoints.summary, methods=["POST"]),
        Route(f"{base}/tool-call", endpoints.tool_call, methods=["POST"]),
        Route(f"{base}/export", endpoints.export, methods=["GET"]),
        Route(f"{base}/tenant/{{tenant_id}}", endpoints.tenant, methods=["GET"]),
        Route(f"{base}/correlation/{{trace_id}}", endpoints.correlation, methods=["GET"]),
        Route(f"{base}/{{id}}", endpoints.entry, methods=["GET"]),
    ]


def _json(body: object, status: int = 200) -> Response:
    return Response(answered(body), status, media_type="application/json")
