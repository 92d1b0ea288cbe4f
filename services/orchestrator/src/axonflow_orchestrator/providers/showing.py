"""How a provider looks to those who may see it: with its health, and never with a key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from axonflow_orchestrator.providers.configured import Opener, definition_of, health_id
from axonflow_orchestrator.providers.definition import Definition, Source
from axonflow_orchestrator.providers.finding import Found
from axonflow_orchestrator.providers.health import HealthBook, health_of
from axonflow_orchestrator.providers.records import ProviderHealth, Row, Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What one caller is shown.

    Attributes:
        kept: what replicas last wrote of health, by provider.
        reveals: whether it may see where the deployment's own providers are.
    """

    opener: Opener
    book: HealthBook
    kept: Mapping[str, ProviderHealth]
    reveals: bool

    def shown(self, found: Found) -> Shown:
        """A row or a definition."""
        if isinstance(found, Row):
            shown = self._defined(definition_of(found, {}), has_key=bool(found.credential_names), id_=found.id)
            return msgspec.structs.replace(
                shown,
                tenant_id=found.tenant_id,
                version=found.version,
                health=health_of(self.book, self.kept, found.id, found.version),
            )
        has_key = found.api_key is not None or found.shown_settings.keys() != found.settings.keys()
        shown = self._defined(found, has_key=has_key, id_=health_id(found))
        return shown if self.reveals else msgspec.structs.replace(shown, endpoint=msgspec.UNSET)

    def _defined(self, definition: Definition, *, has_key: bool, id_: str) -> Shown:
        return Shown(
            name=definition.name,
            type=definition.type,
            source=definition.source.value,
            read_only=definition.source is not Source.DATABASE,
            enabled=definition.enabled,
            admitted=self.opener.admits(definition),
            priority=definition.priority,
            weight=definition.weight,
            has_api_key=has_key,
            timeout_seconds=math.ceil(definition.timeout_s),
            settings=definition.shown_settings,
            health=health_of(self.book, self.kept, id_, 0),
            endpoint=definition.endpoint or msgspec.UNSET,
            model=definition.model or msgspec.UNSET,
            region=definition.region or msgspec.UNSET,
            rate_limit=definition.rate_limit or msgspec.UNSET,
        )
