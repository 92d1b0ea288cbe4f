"""Reading policies: stored rows joined with what the running set and overrides make of them. No HTTP, no SQL."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import (
    EffectiveStaticPolicies,
    EffectiveStaticPolicy,
    Pagination,
    StaticPolicy,
    StaticPolicyList,
    StaticPolicyMetadata,
    wire_category,
)
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase, Tier
from axonflow_database import SYSTEM_ORG, Connection, Database, DatabaseUnavailable
from axonflow_policy import EffectiveAction, Policy, overridden_action
from axonflow_web.paging import LARGEST_LIMIT

from axonflow_agent.overrides import records
from axonflow_agent.overrides.records import ActiveOverride
from axonflow_agent.overrides.store import read_holding
from axonflow_agent.policies.query import EffectiveQuery, ListQuery
from axonflow_agent.policies.store import StoredPolicy, find, read_page

NOT_LOADED = EffectiveAction(None, "")


POLICY_NOT_FOUND = "Policy not found"


@contextlib.asynccontextmanager
async def tenant_transaction(database: Database, caller: Caller) -> AsyncIterator[Connection]:
    """A transaction for a caller's organisation.

    Raises:
        Fault: 503, PostgreSQL does not answer; an empty answer would say that there is nothing.
    """
    try:
        async with database.tenant(caller.org_id) as connection:
            yield connection
    except DatabaseUnavailable as error:
        raise Fault(503, "The policies cannot be read or changed: PostgreSQL does not answer") from error


@dataclass(frozen=True, slots=True)
class PolicyReader:
    """Lists and shows static policies.

    Attributes:
        database: where the rows are.
        in_force: the policies of the set that judges now, those that are off included, by slug; called once a list.
        posture: the operator's levers, so that a list says what happens and not only what is stored.
        overrides_act: false in editions that have no overrides, where stored ones do nothing and are not shown.
    """

    database: Database
    in_force: Callable[[], Mapping[str, Policy]]
    posture: Posture
    overrides_act: bool = True

    async def page(self, query: ListQuery, caller: Caller) -> StaticPolicyList:
        """The page that ``query`` asks for, of the policies that ``caller`` may see.

        Raises:
            Fault: 503, PostgreSQL does not answer; an empty list would say that there are no policies.
        """
        async with tenant_transaction(self.database, caller) as connection:
            rows, total = await read_page(connection, query, org_id=caller.org_id, tenant_id=caller.tenant_id)
            overridden = await self.overrides(connection, caller)
        in_force = self.in_force()
        return StaticPolicyList(
            policies=tuple(
                on_wire(row, in_force.get(row.policy_id), self.posture, _system_only(row, overridden)) for row in rows
            ),
            pagination=Pagination(
                page=query.page, page_size=query.limit, total=total, total_pages=-(-total // query.limit)
            ),
        )

    async def one(self, key: str, caller: Caller) -> StaticPolicy:
        """The policy of that UUID or slug.

        Raises:
            Fault: 404 when there is none that ``caller`` may see, 503 without PostgreSQL.
        """
        async with tenant_transaction(self.database, caller) as connection:
            row = await find(connection, key, org_id=caller.org_id, tenant_id=caller.tenant_id)
            if row is None:
                raise Fault(404, POLICY_NOT_FOUND)
            overridden = await self.overrides(connection, caller)
        return self.shown(row, overridden)

    async def effective(self, query: EffectiveQuery, caller: Caller) -> EffectiveStaticPolicies:
        """Every policy that acts for ``caller``'s tenant, as overrides leave it.

        Raises:
            Fault: 503, PostgreSQL does not answer.
        """
        rows: list[StoredPolicy] = []
        window = ListQuery(categories=query.categories, limit=LARGEST_LIMIT)
        async with tenant_transaction(self.database, caller) as connection:
            overridden = await self.overrides(connection, caller)
            while True:
                page, total = await read_page(connection, window, org_id=caller.org_id, tenant_id=caller.tenant_id)
                rows += page
                if not page or len(rows) >= total:
                    break
                window = msgspec.structs.replace(window, offset=len(rows))
        items = (self._effective(row, overridden) for row in rows)
        return EffectiveStaticPolicies(
            static=tuple(item for item in items if query.wants(enabled=item.enabled, overridden=item.has_override)),
            tenant_id=caller.tenant_id,
            organization_id=caller.org_id,
            computed_at=datetime.now(UTC),
        )

    async def overrides(self, connection: Connection, caller: Caller) -> Mapping[str, ActiveOverride]:
        """The overrides that act for a caller, by the slug of their policy."""
        if not self.overrides_act:
            return {}
        held = await read_holding(connection, org_id=caller.org_id, tenant_id=caller.tenant_id)
        return records.by_policy(held)

    def shown(self, row: StoredPolicy, overridden: Mapping[str, ActiveOverride]) -> StaticPolicy:
        """One row in the contract's shape."""
        judged = self.in_force().get(row.policy_id)
        return on_wire(row, judged, self.posture, _system_only(row, overridden))

    def _effective(self, row: StoredPolicy, overridden: Mapping[str, ActiveOverride]) -> EffectiveStaticPolicy:
        override = _system_only(row, overridden)
        shown = msgspec.structs.asdict(self.shown(row, overridden))
        if override is None:
            return EffectiveStaticPolicy(**shown)
        shown["enabled"] = override.switches(enabled=row.enabled)
        return EffectiveStaticPolicy(
            **shown,
            override_action=override.action_override or msgspec.UNSET,
            override_enabled=msgspec.UNSET if override.enabled_override is None else override.enabled_override,
            override_expires_at=override.expires_at or msgspec.UNSET,
            override_reason=override.override_reason,
        )


def _system_only(row: StoredPolicy, overridden: Mapping[str, ActiveOverride]) -> ActiveOverride | None:
    return overridden.get(row.policy_id) if row.org_id == SYSTEM_ORG else None


def on_wire(
    row: StoredPolicy, judged: Policy | None, posture: Posture, override: ActiveOverride | None = None
) -> StaticPolicy:
    """A stored row in the contract's shape.

    Args:
        row: what PostgreSQL holds.
        judged: the policy of that slug in the running set; None where the set has none: of the product's rows nothing
            is judged then; what others wrote, the planes judge that judge by it.
        posture: the operator's levers.
        override: the one that acts on it for whoever asks.
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
        metadata=_metadata(row, judged, posture, override),
        tenant_id=row.tenant_id,
        organization_id=row.organization_id or msgspec.UNSET,
        org_id=msgspec.UNSET if row.org_id == SYSTEM_ORG else row.org_id,
        has_override=override is not None,
        override=msgspec.UNSET if override is None else records.on_wire(override),
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        updated_by=row.updated_by,
    )


def _written(row: StoredPolicy) -> Policy:
    """What a tenant or an organisation wrote, as far as its actions go; no lever moves it."""
    return Policy(
        id=row.policy_id,
        name=row.name,
        category=row.category,
        tier=row.tier,
        severity=row.severity,
        priority=row.priority,
        pattern=row.pattern,
        reason=row.reason,
        action=row.action,
    )


def _metadata(
    row: StoredPolicy, judged: Policy | None, posture: Posture, override: ActiveOverride | None
) -> StaticPolicyMetadata:
    request, response = NOT_LOADED, NOT_LOADED
    if judged is None and row.tier is not Tier.SYSTEM:
        judged = _written(row)
    if judged is not None:
        policy = msgspec.structs.replace(judged, enabled=row.enabled)
        acting = None if override is None else override.judged
        request = overridden_action(policy, Phase.REQUEST, posture, acting)
        response = overridden_action(policy, Phase.RESPONSE, posture, acting)
    return StaticPolicyMetadata(
        category=row.category,
        reason=row.reason,
        action_request=request.action,
        action_request_origin=request.origin if request.action else "",
        action_response=response.action,
        action_response_origin=response.origin if response.action else "",
        validator=row.validator or "",
    )
