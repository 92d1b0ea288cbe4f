"""Asks every enabled provider again and again if it would answer, without using a model."""

from __future__ import annotations

import asyncio
import logging
import random

from axonflow_database import Periodic
from axonflow_providers import ProviderFault

from axonflow_orchestrator.providers.configured import ConfiguredProvider
from axonflow_orchestrator.providers.health import DEFINITE, HealthBook
from axonflow_orchestrator.providers.source import ProviderSource

logger = logging.getLogger("axonflow.orchestrator.providers")

PROBE_TIMEOUT_S = 10.0
AT_A_TIME = 8
_SPREAD = 0.2


class Prober:
    """Rounds of probes, spread over the replicas of a deployment.

    Args:
        source: whom to ask.
        book: where it is written what they said.
        every_s: seconds between two rounds.
        asks: whether anybody is asked; what calls found is kept in either case.
    """

    def __init__(self, source: ProviderSource, book: HealthBook, *, every_s: float, asks: bool) -> None:
        self._source = source
        self._book = book
        self._asks = asks
        spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 - spreads replicas, hides nothing
        self._rounds = Periodic("provider health", self.round, every_s=every_s * spread)

    def start(self) -> None:
        """Begin."""
        self._rounds.start()

    async def close(self) -> None:
        """Stop; probes under way are cut off."""
        await self._rounds.close()

    async def round(self) -> None:
        """One look at all of them, then what was found is kept."""
        limit = asyncio.Semaphore(AT_A_TIME)

        async def one(provider: ConfiguredProvider) -> None:
            async with limit:
                await self.look(provider)

        if self._asks:
            async with asyncio.TaskGroup() as group:
                for provider in self._source.everywhere():
                    group.create_task(one(provider))
        await self._book.keep()

    async def look(self, provider: ConfiguredProvider) -> None:
        """Ask one now, and note what it said."""
        timeout_s = min(PROBE_TIMEOUT_S, provider.config.timeout_s)
        try:
            async with asyncio.timeout(timeout_s + 1):
                await provider.provider.probe(timeout_s)
        except ProviderFault as fault:
            self._book.note(provider, healthy=False, message=str(fault), definite=fault.kind in DEFINITE)
        except TimeoutError:
            self._book.note(provider, healthy=False, message="The provider does not answer in time")
        except Exception:
            logger.exception("the probe of provider %s failed", provider.name)
            self._book.note(provider, healthy=False, message="The probe failed")
        else:
            self._book.note(provider, healthy=True)
