"""What an edition allows of rules: how many, of which tier, about what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Tier
from axonflow_database import Connection
from axonflow_policy import Condition
from axonflow_settings import Edition, Limits

from axonflow_orchestrator.tenant_policies import store
from axonflow_orchestrator.tenant_policies.refusals import NEEDS_EVALUATION, forbidden

UNLIMITED = -1
LIMIT_REACHED = "POLICY_LIMIT_REACHED"


@dataclass(frozen=True, slots=True)
class RuleLimits:
    """The limits of one deployment."""

    edition: Edition
    limits: Limits

    def require_tier(self, tier: Tier) -> None:
        """Refuse tiers that nobody writes, or nobody in this edition.

        Raises:
            Fault: 403.
        """
        if tier is Tier.SYSTEM:
            raise forbidden("Cannot create system-tier policies via API")
        if tier is Tier.ORGANIZATION and self.limits.organization_policies == 0:
            raise forbidden("Organization-tier policies require an Evaluation or Enterprise license", NEEDS_EVALUATION)

    def require_fields(self, conditions: Iterable[Condition]) -> None:
        """Refuse rules about workflow steps where the edition has none.

        Raises:
            Fault: 403.
        """
        steps = sorted({each.field for each in conditions if each.field.startswith("step.")})
        if steps and self.edition is Edition.COMMUNITY:
            message = f"Conditions on {', '.join(steps)} require an Evaluation or Enterprise license"
            raise forbidden(message, NEEDS_EVALUATION)

    async def require_room(
        self, connection: Connection, tier: Tier, org_id: str, tenant_id: str, *, adding: int = 1
    ) -> None:
        """Refuse one rule too many of ``adding``; nobody else adds one before this transaction ends.

        Raises:
            Fault: 403.
        """
        most = self.limits.organization_policies if tier is Tier.ORGANIZATION else self.limits.tenant_policies
        taken = await store.count_locked(connection, org_id, tenant_id)
        if most != UNLIMITED and taken + adding > most:
            raise _reached(tier, most, self.edition)


def _reached(tier: Tier, most: int, edition: Edition) -> Fault:
    message = f"{tier.value.capitalize()} policy limit reached ({most} max for {edition.value.capitalize()})"
    fault = forbidden(message, LIMIT_REACHED)
    fault.headers["X-Axonflow-Tier-Limit"] = str(most)
    return fault
