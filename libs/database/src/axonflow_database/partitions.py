"""Makes the partitions of the months ahead while a service runs: one that never boots anew must not run out of them."""

from __future__ import annotations

import logging

from axonflow_database.database import Database
from axonflow_database.periodic import Periodic

logger = logging.getLogger("axonflow.database.partitions")

EVERY_S = 6 * 60 * 60.0
MAKE_PARTITIONS = "SELECT axonflow_make_partitions()"


def partition_keeper(database: Database, *, every_s: float = EVERY_S) -> Periodic:
    """Asks every few hours, on every replica; the first time is one period away, since a boot has just made them."""

    async def make() -> None:
        if made := await make_partitions(database):
            logger.info("partitions of the months ahead were made", extra={"partitions": made})

    return Periodic("partitions of the months ahead", make, every_s=every_s)


async def make_partitions(database: Database) -> int:
    """Make what is missing, and say how many; those who ask at once wait for each other and find nothing to do.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
    """
    async with database.platform() as connection:
        row = await (await connection.execute(MAKE_PARTITIONS)).fetchone()
    return int(row[0]) if row else 0
