"""System policies in the database: the catalogue goes in, what the operator switched comes out."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from axonflow_database import Connection
from axonflow_policy import Policy, PolicySet

SYSTEM_ORG = "@system"

UPSERT_CATALOGUE = """
INSERT INTO static_policies AS p (
    org_id, policy_id, name, description, category, tier, pattern, validator, reason, severity,
    action, action_request, action_response, enabled, priority, catalogue_version
)
SELECT '@system', x.policy_id, x.name, x.description, x.category, 'system', x.pattern, x.validator, x.reason,
    x.severity, x.action, x.action_request, x.action_response, x.enabled, x.priority, x.catalogue_version
FROM json_to_recordset(%s::json) AS x (
    policy_id text, name text, description text, category text, pattern text, validator text, reason text,
    severity text, action text, action_request text, action_response text, enabled boolean, priority integer,
    catalogue_version integer
)
ON CONFLICT (org_id, tenant_id, policy_id) WHERE deleted_at IS NULL DO UPDATE SET
    name = excluded.name, description = excluded.description, category = excluded.category,
    pattern = excluded.pattern, validator = excluded.validator, reason = excluded.reason,
    severity = excluded.severity, action = excluded.action, action_request = excluded.action_request,
    action_response = excluded.action_response, priority = excluded.priority,
    catalogue_version = excluded.catalogue_version, version = p.version + 1, updated_at = now()
WHERE p.catalogue_version < excluded.catalogue_version
"""

SELECT_SWITCHES = """
SELECT policy_id, enabled FROM static_policies WHERE org_id = '@system' AND deleted_at IS NULL
"""

SELECT_DUMP = "SELECT dump FROM policy_dumps WHERE dump_key = %s"
INSERT_DUMP = "INSERT INTO policy_dumps (dump_key, dump) VALUES (%s, %s) ON CONFLICT DO NOTHING"

INSERT_SET = """
INSERT INTO policy_sets (org_id, hash, catalogue_version, engine, document)
VALUES ('@system', %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


async def upsert_catalogue(connection: Connection, policies: Iterable[Policy], catalogue_version: int) -> None:
    """Write the catalogue's rows; a row that a newer catalogue wrote is left alone."""
    rows = [
        {
            "policy_id": policy.id,
            "name": policy.name,
            "description": policy.description,
            "category": policy.category,
            "pattern": policy.pattern,
            "validator": policy.validator,
            "reason": policy.reason,
            "severity": policy.severity,
            "action": policy.action,
            "action_request": policy.action_request,
            "action_response": policy.action_response,
            "enabled": policy.enabled,
            "priority": policy.priority,
            "catalogue_version": catalogue_version,
        }
        for policy in policies
    ]
    await connection.execute(UPSERT_CATALOGUE, (msgspec.json.encode(rows).decode(),))


async def switches(connection: Connection) -> dict[str, bool]:
    """Which system policies are on, by policy id."""
    cursor = await connection.execute(SELECT_SWITCHES)
    return dict(await cursor.fetchall())


async def load_dump(connection: Connection, dump_key: str) -> bytes | None:
    """A compiled database kept by an earlier process, if there is one."""
    row = await (await connection.execute(SELECT_DUMP, (bytes.fromhex(dump_key),))).fetchone()
    return bytes(row[0]) if row else None


async def keep_dump(connection: Connection, dump_key: str, dump: bytes) -> None:
    """Keep a compiled database for the next process."""
    await connection.execute(INSERT_DUMP, (bytes.fromhex(dump_key), dump))


async def keep_set(connection: Connection, policy_set: PolicySet, catalogue_version: int) -> None:
    """Keep a set under its hash, so that its decisions can be evaluated again."""
    document = msgspec.json.encode({"policies": policy_set.policies, "posture": _posture(policy_set)}).decode()
    await connection.execute(INSERT_SET, (policy_set.hash, catalogue_version, policy_set.engine, document))


def _posture(policy_set: PolicySet) -> dict[str, object]:
    posture = policy_set.posture
    return {
        "profile": posture.profile,
        "enforce": sorted(posture.enforce),
        "global_levers": dict(posture.global_levers),
        "mode_levers": dict(posture.mode_levers),
        "mode": posture.mode,
        "skip_categories": sorted(posture.skip_categories),
    }
