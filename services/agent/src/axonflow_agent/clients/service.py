"""Making, listing and changing client applications; a secret leaves here once and is never kept."""

from __future__ import annotations

import logging
import re
import secrets
from typing import NamedTuple

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_database import Database, DatabaseUnavailable
from axonflow_settings import Secret

from axonflow_agent.clients import store
from axonflow_agent.clients.records import Client, new_secret, secret_digest

logger = logging.getLogger("axonflow.agent.clients")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
_PERMISSION = re.compile(r"[A-Za-z0-9._:*-]{1,100}")
_MOST_PERMISSIONS = 100
_AWAY = "The client store cannot be reached: try again"


class NewClient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /api/clients``."""

    name: str
    id: str | None = None
    org_id: str | None = None
    tenant_id: str | None = None
    permissions: tuple[str, ...] = ()
    rate_limit: int = 0


class ClientChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``PATCH /api/clients/{id}``; what is left out stays."""

    name: str | None = None
    enabled: bool | None = None
    rate_limit: int | None = None


class Issued(NamedTuple):
    """A client, and its secret while it can still be told."""

    client: Client
    secret: str


class ClientService:
    """What the admin API does; every change is announced to all replicas by the table's trigger."""

    def __init__(self, database: Database, org_id: str) -> None:
        self._database = database
        self._org_id = org_id

    async def create(self, asked: NewClient) -> Issued:
        """Add a client with a fresh secret.

        Raises:
            Fault: 400 for values that cannot be stored, 409 when the id is taken, 503 without PostgreSQL.
        """
        client_id = asked.id or f"client_{secrets.token_hex(8)}"
        tenant_id = asked.tenant_id or client_id
        _check_id("id", client_id)
        _check_id("tenant_id", tenant_id)
        _check(asked.name, asked.rate_limit)
        _check_permissions(asked.permissions)
        named = msgspec.structs.replace(asked, id=client_id, org_id=self._owner(asked.org_id), tenant_id=tenant_id)
        secret = new_secret()
        try:
            return Issued(await self._insert(named, secret), secret)
        except store.ClientExists as error:
            raise Fault(409, "A client of this id exists") from error
        except DatabaseUnavailable as error:
            raise Fault(503, _AWAY) from error

    async def bootstrap(self, client_id: str, secret: Secret) -> None:
        """Make the deployment's first client unless it is there already; a rotated secret is not set back.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        first = NewClient(name=client_id, id=client_id, org_id=self._org_id, tenant_id=client_id)
        try:
            await self._insert(first, secret.reveal())
            logger.info("the bootstrap client was made", extra={"client_id": client_id})
        except store.ClientExists:
            logger.info("the bootstrap client is there already", extra={"client_id": client_id})

    async def list(self, org_id: str | None = None) -> list[Client]:
        """The clients of an organisation, by default the deployment's.

        Raises:
            Fault: 400 for an organisation that cannot be one, 503 without PostgreSQL.
        """
        owner = self._owner(org_id)
        try:
            async with self._database.tenant(owner) as connection:
                return await store.clients_of(connection, owner)
        except DatabaseUnavailable as error:
            raise Fault(503, _AWAY) from error

    async def change(self, client_id: str, change: ClientChange, org_id: str | None = None) -> Client:
        """Rename, limit, disable or enable a client.

        Raises:
            Fault: 400 for a bad value, 404 when there is no such client, 503 without PostgreSQL.
        """
        _check("name" if change.name is None else change.name, change.rate_limit or 0)
        return await self._update(client_id, org_id, **msgspec.structs.asdict(change))

    async def rotate(self, client_id: str, org_id: str | None = None) -> Issued:
        """Give a client a fresh secret; the old one is refused from now on.

        Raises:
            Fault: 400 for a bad value, 404 when there is no such client, 503 without PostgreSQL.
        """
        secret = new_secret()
        return Issued(await self._update(client_id, org_id, secret_sha256=secret_digest(secret)), secret)

    async def _update(self, client_id: str, org_id: str | None, **changes: object) -> Client:
        owner = self._owner(org_id)
        try:
            async with self._database.tenant(owner) as connection:
                client = await store.update_client(connection, owner, client_id, **changes)
        except DatabaseUnavailable as error:
            raise Fault(503, _AWAY) from error
        if client is None:
            raise Fault(404, "Client not found")
        return client

    def _owner(self, org_id: str | None) -> str:
        if not org_id:
            return self._org_id
        _check_id("org_id", org_id)
        return org_id

    async def _insert(self, named: NewClient, secret: str) -> Client:
        async with self._database.tenant(named.org_id or self._org_id) as connection:
            return await store.insert_client(
                connection,
                client_id=named.id,
                org_id=named.org_id,
                tenant_id=named.tenant_id,
                name=named.name,
                secret_sha256=secret_digest(secret),
                permissions=list(named.permissions),
                rate_limit=named.rate_limit,
            )


def _check_id(name: str, value: str) -> None:
    if _ID.fullmatch(value) is None:
        raise Fault(400, f"{name} must be 1 to 100 of letters, digits and . _ @ -, beginning with a letter or digit")


def _check_permissions(permissions: tuple[str, ...]) -> None:
    if len(permissions) > _MOST_PERMISSIONS or not all(_PERMISSION.fullmatch(word) for word in permissions):
        raise Fault(
            400, f"permissions must be at most {_MOST_PERMISSIONS} words of 1 to 100 letters, digits and . _ : * -"
        )


def _check(name: str, rate_limit: int) -> None:
    if not name.strip() or len(name) > 255 or not name.isprintable():
        raise Fault(400, "name must be 1 to 255 printable characters")
    if not 0 <= rate_limit <= 10_000_000:
        raise Fault(400, "rate_limit must be a number of requests a minute, 0 for no limit")
