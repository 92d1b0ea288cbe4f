"""Browsers may call from listed pages alone, and never with credentials of their own."""

from __future__ import annotations

import pytest
from axonflow_web import Cors
from starlette.types import Message, Receive, Scope, Send
from support.serving import call, http_scope

PAGE = "https://console.example"


async def plain(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 405, "headers": [(b"allow", b"POST")]})
    await send({"type": "http.response.body", "body": b""})


async def asked(origins: tuple[str, ...], method: str, *headers: tuple[str, str]) -> tuple[int, dict[str, str]]:
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    sent: list[Message] = await call(Cors(plain, origins), http_scope(method, "/api/v1/decide", pairs))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def preflight(origin: str) -> tuple[tuple[str, str], ...]:
    return (
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization, content-type"),
    )


@pytest.mark.parametrize(("origins", "shown"), [((PAGE,), PAGE), (("*",), "*")])
async def test_a_listed_page_may_ask_and_read(origins: tuple[str, ...], shown: str) -> None:
    status, headers = await asked(origins, "OPTIONS", *preflight(PAGE))
    assert status == 204
    assert headers["access-control-allow-origin"] == shown
    assert headers["access-control-allow-headers"] == "authorization, content-type"
    assert "access-control-allow-credentials" not in headers
    status, headers = await asked(origins, "POST", ("origin", PAGE))
    assert (status, headers["access-control-allow-origin"]) == (405, shown)
    assert "x-axonflow-decision-id" in headers["access-control-expose-headers"]
    assert headers["vary"] == "origin"


@pytest.mark.parametrize("origins", [(), ("https://other.example",), ("https://console.example.evil",)])
async def test_any_other_page_is_told_nothing(origins: tuple[str, ...]) -> None:
    for method, headers in (("OPTIONS", preflight(PAGE)), ("POST", (("origin", PAGE),))):
        status, told = await asked(origins, method, *headers)
        assert (status, told) == (405, {"allow": "POST"})


async def test_two_origins_are_none() -> None:
    _, told = await asked(("*",), "POST", ("origin", PAGE), ("origin", "https://other.example"))
    assert told == {"allow": "POST"}


async def test_a_list_that_is_no_list_of_names_is_not_repeated() -> None:
    headers = (("origin", PAGE), ("access-control-request-method", "POST"), ("access-control-request-headers", "a:b"))
    _, told = await asked(("*",), "OPTIONS", *headers)
    assert "access-control-allow-headers" not in told
