"""Definitions in memory: asked once, stale at a change, kept while nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from axonflow_agent.connectors.definitions import FRESH_S, MOST_TENANTS, Definitions
from axonflow_agent.connectors.fetching import DefinitionsUnavailable
from axonflow_contracts.connectors import ConnectorDefinition
from axonflow_contracts.errors import Fault


def definition(name: str, version: int = 1) -> ConnectorDefinition:
    return ConnectorDefinition(id=name, name=name, type="sqlite", tenant_id="t", version=version)


class Registry:
    """An orchestrator of one connector that can be away; its answer takes a turn of the loop."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.names = ["crm"]
        self.now = 0.0
        self.revision = 1
        self.cache = Definitions(self, lambda: self.revision, lambda: self.now)

    async def fetch(self, org_id: str, tenant_id: str) -> Mapping[str, ConnectorDefinition]:
        del org_id, tenant_id
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise DefinitionsUnavailable
        return {name: definition(name) for name in self.names}

    async def names_of(self, tenant_id: str = "t", org_id: str = "o") -> list[str]:
        return list(await self.cache.of(org_id, tenant_id))


async def test_many_callers_at_once_ask_once() -> None:
    registry = Registry()
    assert await asyncio.gather(*(registry.names_of() for _ in range(50))) == [["crm"]] * 50
    assert registry.asked == 1
    assert registry.cache.counters.misses == 1
    assert registry.cache.counters.hits == 49


async def test_a_change_or_age_has_them_read_again() -> None:
    registry = Registry()
    await registry.names_of()
    registry.names = ["crm", "notes"]
    assert await registry.names_of() == ["crm"]
    registry.revision += 1
    assert await registry.names_of() == ["crm", "notes"]
    registry.names = []
    registry.now += FRESH_S
    assert await registry.names_of() == []


async def test_the_last_known_go_on_and_the_never_known_are_503() -> None:
    registry = Registry()
    await registry.names_of()
    registry.away = True
    registry.revision += 1
    assert await registry.names_of() == ["crm"]
    asked = registry.asked
    assert await registry.names_of() == ["crm"]
    assert registry.asked == asked  # an orchestrator that is away is not asked at every call
    with pytest.raises(Fault) as refused:
        await registry.names_of("another")
    assert (refused.value.status, refused.value.message) == (503, "MCP registry not initialized")
    registry.away, registry.names = False, ["back"]
    registry.now += FRESH_S
    assert await registry.names_of() == ["back"]


async def test_what_was_evicted_is_still_known_while_nobody_answers() -> None:
    registry = Registry()
    await registry.names_of()
    assert registry.cache.evict("o", "t") == 1
    registry.away = True
    assert await registry.names_of() == ["crm"]
    assert registry.cache.evict("another", None) == 0


async def test_tenants_are_apart_and_their_number_is_bounded() -> None:
    registry = Registry()
    for number in range(MOST_TENANTS + 5):
        await registry.names_of(f"t{number}")
    assert len(registry.cache) == MOST_TENANTS
    assert registry.cache.cached("o", "t0") == 0
    assert registry.cache.cached("o", f"t{MOST_TENANTS}") == 1
