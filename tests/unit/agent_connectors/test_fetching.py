"""Asking the orchestrator: every way of not answering is one and the same to the cache."""

from __future__ import annotations

import aiohttp
import msgspec
import pytest
from axonflow_agent.connectors.fetching import DefinitionsUnavailable, OrchestratorDefinitions
from axonflow_contracts.connectors import ConnectorDefinition, ConnectorDefinitions
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from axonflow_settings import Secret
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from support.data_servers import free_port
from support.serving import served

GOOD = msgspec.json.encode(
    ConnectorDefinitions(
        connectors=(
            ConnectorDefinition(id="1", name="crm", type="sqlite", tenant_id="t", version=1, credentials=b"\x00\xff"),
        )
    )
)


async def fetched(port: int) -> list[ConnectorDefinition]:
    async with aiohttp.ClientSession() as session:
        minter = TokenMinter(Secret("x" * 32), "agent")
        source = OrchestratorDefinitions(session, minter, f"http://127.0.0.1:{port}", "agent")
        return list((await source.fetch("o", "t")).values())


async def answering(status: int, body: bytes) -> list[ConnectorDefinition]:
    async def answer(request: Request) -> Response:
        return Response(body, status) if TOKEN_HEADER in request.headers else Response(status_code=401)

    async with served(Starlette(routes=[Route("/{path:path}", answer)])) as port:
        return await fetched(port)


async def test_definitions_come_with_their_credentials_sealed() -> None:
    [definition] = await answering(200, GOOD)
    assert (definition.name, definition.credentials) == ("crm", b"\x00\xff")


@pytest.mark.parametrize(
    ("status", "body"), [(503, GOOD), (401, b"{}"), (200, b"<html>"), (200, b'{"connectors":[{}]}')]
)
async def test_no_readable_answer_is_no_answer(status: int, body: bytes) -> None:
    with pytest.raises(DefinitionsUnavailable):
        await answering(status, body)


async def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(DefinitionsUnavailable):
        await fetched(free_port())
