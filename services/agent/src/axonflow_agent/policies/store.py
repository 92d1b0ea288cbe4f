"""Reads static policies: the caller's organisation's and the product's own, filtered, counted and paged by PostgreSQL.

The filter on organisation and tenant stands in the SQL; row security is the second wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from axonflow_contracts.verdicts import Action, Severity, Tier
from axonflow_database import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL

from axonflow_agent.policies.query import ListQuery, SortKey

# Words that have an order of their own are sorted by it and not by the alphabet.
_ORDER: Mapping[SortKey, LiteralString] = MappingProxyType(
    {
        SortKey.PRIORITY: "priority",
        SortKey.NAME: "lower(name)",
        SortKey.POLICY_ID: "policy_id",
        SortKey.CATEGORY: "category",
        SortKey.TIER: "array_position(ARRAY['system', 'organization', 'tenant'], tier)",
        SortKey.SEVERITY: "array_position(ARRAY['low', 'medium', 'high', 'critical'], severity)",
        SortKey.ACTION: "array_position(ARRAY['log', 'warn', 'redact', 'require_approval', 'block'], action)",
        SortKey.ENABLED: "enabled",
        SortKey.CREATED_AT: "created_at",
        SortKey.UPDATED_AT: "updated_at",
    }
)


class StoredPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``static_policies``."""

    id: UUID
    org_id: str
    tenant_id: str
    organization_id: str | None
    policy_id: str
    name: str
    description: str
    category: str
    tier: Tier
    pattern: str
    validator: str | None
    reason: str
    severity: Severity
    action: Action
    enabled: bool
    priority: int
    version: int
    tags: tuple[str, ...]
    created_by: str
    updated_by: str
    created_at: datetime
    updated_at: datetime


VISIBLE: LiteralString = """
    FROM static_policies
    WHERE deleted_at IS NULL
      AND (org_id = '@system' OR org_id = %(org_id)s AND (tier = 'organization' OR tenant_id = %(tenant_id)s))
      AND (%(categories)s::text[] IS NULL OR category = ANY (%(categories)s))
      AND (%(tier)s::text IS NULL OR tier = %(tier)s)
      AND (%(severity)s::text IS NULL OR severity = %(severity)s)
      AND (%(enabled)s::boolean IS NULL OR enabled = %(enabled)s)
      AND (%(search)s = '' OR strpos(lower(concat_ws(E'\\n', name, policy_id, description, reason)),
                                     lower(%(search)s)) > 0)
"""

COUNT: LiteralString = "SELECT count(*) AS total" + VISIBLE

PAGE: LiteralString = (
    """
    SELECT id, org_id, tenant_id, organization_id, policy_id, name, description, category, tier, pattern, validator,
           reason, severity, action, enabled, priority, version, tags, created_by, updated_by, created_at, updated_at
    """
    + VISIBLE
)

WINDOW: LiteralString = " LIMIT %(limit)s OFFSET %(offset)s"


async def read_page(
    connection: Connection, query: ListQuery, *, org_id: str, tenant_id: str
) -> tuple[list[StoredPolicy], int]:
    """One page of the policies that a tenant of ``org_id`` sees, and how many match over all pages.

    Both come from the caller's transaction; a list that changes between the two shows it in the total only.
    """
    values = {**msgspec.structs.asdict(query), "org_id": org_id, "tenant_id": tenant_id}
    values["categories"] = None if query.categories is None else list(query.categories)
    direction: LiteralString = "DESC" if query.descending else "ASC"
    # `id` last: pages must not overlap where everything else is equal.
    order: LiteralString = f" ORDER BY {_ORDER[query.sort_by]} {direction}, policy_id, id"
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(COUNT, values)
        counted = await cursor.fetchone()
        await cursor.execute(SQL(PAGE + order + WINDOW), values)
        rows = [_stored(row) async for row in cursor]
    return rows, 0 if counted is None else int(counted["total"])


def _stored(row: Mapping[str, Any]) -> StoredPolicy:
    return msgspec.convert(row, StoredPolicy, builtin_types=(UUID, datetime))
