"""The operator's levers for the MCP planes."""

from __future__ import annotations

import pytest
from axonflow_agent.settings import AgentSettings
from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action
from axonflow_settings import load

BASE = {"DATABASE_URL": "postgresql://localhost/axonflow", "DEPLOYMENT_MODE": "community"}


def settings(**env: str) -> AgentSettings:
    return load(AgentSettings, BASE | env)


def test_a_lever_of_one_family_is_none_of_the_other() -> None:
    read = settings(MCP_PII_ACTION="log", GATEWAY_PII_ACTION="block", SQLI_ACTION="warn")
    assert (read.mcp_posture.mode, read.mcp_posture.mode_levers) == ("MCP", {Lever.PII: Action.LOG})
    assert (read.gateway_posture.mode, read.gateway_posture.mode_levers) == ("GATEWAY", {Lever.PII: Action.BLOCK})
    assert read.mcp_posture.global_levers == read.gateway_posture.global_levers == {Lever.SQLI: Action.WARN}


def test_categories_are_skipped_by_one_family_alone() -> None:
    read = settings(MCP_STATIC_POLICIES_SKIP_CATEGORIES="pii-us, security-sqli")
    assert read.mcp_posture.skip_categories == {"pii-us", "security-sqli"}
    assert read.gateway_posture.skip_categories == frozenset()


def test_what_cannot_be_evaluated_is_not_pretended() -> None:
    with pytest.raises(Exception, match="MCP_DYNAMIC_POLICIES_ENABLED=true: this version cannot"):
        settings(MCP_DYNAMIC_POLICIES_ENABLED="true")
    assert not settings(MCP_DYNAMIC_POLICIES_ENABLED="false").mcp_dynamic_policies


@pytest.mark.parametrize(
    ("name", "value"), [("MCP_MAX_ROWS_PER_QUERY", "-1"), ("MCP_SQLI_ACTION", "redact"), ("MCP_PII_ACTION", "off")]
)
def test_a_wrong_value_refuses_the_boot(name: str, value: str) -> None:
    with pytest.raises(Exception, match=name):
        settings(**{name: value})
