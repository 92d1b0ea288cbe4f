"""The variables that all three services read; each service's own struct adds to these."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from axonflow_settings.core import (
    Secret,
    boolean,
    choice,
    decimal_number,
    duration_s,
    family,
    integer,
    long_secret,
    secret,
    symmetric_key,
    symmetric_key_file,
    variable,
)
from axonflow_settings.deployment import DEFAULT_ORG_ID, EDITIONS, DeploymentKind, DeploymentMode, Edition, Limits
from axonflow_settings.egress import egress_list
from axonflow_settings.stdio_commands import StdioCommand, stdio_commands

MODES = tuple(mode.value for mode in DeploymentMode)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What agent, orchestrator and portal have in common."""

    host: str = variable("HOST", "Address to listen on.", default="0.0.0.0")  # noqa: S104 - a service in a container
    port: int = variable("PORT", "Port to listen on.", integer(1, 65535), 8080, default_text="8080 / 8081 / 8082")
    mode: DeploymentMode = variable(
        "DEPLOYMENT_MODE",
        f"How callers prove who they are, and the default tier: {', '.join(MODES)}.",
        choice(DeploymentMode, MODES),
        DeploymentMode.COMMUNITY,
    )
    tier: Edition | None = variable(
        "AXONFLOW_TIER",
        "Overrides the mode's tier: community, evaluation or enterprise.",
        choice(Edition, tuple(Edition)),
        None,
        default_text="the mode's",
    )
    limit_overrides: Mapping[str, int] = family(
        "AXONFLOW_LIMIT_",
        Limits.__struct_fields__,
        "Overrides one limit of the edition (the names stand in the last table); -1 means unlimited.",
        integer(-1, 1_000_000_000),
    )
    deployment_kind: DeploymentKind = variable(
        "DEPLOYMENT_KIND",
        "`production` refuses to boot with an empty or default ORG_ID.",
        choice(DeploymentKind, tuple(DeploymentKind)),
        DeploymentKind.DEV,
    )
    org_id: str = variable(
        "ORG_ID", "Organisation that owns this deployment's data.", default=DEFAULT_ORG_ID, aliases=("DEFAULT_ORG_ID",)
    )
    environment: str = variable("ENVIRONMENT", "A label for logs and traces.", default="development")
    log_level: str = variable(
        "LOG_LEVEL", "debug, info, warning or error.", choice(str, ("debug", "info", "warning", "error")), "info"
    )

    database_url: Secret = variable(
        "DATABASE_URL",
        "PostgreSQL, as the owner of the schema; used for migrations, and by pools that give up its rights at once.",
        secret,
        Secret(""),
        default_text="made of DATABASE_HOST, _PORT, _NAME, _USER, _PASSWORD, _SSLMODE",
    )
    database_host: str = variable("DATABASE_HOST", "Host, when DATABASE_URL is unset.", default="")
    database_port: int = variable("DATABASE_PORT", "Port, when DATABASE_URL is unset.", integer(1, 65535), 5432)
    database_name: str = variable("DATABASE_NAME", "Database, when DATABASE_URL is unset.", default="axonflow")
    database_user: str = variable("DATABASE_USER", "User, when DATABASE_URL is unset.", default="axonflow")
    database_password: Secret = variable(
        "DATABASE_PASSWORD", "Password, when DATABASE_URL is unset.", secret, Secret("")
    )
    database_sslmode: str = variable(
        "DATABASE_SSLMODE",
        "libpq sslmode, when DATABASE_URL is unset.",
        choice(str, ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")),
        "prefer",
    )
    app_role_url: Secret = variable(
        "AXONFLOW_DB_APP_ROLE_URL",
        "A login that is a member of axonflow_app; unset, pools log in as the owner and SET ROLE.",
        secret,
        Secret(""),
    )
    platform_role_url: Secret = variable(
        "AXONFLOW_DB_PLATFORM_ADMIN_URL",
        "A login that is a member of axonflow_platform; unset, pools log in as the owner and SET ROLE.",
        secret,
        Secret(""),
    )
    pool_size: int = variable("AXONFLOW_DB_POOL_SIZE", "Connections a pool may open, per process.", integer(1, 100), 4)

    internal_secret: Secret | None = variable(
        "AXONFLOW_INTERNAL_SERVICE_SECRET",
        "Signs calls among the services; the same on all three, at least 32 characters. Community generates one.",
        long_secret,
        None,
        default_text="generated in community; required elsewhere",
    )
    internal_secret_previous: Secret | None = variable(
        "AXONFLOW_INTERNAL_SERVICE_SECRET_PREVIOUS",
        "The secret before the last rotation, still accepted for verifying.",
        long_secret,
        None,
    )

    sealing_key: Secret | None = variable(
        "AXONFLOW_SEALING_KEY",
        "Seals connector credentials and kept inputs at rest: 32 bytes as hex or base64, the same on all services. "
        "Community generates one; elsewhere nothing can be sealed without it.",
        symmetric_key,
        None,
        default_text="generated in community",
        aliases=("CONNECTOR_ENCRYPTION_KEY",),
    )
    sealing_key_file: Secret | None = variable(
        "AXONFLOW_SEALING_KEY_FILE", "A file that holds AXONFLOW_SEALING_KEY.", symmetric_key_file, None
    )
    sealing_key_previous: Secret | None = variable(
        "AXONFLOW_SEALING_KEY_PREVIOUS",
        "The key before the last rotation, still accepted for opening.",
        symmetric_key,
        None,
    )
    sealing_key_previous_file: Secret | None = variable(
        "AXONFLOW_SEALING_KEY_PREVIOUS_FILE",
        "A file that holds AXONFLOW_SEALING_KEY_PREVIOUS.",
        symmetric_key_file,
        None,
    )
    egress_allow: str = variable(
        "AXONFLOW_EGRESS_ALLOW",
        "What tenants' addresses (connectors, webhooks, providers given by API) may reach beyond the public Internet: "
        "a comma-separated list of CIDRs, addresses, hosts and *.suffixes. A host opens no link-local, metadata or "
        "multicast range; a CIDR does.",
        egress_list,
        "",
    )
    connector_sqlite_dir: str = variable(
        "AXONFLOW_CONNECTOR_SQLITE_DIR",
        "Directory of SQLite databases that connectors may open, each below a folder named as its organisation; unset: "
        "none.",
        default="",
    )
    mcp_stdio_commands: tuple[StdioCommand, ...] = variable(
        "AXONFLOW_MCP_STDIO_COMMANDS",
        "Command lines of MCP servers that connectors may run, as name=command line and apart by semicolons, such as "
        "files=/usr/bin/mcp-files --root /data; NAME=value before a program sets its environment. An install names "
        "one of them; unset: none.",
        stdio_commands,
        (),
    )

    max_body_bytes: int = variable(
        "AXONFLOW_MAX_BODY_BYTES", "Largest request body, in bytes; above it 413.", integer(1024, 1 << 30), 10_485_760
    )
    drain_s: float = variable(
        "AXONFLOW_DRAIN_TIMEOUT",
        "How long SIGTERM waits for requests under way, then for the audit log, before the process ends.",
        duration_s,
        25.0,
        default_text="25s",
    )
    server: str = variable(
        "AXONFLOW_SERVER",
        "ASGI server: hypercorn, or uvicorn where it is installed.",
        choice(str, ("hypercorn", "uvicorn")),
        "hypercorn",
    )

    otel_endpoint: str = variable(
        "AXONFLOW_OTEL_ENDPOINT", "OTLP gRPC collector, such as otel-collector:4317; unset exports nothing.", default=""
    )
    otel_service_name: str = variable(
        "AXONFLOW_OTEL_SERVICE_NAME", "service.name of exported spans.", default="", default_text="axonflow-<service>"
    )
    otel_sample_rate: float = variable(
        "AXONFLOW_OTEL_SAMPLE_RATE", "Share of traces that are exported, 0 to 1.", decimal_number(0, 1), 1.0
    )

    record_input: str = variable(
        "AXONFLOW_RECORD_INPUT",
        "What the record keeps of inputs, by default and at most: off; redacted (at most 500 characters); or sealed, "
        "which is also the whole of it under AXONFLOW_SEALING_KEY, so that decisions can be made again. Tenants choose "
        "within it.",
        choice(str, ("off", "redacted", "sealed")),
        "redacted",
    )
    audit_fallback_path: str = variable(
        "AUDIT_FALLBACK_PATH",
        "Stem of the files that take audit rows while PostgreSQL is away; each process adds its own name.",
        default="/var/lib/axonflow/audit/audit_fallback.jsonl",
    )
    audit_fallback_max_bytes: int = variable(
        "AUDIT_FALLBACK_MAX_BYTES",
        "How large one process's file may grow; beyond it governed calls answer 503.",
        integer(1 << 20, 1 << 40),
        1 << 30,
    )
    audit_commit_wait_ms: int = variable(
        "AUDIT_COMMIT_WAIT_MS",
        "How long a reply waits for its audit batch before the batch goes to the file.",
        integer(1, 60_000),
        250,
    )
    audit_async: bool = variable(
        "AGENT_PERFORMANCE_MODE",
        "true answers before the audit row is durable; a crash can then lose rows.",
        boolean,
        False,
    )

    @property
    def edition(self) -> Edition:
        """The tier in force."""
        return self.tier or self.mode.default_edition

    @property
    def limits(self) -> Limits:
        """The edition's limits, with the operator's own numbers where given."""
        return msgspec.structs.replace(EDITIONS[self.edition], **self.limit_overrides)

    @property
    def sealing_keys(self) -> tuple[Secret, ...]:
        """The operator's sealing keys, the current one first; empty when none is given."""
        given = (self.sealing_key or self.sealing_key_file, self.sealing_key_previous or self.sealing_key_previous_file)
        return tuple(key for key in given if key is not None)

    @property
    def owner_dsn(self) -> Secret:
        """The connection string of the schema's owner."""
        if self.database_url:
            return self.database_url
        user, password = quote(self.database_user, safe=""), quote(self.database_password.reveal(), safe="")
        host = f"{self.database_host}:{self.database_port}"
        return Secret(
            f"postgresql://{user}:{password}@{host}/{quote(self.database_name)}?sslmode={self.database_sslmode}"
        )

    def check(self) -> list[str]:
        """Rules over several variables."""
        faults = []
        if not self.database_url and not self.database_host:
            faults.append("DATABASE_URL is not set (nor DATABASE_HOST): PostgreSQL is the only store")
        if self.internal_secret is None and self.mode not in {DeploymentMode.COMMUNITY, DeploymentMode.COMMUNITY_SAAS}:
            faults.append(
                f"AXONFLOW_INTERNAL_SERVICE_SECRET is not set: DEPLOYMENT_MODE={self.mode} needs one, the same on all "
                "three services and at least 32 characters; `openssl rand -hex 32` makes one"
            )
        if self.sealing_key is not None and self.sealing_key_file is not None:
            faults.append("AXONFLOW_SEALING_KEY and AXONFLOW_SEALING_KEY_FILE are both set: give one of them")
        if self.sealing_keys and self.sealing_key is None and self.sealing_key_file is None:
            faults.append(
                "AXONFLOW_SEALING_KEY_PREVIOUS is set without AXONFLOW_SEALING_KEY: the current key is missing"
            )
        generates = self.mode in {DeploymentMode.COMMUNITY, DeploymentMode.COMMUNITY_SAAS}
        if self.record_input == "sealed" and not self.sealing_keys and not generates:
            faults.append("AXONFLOW_RECORD_INPUT=sealed needs AXONFLOW_SEALING_KEY: nothing can be sealed without it")
        return faults
