"""``POST /api/v1/decide``: a verdict, its obligations and nothing else; what happens to the call is the gateway's."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from axonflow_contracts.errors import Fault, Surface
from axonflow_contracts.verdicts import WIRE_WORDS, Action, Plane, Verdict, Wire
from axonflow_governance import Decision, Exchange, Particulars
from axonflow_policy import Content, Part, redact_excerpt
from axonflow_telemetry import Metrics
from starlette.responses import Response

from axonflow_agent.decision.body import DecideBody, refuse_foreign
from axonflow_agent.decision.context import ContextAllowlist
from axonflow_agent.governed import Adapter, Call
from axonflow_agent.openai.content import parts_of

PATH = "/api/v1/decide"
KIND = "decide"
REQUIRE_APPROVAL = "require_approval"
_NO_STAGE = "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class DecisionPlane:
    """Decision Mode.

    Attributes:
        expires_after_s: how long an answer may be relied on, in seconds.
        allowlist: which context values are kept.
    """

    metrics: Metrics
    expires_after_s: float
    allowlist: ContextAllowlist

    def adapter(self) -> Adapter:
        """The plane as the governed call takes it."""
        return Adapter(
            path=PATH,
            plane=Plane.DECISION,
            kind=KIND,
            surface=Surface.DECIDE,
            door_surface=Surface.DECIDE,
            answer=self.answer,
            refused=self.refused,
        )

    async def answer(self, call: Call) -> Response:
        """Decide; every policy outcome is a 200."""
        body = call.read(DecideBody)
        stage, query = body.checked()
        identity = body.caller_identity
        if identity is not None:
            refuse_foreign(call.caller, identity)
        named = identity.tenant_id if identity and call.is_community else None
        call.claim(client_id=named or "", user_token=body.user_token or "")
        told = _Told(
            target=body.target.named if body.target else {},
            context=self.allowlist.kept(body.context or {}),
            gateway_id=(identity.gateway_id or "")[:256] if identity else "",
        )
        decision = await call.judge(Content((*parts_of(query, "query"), *told.parts())))
        await call.record(decision, stage=stage, particulars=told.particulars(decision, stage))
        verdict = WIRE_WORDS[Wire.DECIDE][decision.verdict]
        self._count(call.exchange, verdict, stage)
        return call.json(self._body(decision, verdict, stage))

    def refused(self, exchange: Exchange, _fault: Fault) -> None:
        """Count a call that got no verdict."""
        self._count(exchange, "error", _NO_STAGE)

    def _count(self, exchange: Exchange, verdict: str, stage: str) -> None:
        self.metrics.decision_requests.labels(verdict, stage).inc()
        self.metrics.decision_duration_ms.observe(exchange.elapsed_ms)

    def _body(self, decision: Decision, verdict: str, stage: str) -> dict[str, Any]:
        exchange = decision.exchange
        matches = decision.evaluation.matches
        reasons = list(dict.fromkeys(match.reason for match in matches))
        if decision.evaluation.failure:
            reasons = [decision.evaluation.reason]
        return {
            "verdict": verdict,
            "decision_id": exchange.decision_id,
            "trace_id": exchange.trace.trace_id,
            "stage": stage,
            "reasons": [REQUIRE_APPROVAL] if decision.verdict is Verdict.NEEDS_APPROVAL else reasons,
            "obligations": [] if decision.denied else obligations(decision),
            "evaluated_policies": list(dict.fromkeys(match.policy_id for match in matches)),
            "expires_at": exchange.received_at + timedelta(seconds=self.expires_after_s),
        }


def obligations(decision: Decision) -> list[dict[str, str]]:
    """What the caller must do before the call goes on: at most one ``redact_pii``."""
    policies = dict.fromkeys(m.policy_id for m in decision.evaluation.matches if m.action is Action.REDACT)
    if not policies:
        return []
    return [{"type": "redact_pii", "detail": f"Mask what was found by {', '.join(policies)}"}]


@dataclasses.dataclass(frozen=True, slots=True)
class _Told:
    """What a gateway says of a call beside its text; judged like text, since the row keeps it."""

    target: dict[str, str]
    context: dict[str, str]
    gateway_id: str

    def parts(self) -> list[Part]:
        return [Part(f"{group}.{name}", value) for group, name, value in self._values()]

    def particulars(self, decision: Decision, stage: str) -> Particulars:
        shown = {(group, name): _shown(f"{group}.{name}", value, decision) for group, name, value in self._values()}
        metadata: dict[str, Any] = {"stage": stage}
        target = {name: shown["target", name] for name in self.target}
        if target:
            metadata["target"] = target
        if self.gateway_id:
            metadata["gateway_id"] = shown["caller_identity", "gateway_id"]
        context = {name: shown["context", name] for name in self.context}
        return Particulars(request_type=KIND, metadata=metadata, context=context)

    def _values(self) -> list[tuple[str, str, str]]:
        identity = [("caller_identity", "gateway_id", self.gateway_id)] if self.gateway_id else []
        targets = [("target", name, value) for name, value in self.target.items()]
        return [*targets, *identity, *(("context", name, value) for name, value in self.context.items())]


def _shown(path: str, value: str, decision: Decision) -> str:
    found = [match for match in decision.evaluation.matches if match.path == path]
    return redact_excerpt(value, found) if found else value
