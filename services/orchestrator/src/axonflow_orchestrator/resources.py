"""Opens what the orchestrator needs, in reading order, and closes it in reverse: the audit log, then the pools."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

from axonflow_audit import AuditLog
from axonflow_connectors import ConnectorRegistry, Surroundings, standard_specs
from axonflow_database import Database, internal_secret, partition_keeper, sealing_keys
from axonflow_governance import PolicySource
from axonflow_governance.rebuilding import SetBuilder
from axonflow_guards import IdempotencyKeys, NonceLedger
from axonflow_internal_auth import TokenVerifier
from axonflow_outbound import Egress, Outbound
from axonflow_sealing import Sealer
from axonflow_settings import Edition
from axonflow_telemetry import Metrics
from axonflow_web import Lifecycle

from axonflow_orchestrator.budgets.opening import open_budgets
from axonflow_orchestrator.budgets.service import BudgetService
from axonflow_orchestrator.media.desk import MediaDesk
from axonflow_orchestrator.media.opening import open_desk, open_switch
from axonflow_orchestrator.media.switch import MediaSwitch
from axonflow_orchestrator.providers.opening import ProviderRoom, open_providers
from axonflow_orchestrator.routing.opening import open_router
from axonflow_orchestrator.routing.router import Router
from axonflow_orchestrator.settings import OrchestratorSettings
from axonflow_orchestrator.tenant_policies.opening import open_rules
from axonflow_orchestrator.tenant_policies.source import RuleSource

NAME = "orchestrator"
SERVICE = "axonflow-orchestrator"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Orchestrator:
    """The live objects behind the routes."""

    settings: OrchestratorSettings
    database: Database
    verifier: TokenVerifier
    audit: AuditLog
    policies: PolicySource
    rules: RuleSource
    media: MediaDesk
    media_switch: MediaSwitch
    budgets: BudgetService
    idempotency: IdempotencyKeys
    connectors: ConnectorRegistry
    providers: ProviderRoom
    router: Router
    sealer: Sealer
    sets: SetBuilder
    metrics: Metrics
    lifecycle: Lifecycle = dataclasses.field(default_factory=Lifecycle)


@contextlib.asynccontextmanager
async def open_orchestrator(settings: OrchestratorSettings) -> AsyncIterator[Orchestrator]:
    """Open pools, secrets, the audit log and the policies; the schema must have been migrated.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer, or holds no internal secret.
        AuditDirectoryError: rows could not be kept while PostgreSQL is away.
        PolicySetUnavailable: the system policies could not be read whole.
    """
    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        database = await Database.open(settings)
        stack.push_async_callback(database.close)
        audit = await _open_audit(stack, settings, database, metrics)
        policies = await _open_policies(stack, settings, database, metrics)
        outbound = await stack.enter_async_context(Outbound(Egress.parse(settings.egress_allow)))
        sealer = Sealer(await sealing_keys(settings, database))
        providers = await open_providers(stack, settings, database, outbound=outbound, sealer=sealer)
        switch = await open_switch(stack, settings, database)
        sets = SetBuilder(database)
        stack.push_async_callback(sets.close)
        yield Orchestrator(
            settings=settings,
            database=database,
            verifier=await _verifier(settings, database),
            audit=audit,
            policies=policies,
            rules=await open_rules(stack, database),
            media=await open_desk(stack, settings, switch, policies, outbound),
            media_switch=switch,
            budgets=await stack.enter_async_context(open_budgets(database)),
            idempotency=IdempotencyKeys(database),
            connectors=_connectors(settings, outbound),
            providers=providers,
            router=await open_router(stack, settings, database, metrics, providers=providers.source),
            sealer=sealer,
            sets=sets,
            metrics=metrics,
        )


async def _open_audit(
    stack: contextlib.AsyncExitStack, settings: OrchestratorSettings, database: Database, metrics: Metrics
) -> AuditLog:
    audit = await AuditLog.open(
        database,
        service=NAME,
        fallback_path=settings.audit_fallback_path,
        commit_wait_s=settings.audit_commit_wait_ms / 1000,
        asynchronous=settings.audit_async,
        max_file_bytes=settings.audit_fallback_max_bytes,
        metrics=metrics,
    )
    stack.push_async_callback(audit.close)
    partitions = partition_keeper(database)
    partitions.start()
    stack.push_async_callback(partitions.close)
    return audit


async def _open_policies(
    stack: contextlib.AsyncExitStack, settings: OrchestratorSettings, database: Database, metrics: Metrics
) -> PolicySource:
    """The policies under the levers of Proxy Mode: trials, media and prompts of tests are judged by them."""
    policies = PolicySource(database, settings.proxy_posture, overrides_act=settings.edition is Edition.ENTERPRISE)
    await policies.start()
    stack.push_async_callback(policies.close)
    metrics.watch_policy_set_age(lambda: policies.age_s)
    return policies


async def _verifier(settings: OrchestratorSettings, database: Database) -> TokenVerifier:
    secret, previous = await internal_secret(settings, database), settings.internal_secret_previous
    return TokenVerifier((secret,) if previous is None else (secret, previous), NAME, NonceLedger(database, NAME))


def _connectors(settings: OrchestratorSettings, outbound: Outbound) -> ConnectorRegistry:
    sqlite_root = Path(settings.connector_sqlite_dir) if settings.connector_sqlite_dir else None
    surroundings = Surroundings(outbound=outbound, sqlite_root=sqlite_root, stdio_commands=settings.mcp_stdio_commands)
    return ConnectorRegistry(standard_specs(), surroundings)
