"""What a process holds of each tenant that calls: read on demand, kept in step with a table, the least used forgotten.

A kind of thing that is held says how it is read (`load`) and what tells one state of its rows from another (`prints`).
"""

from __future__ import annotations

import abc
import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from axonflow_database.database import Database
from axonflow_database.follow import Follower
from axonflow_database.login import Connection

# What changes whenever the rows of one place do, by that place.
Prints = Mapping[Any, str]


class Held(abc.ABC):
    """One tenant's part, swapped whole.

    Attributes:
        seen: which state of the stored rows was last looked at; None before the first load.
        loading: the load under way, which all who need it share.
    """

    __slots__ = ("loading", "org_id", "seen", "tenant_id")

    def __init__(self, org_id: str, tenant_id: str) -> None:
        self.org_id = org_id
        self.tenant_id = tenant_id
        self.seen: tuple[str | None, str | None] | None = None
        self.loading: asyncio.Task[None] | None = None

    @abc.abstractmethod
    def print_in(self, prints: Prints) -> tuple[str | None, str | None]:
        """The state of the organisation's rows and of the tenant's own."""


H = TypeVar("H", bound=Held)


class HeldByTenant(abc.ABC, Generic[H]):
    """Holds something of the tenants that call.

    Args:
        database: where the rows are.
        channel: row of ``revisions`` and NOTIFY channel of their table.
        make: an empty part of a tenant.
        most: how many tenants' parts are held at once.
    """

    def __init__(self, database: Database, channel: str, make: Callable[[str, str], H], *, most: int) -> None:
        self._database = database
        self._make = make
        self._most = most
        self._held: OrderedDict[tuple[str, str], H] = OrderedDict()
        self._follower: Follower[bool] = Follower(database, channel, self._refresh)

    @property
    def age_s(self) -> float:
        """Seconds since what is held was last known to be what the database holds."""
        return self._follower.age_s

    def __len__(self) -> int:
        return len(self._held)

    async def start(self) -> None:
        """Follow changes.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._follower.start()

    async def close(self) -> None:
        """Stop following and loading; what is held stays in force."""
        await self._follower.close()
        loads = [held.loading for held in self._held.values() if held.loading]
        for load in loads:
            load.cancel()
        await asyncio.gather(*loads, return_exceptions=True)

    @abc.abstractmethod
    async def prints(self, connection: Connection, org_ids: Iterable[str]) -> Prints:
        """The states of these organisations' rows."""

    @abc.abstractmethod
    async def load(self, held: H) -> None:
        """Read what ``held`` is to hold, its ``seen`` included, which must be read before the rows."""

    async def held_for(self, org_id: str, tenant_id: str) -> H:
        """A tenant's part; the first call for a tenant reads it.

        Raises:
            Exception: what `load` raises, as long as none was loaded before.
        """
        key = (org_id, tenant_id)
        held = self._held.get(key)
        if held is None:
            # Held before it is read: a change from here on is seen by `_refresh`, which waits for the read.
            held = self._held[key] = self._make(org_id, tenant_id)
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(key)
        if held.seen is None:
            await self._load_once(held)
        return held

    async def renew(self, org_id: str) -> None:
        """Bring an organisation's parts up to date now.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer; what is held goes on.
        """
        await self._renew([held for held in self._held.values() if held.org_id == org_id])

    async def _refresh(self) -> bool:
        await self._renew(list(self._held.values()))
        return True

    async def _renew(self, some: Sequence[H]) -> None:
        if not some:
            return
        for held in some:
            if held.loading is not None:
                await asyncio.wait({held.loading})
        async with self._database.platform() as connection:
            prints = await self.prints(connection, {held.org_id for held in some})
        for held in some:
            if held.seen is not None and held.seen != held.print_in(prints):
                await self._load_once(held)

    async def _load_once(self, held: H) -> None:
        if held.loading is None:
            held.loading = asyncio.create_task(self.load(held))
            held.loading.add_done_callback(lambda done: _loaded(held, done))
        await asyncio.shield(held.loading)


def _loaded(held: Held, done: asyncio.Task[None]) -> None:
    held.loading = None
    if not done.cancelled():
        done.exception()  # whoever waits is told; nobody may be left
