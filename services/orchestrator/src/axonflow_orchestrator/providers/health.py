"""How providers do: what probes and calls found, held in memory and kept in the database for other replicas."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from axonflow_database import Database, DatabaseUnavailable
from axonflow_providers import FaultKind

from axonflow_orchestrator.providers import store
from axonflow_orchestrator.providers.configured import ConfiguredProvider
from axonflow_orchestrator.providers.records import ProviderHealth, Row

logger = logging.getLogger("axonflow.orchestrator.providers")

HEALTHY, UNHEALTHY, UNKNOWN = "healthy", "unhealthy", "unknown"
FAILURES_IN_A_ROW = 3
Asked = ConfiguredProvider | Row
KEEP_S = 300.0  # an unchanged state is written again after this long
# What no second try would mend: one is enough to say so.
DEFINITE = frozenset({FaultKind.CREDENTIALS, FaultKind.QUOTA, FaultKind.REFUSED_ADDRESS})


@dataclasses.dataclass(slots=True)
class _State:
    version: int
    org_id: str
    status: str = UNKNOWN
    message: str = ""
    failures: int = 0
    checked_at: datetime | None = None
    seen_at: float = 0.0
    kept_status: str = ""
    kept_at: float = 0.0


class HealthBook:
    """States by provider.

    Args:
        database: where they are kept.
        org_id: the deployment's organisation, which keeps those of the deployment's own providers.
    """

    def __init__(self, database: Database, org_id: str) -> None:
        self._database = database
        self._org_id = org_id
        self._states: dict[str, _State] = {}

    def note(self, provider: Asked, *, healthy: bool, message: str = "", definite: bool = False) -> None:
        """What one look or call found.

        Args:
            provider: which was asked.
            healthy: whether it answered.
            message: why not, in words of ours.
            definite: one failure of this kind is enough.
        """
        state = self._of(provider)
        state.checked_at, state.seen_at = datetime.now(UTC), time.monotonic()
        state.failures = 0 if healthy else state.failures + 1
        state.message = "" if healthy else message
        if healthy:
            state.status = HEALTHY
        elif definite or state.failures >= FAILURES_IN_A_ROW:
            state.status = UNHEALTHY

    def of(self, id_: str, version: int) -> ProviderHealth | None:
        """What is known here of one provider; None before it was asked in this version."""
        state = self._states.get(id_)
        if state is None or state.version != version or state.checked_at is None:
            return None
        return ProviderHealth(status=state.status, message=state.message, last_checked=state.checked_at)

    def age_s(self, id_: str, version: int) -> float:
        """Seconds since one was last asked; infinite before."""
        state = self._states.get(id_)
        if state is None or state.version != version or state.checked_at is None:
            return float("inf")
        return time.monotonic() - state.seen_at

    def forget(self, known: Iterable[str]) -> None:
        """Keep only the states of ``known`` providers."""
        kept = set(known)
        self._states = {id_: state for id_, state in self._states.items() if id_ in kept}

    async def keep(self) -> None:
        """Write what changed, and what was last written long ago; what cannot be written now waits."""
        now = time.monotonic()
        by_org: dict[str, list[str]] = defaultdict(list)
        for id_, state in self._states.items():
            if state.checked_at and (state.status != state.kept_status or now - state.kept_at >= KEEP_S):
                by_org[state.org_id or self._org_id].append(id_)
        for org_id, ids in by_org.items():
            await self._keep(org_id, ids, now)

    async def _keep(self, org_id: str, ids: list[str], now: float) -> None:
        states = {id_: self._states[id_] for id_ in ids if id_ in self._states}
        written = {id_: state.status for id_, state in states.items()}
        try:
            async with self._database.tenant(org_id) as connection:
                await store.keep_health(connection, [_values(org_id, id_, state) for id_, state in states.items()])
        except DatabaseUnavailable as error:
            logger.warning("the health of providers is not kept: PostgreSQL does not answer (%s)", error)
            return
        for id_, state in states.items():
            state.kept_status, state.kept_at = written[id_], now

    def _of(self, provider: Asked) -> _State:
        state = self._states.get(provider.id)
        if state is None or state.version != provider.version:
            state = self._states[provider.id] = _State(provider.version, provider.org_id)
        return state


def health_of(book: HealthBook, kept: Mapping[str, ProviderHealth], id_: str, version: int) -> ProviderHealth:
    """What is known here, else what a replica kept, else nothing."""
    return book.of(id_, version) or kept.get(id_) or ProviderHealth()


def _values(org_id: str, id_: str, state: _State) -> dict[str, object]:
    return {
        "org_id": org_id,
        "provider": id_,
        "status": state.status,
        "message": state.message,
        "failures": state.failures,
        "checked_at": state.checked_at,
        "deployment": not state.org_id,
    }
