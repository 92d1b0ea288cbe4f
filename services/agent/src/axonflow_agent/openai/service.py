"""What happens to a chat completion: judged, sent on byte for byte, recorded, and only then answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec
from axonflow_audit import AuditUnavailable
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Verdict
from axonflow_governance import Decision, Exchange, Governor, JudgementFailed, ModelCall
from axonflow_pricing import PriceTable, Usage

from axonflow_agent.openai.request import ChatRequest
from axonflow_agent.upstream import Reply, Upstream, UpstreamFailed

PROVIDER = "openai"
STAGE = "llm"
NOT_RECORDABLE = "The audit log cannot be written: the call is refused"
_FAILURES = {
    "unreachable": "Upstream provider request failed: the provider cannot be reached",
    "timeout": "Upstream provider request failed: the provider did not answer in time",
    "oversize": "Upstream provider request failed: the reply is larger than this gateway relays",
    "unreadable": "Upstream provider request failed: the reply cannot be read",
}


class _PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None


class _Completion(msgspec.Struct, frozen=True):
    model: str = ""
    usage: _Usage | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """An answer for the caller, and the counts that metrics want."""

    reply: Reply
    call: ModelCall


class ChatService:
    """The governed call for chat completions."""

    def __init__(self, *, governor: Governor, upstream: Upstream, prices: PriceTable) -> None:
        self._governor = governor
        self._upstream = upstream
        self._prices = prices

    async def complete(
        self, exchange: Exchange, caller: Caller, request: ChatRequest, body: bytes, provider_key: str
    ) -> Outcome:
        """Judge ``request``; send ``body`` on when it may pass.

        Raises:
            Fault: 400 denied by policy; 502 no usable reply; 503 no verdict or no audit place.
        """
        if not self._governor.can_record:
            raise Fault(503, NOT_RECORDABLE, headers={"Retry-After": "1"})
        try:
            decision = await self._governor.judge(exchange, caller, request.content)
        except JudgementFailed as error:
            raise Fault(503, "No policy verdict could be made: the call is refused") from error
        if decision.denied:
            await self._record(decision, ModelCall(provider=PROVIDER, model=request.model))
            raise _denial(decision)
        return await self._pass(decision, request, body, provider_key)

    async def _pass(self, decision: Decision, request: ChatRequest, body: bytes, provider_key: str) -> Outcome:
        try:
            reply = await self._upstream.complete(body, provider_key)
            call = self._measure(request, reply)
        except UpstreamFailed as error:
            failed = ModelCall(
                provider=PROVIDER,
                model=request.model,
                latency_ms=decision.exchange.elapsed_ms,
                error=error.reason,
            )
            await self._record(decision, failed)
            raise Fault(502, _FAILURES[error.reason], kind="server_error") from error
        await self._record(decision, call)
        return Outcome(reply, call)

    async def _record(self, decision: Decision, call: ModelCall) -> None:
        try:
            await self._governor.record(decision, stage=STAGE, call=call)
        except AuditUnavailable as error:
            raise Fault(503, NOT_RECORDABLE, headers={"Retry-After": "1"}) from error

    def _measure(self, request: ChatRequest, reply: Reply) -> ModelCall:
        """Tokens and cost from the reply's ``usage``; zero when the provider refused.

        Raises:
            UpstreamFailed: a success whose body is not the JSON it must be.
        """
        if not 200 <= reply.status < 300:
            return ModelCall(provider=PROVIDER, model=request.model, latency_ms=reply.latency_ms, status=reply.status)
        completion = _completion_of(reply.body)
        told = completion.usage or _Usage()
        cached = told.prompt_tokens_details.cached_tokens if told.prompt_tokens_details else 0
        usage = Usage(
            prompt=max(0, told.prompt_tokens), completion=max(0, told.completion_tokens), cached=max(0, cached or 0)
        )
        cost = self._prices.cost(PROVIDER, completion.model or request.model, usage)
        return ModelCall(
            provider=PROVIDER,
            model=completion.model or request.model,
            prompt_tokens=usage.prompt,
            completion_tokens=usage.completion,
            cached_tokens=usage.cached,
            cost_usd=cost.usd,
            cost_estimated=cost.estimated,
            latency_ms=reply.latency_ms,
            status=reply.status,
            metadata=_usage_note(completion),
        )


def _completion_of(body: bytes) -> _Completion:
    try:
        return msgspec.json.decode(body, type=_Completion)
    except msgspec.ValidationError:
        # JSON, but of another shape: the provider's own business, relayed as it is and counted as nothing.
        return _Completion()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamFailed("unreadable") from error


def _usage_note(completion: _Completion) -> Mapping[str, Any]:
    return {} if completion.usage else {"usage": "missing"}


def _denial(decision: Decision) -> Fault:
    if decision.verdict is Verdict.NEEDS_APPROVAL:
        return Fault(
            400,
            f"Request needs approval: {decision.evaluation.reason}",
            kind="policy_violation",
            code="policy_denied",
        )
    return Fault(
        400,
        f"Request blocked by policy: {decision.evaluation.reason}",
        kind="policy_violation",
        code="policy_denied",
    )
