"""Opens what makes governed calls in a service: who has what recorded, and governors that share all but their sets."""

from __future__ import annotations

import contextlib

from axonflow_audit import AuditLog, RefusalFold
from axonflow_contracts.posture import Posture
from axonflow_contracts.recording import InputMode
from axonflow_contracts.version import platform_version
from axonflow_database import Database, sealing_keys
from axonflow_sealing import Sealer
from axonflow_settings import Edition, ServiceSettings
from axonflow_telemetry import DecisionTracer, Metrics

from axonflow_governance.gate import Gate
from axonflow_governance.governor import CurrentSet, Governor
from axonflow_governance.inputs import InputSealer
from axonflow_governance.recording import Recording, TenantModes
from axonflow_governance.store import announce_posture


async def open_recording(
    stack: contextlib.AsyncExitStack, settings: ServiceSettings, database: Database, postures: tuple[Posture, ...]
) -> Recording:
    """Who has how much of their inputs kept; and the operator's levers told to those who make decisions again.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
    """
    async with database.platform() as connection:
        for posture in postures:
            await announce_posture(connection, posture)
    ceiling = InputMode(settings.record_input)
    modes = TenantModes(database, ceiling)
    await modes.start()
    stack.push_async_callback(modes.close)
    seals = ceiling is InputMode.SEALED
    return Recording(modes, InputSealer(Sealer(await sealing_keys(settings, database))) if seals else None)


class Governors:
    """Makes governors that judge by different sets and share everything else.

    Args:
        stack: closes them, their spans and their refusals.
        service: the name of the service in traces, where the operator gave none.
        gate: who may stop calls; nobody without one.
    """

    def __init__(
        self,
        stack: contextlib.AsyncExitStack,
        settings: ServiceSettings,
        metrics: Metrics,
        *,
        service: str,
        audit: AuditLog,
        recording: Recording,
        gate: Gate | None = None,
    ) -> None:
        self._stack = stack
        self._recording = recording
        self._settings = settings
        self._audit = audit
        self._gate = gate
        self._tracer = DecisionTracer(
            settings.otel_endpoint,
            service=settings.otel_service_name or service,
            version=platform_version(),
            metrics=metrics,
            sample_rate=settings.otel_sample_rate,
            environment=settings.environment,
        )
        stack.push_async_callback(self._tracer.close)
        self._refusals = RefusalFold(audit.write)
        stack.push_async_callback(self._refusals.close)

    def over(self, policies: CurrentSet) -> Governor:
        """A governor that judges by ``policies``, closed with the stack."""
        settings = self._settings
        governor = Governor(
            policies=policies,
            audit=self._audit,
            refusals=self._refusals,
            tracer=self._tracer,
            approvals_act=settings.edition is not Edition.COMMUNITY,
            recording=self._recording,
            org_id=settings.org_id,
            gate=self._gate,
        )
        self._stack.callback(governor.close)
        return governor
