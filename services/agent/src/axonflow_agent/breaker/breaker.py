"""The circuits as they act on calls: looked up in memory, followed from the database, counted while no call waits.

A store that cannot be reached opens no circuit and closes none: what was loaded goes on acting (agent contract §1.7).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from axonflow_contracts.caller import Caller
from axonflow_database import Database, DatabaseUnavailable, Follower
from axonflow_governance import CallStopped
from axonflow_telemetry import Metrics
from axonflow_telemetry.circuit_series import HALF_OPEN, OPEN, CircuitState

from axonflow_agent.breaker import store
from axonflow_agent.breaker.records import Circuit, Scope, State, Thresholds, TripReason, acting
from axonflow_agent.breaker.store import Target, Trip

logger = logging.getLogger("axonflow.agent.breaker")

CHANNEL = "axonflow_circuits"
AUTOMATIC = "axonflow"
# Events waiting to be counted; beyond it they are dropped, since what counts this many has tripped long ago.
_MOST_WAITING = 1_000

Circuits = dict[Target, Circuit]


@dataclass(frozen=True, slots=True)
class _Event:
    target: Target
    tenant_id: str
    errors: int = 0
    violations: int = 0

    @property
    def reason(self) -> TripReason:
        return TripReason.ERROR_RATE if self.errors else TripReason.POLICY_VIOLATION


class Breaker:
    """Refuses what an open circuit stops; counts denials and failures where the operator wants it to open by itself.

    Args:
        database: where circuits are kept.
        metrics: trips, resets and refusals are counted.
        defaults: thresholds of tenants that set none.
        automatic: ``AXONFLOW_CIRCUIT_AUTO``; without it only people open circuits.
    """

    def __init__(self, database: Database, metrics: Metrics, *, defaults: Thresholds, automatic: bool) -> None:
        self.defaults = defaults
        self._database = database
        self._metrics = metrics
        self._automatic = automatic
        self._follower: Follower[Circuits] = Follower(database, CHANNEL, self._load)
        self._counting: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Load, then follow changes.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._follower.start()
        self._metrics.circuits.watch(self._states)

    async def close(self) -> None:
        """Stop following; what is being counted is finished."""
        await self._follower.close()
        await asyncio.gather(*self._counting, return_exceptions=True)

    def stopping(self, org_id: str, scopes: Iterable[tuple[Scope, str]]) -> Circuit | None:
        """The first of those circuits that is open now."""
        circuits = self._follower.current
        if not circuits:
            return None
        now = datetime.now(UTC)
        for scope, scope_id in scopes:
            circuit = circuits.get(Target(org_id, scope, scope_id))
            if circuit is not None and circuit.stops(now):
                return circuit
        return None

    def admit(self, caller: Caller) -> None:
        """Let a call pass unless its client, its tenant or its organisation is stopped.

        Raises:
            CallStopped: with ``Retry-After`` where the circuit's end is known.
        """
        scopes = ((Scope.CLIENT, caller.client_id), (Scope.TENANT, caller.tenant_id), (Scope.GLOBAL, ""))
        self._refuse(self.stopping(caller.org_id, scopes))

    def admit_matches(self, caller: Caller, policy_ids: Iterable[str]) -> None:
        """Let a call pass unless a policy that matched it is stopped.

        Raises:
            CallStopped: as `admit`.
        """
        self._refuse(self.stopping(caller.org_id, ((Scope.POLICY, policy_id) for policy_id in policy_ids)))

    def denied(self, caller: Caller, policy_id: str) -> None:
        """Count a denial against the policy that blocked and the client that asked."""
        for scope, scope_id in ((Scope.POLICY, policy_id), (Scope.CLIENT, caller.client_id)):
            self._count(_Event(Target(caller.org_id, scope, scope_id), caller.tenant_id, violations=1))

    def failed(self, caller: Caller) -> None:
        """Count a call that a provider or connector did not answer properly."""
        self._count(_Event(Target(caller.org_id, Scope.CLIENT, caller.client_id), caller.tenant_id, errors=1))

    def succeeded(self, caller: Caller) -> None:
        """Close the client's circuit if it opened by itself and its time is over."""
        circuits = self._follower.current
        circuit = circuits.get(Target(caller.org_id, Scope.CLIENT, caller.client_id)) if circuits else None
        if circuit is None or circuit.tripped_by != AUTOMATIC:
            return
        if circuit.state_at(datetime.now(UTC)) is State.HALF_OPEN:
            self._background(self._recover(circuit))

    def changed(self, circuit: Circuit) -> None:
        """Act on a change made here at once; other replicas hear of it from the database."""
        labels = (circuit.org_id, circuit.scope.value)
        target = Target(circuit.org_id, circuit.scope, circuit.scope_id)
        circuits = self._follower.current
        if circuit.state is State.OPEN:
            self._metrics.circuits.trips.labels(*labels, (circuit.trip_reason or TripReason.MANUAL).value).inc()
            if circuits is not None:
                circuits[target] = circuit
        else:
            self._metrics.circuits.resets.labels(*labels).inc()
            if circuits is not None:
                circuits.pop(target, None)

    def _states(self) -> list[CircuitState]:
        now = datetime.now(UTC)
        words = {State.OPEN: OPEN, State.HALF_OPEN: HALF_OPEN}
        circuits = list((self._follower.current or {}).values())
        return [(one.org_id, one.scope.value, one.scope_id, words[one.state_at(now)]) for one in circuits]

    def _refuse(self, circuit: Circuit | None) -> None:
        if circuit is None:
            return
        self._metrics.circuits.blocked.labels(circuit.org_id, circuit.scope.value).inc()
        reason = (circuit.trip_reason or TripReason.MANUAL).value
        raise CallStopped(f"circuit breaker active (reason: {reason})", _retry_after(circuit))

    def _count(self, event: _Event) -> None:
        if self._automatic and event.target.scope_id:
            if len(self._counting) >= _MOST_WAITING:
                logger.warning("an event for a circuit was dropped: too many wait to be counted")
                return
            self._background(self._counted(event))

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._counting.add(task)
        task.add_done_callback(self._counting.discard)

    async def _counted(self, event: _Event) -> None:
        try:
            async with self._database.tenant(event.target.org_id) as connection:
                overrides = await store.read_config(connection, event.target.org_id, event.tenant_id)
                thresholds = acting(self.defaults, overrides)
                circuit = await store.count(
                    connection, event.target, thresholds, errors=event.errors, violations=event.violations
                )
                if not _is_due(circuit, thresholds):
                    return
                tripped = await store.trip(connection, event.target, _automatic_trip(event.reason, thresholds))
        except DatabaseUnavailable as error:
            logger.warning("an event for a circuit could not be counted: %s", error)
            return
        logger.warning("a circuit opened: %s of scope %s", event.reason, event.target.scope)
        self.changed(tripped)

    async def _recover(self, circuit: Circuit) -> None:
        target = Target(circuit.org_id, circuit.scope, circuit.scope_id)
        try:
            async with self._database.tenant(circuit.org_id) as connection:
                closed = await store.reset(connection, target, by=AUTOMATIC, comment="a call went well after its time")
        except DatabaseUnavailable as error:
            logger.warning("a circuit could not be closed: %s", error)
            return
        if closed is not None:
            self.changed(closed)

    async def _load(self) -> Circuits:
        async with self._database.platform() as connection:
            circuits = await store.open_circuits(connection)
        return {Target(circuit.org_id, circuit.scope, circuit.scope_id): circuit for circuit in circuits}


def _is_due(circuit: Circuit, thresholds: Thresholds) -> bool:
    """Whether a count opens the circuit: past a threshold, or anything at all after its time was over."""
    state = circuit.state_at(datetime.now(UTC))
    if state is State.OPEN:
        return False
    return (
        state is State.HALF_OPEN
        or circuit.error_count >= thresholds.error_threshold
        or circuit.violation_count >= thresholds.violation_threshold
    )


def _automatic_trip(reason: TripReason, thresholds: Thresholds) -> Trip:
    """Without automatic recovery a circuit stays open until somebody looks."""
    open_s = min(thresholds.default_timeout_seconds, thresholds.max_timeout_seconds)
    until = datetime.now(UTC) + timedelta(seconds=open_s) if thresholds.enable_auto_recovery else None
    return Trip(reason=reason, by=AUTOMATIC, expires_at=until)


def _retry_after(circuit: Circuit) -> dict[str, str]:
    if circuit.expires_at is None:
        return {}
    return {"Retry-After": str(max(1, math.ceil((circuit.expires_at - datetime.now(UTC)).total_seconds())))}
