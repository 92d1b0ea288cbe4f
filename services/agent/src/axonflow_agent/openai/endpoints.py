"""``POST /v1/chat/completions``: who, decode, do, respond."""

from __future__ import annotations

import asyncio
import dataclasses

from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault, Surface
from axonflow_governance import Exchange, Governor, JudgementFailed
from axonflow_telemetry import Metrics
from axonflow_web import ClientGone, fault_response, read_body
from starlette.requests import Request
from starlette.responses import Response

from axonflow_agent.correlation import exchange_of
from axonflow_agent.governed import INLINE_BODY_BYTES, LARGE_BODIES_AT_ONCE, Door, refusal_of, unjudged
from axonflow_agent.openai.request import ChatRequest, read_chat_request, read_provider_key
from axonflow_agent.openai.service import ChatService, Outcome

PATH = "/v1/chat/completions"
KIND = "openai_compat"


@dataclasses.dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """The gateway's one endpoint; each refusal leaves its row before it is answered."""

    door: Door
    service: ChatService
    governor: Governor
    metrics: Metrics
    max_body_bytes: int
    large_bodies: asyncio.Semaphore = dataclasses.field(default_factory=lambda: asyncio.Semaphore(LARGE_BODIES_AT_ONCE))

    async def answer(self, request: Request) -> Response:
        """Answer one chat completion."""
        exchange = exchange_of(request.scope)
        caller = None
        try:
            authenticated = self.door.authenticate(request)
            self.metrics.performance.auth_ms.append(exchange.elapsed_ms)
            caller = authenticated.caller
            await self.door.admit(authenticated)
        except Fault as fault:
            await self._refused(exchange, fault, request, caller)
            return fault_response(Surface.MIDDLEWARE, fault)
        try:
            return await self._governed(exchange, request, caller)
        except (Fault, ClientGone):
            raise
        except Exception:
            # A fault of ours is answered 500 further out; like every answer it has its row.
            await self._refused(exchange, Fault(500, "Internal server error"), request, caller)
            raise

    async def _governed(self, exchange: Exchange, request: Request, caller: Caller) -> Response:
        try:
            body, chat, provider_key = await self._read(request)
        except Fault as fault:
            await self._refused(exchange, fault, request, caller)
            raise
        try:
            outcome = await self.service.complete(exchange, caller, chat, body, provider_key)
        except Fault as fault:
            self._count(exchange, _STATUS_WORDS.get(fault.status, "error"))
            raise
        except JudgementFailed as error:
            refused = unjudged(error)
            await self._refused(exchange, refused, request, caller)
            raise refused from error
        return self._respond(exchange, outcome)

    async def _read(self, request: Request) -> tuple[bytes, ChatRequest, str]:
        body = await read_body(request, self.max_body_bytes)
        return body, await self._parsed(body), read_provider_key(request.headers.get("x-provider-key"))

    async def _parsed(self, body: bytes) -> ChatRequest:
        if len(body) <= INLINE_BODY_BYTES:
            return read_chat_request(body)
        async with self.large_bodies:
            return await asyncio.to_thread(read_chat_request, body)

    async def _refused(self, exchange: Exchange, fault: Fault, request: Request, caller: Caller | None) -> None:
        self._count(exchange, "error", own=fault.status >= 500)
        await self.governor.refuse(exchange, refusal_of(fault, request, caller))

    def _respond(self, exchange: Exchange, outcome: Outcome) -> Response:
        call = outcome.call
        self.metrics.performance.network_ms.append(outcome.reply.latency_ms)
        self._count(exchange, "success" if outcome.reply.succeeded else "upstream_error")
        for kind, tokens in (("prompt", call.prompt_tokens), ("completion", call.completion_tokens)):
            if tokens:
                self.metrics.openai_tokens(kind, outcome.model_label, tokens)
        return Response(outcome.reply.body, outcome.reply.status, headers=dict(outcome.reply.headers))

    def _count(self, exchange: Exchange, status: str, *, own: bool = True) -> None:
        self.metrics.openai_requests.labels(status).inc()
        self.metrics.openai_duration_ms.observe(exchange.elapsed_ms)
        word = {"success": "success", "denied": "blocked"}.get(status, "error" if own else "refused")
        self.metrics.governed_call(KIND, word, exchange.elapsed_ms)


_STATUS_WORDS = {400: "denied", 502: "upstream_error"}
