"""All clients in memory, kept current: a request's credentials are checked without the database."""

from __future__ import annotations

from axonflow_database import Database, Follower

from axonflow_agent.clients.records import Client
from axonflow_agent.clients.store import all_clients

CHANNEL = "axonflow_clients"


class ClientSnapshot:
    """The credentials that may call, as last loaded; while PostgreSQL is away the loaded ones go on serving."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._follower: Follower[dict[str, Client]] = Follower(database, CHANNEL, self._load)

    @property
    def complete(self) -> bool:
        """Whether the whole table has been read."""
        return self._follower.current is not None

    def find(self, client_id: str) -> Client | None:
        """The client of that id, enabled or not."""
        clients = self._follower.current
        return clients.get(client_id) if clients else None

    async def start(self) -> None:
        """Load, then follow changes.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._follower.start()

    async def close(self) -> None:
        """Stop following."""
        await self._follower.close()

    async def _load(self) -> dict[str, Client]:
        async with self._database.platform() as connection:
            return await all_clients(connection)
