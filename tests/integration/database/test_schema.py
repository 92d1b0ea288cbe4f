"""The schema as it stands in the catalogue: what every table must have, whoever adds it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from axonflow_database import migrate
from support.postgres import service_settings

Owner = psycopg.Connection[tuple[Any, ...]]

# Found by an id that is known before the organisation is (rulings §6).
REFERENCE_TABLES = {"clients"}
RECORD = (
    "audit_logs",
    "decision_chain",
    "gateway_contexts",
    "llm_call_audits",
    "mcp_query_audits",
    "sealed_inputs",
)  # partitioned by month

TABLES_WITH_ORG = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, c.relispartition
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND a.attname = 'org_id' AND NOT a.attisdropped
"""
UNIQUE_KEYS = """
    SELECT t.relname, i.relname, a.attname
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
    WHERE x.indisunique AND t.relnamespace = 'public'::regnamespace
"""
POLICIES = """
    SELECT c.relname, p.polname, p.polroles::regrole[]::text[]
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
"""
GRANTS = """
    SELECT c.relname, g.rolname, x.privilege_type
    FROM pg_class c CROSS JOIN aclexplode(c.relacl) x JOIN pg_roles g ON g.oid = x.grantee
    WHERE c.relnamespace = 'public'::regnamespace AND x.grantee <> c.relowner
"""
NAIVE_TIMES = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type = 'timestamp without time zone' AND table_name NOT LIKE '\\_yoyo%'
"""
PARTITIONS = """
    SELECT p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid)
    FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_class p ON p.oid = h.inhparent
    WHERE p.relkind = 'p'
"""
ADD_AUDIT = """
    INSERT INTO audit_logs (org_id, created_at, id, decision_id, plane, verdict)
    VALUES ('a', %s, 'x', 'd', 'agent', 'allowed')
"""


@pytest.fixture
def owner(database_url: str) -> Iterator[Owner]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        yield connection


def test_row_security_is_forced_on_every_table_with_an_organisation(owner: Owner) -> None:
    tables = owner.execute(TABLES_WITH_ORG).fetchall()
    assert {name for name, _, _ in tables} >= {"audit_logs", "clients", "organizations", "static_policies"}
    assert [name for name, forced, _ in tables if not forced] == []


def test_every_table_with_an_organisation_isolates_it(owner: Owner) -> None:
    isolated = {table for table, policy, _ in owner.execute(POLICIES) if policy == "tenant_isolation"}
    parents = {name for name, _, is_partition in owner.execute(TABLES_WITH_ORG) if not is_partition}
    assert parents == isolated


def test_every_key_of_a_tenant_table_begins_with_the_organisation(owner: Owner) -> None:
    tenant_tables = {name for name, _, _ in owner.execute(TABLES_WITH_ORG)} - REFERENCE_TABLES
    assert [key for key in owner.execute(UNIQUE_KEYS) if key[0] in tenant_tables and key[2] != "org_id"] == []


def test_every_policy_names_the_roles_it_is_for(owner: Owner) -> None:
    assert [row for row in owner.execute(POLICIES) if "-" in row[2] or "public" in row[2]] == []


def test_rights_are_given_to_our_roles_alone(owner: Owner) -> None:
    grants = owner.execute(GRANTS).fetchall()
    assert {role for _, role, _ in grants} == {"axonflow_app", "axonflow_audit_writer", "axonflow_platform"}
    assert {right for _, _, right in grants} == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert {(table, right) for table, role, right in grants if role == "axonflow_audit_writer"} == {
        ("audit_logs", "INSERT"),
        ("llm_call_audits", "INSERT"),
        ("gateway_contexts", "INSERT"),
        ("mcp_query_audits", "INSERT"),
        ("sealed_inputs", "INSERT"),
        ("decision_chain", "INSERT"),
    }
    audit = {(role, right) for table, role, right in grants if table.startswith(RECORD)}
    assert audit == {
        ("axonflow_app", "SELECT"),
        ("axonflow_platform", "SELECT"),
        ("axonflow_audit_writer", "INSERT"),
    }


def test_times_know_their_zone(owner: Owner) -> None:
    assert owner.execute(NAIVE_TIMES).fetchall() == []


def test_no_extension_is_needed(owner: Owner) -> None:
    assert owner.execute("SELECT extname FROM pg_extension").fetchall() == [("plpgsql",)]


@pytest.mark.parametrize("table", RECORD)
def test_there_are_partitions_for_this_month_and_three_more(owner: Owner, table: str) -> None:
    bounds = {bound for parent, _, bound in owner.execute(PARTITIONS) if parent == table}
    month = datetime.now(UTC).year * 12 + datetime.now(UTC).month - 1
    starts = [datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC) for number in range(month, month + 5)]
    months = {
        f"FOR VALUES FROM ('{start:%Y-%m-%d} 00:00:00+00') TO ('{end:%Y-%m-%d} 00:00:00+00')"
        for start, end in itertools.pairwise(starts)
    }
    assert bounds == months | {"DEFAULT"}


def test_rows_that_the_default_partition_took_move_to_the_month_that_is_made_late(
    owner: Owner, database_url: str
) -> None:
    now = datetime.now(UTC)
    part = f"audit_logs_y{now:%Y}m{now:%m}"
    owner.execute(f"DROP TABLE {part}")
    owner.execute(ADD_AUDIT, (now,))
    owner.execute(ADD_AUDIT, (datetime(2020, 1, 1, tzinfo=UTC),))
    migrate(service_settings(database_url))
    places = owner.execute("SELECT tableoid::regclass::text FROM audit_logs ORDER BY created_at").fetchall()
    assert places == [("audit_logs_default",), (part,)]


def test_making_partitions_again_makes_none(owner: Owner) -> None:
    assert owner.execute("SELECT axonflow_make_partitions()").fetchone() == (0,)
    (tables,) = owner.execute("SELECT count(*) FROM pg_class WHERE relkind = 'p'").fetchone() or (0,)
    assert tables > len(RECORD)
    assert owner.execute("SELECT axonflow_make_partitions(5)").fetchone() == (2 * tables,)
