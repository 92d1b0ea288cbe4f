"""The door: a valid token gives an identity, no token gives none, a wrong one is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault
from axonflow_internal_auth import CALLER, TOKEN_HEADER, InternalAuth, TokenMinter, TokenVerifier
from axonflow_settings import Secret
from axonflow_web import read_body

SECRET = Secret("s" * 32)
WHO = Caller(org_id="acme", tenant_id="t", client_id="c", kind=CallerKind.CLIENT)
BODY = b'{"a":1}'


class BrokenLedger:
    async def claim(self, _nonce: str, _expires_at: Any) -> bool:
        raise ConnectionError


class Inner:
    """The application behind the door; keeps what reached it."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, _send: Any) -> None:
        message = await receive()
        names = [name for name, _ in scope["headers"]]
        self.calls.append({"caller": scope.get(CALLER), "body": message["body"], "headers": names})


def door(inner: Inner, *, optional: bool = False, ledger: Any = None) -> InternalAuth:
    return InternalAuth(
        inner,
        TokenVerifier((SECRET,), "orchestrator", ledger),
        read_body=partial(read_body, limit=1_000),
        is_open=lambda path: path == "/health",
        is_optional=lambda path: optional and path != "/api/v1/process",
    )


async def call(
    app: InternalAuth, *headers: tuple[str, str], path: str = "/api/v1/plan", query: str = "q=1", body: bytes = BODY
) -> None:
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        raise AssertionError(f"the door itself answers nothing, not even {message}")

    await app(scope, receive, send)


def token(**changes: Any) -> tuple[str, str]:
    arguments = {
        "audience": "orchestrator",
        "caller": WHO,
        "method": "POST",
        "target": "/api/v1/plan?q=1",
        "body": BODY,
    }
    return TOKEN_HEADER, TokenMinter(SECRET, "agent").mint(**{**arguments, **changes})


async def test_a_valid_token_puts_the_caller_into_the_scope_and_the_body_back():
    inner = Inner()
    await call(door(inner), token(), ("x-org-id", "evil"), ("x-user-email", "ceo@acme"), ("accept", "*/*"))
    assert inner.calls == [{"caller": WHO, "body": BODY, "headers": [b"accept"]}]


async def test_a_call_without_a_token_is_401():
    inner = Inner()
    with pytest.raises(Fault) as caught:
        await call(door(inner))
    assert (caught.value.status, inner.calls) == (401, [])


async def test_an_optional_door_passes_a_call_without_a_token_but_not_its_identity():
    inner = Inner()
    await call(door(inner, optional=True), ("x-org-id", "evil"), ("x-tenant-id", "evil"), ("x-client-id", "evil"))
    assert inner.calls == [{"caller": None, "body": BODY, "headers": []}]


@pytest.mark.parametrize("optional", [True, False])
async def test_a_wrong_token_is_401_even_at_an_optional_door(optional: bool):
    inner = Inner()
    with pytest.raises(Fault) as caught:
        await call(door(inner, optional=optional), (TOKEN_HEADER, "nonsense"))
    assert (caught.value.status, inner.calls) == (401, [])


async def test_some_paths_need_a_token_at_an_optional_door():
    with pytest.raises(Fault) as caught:
        await call(door(Inner(), optional=True), path="/api/v1/process")
    assert caught.value.status == 401


async def test_an_open_path_needs_none_and_believes_none():
    inner = Inner()
    await call(door(inner), (TOKEN_HEADER, "nonsense"), ("x-org-id", "evil"), path="/health")
    assert inner.calls == [{"caller": None, "body": BODY, "headers": []}]


async def test_two_tokens_are_401():
    with pytest.raises(Fault) as caught:
        await call(door(Inner()), token(), token())
    assert caught.value.status == 401


@pytest.mark.parametrize("changed", [{"body": b"{}"}, {"query": "q=2"}, {"path": "/api/v1/plans"}], ids=str)
async def test_a_changed_request_is_401_before_the_handler_runs(changed: dict[str, Any]):
    inner = Inner()
    with pytest.raises(Fault) as caught:
        await call(door(inner), token(), **changed)
    assert (caught.value.status, inner.calls) == (401, [])


async def test_a_body_above_the_limit_is_413():
    with pytest.raises(Fault) as caught:
        await call(door(Inner()), token(), body=b"x" * 1_001)
    assert caught.value.status == 413


async def test_a_ledger_that_is_away_is_503():
    inner = Inner()
    with pytest.raises(Fault) as caught:
        await call(door(inner, ledger=BrokenLedger()), token())
    assert (caught.value.status, inner.calls) == (503, [])
