"""Installing, configuring, testing and removing connectors. No HTTP, no SQL."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from axonflow_connectors import ConnectorSpec, Health
from axonflow_contracts.caller import Caller
from axonflow_contracts.connectors import ConnectorDefinition, ConnectorDefinitions
from axonflow_contracts.errors import Fault
from axonflow_database import Connection, Database, DatabaseUnavailable
from axonflow_governance.changes import Author
from axonflow_settings import Edition

from axonflow_orchestrator.connectors import store
from axonflow_orchestrator.connectors.catalogue import listed, shown
from axonflow_orchestrator.connectors.changes import ConnectorChanges
from axonflow_orchestrator.connectors.probing import Prober
from axonflow_orchestrator.connectors.records import Configure, Connector, ConnectorList, Install, Installed
from axonflow_orchestrator.connectors.vault import Vault

UNLIMITED = -1
NOT_FOUND = "Connector not found"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")
_RESERVED = frozenset({"refresh", "cache"})  # paths of the agent's own below the same prefix


@dataclass(frozen=True, slots=True)
class ConnectorService:
    """The family's work.

    Attributes:
        most: how many connectors an organisation may have; -1 is any number.
    """

    database: Database
    prober: Prober
    vault: Vault
    changes: ConnectorChanges
    edition: Edition
    most: int

    async def page(self, caller: Caller) -> ConnectorList:
        """The catalogue, and what the caller's tenant installed.

        Raises:
            Fault: 503, PostgreSQL does not answer.
        """
        connectors = listed(self.prober.registry.specs(), await self._installed(caller.org_id, tenant_of(caller)))
        return ConnectorList(connectors=connectors, total=len(connectors))

    async def get(self, key: str, named_tenant: str | None, caller: Caller) -> Connector:
        """An installed connector by name, id or type, or a type.

        Raises:
            Fault: 404, 409 for a name that several tenants use, 503.
        """
        rows = await self._installed(caller.org_id, tenant_of(caller) or named_tenant)
        row = looked_up(key, rows)
        if row is not None:
            return shown(self._spec(row.type), row)
        return shown(self._spec(key), None)

    async def install(self, type_: str, asked: Install, author: Author) -> Connector:
        """Check, seal, record and keep one.

        Raises:
            Fault: 400 for what cannot work or may not be dialled, 403 at the edition's limit, 404 for a type that
                there is not, 409 for a name in use, 503.
        """
        self._spec(type_)
        caller, name = author.caller, asked.name or type_
        self._check_name(name, type_)
        tenant_id = owner_of(caller, asked.tenant_id)
        options, credentials = asked.options or {}, _given(asked.credentials)
        await self.prober.check(type_, org_id=caller.org_id, options=options, credentials=credentials)
        connector_id = str(uuid.uuid4())
        values = {
            "org_id": caller.org_id,
            "tenant_id": tenant_id,
            "name": name,
            "id": connector_id,
            "type": type_,
            "options": options,
            "installed_by": author.name,
            **self._sealed(credentials, caller.org_id, connector_id),
        }
        async with self._transaction(caller.org_id) as connection:
            self._check_limit(await store.count_locked(connection, caller.org_id))
            try:
                await store.insert(connection, values)
            except store.NameTaken:
                raise Fault(409, "A connector of this name is installed: configure it with PUT, or remove it") from None
            parts = [*options, *credentials]
            await self.changes.keep(author, "installed", tenant_id=tenant_id, name=name, type_=type_, parts=parts)
        return await self._fresh(caller.org_id, connector_id)

    async def configure(self, key: str, asked: Configure, author: Author) -> Connector:
        """Replace the options or credentials of one.

        Credentials belong to the place that they were given for: other options need them again, or whoever may
        configure could have them sent to a host of their own.

        Raises:
            Fault: 400, 404, 409 when somebody else changes it at the same time, 503.
        """
        caller = author.caller
        row = await self._one(key, caller, asked.tenant_id)
        options = dict(row.options) if asked.options is None else asked.options
        moved = options != row.options
        if moved and asked.credentials is None and row.credential_names:
            raise Fault(400, "options change where credentials go: give the credentials again")
        kept = {} if moved else self._opened(row)
        credentials = _given({**kept, **(asked.credentials or {})})
        await self.prober.check(row.type, org_id=row.org_id, options=options, credentials=credentials)
        values = {
            "org_id": row.org_id,
            "id": row.id,
            "version": row.version,
            "options": options,
            **self._sealed(credentials, row.org_id, row.id),
        }
        parts = {name for name, value in options.items() if row.options.get(name) != value} | {
            *(asked.credentials or ())
        }
        async with self._transaction(row.org_id) as connection:
            if not await store.update(connection, values):
                raise Fault(409, "The connector was changed at the same time: read it again")
            await self._record(author, "configured", row, parts)
        return await self._fresh(row.org_id, row.id)

    async def uninstall(self, key: str, named_tenant: str | None, author: Author) -> None:
        """Remove one and its credentials.

        Raises:
            Fault: 404, 503.
        """
        row = await self._one(key, author.caller, named_tenant)
        async with self._transaction(row.org_id) as connection:
            await store.delete(connection, row.org_id, row.id)
            await self._record(author, "uninstalled", row, ())

    async def look(self, key: str, named_tenant: str | None, caller: Caller) -> Health:
        """Open an installed connector, and remember how it did.

        Raises:
            Fault: 400 when its configuration can no longer be used, 404, 409 for a name that several tenants use, 503.
        """
        row = looked_up(key, await self._installed(caller.org_id, tenant_of(caller) or named_tenant))
        if row is None:
            raise Fault(404, NOT_FOUND)
        health = await self.prober.look(row.type, org_id=row.org_id, options=row.options, credentials=self._opened(row))
        values = {"healthy": health.healthy, "latency_ms": health.latency_ms, "error": health.error}
        async with self._transaction(row.org_id) as connection:
            await store.keep_health(connection, {"org_id": row.org_id, "id": row.id, **values})
        return health

    async def look_at(self, type_: str, asked: Configure, caller: Caller) -> Health:
        """Open what would be installed; nothing of it is kept.

        Raises:
            Fault: 400 for what cannot work or may not be dialled, 404.
        """
        self._spec(type_)
        options, credentials = asked.options or {}, _given(asked.credentials)
        await self.prober.check(type_, org_id=caller.org_id, options=options, credentials=credentials)
        return await self.prober.look(type_, org_id=caller.org_id, options=options, credentials=credentials)

    async def definitions(self, caller: Caller) -> ConnectorDefinitions:
        """What the agent needs to run a tenant's connectors; credentials stay sealed.

        Raises:
            Fault: 503.
        """
        rows = await self._installed(caller.org_id, caller.tenant_id)
        return ConnectorDefinitions(
            connectors=tuple(
                ConnectorDefinition(
                    id=row.id,
                    name=row.name,
                    type=row.type,
                    tenant_id=row.tenant_id,
                    version=row.version,
                    options=row.options,
                    credentials=row.credentials,
                )
                for row in rows
            )
        )

    def _spec(self, type_: str) -> ConnectorSpec:
        try:
            return self.prober.registry.spec(type_)
        except KeyError:
            raise Fault(404, NOT_FOUND) from None

    def _check_name(self, name: str, type_: str) -> None:
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise Fault(
                400, "name must be 1 to 100 letters, digits, blanks and . _ -, and begin with a letter or digit"
            )
        if name != type_ and any(spec.type == name for spec in self.prober.registry.specs()):
            raise Fault(400, f"name must not be that of another type than {type_}")

    def _check_limit(self, count: int) -> None:
        if self.most != UNLIMITED and count >= self.most:
            tier = self.edition.value.upper()
            raise Fault(403, f"Connector limit reached ({self.most} max for {tier})")

    def _sealed(self, credentials: Mapping[str, str], org_id: str, connector_id: str) -> dict[str, Any]:
        sealed = self.vault.seal(credentials, org_id=org_id, connector_id=connector_id)
        return {"credentials": sealed, "credential_names": sorted(credentials)}

    def _opened(self, row: Installed) -> dict[str, str]:
        return self.vault.open(row.credentials, org_id=row.org_id, connector_id=row.id)

    async def _one(self, key: str, caller: Caller, named_tenant: str | None) -> Installed:
        row = find(key, await self._installed(caller.org_id, tenant_of(caller) or named_tenant))
        if row is None:
            raise Fault(404, NOT_FOUND)
        return row

    async def _fresh(self, org_id: str, connector_id: str) -> Connector:
        row = find(connector_id, await self._installed(org_id, None))
        if row is None:
            raise Fault(404, NOT_FOUND)
        return shown(self._spec(row.type), row)

    async def _record(self, author: Author, change: str, row: Installed, parts: Any) -> None:
        await self.changes.keep(author, change, tenant_id=row.tenant_id, name=row.name, type_=row.type, parts=parts)

    async def _installed(self, org_id: str, tenant_id: str | None) -> list[Installed]:
        if tenant_id is not None and "\0" in tenant_id:
            return []
        async with self._transaction(org_id) as connection:
            return await store.read_all(connection, org_id, tenant_id)

    @contextlib.asynccontextmanager
    async def _transaction(self, org_id: str) -> AsyncIterator[Connection]:
        try:
            async with self.database.tenant(org_id) as connection:
                yield connection
        except DatabaseUnavailable as error:
            message = "Connectors cannot be read or changed: PostgreSQL does not answer"
            raise Fault(503, message, headers={"Retry-After": "1"}) from error


def find(key: str, rows: list[Installed]) -> Installed | None:
    """The one of that name or id.

    Raises:
        Fault: 409, several tenants have one, and an operator named none of them.
    """
    named = [row for row in rows if key == row.id] or [row for row in rows if key == row.name]
    if len(named) > 1:
        raise Fault(409, "Several tenants have a connector of this name: say tenant_id")
    return named[0] if named else None


def looked_up(key: str, rows: list[Installed]) -> Installed | None:
    """As `find`, else the only one of that type: SDKs read an installed connector either way.

    Raises:
        Fault: as `find`.
    """
    of_type = [row for row in rows if row.type == key]
    return find(key, rows) or (of_type[0] if len(of_type) == 1 else None)


def tenant_of(caller: Caller) -> str | None:
    """Whose connectors a caller sees; None, all of the organisation, for a service that acts for its operator."""
    return caller.tenant_id or None


def owner_of(caller: Caller, named: str | None) -> str:
    """For whom a connector is installed: the caller's own tenant, whatever a body says.

    Raises:
        Fault: 400, a service that has no tenant of its own names none.
    """
    tenant_id = tenant_of(caller) or named or ""
    if not tenant_id or len(tenant_id) > 255 or not tenant_id.isprintable():
        raise Fault(400, "tenant_id is required")
    return tenant_id


def _given(credentials: Mapping[str, str] | None) -> dict[str, str]:
    return {name: value for name, value in (credentials or {}).items() if value}
