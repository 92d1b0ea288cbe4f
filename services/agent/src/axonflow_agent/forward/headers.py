"""Which headers pass the agent on the way in and on the way back."""

from __future__ import annotations

from collections.abc import Iterable

from axonflow_contracts.caller import Caller
from axonflow_internal_auth import TOKEN_HEADER, is_internal_header

from axonflow_agent.forward.allowlist import Target

Pair = tuple[str, str]

# RFC 9110 §7.6.1; whatever the Connection header names comes on top.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Made anew for the hop, or the client's credentials, which end here: identity travels in the token.
_NOT_FORWARDED = _HOP_BY_HOP | {
    b"authorization",
    b"content-length",
    b"expect",
    b"forwarded",
    b"host",
    b"traceparent",
    b"x-admin-api-key",
    b"x-axonflow-user-token",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"x-provider-key",
    b"x-real-ip",
}
_NOT_RELAYED = _HOP_BY_HOP | {b"date", b"server", TOKEN_HEADER.encode()}


def forwarded_headers(headers: Iterable[tuple[bytes, bytes]], target: Target) -> list[Pair]:
    """The client's headers that the target may see; only the portal has sessions, so only it sees cookies."""
    headers = list(headers)
    named = _named_by_connection(headers)
    dropped = _NOT_FORWARDED if target is Target.PORTAL else _NOT_FORWARDED | {b"cookie"}
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name not in dropped and name not in named and not is_internal_header(name)
    ]


def relayed_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The target's headers that the client sees."""
    lowered = [(name.lower(), value) for name, value in headers]
    named = _named_by_connection(lowered)
    return [(name, value) for name, value in lowered if name not in _NOT_RELAYED and name not in named]


def identity_headers(caller: Caller) -> list[Pair]:
    """The agent's own stamp (agent.md §2.6): for people and logs behind it, since services believe the token alone."""
    stamp = {
        "X-Org-ID": caller.org_id,
        "X-Tenant-ID": caller.tenant_id,
        "X-Client-ID": caller.client_id,
        "X-User-ID": caller.user.id,
        "X-User-Email": caller.user.email,
    }
    return [(name, value) for name, value in stamp.items() if value and value.isascii() and value.isprintable()]


def _named_by_connection(headers: list[tuple[bytes, bytes]]) -> set[bytes]:
    values = [value for name, value in headers if name == b"connection"]
    return {token.strip().lower() for value in values for token in value.split(b",")}
