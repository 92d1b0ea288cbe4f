"""``POST /api/audit/llm-call``: an application reports the model call that it made under a context."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from axonflow_audit import LlmCallRow
from axonflow_contracts.errors import Fault, Surface
from axonflow_contracts.verdicts import Phase, Plane, Verdict
from axonflow_database import Database, DatabaseUnavailable
from axonflow_governance import Decision, Exchange, ModelCall, Particulars
from axonflow_policy import Content, Part, redact_excerpt, redact_text
from axonflow_pricing import Cost, PriceTable
from axonflow_telemetry import Metrics
from starlette.responses import Response

from axonflow_agent.gateway.bodies import ReportBody, TokenUsage
from axonflow_agent.gateway.once import Once
from axonflow_agent.gateway.store import Context, find_context
from axonflow_agent.governed import Adapter, Call

logger = logging.getLogger("axonflow.agent.gateway")

PATH = "/api/audit/llm-call"
KIND = "audit_llm_call"
UNKNOWN_CONTEXT = "Invalid or expired context"
OTHER = "other"
# How long a context that was just told may take to be readable, where answers do not wait for their rows.
_LOOKS_FOR_LATE_ROWS, _PAUSE_S = 5, 0.1
_REPORTS = uuid.UUID("6d1f6f0a-3f0e-5b0e-9a35-0a2e4a4b7c11")  # the name space of our audit ids


@dataclasses.dataclass(frozen=True, slots=True)
class ReportPlane:
    """Step two of Gateway Mode.

    Attributes:
        rows_wait: whether contexts may stand in a file that PostgreSQL does not have yet.
        rows_are_late: whether answers go out before their rows are durable (``AGENT_PERFORMANCE_MODE``).
        once: keeps equal reports apart.
    """

    metrics: Metrics
    database: Database
    prices: PriceTable
    rows_wait: Callable[[], bool]
    rows_are_late: bool = False
    once: Once = dataclasses.field(default_factory=Once)

    def adapter(self) -> Adapter:
        """The plane as the governed call takes it."""
        return Adapter(
            path=PATH,
            plane=Plane.GATEWAY,
            kind=KIND,
            surface=Surface.HANDLER,
            door_surface=Surface.MIDDLEWARE,
            answer=self.answer,
            refused=self.refused,
        )

    async def answer(self, call: Call) -> Response:
        """Record the call once, however often the same report arrives."""
        body = call.read(ReportBody)
        body.check()
        call.claim(client_id=body.client_id or "")
        report = _Report(self.prices, body, _audit_id(call, body))
        async with self.once.turn(report.audit_id) as taken:
            context = await self._context(call, report)
            judged = await call.judge(Content(report.parts()), phase=Phase.RESPONSE, gated=False)
            decision = report.harmless(judged)
            repeated = taken or (context is not None and context.reported)
            await call.record(
                decision,
                stage=None,
                call=None if repeated else report.model_call(decision),
                particulars=report.particulars(decision, context, repeated=repeated),
            )
        self._count(call.exchange, report, repeated=repeated)
        return call.json({"success": True, "audit_id": report.audit_id})

    def refused(self, exchange: Exchange, _fault: Fault) -> None:
        """Count a report that was not taken."""
        self.metrics.gateway.audits.labels("error", OTHER).inc()
        self.metrics.gateway.audit_duration_ms.observe(exchange.elapsed_ms)

    async def _context(self, call: Call, report: _Report) -> Context | None:
        """The context reported under; None when it cannot be known now.

        Raises:
            Fault: 400, there is no such context, it is over, or it is another client's.
        """
        caller, now = call.caller, call.exchange.received_at
        try:
            context = await self._found(caller.org_id, report, now)
            for _ in range(_LOOKS_FOR_LATE_ROWS if self.rows_are_late and context is None else 0):
                await asyncio.sleep(_PAUSE_S)
                context = await self._found(caller.org_id, report, now)
        except DatabaseUnavailable:
            logger.warning("a reported call is taken without its context: PostgreSQL is away")
            return None
        if context is None and self.rows_wait():
            return None
        if (
            context is None
            or context.expires_at <= now
            or (context.tenant_id, context.client_id) != (caller.tenant_id, caller.client_id)
        ):
            raise Fault(400, UNKNOWN_CONTEXT)
        return context

    async def _found(self, org_id: str, report: _Report, now: datetime) -> Context | None:
        async with self.database.tenant(org_id) as connection:
            return await find_context(connection, report.context_id, report.audit_id, now)

    def _count(self, exchange: Exchange, report: _Report, *, repeated: bool) -> None:
        series = self.metrics.gateway
        provider, model = self.prices.names(report.provider, report.model)
        series.audits.labels("repeated" if repeated else "success", provider).inc()
        series.audit_duration_ms.observe(exchange.elapsed_ms)
        if repeated:
            return
        for kind, tokens in (("prompt", report.usage.prompt), ("completion", report.usage.completion)):
            if tokens:
                series.tokens.labels(provider, model, kind).inc(tokens)
        if report.cost.usd:
            series.cost_usd.labels(provider, model).inc(float(report.cost.usd))


class _Report:
    """One report, as it will be recorded."""

    def __init__(self, prices: PriceTable, body: ReportBody, audit_id: str) -> None:
        self.audit_id = audit_id
        self.context_id = (body.context_id or "").strip()
        self.provider = (body.provider or "").strip().lower()
        self.model = (body.model or "").strip()
        self.usage, self.total = (body.token_usage or TokenUsage()).checked()
        self.cost: Cost = prices.cost(self.provider, self.model, self.usage)
        self.latency_ms = float(body.latency_ms or 0)
        self._metadata = msgspec.json.encode(body.metadata).decode() if body.metadata else ""
        summary = body.response_summary
        self._summary_hash = hashlib.sha256(summary.encode("utf-8", "replace")).hexdigest() if summary else None

    def parts(self) -> tuple[Part, ...]:
        """What the rows would keep as the client wrote it."""
        named = (Part("provider", self.provider), Part("model", self.model))
        return (*named, Part("metadata", self._metadata, structured=True)) if self._metadata else named

    def harmless(self, decision: Decision) -> Decision:
        """The decision on a report: nothing is stopped any more, only masked; its text is in the rows' own columns."""
        verdict = Verdict.REDACTED if decision.evaluation.matches else Verdict.ALLOWED
        return msgspec.structs.replace(decision, verdict=verdict, excerpt="")

    def model_call(self, decision: Decision) -> ModelCall:
        """The call as the decision's own row shows it."""
        return ModelCall(
            provider=_masked("provider", self.provider, decision),
            model=_masked("model", self.model, decision),
            prompt_tokens=self.usage.prompt,
            completion_tokens=self.usage.completion,
            cost_usd=self.cost.usd,
            cost_estimated=self.cost.estimated,
            latency_ms=self.latency_ms,
        )

    def particulars(self, decision: Decision, context: Context | None, *, repeated: bool) -> Particulars:
        """What the record is told beside the decision; a report that was taken before adds no call."""
        told: dict[str, Any] = {"context_id": self.context_id[:64], "audit_id": self.audit_id}
        if context is None:
            told["context"] = "unverified"
        elif not context.approved:
            told["called_despite_denial"] = True
        if repeated:
            return Particulars(request_type=KIND, metadata={**told, "repeated": True})
        return Particulars(request_type=KIND, metadata=told, details=(self._row(decision, context, told),))

    def _row(self, decision: Decision, context: Context | None, told: dict[str, Any]) -> LlmCallRow:
        caller, exchange = decision.caller, decision.exchange
        metadata = {
            **self._shown_metadata(decision),
            **told,
            "source": exchange.plane.value,
            "decision_id": exchange.decision_id,
            "reported_at": exchange.received_at,
        }
        if self.cost.estimated:
            metadata["cost"] = "estimated"
        return LlmCallRow(
            org_id=caller.org_id,
            # The moment of the decision it was made under: the key of a report is the same however often it arrives.
            created_at=context.created_at if context else exchange.received_at,
            id=self.audit_id,
            context_id=self.context_id,
            tenant_id=caller.tenant_id,
            client_id=caller.client_id,
            provider=_masked("provider", self.provider, decision),
            model=_masked("model", self.model, decision),
            prompt_tokens=self.usage.prompt,
            completion_tokens=self.usage.completion,
            total_tokens=self.total,
            latency_ms=self.latency_ms,
            estimated_cost_usd=self.cost.usd or Decimal(0),
            decision="deny" if context and not context.approved else "allow",
            response_summary_hash=self._summary_hash,
            metadata=metadata,
        )

    def _shown_metadata(self, decision: Decision) -> dict[str, Any]:
        """The client's own members, masked; none when they could not be judged or are no JSON after masking."""
        if not self._metadata or decision.evaluation.failure:
            return {}
        found = [match for match in decision.evaluation.matches if match.path == "metadata"]
        try:
            shown = msgspec.json.decode(redact_text(self._metadata, found))
        except msgspec.DecodeError:
            return {"withheld": True}
        return shown if isinstance(shown, dict) else {}


def _audit_id(call: Call, body: ReportBody) -> str:
    """The same for the same report of the same client: SDKs send one again when no answer came in time."""
    digest = hashlib.sha256(msgspec.json.encode(call.document, order="sorted")).hexdigest()
    caller = call.caller
    return str(uuid.uuid5(_REPORTS, "\n".join((caller.org_id, caller.client_id, body.context_id or "", digest))))


def _masked(path: str, text: str, decision: Decision) -> str:
    found = [match for match in decision.evaluation.matches if match.path == path]
    return redact_excerpt(text, found) if found else text
