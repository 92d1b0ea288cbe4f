"""Policies in the database, as judging needs them: the catalogue in; switches, overrides and tenants' rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.recording import InputMode
from axonflow_contracts.verdicts import Action
from axonflow_database import Connection
from axonflow_policy import Policy, PolicyOverride, PolicySet
from axonflow_policy.engines import engine_version
from axonflow_policy.views import READINGS_VERSION
from psycopg.rows import dict_row

from axonflow_governance.overrides import StoredOverride

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

# Of layers that nobody has for a season; one that is still in use is compiled and kept again.
DELETE_OLD_DUMPS = "DELETE FROM policy_dumps WHERE created_at < now() - interval '90 days'"

INSERT_SET = """
INSERT INTO policy_sets (org_id, hash, catalogue_version, engine, document)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

# A set that everybody shares may also stand under an organisation, which saw it first under other levers.
SELECT_SET = """
SELECT hash, catalogue_version, engine, document FROM policy_sets
WHERE hash = %s AND org_id IN ('@system', %s) ORDER BY org_id = '@system' DESC LIMIT 1
"""

SELECT_RECORDING = "SELECT org_id, tenant_id, mode FROM recording_settings"

UPSERT_POSTURE = """
INSERT INTO policy_postures AS p (mode, posture) VALUES (%(mode)s, %(posture)s)
ON CONFLICT (mode) DO UPDATE SET posture = excluded.posture, announced_at = now()
WHERE p.posture <> excluded.posture
"""

SELECT_POSTURE = "SELECT posture FROM policy_postures WHERE mode = %s"

SELECT_OVERRIDES = """
SELECT org_id, tenant_id, policy_id, id::text, action_override, enabled_override, expires_at
FROM policy_overrides
WHERE ended_at IS NULL AND (expires_at IS NULL OR expires_at > now())
"""

# Whoever waited here sees what the one before has committed, so the last of two writers compiles what both wrote.
LOCK_RULES = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 84102))"

SELECT_RULES = """
SELECT policy_id AS id, name, description, category, tier, pattern, validator, reason, severity, priority,
    action, action_request, action_response
FROM static_policies
WHERE org_id = %s AND (tier = 'organization' OR tier = 'tenant' AND tenant_id = %s)
    AND enabled AND deleted_at IS NULL
"""

# xmin changes with a row whoever changes it, an operator at a prompt too.
SELECT_PRINTS = """
SELECT org_id, tier, CASE tier WHEN 'tenant' THEN tenant_id ELSE '' END,
    md5(string_agg(id::text || xmin::text, ',' ORDER BY id))
FROM static_policies
WHERE org_id = ANY (%s) AND tier <> 'system' AND enabled AND deleted_at IS NULL
GROUP BY 1, 2, 3
"""

Prints = Mapping[tuple[str, str, str], str]


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


async def forget_old_dumps(connection: Connection) -> None:
    """Drop compiled databases that were kept long ago."""
    await connection.execute(DELETE_OLD_DUMPS)


async def lock_rules(connection: Connection, org_id: str) -> None:
    """Wait until no other transaction writes policies of the organisation; the lock goes with this one."""
    await connection.execute(LOCK_RULES, (org_id,))


async def written_rows(connection: Connection, org_id: str, tenant_id: str) -> list[dict[str, Any]]:
    """The policies of a tenant and of its whole organisation that are on, by the names of `Policy`."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SELECT_RULES, (org_id, tenant_id))
        return await cursor.fetchall()


async def rule_prints(connection: Connection, org_ids: Iterable[str]) -> Prints:
    """What changes whenever `written_rows` does: a text for each organisation, tier and tenant that has policies."""
    cursor = await connection.execute(SELECT_PRINTS, (list(org_ids),))
    return {(org_id, tier, owner): text for org_id, tier, owner, text in await cursor.fetchall()}


async def keep_set(
    connection: Connection, policy_set: PolicySet, catalogue_version: int, org_id: str = SYSTEM_ORG
) -> None:
    """Keep a set under its hash, so that its decisions can be evaluated again.

    Args:
        connection: of the platform role, or of the organisation whose overrides the set carries.
        policy_set: what is kept.
        catalogue_version: of the catalogue it was made from.
        org_id: the organisation that reads it back; the reserved one for sets that everybody shares.
    """
    # A policy that an override turned off is in the hash; one that was off by itself is not.
    rows = [policy for policy in policy_set.compiled if policy.enabled or policy in policy_set.policies]
    document: dict[str, object] = {
        "policies": rows,
        "posture": _posture(policy_set.posture),
        "engine_version": engine_version(policy_set.engine),
        "readings_version": READINGS_VERSION,
    }
    if policy_set.overrides:
        document["overrides"] = {policy_id: each._asdict() for policy_id, each in policy_set.overrides.items()}
    text = msgspec.json.encode(document).decode()
    await connection.execute(INSERT_SET, (org_id, policy_set.hash, catalogue_version, policy_set.engine, text))


class StoredSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set as it was kept.

    Attributes:
        policies: every row that its hash covers.
        overrides: by policy id.
        engine_version: empty in sets of releases that did not keep it, as ``readings_version``.
    """

    hash: str
    catalogue_version: int
    engine: str
    policies: tuple[Policy, ...]
    posture: Posture
    overrides: Mapping[str, PolicyOverride]
    engine_version: str
    readings_version: str


async def find_set(connection: Connection, org_id: str, set_hash: str) -> StoredSet | None:
    """The set of a hash, as the organisation sees it; None where it was not kept."""
    row = await (await connection.execute(SELECT_SET, (set_hash, org_id))).fetchone()
    if row is None:
        return None
    found_hash, catalogue_version, engine, document = row
    return StoredSet(
        hash=found_hash,
        catalogue_version=catalogue_version,
        engine=engine,
        policies=msgspec.convert(document["policies"], tuple[Policy, ...]),
        posture=msgspec.convert(document["posture"], Posture),
        overrides={
            policy_id: PolicyOverride(each["id"], each["action"] and Action(each["action"]), each["enabled"])
            for policy_id, each in document.get("overrides", {}).items()
        },
        engine_version=str(document.get("engine_version", "")),
        readings_version=str(document.get("readings_version", "")),
    )


async def recording_modes(connection: Connection) -> dict[tuple[str, str], InputMode]:
    """What was asked for, by organisation and tenant; as far as the connection's role sees it."""
    cursor = await connection.execute(SELECT_RECORDING)
    return {(org_id, tenant_id): InputMode(mode) for org_id, tenant_id, mode in await cursor.fetchall()}


async def announce_posture(connection: Connection, posture: Posture) -> None:
    """Tell others what the operator's levers are for one plane family."""
    text = msgspec.json.encode(_posture(posture)).decode()
    await connection.execute(UPSERT_POSTURE, {"mode": posture.mode, "posture": text})


async def announced_posture(connection: Connection, mode: str) -> Posture | None:
    """The levers of a plane family, or None where no agent has told them."""
    row = await (await connection.execute(SELECT_POSTURE, (mode,))).fetchone()
    return None if row is None else msgspec.convert(row[0], Posture)


async def overrides(connection: Connection) -> list[StoredOverride]:
    """Every override that holds now or has yet to end."""
    cursor = await connection.execute(SELECT_OVERRIDES)
    return [
        StoredOverride(
            org_id,
            tenant_id,
            policy_id,
            PolicyOverride(override_id, None if action is None else Action(action), enabled),
            expires_at,
        )
        for org_id, tenant_id, policy_id, override_id, action, enabled, expires_at in await cursor.fetchall()
    ]


def _posture(posture: Posture) -> dict[str, object]:
    return {
        "profile": posture.profile,
        "enforce": sorted(posture.enforce),
        "global_levers": dict(posture.global_levers),
        "mode_levers": dict(posture.mode_levers),
        "mode": posture.mode,
        "skip_categories": sorted(posture.skip_categories),
    }
