"""Chains of steps: how a row is linked to the one before it, whether the links hold, and reading them.

The hash of a row is SHA-256, in lower-case hex, over the hash of the row before it (64 zeros before the first), a line
feed, and the row in canonical JSON: all its columns with ``audit_hash`` empty, names in order, no blanks, UTF-8, times
in UTC with a Z and microseconds where they have any. Numbers that are whole are written without a fraction up to 2^53
and as doubles beyond, so that a row hashes alike before it is stored and after it was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, LiteralString

import msgspec
from psycopg.rows import dict_row

from axonflow_audit.rows import CHAIN_MEMBER, AuditRow, DecisionChainRow
from axonflow_audit.search import Connection

FIRST_LINK = "0" * 64
_EXACT = 2**53

# The bounds let PostgreSQL leave out the partitions of other months.
STEPS_OF_DECISIONS: LiteralString = """
    SELECT c.* FROM unnest(%(moments)s::timestamptz[], %(ids)s::text[]) AS k (created_at, decision_id)
    JOIN decision_chain c ON c.org_id = %(org_id)s AND c.created_at = k.created_at AND c.decision_id = k.decision_id
    WHERE c.created_at BETWEEN %(first)s AND %(last)s
    ORDER BY c.created_at, c.decision_id, c.step_number LIMIT %(limit)s
"""


class ChainAnchor(msgspec.Struct, frozen=True):
    """What the decision's own row tells of its chain, in its metadata: without it, missing last steps would not show.

    Attributes:
        steps: how many there are.
        hash: of the last one.
    """

    id: str
    steps: int
    hash: str


_canonical = msgspec.json.Encoder(order="sorted")


def link_hash(row: DecisionChainRow, previous: str) -> str:
    """The hash that ``row`` carries behind a row of hash ``previous``; its own ``audit_hash`` is not looked at."""
    bare = msgspec.structs.replace(
        row,
        created_at=row.created_at.astimezone(UTC),
        started_at=row.started_at.astimezone(UTC),
        processing_time_ms=_told(row.processing_time_ms),
        metadata=_told(row.metadata),
        audit_hash="",
    )
    return hashlib.sha256(previous.encode() + b"\n" + _canonical.encode(bare)).hexdigest()


def linked(rows: Sequence[DecisionChainRow]) -> tuple[DecisionChainRow, ...]:
    """The rows of one decision, each with its hash; they must be in the form in which they are stored."""
    found: list[DecisionChainRow] = []
    previous = FIRST_LINK
    for row in rows:
        previous = link_hash(row, previous)
        found.append(msgspec.structs.replace(row, audit_hash=previous))
    return tuple(found)


def anchor_of(rows: Sequence[DecisionChainRow]) -> ChainAnchor | None:
    """What the decision's row keeps of its chain; None without steps."""
    return ChainAnchor(rows[-1].chain_id, len(rows), rows[-1].audit_hash) if rows else None


def anchored(row: AuditRow) -> ChainAnchor | None:
    """The anchor that a decision's row was stored with; None where it has no chain."""
    try:
        return msgspec.convert(row.metadata.get(CHAIN_MEMBER), ChainAnchor | None)
    except msgspec.ValidationError:
        return None


def holds(rows: Sequence[DecisionChainRow], anchor: ChainAnchor | None) -> bool:
    """Whether these rows, in order, are all the steps of one decision, as they were written."""
    if anchor is None or anchor_of(rows) != anchor:
        return False
    previous = FIRST_LINK
    for number, row in enumerate(rows, start=1):
        if row.step_number != number or row.chain_id != anchor.id or row.audit_hash != link_hash(row, previous):
            return False
        previous = row.audit_hash
    return True


async def steps_of(connection: Connection, decisions: Sequence[AuditRow], *, limit: int) -> list[DecisionChainRow]:
    """The steps of some decisions of one organisation, those of each in order, oldest decision first."""
    if not decisions:
        return []
    moments = [row.created_at for row in decisions]
    params = {
        "org_id": decisions[0].org_id,
        "moments": moments,
        "ids": [row.decision_id for row in decisions],
        "first": min(moments),
        "last": max(moments),
        "limit": limit,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(STEPS_OF_DECISIONS, params)
        return [msgspec.convert(row, DecisionChainRow) for row in await cursor.fetchall()]


def _told(value: Any) -> Any:
    """A value as canonical JSON has it."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else float(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= _EXACT else value
    if isinstance(value, Mapping):
        return {name: _told(each) for name, each in value.items()}
    return [_told(each) for each in value]
