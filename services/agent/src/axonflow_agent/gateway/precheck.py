"""``POST /api/policy/pre-check``: may the application call its model with this text, and under which context."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

from axonflow_audit import GatewayContextRow
from axonflow_contracts.errors import Fault, Surface
from axonflow_contracts.verdicts import Action, Plane, Verdict
from axonflow_governance import Decision, Exchange, Particulars
from axonflow_guards import Admission
from axonflow_policy import Content
from axonflow_telemetry import Metrics
from starlette.responses import Response

from axonflow_agent.gateway.bodies import PreCheckBody
from axonflow_agent.gateway.sources import DataSources, Fetched, permitted
from axonflow_agent.gateway.store import VALIDITY
from axonflow_agent.governed import Adapter, Call
from axonflow_agent.openai.content import parts_of

PATH = "/api/policy/pre-check"
KIND = "pre_check"
STAGE = "llm"
REQUIRE_APPROVAL = "require_approval"
_INDIAN = "pii-india"


@dataclasses.dataclass(frozen=True, slots=True)
class PreCheckPlane:
    """Step one of Gateway Mode; a denial is an answer like any other."""

    metrics: Metrics
    sources: DataSources

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
        """Judge, fetch what may be fetched, and make the context durable before the client hears of it."""
        body = call.read(PreCheckBody)
        query, sources = body.checked()
        call.claim(client_id=body.client_id or "", user_token=body.user_token or "")
        decision = await call.judge(Content(parts_of(query, "query")))
        fetched = Fetched()
        if sources and decision.verdict is Verdict.ALLOWED and not _redacts(decision):
            fetched = await self._fetched(call, decision, permitted(call.caller, sources), query)
        context = _context_row(decision, body, sources)
        metadata: dict[str, Any] = {"data_sources": list(fetched.data)} if fetched.data else {}
        if fetched.skipped:
            metadata["skipped_sources"] = dict(fetched.skipped)
        particulars = Particulars(request_type=KIND, metadata=metadata, details=(context,))
        await call.record(decision, stage=STAGE, particulars=particulars)
        self._count(decision, approved=context.approved)
        return call.json(_answer(decision, context, fetched.data, call.admission))

    async def _fetched(self, call: Call, decision: Decision, sources: tuple[str, ...], query: str) -> Fetched:
        try:
            return await self.sources.fetch(call, sources, query)
        except asyncio.CancelledError:
            # Cut at the end of a drain: nobody learns of a context, but the sources were asked.
            metadata = {"interrupted": True, "asked_sources": list(sources)}
            await call.record(decision, stage=STAGE, particulars=Particulars(request_type=KIND, metadata=metadata))
            raise

    def refused(self, exchange: Exchange, _fault: Fault) -> None:
        """Count a call that got no verdict."""
        self.metrics.gateway.prechecks.labels("error", "false").inc()
        self.metrics.gateway.precheck_duration_ms.observe(exchange.elapsed_ms)

    def _count(self, decision: Decision, *, approved: bool) -> None:
        series = self.metrics.gateway
        series.prechecks.labels("success", str(approved).lower()).inc()
        series.precheck_duration_ms.observe(decision.exchange.elapsed_ms)
        found = {match.policy_id for match in decision.evaluation.matches if match.category == _INDIAN}
        for policy_id in found:  # rows of the catalogue alone carry this category on this plane
            series.indian_pii.labels(policy_id.removeprefix("sys_pii_"), str(not approved).lower()).inc()


def _redacts(decision: Decision) -> bool:
    return any(match.action is Action.REDACT for match in decision.evaluation.matches)


def _context_row(decision: Decision, body: PreCheckBody, sources: tuple[str, ...]) -> GatewayContextRow:
    exchange, caller = decision.exchange, decision.caller
    reason = None
    if decision.denied:
        asks = decision.verdict is Verdict.NEEDS_APPROVAL
        reason = REQUIRE_APPROVAL if asks else decision.evaluation.reason
    return GatewayContextRow(
        org_id=caller.org_id,
        created_at=exchange.received_at,
        id=exchange.decision_id,
        tenant_id=caller.tenant_id,
        client_id=caller.client_id,
        user_token_hash=hashlib.sha256(body.user_token.encode()).hexdigest() if body.user_token else None,
        query_hash=decision.content_hash,
        data_sources=sources,
        policies_evaluated=tuple(dict.fromkeys(match.policy_id for match in decision.evaluation.matches)),
        approved=not decision.denied,
        block_reason=reason,
        expires_at=exchange.received_at + VALIDITY,
    )


def _answer(
    decision: Decision, context: GatewayContextRow, data: Mapping[str, Any], admission: Admission | None
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "context_id": context.id,
        "approved": context.approved,
        "requires_redaction": context.approved and _redacts(decision),
        "policies": list(context.policies_evaluated),
        "approved_data": dict(data),
        "expires_at": context.expires_at,
        "trace_id": decision.exchange.trace.trace_id,
    }
    if context.block_reason is not None:
        answer["block_reason"] = context.block_reason
    if admission is not None:
        left = {"limit": admission.limit, "remaining": admission.remaining, "reset_at": admission.reset_at}
        answer["rate_limit"] = left
    return answer
