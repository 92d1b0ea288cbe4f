"""Which providers an organisation and tenant may use: in memory, following the table, so that routing asks no database.

While PostgreSQL is away the last known go on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from axonflow_database import Database, Follower

from axonflow_orchestrator.providers import store
from axonflow_orchestrator.providers.configured import OPENING_FAULTS, ConfiguredProvider, Opener
from axonflow_orchestrator.providers.definition import Definition, Source
from axonflow_orchestrator.providers.deployment import DEMO
from axonflow_orchestrator.providers.health import HealthBook
from axonflow_orchestrator.providers.records import ProviderHealth, Row

logger = logging.getLogger("axonflow.orchestrator.providers")

CHANNEL = "axonflow_llm_providers"
_MOST_VIEWS = 10_000

Rows = Mapping[str, tuple[Row, ...]]
View = tuple[ConfiguredProvider, ...]


class ProvidersUnknown(Exception):
    """The definitions were never read, so nobody can say who may answer (503)."""


class ProviderSource:
    """The providers of every tenant.

    Args:
        database: holds what tenants define.
        opener: makes the live side of a definition, at its first use.
        deployment: the operator's own, for every organisation.
        book: what is known of their health.
    """

    def __init__(self, database: Database, opener: Opener, deployment: Iterable[Definition], book: HealthBook) -> None:
        self._database = database
        self._opener = opener
        self._shared = tuple(opener.deployment(definition) for definition in deployment)
        self._book = book
        self._follower: Follower[Rows] = Follower(database, CHANNEL, self._read)
        self._seen: Rows | None = None
        self._views: dict[tuple[str, str], tuple[View, View]] = {}
        self._live: dict[tuple[str, int], ConfiguredProvider | None] = {}

    async def start(self) -> None:
        """Read once, then follow.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._follower.start()

    async def close(self) -> None:
        """Stop following; what was read stays."""
        await self._follower.close()

    @property
    def age_s(self) -> float:
        """Seconds since the definitions were last known to be those of the database."""
        return self._follower.age_s

    async def providers_for(self, org_id: str, tenant_id: str, *, named: str = "") -> View:
        """All that a tenant may use, in order of names; those switched off are among them, and say so.

        The built-in provider is there only while nothing else is configured, where the operator lists it, or where a
        request names it.

        Args:
            org_id: the organisation.
            tenant_id: the tenant within it.
            named: what the request asks for, if anything.

        Raises:
            ProvidersUnknown: the definitions were never read.
        """
        rows = self._current().get(org_id, ())
        visible = [row for row in rows if row.tenant_id in {"", tenant_id}]
        # Tenants that define nothing share their organisation's view, and organisations the deployment's.
        own = any(row.tenant_id for row in visible)
        key = (org_id if visible else "", tenant_id if own else "")
        views = self._views.get(key)
        if views is None:
            while len(self._views) >= _MOST_VIEWS:
                self._views.pop(next(iter(self._views)))
            views = self._views[key] = self._made(visible)
        with_demo, routed = views
        return with_demo if named == DEMO else routed

    def on_health(self, provider: ConfiguredProvider, *, healthy: bool, message: str = "") -> None:
        """What a call of a provider found; written to the health table with the next round of probes."""
        self._book.note(provider, healthy=healthy, message=message)

    def health_of(self, provider: ConfiguredProvider) -> ProviderHealth:
        """What is known of a provider here, from probes and calls."""
        return self._book.of(provider.id, provider.version) or ProviderHealth()

    def everywhere(self) -> View:
        """Every enabled provider of every organisation but the built-in one, for probes.

        Raises:
            ProvidersUnknown: the definitions were never read.
        """
        rows = [row for each in self._current().values() for row in each]
        live = [provider for row in rows if row.enabled and (provider := self._opened(row)) is not None]
        self._book.forget({row.id for row in rows} | {provider.id for provider in self._shared})
        return tuple(
            provider for provider in (*self._shared, *live) if provider.enabled and provider.source != Source.BUILT_IN
        )

    def _current(self) -> Rows:
        rows = self._follower.current
        if rows is None:
            raise ProvidersUnknown
        if rows is not self._seen:
            self._seen, self._views = rows, {}
            known = {(row.id, row.version) for each in rows.values() for row in each}
            self._live = {key: provider for key, provider in self._live.items() if key in known}
        return rows

    def _made(self, visible: Iterable[Row]) -> tuple[View, View]:
        """All of a tenant's, and those without the built-in one where that has no place."""
        found = {provider.name: provider for provider in self._shared}
        real = any(provider.source != Source.BUILT_IN for provider in self._shared)
        # The organisation's own first: a tenant's of the same name replaces it.
        for row in sorted(visible, key=lambda row: row.tenant_id):
            real = True
            found.pop(row.name, None)  # one that cannot be opened hides what it outranks all the same
            provider = self._opened(row)
            if provider is not None:
                found[row.name] = provider
        view = tuple(found[name] for name in sorted(found))
        if not real or DEMO in self._opener.admitted:
            return view, view
        return view, tuple(provider for provider in view if provider.source != Source.BUILT_IN)

    def _opened(self, row: Row) -> ConfiguredProvider | None:
        key = (row.id, row.version)
        if key not in self._live:
            try:
                self._live[key] = self._opener.row(row)
            except OPENING_FAULTS as error:
                logger.warning("provider %s of %s cannot be used: %s", row.name, row.org_id, error)
                self._book.note(row, healthy=False, message=unusable(error), definite=True)
                self._live[key] = None
        return self._live[key]

    async def _read(self) -> Rows:
        async with self._database.platform() as connection:
            rows = await store.read_all(connection)
        by_org: dict[str, list[Row]] = {}
        for row in rows:
            by_org.setdefault(row.org_id, []).append(row)
        return {org_id: tuple(found) for org_id, found in by_org.items()}


def unusable(error: Exception) -> str:
    """Why a provider could not be opened, in words of ours that hold no key."""
    return "This release has no provider of this type" if isinstance(error, KeyError) else str(error)
