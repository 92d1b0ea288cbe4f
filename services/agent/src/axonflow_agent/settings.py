"""Every variable the agent reads beyond those that all services share."""

from __future__ import annotations

import dataclasses

from axonflow_contracts.posture import Lever, Posture
from axonflow_contracts.verdicts import Action
from axonflow_pricing import PriceSettings
from axonflow_settings import JudgingSettings, Secret, variable
from axonflow_settings.core import boolean, duration_s, http_url, integer, secret, words
from axonflow_settings.judging import OTHER_ACTIONS, PII_ACTIONS

OPENAI_DEFAULT = "https://api.openai.com/v1"
BOOTSTRAP_SECRET_LENGTH = 32


def _bootstrap_client(text: str) -> tuple[str, Secret]:
    client_id, colon, client_secret = text.partition(":")
    if not colon or not client_id.isprintable() or not client_id or len(client_secret) < BOOTSTRAP_SECRET_LENGTH:
        raise ValueError(f"id:secret with a secret of at least {BOOTSTRAP_SECRET_LENGTH} characters")
    return client_id, Secret(client_secret)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AgentSettings(PriceSettings, JudgingSettings):
    """The agent's environment."""

    port: int = variable("PORT", "Port to listen on.", integer(1, 65535), 8080)
    openai_base_url: str = variable(
        "OPENAI_BASE_URL", "Where chat completions go, with its /v1, as the OpenAI SDKs read it.", http_url, ""
    )
    openai_endpoint: str = variable(
        "OPENAI_ENDPOINT", "The same without /v1; used when OPENAI_BASE_URL is unset.", http_url, ""
    )
    upstream_timeout_s: float = variable(
        "AXONFLOW_UPSTREAM_TIMEOUT",
        "How long a model call may take, from its first byte out to its last byte in.",
        duration_s,
        120.0,
        default_text="120s",
    )
    upstream_max_bytes: int = variable(
        "AXONFLOW_UPSTREAM_MAX_BYTES",
        "Largest reply of a model, in bytes; above it 502.",
        integer(1024, 1 << 30),
        10_485_760,
    )
    upstream_connections: int = variable(
        "AXONFLOW_UPSTREAM_CONNECTIONS", "Connections to the model that one process may hold.", integer(1, 65535), 512
    )
    orchestrator_url: str = variable("ORCHESTRATOR_URL", "The orchestrator.", http_url, "http://localhost:8081")
    portal_url: str = variable("PORTAL_URL", "The portal.", http_url, "http://localhost:8082")

    admin_api_key: Secret = variable(
        "ADMIN_API_KEY", "Opens /api/clients; without it those routes answer 403.", secret, Secret("")
    )
    bootstrap_client: tuple[str, Secret] | None = variable(
        "AXONFLOW_BOOTSTRAP_CLIENT", "First client, as id:secret, made at boot if absent.", _bootstrap_client, None
    )
    jwt_secret: Secret = variable("JWT_SECRET", "Verifies end users' tokens (HS256).", secret, Secret(""))
    rate_limit_per_minute: int = variable(
        "AXONFLOW_RATE_LIMIT_PER_MINUTE",
        "Requests a minute for clients whose row names no limit; 0 means unlimited.",
        integer(0, 10_000_000),
        0,
    )
    gateway_pii_action: Action | None = variable(
        "GATEWAY_PII_ACTION", "PII_ACTION for the gateway planes alone.", PII_ACTIONS, None
    )
    gateway_sqli_action: Action | None = variable(
        "GATEWAY_SQLI_ACTION", "SQLI_ACTION for the gateway planes alone.", OTHER_ACTIONS, None
    )
    gateway_dangerous_query_action: Action | None = variable(
        "GATEWAY_DANGEROUS_QUERY_ACTION", "DANGEROUS_QUERY_ACTION for the gateway planes alone.", OTHER_ACTIONS, None
    )
    gateway_dangerous_command_action: Action | None = variable(
        "GATEWAY_DANGEROUS_COMMAND_ACTION",
        "DANGEROUS_COMMAND_ACTION for the gateway planes alone.",
        OTHER_ACTIONS,
        None,
    )
    gateway_policies_enabled: bool = variable(
        "GATEWAY_STATIC_POLICIES_ENABLED",
        "false lets every gateway call pass unjudged; said loudly at boot.",
        boolean,
        True,
    )
    gateway_skip_categories: tuple[str, ...] = variable(
        "GATEWAY_STATIC_POLICIES_SKIP_CATEGORIES",
        "Categories the gateway planes do not judge, comma-separated.",
        words,
        (),
    )

    mcp_pii_action: Action | None = variable(
        "MCP_PII_ACTION", "PII_ACTION for the MCP planes alone.", PII_ACTIONS, None
    )
    mcp_sqli_action: Action | None = variable(
        "MCP_SQLI_ACTION", "SQLI_ACTION for the MCP planes alone.", OTHER_ACTIONS, None
    )
    mcp_dangerous_query_action: Action | None = variable(
        "MCP_DANGEROUS_QUERY_ACTION", "DANGEROUS_QUERY_ACTION for the MCP planes alone.", OTHER_ACTIONS, None
    )
    mcp_dangerous_command_action: Action | None = variable(
        "MCP_DANGEROUS_COMMAND_ACTION", "DANGEROUS_COMMAND_ACTION for the MCP planes alone.", OTHER_ACTIONS, None
    )
    mcp_policies_enabled: bool = variable(
        "MCP_STATIC_POLICIES_ENABLED",
        "false lets every MCP call pass the product's policies unjudged; said loudly at boot.",
        boolean,
        True,
    )
    mcp_skip_categories: tuple[str, ...] = variable(
        "MCP_STATIC_POLICIES_SKIP_CATEGORIES",
        "Categories the MCP planes do not judge, comma-separated.",
        words,
        (),
    )
    mcp_dynamic_policies: bool = variable(
        "MCP_DYNAMIC_POLICIES_ENABLED",
        "Dynamic policies on MCP calls. This version has no evaluator for them: true refuses the boot.",
        boolean,
        False,
    )
    mcp_exfiltration: bool = variable(
        "MCP_EXFILTRATION_ENABLED", "false lets answers of connectors be of any size.", boolean, True
    )
    mcp_max_rows: int = variable(
        "MCP_MAX_ROWS_PER_QUERY",
        "Rows that one answer of a connector may have; 0 means unlimited.",
        integer(0, 10_000_000),
        10_000,
    )
    mcp_max_bytes: int = variable(
        "MCP_MAX_BYTES_PER_QUERY",
        "Bytes that the rows of one answer may have, as JSON; 0 means unlimited.",
        integer(0, 1 << 34),
        10_485_760,
    )

    connector_registry: bool = variable(
        "TENANT_CONNECTOR_REGISTRY_ENABLED",
        "false switches connectors off: their routes answer 503.",
        boolean,
        True,
    )

    circuit_auto: bool = variable(
        "AXONFLOW_CIRCUIT_AUTO",
        "true lets circuits open by themselves after denials or failures (enterprise); people can always open them.",
        boolean,
        False,
    )

    decision_expires_after_s: float = variable(
        "AXONFLOW_DECISION_EXPIRES_AFTER",
        "How long an answer of /api/v1/decide may be relied on.",
        duration_s,
        300.0,
        default_text="5m",
    )
    decision_context_allowlist: tuple[str, ...] = variable(
        "AXONFLOW_DECISION_CONTEXT_ALLOWLIST",
        "Names of context values that rows and spans of decisions keep, comma-separated; * at the end of one is any.",
        words,
        ("x-ai-agent", "x-session-id", "x-leader-identity"),
        default_text="x-ai-agent,x-session-id,x-leader-identity",
    )
    cors_allowed_origins: tuple[str, ...] | None = variable(
        "AXONFLOW_CORS_ALLOWED_ORIGINS",
        "Origins whose web pages may call the agent, comma-separated; * is any. Unset: any in community, else none.",
        words,
        None,
    )

    override_strict: bool = variable(
        "AXONFLOW_OVERRIDE_STRICT",
        "true lets an override be stricter than the policy it replaces, never weaker.",
        boolean,
        False,
    )

    @property
    def openai_base(self) -> str:
        """Base address of chat completions, ending in the provider's version path."""
        if self.openai_base_url:
            return self.openai_base_url
        return f"{self.openai_endpoint}/v1" if self.openai_endpoint else OPENAI_DEFAULT

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Origins whose pages may call; where nobody proves who they are, any."""
        if self.cors_allowed_origins is not None:
            return self.cors_allowed_origins
        return () if self.mode.asks_for_credentials else ("*",)

    @property
    def gateway_posture(self) -> Posture:
        """The operator's levers for the gateway planes, as the policy engine takes them."""
        return self.posture(
            "GATEWAY",
            {
                Lever.PII: self.gateway_pii_action,
                Lever.SQLI: self.gateway_sqli_action,
                Lever.DANGEROUS_QUERIES: self.gateway_dangerous_query_action,
                Lever.DANGEROUS_COMMANDS: self.gateway_dangerous_command_action,
            },
            self.gateway_skip_categories,
        )

    @property
    def mcp_posture(self) -> Posture:
        """The same for the planes of connectors and their checks."""
        return self.posture(
            "MCP",
            {
                Lever.PII: self.mcp_pii_action,
                Lever.SQLI: self.mcp_sqli_action,
                Lever.DANGEROUS_QUERIES: self.mcp_dangerous_query_action,
                Lever.DANGEROUS_COMMANDS: self.mcp_dangerous_command_action,
            },
            self.mcp_skip_categories,
        )

    def check(self) -> list[str]:
        """Rules over several variables."""
        faults = super().check()
        if self.mode.asks_for_credentials and not self.jwt_secret and self.deployment_kind == "production":
            faults.append("JWT_SECRET is not set: a production deployment verifies its end users' tokens with it")
        if self.mcp_dynamic_policies:
            faults.append("MCP_DYNAMIC_POLICIES_ENABLED=true: this version cannot judge MCP calls by dynamic policies")
        return faults
