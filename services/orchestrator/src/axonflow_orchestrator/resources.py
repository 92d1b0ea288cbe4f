"""Opens what the orchestrator needs, in reading order, and closes it in reverse: the audit log, then the pools."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

from axonflow_audit import AuditLog
from axonflow_connectors import ConnectorRegistry, Surroundings, standard_specs
from axonflow_database import Database, internal_secret, partition_keeper, sealing_keys
from axonflow_governance.rebuilding import SetBuilder
from axonflow_guards import IdempotencyKeys, NonceLedger
from axonflow_internal_auth import TokenVerifier
from axonflow_outbound import Egress, Outbound
from axonflow_sealing import Sealer
from axonflow_telemetry import Metrics
from axonflow_web import Lifecycle

from axonflow_orchestrator.settings import OrchestratorSettings

NAME = "orchestrator"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Orchestrator:
    """The live objects behind the routes."""

    settings: OrchestratorSettings
    database: Database
    verifier: TokenVerifier
    audit: AuditLog
    idempotency: IdempotencyKeys
    connectors: ConnectorRegistry
    sealer: Sealer
    sets: SetBuilder
    metrics: Metrics
    lifecycle: Lifecycle = dataclasses.field(default_factory=Lifecycle)


@contextlib.asynccontextmanager
async def open_orchestrator(settings: OrchestratorSettings) -> AsyncIterator[Orchestrator]:
    """Open pools, secrets and the audit log; the schema must have been migrated.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer, or holds no internal secret.
        AuditDirectoryError: rows could not be kept while PostgreSQL is away.
    """
    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        database = await Database.open(settings)
        stack.push_async_callback(database.close)
        secret = await internal_secret(settings, database)
        previous = settings.internal_secret_previous
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
        outbound = await stack.enter_async_context(Outbound(Egress.parse(settings.egress_allow)))
        sqlite_root = Path(settings.connector_sqlite_dir) if settings.connector_sqlite_dir else None
        surroundings = Surroundings(
            outbound=outbound, sqlite_root=sqlite_root, stdio_commands=settings.mcp_stdio_commands
        )
        sets = SetBuilder(database)
        stack.push_async_callback(sets.close)
        yield Orchestrator(
            settings=settings,
            database=database,
            verifier=TokenVerifier(
                (secret,) if previous is None else (secret, previous), NAME, NonceLedger(database, NAME)
            ),
            audit=audit,
            idempotency=IdempotencyKeys(database),
            connectors=ConnectorRegistry(standard_specs(), surroundings),
            sealer=Sealer(await sealing_keys(settings, database)),
            sets=sets,
            metrics=metrics,
        )
