"""``POST /v1/chat/completions``: who, decode, do, respond."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault, Surface
from axonflow_governance import Exchange, Governor, Refusal
from axonflow_telemetry import Metrics
from axonflow_web import fault_response, read_body
from starlette.requests import Request
from starlette.responses import Response

from axonflow_agent.auth.authenticator import Authenticated
from axonflow_agent.correlation import exchange_of
from axonflow_agent.openai.request import ChatRequest, read_chat_request, read_provider_key
from axonflow_agent.openai.service import ChatService, Outcome

PATH = "/v1/chat/completions"


class Door(Protocol):
    """Authentication and the client's rate limit; both raise a `Fault` of the authentication middleware."""

    def authenticate(self, request: Request) -> Authenticated:
        """Who calls."""
        ...

    async def admit(self, authenticated: Authenticated) -> None:
        """Count the call against its client's limit."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """The gateway's one endpoint; each refusal leaves its row before it is answered."""

    door: Door
    service: ChatService
    governor: Governor
    metrics: Metrics
    max_body_bytes: int

    async def answer(self, request: Request) -> Response:
        """Answer one chat completion."""
        exchange = exchange_of(request.scope)
        caller = None
        try:
            authenticated = self.door.authenticate(request)
            caller = authenticated.caller
            await self.door.admit(authenticated)
        except Fault as fault:
            await self._refused(exchange, fault, request, caller)
            return fault_response(Surface.MIDDLEWARE, fault)
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
        return self._respond(exchange, outcome)

    async def _read(self, request: Request) -> tuple[bytes, ChatRequest, str]:
        body = await read_body(request, self.max_body_bytes)
        return body, read_chat_request(body), read_provider_key(request.headers.get("x-provider-key"))

    async def _refused(self, exchange: Exchange, fault: Fault, request: Request, caller: Caller | None) -> None:
        self._count(exchange, "error")
        refusal = Refusal(
            status=fault.status,
            reason=_REASONS.get(fault.status, "malformed"),
            message=fault.message,
            address=request.client.host if request.client else "",
            caller=caller,
        )
        await self.governor.refuse(exchange, refusal)

    def _respond(self, exchange: Exchange, outcome: Outcome) -> Response:
        call = outcome.call
        self._count(exchange, "success" if 200 <= call.status < 300 else "upstream_error")
        for kind, tokens in (("prompt", call.prompt_tokens), ("completion", call.completion_tokens)):
            if tokens:
                self.metrics.openai_tokens(kind, call.model, tokens)
        return Response(outcome.reply.body, outcome.reply.status, headers=dict(outcome.reply.headers))

    def _count(self, exchange: Exchange, status: str) -> None:
        self.metrics.openai_requests.labels(status).inc()
        self.metrics.openai_duration_ms.observe(exchange.elapsed_ms)


_STATUS_WORDS = {400: "denied", 502: "upstream_error"}
_REASONS = {401: "unauthenticated", 403: "forbidden", 413: "oversize", 429: "rate_limited", 503: "unavailable"}
