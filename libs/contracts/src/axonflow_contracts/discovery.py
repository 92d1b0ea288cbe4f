"""What ``/health`` tells clients so that they can tell whether they fit: capabilities, SDK and plugin versions.

Data of agent.md §1.2 and orchestrator.md §1.1: what the release offers, whatever an edition switches on.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Capability(msgspec.Struct, frozen=True):
    """Something that this deployment can do.

    Attributes:
        name: what clients test for.
        since: platform version that introduced it.
        description: for people.
    """

    name: str
    since: str
    description: str


class SdkCompatibility(msgspec.Struct, frozen=True, kw_only=True):
    """SDK versions by language; a language without a minimum takes any version."""

    min_sdk_version: Mapping[str, str]
    recommended_sdk_version: Mapping[str, str]


class PluginCompatibility(msgspec.Struct, frozen=True, kw_only=True):
    """Editor plugin versions by plugin."""

    min_plugin_version: Mapping[str, str]
    recommended_plugin_version: Mapping[str, str]


AGENT_CAPABILITIES = (
    Capability("health_check", "1.0.0", "Liveness and discovery at GET /health"),
    Capability("proxy_llm_call", "1.0.0", "Governed model calls through POST /api/request"),
    Capability("audit_llm_call", "1.0.0", "Audit of model calls made elsewhere, POST /api/audit/llm-call"),
    Capability("static_policies", "2.0.0", "System, organization and tenant policies at /api/v1/static-policies"),
    Capability("gateway_mode", "3.0.0", "Policy check before a call made elsewhere, POST /api/policy/pre-check"),
    Capability("dynamic_policies", "3.2.0", "Tenant policies with conditions at /api/v1/dynamic-policies"),
    Capability("multi_agent_planning", "4.3.0", "Plans that are generated, approved and executed, /api/v1/plan"),
    Capability("workflow_control", "4.3.0", "Gates for workflows that run elsewhere, /api/v1/workflows"),
    Capability("execution_replay", "4.3.0", "Recorded executions step by step, /api/v1/executions"),
    Capability("cost_controls", "4.4.0", "Budgets, usage and prices, /api/v1/budgets"),
    Capability("media_governance", "4.4.0", "Judgement of images in requests, /api/v1/media-governance"),
    Capability("wcp_step_metrics", "4.5.0", "Tokens and cost of workflow steps"),
    Capability("mcp_check_endpoints", "4.7.0", "Policy checks for MCP hosts, /api/v1/mcp/check-input and check-output"),
    Capability("circuit_breaker", "4.7.0", "Emergency stop by scope, /api/v1/circuit-breaker"),
    Capability("version_discovery", "4.8.0", "SDK and plugin versions at GET /health"),
    Capability("hitl_response_parity", "7.4.0", "One approval shape for plans, workflows and the queue"),
    Capability("decision_mode", "8.2.0", "Decisions for infrastructure gateways, POST /api/v1/decide"),
    Capability("openai_compat", "8.4.0", "OpenAI-compatible gateway, POST /v1/chat/completions"),
)

_ORCHESTRATED = frozenset(
    {
        "health_check",
        "proxy_llm_call",
        "dynamic_policies",
        "multi_agent_planning",
        "workflow_control",
        "execution_replay",
        "cost_controls",
        "media_governance",
        "wcp_step_metrics",
        "version_discovery",
        "hitl_response_parity",
    }
)
ORCHESTRATOR_CAPABILITIES = tuple(known for known in AGENT_CAPABILITIES if known.name in _ORCHESTRATED)

_LANGUAGES = ("python", "typescript", "go", "java")
_PLUGINS = ("claude-code", "cursor", "codex")

SDK_COMPATIBILITY = SdkCompatibility(
    min_sdk_version=dict.fromkeys(_LANGUAGES, "8.0.0"),
    recommended_sdk_version={**dict.fromkeys(_LANGUAGES, "8.3.0"), "rust": "0.5.0"},
)

PLUGIN_COMPATIBILITY = PluginCompatibility(
    min_plugin_version={**dict.fromkeys(_PLUGINS, "1.4.0"), "openclaw": "2.4.0"},
    recommended_plugin_version={**dict.fromkeys(_PLUGINS, "1.5.2"), "openclaw": "2.6.1"},
)
