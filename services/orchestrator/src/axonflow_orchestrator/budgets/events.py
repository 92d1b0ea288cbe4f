"""Where alerts go beyond their table: an event written in the transaction that made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from axonflow_database import Connection


class EventSink(Protocol):
    """Takes events for those who subscribed; what it writes is committed, or rolled back, with what caused it."""

    async def emit(
        self, connection: Connection, org_id: str, tenant_id: str, event: str, data: Mapping[str, Any]
    ) -> None:
        """Write one event.

        Args:
            connection: a transaction of the organisation.
            org_id: whose event.
            tenant_id: whose budget; empty for one of the whole organisation.
            event: such as ``budget.exceeded``.
            data: what subscribers read.
        """
        ...


class NoEvents:
    """For a deployment where nobody can subscribe."""

    async def emit(
        self, connection: Connection, org_id: str, tenant_id: str, event: str, data: Mapping[str, Any]
    ) -> None:
        """Write nothing."""
