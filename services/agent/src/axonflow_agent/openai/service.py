"""What happens to a chat completion: judged, sent on byte for byte, recorded, and only then answered."""

from __future__ import annotations

import asyncio
import dataclasses

from axonflow_audit import AuditUnavailable
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Verdict
from axonflow_governance import Decision, Exchange, Governor, ModelCall
from axonflow_policy import redact_excerpt
from axonflow_pricing import PriceTable, Usage
from axonflow_telemetry import Metrics

from axonflow_agent.openai.request import MODEL_PATH, ChatRequest
from axonflow_agent.openai.usage import Told, UnreadableReply, told_by
from axonflow_agent.upstream import Reply, Upstream, UpstreamFailed

PROVIDER = "openai"
STAGE = "llm"
NOT_RECORDABLE = "The audit log cannot be written: the call is refused"
_NOTHING_TOLD = Told("", Usage())
_FAILURES = {
    "unreachable": "Upstream provider request failed: the provider cannot be reached",
    "timeout": "Upstream provider request failed: the provider did not answer in time",
    "oversize": "Upstream provider request failed: the reply is larger than this gateway relays",
    "unreadable": "Upstream provider request failed: the reply cannot be read",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """An answer for the caller, the counts that metrics want, and the model's name as far as a metric may show it."""

    reply: Reply
    call: ModelCall
    model_label: str


class ChatService:
    """The governed call for chat completions."""

    def __init__(self, *, governor: Governor, upstream: Upstream, prices: PriceTable, metrics: Metrics) -> None:
        self._governor = governor
        self._metrics = metrics
        self._upstream = upstream
        self._prices = prices

    async def complete(
        self, exchange: Exchange, caller: Caller, request: ChatRequest, body: bytes, provider_key: str
    ) -> Outcome:
        """Judge ``request``; send ``body`` on when it may pass. Each way out but a failed verdict leaves its row.

        Raises:
            Fault: 400 denied by policy; 502 no usable reply; 503 no audit place.
            JudgementFailed: no verdict could be made; nothing was sent and nothing recorded.
        """
        if not self._governor.can_record:
            raise Fault(503, NOT_RECORDABLE, headers={"Retry-After": "1"})
        decision = await self._governor.judge(exchange, caller, request.content)
        self._metrics.evaluated(decision.latency_ms)
        asked = _shown_model(request.model, decision)
        if decision.denied:
            await self._record(decision, ModelCall(provider=PROVIDER, model=asked))
            raise _denial(decision)
        return await self._pass(decision, asked, body, provider_key)

    async def _pass(self, decision: Decision, asked: str, body: bytes, provider_key: str) -> Outcome:
        try:
            reply = await self._upstream.complete(body, provider_key)
            told = told_by(reply.body) if reply.succeeded else _NOTHING_TOLD
        except UpstreamFailed as error:
            await self._record(decision, _failed(decision, asked, error.reason))
            raise Fault(502, _FAILURES[error.reason], kind="server_error") from error
        except UnreadableReply as error:
            await self._record(decision, _failed(decision, asked, "unreadable"))
            raise Fault(502, _FAILURES["unreadable"], kind="server_error") from error
        except asyncio.CancelledError:
            # Cut at the end of a drain: nobody gets an answer, but the provider has the call, and may charge for it.
            await self._record(decision, _failed(decision, asked, "interrupted"))
            raise
        call = self._measure(asked, reply, told)
        await self._record(decision, call)
        return Outcome(reply, call, told.label)

    async def _record(self, decision: Decision, call: ModelCall) -> None:
        try:
            await self._governor.record(decision, stage=STAGE, call=call)
        except AuditUnavailable as error:
            raise Fault(503, NOT_RECORDABLE, headers={"Retry-After": "1"}) from error

    def _measure(self, asked: str, reply: Reply, told: Told) -> ModelCall:
        """Tokens and cost as the reply told them; zero when the provider refused."""
        model = told.model or asked
        cost = self._prices.cost(PROVIDER, model, told.usage)
        return ModelCall(
            provider=PROVIDER,
            model=model,
            prompt_tokens=told.usage.prompt,
            completion_tokens=told.usage.completion,
            cached_tokens=told.usage.cached,
            cost_usd=cost.usd,
            cost_estimated=cost.estimated,
            latency_ms=reply.latency_ms,
            status=reply.status,
            metadata={"usage": told.note} if told.note else {},
        )


def _failed(decision: Decision, asked: str, reason: str) -> ModelCall:
    return ModelCall(provider=PROVIDER, model=asked, latency_ms=decision.exchange.elapsed_ms, error=reason)


def _shown_model(model: str, decision: Decision) -> str:
    """The name as a row may hold it: it is the caller's text, and may be what a policy found."""
    found = [match for match in decision.evaluation.matches if match.path == MODEL_PATH]
    return redact_excerpt(model, found) if found else model


def _denial(decision: Decision) -> Fault:
    asks = decision.verdict is Verdict.NEEDS_APPROVAL
    what = "needs approval" if asks else "blocked by policy"
    message = f"Request {what}: {decision.evaluation.reason}"
    return Fault(400, message, kind="policy_violation", code="policy_denied")
