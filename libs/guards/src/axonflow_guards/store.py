"""The statements of the guards; each is one round trip."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from axonflow_database import Connection

from axonflow_guards.replies import HeldKey, KeyScope, StoredReply

# Ten expired ones go with every new one, so the table stays small without a sweeper. Rows that a neighbour is deleting
# are skipped, not waited for. The parts of a statement see the same snapshot, so no row is both taken and deleted.
CLAIM_NONCE = """
    WITH expired AS (
        DELETE FROM internal_nonces WHERE (receiver, nonce) IN (
            SELECT receiver, nonce FROM internal_nonces WHERE expires_at < now()
            ORDER BY expires_at LIMIT 10 FOR UPDATE SKIP LOCKED
        )
    )
    INSERT INTO internal_nonces (receiver, nonce, expires_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""

# The total may run past the limit: what is granted is the part of the ask that lies below it.
LEASE_PERMITS = """
    INSERT INTO rate_windows AS w (org_id, client_id, window_start, permits_leased)
    VALUES (%(org_id)s, %(client_id)s, %(window_start)s, %(ask)s)
    ON CONFLICT (org_id, client_id, window_start) DO UPDATE SET permits_leased = w.permits_leased + %(ask)s
    RETURNING permits_leased
"""
FORGET_WINDOWS = """
    DELETE FROM rate_windows WHERE org_id = %(org_id)s AND client_id = %(client_id)s AND window_start < %(window_start)s
"""

# A key whose day is over is a new one; a call that lost its process is taken over with the moment of the first attempt.
CLAIM_KEY = """
    INSERT INTO idempotency_keys AS k (org_id, tenant_id, endpoint, key, request_hash, holder, held_until, expires_at)
    VALUES (%(org_id)s, %(tenant_id)s, %(endpoint)s, %(key)s, %(request_hash)s, %(holder)s,
            now() + make_interval(secs => %(held_s)s), now() + make_interval(secs => %(kept_s)s))
    ON CONFLICT (org_id, tenant_id, endpoint, key) DO UPDATE SET
        request_hash = excluded.request_hash, holder = excluded.holder, held_until = excluded.held_until,
        expires_at = excluded.expires_at, status_code = NULL, content_type = NULL, response_body = NULL,
        created_at = CASE WHEN k.expires_at < now() THEN now() ELSE k.created_at END
    WHERE k.expires_at < now()
        OR (k.status_code IS NULL AND k.held_until < now() AND k.request_hash = excluded.request_hash)
    RETURNING created_at
"""
READ_KEY = """
    SELECT request_hash, status_code, content_type, response_body FROM idempotency_keys
    WHERE org_id = %(org_id)s AND tenant_id = %(tenant_id)s AND endpoint = %(endpoint)s AND key = %(key)s
"""
KEEP_REPLY = """
    UPDATE idempotency_keys
    SET status_code = %(status)s, content_type = %(content_type)s, response_body = %(body)s
    WHERE org_id = %(org_id)s AND tenant_id = %(tenant_id)s AND endpoint = %(endpoint)s AND key = %(key)s
        AND holder = %(holder)s
"""
RELEASE_KEY = """
    UPDATE idempotency_keys SET held_until = '-infinity'
    WHERE org_id = %(org_id)s AND tenant_id = %(tenant_id)s AND endpoint = %(endpoint)s AND key = %(key)s
        AND holder = %(holder)s
"""
FORGET_KEYS = "DELETE FROM idempotency_keys WHERE org_id = %s AND expires_at < now()"


async def claim_nonce(connection: Connection, receiver: str, nonce: str, expires_at: datetime) -> bool:
    """Whether the nonce was free, and is now taken."""
    cursor = await connection.execute(CLAIM_NONCE, (receiver, nonce, expires_at))
    return cursor.rowcount == 1


async def lease_permits(connection: Connection, org_id: str, client_id: str, window_start: datetime, ask: int) -> int:
    """Take ``ask`` permits of a client's window, and give the number taken in it so far, these included."""
    params = {"org_id": org_id, "client_id": client_id, "window_start": window_start, "ask": ask}
    cursor = await connection.execute(LEASE_PERMITS, params)
    row = await cursor.fetchone()
    total = int(row[0]) if row else ask
    if total == ask:  # the first of its window, which may as well clean up after the last one
        await connection.execute(FORGET_WINDOWS, params)
    return total


async def claim_key(  # noqa: PLR0917 - the columns of one row
    connection: Connection, scope: KeyScope, holder: UUID, request_hash: str, kept_s: int, held_s: int
) -> datetime | None:
    """When the key was first seen, if ``holder`` may now work on its call; None when somebody has or does."""
    times = {"kept_s": kept_s, "held_s": held_s}
    params = {**msgspec.structs.asdict(scope), **times, "holder": holder, "request_hash": request_hash}
    row = await (await connection.execute(CLAIM_KEY, params)).fetchone()
    return row[0] if row else None


async def read_key(connection: Connection, scope: KeyScope) -> HeldKey | None:
    """What is known of a key."""
    row = await (await connection.execute(READ_KEY, msgspec.structs.asdict(scope))).fetchone()
    if row is None:
        return None
    request_hash, status, content_type, body = row
    return HeldKey(request_hash, None if status is None else StoredReply(status, content_type, bytes(body)))


async def keep_reply(connection: Connection, scope: KeyScope, holder: UUID, reply: StoredReply) -> None:
    """Keep the reply, unless another attempt has taken over."""
    params = {**msgspec.structs.asdict(scope), **msgspec.structs.asdict(reply), "holder": holder}
    await connection.execute(KEEP_REPLY, params)


async def release_key(connection: Connection, scope: KeyScope, holder: UUID) -> None:
    """Let the next attempt work."""
    await connection.execute(RELEASE_KEY, {**msgspec.structs.asdict(scope), "holder": holder})


async def forget_keys(connection: Connection, org_id: str) -> None:
    """Delete an organisation's keys whose day is over."""
    await connection.execute(FORGET_KEYS, (org_id,))
