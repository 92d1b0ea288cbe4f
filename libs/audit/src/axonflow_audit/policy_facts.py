"""What is known of policies that a row names: for explaining a decision, never for making one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from axonflow_audit.search import Connection

# The version in force at a moment is the last that was written before it.
READ_FACTS = """
    SELECT p.policy_id, p.name, p.description, p.tier,
        coalesce((
            SELECT max(v.version) FROM static_policy_versions v
            WHERE v.org_id = p.org_id AND v.policy_id = p.id AND v.changed_at <= %(at)s), p.version)
    FROM static_policies p
    WHERE p.org_id IN ('@system', %(org_id)s) AND p.policy_id = ANY(%(policy_ids)s)
        AND (p.deleted_at IS NULL OR p.deleted_at > %(at)s)
        AND (p.org_id = '@system' OR p.tier = 'organization' OR %(tenant_id)s::text IS NULL
             OR p.tenant_id = %(tenant_id)s)
"""
READ_OVERRIDES = """
    SELECT DISTINCT ON (policy_id) policy_id, id::text FROM policy_overrides
    WHERE org_id = %(org_id)s AND policy_id = ANY(%(policy_ids)s) AND ended_at IS NULL
        AND (expires_at IS NULL OR expires_at > now())
        AND (tenant_id IS NULL OR %(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s)
    ORDER BY policy_id, tenant_id NULLS LAST
"""


class PolicyFacts(msgspec.Struct, frozen=True):
    """A policy as it is stored, with its version at the moment asked for."""

    policy_id: str
    name: str
    description: str
    tier: str
    version: int


async def read_facts(
    connection: Connection, org_id: str, tenant_id: str | None, policy_ids: Sequence[str], at: datetime
) -> dict[str, PolicyFacts]:
    """By policy id; a policy that was deleted before ``at`` is not there."""
    params = {"org_id": org_id, "tenant_id": tenant_id, "policy_ids": list(policy_ids), "at": at}
    cursor = await connection.execute(READ_FACTS, params)
    return {row[0]: PolicyFacts(*row) for row in await cursor.fetchall()}


async def acting_overrides(
    connection: Connection, org_id: str, tenant_id: str | None, policy_ids: Sequence[str]
) -> dict[str, str]:
    """The id of the override that acts on each policy now, if one does."""
    params = {"org_id": org_id, "tenant_id": tenant_id, "policy_ids": list(policy_ids)}
    return {row[0]: row[1] for row in await (await connection.execute(READ_OVERRIDES, params)).fetchall()}
