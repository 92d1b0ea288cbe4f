"""Static policies in PostgreSQL: the caller's organisation's and the product's own, and the history of their changes.

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


class PolicyFields(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a policy that its owner may change."""

    name: str
    description: str
    category: str
    pattern: str
    severity: Severity
    action: Action
    enabled: bool
    priority: int
    tags: tuple[str, ...]


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

    @property
    def fields(self) -> PolicyFields:
        """What its owner may change."""
        return PolicyFields(**{name: getattr(self, name) for name in PolicyFields.__struct_fields__})


class StoredVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``static_policy_versions``; ``change_type`` in the words of the database, such as ``create``."""

    id: UUID
    version: int
    change_type: str
    change_summary: str
    snapshot: Mapping[str, Any]
    changed_by: str
    changed_at: datetime


COLUMNS: LiteralString = """
    id, org_id, tenant_id, organization_id, policy_id, name, description, category, tier, pattern, validator, reason,
    severity, action, enabled, priority, version, tags, created_by, updated_by, created_at, updated_at
"""

# What a tenant may know of: the product's rows, its organisation's, and its own.
OWNED: LiteralString = """
    FROM static_policies
    WHERE deleted_at IS NULL
      AND (org_id = '@system' OR org_id = %(org_id)s AND (tier = 'organization' OR tenant_id = %(tenant_id)s))
"""

VISIBLE: LiteralString = (
    OWNED
    + """
      AND (%(categories)s::text[] IS NULL OR category = ANY (%(categories)s))
      AND (%(tier)s::text IS NULL OR tier = %(tier)s)
      AND (%(severity)s::text IS NULL OR severity = %(severity)s)
      AND (%(organization_id)s = '' OR organization_id = %(organization_id)s)
      AND (%(enabled)s::boolean IS NULL OR enabled = %(enabled)s)
      AND (%(search)s = '' OR strpos(lower(concat_ws(E'\\n', name, policy_id, description, reason)),
                                     lower(%(search)s)) > 0)
"""
)

COUNT: LiteralString = "SELECT count(*) AS total" + VISIBLE

PAGE: LiteralString = "SELECT" + COLUMNS + VISIBLE

WINDOW: LiteralString = " LIMIT %(limit)s OFFSET %(offset)s"

FIND: LiteralString = (
    "SELECT"
    + COLUMNS
    + OWNED
    + """
      AND (policy_id = %(key)s OR id::text = lower(%(key)s))
    ORDER BY org_id <> '@system', policy_id = %(key)s DESC, id
    LIMIT 1
"""
)

LOCK: LiteralString = (
    "SELECT"
    + COLUMNS
    + "FROM static_policies WHERE org_id = %(org_id)s AND id = %(id)s AND deleted_at IS NULL FOR UPDATE"
)

# Two creates at once must not both take the last place.
TAKE_COUNT = "SELECT pg_advisory_xact_lock(hashtextextended(%(place)s, 84101))"
COUNT_OWN = """
    SELECT count(*) FROM static_policies
    WHERE org_id = %(org_id)s AND tier = %(tier)s AND (tier = 'organization' OR tenant_id = %(tenant_id)s)
      AND deleted_at IS NULL
"""

INSERT: LiteralString = (
    """
    INSERT INTO static_policies (org_id, tenant_id, organization_id, policy_id, name, description, category, tier,
                                 pattern, severity, action, enabled, priority, tags, created_by, updated_by)
    VALUES (%(org_id)s, %(tenant_id)s, %(organization_id)s, %(policy_id)s, %(name)s, %(description)s, %(category)s,
            %(tier)s, %(pattern)s, %(severity)s, %(action)s, %(enabled)s, %(priority)s, %(tags)s, %(by)s, %(by)s)
    RETURNING
"""  # noqa: S608 - constants; values go apart
    + COLUMNS
)

UPDATE: LiteralString = (
    """
    UPDATE static_policies SET name = %(name)s, description = %(description)s, category = %(category)s,
        pattern = %(pattern)s, severity = %(severity)s, action = %(action)s, enabled = %(enabled)s,
        priority = %(priority)s, tags = %(tags)s, version = version + 1, updated_by = %(by)s, updated_at = now(),
        deleted_at = CASE WHEN %(deleted)s THEN now() END
    WHERE org_id = %(org_id)s AND id = %(id)s AND deleted_at IS NULL
    RETURNING
"""  # noqa: S608 - constants; values go apart
    + COLUMNS
)

INSERT_VERSION = """
    INSERT INTO static_policy_versions (org_id, policy_id, version, change_type, change_summary, snapshot, changed_by)
    VALUES (%(org_id)s, %(policy_id)s, %(version)s, %(change_type)s, %(change_summary)s, %(snapshot)s, %(changed_by)s)
"""

VERSIONS = """
    SELECT id, version, change_type, change_summary, snapshot, changed_by, changed_at
    FROM static_policy_versions WHERE org_id = %(org_id)s AND policy_id = %(id)s
    ORDER BY version DESC LIMIT %(limit)s
"""


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


async def find(connection: Connection, key: str, *, org_id: str, tenant_id: str) -> StoredPolicy | None:
    """The policy of that UUID or slug, if the tenant may know of it."""
    if "\0" in key:
        return None
    return await _one(connection, FIND, {"key": key, "org_id": org_id, "tenant_id": tenant_id})


async def lock(connection: Connection, row: StoredPolicy) -> StoredPolicy | None:
    """A policy of an organisation as it stands now, kept from other writers until the transaction ends."""
    return await _one(connection, LOCK, {"org_id": row.org_id, "id": row.id})


async def count_own(connection: Connection, tier: Tier, *, org_id: str, tenant_id: str) -> int:
    """How many policies of ``tier`` the tenant or its organisation has; other creates wait until this one ends."""
    values = {"org_id": org_id, "tenant_id": tenant_id, "tier": tier}
    place = msgspec.json.encode([org_id, tier, tenant_id if tier is Tier.TENANT else ""]).decode()
    await connection.execute(TAKE_COUNT, {"place": place})
    row = await (await connection.execute(COUNT_OWN, values)).fetchone()
    return 0 if row is None else int(row[0])


async def insert(
    connection: Connection, fields: PolicyFields, *, org_id: str, tenant_id: str, tier: Tier, policy_id: str, by: str
) -> StoredPolicy:
    """A new policy of a tenant, or of the whole organisation."""
    values = {
        **_values(fields),
        "org_id": org_id,
        "tenant_id": tenant_id,
        "organization_id": org_id if tier is Tier.ORGANIZATION else None,
        "tier": tier,
        "policy_id": policy_id,
        "by": by,
    }
    row = await _one(connection, INSERT, values)
    if row is None:  # pragma: no cover - INSERT … RETURNING gives a row or raises
        raise LookupError(policy_id)
    return row


async def update(
    connection: Connection, row: StoredPolicy, fields: PolicyFields, *, by: str, deleted: bool = False
) -> StoredPolicy | None:
    """``row`` with other fields and the next version number, or deleted; None when it is gone already."""
    values = {**_values(fields), "org_id": row.org_id, "id": row.id, "by": by, "deleted": deleted}
    return await _one(connection, UPDATE, values)


async def keep_version(connection: Connection, row: StoredPolicy, *, change_type: str, summary: str) -> None:
    """Add to the history what ``row`` has become."""
    values = {
        "org_id": row.org_id,
        "policy_id": row.id,
        "version": row.version,
        "change_type": change_type,
        "change_summary": summary,
        "snapshot": msgspec.json.encode(row).decode(),
        "changed_by": row.updated_by,
    }
    await connection.execute(INSERT_VERSION, values)


async def read_versions(connection: Connection, row: StoredPolicy, limit: int | None) -> list[StoredVersion]:
    """The history of a policy, newest first; all of it without ``limit``."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(VERSIONS, {"org_id": row.org_id, "id": row.id, "limit": limit})
        return [msgspec.convert(found, StoredVersion, builtin_types=(UUID, datetime)) async for found in cursor]


def _values(fields: PolicyFields) -> dict[str, Any]:
    return {**msgspec.structs.asdict(fields), "tags": list(fields.tags)}


async def _one(connection: Connection, statement: LiteralString, values: Mapping[str, Any]) -> StoredPolicy | None:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        row = await cursor.fetchone()
    return None if row is None else _stored(row)


def _stored(row: Mapping[str, Any]) -> StoredPolicy:
    return msgspec.convert(row, StoredPolicy, builtin_types=(UUID, datetime))
