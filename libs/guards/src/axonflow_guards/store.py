"""The statements of the guards; each is one round trip."""

from __future__ import annotations

from datetime import datetime

from axonflow_database import Connection

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
