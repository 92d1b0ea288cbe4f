"""Requests through the agent's forwarder to a service on a real socket, and the reply on its way back."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from axonflow_agent.forward import Target
from axonflow_internal_auth import TOKEN_HEADER, TokenVerifier
from axonflow_web import read_body
from starlette.types import Receive, Scope, Send
from support.agent_door import SECRET, WHO, door
from support.serving import SERVERS, plain_app, served
from yarl import URL

PLAN = "/api/v1/plan"
Behave = Callable[[Scope, Receive, Send], Awaitable[None]]


async def answer(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


class Backend:
    """A service behind the agent; it records what arrives and behaves as a test says."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []
        self.callers: list[Any] = []
        self.behave: Behave | None = None
        self.verifier = TokenVerifier((SECRET,), "orchestrator")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, 1 << 26)
        self.scopes.append(scope)
        self.bodies.append(body)
        target = scope["raw_path"].decode() + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        token = dict(scope["headers"])[TOKEN_HEADER.encode()].decode()
        self.callers.append(await self.verifier.verify(token, scope["method"], target, body))
        if self.behave is None:
            await answer(send, 200, b'{"ok": true}', (b"content-type", b"application/json"))
        else:
            await self.behave(scope, receive, send)

    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.scopes[-1]["headers"]}


@pytest.fixture
async def backend() -> AsyncIterator[tuple[Backend, str]]:
    service = Backend()
    async with served(plain_app(service.handle)) as port:
        yield service, f"http://127.0.0.1:{port}"


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield session


def to_orchestrator(url: str) -> dict[Target, str]:
    return {Target.ORCHESTRATOR: url}


async def test_a_request_arrives_whole_signed_and_stamped(backend: tuple[Backend, str], client: aiohttp.ClientSession):
    service, url = backend
    body = json.dumps({"query": "trip to Lisbon"}, indent=7).encode()
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    sent = {
        "Authorization": "Basic right",
        "X-Org-ID": "evil",
        "X-User-Email": "ceo@acme",
        TOKEN_HEADER: "forged",
        "Idempotency-Key": "k1",
        "traceparent": f"00-{trace_id}-b7ad6b7169203331-01",
    }
    async with door(to_orchestrator(url)) as port, client.post(
        URL(f"http://127.0.0.1:{port}{PLAN}?a=1&b=%20x%2Fy", encoded=True), data=body, headers=sent
    ) as reply:  # fmt: skip
        assert (reply.status, await reply.json()) == (200, {"ok": True})
    assert service.bodies == [body]
    assert service.callers == [WHO]
    assert (service.scopes[0]["raw_path"], service.scopes[0]["query_string"]) == (PLAN.encode(), b"a=1&b=%20x%2Fy")
    received = service.headers()
    assert "authorization" not in received
    assert (received["x-org-id"], received["x-tenant-id"], received["x-client-id"]) == ("acme", "tenant-1", "client-1")
    assert (received["x-user-email"], received["idempotency-key"]) == ("a@b.c", "k1")
    assert received["host"] == url.removeprefix("http://")
    assert received["traceparent"].split("-")[1] == trace_id
    assert received["traceparent"].split("-")[2] != "b7ad6b7169203331"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 301, 307, 400, 404, 409, 429, 500, 501, 503])
async def test_every_status_is_relayed_with_body_and_headers(
    backend: tuple[Backend, str], client: aiohttp.ClientSession, status: int
):
    service, url = backend
    text = b"" if status == 204 else b'{"error": {"code": "X"}}'

    async def behave(_scope: Scope, _receive: Receive, send: Send) -> None:
        location = (b"location", b"/elsewhere")
        await answer(
            send, status, text, (b"retry-after", b"3"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), location
        )

    service.behave = behave
    async with door(to_orchestrator(url)) as port, client.get(
        f"http://127.0.0.1:{port}{PLAN}/p1", allow_redirects=False
    ) as reply:  # fmt: skip
        assert (reply.status, await reply.read()) == (status, text)
        assert reply.headers.getall("set-cookie") == ["a=1", "b=2"]
        assert (reply.headers["retry-after"], reply.headers["location"]) == ("3", "/elsewhere")


async def test_an_encoded_reply_is_relayed_as_it_is(backend: tuple[Backend, str], client: aiohttp.ClientSession):
    service, url = backend
    packed = gzip.compress(b"x" * 10_000)

    async def behave(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, 200, packed, (b"content-encoding", b"gzip"), (b"content-length", str(len(packed)).encode()))

    service.behave = behave
    async with door(to_orchestrator(url)) as port, client.get(f"http://127.0.0.1:{port}{PLAN}/p1") as reply:
        assert (reply.headers["content-encoding"], await reply.read()) == ("gzip", packed)


@pytest.mark.parametrize("server", SERVERS)
async def test_events_arrive_one_by_one_and_the_stream_ends_when_the_client_leaves(
    backend: tuple[Backend, str], server: str
):
    service, url = backend
    next_event, left = asyncio.Event(), asyncio.Event()

    async def behave(_scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"event: status\ndata: 1\n\n", "more_body": True})
        await next_event.wait()
        await send({"type": "http.response.body", "body": b"data: 2\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    service.behave = behave
    async with door(to_orchestrator(url), server=server) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /api/v1/unified/executions/e1/stream HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-type: text/event-stream" in head.lower()
        await reader.readuntil(b"data: 1\n\n")  # while the service still waits to make the second
        next_event.set()
        await reader.readuntil(b"data: 2\n\n")
        writer.close()
        await left.wait()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_client_that_leaves_before_the_first_byte_ends_the_call(backend: tuple[Backend, str]):
    service, url = backend
    asked, left = asyncio.Event(), asyncio.Event()

    async def behave(_scope: Scope, receive: Receive, _send: Send) -> None:
        asked.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    service.behave = behave
    async with door(to_orchestrator(url)) as port, asyncio.timeout(10):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/v1/plan/p1 HTTP/1.1\r\nHost: x\r\n\r\n")
        await asked.wait()
        writer.close()
        await left.wait()


async def test_a_service_that_is_down_is_502_and_named(client: aiohttp.ClientSession):
    async with (
        door(to_orchestrator("http://127.0.0.1:9")) as port,
        client.get(f"http://127.0.0.1:{port}{PLAN}/p1") as reply,
    ):
        assert (reply.status, await reply.json()) == (
            502, {"error": "Backend service unavailable", "service": "orchestrator"},
        )  # fmt: skip


async def test_a_service_that_says_nothing_is_502_after_the_time_to_the_first_byte(
    backend: tuple[Backend, str], client: aiohttp.ClientSession
):
    service, url = backend

    async def silent(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    service.behave = silent
    async with door(to_orchestrator(url), first_byte_s=0.3, plan_timeout_s=30.0) as port, asyncio.timeout(10):
        async with client.get(f"http://127.0.0.1:{port}/api/v1/budgets") as reply:
            assert reply.status == 502
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1), client.post(f"http://127.0.0.1:{port}{PLAN}/execute", data=b"{}"):
                pytest.fail("a plan is waited for longer than everything else")


async def test_the_time_to_the_first_byte_does_not_cut_a_reply_that_goes_on(
    backend: tuple[Backend, str], client: aiohttp.ClientSession
):
    service, url = backend

    async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(5):
            await asyncio.sleep(0.2)
            await send({"type": "http.response.body", "body": b".", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    service.behave = slow
    async with door(to_orchestrator(url), first_byte_s=0.4) as port, client.get(
        f"http://127.0.0.1:{port}/api/v1/budgets"
    ) as reply:  # fmt: skip
        assert await reply.read() == b"....."


async def test_half_a_reply_is_not_passed_off_as_a_whole_one(
    backend: tuple[Backend, str], client: aiohttp.ClientSession
):
    service, url = backend

    async def breaks(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    service.behave = breaks
    async with door(to_orchestrator(url)) as port:
        with pytest.raises(aiohttp.ClientError):
            async with client.get(f"http://127.0.0.1:{port}/api/v1/budgets") as reply:
                await reply.read()


async def test_a_service_that_is_not_configured_is_503(client: aiohttp.ClientSession):
    async with door({}) as port, client.get(f"http://127.0.0.1:{port}{PLAN}/p1") as reply:
        assert (reply.status, await reply.json()) == (503, {"error": "Orchestrator service not configured"})


async def test_a_failed_authentication_is_flat_and_goes_nowhere(
    backend: tuple[Backend, str], client: aiohttp.ClientSession
):
    service, url = backend
    async with door(to_orchestrator(url)) as port, client.get(
        f"http://127.0.0.1:{port}{PLAN}/p1", headers={"Authorization": "Basic wrong"}
    ) as reply:  # fmt: skip
        assert reply.status == 401
        assert await reply.json() == {"error": "Authentication failed: unknown client or wrong secret"}
    assert service.scopes == []


async def test_a_body_above_the_limit_is_413_and_goes_nowhere(
    backend: tuple[Backend, str], client: aiohttp.ClientSession
):
    service, url = backend
    async with door(to_orchestrator(url), max_body_bytes=1_000) as port:
        async with client.post(f"http://127.0.0.1:{port}{PLAN}", data=b"x" * 1_001) as reply:
            assert (reply.status, list(await reply.json())) == (413, ["error"])
        async with client.post(f"http://127.0.0.1:{port}{PLAN}", data=b"x" * 1_000) as reply:
            assert reply.status == 200
    assert [len(body) for body in service.bodies] == [1_000]


async def test_a_large_body_is_signed_too(backend: tuple[Backend, str], client: aiohttp.ClientSession):
    service, url = backend
    body = bytes(range(256)) * 16_384
    async with door(to_orchestrator(url), max_body_bytes=1 << 23) as port, client.post(
        f"http://127.0.0.1:{port}{PLAN}", data=io.BytesIO(body)
    ) as reply:  # fmt: skip
        assert reply.status == 200
    assert service.bodies == [body]
    assert service.callers == [WHO]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", PLAN, 405),
        ("POST", "/api/v1/process", 404),
        ("POST", "/api/v1/mcp/evaluate-policies", 404),
        ("GET", "/api/v1/plan/p1/secret", 404),
        ("GET", "/prometheus", 404),
        ("OPTIONS", PLAN, 204),
    ],
)
async def test_what_is_not_listed_goes_nowhere(
    backend: tuple[Backend, str], client: aiohttp.ClientSession, method: str, path: str, status: int
):
    service, url = backend
    async with door(to_orchestrator(url)) as port, client.request(method, f"http://127.0.0.1:{port}{path}") as reply:
        assert reply.status == status
        if status != 404:
            assert reply.headers["allow"] == "OPTIONS, POST"
    assert service.scopes == []


async def test_signing_in_reaches_the_portal_as_nobody(client: aiohttp.ClientSession):
    seen: list[Any] = []
    verifier = TokenVerifier((SECRET,), "portal")

    async def portal(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, 1_000)
        token = dict(scope["headers"])[TOKEN_HEADER.encode()].decode()
        seen.append((await verifier.verify(token, "POST", scope["path"], body), dict(scope["headers"])))
        await answer(send, 200, b"{}", (b"set-cookie", b"axonflow_session=s; HttpOnly"))

    async with (
        served(plain_app(portal)) as behind,
        door({Target.PORTAL: f"http://127.0.0.1:{behind}"}) as port,
        client.post(
            f"http://127.0.0.1:{port}/api/v1/auth/login",
            data=b"{}",
            headers={"Authorization": "Basic wrong", "Cookie": "c=1"},
        ) as reply,
    ):
        assert (reply.status, reply.headers["set-cookie"]) == (200, "axonflow_session=s; HttpOnly")
    ((caller, headers),) = seen
    assert (caller.org_id, caller.tenant_id, caller.client_id) == ("acme", "unauthenticated", "")
    assert headers[b"cookie"] == b"c=1"
    assert headers[b"x-forwarded-for"] == b"127.0.0.1"
