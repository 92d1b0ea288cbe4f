"""LISTEN on a session connection of its own, reconnected with growing waits for as long as somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator

import psycopg
from psycopg import sql

from axonflow_database.errors import DatabaseUnavailable, driver_errors
from axonflow_database.login import Connection, Login

logger = logging.getLogger("axonflow.database")

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
QUIET_S = 15.0  # silence after which the connection is asked whether it still lives
ANSWER_WAIT_S = 5.0

LISTEN = "LISTEN {}"
STILL_THERE = "SELECT 1"


async def listen(login: Login, channel: str) -> AsyncGenerator[str]:
    """Payloads of ``channel``; an empty one after each connect."""
    wait_s = FIRST_WAIT_S
    while True:
        try:
            with driver_errors():
                async with contextlib.aclosing(_payloads(login, channel)) as payloads:
                    async for payload in payloads:
                        wait_s = FIRST_WAIT_S
                        yield payload
        except DatabaseUnavailable as error:
            logger.warning("not listening for changes", extra={"channel": channel, "cause": str(error.__cause__)})
        await asyncio.sleep(wait_s * random.uniform(0.5, 1))  # noqa: S311 - spreads replicas, hides nothing
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)


async def _payloads(login: Login, channel: str) -> AsyncGenerator[str]:
    connection = await login.connect()
    try:
        await connection.execute(sql.SQL(LISTEN).format(sql.Identifier(channel)))
        yield ""
        while True:
            async for notification in connection.notifies(timeout=QUIET_S):
                yield notification.payload
            await _require_alive(connection)
    finally:
        await connection.close()


async def _require_alive(connection: Connection) -> None:
    try:
        async with asyncio.timeout(ANSWER_WAIT_S):
            await connection.execute(STILL_THERE)
    except TimeoutError as error:
        raise psycopg.OperationalError("the server has stopped answering") from error
