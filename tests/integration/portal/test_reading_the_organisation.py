"""What the services answer to the portal, which reads for the operator: every tenant, by the hour, calls alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from axonflow_settings import Secret
from support.gateway import INTERNAL_SECRET
from support.planes import Planes, planes
from support.record import BROKERS, ORG, TELLERS, Record, running_record

PORTAL = Caller(org_id=ORG, tenant_id="", client_id="portal", kind=CallerKind.SERVICE)
NOON = datetime.now(UTC).replace(hour=12, minute=30, second=0, microsecond=0) - timedelta(days=1)


@pytest_asyncio.fixture
async def record(database_url: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with running_record(database_url, tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def agent(database_url: str, tmp_path: Path) -> AsyncIterator[Planes]:
    async with planes(database_url, tmp_path) as running:
        yield running


def token(target: str, caller: Caller = PORTAL) -> dict[str, str]:
    minter = TokenMinter(Secret(INTERNAL_SECRET), "portal")
    return {TOKEN_HEADER: minter.mint(audience="agent", caller=caller, method="GET", target=target)}


async def test_the_portal_reads_every_tenant_and_a_client_its_own(record: Record) -> None:
    await record.write()
    await record.write(tenant_id=BROKERS.tenant_id, client_id=BROKERS.client_id)
    await record.write(org_id="rival-bank")
    totals = {}
    for caller in (PORTAL, TELLERS):
        totals[caller.client_id] = (await record.ask("POST", "/api/v1/audit/search", {}, caller=caller)).json["total"]
    assert totals == {"portal": 2, "teller-app": 1}


async def test_changes_of_policies_are_left_out_where_calls_alone_are_asked_for(record: Record) -> None:
    await record.write()
    await record.write(plane="agent", request_type="policy_updated")
    assert (await record.ask("POST", "/api/v1/audit/search", {})).json["total"] == 2
    assert (await record.ask("POST", "/api/v1/audit/search", {"governed": True})).json["total"] == 1
    told = (await record.ask("POST", "/api/v1/audit/summary", {"governed": True})).json
    assert told["total_requests"] == 1


async def test_a_summary_tells_the_calls_of_each_hour_and_day(record: Record) -> None:
    for minutes, verdict in ((0, "allowed"), (10, "blocked"), (10, "allowed"), (60, "redacted")):
        await record.write(created_at=NOON + timedelta(minutes=minutes), verdict=verdict)
    asked: dict[str, Any] = {"start_time": f"{NOON - timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}"}
    by_hour = (await record.ask("POST", "/api/v1/audit/summary", {**asked, "interval": "hour"})).json["series"]
    hours = [(datetime.fromisoformat(step["start"]), step["by_action"]) for step in by_hour]
    hour = NOON.replace(minute=0)
    assert hours == [(hour, {"allow": 2, "deny": 1}), (hour + timedelta(hours=1), {"redact": 1})]
    by_day = (await record.ask("POST", "/api/v1/audit/summary", {**asked, "interval": "day"})).json["series"]
    assert [step["by_action"] for step in by_day] == [{"allow": 2, "deny": 1, "redact": 1}]
    assert "series" not in (await record.ask("POST", "/api/v1/audit/summary", asked)).json


@pytest.mark.parametrize("asked", [{"interval": "minute"}, {"interval": "hour", "start_time": "2025-12-01T00:00:00Z"}])
async def test_a_series_that_cannot_be_is_refused(record: Record, asked: dict[str, str]) -> None:
    assert (await record.ask("POST", "/api/v1/audit/summary", asked)).status == 400


async def test_the_portal_reads_the_gaps_and_circuits_of_the_organisation(agent: Planes) -> None:
    denied = b'{"user_token": "", "query": "My SSN is 123-45-6789", "client_id": "teller-app"}'
    await agent.ask("POST", "/api/policy/pre-check", denied)
    target = "/api/v1/gateway/gaps"
    assert (await agent.ask("GET", target, headers=token(target))).json["totals"]["denied"] == 1
    stranger = Caller(org_id=ORG, tenant_id="brokers", client_id="broker-app", kind=CallerKind.SERVICE)
    assert (await agent.ask("GET", target, headers=token(target, stranger))).json["totals"]["denied"] == 0
    target = "/api/v1/circuit-breaker/status"
    assert (await agent.ask("GET", target, headers=token(target))).json["count"] == 0
    config = "/api/v1/circuit-breaker/config"
    assert (await agent.ask("GET", config, headers=token(config))).status == 401
