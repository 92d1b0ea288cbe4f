"""Attacks on the door as bytes on a real socket: what is refused, and what the service behind may ever see.

Reliability cases 14 to 16. The agent's forwarder stands in front of a service that records every request it gets.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from axonflow_agent.forward import Target
from starlette.types import Receive, Scope, Send
from support.agent_door import door
from support.serving import SERVERS, exchange, plain_app, served, status_of


class Recorder:
    """The service behind; it must not see anything but clean requests."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, list[tuple[bytes, bytes]]]] = []

    async def handle(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.seen.append((scope["method"], scope["raw_path"], scope["headers"]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def values(self, name: bytes) -> list[bytes]:
        return [value for _, _, headers in self.seen for header, value in headers if header == name]


@contextlib.asynccontextmanager
async def agent(server: str) -> AsyncIterator[tuple[Recorder, int]]:
    recorder = Recorder()
    async with served(plain_app(recorder.handle)) as behind:
        urls = {Target.ORCHESTRATOR: f"http://127.0.0.1:{behind}"}
        async with door(urls, server=server) as port:
            yield recorder, port


def post(*headers: bytes, body: bytes = b"", path: bytes = b"/api/v1/plan") -> bytes:
    return b"\r\n".join((b"POST " + path + b" HTTP/1.1", b"Host: agent", *headers, b"", b"")) + body


SMUGGLED = b"GET /api/v1/plan/stolen HTTP/1.1\r\nHost: agent\r\n\r\n"

FRAMING = {
    "length and chunks, length first": post(
        b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "chunks and length, chunks first": post(
        b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "two lengths, different": post(b"Content-Length: 2", b"Content-Length: 60", body=b"{}" + SMUGGLED),
    "two lengths, equal": post(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"),
    "two lengths in one line": post(b"Content-Length: 2, 60", body=b"{}" + SMUGGLED),
    "length with a sign": post(b"Content-Length: +2", body=b"{}"),
    "length in hex": post(b"Content-Length: 0x2", body=b"{}"),
    "length with an underscore": post(b"Content_Length: 60", b"Content-Length: 2", body=b"{}" + SMUGGLED),
    "space before the colon": post(b"Content-Length : 60", body=SMUGGLED),
    "tab before the colon": post(b"Transfer-Encoding\t: chunked", body=b"0\r\n\r\n"),
    "other transfer coding": post(b"Transfer-Encoding: xchunked", b"Content-Length: 2", body=b"{}" + SMUGGLED),
    "two transfer codings": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    "folded transfer coding": post(b"Transfer-Encoding:", b" chunked", body=b"0\r\n\r\n"),
    "folded header": post(b"X-A: 1", b" X-Org-ID: evil", b"Content-Length: 2", body=b"{}"),
    "folded with a tab": post(b"X-A: 1", b"\tmore", b"Content-Length: 2", body=b"{}"),
    "negative chunk": post(b"Transfer-Encoding: chunked", body=b"-1\r\n{}\r\n0\r\n\r\n"),
    "chunk size that overflows": post(b"Transfer-Encoding: chunked", body=b"f" * 40 + b"\r\n{}\r\n0\r\n\r\n"),
    "NUL in a header": post(b"X-A: a\0b"),
    "lone CR in a header": post(b"X-A: a\rX-Org-ID: evil"),
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", FRAMING)
async def test_ambiguous_framing_is_refused_and_nothing_of_it_is_forwarded(server: str, name: str):
    async with agent(server) as (recorder, port):
        answer = await exchange(port, FRAMING[name])
    assert status_of(answer) in {400, 501}
    assert answer.count(b"HTTP/1.1 ") == 1, "what follows a refused request is not read as another one"
    assert recorder.seen == []


HEADERS = {
    "X_Org_ID": (b"X_Org_ID: evil",),
    "x_axonflow_internal_token": (b"x_axonflow_internal_token: evil",),
    "X-Org-ID twice": (b"X-Org-ID: acme", b"X-Org-ID: evil"),
    "X-Org-ID twice in two cases": (b"X-Org-ID: acme", b"x-oRG-iD: evil"),
    "two tokens": (b"X-Axonflow-Internal-Token: a", b"X-Axonflow-Internal-Token: b"),
    "two credentials": (b"Authorization: Basic a", b"Authorization: Basic b"),
    "two content types": (b"Content-Type: application/json", b"Content-Type: text/plain"),
    "two hosts": (b"Host: evil.example",),
    "two idempotency keys": (b"Idempotency-Key: a", b"Idempotency-Key: b"),
    "two traces": (b"traceparent: a", b"traceparent: b"),
    "two provider keys": (b"X-Provider-Key: a", b"X-Provider-Key: b"),
    "control character in the idempotency key": (b"Idempotency-Key: a\x01b",),
    "delete character in the trace": (b"traceparent: a\x7fb",),
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", HEADERS)
async def test_ambiguous_headers_are_refused(server: str, name: str):
    async with agent(server) as (recorder, port):
        answer = await exchange(port, post(*HEADERS[name], b"Content-Length: 2", b"Connection: close", body=b"{}"))
    assert status_of(answer) == 400
    assert recorder.seen == []


@pytest.mark.parametrize("server", SERVERS)
async def test_identity_from_outside_never_reaches_the_service(server: str):
    claims = [
        b"X-Org-ID: evil",
        b"X-Tenant-ID: evil",
        b"X-Client-ID: evil",
        b"X-User-ID: evil",
        b"X-User-Email: evil",
        b"X-User-Role: evil",
        b"X-Internal-Service-ID: evil",
        b"X-Internal-Service-Token: evil",
        b"X-Axonflow-Proxy-Auth: evil",
        b"X-Axonflow-Internal-Token: evil",
        b"X-Forwarded-For: evil",
        b"Forwarded: for=evil",
        b"Authorization: Basic evil",
    ]
    async with agent(server) as (recorder, port):
        answer = await exchange(port, post(*claims, b"Content-Length: 2", b"Connection: close", body=b"{}"))
        # A header that names ours as hop-by-hop must not take our own stamp away.
        named = b"Connection: close, X-Org-ID, X-Axonflow-Internal-Token, X-Tenant-ID"
        again = await exchange(port, post(named, b"Content-Length: 2", body=b"{}"))
    assert (status_of(answer), status_of(again)) == (200, 200)
    assert not [pair for _, _, headers in recorder.seen for pair in headers if b"evil" in pair[1]]
    assert recorder.values(b"x-org-id") == [b"acme", b"acme"]
    assert len(recorder.values(b"x-axonflow-internal-token")) == 2


PATHS = [
    b"/api/v1/plan/../process",
    b"/api/v1/plan/..%2fprocess",
    b"/api/v1/plan/%2e%2e/process",
    b"/api/v1/plan/%2E%2E/process",
    b"/api/v1/plan/.%2e/process",
    b"/api/v1/plan/%252e%252e/process",
    b"/api/v1/plan/..%5cprocess",
    b"/api/v1/plan/..\\process",
    b"/api/v1/plan/..;/process",
    b"/api/v1/plan;/../process",
    b"/api/v1/plan/x%2f..%2f..%2fprocess",
    b"/api/v1//process",
    b"/api/v1/plan//../../process",
    b"/api/v1/plan/%00",
    b"/api/v1/plan/x%0d%0aX-Org-ID:%20evil",
    b"/api/v1/plan/%c0%ae%c0%ae/process",
    b"/api/v1/plan/x#/../process",
    b"http://evil.example/api/v1/plan",
    b"http://127.0.0.1:1/api/v1/plan",
    b"https://evil.example/",
    b"//evil.example/api/v1/plan",
    b"///api/v1/plan",
    b"*",
    b"evil.example:80",
]


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("path", PATHS, ids=ascii)
async def test_no_spelling_of_a_path_reaches_another_path_or_host(server: str, path: bytes):
    request = post(b"Content-Length: 2", b"Connection: close", body=b"{}", path=path)
    async with agent(server) as (recorder, port):
        answer = await exchange(port, request)
    assert status_of(answer) in {400, 404}
    assert recorder.seen == []


@pytest.mark.parametrize("server", SERVERS)
async def test_a_double_slash_before_the_path_is_one(server: str):
    request = post(b"Content-Length: 2", b"Connection: close", body=b"{}", path=b"//api/v1/plan")
    async with agent(server) as (recorder, port):
        assert status_of(await exchange(port, request)) == 200
    assert [(method, path) for method, path, _ in recorder.seen] == [("POST", b"/api/v1/plan")]


@pytest.mark.parametrize("method", [b"CONNECT", b"TRACE", b"PRI"])
async def test_methods_that_tunnel_or_reflect_go_nowhere(method: bytes):
    request = method + b" /api/v1/plan HTTP/1.1\r\nHost: agent\r\nConnection: close\r\nX-Provider-Key: secret\r\n\r\n"
    async with agent("hypercorn") as (recorder, port):
        answer = await exchange(port, request)
    assert status_of(answer) in {400, 405}
    assert b"secret" not in answer
    assert recorder.seen == []


async def test_a_request_hidden_in_a_body_is_body():
    inner = SMUGGLED
    request = post(b"Content-Length: %d" % len(inner), b"Connection: close", body=inner)
    async with agent("hypercorn") as (recorder, port):
        answer = await exchange(port, request)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert [path for _, path, _ in recorder.seen] == [b"/api/v1/plan"]
