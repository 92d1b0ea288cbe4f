"""Reads of a long record go by an index, under row security and as the tenant role: no page reads the table whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import psycopg
import pytest
from axonflow_audit import pages, traces
from axonflow_audit.filters import Position, RecordFilter, where_of
from support.record import ORG

ROWS = 20_000
# Rows of four tenants over two days, few of them with a match.
FILL = """
    INSERT INTO audit_logs (org_id, created_at, id, decision_id, trace_id, tenant_id, plane, verdict, matched_policies)
    SELECT %(org)s, now() - n * interval '8 seconds', 'r' || n, 'r' || n, 't' || n / 3,
        'tenant-' || n %% 4, 'llm', CASE WHEN n %% 200 = 0 THEN 'blocked' ELSE 'allowed' END,
        CASE WHEN n %% 50 = 0 THEN '[{"policy_id": "p", "name": "P"}]'::jsonb ELSE '[]'::jsonb END
    FROM generate_series(1, %(rows)s) n
"""
NOW = datetime.now(UTC)
TENANT = RecordFilter(org_id=ORG, tenant_id="tenant-1", since=NOW - timedelta(days=3))
WHOLE = RecordFilter(org_id=ORG, tenant_id=None, since=NOW - timedelta(days=3))
MIDDLE = Position(NOW - timedelta(hours=20), "r9000")
PAGE = {"limit": 50, "offset": 0}


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Any:
    with psycopg.connect(module_database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE audit_logs NO FORCE ROW LEVEL SECURITY")
        connection.execute(FILL, {"org": ORG, "rows": ROWS})
        connection.execute("ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY")
        connection.execute("ANALYZE audit_logs")
        connection.execute("SET ROLE axonflow_app")
        connection.execute("SELECT set_config('app.current_org_id', %s, false)", (ORG,))
        yield connection


class Plan(NamedTuple):
    """How a statement was carried out."""

    read_whole: list[str]  # tables that were read from end to end and held anything
    indexes: set[str]
    passed_over: float  # rows that were read and are no part of the answer


def plan(connection: psycopg.Connection[Any], statement: str, params: dict[str, Any]) -> Plan:
    [document] = connection.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement, params).fetchone() or [[]]
    nodes = list(below(document[0]["Plan"]))
    passed_over = [node.get("Rows Removed by Filter", 0) for node in nodes]
    whole = [node for node in nodes if node["Node Type"] == "Seq Scan"]
    return Plan(
        [node["Relation Name"] for node in whole if node["Actual Rows"] or node.get("Rows Removed by Filter")],
        {node["Index Name"] for node in nodes if "Index Name" in node},
        sum(passed_over),
    )


def below(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from below(child)


@pytest.mark.parametrize(
    ("wanted", "after"),
    [
        (TENANT, None),
        (TENANT, MIDDLE),
        (WHOLE, MIDDLE),
        (msgspec.structs.replace(TENANT, tenant_id="tenant-0", verdicts=("blocked",)), MIDDLE),
        (RecordFilter(org_id=ORG, tenant_id="tenant-2", policy_id="p"), None),
        (RecordFilter(org_id=ORG, tenant_id="tenant-2", decision_id="r77"), None),
    ],
)
def test_a_page_is_found_by_an_index(filled: Any, wanted: RecordFilter, after: Position | None) -> None:
    where, params = where_of(wanted, after)
    found = plan(filled, pages.SELECT + where + pages.NEWEST_FIRST, {**params, **PAGE})
    assert found.read_whole == []
    assert found.indexes
    assert found.passed_over < 100  # no page reads what lies before it


def test_a_trace_is_found_by_an_index(filled: Any) -> None:
    params = {"org_id": ORG, "tenant_id": None, "trace_id": "t100", "since": NOW - timedelta(days=3), "limit": 10}
    found = plan(filled, traces.DECISIONS_OF_TRACE, params)
    assert (found.read_whole, bool(found.indexes)) == ([], True)
