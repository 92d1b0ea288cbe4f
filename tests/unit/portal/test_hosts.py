"""Which hosts the portal answers to while it has no sign-in."""

from __future__ import annotations

import pytest
from axonflow_portal.hosts import LoopbackHosts, host_name
from starlette.responses import PlainTextResponse
from starlette.types import Message, Scope


async def status(headers: list[tuple[bytes, bytes]], *, path: str = "/policies", allowed: tuple[str, ...] = ()) -> int:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: Scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    await LoopbackHosts(PlainTextResponse("policies"), allowed)(scope, receive, send)
    return int(sent[0]["status"])


def host(value: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", value.encode("latin-1"))]


@pytest.mark.parametrize(
    "value", ["localhost", "localhost:8082", "LOCALHOST", "127.0.0.1:8082", "127.8.9.1", "[::1]:8082", "localhost."]
)
async def test_loopback_names_are_answered(value: str) -> None:
    assert await status(host(value)) == 200


@pytest.mark.parametrize(
    "value",
    [
        "evil.example",
        "evil.example:8082",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example@localhost",
        "localhost@evil.example",
        "localhost, evil.example",
        "0.0.0.0",  # noqa: S104 - browsers take it for this machine, and it is no loopback address
        "10.0.0.7:8082",
        "[::ffff:10.0.0.7]",
        "[fe80::1]",
        "[::1",
        "localhost/../x",
        "",
    ],
)
async def test_other_names_are_refused(value: str) -> None:
    assert await status(host(value)) == 421


async def test_no_host_or_two_are_refused() -> None:
    assert await status([]) == 421
    assert await status(host("localhost") + host("evil.example")) == 421


async def test_a_name_that_the_operator_allows_is_answered_with_any_port() -> None:
    allowed = ("portal.corp.example",)
    assert await status(host("Portal.Corp.Example:443"), allowed=allowed) == 200
    assert await status(host("other.corp.example"), allowed=allowed) == 421


async def test_an_empty_or_starred_list_allows_nothing_more() -> None:
    assert await status(host("evil.example"), allowed=("*", "")) == 421


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_probes_may_call_by_any_name(path: str) -> None:
    assert await status(host("10.0.0.7"), path=path) == 200


def test_a_host_is_read_without_port_brackets_and_final_dot() -> None:
    assert host_name("[::1]:80") == "::1"
    assert host_name("Example.COM.:80") == "example.com"
