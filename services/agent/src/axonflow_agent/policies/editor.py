"""Writing policies: limits of the edition, one history row and one audit row for each change. No HTTP, no SQL."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import CHANGES, PolicyVersion, PolicyVersions
from axonflow_contracts.verdicts import Tier
from axonflow_database import Connection, Database
from axonflow_governance import CompilerUnavailable, PoliciesRefused, WriteGate
from axonflow_governance.changes import Author, ChangeRecord
from axonflow_settings import Edition, Limits

from axonflow_agent.policies import store
from axonflow_agent.policies.bodies import NewPolicy, PolicyChange, changed_fields, new_fields, tier_of
from axonflow_agent.policies.patterns import BadPattern, check_pattern
from axonflow_agent.policies.refusals import refused
from axonflow_agent.policies.service import POLICY_NOT_FOUND, tenant_transaction
from axonflow_agent.policies.store import PolicyFields, StoredPolicy

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class PolicyEditor:
    """Changes the policies of tenants and organisations; the product's own are not its to change.

    Attributes:
        gate: compiles what the policies are to be, before they are.
    """

    database: Database
    edition: Edition
    limits: Limits
    changes: ChangeRecord
    gate: WriteGate

    async def create(self, body: NewPolicy, author: Author) -> StoredPolicy:
        """A new policy of the author's tenant, or of its whole organisation.

        Raises:
            Fault: 400 for a field, 403 for a tier or a limit, 503 when it cannot be written or recorded.
        """
        caller, tier, fields = author.caller, tier_of(body), new_fields(body)
        if body.organization_id not in {None, "", caller.org_id}:
            raise refused("organization_id does not match authenticated identity")
        self._require_tier(tier)
        await _require_pattern(fields.pattern)
        async with tenant_transaction(self.database, caller) as connection:
            await self._require_room(connection, tier, caller)
            row = await store.insert(
                connection,
                fields,
                org_id=caller.org_id,
                tenant_id=caller.tenant_id,
                tier=tier,
                policy_id=_slug(tier, fields.name),
                by=author.name,
            )
            await self._require_compiled(connection, row, caller)
            await self._keep(connection, author, row, "create", "created")
        return row

    async def update(self, key: str, change: PolicyChange, author: Author) -> StoredPolicy:
        """Change some fields; a change that changes nothing makes no version.

        Raises:
            Fault: 400 for a field, 403 for the product's own policies, 404, 503.
        """
        async with tenant_transaction(self.database, author.caller) as connection:
            row = await self._owned(connection, key, author.caller, "modified")
            fields = changed_fields(row, change)
            if fields.pattern != row.pattern:
                await _require_pattern(fields.pattern)
            return await self._write(connection, author, row, fields)

    async def toggle(self, key: str, author: Author, *, enabled: bool) -> StoredPolicy:
        """Turn a policy on or off.

        Raises:
            Fault: 403 for the product's own policies, 404, 503.
        """
        async with tenant_transaction(self.database, author.caller) as connection:
            row = await self._owned(connection, key, author.caller, "modified" if enabled else "disabled")
            return await self._write(connection, author, row, msgspec.structs.replace(row.fields, enabled=enabled))

    async def delete(self, key: str, author: Author) -> None:
        """Take a policy out of force; its row and its history are kept.

        Raises:
            Fault: 403 for the product's own policies, 404, 503.
        """
        async with tenant_transaction(self.database, author.caller) as connection:
            row = await self._owned(connection, key, author.caller, "deleted")
            gone = await store.update(connection, row, row.fields, by=author.name, deleted=True)
            if gone is None:
                raise Fault(404, POLICY_NOT_FOUND)
            await self._keep(connection, author, gone, "delete", "deleted")

    async def versions(self, key: str, caller: Caller) -> PolicyVersions:
        """The changes of a policy, newest first, as many as the edition shows.

        Raises:
            Fault: 404, 503.
        """
        shown = self.limits.policy_versions_shown
        async with tenant_transaction(self.database, caller) as connection:
            row = await store.find(connection, key, org_id=caller.org_id, tenant_id=caller.tenant_id)
            if row is None:
                raise Fault(404, POLICY_NOT_FOUND)
            found = await store.read_versions(connection, row, None if shown == UNLIMITED else shown)
        versions = tuple(
            PolicyVersion(
                id=str(each.id),
                policy_id=row.policy_id,
                version=each.version,
                change_type=CHANGES[each.change_type],
                change_summary=each.change_summary,
                changed_by=each.changed_by,
                changed_at=each.changed_at,
                snapshot=each.snapshot,
            )
            for each in found
        )
        return PolicyVersions(policy_id=row.policy_id, versions=versions, count=len(versions))

    def _require_tier(self, tier: Tier) -> None:
        if tier is Tier.ORGANIZATION and self.limits.organization_policies == 0:
            raise refused("Organization tier requires Enterprise license")

    async def _require_room(self, connection: Connection, tier: Tier, caller: Caller) -> None:
        most = self.limits.organization_policies if tier is Tier.ORGANIZATION else self.limits.tenant_policies
        taken = await store.count_own(connection, tier, org_id=caller.org_id, tenant_id=caller.tenant_id)
        if most != UNLIMITED and taken >= most:
            kind, edition = tier.value.capitalize(), self.edition.value.capitalize()
            raise refused(f"{kind} policy limit reached ({most} max for {edition})")

    async def _owned(self, connection: Connection, key: str, caller: Caller, done: str) -> StoredPolicy:
        row = await store.find(connection, key, org_id=caller.org_id, tenant_id=caller.tenant_id)
        if row is not None and row.tier is Tier.SYSTEM:
            raise refused(f"System policies cannot be {done} via API")
        row = None if row is None else await store.lock(connection, row)
        if row is None:
            raise Fault(404, POLICY_NOT_FOUND)
        return row

    async def _write(
        self, connection: Connection, author: Author, row: StoredPolicy, fields: PolicyFields
    ) -> StoredPolicy:
        changed = [name for name in fields.__struct_fields__ if getattr(fields, name) != getattr(row, name)]
        if not changed:
            return row
        written = await store.update(connection, row, fields, by=author.name)
        if written is None:
            raise Fault(404, POLICY_NOT_FOUND)
        await self._require_compiled(connection, written, author.caller)
        switched = "enable" if fields.enabled else "disable"
        kind = switched if changed == ["enabled"] else "update"
        await self._keep(connection, author, written, kind, ", ".join(changed))
        return written

    async def _require_compiled(self, connection: Connection, row: StoredPolicy, caller: Caller) -> None:
        if not row.enabled:
            return  # nothing new is judged, and turning a policy off must not fail
        try:
            await self.gate.admit(connection, caller.org_id, caller.tenant_id)
        except PoliciesRefused as error:
            raise Fault(400, f"Invalid regex pattern: {error}") from error
        except CompilerUnavailable as error:
            raise Fault(503, f"The change was not made: {error}", headers={"Retry-After": "5"}) from error

    async def _keep(self, connection: Connection, author: Author, row: StoredPolicy, kind: str, summary: str) -> None:
        await store.keep_version(connection, row, change_type=kind, summary=summary)
        details: dict[str, object] = {
            "change_type": CHANGES[kind],
            "policy_id": row.policy_id,
            "id": str(row.id),
            "tier": row.tier.value,
            "version": row.version,
            "changed": summary,
            "action": row.action.value,
            "enabled": row.enabled,
        }
        await self.changes.keep(author, f"static policy {CHANGES[kind]}", details)


async def _require_pattern(pattern: str) -> None:
    try:
        await asyncio.to_thread(check_pattern, pattern)
    except BadPattern as error:
        raise Fault(400, f"Invalid regex pattern: {error}") from error


def _slug(tier: Tier, name: str) -> str:
    """A slug that no other policy has, of characters that need no escaping in a path."""
    words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:48].strip("_")
    return "_".join(filter(None, ("org" if tier is Tier.ORGANIZATION else "tenant", words, secrets.token_hex(4))))
