"""The header that carries the token, and the names that say who somebody is without proof."""

from __future__ import annotations

TOKEN_HEADER = "x-axonflow-internal-token"  # noqa: S105 - a header's name

_TOKEN_NAME = TOKEN_HEADER.encode()
_NAMES = frozenset({b"x-org-id", b"x-tenant-id", b"x-client-id", b"x-axonflow-proxy-auth"})
_FAMILIES = (b"x-user-", b"x-internal-service-")


def is_identity_header(name: bytes) -> bool:
    """Whether a lower-case header name claims an identity; such headers count for nothing and are dropped."""
    return name in _NAMES or name.startswith(_FAMILIES)


def is_internal_header(name: bytes) -> bool:
    """Whether a header may not come in from outside a service that takes no internal calls."""
    return name == _TOKEN_NAME or is_identity_header(name)
