"""Every variable the orchestrator reads beyond those that all services share."""

from __future__ import annotations

import dataclasses

from axonflow_pricing import PriceSettings
from axonflow_settings import JudgingSettings, variable
from axonflow_settings.core import integer

from axonflow_orchestrator.media_settings import MediaSettings
from axonflow_orchestrator.provider_settings import ProviderSettings
from axonflow_orchestrator.routing_settings import RoutingSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class OrchestratorSettings(MediaSettings, ProviderSettings, RoutingSettings, PriceSettings, JudgingSettings):
    """The orchestrator's environment."""

    port: int = variable("PORT", "Port to listen on.", integer(1, 65535), 8081)
