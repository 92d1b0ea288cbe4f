"""Who a governed call is made for; it travels between the services inside the signed internal token."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CallerKind(StrEnum):
    """How the caller proved who it is."""

    COMMUNITY = "community"  # no credentials asked for
    CLIENT = "client"  # Basic client id and secret
    SERVICE = "service"  # an internal token


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The person behind the call, from a verified ``user_token`` or made up by the deployment mode."""

    id: str = ""
    email: str = ""
    name: str = ""
    role: str = ""
    department: str = ""
    region: str = ""
    permissions: tuple[str, ...] = ()


class Caller(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An authenticated caller.

    Attributes:
        org_id: organisation that owns the data; row security isolates on it.
        tenant_id: tenant inside the organisation.
        client_id: API credential, or attribution only in community mode.
        kind: how the caller proved itself.
        user: the person behind the call, if one is known.
    """

    org_id: str
    tenant_id: str
    client_id: str
    kind: CallerKind
    user: User = User()


ANONYMOUS_TENANT = "unauthenticated"
