"""Where budgets are, in memory: so that a call that none applies to asks nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from axonflow_database import Database, Follower

from axonflow_orchestrator.budgets import store
from axonflow_orchestrator.budgets.records import Spender

CHANNEL = "axonflow_budgets"
WHOLE_ORG = ""


class KnownBudgets:
    """Follows the table of budgets; amounts are never read from here.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._follower: Follower[_Places] = Follower(database, CHANNEL, self._load)

    async def start(self) -> None:
        """Load, then follow.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await self._follower.start()

    async def close(self) -> None:
        """Stop following."""
        await self._follower.close()

    def in_org(self, org_id: str) -> bool:
        """Whether an organisation has enabled budgets."""
        places = self._follower.current
        return places is not None and org_id in places.orgs

    def applies(self, spender: Spender) -> bool:
        """Whether an enabled budget counts a spender's calls."""
        return self.in_org(spender.org_id) and any(True for _ in self._of(spender))

    def blocks(self, spender: Spender) -> bool:
        """Whether one of them blocks."""
        return any(self._of(spender))

    def _of(self, spender: Spender) -> Iterator[bool]:
        places = self._follower.current
        if places is None:
            return
        for tenant_id, scope, scope_id in _places_of(spender):
            found = places.scoped.get((spender.org_id, tenant_id, scope, scope_id))
            if found is not None:
                yield found

    async def _load(self) -> _Places:
        async with self._database.platform() as connection:
            return _Places(await store.known(connection))


class _Places:
    """The snapshot."""

    def __init__(self, known: Mapping[store.Place, bool]) -> None:
        self.orgs = frozenset(org_id for org_id, _, _, _ in known)
        self.scoped: dict[store.Place, bool] = {}
        for (org_id, tenant_id, scope, scope_id), blocks in known.items():
            # What an organisation's budget calls its organisation by is no part of whom it applies to.
            key = (org_id, tenant_id, scope, "" if scope == "organization" else scope_id)
            self.scoped[key] = self.scoped.get(key, False) or blocks


def _places_of(spender: Spender) -> Iterator[tuple[str, str, str]]:
    """As ``axonflow_budgets_of`` of migration 111 has it."""
    for tenant_id in {WHOLE_ORG, spender.tenant_id}:
        yield tenant_id, "organization", ""
        for scope, scope_id in (
            ("team", spender.team_id),
            ("agent", spender.agent_id),
            ("agent", spender.client_id),
            ("workflow", spender.workflow_id),
            ("user", spender.user_id),
        ):
            if scope_id:
                yield tenant_id, scope, scope_id
