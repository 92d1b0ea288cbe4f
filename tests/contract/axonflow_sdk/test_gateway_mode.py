"""Gateway Mode through the unmodified official SDK, with and without coroutines, parsed by its own models."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from support.axonflow_sdk import AxonFlowSdk, call
from support.gateway import CLIENT, CLIENT_SECRET, JWT_SECRET, Gateway

USAGE = ("TokenUsage", {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150})
REPORT = {
    "response_summary": "A store of rows.",
    "provider": "openai",
    "model": "gpt-4o",
    "token_usage": USAGE,
    "latency_ms": 250,
}


def run(sdk: AxonFlowSdk, gateway: Gateway, *calls: dict[str, Any], sync: bool) -> list[dict[str, Any]]:
    known = {} if gateway.mode == "community" else {"client_id": CLIENT, "client_secret": CLIENT_SECRET}
    return sdk.run(gateway.service.url, *calls, sync=sync, **known)


def user_token(gateway: Gateway) -> str:
    if gateway.mode == "community":
        return "demo-user"
    claims = {"user_id": 7, "email": "ann@bank", "tenant_id": CLIENT, "exp": 4_102_444_800}
    return jwt.encode(claims, JWT_SECRET, "HS256")


@pytest.mark.parametrize(("mode", "sync"), [("community", True), ("enterprise", False)])
def test_the_pair_of_calls_leaves_one_context_and_one_model_call(
    sdk: AxonFlowSdk, request: pytest.FixtureRequest, mode: str, *, sync: bool
) -> None:
    gateway: Gateway = request.getfixturevalue(mode)
    asked = {"user_token": user_token(gateway), "query": "What is a database?"}
    outcomes = run(
        sdk,
        gateway,
        call("get_policy_approved_context", **asked, data_sources=["crm"], context={"model": "gpt-4o"}),
        call("pre_check", **asked),
        call("audit_llm_call", context_id="$0.context_id", **REPORT, metadata={"a": 1}),
        call("pre_check", **{**asked, "query": "My SSN is 123-45-6789"}),
        sync=sync,
    )
    told, again, audit, denied = (outcome["value"] for outcome in outcomes)
    assert (told["approved"], told["policies"], told["approved_data"]) == (True, [], {})
    assert (told["requires_redaction"], told["block_reason"]) == (False, None)
    assert again["context_id"] != told["context_id"]
    [row] = gateway.rows("llm_call_audits", audit["audit_id"])
    assert (audit["success"], row["context_id"], row["total_tokens"]) == (True, told["context_id"], 150)
    assert row["estimated_cost_usd"] > 0
    assert (denied["approved"], denied["block_reason"]) == (False, "Social Security Number detected")
    assert denied["policies"] == ["sys_pii_ssn"]
    assert denied["context_id"]


def test_what_is_refused_is_an_error_of_the_sdks_own(sdk: AxonFlowSdk, enterprise: Gateway) -> None:
    forged, unknown = run(
        sdk,
        enterprise,
        call("pre_check", user_token="no-token-of-ours", query="hello"),
        call("audit_llm_call", context_id="00000000-0000-4000-8000-000000000000", **REPORT),
        sync=True,
    )
    assert forged["error"] == "AuthenticationError"
    assert "Invalid or expired context" in unknown["message"]
