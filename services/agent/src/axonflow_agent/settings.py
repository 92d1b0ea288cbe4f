"""Every variable the agent reads beyond those that all services share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from axonflow_contracts.posture import ENFORCE_ALL, ENFORCE_NONE, Lever, Posture, Profile
from axonflow_contracts.verdicts import Action
from axonflow_settings import Secret, ServiceSettings, variable
from axonflow_settings.core import boolean, choice, duration_s, http_url, integer, secret, words

OPENAI_DEFAULT = "https://api.openai.com/v1"
BOOTSTRAP_SECRET_LENGTH = 32


def _bootstrap_client(text: str) -> tuple[str, Secret]:
    client_id, colon, client_secret = text.partition(":")
    if not colon or not client_id.isprintable() or not client_id or len(client_secret) < BOOTSTRAP_SECRET_LENGTH:
        raise ValueError(f"id:secret with a secret of at least {BOOTSTRAP_SECRET_LENGTH} characters")
    return client_id, Secret(client_secret)


def _enforce(text: str) -> frozenset[Lever] | Profile:
    """A list of levers; ``all`` and ``none`` are other words for the strict and the dev profile."""
    named = words(text)
    if named == (ENFORCE_ALL,):
        return Profile.STRICT
    if named == (ENFORCE_NONE,):
        return Profile.DEV
    legal = {lever.value for lever in Lever}
    if not set(named) <= legal:
        raise ValueError(f"a list of {', '.join(sorted(legal))}, or all, or none")
    return frozenset(Lever(word) for word in named)


def _lever(*actions: Action) -> Callable[[str], Action]:
    return choice(Action, tuple(action.value for action in actions))


_PII = _lever(Action.BLOCK, Action.REDACT, Action.WARN, Action.LOG)
_OTHER = _lever(Action.BLOCK, Action.WARN, Action.LOG)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AgentSettings(ServiceSettings):
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
    profile: Profile = variable(
        "AXONFLOW_PROFILE",
        "Named strictness: dev, default (each policy's own action), strict or compliance.",
        choice(Profile, tuple(Profile)),
        Profile.DEFAULT,
    )
    enforce: frozenset[Lever] | Profile = variable(
        "AXONFLOW_ENFORCE",
        f"Families that must block: {', '.join(Lever)}; or all (strict), or none (dev).",
        _enforce,
        frozenset(),
        default_text="",
    )
    pii_action: Action | None = variable("PII_ACTION", "block, redact, warn or log for all pii-*.", _PII, None)
    sqli_action: Action | None = variable("SQLI_ACTION", "block, warn or log for security-sqli.", _OTHER, None)
    sensitive_data_action: Action | None = variable(
        "SENSITIVE_DATA_ACTION", "block, warn or log for sensitive-data.", _OTHER, None
    )
    high_risk_action: Action | None = variable("HIGH_RISK_ACTION", "block, warn or log above risk 0.8.", _OTHER, None)
    dangerous_query_action: Action | None = variable(
        "DANGEROUS_QUERY_ACTION", "block, warn or log for destructive SQL.", _OTHER, None
    )
    dangerous_command_action: Action | None = variable(
        "DANGEROUS_COMMAND_ACTION", "block, warn or log for security-dangerous.", _OTHER, None
    )
    gateway_pii_action: Action | None = variable(
        "GATEWAY_PII_ACTION", "PII_ACTION for the gateway planes alone.", _PII, None
    )
    gateway_sqli_action: Action | None = variable(
        "GATEWAY_SQLI_ACTION", "SQLI_ACTION for the gateway planes alone.", _OTHER, None
    )
    gateway_dangerous_query_action: Action | None = variable(
        "GATEWAY_DANGEROUS_QUERY_ACTION", "DANGEROUS_QUERY_ACTION for the gateway planes alone.", _OTHER, None
    )
    gateway_dangerous_command_action: Action | None = variable(
        "GATEWAY_DANGEROUS_COMMAND_ACTION", "DANGEROUS_COMMAND_ACTION for the gateway planes alone.", _OTHER, None
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

    mcp_pii_action: Action | None = variable("MCP_PII_ACTION", "PII_ACTION for the MCP planes alone.", _PII, None)
    mcp_sqli_action: Action | None = variable("MCP_SQLI_ACTION", "SQLI_ACTION for the MCP planes alone.", _OTHER, None)
    mcp_dangerous_query_action: Action | None = variable(
        "MCP_DANGEROUS_QUERY_ACTION", "DANGEROUS_QUERY_ACTION for the MCP planes alone.", _OTHER, None
    )
    mcp_dangerous_command_action: Action | None = variable(
        "MCP_DANGEROUS_COMMAND_ACTION", "DANGEROUS_COMMAND_ACTION for the MCP planes alone.", _OTHER, None
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
        return self._posture(
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
        return self._posture(
            "MCP",
            {
                Lever.PII: self.mcp_pii_action,
                Lever.SQLI: self.mcp_sqli_action,
                Lever.DANGEROUS_QUERIES: self.mcp_dangerous_query_action,
                Lever.DANGEROUS_COMMANDS: self.mcp_dangerous_command_action,
            },
            self.mcp_skip_categories,
        )

    def _posture(self, mode: str, levers: Mapping[Lever, Action | None], skipped: tuple[str, ...]) -> Posture:
        return Posture(
            profile=self.enforce if isinstance(self.enforce, Profile) else self.profile,
            enforce=frozenset() if isinstance(self.enforce, Profile) else self.enforce,
            global_levers=_set(
                {
                    Lever.PII: self.pii_action,
                    Lever.SQLI: self.sqli_action,
                    Lever.SENSITIVE_DATA: self.sensitive_data_action,
                    Lever.HIGH_RISK: self.high_risk_action,
                    Lever.DANGEROUS_QUERIES: self.dangerous_query_action,
                    Lever.DANGEROUS_COMMANDS: self.dangerous_command_action,
                }
            ),
            mode_levers=_set(levers),
            mode=mode,
            skip_categories=frozenset(skipped),
        )

    def check(self) -> list[str]:
        """Rules over several variables."""
        faults = super().check()
        if self.mode.asks_for_credentials and not self.jwt_secret and self.deployment_kind == "production":
            faults.append("JWT_SECRET is not set: a production deployment verifies its end users' tokens with it")
        if self.mcp_dynamic_policies:
            faults.append("MCP_DYNAMIC_POLICIES_ENABLED=true: this version cannot judge MCP calls by dynamic policies")
        return faults


def _set(levers: Mapping[Lever, Action | None]) -> dict[Lever, Action]:
    return {lever: action for lever, action in levers.items() if action is not None}
