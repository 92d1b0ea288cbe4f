"""Credentials to `Caller`, by deployment mode; fails closed, and reads no database on the way."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Mapping
from typing import Protocol

import msgspec
from axonflow_contracts.caller import Caller, CallerKind, User
from axonflow_contracts.errors import Fault
from axonflow_settings import DeploymentMode

from axonflow_agent.auth.basic import Basic, parse_basic
from axonflow_agent.auth.user_token import InvalidUserToken, UserTokenVerifier
from axonflow_agent.clients.records import Client, secret_digest

COMMUNITY_CLIENT = "community"
COMMUNITY_TENANT = "community"
COMMUNITY_USER = User(
    id="1",
    email="local-dev@axonflow.local",
    role="admin",
    permissions=("query", "llm", "mcp_query", "admin"),
)
USER_TOKEN_HEADER = "x-axonflow-user-token"  # noqa: S105 - the header's name
MAX_CLIENT_ID_LENGTH = 255

AUTHENTICATION_REQUIRED = (
    "Authentication required: provide Authorization header with Basic auth (clientId:clientSecret)"
)
AUTHENTICATION_FAILED = "Authentication failed: unknown client or wrong secret"
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="axonflow"'}

# Compared against when the client is unknown, so that an unknown id costs what a wrong secret costs.
_NO_SECRET = hashlib.sha256(b"no client has this secret").digest()


class Credentials(Protocol):
    """The clients that may call, as last loaded."""

    @property
    def complete(self) -> bool:
        """Whether the whole table has been read."""
        ...

    def find(self, client_id: str) -> Client | None:
        """The client of that id, enabled or not."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Authenticated:
    """Who called, and the requests a minute that client may make (0: the deployment's default)."""

    caller: Caller
    rate_limit: int = 0


class Authenticator:
    """Decides who is calling from the headers alone; identity in a body never replaces it."""

    def __init__(
        self, *, mode: DeploymentMode, org_id: str, credentials: Credentials, user_tokens: UserTokenVerifier
    ) -> None:
        self._mode = mode
        self._org_id = org_id
        self._credentials = credentials
        self._user_tokens = user_tokens

    def authenticate(self, headers: Mapping[str, str]) -> Authenticated:
        """The caller that ``headers`` prove.

        Raises:
            Fault: 401 without or with wrong credentials, 403 for a disabled client or a user of another tenant,
                503 when the clients could not be loaded.
        """
        basic = parse_basic(headers.get("authorization"))
        if not self._mode.asks_for_credentials:
            return self._community(basic)
        if basic is None:
            raise Fault(401, AUTHENTICATION_REQUIRED, headers=_CHALLENGE)
        client = self._proven(basic)
        user = self._user(client, headers.get(USER_TOKEN_HEADER))
        caller = Caller(
            org_id=client.org_id,
            tenant_id=client.tenant_id,
            client_id=client.client_id,
            kind=CallerKind.CLIENT,
            user=user,
        )
        return Authenticated(caller, client.rate_limit)

    def claimed(self, caller: Caller, *, client_id: str, user_token: str) -> Caller:
        """The caller, with what a body says of it: that may equal what was proven or be empty, never replace it.

        In community a client id names whoever gave no other name, for attribution alone, and any user token will do.

        Raises:
            Fault: 401 for a user token that does not hold, 403 for another client or a user of another tenant.
        """
        if caller.kind is CallerKind.SERVICE:
            return caller
        if caller.kind is CallerKind.COMMUNITY:
            unnamed = caller.client_id == COMMUNITY_CLIENT and 0 < len(client_id) <= MAX_CLIENT_ID_LENGTH
            return msgspec.structs.replace(caller, client_id=client_id) if unnamed else caller
        if client_id not in {"", caller.client_id}:
            raise Fault(403, "Tenant mismatch: client_id is not the client that the credentials belong to")
        if not user_token:
            return caller
        return msgspec.structs.replace(caller, user=self._proven_user(user_token, caller.tenant_id))

    def permissions_of(self, client_id: str) -> tuple[str, ...]:
        """What the client's row lists; empty for a client without one."""
        client = self._credentials.find(client_id)
        return client.permissions if client else ()

    def _community(self, basic: Basic | None) -> Authenticated:
        client_id = basic.client_id if basic and len(basic.client_id) <= MAX_CLIENT_ID_LENGTH else ""
        client_id = client_id or COMMUNITY_CLIENT
        known = self._credentials.find(client_id)
        caller = Caller(
            org_id=self._org_id,
            tenant_id=COMMUNITY_TENANT,
            client_id=client_id,
            kind=CallerKind.COMMUNITY,
            user=COMMUNITY_USER,
        )
        return Authenticated(caller, known.rate_limit if known else 0)

    def _proven(self, basic: Basic) -> Client:
        client = self._credentials.find(basic.client_id)
        expected = client.secret_sha256 if client else _NO_SECRET
        if not hmac.compare_digest(secret_digest(basic.secret), expected) or client is None:
            if client is None and not self._credentials.complete:
                raise Fault(503, "Clients are not loaded yet: try again", headers={"Retry-After": "1"})
            raise Fault(401, AUTHENTICATION_FAILED, headers=_CHALLENGE)
        if not client.enabled:
            raise Fault(403, "Client disabled")
        return client

    def _user(self, client: Client, token: str | None) -> User:
        if not token:
            return User(email=f"{client.client_id}@axonflow.local", role="service")
        return self._proven_user(token, client.tenant_id)

    def _proven_user(self, token: str, expected_tenant_id: str) -> User:
        try:
            user, tenant_id = self._user_tokens.verify(token)
        except InvalidUserToken as error:
            raise Fault(401, "Invalid user token") from error
        if tenant_id != expected_tenant_id:
            raise Fault(403, "Tenant mismatch")
        return user
