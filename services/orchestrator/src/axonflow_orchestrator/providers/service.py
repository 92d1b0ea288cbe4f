"""Listing, creating, changing and removing providers. No HTTP, no SQL."""

from __future__ import annotations

import contextlib
import math
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_database import Connection, Database, DatabaseUnavailable
from axonflow_governance.changes import Author
from axonflow_outbound import EgressRefused, Outbound
from axonflow_providers.registry import ProviderSpec
from axonflow_settings import Edition, Secret

from axonflow_orchestrator.providers import bodies, finding, store
from axonflow_orchestrator.providers.changes import ProviderChanges
from axonflow_orchestrator.providers.configured import Opener
from axonflow_orchestrator.providers.definition import Definition
from axonflow_orchestrator.providers.deployment import DEMO
from axonflow_orchestrator.providers.health import HealthBook
from axonflow_orchestrator.providers.records import (
    Change,
    Pagination,
    ProviderHealth,
    ProviderPage,
    Question,
    Row,
    Shown,
)
from axonflow_orchestrator.providers.showing import Showing
from axonflow_orchestrator.providers.vault import KeysLocked
from axonflow_orchestrator.questions import whole_number

UNLIMITED = -1
LARGEST_PAGE, DEFAULT_PAGE = 100, 20
_MOST_PAGES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderService:
    """The family's work.

    Attributes:
        outbound: asked whether an endpoint that comes in through the API may be dialled.
        most: how many providers an organisation may have in the database; -1 is any number.
        reveals: whether everybody is shown where the deployment's own providers are.
    """

    database: Database
    opener: Opener
    deployment: tuple[Definition, ...]
    book: HealthBook
    outbound: Outbound
    changes: ProviderChanges
    edition: Edition
    most: int
    reveals: bool

    async def page(self, question: Question, caller: Caller) -> ProviderPage:
        """One page of what the caller sees.

        Raises:
            Fault: 400, 503.
        """
        page = whole_number(question.page, "page", least=1, most=_MOST_PAGES, default=1)
        size = whole_number(question.page_size, "page_size", least=1, most=LARGEST_PAGE, default=DEFAULT_PAGE)
        found = [
            shown
            for shown in await self.listed(question.tenant_id, caller)
            if question.type in {None, shown.type} and question.enabled in {None, shown.enabled}
        ]
        pages = math.ceil(len(found) / size)
        return ProviderPage(
            providers=tuple(found[(page - 1) * size : page * size]),
            pagination=Pagination(page=page, page_size=size, total_items=len(found), total_pages=pages),
        )

    async def listed(self, named_tenant: str | None, caller: Caller) -> list[Shown]:
        """All that the caller sees, in order of names.

        Raises:
            Fault: 503.
        """
        tenant_id = finding.tenant_of(caller, named_tenant)
        rows, kept = await self._read(caller.org_id, tenant_id)
        found = finding.visible(rows, self.deployment, tenant_id, demo=DEMO in self.opener.admitted)
        showing = self._showing(caller, kept)
        return [showing.shown(each) for each in found]

    async def get(self, name: str, named_tenant: str | None, caller: Caller) -> Shown:
        """One by its name.

        Raises:
            Fault: 404, 409 for a name that several tenants use, 503.
        """
        found, kept = await self._one(name, named_tenant, caller)
        return self._showing(caller, kept).shown(found)

    async def find(self, name: str, named_tenant: str | None, caller: Caller) -> finding.Found:
        """The definition of that name, as `get` finds it.

        Raises:
            Fault: as `get`.
        """
        return (await self._one(name, named_tenant, caller))[0]

    async def create(self, asked: Change, author: Author) -> Shown:
        """Check, seal, record and keep one.

        Raises:
            Fault: 400 for what cannot work or may not be dialled, 403 at the edition's limit, 409 for a name in use,
                503.
        """
        caller = author.caller
        bodies.refuse_arn(asked)
        name, tenant_id = bodies.checked_name(asked.name), finding.owner_of(caller, asked.tenant_id)
        spec = self._spec(asked.type or "")
        empty = Row(org_id=caller.org_id, tenant_id=tenant_id, name=name, id=str(uuid.uuid4()), type=spec.type)
        row, secrets = bodies.apart(bodies.changed(empty, asked), asked, spec, {})
        row = await self._sealed(row, secrets, spec)
        async with self._transaction(caller.org_id) as connection:
            self._check_limit(await store.count_locked(connection, caller.org_id))
            try:
                await store.insert(connection, row, author.name)
            except store.NameTaken:
                message = "A provider of this name exists: change it with PUT, or remove it"
                raise Fault(409, message, code="ALREADY_EXISTS") from None
            await self._record(author, "created", row, bodies.parts_of(asked))
        return self._showing(caller, {}).shown(row)

    async def update(self, name: str, asked: Change, author: Author) -> Shown:
        """Change what the body gives.

        A key belongs to the place that it was given for: another endpoint, type or region needs it again, or whoever
        may change a provider could have its key sent to a host of their own.

        Raises:
            Fault: 400, 403 for what the caller may not change, 404, 409 when somebody else changes it at the same time,
                503.
        """
        caller = author.caller
        bodies.refuse_arn(asked)
        if asked.name not in {None, name}:
            raise Fault(400, "name cannot be changed: create another provider")
        found, kept = await self._one(name, asked.tenant_id, caller)
        before = finding.changeable(found, caller)
        after = bodies.changed(before, asked)
        spec, moved = self._spec(after.type), bodies.moved(before, after)
        row, secrets = bodies.apart(after, asked, spec, {} if moved else self._opened(before, asked))
        if moved and before.credential_names and not secrets:
            raise Fault(400, "endpoint, type and region say where the key is sent: give api_key again with them")
        row = await self._sealed(row, secrets, spec)
        async with self._transaction(row.org_id) as connection:
            if not await store.update(connection, row):
                raise Fault(409, "The provider was changed at the same time: read it again")
            await self._record(author, "updated", row, bodies.parts_of(asked))
        return self._showing(caller, kept).shown(msgspec.structs.replace(row, version=row.version + 1))

    async def delete(self, name: str, named_tenant: str | None, author: Author) -> None:
        """Remove one and its key.

        Raises:
            Fault: 403 for what the caller may not change, 404, 409 when somebody else changes it at the same time, 503.
        """
        found, _ = await self._one(name, named_tenant, author.caller)
        row = finding.changeable(found, author.caller)
        async with self._transaction(row.org_id) as connection:
            if not await store.delete(connection, row):
                raise Fault(409, "The provider was changed at the same time: read it again")
            await self._record(author, "deleted", row, ())

    def _spec(self, type_: str) -> ProviderSpec:
        try:
            return self.opener.registry.spec(type_)
        except KeyError:
            known = ", ".join(spec.type for spec in self.opener.registry.specs() if spec.type != DEMO)
            raise Fault(400, f"type must be one of {known}") from None

    async def _sealed(self, row: Row, secrets: Mapping[str, Secret], spec: ProviderSpec) -> Row:
        """``row`` with its secrets sealed, once nothing speaks against keeping it."""
        bodies.require_sound(row, secrets, spec)
        # A type's own public address is dialled under the same rules, and needs no look now.
        endpoint = row.endpoint or (spec.default_endpoint if spec.default_endpoint.startswith("http:") else "")
        if endpoint:
            try:
                await self.outbound.check(endpoint)
            except EgressRefused as refused:
                raise Fault(400, f"endpoint cannot be used: {refused.message}") from refused
        sealed = self.opener.vault.seal(secrets, org_id=row.org_id, provider_id=row.id)
        return msgspec.structs.replace(row, credentials=sealed, credential_names=tuple(sorted(secrets)))

    def _opened(self, row: Row, asked: Change) -> dict[str, Secret]:
        try:
            return self.opener.vault.open(row)
        except KeysLocked as error:
            if asked.api_key is None:
                raise Fault(503, f"{error}: give api_key again") from error
            return {}

    def _check_limit(self, count: int) -> None:
        if self.most != UNLIMITED and count >= self.most:
            tier = self.edition.value.upper()
            raise Fault(403, f"LLM provider limit reached ({self.most} max for {tier})")

    def _showing(self, caller: Caller, kept: Mapping[str, ProviderHealth]) -> Showing:
        # A service without a tenant acts for the operator, whose addresses these are.
        reveals = self.reveals or not caller.tenant_id
        return Showing(opener=self.opener, book=self.book, kept=kept, reveals=reveals)

    async def _record(self, author: Author, change: str, row: Row, parts: list[str] | tuple[()]) -> None:
        await self.changes.keep(author, change, tenant_id=row.tenant_id, name=row.name, type_=row.type, parts=parts)

    async def _one(
        self, name: str, named_tenant: str | None, caller: Caller
    ) -> tuple[finding.Found, Mapping[str, ProviderHealth]]:
        tenant_id = finding.tenant_of(caller, named_tenant)
        rows, kept = await self._read(caller.org_id, tenant_id)
        return finding.meant(name, rows, self.deployment, tenant_id), kept

    async def _read(self, org_id: str, tenant_id: str | None) -> tuple[list[Row], Mapping[str, ProviderHealth]]:
        if tenant_id is not None and "\0" in tenant_id:
            return [], {}
        async with self._transaction(org_id) as connection:
            rows = await store.read_visible(connection, org_id, tenant_id)
            return rows, await store.read_health(connection, org_id)

    @contextlib.asynccontextmanager
    async def _transaction(self, org_id: str) -> AsyncIterator[Connection]:
        try:
            async with self.database.tenant(org_id) as connection:
                yield connection
        except DatabaseUnavailable as error:
            message = "Providers cannot be read or changed: PostgreSQL does not answer"
            raise Fault(503, message, headers={"Retry-After": "1"}) from error
