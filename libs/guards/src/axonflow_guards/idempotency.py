"""One reply for each ``Idempotency-Key`` (orchestrator contract §2.7): the first call works, later ones hear of it.

A key belongs to an organisation, a tenant and an endpoint, and is kept for a day in PostgreSQL, for all replicas.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from axonflow_database import Connection, Database, DatabaseUnavailable

from axonflow_guards import store
from axonflow_guards.replies import KeyScope, StoredReply

logger = logging.getLogger("axonflow.guards")

KEPT_H = 24
HELD_S = 60  # a call that has not ended by then has lost its process
WAIT_S = 10.0
_LOOK_AGAIN_S = 0.1
_SWEEP_EVERY_S = 3600.0
_LEGAL = re.compile(r"[A-Za-z0-9_.:/-]{1,256}")
_SERVER_ERROR = 500
_ROWS = uuid.UUID("0c9e7a52-6d0f-4c3b-9a55-1f2f8f1f6b0d")


class InvalidKey(Exception):
    """The key is not 1 to 256 characters of ``A-Z a-z 0-9 _ . : - /``."""


class KeyReused(Exception):
    """The key was used for another request within the last day."""


class KeyInUse(Exception):
    """The first call with the key is still under way."""


class Attempt(msgspec.Struct, frozen=True):
    """The right to work on a call.

    Attributes:
        first_at: when the key was first seen; the same for an attempt that takes over from a lost one.
        row_id: a UUID that depends on the scope and ``first_at`` alone, so that a row written twice is one row.
    """

    first_at: datetime
    row_id: str


class IdempotencyKeys:
    """Keys of all replicas."""

    def __init__(self, database: Database, *, wait_s: float = WAIT_S) -> None:
        self._database = database
        self._wait_s = wait_s
        self._swept_at: dict[str, float] = {}

    async def once(
        self, scope: KeyScope, request: bytes, work: Callable[[Attempt], Awaitable[StoredReply]]
    ) -> tuple[StoredReply, bool]:
        """The reply to a call, and whether it was stored before.

        Args:
            scope: the key and where it is unique.
            request: the body, by which a second use for something else is known.
            work: answers the first call. Replies of 5xx, and of whatever it raises, are not kept: a retry works again.

        Raises:
            InvalidKey: 400.
            KeyReused: 409.
            KeyInUse: 409, after a wait.
            DatabaseUnavailable: keys cannot be looked up; nothing was done.
        """
        if not _LEGAL.fullmatch(scope.key):
            raise InvalidKey("Idempotency-Key must be 1 to 256 characters of A-Z a-z 0-9 _ . : - /")
        holder, request_hash = uuid.uuid4(), hashlib.sha256(request).hexdigest()
        claimed = await self._claim(scope, holder, request_hash)
        if isinstance(claimed, StoredReply):
            return claimed, True
        try:
            reply = await work(Attempt(claimed, _row_id(scope, claimed)))
        except BaseException:
            await asyncio.shield(self._end(scope, holder, None))
            raise
        await asyncio.shield(self._end(scope, holder, reply if reply.status < _SERVER_ERROR else None))
        return reply, False

    async def _claim(self, scope: KeyScope, holder: uuid.UUID, request_hash: str) -> datetime | StoredReply:
        deadline = time.monotonic() + self._wait_s
        while True:
            async with self._database.tenant(scope.org_id) as connection:
                await self._sweep(connection, scope.org_id)
                first_at = await store.claim_key(connection, scope, holder, request_hash, KEPT_H * 3600, HELD_S)
                held = None if first_at else await store.read_key(connection, scope)
            if first_at is not None:
                return first_at
            if held is not None and held.request_hash != request_hash:
                raise KeyReused("Idempotency-Key was used for another request")
            if held is not None and held.reply is not None:
                return held.reply
            if time.monotonic() >= deadline:
                raise KeyInUse("The first request with this Idempotency-Key is still under way")
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _end(self, scope: KeyScope, holder: uuid.UUID, reply: StoredReply | None) -> None:
        try:
            async with self._database.tenant(scope.org_id) as connection:
                if reply is None:
                    await store.release_key(connection, scope, holder)
                else:
                    await store.keep_reply(connection, scope, holder, reply)
        except DatabaseUnavailable:
            # The work is done and is answered; a retry finds the key free after `HELD_S`, and the same row id.
            logger.warning("the reply under an Idempotency-Key could not be kept")

    async def _sweep(self, connection: Connection, org_id: str) -> None:
        now = time.monotonic()
        if now - self._swept_at.get(org_id, -_SWEEP_EVERY_S) >= _SWEEP_EVERY_S:
            self._swept_at[org_id] = now
            await store.forget_keys(connection, org_id)


def _row_id(scope: KeyScope, first_at: datetime) -> str:
    named = msgspec.json.encode([*msgspec.structs.astuple(scope), first_at])
    return str(uuid.uuid5(_ROWS, named.decode()))
