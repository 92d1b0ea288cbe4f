"""The types of connector that a deployment has, put together by its composition root; nothing registers itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from axonflow_outbound import EgressRefused

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.protocol import Connector
from axonflow_connectors.specification import Configuration, ConnectorSpec, Surroundings


class ConnectorRegistry:
    """Specifications by type, and the two things done with them: checking a configuration and opening it."""

    def __init__(self, specs: Iterable[ConnectorSpec], surroundings: Surroundings) -> None:
        self._specs: dict[str, ConnectorSpec] = {}
        for spec in specs:
            if spec.type in self._specs:
                raise ValueError(f"two connectors are called {spec.type}")
            self._specs[spec.type] = spec
        self._surroundings = surroundings

    def specs(self) -> tuple[ConnectorSpec, ...]:
        """All of them, in the order given."""
        return tuple(self._specs.values())

    def spec(self, type_: str) -> ConnectorSpec:
        """The specification of one type.

        Raises:
            KeyError: there is no such type.
        """
        return self._specs[type_]

    async def check(
        self, type_: str, *, org_id: str, options: Mapping[str, Any], credentials: Mapping[str, str]
    ) -> Configuration:
        """What an install asks before it keeps anything: the fields, the rules, and where it would dial.

        Raises:
            KeyError: there is no such type.
            ConnectorFault: of kind configuration or egress.
        """
        spec = self._specs[type_]
        configuration = spec.configuration(org_id, options, credentials)
        spec.verify(configuration, self._surroundings)
        for endpoint in spec.endpoints(configuration):
            try:
                await self._surroundings.outbound.dialable(endpoint.host, endpoint.port)
            except EgressRefused as refused:
                raise ConnectorFault(FaultKind.EGRESS, refused.message) from refused
        return configuration

    async def open(
        self, type_: str, *, org_id: str, options: Mapping[str, Any], credentials: Mapping[str, str]
    ) -> Connector:
        """The live side of a kept configuration. Nothing is dialled yet; each dial is checked anew.

        Raises:
            KeyError: there is no such type.
            ConnectorFault: of kind configuration.
        """
        spec = self._specs[type_]
        configuration = spec.configuration(org_id, options, credentials)
        spec.verify(configuration, self._surroundings)
        return await spec.open(configuration, self._surroundings)
