"""Nonces of internal tokens, each good once for the whole deployment (rulings §3)."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from axonflow_database import Database

from axonflow_guards.store import claim_nonce


@dataclasses.dataclass(frozen=True, slots=True)
class NonceLedger:
    """Remembers nonces in Postgres until they expire; forgotten ones are deleted by later claims.

    Attributes:
        database: where replicas meet.
        receiver: the service that the tokens are for; each receiver has its own ledger.
    """

    database: Database
    receiver: str

    async def claim(self, nonce: str, expires_at: datetime) -> bool:
        """Take ``nonce`` until ``expires_at``; false when it is taken already, by whichever replica.

        Raises:
            DatabaseUnavailable: it cannot be known; the call must be refused.
        """
        async with self.database.platform() as connection:
            return await claim_nonce(connection, self.receiver, nonce, expires_at)
