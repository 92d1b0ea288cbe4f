"""Reading and changing how an organisation shares its calls among providers. No HTTP, no SQL."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import msgspec
from axonflow_audit import AuditLog
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_database import Connection, Database, DatabaseUnavailable
from axonflow_governance.changes import Author, ChangeRecord

from axonflow_orchestrator.routing import store
from axonflow_orchestrator.routing.router import Router
from axonflow_orchestrator.routing.weights import Kept, Scale, normalised
from axonflow_orchestrator.tool_locks.service import DECIDERS

REQUEST_TYPE = "llm_routing_change"
RIGHTS = frozenset({"*", "admin", "provider:write"})
MOST_NAMES, LONGEST_NAME = 100, 100
LARGEST_WEIGHT = 1_000_000
_ROUNDING = 1e-9


class RoutingBody(msgspec.Struct, frozen=True, kw_only=True):
    """``{weights:{name:int}}``, asked and answered."""

    weights: dict[str, int]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a change of shares."""

    message: str
    status: str = "success"


@dataclass(frozen=True, slots=True)
class RoutingService:
    """The weights of organisations.

    Attributes:
        open_to_all: in community, where there are no credentials that could say who may.
    """

    database: Database
    audit: AuditLog
    router: Router
    open_to_all: bool

    async def routing(self, caller: Caller) -> RoutingBody:
        """The weights in force, as whole numbers; parts of 1 are shown in percent."""
        found = await self.router.weights_of(caller.org_id, caller.tenant_id)
        parts = self.router.weights.are_shares(caller.org_id)
        if parts or not all(weight.is_integer() for weight in found.values()):
            found = {name: share * 100 for name, share in normalised(found).items()}
        return RoutingBody(weights={name: round(weight) for name, weight in found.items()})

    async def set_weights(self, asked: RoutingBody, author: Author) -> RoutingBody:
        """Replace what was set by weights on the scale of definitions, whose own count for those left out.

        Raises:
            Fault: 400, 403, 503.
        """
        if not all(0 <= weight <= LARGEST_WEIGHT for weight in asked.weights.values()):
            raise Fault(400, f"Each weight must be a whole number from 0 to {LARGEST_WEIGHT}")
        await self._keep("weight", {name: float(weight) for name, weight in asked.weights.items()}, author)
        return await self.routing(author.caller)

    async def set_shares(self, shares: Mapping[str, float], author: Author) -> Changed:
        """Replace what was set by parts of 1; those left out share the rest.

        Raises:
            Fault: 400, 403, 503.
        """
        if not shares:
            raise Fault(400, "The body must give at least one provider its weight")
        if not all(0 <= share <= 1 for share in shares.values()):
            raise Fault(400, "Each weight must be from 0 to 1")
        if sum(shares.values()) > 1 + _ROUNDING:
            raise Fault(400, "The weights must not sum up to more than 1.0")
        await self._keep("share", shares, author)
        known = await self.router.weights_of(author.caller.org_id, author.caller.tenant_id)
        unknown = sorted(shares.keys() - known.keys())
        hint = f"; no enabled provider is called {', '.join(unknown)} yet" if unknown else ""
        return Changed(message=f"The weights are in force{hint}")

    async def _keep(self, scale: Scale, weights: Mapping[str, float], author: Author) -> None:
        self._check(weights, author.caller)
        org_id = author.caller.org_id
        async with self._transaction(org_id) as connection:
            before = await store.read_locked(connection, org_id)
            await store.keep(connection, org_id, scale, weights, author.name)
            details = {
                "scale": scale,
                "weights": dict(weights),
                "before": None if before is None else {"scale": before[0], "weights": before[1]},
            }
            await ChangeRecord(self.audit, REQUEST_TYPE).keep(author, "llm provider weights changed", details)
        self.router.weights.changed(org_id, Kept(scale=scale, weights=dict(weights)))

    def _check(self, weights: Mapping[str, float], caller: Caller) -> None:
        if not self.open_to_all and not may_change(caller):
            raise Fault(403, "Only an administrator changes how calls are shared among providers")
        if len(weights) > MOST_NAMES:
            raise Fault(400, f"At most {MOST_NAMES} providers can be given weights")
        if not all(0 < len(name) <= LONGEST_NAME and name.isprintable() for name in weights):
            raise Fault(400, f"A provider's name has 1 to {LONGEST_NAME} printable characters")

    @contextlib.asynccontextmanager
    async def _transaction(self, org_id: str) -> AsyncIterator[Connection]:
        try:
            async with self.database.tenant(org_id) as connection:
                yield connection
        except DatabaseUnavailable as error:
            message = "Weights cannot be changed: PostgreSQL does not answer"
            raise Fault(503, message, headers={"Retry-After": "1"}) from error


def may_change(caller: Caller) -> bool:
    """Whether the person behind a call, or the client itself where none is known, may change what others depend on."""
    user = caller.user
    if user.id and not user.role:
        return not RIGHTS.isdisjoint(user.permissions)
    return user.role in DECIDERS or not RIGHTS.isdisjoint(user.permissions)
