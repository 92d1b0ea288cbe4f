"""The official MCP SDK's client at ``/api/v1/mcp-server``, in both of its eras, before two agents."""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from support.gateway import CLIENT, CLIENT_SECRET, INTERNAL_SECRET, ORG, SSN_TEXT, Gateway, running_gateway
from support.postgres import Server
from support.processes import running_service
from support.upstream import running_upstream

PATH = "/api/v1/mcp-server"


@pytest.fixture(scope="module")
def agents(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Gateway]]:
    """Two agents on one database, before one orchestrator."""
    directory = tmp_path_factory.mktemp("mcp-server")
    with postgres_server.database() as url, running_upstream() as upstream:
        environ = {
            "DATABASE_URL": url,
            "DEPLOYMENT_MODE": "enterprise",
            "ORG_ID": ORG,
            "AXONFLOW_INTERNAL_SERVICE_SECRET": INTERNAL_SECRET,
            "AUDIT_FALLBACK_PATH": str(directory / "orchestrator.jsonl"),
        }
        with (
            running_service("axonflow_orchestrator", environ, directory / "orchestrator.log") as behind,
            running_gateway(url, upstream, directory / "1", "enterprise", ORCHESTRATOR_URL=behind.url) as one,
            running_gateway(url, upstream, directory / "2", "enterprise", ORCHESTRATOR_URL=behind.url) as two,
        ):
            yield one, two


class Balanced(httpx2.AsyncBaseTransport):
    """Sends each request to the other of two agents, as a load balancer does."""

    def __init__(self, agents: tuple[Gateway, Gateway]) -> None:
        self._inner = httpx2.AsyncHTTPTransport()
        self._urls = [httpx2.URL(agent.service.url) for agent in agents]
        self.sent: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = self._urls[len(self.sent) % 2]
        self.sent.append(request.method)
        request.url = request.url.copy_with(host=url.host, port=url.port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextlib.asynccontextmanager
async def connected(
    agents: tuple[Gateway, Gateway], mode: str, secret: str = CLIENT_SECRET
) -> AsyncIterator[tuple[Client, Balanced]]:
    balanced = Balanced(agents)
    async with httpx2.AsyncClient(auth=(CLIENT, secret), transport=balanced) as http:
        transport = streamable_http_client(agents[0].service.url + PATH, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client, balanced


async def use(client: Client, name: str, **arguments: Any) -> tuple[Any, bool]:
    result = await client.call_tool(name, arguments)
    return json.loads(result.content[0].text), result.is_error


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_client_lists_and_uses_tools_whatever_replica_answers(
    agents: tuple[Gateway, Gateway], mode: str
) -> None:
    async with connected(agents, mode) as (client, balanced):
        assert client.server_info.name == "axonflow"
        tools = {tool.name for tool in (await client.list_tools()).tools}
        denied, failed = await use(client, "check_policy", connector_type="shell", statement=SSN_TEXT)
        masked, _ = await use(client, "check_output", connector_type="crm", response_data=[{"m": "ann@example.com"}])
        reported, _ = await use(client, "audit_tool_call", tool_name="sql.run", success=True, duration_ms=5)
        explained, _ = await use(client, "explain_decision", decision_id=denied["decision_id"])
        listed, _ = await use(client, "list_recent_decisions", decision="deny", limit=5)
        found, _ = await use(client, "search_audit_events", decision_id=denied["decision_id"])
        counted, _ = await use(client, "get_policy_stats")
        policies, _ = await use(client, "list_policies", category="pii-us")
        missing, missed = await use(client, "explain_decision", decision_id="no-such-decision")
    assert {"check_policy", "explain_decision", "create_override"} <= tools
    assert (denied["allowed"], denied["block_reason"], failed) == (False, "Social Security Number detected", False)
    assert masked["redacted_data"] == [{"m": "[REDACTED:email]"}]
    assert reported["status"] == "recorded"
    assert (explained["decision"], explained["policy_matches"][0]["policy_id"]) == ("deny", "sys_pii_ssn")
    assert denied["decision_id"] in {decision["decision_id"] for decision in listed["decisions"]}
    assert found["total"] == 1
    assert counted["blocked_requests"] >= 1
    assert policies["policies"]
    assert missed, missing
    assert ("DELETE" in balanced.sent) == (mode == "legacy")  # which ends its session; the other era has none
    [row] = agents[0].rows("audit_logs", denied["decision_id"])
    assert (row["plane"], row["client_id"]) == ("mcp", CLIENT)


async def test_a_wrong_secret_does_not_connect(agents: tuple[Gateway, Gateway]) -> None:
    with pytest.raises(BaseExceptionGroup) as refused:
        async with connected(agents, "legacy", "wrong-" * 8):
            pass
    assert "Authentication failed" in "".join(traceback.format_exception(refused.value))
