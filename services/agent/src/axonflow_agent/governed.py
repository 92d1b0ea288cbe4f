"""What every governed JSON plane shares: the door, the body, a verdict, a durable row, and a row for each refusal.

A plane is a function from `Call` to an answer, described by an `Adapter`::

    async def answer(call: Call) -> Response:
        body = call.read(Body)
        decision = await call.judge(Content.of(body.statement))
        await call.record(decision, stage="tool")
        return call.json({"allowed": not decision.denied})

Whatever it raises before it has recorded leaves a row and is answered in the plane's envelope; what it raises after
that is only answered.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import msgspec
from axonflow_audit import AuditUnavailable
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault, Surface
from axonflow_contracts.verdicts import Phase, Plane
from axonflow_governance import (
    CallStopped,
    Decision,
    Exchange,
    Governor,
    JudgementFailed,
    ModelCall,
    Particulars,
    Refusal,
)
from axonflow_guards import Admission
from axonflow_internal_auth import TOKEN_HEADER
from axonflow_policy import Content
from axonflow_telemetry import Metrics
from axonflow_web import ClientGone, fault_response, read_body, replay, strict_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axonflow_agent.auth.authenticator import Authenticated
from axonflow_agent.correlation import exchange_of

logger = logging.getLogger("axonflow.agent")

T = TypeVar("T")

NOT_RECORDABLE = "The audit log cannot be written: the call is refused"
# The worst body of this size takes 20 ms to read; a larger one would hold the loop, and other callers, for too long.
INLINE_BODY_BYTES = 16 * 1024
LARGE_BODIES_AT_ONCE = 2
REASONS = {
    401: "unauthenticated",
    402: "budget",
    403: "forbidden",
    408: "timeout",
    413: "oversize",
    429: "rate_limited",
    500: "internal",
    503: "unavailable",
}


class Door(Protocol):
    """Authentication and the client's rate limit; each raises a `Fault`."""

    def authenticate(self, request: Request) -> Authenticated:
        """Who calls."""
        ...

    async def admit(self, authenticated: Authenticated) -> Admission | None:
        """Count the call against its client's limit, and say what is left of it."""
        ...

    async def enter_or_service(self, request: Request) -> Caller:
        """The client that calls, or the caller that another service vouches for."""
        ...

    def claimed(self, caller: Caller, *, client_id: str, user_token: str) -> Caller:
        """The caller, with what a body says of it."""
        ...


class GovernedRoute(Route):
    """A path whose every answer, a refusal of any kind included, carries a decision id and leaves a row."""

    def __init__(
        self, path: str, endpoint: Callable[[Request], Awaitable[Response]], plane: Plane, method: str = "POST"
    ) -> None:
        super().__init__(path, endpoint, methods=[method])
        self.plane = plane
        self.method = method


@dataclasses.dataclass(slots=True, kw_only=True)
class Call:
    """One governed request that came through the door.

    Attributes:
        caller: for whom it is judged; `claim` may sharpen it.
        admission: what is left of the client's limit, when it has one.
        document: the body, one unambiguous JSON object.
        recorded: whether its row is written, so that nothing further writes one.
        status: what ``/metrics`` counts it as, once it is answered.
    """

    exchange: Exchange
    caller: Caller
    request: Request
    governed: Governed
    admission: Admission | None = None
    document: dict[str, Any] = dataclasses.field(default_factory=dict)
    recorded: bool = False
    status: str = "success"

    def read(self, kind: type[T]) -> T:
        """The body as ``kind``; members that it does not have are left alone.

        Raises:
            Fault: 400 for a member of another type.
        """
        try:
            return msgspec.convert(self.document, kind)
        except msgspec.ValidationError as error:
            raise Fault(400, f"Invalid request body: {error}") from error

    @property
    def is_community(self) -> bool:
        """Whether nobody has to prove anything, so that a body may name its sender."""
        return self.caller.kind is CallerKind.COMMUNITY

    def claim(self, *, client_id: str = "", user_token: str = "") -> None:
        """Take the identity that a body names: it may equal the proven one or be empty, never replace it.

        Raises:
            Fault: 401 for a user token that does not hold, 403 for another client or a user of another tenant.
        """
        self.caller = self.governed.door.claimed(self.caller, client_id=client_id, user_token=user_token)

    async def judge(
        self, content: Content, *, phase: Phase = Phase.REQUEST, tenant_rules: bool = False, gated: bool = True
    ) -> Decision:
        """Decide on ``content``, as `Governor.judge` does; the plane must `record` the decision before it answers.

        Raises:
            Fault: 503 when no verdict can be made, or none could be recorded.
        """
        governor = self.governed.governor
        if not governor.can_record:
            raise Fault(503, NOT_RECORDABLE, headers={"Retry-After": "1"})
        try:
            decision = await governor.judge(
                self.exchange, self.caller, content, phase=phase, tenant_rules=tenant_rules, gated=gated
            )
        except JudgementFailed as error:
            raise unjudged(error) from error
        self.governed.metrics.evaluated(decision.latency_ms)
        return decision

    async def record(
        self,
        decision: Decision,
        *,
        stage: str | None,
        call: ModelCall | None = None,
        particulars: Particulars | None = None,
    ) -> None:
        """Make the decision's row durable, as `Governor.record` does.

        Raises:
            Fault: 503, no place takes it; the caller must not get its answer.
        """
        try:
            await self.governed.governor.record(decision, stage=stage, call=call, particulars=particulars)
        except AuditUnavailable as error:
            self.recorded = True  # there is no place for the refusal's row either
            raise Fault(503, NOT_RECORDABLE, headers={"Retry-After": "1"}) from error
        self.recorded = True
        if decision.denied:
            self.status = "blocked"

    def json(self, body: object, status: int = 200) -> Response:
        """An answer."""
        return Response(msgspec.json.encode(body), status, media_type="application/json")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """How one plane differs from the others.

    Attributes:
        path: the one path it answers ``POST`` on.
        kind: its name in ``/metrics``.
        surface: the envelope of its errors, and ``door_surface`` of those that authentication and limits raise.
        answer: what it does with a call.
        refused: told of each fault that is answered, for the plane's own series.
        admits_services: whether another service may call with an internal token.
    """

    path: str
    plane: Plane
    kind: str
    surface: Surface
    door_surface: Surface
    answer: Callable[[Call], Awaitable[Response]]
    refused: Callable[[Exchange, Fault], None] = lambda _exchange, _fault: None
    admits_services: bool = False


@dataclasses.dataclass(slots=True)
class _Attempt:
    """How far a request has come: what has to be known to refuse it."""

    adapter: Adapter
    exchange: Exchange
    request: Request
    surface: Surface
    call: Call | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Governed:
    """What the planes of a process share; makes their routes."""

    door: Door
    governor: Governor
    metrics: Metrics
    max_body_bytes: int
    large_bodies: asyncio.Semaphore = dataclasses.field(default_factory=lambda: asyncio.Semaphore(LARGE_BODIES_AT_ONCE))

    def route(self, adapter: Adapter) -> GovernedRoute:
        """The URL table's entry of a plane."""

        async def endpoint(request: Request) -> Response:
            return await self._serve(adapter, request)

        return GovernedRoute(adapter.path, endpoint, adapter.plane)

    async def _serve(self, adapter: Adapter, request: Request) -> Response:
        attempt = _Attempt(adapter, exchange_of(request.scope), request, adapter.door_surface)
        try:
            call = await self._entered(attempt)
            attempt.surface = adapter.surface
            call.document = await self._document(call.request)
            response = await adapter.answer(call)
        except ClientGone:
            raise
        except Fault as fault:
            return await self._refused(attempt, fault)
        except Exception:
            logger.exception("a governed call failed on a bug")
            return await self._refused(attempt, Fault(500, "Internal server error"))
        self.metrics.governed_call(adapter.kind, call.status, call.exchange.elapsed_ms)
        return response

    async def _entered(self, attempt: _Attempt) -> Call:
        """The call of whoever came through the door; a service has no limit of its own."""
        started = time.perf_counter()
        request, who = attempt.request, None
        if attempt.adapter.admits_services and TOKEN_HEADER in request.headers:
            # The token covers the body, so the body is read first, and once more by the plane.
            body = await read_body(request, self.max_body_bytes)
            caller = await self.door.enter_or_service(Request(request.scope, replay(body, request.receive)))
            request = Request(request.scope, replay(body, request.receive))
        else:
            who = self.door.authenticate(request)
            caller = who.caller
        call = attempt.call = Call(exchange=attempt.exchange, caller=caller, request=request, governed=self)
        self.metrics.performance.auth_ms.append((time.perf_counter() - started) * 1000)
        if who is not None:
            call.admission = await self.door.admit(who)
        return call

    async def _document(self, request: Request) -> dict[str, Any]:
        body = await read_body(request, self.max_body_bytes)
        if len(body) <= INLINE_BODY_BYTES:
            document = strict_json.loads(body)
        else:
            async with self.large_bodies:
                document = await asyncio.to_thread(strict_json.loads, body)
        if not isinstance(document, dict):
            raise Fault(400, "Invalid request body: a JSON object is expected")
        return document

    async def _refused(self, attempt: _Attempt, fault: Fault) -> Response:
        exchange, call = attempt.exchange, attempt.call
        if fault.status >= 500 and fault.__cause__ is not None:
            logger.warning("answered %s: %s", fault.status, fault.message, exc_info=fault.__cause__)
        if call is None or not call.recorded:
            await self.governor.refuse(exchange, refusal_of(fault, attempt.request, call.caller if call else None))
        status = "error" if fault.status >= 500 else "refused"
        self.metrics.governed_call(attempt.adapter.kind, status, exchange.elapsed_ms)
        attempt.adapter.refused(exchange, fault)
        return fault_response(attempt.surface, correlated(attempt.surface, exchange, fault))


def refusal_of(fault: Fault, request: Request, caller: Caller | None) -> Refusal:
    """What the record is told of a request that is turned away with ``fault``."""
    return Refusal(
        status=fault.status,
        reason=fault.code if fault.code == CallStopped.code else REASONS.get(fault.status, "malformed"),
        message=fault.message,
        address=request.client.host if request.client else "",
        caller=caller,
    )


def unjudged(error: JudgementFailed) -> Fault:
    """How a call is refused that no verdict could be made for."""
    return Fault(503, error.public, code=error.code, headers=error.headers)


def correlated(surface: Surface, exchange: Exchange, fault: Fault) -> Fault:
    """``fault`` with both ids in its details, where the surface's envelope tells them."""
    if surface is Surface.DECIDE:
        fault.details |= {"decision_id": exchange.decision_id, "trace_id": exchange.trace.trace_id}
    return fault
