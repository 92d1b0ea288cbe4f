"""Open connectors: few, replaced with their definition, closed when idle and never under a call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
import pytest
from axonflow_agent.connectors.live import LiveConnectors
from axonflow_connectors import (
    Capability,
    Configuration,
    Connector,
    ConnectorFault,
    ConnectorRegistry,
    ConnectorSpec,
    Field,
    Surroundings,
)
from axonflow_contracts.connectors import ConnectorDefinition
from axonflow_outbound import Egress, Outbound
from axonflow_sealing import Sealer, SealingContext
from axonflow_settings import Secret


class Probe(Connector):
    """Remembers whether it was closed, and the credential that it was opened with."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.closed = False
        self.lets_go: asyncio.Event | None = None

    async def test(self) -> Mapping[str, str]:
        return {}

    async def close(self) -> None:
        if self.lets_go is not None:
            await self.lets_go.wait()
        self.closed = True


async def _open(configuration: Configuration, _surroundings: Surroundings) -> Connector:
    return Probe(configuration.secret("password"))


SPEC = ConnectorSpec(
    type="probe",
    title="Probe",
    description="",
    category="",
    fields=(Field(name="password", help="", kind="secret"),),
    capabilities=frozenset({Capability.QUERY}),
    open=_open,
    endpoints=lambda _configuration: (),
)
SEALER = Sealer([Secret("3c" * 32)])


class Unlocked:
    """No tool of these is somebody else's words."""

    def locked(self, connector: Connector, org_id: str, definition: ConnectorDefinition) -> Connector:
        del org_id, definition
        return connector


class Deck:
    """Live connectors under a clock of the test's own."""

    def __init__(self, most_open: int = 64) -> None:
        self.now = 0.0
        registry = ConnectorRegistry([SPEC], Surroundings(outbound=Outbound(Egress())))
        self.live = LiveConnectors(
            registry, SEALER, Unlocked(), most_open=most_open, idle_s=300, clock=lambda: self.now
        )

    async def used(self, name: str = "crm", version: int = 1, org_id: str = "o") -> Connector:
        async with self.live.using(org_id, definition(name, version)) as connector:
            return connector


def definition(name: str = "crm", version: int = 1, sealed_for: str | None = None) -> ConnectorDefinition:
    context = SealingContext("o", "connector.credentials", sealed_for or name)
    sealed = SEALER.seal(msgspec.json.encode({"password": "open sesame"}), context=context) if sealed_for else None
    return ConnectorDefinition(id=name, name=name, type="probe", tenant_id="t", version=version, credentials=sealed)


async def test_one_is_opened_once_and_anew_when_its_definition_changes() -> None:
    deck = Deck()
    first = await deck.used()
    assert await deck.used() is first
    second = await deck.used(version=2)
    assert second is not first
    assert isinstance(first, Probe)
    await deck.live.close()
    assert first.closed
    assert deck.live.counters.creations == 2


async def test_a_server_that_does_not_let_go_holds_up_no_other_connector() -> None:
    deck = Deck(most_open=2)
    stuck = await deck.used("stuck")
    assert isinstance(stuck, Probe)
    stuck.lets_go = asyncio.Event()
    async with asyncio.timeout(20):
        await deck.used("stuck", version=2)
        await deck.used("other")
    assert not stuck.closed
    stuck.lets_go.set()
    await deck.live.close()
    assert stuck.closed


async def test_what_is_in_use_is_closed_after_its_call() -> None:
    deck = Deck()
    async with deck.live.using("o", definition()) as connector:
        assert isinstance(connector, Probe)
        await deck.live.retire("o", "t", "crm")
        assert not connector.closed
        assert await deck.used() is not connector
    assert connector.closed


async def test_the_one_idle_for_longest_makes_room_and_users_never_do() -> None:
    deck = Deck(most_open=2)
    first = await deck.used("a")
    deck.now = 1
    second = await deck.used("b")
    await deck.used("c")
    await asyncio.sleep(0)
    assert (isinstance(first, Probe) and first.closed, isinstance(second, Probe) and second.closed) == (True, False)
    async with deck.live.using("o", definition("b")), deck.live.using("o", definition("c")):
        with pytest.raises(ConnectorFault, match="Too many"):
            await deck.used("d")
    assert len(deck.live) == 2


async def test_idle_ones_are_closed_and_others_stay() -> None:
    deck = Deck()
    old = await deck.used("old")
    deck.now = 200
    await deck.used("young")
    deck.now = 300
    await deck.live.sweep()
    assert isinstance(old, Probe)
    assert old.closed
    assert len(deck.live) == 1


async def test_organisations_do_not_share_one() -> None:
    deck = Deck()
    assert await deck.used(org_id="o") is not await deck.used(org_id="p")
    await deck.live.retire("p")
    assert len(deck.live) == 1


async def test_credentials_open_for_their_own_place_alone() -> None:
    deck = Deck()
    async with deck.live.using("o", definition("mine", sealed_for="mine")) as connector:
        assert isinstance(connector, Probe)
        assert connector.password == "open sesame"
    for org_id, moved in (("p", definition("mine", sealed_for="mine")), ("o", definition("mine", 2, "another"))):
        with pytest.raises(ConnectorFault, match="cannot be opened") as refused:
            async with deck.live.using(org_id, moved):
                pass
        assert "sesame" not in str(refused.value)
