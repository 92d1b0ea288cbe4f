"""Row security isolates organisations, and no role can do more than its grants."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import psycopg
import pytest
from axonflow_database import Database
from psycopg import sql

INSERT_CLIENT = "INSERT INTO clients (client_id, org_id, tenant_id, secret_sha256) VALUES (%s, %s, 't', %s)"
INSERT_POLICY = """
    INSERT INTO static_policies (org_id, policy_id, name, category, tier, pattern, severity, action)
    VALUES (%s, %s, 'n', 'pii-global', %s, 'x', 'low', 'log')
"""
AUDIT_ROW = {
    "org_id": "a",
    "created_at": "2026-01-02T03:04:05Z",
    "id": "1",
    "decision_id": "d",
    "plane": "agent",
    "verdict": "allowed",
}
INSERT_AUDIT = """
    INSERT INTO audit_logs (org_id, created_at, id, decision_id, plane, verdict)
    SELECT org_id, created_at, id, decision_id, plane, verdict FROM json_to_recordset(%s::json)
        AS x (org_id text, created_at timestamptz, id text, decision_id text, plane text, verdict text)
    ON CONFLICT DO NOTHING
"""
AUDIT_TABLES = ("audit_logs", "decision_chain", "gateway_contexts", "llm_call_audits", "mcp_query_audits")


async def add_client(database: Database, org: str, client: str) -> None:
    async with database.tenant(org) as connection:
        await connection.execute(INSERT_CLIENT, (client, org, b"x" * 32))


async def client_ids(connection: psycopg.AsyncConnection[tuple[str]]) -> list[str]:
    cursor = await connection.execute("SELECT client_id FROM clients ORDER BY client_id")
    return [row[0] for row in await cursor.fetchall()]


async def write_audit(database: Database, *rows: dict[str, str]) -> int:
    async with await database.audit_connection() as connection:
        cursor = await connection.execute(INSERT_AUDIT, (json.dumps(rows),))
        return cursor.rowcount


async def test_an_organisation_sees_its_own_rows_and_the_platform_sees_all(database: Database) -> None:
    await add_client(database, "a", "a1")
    await add_client(database, "b", "b1")
    async with database.tenant("a") as connection:
        assert await client_ids(connection) == ["a1"]
    async with database.platform() as connection:
        assert await client_ids(connection) == ["a1", "b1"]


async def test_a_row_of_another_organisation_can_be_neither_written_nor_taken_over(database: Database) -> None:
    await add_client(database, "b", "b1")
    async with database.tenant("a") as connection:
        cursor = await connection.execute("UPDATE clients SET enabled = false WHERE client_id = 'b1'")
        assert cursor.rowcount == 0
        cursor = await connection.execute("DELETE FROM clients")
        assert cursor.rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        async with database.tenant("a") as connection:
            await connection.execute(INSERT_CLIENT, ("b2", "b", b"x" * 32))


async def test_a_row_cannot_be_given_to_another_organisation(database: Database) -> None:
    await add_client(database, "a", "a1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        async with database.tenant("a") as connection:
            await connection.execute("UPDATE clients SET org_id = 'b'")


async def test_the_organisation_of_one_transaction_does_not_reach_the_next(database: Database) -> None:
    await add_client(database, "a", "a1")
    for org, seen in (("a", ["a1"]), ("b", []), ("a", ["a1"])):
        for _ in range(5):  # more often than the pool has connections
            async with database.tenant(org) as connection:
                assert await client_ids(connection) == seen


async def test_a_session_without_an_organisation_sees_nothing(database: Database) -> None:
    await add_client(database, "a", "a1")
    async with database.tenant("a") as connection:
        for nobody in ("", "''"):
            await connection.execute("SELECT set_config('app.current_org_id', %s, true)", (nobody,))
            assert await client_ids(connection) == []
        await connection.execute("RESET app.current_org_id")
        assert await client_ids(connection) == []


@pytest.mark.parametrize("org", ["", "@system", "a\0b"])
async def test_a_tenant_transaction_needs_an_organisation(database: Database, org: str) -> None:
    with pytest.raises(ValueError, match="needs the id of an organisation"):
        async with database.tenant(org):
            pass


async def test_an_organisation_id_is_a_value_and_never_sql(database: Database) -> None:
    await add_client(database, "a", "a1")
    hostile = "x', true); SET ROLE axonflow_platform; --\\"
    await add_client(database, hostile, "h1")
    async with database.tenant(hostile) as connection:
        assert await client_ids(connection) == ["h1"]


async def test_everybody_reads_system_policies_and_only_the_platform_writes_them(database: Database) -> None:
    async with database.platform() as connection:
        await connection.execute(INSERT_POLICY, ("@system", "sys_x", "system"))
    async with database.tenant("a") as connection:
        await connection.execute(INSERT_POLICY, ("a", "mine", "tenant"))
    async with database.tenant("a") as connection:
        cursor = await connection.execute("SELECT policy_id FROM static_policies")
        seen = {row[0] for row in await cursor.fetchall()}
        assert {"mine", "sys_x"} <= seen
        cursor = await connection.execute("UPDATE static_policies SET enabled = false")
        assert cursor.rowcount == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        async with database.tenant("a") as connection:
            await connection.execute(INSERT_POLICY, ("@system", "sys_y", "system"))


async def test_the_platform_does_not_write_policies_of_an_organisation(database: Database) -> None:
    async with database.tenant("a") as connection:
        await connection.execute(INSERT_POLICY, ("a", "mine", "tenant"))
    async with database.platform() as connection:
        cursor = await connection.execute("UPDATE static_policies SET enabled = false WHERE org_id = 'a'")
        assert cursor.rowcount == 0


async def test_the_audit_writer_adds_rows_of_every_organisation_each_once(database: Database) -> None:
    other = {**AUDIT_ROW, "org_id": "b"}
    assert await write_audit(database, AUDIT_ROW, other) == 2
    assert await write_audit(database, AUDIT_ROW, other, {**AUDIT_ROW, "id": "2"}) == 1
    async with database.tenant("a") as connection:
        cursor = await connection.execute("SELECT id FROM audit_logs ORDER BY id")
        assert await cursor.fetchall() == [("1",), ("2",)]


async def test_the_audit_writer_writes_into_todays_partition(database: Database, database_url: str) -> None:
    now = datetime.now(UTC)
    await write_audit(database, {**AUDIT_ROW, "created_at": now.isoformat()})
    with psycopg.connect(database_url) as owner:
        found = owner.execute("SELECT tableoid::regclass::text FROM audit_logs").fetchone()
    assert found == (f"audit_logs_y{now:%Y}m{now:%m}",)


@pytest.mark.parametrize("table", AUDIT_TABLES)
@pytest.mark.parametrize(
    "statement", ["SELECT 1 FROM {}", "UPDATE {} SET org_id = ''", "DELETE FROM {}", "TRUNCATE {}"]
)
async def test_the_audit_writer_only_inserts(database: Database, table: str, statement: str) -> None:
    async with await database.audit_connection() as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(sql.SQL(statement).format(sql.Identifier(table)))


@pytest.mark.parametrize("table", AUDIT_TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET org_id = ''", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
async def test_nobody_changes_the_record(database: Database, table: str, statement: str) -> None:
    command = sql.SQL(statement).format(sql.Identifier(table))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.tenant("a") as connection:
            await connection.execute(command)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.platform() as connection:
            await connection.execute(command)


async def test_partitions_are_closed_to_those_who_go_round_the_parent(database: Database) -> None:
    await write_audit(database, AUDIT_ROW)
    for transaction in (database.tenant("b"), database.platform()):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction as connection:
                await connection.execute("SELECT * FROM audit_logs_default")


async def test_tenants_reach_no_secret_and_no_nonce(database: Database) -> None:
    for table in ("deployment_secrets", "internal_nonces", "policy_dumps", "_yoyo_migration"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with database.tenant("a") as connection:
                await connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
