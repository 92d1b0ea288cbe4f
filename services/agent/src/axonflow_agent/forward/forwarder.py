"""Passes one allowed request on: body whole and signed on the way in, reply streamed on the way back.

It decides nothing; who calls was settled before, and what is answered is the target's.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
from collections.abc import Mapping

import aiohttp
from axonflow_contracts.caller import ANONYMOUS_TENANT, Caller, CallerKind
from axonflow_contracts.errors import Fault
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter, target_of
from axonflow_telemetry import TraceContext
from axonflow_web import TRACE, ClientGone, read_body
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from yarl import URL

from axonflow_agent.forward.allowlist import Entry, Target
from axonflow_agent.forward.headers import forwarded_headers, identity_headers, relayed_headers

FIRST_BYTE_S = 30.0
MAP_CEILING_S = 300.0  # AXONFLOW_MAP_MAX_TIMEOUT_SECONDS' default: plans are waited for to their end (rulings.md §8)
CONNECT_S = 5.0
SILENCE_S = 60.0  # within a reply; a live event stream says something every 15 s
LARGE_BODY_BYTES = 1 << 20  # above this a body is digested in a thread and sent in pieces
_SLOW_PATHS = ("/api/v1/plan", "/api/v1/workflows/execute")
_OURS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@dataclasses.dataclass(frozen=True, slots=True)
class _Call:
    target: Target
    method: str
    url: URL
    headers: list[tuple[str, str]]
    body: bytes
    first_byte_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Forwarder:
    """Reaches the services behind the agent.

    Attributes:
        session: made with ``auto_decompress=False``, so that replies pass as they are, and without a cookie jar.
        minter: signs each request.
        urls: base address by target; a target without one answers 503.
        org_id: the deployment's organisation, for calls of nobody (signing in).
        max_body_bytes: largest request body; above it 413.
        plan_timeout_s: time to the first byte of plan routes; of all others it is `FIRST_BYTE_S`.
    """

    session: aiohttp.ClientSession
    minter: TokenMinter
    urls: Mapping[Target, str]
    org_id: str
    max_body_bytes: int
    first_byte_s: float = FIRST_BYTE_S
    plan_timeout_s: float = MAP_CEILING_S

    async def forward(self, request: Request, entry: Entry, caller: Caller | None, send: Send) -> None:
        """Ask the entry's target on behalf of ``caller`` and relay its answer.

        Raises:
            Fault: 413 for a large body, 502 when the target does not answer, 503 when it is not configured.
            ClientGone: the client hung up; the call to the target was cut.
        """
        base_url = self.urls.get(entry.target, "")
        if not base_url:
            raise Fault(503, f"{entry.target.capitalize()} service not configured")
        body = await read_body(request, self.max_body_bytes)
        call = await self._call(request.scope, entry, caller or self._nobody(), base_url, body)
        relay = asyncio.ensure_future(self._relay(call, send))
        gone = asyncio.ensure_future(_hang_up(request.receive))
        try:
            await asyncio.wait({relay, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not relay.done():
                raise ClientGone
            await relay
        finally:
            await _end(relay)
            await _end(gone)

    def _nobody(self) -> Caller:
        return Caller(org_id=self.org_id, tenant_id=ANONYMOUS_TENANT, client_id="", kind=CallerKind.COMMUNITY)

    async def _call(self, scope: Scope, entry: Entry, caller: Caller, base_url: str, body: bytes) -> _Call:
        url = URL(base_url + target_of(scope), encoded=True)
        headers = [
            *forwarded_headers(scope["headers"], entry.target),
            *identity_headers(caller),
            (TOKEN_HEADER, await self._token(entry.target, caller, scope["method"], url.raw_path_qs, body)),
            ("traceparent", _trace(scope).child_traceparent()),
            *_origin(scope),
        ]
        first_byte_s = self.plan_timeout_s if entry.path.startswith(_SLOW_PATHS) else self.first_byte_s
        return _Call(entry.target, scope["method"], url, headers, body, first_byte_s)

    async def _relay(self, call: _Call, send: Send) -> None:
        async with contextlib.AsyncExitStack() as stack:
            response = await self._answer(call, stack)
            headers = relayed_headers(response.raw_headers)
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            async for chunk in response.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _answer(self, call: _Call, stack: contextlib.AsyncExitStack) -> aiohttp.ClientResponse:
        """The target's status and headers; its body is still to come."""
        silence_s = max(call.first_byte_s, SILENCE_S)
        asked = self.session.request(
            call.method,
            call.url,
            headers=call.headers,
            data=_payload(call.body),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silence_s),
            skip_auto_headers=_OURS,
        )
        try:
            async with asyncio.timeout(call.first_byte_s):
                return await stack.enter_async_context(asked)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Fault(502, "Backend service unavailable", details={"service": call.target.value}) from error

    async def _token(self, target: Target, caller: Caller, method: str, path: str, body: bytes) -> str:
        def mint() -> str:
            return self.minter.mint(audience=target.value, caller=caller, method=method, target=path, body=body)

        return mint() if len(body) <= LARGE_BODY_BYTES else await asyncio.to_thread(mint)


def _payload(body: bytes) -> bytes | io.BytesIO | None:
    # A large body is written in pieces, so that it does not hold the loop up.
    return io.BytesIO(body) if len(body) > LARGE_BODY_BYTES else body or None


def _trace(scope: Scope) -> TraceContext:
    trace: TraceContext | None = scope.get(TRACE)
    return trace or TraceContext.from_headers(None)


def _origin(scope: Scope) -> list[tuple[str, str]]:
    client = scope.get("client")
    return [("X-Forwarded-For", client[0]), ("X-Forwarded-Proto", scope["scheme"])] if client else []


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(task: asyncio.Future[None]) -> None:
    """Cancel a task and wait until it has let go of its connection."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # looked at here, so that nobody reports it as forgotten
