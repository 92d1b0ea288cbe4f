"""The MCP checks through the unmodified official SDK, with and without coroutines, parsed by its own models."""

from __future__ import annotations

from typing import Any

import pytest
from support.axonflow_sdk import AxonFlowSdk, call
from support.gateway import CLIENT, CLIENT_SECRET, SSN_TEXT, Gateway

INJECTION = "SELECT * FROM users WHERE id = 1 OR 1=1; DROP TABLE users; --"
ROWS = [{"id": 1, "ssn": "123-45-6789", "notes": {"mail": "ann@example.com"}}, {"id": 2, "ssn": None, "notes": {}}]


@pytest.mark.parametrize(("mode", "sync"), [("community", False), ("enterprise", True)])
def test_both_checks_are_what_the_sdk_expects(
    sdk: AxonFlowSdk, request: pytest.FixtureRequest, mode: str, *, sync: bool
) -> None:
    gateway: Gateway = request.getfixturevalue(mode)
    known = {} if mode == "community" else {"client_id": CLIENT, "client_secret": CLIENT_SECRET}
    outcomes = sdk.run(
        gateway.service.url,
        call("mcp_check_input", connector_type="postgres", statement="SELECT name FROM branches", operation="query"),
        call("mcp_check_input", connector_type="postgres", statement=INJECTION),
        call("check_tool_input", connector_type="mail.send", statement="send", parameters={"body": [SSN_TEXT]}),
        call("mcp_check_output", connector_type="postgres", response_data=ROWS, row_count=2),
        call("check_tool_output", connector_type="mail.read", message="from ann@example.com"),
        call("mcp_check_output", connector_type="postgres", response_data=[{"a": "x'; DROP TABLE users; --"}]),
        call("mcp_check_input", connector_type=" ", statement="SELECT 1"),
        sync=sync,
        **known,
    )
    allowed, injected, personal, rows, text, carried = (outcome["value"] for outcome in outcomes[:-1])
    assert (allowed["allowed"], allowed["block_reason"], allowed["risk_level"]) == (True, None, "low")
    assert (injected["allowed"], injected["policy_info"]["blocked"]) == (False, True)
    assert injected["policy_matches"][0]["policy_id"].startswith("sys_sqli")
    assert (personal["allowed"], personal["block_reason"]) == (False, "Social Security Number detected")
    assert rows["redacted_data"][0] == {"id": 1, "ssn": "XXX-XX-6789", "notes": {"mail": "[REDACTED:email]"}}
    assert (rows["redacted_data"][1], rows["exfiltration_info"]["within_limits"]) == (ROWS[1], True)
    assert rows["policy_info"]["exfiltration_check"]["rows_returned"] == 2
    assert text["redacted_data"] == text["redacted_message"] == "from [REDACTED:email]"
    assert (carried["allowed"], carried["redacted_data"]) == (False, None)
    assert outcomes[-1]["error"] == "ConnectorError"
    for told in (allowed, injected, rows, carried):
        [row] = gateway.rows("audit_logs", told["decision_id"])
        assert (row["plane"], row["client_id"]) == ("mcp", CLIENT if known else "community")


def test_a_wrong_secret_is_an_error_of_the_sdk_and_no_answer(sdk: AxonFlowSdk, enterprise: Gateway) -> None:
    asked: dict[str, Any] = {"connector_type": "postgres", "statement": "SELECT 1"}
    url = enterprise.service.url
    [refused] = sdk.run(url, call("mcp_check_input", **asked), client_id=CLIENT, client_secret="wrong-" * 8)
    assert refused["error"] == "ConnectorError"
    foreign = call("mcp_check_input", **asked, tenant_id="b")
    [denied] = sdk.run(url, foreign, client_id=CLIENT, client_secret=CLIENT_SECRET)
    assert (denied["value"]["allowed"], "Tenant mismatch" in denied["value"]["block_reason"]) == (False, True)
