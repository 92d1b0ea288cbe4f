"""Commands for Redis before anything is dialled."""

from __future__ import annotations

import pytest
from axonflow_connectors import Call, ConnectorFault, ConnectorRegistry, FaultKind, Surroundings, standard_specs
from axonflow_outbound import Egress, Outbound


async def test_a_command_is_short_and_long_values_are_parameters() -> None:
    async with Outbound(Egress()) as outbound:
        registry = ConnectorRegistry(standard_specs(), Surroundings(outbound=outbound))
        connector = await registry.open("redis", org_id="acme", options={"host": "127.0.0.1"}, credentials={})
        for call, kind in (
            (Call(statement="GET " + "x" * 65_536), FaultKind.REQUEST),
            (Call(statement="GET {key}", parameters={"key": "x" * 65_536}), FaultKind.EGRESS),
        ):
            with pytest.raises(ConnectorFault) as fault:
                await connector.query(call)
            assert fault.value.kind is kind
        await connector.close()
