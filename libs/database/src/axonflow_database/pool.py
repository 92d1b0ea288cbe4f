"""A pool whose transactions run as one role, with bounded waits, and which finds a server that comes back."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

from axonflow_database.errors import driver_errors
from axonflow_database.login import Connection, Login

ACQUIRE_WAIT_S = 3.0  # for a connection, and again for its first answer
OPEN_WAIT_S = 10.0
MAX_WAITING = 256  # callers in the queue of one pool; the next one is refused at once
RECONNECT_FOR_S = 5.0  # then a pool gives up until someone asks, which finds a returned server sooner than long waits

# One message and one answer; literals, since a message of two statements takes no parameters.
BEGIN_AS = "BEGIN; SELECT set_config('role', {}, true), set_config('app.current_org_id', {}, true)"
BEGIN = "BEGIN; SELECT set_config('app.current_org_id', {}, true)"


class _Connections(AsyncConnectionPool[Connection]):
    """psycopg's pool, whose tasks end when they are cancelled.

    Its own worker forgets a cancellation that falls while it connects, and a process that ends by an error, without
    closing the pool, would then wait for it for ever.
    """

    @classmethod
    async def worker(cls, q: Any) -> None:
        """Run the pool's chores until told to stop, or cancelled."""
        work = asyncio.create_task(super().worker(q))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            while not work.done():
                work.cancel()
                await asyncio.wait({work}, timeout=0.1)
            raise


@dataclasses.dataclass(frozen=True, slots=True)
class RolePool:
    """A pool and the role its transactions run as."""

    login: Login
    connections: _Connections
    homing: set[asyncio.Task[None]] = dataclasses.field(default_factory=set)  # connections that callers gave up on

    @classmethod
    def of(cls, login: Login, size: int) -> RolePool:
        """A pool of at most ``size`` connections, not yet open."""
        pool = _Connections(
            login.dsn.reveal(),
            kwargs=login.connect_options(),
            configure=login.give_up_rights,
            min_size=1,
            max_size=size,
            timeout=ACQUIRE_WAIT_S,
            max_waiting=MAX_WAITING,
            reconnect_timeout=RECONNECT_FOR_S,
            open=False,
            name=login.role,
        )
        return cls(login, pool)

    async def open(self) -> None:
        """Connect, and wait for the first connection.

        Raises:
            DatabaseUnavailable: there is none in time.
        """
        with driver_errors():
            await self.connections.open(wait=True, timeout=OPEN_WAIT_S)

    async def close(self) -> None:
        """Close what is idle now, and the rest when it comes home."""
        await self.connections.close()

    @contextlib.asynccontextmanager
    async def transaction(self, org_id: str) -> AsyncIterator[Connection]:
        """A transaction as the pool's role; committed at the end, rolled back by an exception."""
        with driver_errors():
            connection = await self._begun(org_id)
            try:
                yield connection
                _require_sound(connection)
                await connection.commit()
            except BaseException:
                with contextlib.suppress(psycopg.Error):
                    await connection.rollback()
                raise
            finally:
                await self.connections.putconn(connection)

    async def _begun(self, org_id: str) -> Connection:
        # A server that restarted leaves dead connections in the pool. Nothing has been done on one whose transaction
        # does not even begin, so the next is tried: at most as many as the pool can hold, and then a new one.
        tries_left = self.connections.max_size
        while True:
            connection = await self.connections.getconn()
            begun = asyncio.create_task(self._begin(connection, org_id))
            try:
                async with asyncio.timeout(ACQUIRE_WAIT_S):
                    await asyncio.shield(begun)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                await self.connections.putconn(connection)
                if tries_left == 0 or not connection.closed:
                    raise
                tries_left -= 1
            except BaseException as error:
                self._abandon(connection, begun)
                if isinstance(error, TimeoutError):
                    raise psycopg.errors.QueryCanceled("the server did not begin a transaction in time") from error
                raise
            else:
                return connection

    async def _begin(self, connection: Connection, org_id: str) -> None:
        org = sql.Literal(org_id)
        await connection.execute(
            sql.SQL(BEGIN_AS).format(self.login.role, org) if self.login.sets_role else sql.SQL(BEGIN).format(org)
        )

    def _abandon(self, connection: Connection, begun: asyncio.Task[None]) -> None:
        # Ending a statement asks the server too, which takes long where it has stopped answering; the caller has waited
        # enough, so the connection finds its way home without it.
        async def give_back() -> None:
            begun.cancel()
            await asyncio.gather(begun, return_exceptions=True)
            await self.connections.putconn(connection)

        task = asyncio.create_task(give_back())
        self.homing.add(task)
        task.add_done_callback(self.homing.discard)


def _require_sound(connection: Connection) -> None:
    # COMMIT after a failed statement that somebody caught is a silent ROLLBACK.
    if connection.info.transaction_status == TransactionStatus.INERROR:
        raise psycopg.errors.InFailedSqlTransaction("a statement failed, so this transaction cannot be committed")
