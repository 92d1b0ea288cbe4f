"""The policy list: stored rows joined with what the running set makes of them. No HTTP, no SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import (
    Pagination,
    StaticPolicy,
    StaticPolicyList,
    StaticPolicyMetadata,
    wire_category,
)
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase
from axonflow_database import SYSTEM_ORG, Database, DatabaseUnavailable
from axonflow_policy import EffectiveAction, Policy, effective_action

from axonflow_agent.policies.query import ListQuery
from axonflow_agent.policies.store import StoredPolicy, read_page

NOT_LOADED = EffectiveAction(None, "")


@dataclass(frozen=True, slots=True)
class PolicyReader:
    """Lists static policies.

    Attributes:
        database: where the rows are.
        in_force: the policies of the set that judges now, by their slug; called once a list.
        posture: the operator's levers, so that a list says what happens and not only what is stored.
    """

    database: Database
    in_force: Callable[[], Mapping[str, Policy]]
    posture: Posture

    async def page(self, query: ListQuery, caller: Caller) -> StaticPolicyList:
        """The page that ``query`` asks for, of the policies that ``caller`` may see.

        Raises:
            Fault: 503, PostgreSQL does not answer; an empty list would say that there are no policies.
        """
        try:
            async with self.database.tenant(caller.org_id) as connection:
                rows, total = await read_page(connection, query, org_id=caller.org_id, tenant_id=caller.tenant_id)
        except DatabaseUnavailable as error:
            raise Fault(503, "The policies cannot be listed: PostgreSQL does not answer") from error
        in_force = self.in_force()
        return StaticPolicyList(
            policies=tuple(on_wire(row, in_force.get(row.policy_id), self.posture) for row in rows),
            pagination=Pagination(
                page=query.page, page_size=query.limit, total=total, total_pages=-(-total // query.limit)
            ),
        )


def on_wire(row: StoredPolicy, judged: Policy | None, posture: Posture) -> StaticPolicy:
    """A stored row in the contract's shape.

    Args:
        row: what PostgreSQL holds.
        judged: the policy of that slug in the running set; None where the set has none, and nothing is judged.
        posture: the operator's levers.
    """
    return StaticPolicy(
        id=str(row.id),
        policy_id=row.policy_id,
        name=row.name,
        description=row.description,
        category=wire_category(row.category),
        tier=row.tier,
        pattern=row.pattern,
        severity=row.severity,
        action=row.action,
        enabled=row.enabled,
        priority=row.priority,
        version=row.version,
        tags=row.tags,
        metadata=_metadata(row, judged, posture),
        tenant_id=row.tenant_id,
        organization_id=row.organization_id or msgspec.UNSET,
        org_id=msgspec.UNSET if row.org_id == SYSTEM_ORG else row.org_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        updated_by=row.updated_by,
    )


def _metadata(row: StoredPolicy, judged: Policy | None, posture: Posture) -> StaticPolicyMetadata:
    request, response = NOT_LOADED, NOT_LOADED
    if judged is not None and row.enabled:
        request = effective_action(judged, Phase.REQUEST, posture)
        response = effective_action(judged, Phase.RESPONSE, posture)
    return StaticPolicyMetadata(
        category=row.category,
        reason=row.reason,
        action_request=request.action,
        action_request_origin=request.origin if request.action else "",
        action_response=response.action,
        action_response_origin=response.origin if response.action else "",
        validator=row.validator or "",
    )
