"""The sets in force under the levers of another plane family (``MCP_*``): same rows and engine, other actions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from axonflow_contracts.posture import Posture
from axonflow_policy import PolicySet

# As many as there are tenants' layers in memory, and the shared set; a view is made in some milliseconds.
MOST_VIEWS = 1024


class Sets(Protocol):
    """Whoever holds the compiled policies (`PolicySource`)."""

    def for_tenant(self, org_id: str, tenant_id: str) -> PolicySet | None:
        """The set that judges a tenant's calls now."""
        ...

    async def with_tenant_rules(self, org_id: str, tenant_id: str) -> PolicySet | None:
        """The same with what the tenant and its organisation wrote."""
        ...


class UnderPosture:
    """What `Sets` holds, seen under one posture.

    Args:
        sets: the sets.
        posture: the levers of the family.
        made: told of each new view, with the organisation it was first needed for.
    """

    def __init__(self, sets: Sets, posture: Posture, made: Callable[[str, PolicySet], None]) -> None:
        self._sets = sets
        self._posture = posture
        self._made = made
        self._views: OrderedDict[str, tuple[PolicySet, PolicySet]] = OrderedDict()

    def for_tenant(self, org_id: str, tenant_id: str) -> PolicySet | None:
        """As `Sets.for_tenant`."""
        return self._view(org_id, self._sets.for_tenant(org_id, tenant_id))

    async def with_tenant_rules(self, org_id: str, tenant_id: str) -> PolicySet | None:
        """As `Sets.with_tenant_rules`; raises `JudgementFailed` as it does."""
        return self._view(org_id, await self._sets.with_tenant_rules(org_id, tenant_id))

    def _view(self, org_id: str, base: PolicySet | None) -> PolicySet | None:
        if base is None or base.posture == self._posture:
            return base
        held = self._views.get(base.hash)
        if held is None or held[0] is not base:  # an engine was swapped under the same hash
            held = self._views[base.hash] = (base, base.with_posture(self._posture))
            if len(self._views) > MOST_VIEWS:
                self._views.popitem(last=False)
        self._views.move_to_end(base.hash)
        self._made(org_id, held[1])
        return held[1]
