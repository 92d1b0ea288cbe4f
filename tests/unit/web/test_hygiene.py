"""A request that two readers could understand differently goes no further."""

from __future__ import annotations

import json

import pytest
from axonflow_contracts.errors import Fault, Surface
from axonflow_internal_auth import is_identity_header
from axonflow_web import RequestHygiene
from starlette.types import Message, Receive, Scope, Send
from support.serving import call, http_scope

OK: list[Message] = [
    {"type": "http.response.start", "status": 200, "headers": []},
    {"type": "http.response.body", "body": b"", "more_body": False},
]


class Inner:
    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scopes.append(dict(scope))
        for message in OK:
            await send(message)


async def outcome(scope: Scope) -> tuple[int, Inner]:
    inner = Inner()
    sent = await call(RequestHygiene(inner, lambda _path: Surface.NESTED), scope)
    return sent[0]["status"], inner


TRICKS = [
    "/a/../b",
    "/a/..",
    "/..",
    "/a/./b",
    "/.",
    "/a//b",
    "/a//",
    "///a",
    "/a/%2e%2e/b",
    "/a/%2E%2e/b",
    "/a/.%2e/b",
    "/a%2fb",
    "/a%2Fb",
    "/a%5cb",
    "/a%5Cb",
    "/a\\b",
    "/a;b",
    "/a;jsessionid=1/b",
    "/a%3bb",
    "/a%00",
    "/a%0d%0ab",
    "/a%1f",
    "/a%7f",
    "/a%252e%252e/b",
    "/a%25252fb",
    "/a%",
    "/a%2",
    "/a%zz",
    "/a#b",
    "a",
    "http://evil.example/a",
    "https://evil.example",
    "evil.example:443",
    "*",
    "",
    "/a b",
    "/a\x01",
    "/caf\u00e9",
    "/%c0%ae%c0%ae/a",
    "/%ff",
]


@pytest.mark.parametrize("path", TRICKS, ids=ascii)
async def test_a_path_that_could_lead_elsewhere_is_refused(path: str):
    from urllib.parse import unquote

    scope = http_scope(path="/")
    scope["raw_path"] = path.encode()
    scope["path"] = unquote(path)
    status, inner = await outcome(scope)
    assert (status, inner.scopes) == (400, [])


@pytest.mark.parametrize(
    "path",
    ["/", "/a", "/a/", "/a/b.c", "/a/..b", "/a/b..", "/...", "/a%20b", "/caf%C3%A9", "/a:b@c,d=e!f'(g)*+$&~", "/-._~"],
)
async def test_an_ordinary_path_passes(path: str):
    status, inner = await outcome(http_scope(path=path))
    assert (status, inner.scopes[0]["raw_path"]) == (200, path.encode())


async def test_a_leading_double_slash_is_one_slash():
    scope = http_scope(path="//api/request?a=b")
    status, inner = await outcome(scope)
    assert (status, inner.scopes[0]["path"], inner.scopes[0]["raw_path"]) == (200, "/api/request", b"/api/request")


@pytest.mark.parametrize("query", [b"a=b c", b"a=\x00", b"a=\xff", b"a=\r\n", b"a#b"])
async def test_a_raw_character_in_the_query_is_refused(query: bytes):
    scope = http_scope()
    scope["query_string"] = query
    assert (await outcome(scope))[0] == 400


async def test_an_escaped_query_passes_untouched():
    query = b'start=2026-01-01T00:00:00.5+00:00&next=/a/../b;c&x=%00%2e[]{}|\\^`"<>'
    scope = http_scope()
    scope["query_string"] = query
    status, inner = await outcome(scope)
    assert (status, inner.scopes[0]["query_string"]) == (200, query)


SINGLE = [
    "authorization",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "traceparent",
    "transfer-encoding",
    "x-axonflow-internal-token",
    "x-org-id",
    "x-provider-key",
]


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("values", [(b"1", b"1"), (b"1", b"2")])
async def test_a_single_valued_header_may_not_stand_twice(name: str, values: tuple[bytes, bytes]):
    headers = [(name.encode(), value) for value in values]
    assert (await outcome(http_scope(headers=headers)))[0] == 400


async def test_a_list_valued_header_may_stand_twice():
    headers = [(b"accept", b"*/*"), (b"accept", b"text/event-stream"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]
    assert (await outcome(http_scope(headers=headers)))[0] == 200


@pytest.mark.parametrize("name", [b"x_org_id", b"content_length", b"_", b"x-org_id"])
async def test_a_header_name_with_an_underscore_is_refused(name: bytes):
    assert (await outcome(http_scope(headers=[(name, b"1")])))[0] == 400


@pytest.mark.parametrize("value", [b"a\rb", b"a\nb", b"a\r\n b", b"a\0b", b"\x01", b"\x7f", b"a\x0bb"])
@pytest.mark.parametrize("name", [b"x-provider-key", b"traceparent", b"idempotency-key", b"x-any"])
async def test_a_control_character_in_a_header_value_is_refused(name: bytes, value: bytes):
    assert (await outcome(http_scope(headers=[(name, value)])))[0] == 400


async def test_tabs_and_high_bytes_in_header_values_pass():
    headers = [(b"x-note", b"a\tb"), (b"x-name", b"caf\xe9")]
    assert (await outcome(http_scope(headers=headers)))[0] == 200


async def test_length_and_chunks_together_are_refused():
    headers = [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]
    assert (await outcome(http_scope("POST", headers=headers)))[0] == 400


async def test_identity_from_outside_is_dropped():
    inner = Inner()
    claims = [b"x-org-id", b"x-tenant-id", b"x-client-id", b"x-user-id", b"x-user-email", b"x-user-role"]
    claims += [b"x-internal-service-id", b"x-internal-service-token", b"x-axonflow-proxy-auth"]
    kept = [
        (b"accept", b"*/*"),
        (b"x-axonflow-client", b"sdk"),
        (b"x-request-id", b"1"),
        (b"x-axonflow-internal-token", b"t"),
    ]
    app = RequestHygiene(inner, lambda _path: Surface.NESTED, drop=is_identity_header)
    await call(app, http_scope(headers=[*((name, b"evil") for name in claims), *kept]))
    assert inner.scopes[0]["headers"] == kept


async def test_a_refusal_is_told_before_it_is_answered_and_closes_the_connection():
    told: list[tuple[str, Fault]] = []

    async def tell(scope: Scope, fault: Fault) -> None:
        told.append((scope["path"], fault))

    app = RequestHygiene(Inner(), lambda _path: Surface.HANDLER, on_refusal=tell)
    start, body = await call(app, http_scope(path="/api/request", headers=[(b"x_y", b"1")]))
    assert [(path, fault.status) for path, fault in told] == [("/api/request", 400)]
    assert (b"connection", b"close") in start["headers"]
    assert json.loads(body["body"]) == {"success": False, "error": told[0][1].message}


async def test_a_refusal_that_cannot_be_recorded_is_503(caplog: pytest.LogCaptureFixture):
    async def fail(_scope: Scope, _fault: Fault) -> None:
        raise OSError("disk full")

    app = RequestHygiene(Inner(), lambda _path: Surface.HANDLER, on_refusal=fail)
    start, _ = await call(app, http_scope(path="/a//b"))
    assert start["status"] == 503
    assert "disk full" in caplog.text


async def test_a_websocket_is_turned_away():
    sent = await call(RequestHygiene(Inner(), lambda _path: Surface.NESTED), {"type": "websocket", "path": "/"})
    assert sent[0]["type"] == "websocket.close"
