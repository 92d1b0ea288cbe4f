"""The MCP server in process: the protocol over HTTP, tools that judge, sessions, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from support.gateway import CLIENT, SSN_TEXT, Answer, basic
from support.planes import Planes

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/v1/mcp-server"
HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "an assistant", "version": "1"},
}  # fmt: skip
TOOLS = {
    "check_policy", "check_output", "audit_tool_call", "list_policies", "get_policy_stats", "explain_decision",
    "list_recent_decisions", "list_overrides", "search_audit_events", "create_override", "delete_override",
}  # fmt: skip


async def rpc(agent: Planes, method: str, params: Mapping[str, Any] | None = None, **headers: str) -> Answer:
    message = {"jsonrpc": "2.0", "id": 7, "method": method, **({"params": params} if params is not None else {})}
    return await agent.post(PATH, message, {**agent.headers, **headers})


async def use(agent: Planes, name: str, **arguments: Any) -> tuple[Answer, dict[str, Any], bool]:
    answer = await rpc(agent, "tools/call", {"name": name, "arguments": arguments})
    result = answer.json["result"]
    return answer, json.loads(result["content"][0]["text"]), result.get("isError", False)


async def test_a_client_is_greeted_in_its_version_with_a_session(agent: Planes) -> None:
    answer = await rpc(agent, "initialize", HELLO)
    result = answer.json["result"]
    assert (answer.status, answer.json["id"], result["protocolVersion"]) == (200, 7, "2025-06-18")
    assert result["serverInfo"]["name"] == "axonflow"
    session = answer.headers["mcp-session-id"]
    told = await agent.post(
        PATH, {"jsonrpc": "2.0", "method": "notifications/initialized"}, {**agent.headers, "Mcp-Session-Id": session}
    )
    assert (told.status, told.body) == (202, b"")


async def test_every_tool_of_the_contract_is_listed_with_its_arguments(agent: Planes) -> None:
    tools = (await rpc(agent, "tools/list")).json["result"]["tools"]
    assert {tool["name"] for tool in tools} == TOOLS
    assert all(tool["description"] and tool["inputSchema"]["type"] == "object" for tool in tools)


async def test_a_check_is_the_endpoint_s_and_leaves_its_row(agent: Planes) -> None:
    answer, told, failed = await use(agent, "check_policy", connector_type="shell", statement=SSN_TEXT)
    assert (told["allowed"], told["block_reason"], failed) == (False, "Social Security Number detected", False)
    row = await agent.row_of(answer)
    assert told["decision_id"] == row["decision_id"]
    assert (row["verdict"], row["client_id"], row["metadata"]["via"]) == ("blocked", CLIENT, "mcp-server")
    [detail] = await agent.rows("mcp_query_audits", row["decision_id"])
    assert (detail["operation"], detail["request_blocked"]) == ("check-input", True)


async def test_an_answer_is_masked_by_a_tool_too(agent: Planes) -> None:
    answer, told, _ = await use(agent, "check_output", connector_type="crm", message="mail ann@example.com")
    assert told["redacted_data"] == "mail [REDACTED:email]"
    assert (await agent.row_of(answer))["verdict"] == "redacted"


async def test_policies_are_listed_by_a_tool(agent: Planes) -> None:
    _, told, failed = await use(agent, "list_policies", category="pii-us", enabled=True, limit=3)
    assert not failed
    assert {policy["category"] for policy in told["policies"]} == {"pii-us"}


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("no_such_tool", {}, "Unknown tool"),
        ("check_policy", {"connector_type": "a"}, "statement field is required"),
        ("check_policy", {"connector_type": "a", "statement": ["b"]}, "Invalid arguments"),
        ("explain_decision", {}, "decision_id field is required"),
        ("list_policies", {"severity": "worst"}, "severity"),
    ],
)
async def test_a_tool_that_is_used_wrongly_says_so_in_its_result_and_is_recorded(
    agent: Planes, name: str, arguments: dict[str, Any], said: str
) -> None:
    answer, told, failed = await use(agent, name, **arguments)
    assert (answer.status, failed) == (200, True)
    assert said in told["error"]
    assert (await agent.row_of(answer))["verdict"] == "error"


async def test_an_orchestrator_that_does_not_answer_is_a_failed_tool(agent: Planes) -> None:
    _, told, failed = await use(agent, "list_recent_decisions")
    assert (failed, told["service"]) == (True, "orchestrator")


@pytest.mark.parametrize("headers", [{}, {"Authorization": basic(CLIENT, "wrong-" * 8)}])
async def test_bad_credentials_are_challenged_and_recorded(agent: Planes, headers: dict[str, str]) -> None:
    answer = await agent.post(PATH, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers)
    assert (answer.status, answer.headers["www-authenticate"].split()[0]) == (401, "Basic")
    assert answer.json["error"]["code"] == -32000
    assert (await agent.row_of(answer))["reason"] == "unauthenticated"
    ended = await agent.ask("DELETE", PATH, b"", {**headers, "Mcp-Session-Id": "x"})
    assert ended.status == 401


async def test_a_page_of_another_origin_is_turned_away(agent: Planes) -> None:
    answer = await rpc(agent, "tools/list", Origin="https://page.example")
    assert (answer.status, (await agent.row_of(answer))["reason"]) == (403, "forbidden")


async def test_there_is_no_stream_to_get(agent: Planes) -> None:
    answer = await agent.ask("GET", PATH)
    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, {"POST", "DELETE"})


async def test_an_ended_session_is_not_found_and_another_client_s_never_was(agent: Planes) -> None:
    session = (await rpc(agent, "initialize", HELLO)).headers["mcp-session-id"]
    assert (await rpc(agent, "tools/list", **{"Mcp-Session-Id": session})).status == 200
    ended = await agent.ask("DELETE", PATH, b"", {**agent.headers, "Mcp-Session-Id": session})
    assert ended.status == 204
    for used in (session, "no-uuid"):
        answer = await rpc(agent, "tools/list", **{"Mcp-Session-Id": used})
        assert (answer.status, answer.json["error"]["message"].startswith("Session not found")) == (404, True)
    again = await agent.ask("DELETE", PATH, b"", {**agent.headers, "Mcp-Session-Id": session})
    without = await agent.ask("DELETE", PATH)
    assert (again.status, without.status) == (404, 400)
    assert (await agent.row_of(without))["verdict"] == "error"


@pytest.mark.parametrize("body", [{}, {"jsonrpc": "1.0", "method": "a"}, {"jsonrpc": "2.0", "id": 1, "result": {}}])
async def test_what_is_no_request_is_refused_and_recorded(agent: Planes, body: dict[str, Any]) -> None:
    answer = await agent.post(PATH, body)
    assert (answer.status, answer.json["error"]["code"]) == (400, -32600)
    assert (await agent.row_of(answer))["verdict"] == "error"


async def test_a_method_that_there_is_not_is_an_error_of_the_protocol(agent: Planes) -> None:
    answer = await rpc(agent, "resources/list")
    assert answer.json["error"]["code"] == -32601
