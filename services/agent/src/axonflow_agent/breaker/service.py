"""What people do with circuits: open, close, look, set a tenant's thresholds. No HTTP, no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_database import Database
from axonflow_governance.changes import Author, ChangeRecord

from axonflow_agent.breaker import store
from axonflow_agent.breaker.breaker import Breaker
from axonflow_agent.breaker.records import Circuit, ConfigView, HistoryEntry, Overrides, Scope, TripReason, acting
from axonflow_agent.breaker.store import Target, Trip
from axonflow_agent.policies.service import tenant_transaction

LONGEST_TEXT = 2_000
MOST_MINUTES = 60 * 24


class TripBody(msgspec.Struct, frozen=True, kw_only=True):
    """``duration_minutes`` 0 keeps the circuit open until it is reset."""

    scope: Scope = Scope.GLOBAL
    scope_id: str = ""
    reason: TripReason = TripReason.MANUAL
    comment: str = ""
    duration_minutes: int = 0


class ResetBody(msgspec.Struct, frozen=True, kw_only=True):
    """Which circuit to close, and why."""

    scope: Scope = Scope.GLOBAL
    scope_id: str = ""
    comment: str = ""


class CheckBody(msgspec.Struct, frozen=True, kw_only=True):
    """A call that might be made."""

    tenant_id: str = ""
    client_id: str = ""
    policy_id: str = ""


class ConfigBody(Overrides, frozen=True, kw_only=True):
    """A tenant's thresholds; what is null or left out inherits."""

    tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class CircuitService:
    """Circuits of a caller's organisation."""

    database: Database
    breaker: Breaker
    changes: ChangeRecord

    async def trip(self, body: TripBody, author: Author) -> Circuit:
        """Open a circuit; one that is open already takes the new reason and end.

        Raises:
            Fault: 400 for a field, 503 when it cannot be written or recorded.
        """
        target = _target(author.caller, body.scope, body.scope_id)
        if not 0 <= body.duration_minutes <= MOST_MINUTES:
            raise Fault(400, f"duration_minutes must be between 0 and {MOST_MINUTES}")
        until = datetime.now(UTC) + timedelta(minutes=body.duration_minutes) if body.duration_minutes else None
        email = author.caller.user.email or None
        how = Trip(
            reason=body.reason, by=author.name, email=email, comment=_text(body.comment) or None, expires_at=until
        )
        async with tenant_transaction(self.database, author.caller) as connection:
            circuit = await store.trip(connection, target, how)
            await self._keep(author, circuit, "circuit opened", body.comment)
        self.breaker.changed(circuit)
        return circuit

    async def reset(self, body: ResetBody, author: Author) -> Circuit:
        """Close a circuit.

        Raises:
            Fault: 400 for a field, 404 when it is not open, 503.
        """
        target = _target(author.caller, body.scope, body.scope_id)
        async with tenant_transaction(self.database, author.caller) as connection:
            circuit = await store.reset(connection, target, by=author.name, comment=_text(body.comment) or None)
            if circuit is None:
                raise Fault(404, "No open circuit of that scope")
            await self._keep(author, circuit, "circuit closed", body.comment)
        self.breaker.changed(circuit)
        return circuit

    def check(self, body: CheckBody, caller: Caller) -> Circuit | None:
        """The circuit that would stop such a call now, client first, then policy, tenant and organisation."""
        named = (
            (Scope.CLIENT, body.client_id),
            (Scope.POLICY, body.policy_id),
            (Scope.TENANT, body.tenant_id or caller.tenant_id),
        )
        return self.breaker.stopping(caller.org_id, [*(each for each in named if each[1]), (Scope.GLOBAL, "")])

    async def active(self, caller: Caller) -> list[Circuit]:
        """The organisation's circuits that stop calls now.

        Raises:
            Fault: 503.
        """
        async with tenant_transaction(self.database, caller) as connection:
            circuits = await store.open_circuits(connection, caller.org_id)
        now = datetime.now(UTC)
        return [circuit for circuit in circuits if circuit.stops(now)]

    async def history(self, caller: Caller, limit: int) -> list[HistoryEntry]:
        """Openings and closings, newest first.

        Raises:
            Fault: 503.
        """
        async with tenant_transaction(self.database, caller) as connection:
            return await store.read_history(connection, caller.org_id, limit)

    async def config(self, caller: Caller, tenant_id: str) -> ConfigView:
        """The thresholds that act for a tenant, or for tenants that set none.

        Raises:
            Fault: 503.
        """
        if not tenant_id:
            return ConfigView(source="global", **msgspec.structs.asdict(self.breaker.defaults))
        async with tenant_transaction(self.database, caller) as connection:
            overrides = await store.read_config(connection, caller.org_id, tenant_id)
        return self._view(tenant_id, overrides)

    async def configure(self, body: ConfigBody, author: Author) -> ConfigView:
        """Put a tenant's thresholds in place of what it had.

        Raises:
            Fault: 400 for a field, 503.
        """
        if not body.tenant_id:
            raise Fault(400, "tenant_id is required")
        values = {name: value for name, value in msgspec.structs.asdict(body).items() if name != "tenant_id"}
        overrides, caller = Overrides(**values), author.caller
        for name, value in overrides.given.items():
            if value is not True and value is not False and not 0 < value < 2**31:
                raise Fault(400, f"{name} must be a positive number")
        async with tenant_transaction(self.database, caller) as connection:
            await store.write_config(connection, caller.org_id, body.tenant_id, overrides, author.name)
            details = {"change_type": "circuit_config", "config_tenant_id": body.tenant_id, **overrides.given}
            await self.changes.keep(author, "circuit thresholds changed", details)
        return self._view(body.tenant_id, overrides)

    def _view(self, tenant_id: str, overrides: Overrides | None) -> ConfigView:
        acts = msgspec.structs.asdict(acting(self.breaker.defaults, overrides))
        if overrides is None or not overrides.given:
            return ConfigView(source="global", tenant_id=tenant_id, **acts)
        return ConfigView(source="tenant", tenant_id=tenant_id, overrides=overrides, **acts)

    async def _keep(self, author: Author, circuit: Circuit, what: str, comment: str) -> None:
        details = {
            "change_type": what.replace(" ", "_"),
            "circuit_id": str(circuit.id),
            "scope": circuit.scope.value,
            "scope_id": circuit.scope_id,
            "trip_reason": circuit.trip_reason.value if circuit.trip_reason else None,
            "comment": comment,
            "expires_at": circuit.expires_at.isoformat() if circuit.expires_at else None,
        }
        await self.changes.keep(author, what, details)


def _target(caller: Caller, scope: Scope, scope_id: str) -> Target:
    if scope is Scope.GLOBAL:
        return Target(caller.org_id, scope, "")
    if not scope_id.strip() or len(scope_id) > LONGEST_TEXT or "\0" in scope_id:
        raise Fault(400, f"scope_id is required for scope {scope.value}")
    return Target(caller.org_id, scope, scope_id.strip())


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT or "\0" in text:
        raise Fault(400, f"comment must be at most {LONGEST_TEXT} characters of text")
    return text.strip()
