"""Who has media governance: the operator's word, then the edition's, then in enterprise the tenant's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from axonflow_database import Database, Follower
from axonflow_settings import Edition

from axonflow_orchestrator.media import store
from axonflow_orchestrator.media.records import Choice, MediaStatus

Chosen = Mapping[tuple[str, str], Choice]


@dataclass(frozen=True, slots=True)
class MediaSwitch:
    """Tenants' choices, in memory and followed.

    Attributes:
        wanted: the operator's word; None leaves it to the edition.
    """

    edition: Edition
    wanted: bool | None
    chosen: Follower[Chosen]

    @property
    def status(self) -> MediaStatus:
        """What this deployment can do."""
        available = self.edition is not Edition.COMMUNITY if self.wanted is None else self.wanted
        return MediaStatus(
            available=available,
            enabled_by_default=available,
            per_tenant_control=available and self.edition is Edition.ENTERPRISE,
            tier=self.edition.value,
        )

    def choice_for(self, org_id: str, tenant_id: str) -> Choice:
        """What holds for a tenant now; rows left from a higher edition do nothing."""
        status = self.status
        default = Choice(status.enabled_by_default, ())
        return (self.chosen.current or {}).get((org_id, tenant_id), default) if status.per_tenant_control else default


def follow_choices(database: Database) -> Follower[Chosen]:
    """All tenants' choices, not read yet."""

    async def load() -> Chosen:
        async with database.platform() as connection:
            return await store.read_choices(connection)

    return Follower(database, store.CHANNEL, load)
