"""Every answer is JSON in its surface's envelope, and says nothing about causes."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from axonflow_contracts.errors import Fault, Surface
from axonflow_telemetry import TraceContext, current_trace_id
from axonflow_web import TRACE, ClientGone, application
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from support.serving import call, http_scope


async def hello(request: Request) -> Response:
    return JSONResponse({"trace": request.scope[TRACE].trace_id, "logged": current_trace_id()})


async def fault(_: Request) -> Response:
    raise Fault(403, "Client disabled", code="X", headers={"Retry-After": "7"})


async def bug(_: Request) -> Response:
    raise ZeroDivisionError("the secret cause")


async def late_bug(_: Request) -> Response:
    async def chunks() -> Any:
        yield b"half"
        raise ZeroDivisionError("the secret cause")

    return StreamingResponse(chunks())


async def gone(_: Request) -> Response:
    raise ClientGone


async def missing(_: Request) -> Response:
    raise HTTPException(404)


async def shown(_: Request) -> Response:
    return Response("<p>", headers={"content-security-policy": "default-src 'self'"})


ROUTES = [
    Route("/hello", hello),
    Route("/hello", hello, methods=["PUT"]),
    Route("/fault", fault),
    Route("/v1/fault", fault),
    Route("/bug", bug),
    Route("/late", late_bug),
    Route("/gone", gone),
    Route("/missing", missing),
    Route("/shown", shown),
    Route("/items/{item}", hello),
]


def surface_of(path: str) -> Surface:
    return Surface.OPENAI if path.startswith("/v1/") else Surface.HANDLER


APP = application(ROUTES, surface_of=surface_of)


async def ask(method: str, path: str, app: ASGIApp = APP, **headers: str) -> tuple[int, dict[str, str], Any]:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    start, *parts = await call(app, http_scope(method, path, pairs))
    body = b"".join(part["body"] for part in parts)
    answered = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], answered, json.loads(body) if body.startswith(b"{") else body


async def test_a_fault_is_rendered_on_the_surface_that_was_asked():
    status, headers, body = await ask("GET", "/fault")
    assert (status, headers["retry-after"], body) == (403, "7", {"success": False, "error": "Client disabled"})
    status, _, body = await ask("GET", "/v1/fault")
    assert (status, body["error"]["message"], body["error"]["code"]) == (403, "Client disabled", "X")


async def test_a_bug_is_500_without_its_cause_and_with_it_in_the_log(caplog: pytest.LogCaptureFixture):
    status, _, body = await ask("GET", "/bug")
    assert (status, body) == (500, {"success": False, "error": "Internal server error"})
    assert "the secret cause" in caplog.text


async def test_a_bug_after_the_answer_began_leaves_it_unfinished(caplog: pytest.LogCaptureFixture):
    sent = await call(APP, http_scope(path="/late"))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[1]["more_body"] is True
    assert "broke off" in caplog.text


async def test_nobody_is_answered_when_the_caller_has_gone():
    assert await call(APP, http_scope(path="/gone")) == []


async def test_an_unknown_path_is_a_json_404():
    status, headers, body = await ask("GET", "/nowhere")
    assert (status, headers["content-type"]) == (404, "application/json")
    assert body == {"error": "not_found", "error_description": "There is no such endpoint"}


async def test_a_wrong_method_is_a_json_405_that_names_every_right_one():
    status, headers, body = await ask("DELETE", "/hello")
    assert (status, headers["allow"], body["error"]) == (405, "GET, HEAD, PUT", "method_not_allowed")


async def test_a_404_that_an_endpoint_raises_stays_one():
    assert (await ask("GET", "/missing"))[0] == 404


@pytest.mark.parametrize("path", ["/hello", "/nowhere", "/bug", "/fault", "/a//b"])
async def test_every_answer_has_security_headers(path: str):
    _, headers, _ = await ask("GET", path)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"


async def test_an_answer_with_its_own_policy_keeps_it():
    _, headers, _ = await ask("GET", "/shown")
    assert headers["content-security-policy"] == "default-src 'self'"


async def test_a_trace_is_continued_and_logged(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    _, _, body = await ask("GET", "/items/secret-name?token=hush", traceparent=f"00-{trace_id}-b7ad6b7169203331-01")
    assert body == {"trace": trace_id, "logged": trace_id}
    (record,) = [record for record in caplog.records if record.name == "axonflow.access"]
    facts = vars(record)
    assert (facts["method"], facts["path"], facts["status"], facts["trace_id"]) == (
        "GET",
        "/items/{item}",
        200,
        trace_id,
    )
    assert facts["duration_ms"] >= 0
    assert "hush" not in str(facts)


async def test_a_refused_request_is_logged_too(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    await ask("GET", "/a//b", authorization="Basic c2VjcmV0")
    (record,) = [record for record in caplog.records if record.name == "axonflow.access"]
    assert vars(record)["status"] == 400
    assert "c2VjcmV0" not in str(vars(record))


async def test_probes_are_not_logged(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    await ask("GET", "/health")
    assert [record for record in caplog.records if record.name == "axonflow.access"] == []


async def test_hot_paths_are_found_without_the_routes_and_inside_the_guard():
    seen: list[str] = []

    async def hot(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["axonflow.caller"])
        await Response("hot")(scope, receive, send)

    def guard(inner: ASGIApp) -> ASGIApp:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            scope["axonflow.caller"] = "me"
            await inner(scope, receive, send)

        return guarded

    app = application([], surface_of=surface_of, hot={("POST", "/v1/chat"): hot}, guard=guard)
    assert (await ask("POST", "/v1/chat", app))[2] == b"hot"
    assert (await ask("GET", "/v1/chat", app))[0] == 404
    assert seen == ["me"]


@pytest.mark.parametrize("traceparent", ["junk", "00-" + "0" * 32 + "-b7ad6b7169203331-01"])
async def test_an_invalid_trace_is_replaced(traceparent: str):
    _, _, body = await ask("GET", "/hello", traceparent=traceparent)
    assert len(body["trace"]) == 32
    assert TraceContext.from_headers(f"00-{body['trace']}-b7ad6b7169203331-01").trace_id == body["trace"]
