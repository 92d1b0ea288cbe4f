"""A client application as stored, and how its secret is made and digested."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

import msgspec

SECRET_BYTES = 32


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ``clients``; the secret itself is never kept."""

    client_id: str
    org_id: str
    tenant_id: str
    name: str
    secret_sha256: bytes
    permissions: tuple[str, ...] = ()
    rate_limit: int = 0
    enabled: bool = True
    created_at: datetime
    updated_at: datetime


def new_secret() -> str:
    """A 256-bit secret in hex; shown once."""
    return secrets.token_hex(SECRET_BYTES)


def secret_digest(secret: str) -> bytes:
    """SHA-256 of a client secret; a 256-bit random value needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
