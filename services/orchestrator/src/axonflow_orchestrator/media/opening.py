"""Opens the desk and what it needs."""

from __future__ import annotations

import contextlib

from axonflow_database import Database
from axonflow_governance import PolicySource
from axonflow_outbound import Outbound
from axonflow_providers.transport import HttpTransport

from axonflow_orchestrator.media.analyzers import LARGEST_ANSWER_BYTES, ImageAnalyzer
from axonflow_orchestrator.media.desk import MediaDesk
from axonflow_orchestrator.media.judging import PiiJudge
from axonflow_orchestrator.media.sources import MediaSources
from axonflow_orchestrator.media.switch import MediaSwitch, follow_choices
from axonflow_orchestrator.settings import OrchestratorSettings


async def open_switch(
    stack: contextlib.AsyncExitStack, settings: OrchestratorSettings, database: Database
) -> MediaSwitch:
    """Tenants' choices, followed until ``stack`` closes.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
    """
    chosen = follow_choices(database)
    await chosen.start()
    stack.push_async_callback(chosen.close)
    return MediaSwitch(settings.edition, settings.media_governance_enabled, chosen)


async def open_desk(
    stack: contextlib.AsyncExitStack,
    settings: OrchestratorSettings,
    switch: MediaSwitch,
    policies: PolicySource,
    outbound: Outbound,
) -> MediaDesk:
    """The desk; nothing is dialled yet."""
    analyzer = None
    if settings.media_analyzer_url:
        transport = await stack.enter_async_context(HttpTransport(max_bytes=LARGEST_ANSWER_BYTES))
        analyzer = ImageAnalyzer(
            transport, settings.media_analyzer_url, settings.media_analyzer_key, settings.media_analyzer_timeout_s
        )
    return MediaDesk(switch, MediaSources(outbound), PiiJudge(lambda: policies.current), analyzer)
