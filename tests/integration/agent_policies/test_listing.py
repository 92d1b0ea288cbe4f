"""The policy list on a real database, as the low-privilege role: who sees what, in which order, on which page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from axonflow_agent.policies.endpoints import list_static_policies
from axonflow_agent.policies.query import SortKey, parse_query
from axonflow_agent.policies.service import PolicyReader
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import StaticPolicyList
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Severity, Tier
from axonflow_database import Database
from axonflow_policy import Policy
from starlette.requests import Request
from support.postgres import Server, service_settings

INSERT = """
    INSERT INTO static_policies (org_id, tenant_id, policy_id, name, description, category, tier, pattern, reason,
                                 severity, action, enabled, priority, deleted_at)
    VALUES (%(org_id)s, %(tenant_id)s, %(policy_id)s, %(name)s, %(description)s, %(category)s, %(tier)s, 'x',
            %(reason)s, %(severity)s, %(action)s, %(enabled)s, %(priority)s,
            CASE WHEN %(deleted)s THEN now() END)
"""

SYSTEM: dict[str, Any] = {
    "org_id": "@system", "tenant_id": "global", "description": "", "category": "pii-us", "tier": "system",
    "reason": "", "severity": "high", "action": "block", "enabled": True, "priority": 50, "deleted": False,
}  # fmt: skip

SYSTEM_ROWS = [
    {"policy_id": "sys_ssn", "name": "SSN Detection", "severity": "critical", "priority": 100,
     "reason": "Social Security Number detected"},
    {"policy_id": "sys_email", "name": "email address", "category": "pii-global", "severity": "medium",
     "action": "warn"},
    {"policy_id": "sys_shell", "name": "Reverse Shell", "category": "security-dangerous", "priority": 100},
    {"policy_id": "sys_users", "name": "Users Table", "category": "security-admin", "severity": "low",
     "enabled": False},
    {"policy_id": "sys_percent", "name": "100% _wild_", "category": "custom", "action": "log", "priority": 10},
    {"policy_id": "sys_gone", "name": "Gone", "deleted": True},
]  # fmt: skip

TENANT_ROWS = [
    {"org_id": "acme", "tenant_id": "tellers", "tier": "tenant", "policy_id": "acme_tellers", "name": "Tellers"},
    {"org_id": "acme", "tenant_id": "brokers", "tier": "tenant", "policy_id": "acme_brokers", "name": "Brokers"},
    {"org_id": "acme", "tenant_id": "brokers", "tier": "organization", "policy_id": "acme_all", "name": "All of Acme"},
    {"org_id": "rival", "tenant_id": "tellers", "tier": "tenant", "policy_id": "rival_secret", "name": "Rival"},
]

TELLERS = Caller(org_id="acme", tenant_id="tellers", client_id="c", kind=CallerKind.CLIENT)
STRANGER = Caller(org_id="nobody", tenant_id="nobody", client_id="c", kind=CallerKind.CLIENT)
SYSTEM_IDS = {"sys_ssn", "sys_email", "sys_shell", "sys_users", "sys_percent"}
IN_FORCE = MappingProxyType(
    {
        "sys_ssn": Policy(
            id="sys_ssn", name="", category="pii-us", severity=Severity.CRITICAL, priority=100, pattern="x", reason="",
            action=Action.BLOCK, action_response=Action.REDACT,
        )
    }
)  # fmt: skip


@pytest_asyncio.fixture
async def reader(database: Database) -> AsyncIterator[PolicyReader]:
    async with database.platform() as connection:
        await connection.execute("UPDATE static_policies SET deleted_at = now() WHERE org_id = '@system'")
        for row in SYSTEM_ROWS:
            await connection.execute(INSERT, {**SYSTEM, **row})
    for row in TENANT_ROWS:
        async with database.tenant(row["org_id"]) as connection:
            await connection.execute(INSERT, {**SYSTEM, **row})
    yield PolicyReader(database, lambda: IN_FORCE, Posture())


async def ids(reader: PolicyReader, caller: Caller = STRANGER, **params: str) -> list[str]:
    listed = await reader.page(parse_query(params), caller)
    return [policy.policy_id for policy in listed.policies]


async def test_every_organisation_sees_the_systems_rows_and_no_deleted_one(reader: PolicyReader) -> None:
    assert set(await ids(reader)) == SYSTEM_IDS


async def test_a_tenant_sees_its_own_rows_and_its_organisations(reader: PolicyReader) -> None:
    assert set(await ids(reader, TELLERS)) == {*SYSTEM_IDS, "acme_tellers", "acme_all"}


async def test_another_organisations_rows_are_not_even_counted(reader: PolicyReader) -> None:
    listed = await reader.page(parse_query({"search": "rival"}), TELLERS)
    assert (listed.policies, listed.pagination.total) == ((), 0)


async def test_the_strongest_priority_comes_first(reader: PolicyReader) -> None:
    assert await ids(reader) == ["sys_shell", "sys_ssn", "sys_email", "sys_users", "sys_percent"]


async def test_severity_and_action_are_sorted_by_strength(reader: PolicyReader) -> None:
    by_severity = await ids(reader, sort_by="severity")
    assert (by_severity[0], by_severity[-1]) == ("sys_ssn", "sys_users")
    by_action = await ids(reader, sort_by="action", sort_order="asc")
    assert by_action[:2] == ["sys_percent", "sys_email"]


async def test_names_are_sorted_without_regard_to_case(reader: PolicyReader) -> None:
    assert await ids(reader, sort_by="name") == ["sys_percent", "sys_email", "sys_shell", "sys_ssn", "sys_users"]


@pytest.mark.parametrize("key", list(SortKey))
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_of_every_order_hold_each_row_once(reader: PolicyReader, key: SortKey, order: str) -> None:
    seen: list[str] = []
    for page in range(1, 5):
        seen += await ids(reader, sort_by=key, sort_order=order, page=str(page), page_size="2")
    assert sorted(seen) == sorted(SYSTEM_IDS)


async def test_pagination_tells_the_whole(reader: PolicyReader) -> None:
    told = (await reader.page(parse_query({"page": "2", "page_size": "2"}), STRANGER)).pagination
    assert (told.page, told.page_size, told.total, told.total_pages) == (2, 2, 5, 3)


async def test_a_page_beyond_the_end_is_empty_and_keeps_the_total(reader: PolicyReader) -> None:
    listed = await reader.page(parse_query({"page": "99"}), STRANGER)
    assert (listed.policies, listed.pagination.total) == ((), 5)


async def test_limit_and_offset_cut_the_same_list(reader: PolicyReader) -> None:
    assert await ids(reader, limit="2", offset="1") == (await ids(reader))[1:3]


async def test_a_category_is_found_by_its_true_and_by_its_shown_word(reader: PolicyReader) -> None:
    assert await ids(reader, category="security-dangerous") == ["sys_shell"]
    assert set(await ids(reader, category="security-admin")) == {"sys_shell", "sys_users"}
    assert await ids(reader, category="code-compliance") == ["sys_percent"]
    assert set(await ids(reader, category="admin_access")) == {"sys_shell", "sys_users"}


async def test_filters_narrow_together(reader: PolicyReader) -> None:
    assert await ids(reader, severity="critical", tier="system", enabled="true") == ["sys_ssn"]
    assert await ids(reader, enabled="false") == ["sys_users"]
    assert await ids(reader, TELLERS, tier="tenant") == ["acme_tellers"]
    assert await ids(reader, TELLERS, organization_id="rival") == []


@pytest.mark.parametrize(("text", "found"), [("SECURITY number", ["sys_ssn"]), ("SHELL", ["sys_shell"]),
                                             ("%", ["sys_percent"]), ("_wild_", ["sys_percent"]),
                                             ("' OR 1=1 --", []), ("\\", [])])  # fmt: skip
async def test_search_takes_every_character_as_it_is(reader: PolicyReader, text: str, found: list[str]) -> None:
    assert await ids(reader, search=text) == found


async def test_a_row_says_what_the_running_set_makes_of_it(reader: PolicyReader) -> None:
    listed = await reader.page(parse_query({"search": "sys_s"}), STRANGER)
    known = {policy.policy_id: policy.metadata for policy in listed.policies}
    assert known["sys_ssn"].action_request is Action.BLOCK
    assert known["sys_ssn"].action_response is Action.REDACT
    assert known["sys_shell"].action_request is None


async def test_the_endpoint_answers_the_contracts_shape(reader: PolicyReader) -> None:
    scope = {"type": "http", "method": "GET", "path": "/api/v1/static-policies", "query_string": b"page_size=1",
             "headers": []}  # fmt: skip
    response = await list_static_policies(Request(scope), STRANGER, reader)
    listed = msgspec.json.decode(response.body, type=StaticPolicyList)
    assert response.media_type == "application/json"
    assert [policy.policy_id for policy in listed.policies] == ["sys_shell"]
    assert listed.policies[0].category == "security-admin"
    assert listed.policies[0].tier is Tier.SYSTEM


async def test_without_postgres_the_list_is_503_and_not_empty(chaos_server: Server, chaos_database_url: str) -> None:
    database = await Database.open(service_settings(chaos_database_url))
    try:
        chaos_server.stop("immediate")
        with pytest.raises(Fault) as caught:
            await PolicyReader(database, dict, Posture()).page(parse_query({}), STRANGER)
    finally:
        await database.close()
    assert caught.value.status == 503
