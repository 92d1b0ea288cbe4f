"""Dynamic policies in PostgreSQL, and the history of their changes.

The filter on organisation and tenant stands in the SQL; row security is the second wall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, LiteralString

import msgspec
from axonflow_contracts.verdicts import Tier
from axonflow_database import Connection
from axonflow_policy import Condition, RuleAction
from psycopg.rows import dict_row

from axonflow_orchestrator.tenant_policies.records import RuleFields, StoredRule, StoredVersion

Prints = Mapping[tuple[str, str], str]

COLUMNS: LiteralString = """
    org_id, id::text AS id, tier, tenant_id, name, description, type, category, conditions::text AS conditions,
    actions::text AS actions, phases, priority, enabled, version, tags, created_by, updated_by, created_at, updated_at
"""

# A tenant knows its organisation's rules and its own; without a tenant, all of the organisation.
OWNED: LiteralString = """
    FROM dynamic_policies
    WHERE org_id = %(org_id)s AND deleted_at IS NULL
      AND (%(tenant_id)s::text IS NULL OR tenant_id IN ('', %(tenant_id)s))
"""

SELECT_PRINTS = """
    SELECT org_id, tenant_id, md5(string_agg(id::text || xmin::text, ',' ORDER BY id))
    FROM dynamic_policies WHERE org_id = ANY (%s) AND enabled AND deleted_at IS NULL
    GROUP BY org_id, tenant_id
"""

SELECT_IN_FORCE: LiteralString = "SELECT" + COLUMNS + OWNED + " AND enabled ORDER BY id"

SELECT_ALL: LiteralString = "SELECT" + COLUMNS + OWNED + " ORDER BY id"

FIND: LiteralString = "SELECT" + COLUMNS + OWNED + " AND id::text = lower(%(id)s)"

LOCK: LiteralString = FIND + " FOR UPDATE"

# Two creates at once must not both take the last place.
TAKE_COUNT = "SELECT pg_advisory_xact_lock(hashtextextended('axonflow rules ' || %s, 0))"
COUNT_OWN = """
    SELECT count(*) FROM dynamic_policies WHERE org_id = %s AND tenant_id = %s AND deleted_at IS NULL
"""

INSERT: LiteralString = (
    """
    INSERT INTO dynamic_policies (org_id, tier, tenant_id, name, description, type, category, conditions, actions,
        phases, priority, enabled, tags, created_by, updated_by)
    VALUES (%(org_id)s, %(tier)s, %(tenant_id)s, %(name)s, %(description)s, %(type)s, %(category)s, %(conditions)s,
        %(actions)s, %(phases)s, %(priority)s, %(enabled)s, %(tags)s, %(by)s, %(by)s)
    RETURNING
"""  # noqa: S608 - constants; values go apart
    + COLUMNS
)

UPDATE: LiteralString = (
    """
    UPDATE dynamic_policies SET name = %(name)s, description = %(description)s, type = %(type)s,
        category = %(category)s, conditions = %(conditions)s, actions = %(actions)s, phases = %(phases)s,
        priority = %(priority)s, enabled = %(enabled)s, tags = %(tags)s, version = version + 1, updated_by = %(by)s,
        updated_at = now()
    WHERE org_id = %(org_id)s AND id = %(id)s AND deleted_at IS NULL
    RETURNING
"""  # noqa: S608 - constants; values go apart
    + COLUMNS
)

# What cannot be read is deleted as it is.
DELETE: LiteralString = (
    """
    UPDATE dynamic_policies SET deleted_at = now(), version = version + 1, updated_by = %(by)s, updated_at = now()
    WHERE org_id = %(org_id)s AND id = %(id)s AND deleted_at IS NULL
    RETURNING
"""  # noqa: S608 - constants; values go apart
    + COLUMNS
)

INSERT_VERSION = """
    INSERT INTO dynamic_policy_versions (org_id, policy_id, version, change_type, change_summary, snapshot, changed_by)
    VALUES (%(org_id)s, %(policy_id)s, %(version)s, %(change_type)s, %(change_summary)s, %(snapshot)s, %(changed_by)s)
"""

VERSIONS = """
    SELECT id::text AS id, version, change_type, change_summary, snapshot, changed_by, changed_at
    FROM dynamic_policy_versions WHERE org_id = %(org_id)s AND policy_id = %(id)s
    ORDER BY version DESC LIMIT %(limit)s
"""

# The row's lock makes it exact: of two that want the last place the second finds it taken.
TAKE_PLACE = """
    INSERT INTO daily_counts AS c (org_id, name, day, used) VALUES (%(org_id)s, %(name)s, %(day)s, 1)
    ON CONFLICT (org_id, name, day) DO UPDATE SET used = c.used + 1
        WHERE %(most)s::integer IS NULL OR c.used < %(most)s
    RETURNING used
"""
FORGET_PLACES = "DELETE FROM daily_counts WHERE org_id = %(org_id)s AND name = %(name)s AND day < %(day)s"

COUNT_USES = """
    SELECT template_id, count(*), max(used_at) FROM policy_template_usage
    WHERE org_id = %(org_id)s AND (%(tenant_id)s::text IS NULL OR tenant_id = %(tenant_id)s)
    GROUP BY template_id
"""
KEEP_USE = """
    INSERT INTO policy_template_usage (org_id, tenant_id, template_id, policy_id, used_by)
    VALUES (%(org_id)s, %(tenant_id)s, %(template_id)s, %(policy_id)s, %(by)s)
    RETURNING id::text
"""


async def prints(connection: Connection, org_ids: Iterable[str]) -> Prints:
    """What changes whenever `in_force` does: a text for each organisation and tenant that has rules."""
    cursor = await connection.execute(SELECT_PRINTS, (list(org_ids),))
    return {(org_id, tenant_id): text for org_id, tenant_id, text in await cursor.fetchall()}


async def in_force(connection: Connection, org_id: str, tenant_id: str) -> list[StoredRule]:
    """The rules of a tenant and of its whole organisation that are on."""
    return await _all(connection, SELECT_IN_FORCE, {"org_id": org_id, "tenant_id": tenant_id})


async def read_all(connection: Connection, org_id: str, tenant_id: str | None) -> list[StoredRule]:
    """As `in_force`, with those that are off; without a tenant those of all its tenants."""
    return await _all(connection, SELECT_ALL, {"org_id": org_id, "tenant_id": tenant_id})


async def find(connection: Connection, rule_id: str, org_id: str, tenant_id: str | None) -> StoredRule | None:
    """The rule of that id, if whoever asks may know of it."""
    return await _one(connection, FIND, {"org_id": org_id, "tenant_id": tenant_id, "id": rule_id})


async def lock(connection: Connection, rule_id: str, org_id: str, tenant_id: str | None) -> StoredRule | None:
    """As `find`, kept from other writers until the transaction ends."""
    return await _one(connection, LOCK, {"org_id": org_id, "tenant_id": tenant_id, "id": rule_id})


async def count_locked(connection: Connection, org_id: str, tenant_id: str) -> int:
    """How many rules a tenant has, or with an empty one its organisation; nobody adds one before this one ends."""
    place = msgspec.json.encode([org_id, tenant_id]).decode()
    await connection.execute(TAKE_COUNT, (place,))
    row = await (await connection.execute(COUNT_OWN, (org_id, tenant_id))).fetchone()
    return 0 if row is None else int(row[0])


async def insert(
    connection: Connection, fields: RuleFields, *, org_id: str, tier: Tier, tenant_id: str, by: str
) -> StoredRule:
    """A new rule."""
    values = {**_values(fields), "org_id": org_id, "tier": tier.value, "tenant_id": tenant_id, "by": by}
    row = await _one(connection, INSERT, values)
    if row is None:  # pragma: no cover - INSERT … RETURNING gives a row or raises
        raise LookupError(fields.name)
    return row


async def update(connection: Connection, row: StoredRule, fields: RuleFields, *, by: str) -> StoredRule | None:
    """``row`` with other fields and the next version number; None when it is gone already."""
    return await _one(connection, UPDATE, {**_values(fields), "org_id": row.org_id, "id": row.id, "by": by})


async def delete(connection: Connection, row: StoredRule, *, by: str) -> StoredRule | None:
    """Take a rule out of force; its row and its history are kept. None when it is gone already."""
    return await _one(connection, DELETE, {"org_id": row.org_id, "id": row.id, "by": by})


async def keep_version(connection: Connection, row: StoredRule, *, change_type: str, summary: str) -> None:
    """Add to the history what ``row`` has become."""
    values = {
        "org_id": row.org_id,
        "policy_id": row.id,
        "version": row.version,
        "change_type": change_type,
        "change_summary": summary,
        "snapshot": _json(row),
        "changed_by": row.updated_by,
    }
    await connection.execute(INSERT_VERSION, values)


async def read_versions(connection: Connection, row: StoredRule, limit: int | None) -> list[StoredVersion]:
    """The history of a rule, newest first; all of it without ``limit``."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(VERSIONS, {"org_id": row.org_id, "id": row.id, "limit": limit})
        return [msgspec.convert(found, StoredVersion, builtin_types=(datetime,)) async for found in cursor]


async def take_place(connection: Connection, org_id: str, name: str, day: date, most: int | None) -> int | None:
    """Count one more of a day; gives how many there are now, or None where there were ``most`` already."""
    values = {"org_id": org_id, "name": name, "day": day, "most": most}
    row = await (await connection.execute(TAKE_PLACE, values)).fetchone()
    if row is not None and row[0] == 1:
        await connection.execute(FORGET_PLACES, values)
    return None if row is None else int(row[0])


async def keep_use(connection: Connection, *, template_id: str, row: StoredRule, by: str) -> str:
    """Remember that ``row`` was made from a template; gives the use's id."""
    values = {"org_id": row.org_id, "tenant_id": row.tenant_id, "template_id": template_id, "policy_id": row.id}
    made = await (await connection.execute(KEEP_USE, {**values, "by": by})).fetchone()
    return "" if made is None else str(made[0])


async def count_uses(connection: Connection, org_id: str, tenant_id: str | None) -> dict[str, tuple[int, datetime]]:
    """How often each template was used, and when last."""
    cursor = await connection.execute(COUNT_USES, {"org_id": org_id, "tenant_id": tenant_id})
    return {template_id: (int(count), last) for template_id, count, last in await cursor.fetchall()}


async def _all(connection: Connection, statement: LiteralString, values: Mapping[str, Any]) -> list[StoredRule]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        return [_stored(row) async for row in cursor]


async def _one(connection: Connection, statement: LiteralString, values: Mapping[str, Any]) -> StoredRule | None:
    if any("\0" in value for value in values.values() if isinstance(value, str)):
        return None  # no row can hold it
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        row = await cursor.fetchone()
    return None if row is None else _stored(row)


def _stored(row: dict[str, Any]) -> StoredRule:
    try:
        row["conditions"] = msgspec.json.decode(row["conditions"], type=tuple[Condition, ...])
        row["actions"] = msgspec.json.decode(row["actions"], type=tuple[RuleAction, ...])
    except msgspec.MsgspecError:
        row.update(conditions=(), actions=(), readable=False)
    return msgspec.convert(row, StoredRule, builtin_types=(datetime,))


def _values(fields: RuleFields) -> dict[str, Any]:
    values = msgspec.structs.asdict(fields)
    return {
        **values,
        "conditions": _json(fields.conditions),
        "actions": _json(fields.actions),
        "phases": fields.phases.value,
        "tags": list(fields.tags),
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
