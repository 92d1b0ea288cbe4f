"""Looks at a connector by really opening it, under the deployment's egress rules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from axonflow_connectors import ConnectorFault, ConnectorRegistry, FaultKind, Health
from axonflow_contracts.errors import Fault

from axonflow_orchestrator.connectors.records import ConnectorHealth

_NS_PER_MS = 1_000_000
_CALLERS = {FaultKind.CONFIGURATION, FaultKind.EGRESS}


@dataclass(frozen=True, slots=True)
class Prober:
    """Checks configurations, and opens them for a moment."""

    registry: ConnectorRegistry

    async def check(
        self, type_: str, *, org_id: str, options: Mapping[str, Any], credentials: Mapping[str, str]
    ) -> None:
        """Refuse what cannot work or may not be dialled, before anything of it is kept.

        Raises:
            Fault: 400, naming the field; never its value.
        """
        try:
            await self.registry.check(type_, org_id=org_id, options=options, credentials=credentials)
        except ConnectorFault as fault:
            raise Fault(400, fault.message) from fault

    async def look(
        self, type_: str, *, org_id: str, options: Mapping[str, Any], credentials: Mapping[str, str]
    ) -> Health:
        """Connect, prove the credentials, close.

        Raises:
            Fault: 400, the configuration itself is at fault.
        """
        try:
            connector = await self.registry.open(type_, org_id=org_id, options=options, credentials=credentials)
        except ConnectorFault as fault:
            if fault.kind in _CALLERS:
                raise Fault(400, fault.message) from fault
            return Health(healthy=False, latency_ms=0.0, error=fault.message)
        try:
            return await connector.health()
        finally:
            await connector.close()


def on_wire(health: Health) -> ConnectorHealth:
    """What was found, as the SDKs read it."""
    return ConnectorHealth(
        healthy=health.healthy,
        latency=math.ceil(health.latency_ms * _NS_PER_MS),
        details=dict(health.details),
        timestamp=datetime.now(UTC),
        error=health.error or msgspec.UNSET,
    )
