"""A key of a repeatable call, and the reply that is kept under it."""

from __future__ import annotations

import msgspec


class KeyScope(msgspec.Struct, frozen=True):
    """Where an ``Idempotency-Key`` is unique."""

    org_id: str
    tenant_id: str
    endpoint: str
    key: str


class StoredReply(msgspec.Struct, frozen=True):
    """A reply as it went out."""

    status: int
    content_type: str
    body: bytes


class HeldKey(msgspec.Struct, frozen=True):
    """A key that is taken; ``reply`` is None while its call is under way."""

    request_hash: str
    reply: StoredReply | None
