"""Makes the partitions of the months ahead while a service runs: one that never boots anew must not run out of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from axonflow_database.database import Database
from axonflow_database.errors import DatabaseUnavailable

logger = logging.getLogger("axonflow.database.partitions")

EVERY_S = 6 * 60 * 60.0
MAKE_PARTITIONS = "SELECT axonflow_make_partitions()"


class PartitionKeeper:
    """Asks every few hours, on every replica; those that ask at once wait for each other and find nothing to do."""

    def __init__(self, database: Database, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first look is one period away, since a boot has just made them."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def make(self) -> int:
        """Make what is missing; how many partitions that were.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        async with self._database.platform() as connection:
            row = await (await connection.execute(MAKE_PARTITIONS)).fetchone()
        return int(row[0]) if row else 0

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                if made := await self.make():
                    logger.info("partitions of the months ahead were made", extra={"partitions": made})
            except DatabaseUnavailable as error:
                logger.warning("partitions of the months ahead could not be made: %s", error)
            except Exception:
                logger.exception("partitions of the months ahead could not be made")
