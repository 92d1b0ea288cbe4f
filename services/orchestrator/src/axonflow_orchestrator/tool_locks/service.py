"""The lockfile's work: hearing what servers offer, showing it, and taking an administrator's word. No HTTP, no SQL."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from axonflow_connectors import Tool
from axonflow_connectors.mcp import tool_hash
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.tool_locks import LockedTool, LockedTools, Observation, OfferedTool, ToolAccess
from axonflow_database import Connection, Database, DatabaseUnavailable
from axonflow_governance.changes import Author
from axonflow_policy.tool_texts import ToolFlag, ToolTextJudge

from axonflow_orchestrator.connectors import store as connectors
from axonflow_orchestrator.connectors.records import Installed
from axonflow_orchestrator.connectors.service import find, tenant_of
from axonflow_orchestrator.questions import text
from axonflow_orchestrator.tool_locks import comparing, store
from axonflow_orchestrator.tool_locks.changes import LockChanges
from axonflow_orchestrator.tool_locks.comparing import Seen
from axonflow_orchestrator.tool_locks.records import Lock, ShownTool, ToolDiff, ToolList, Verdict

NOT_FOUND = "Connector not found"
NO_TOOL = "The connector's server never offered a tool of this name"
# Roles of people who may decide; a client's own credentials stand for whoever set the client up.
DECIDERS = frozenset({"", "admin", "service", "policy_admin"})


@dataclass(frozen=True, slots=True)
class ToolLockService:
    """Locks of one deployment."""

    database: Database
    changes: LockChanges
    judge: ToolTextJudge = field(default_factory=ToolTextJudge)

    async def observe(self, heard: Observation, caller: Caller) -> LockedTools:
        """Compare what a server offers with what was accepted, and keep what changes.

        Raises:
            Fault: 404 for a connector that is not there, 503.
        """
        seen = [await self._seen(tool) for tool in heard.tools if comparing.can_be_kept(tool.name)]
        async with self._transaction(caller.org_id) as connection:
            row = await self._row(connection, heard.connector_id, caller)
            options = await store.options_locked(connection, row.org_id, row.id)
            if options is None:
                raise Fault(404, NOT_FOUND)
            kept = await store.read(connection, row.org_id, row.id)
            made = comparing.steps(kept, seen, accept_first=options.get("accept_on_install") is True)
            for step in made:
                await store.keep(connection, row.org_id, row.id, step.lock)
                await self.changes.keep(Author(caller, ""), step.what, row, step.lock)
        kept |= {step.lock.tool: step.lock for step in made}
        return LockedTools(
            tools=tuple(
                LockedTool(name=lock.tool, state=lock.state, accepted_hash=lock.accepted_hash, access=lock.access)
                for lock in kept.values()
                if lock.present
            )
        )

    async def list(self, key: str, caller: Caller) -> ToolList:
        """All tools of a connector and how they stand.

        Raises:
            Fault: 404, 503.
        """
        async with self._transaction(caller.org_id) as connection:
            row = await self._row(connection, key, caller)
            locks = await store.read(connection, row.org_id, row.id)
        return ToolList(connector=row.name, tools=tuple(_shown(lock) for lock in locks.values()), count=len(locks))

    async def diff(self, key: str, tool: str, caller: Caller) -> ToolDiff:
        """What is offered beside what was accepted.

        Raises:
            Fault: 404, 503.
        """
        async with self._transaction(caller.org_id) as connection:
            row = await self._row(connection, key, caller)
            return comparing.diff(_one(await store.read(connection, row.org_id, row.id), tool))

    async def accept(self, key: str, tool: str, verdict: Verdict, author: Author) -> ShownTool:
        """Pin what is offered; from now on it may be called, on every replica.

        Raises:
            Fault: 400 for read access to a tool that does not say it only reads, 403, 404, 409 when the tool changed
                since it was looked at, 503.
        """
        return await self._decide(key, tool, verdict, author, accept=True)

    async def reject(self, key: str, tool: str, verdict: Verdict, author: Author) -> ShownTool:
        """Refuse what is offered.

        Raises:
            Fault: 403, 404, 409 when the tool changed since it was looked at, 503.
        """
        return await self._decide(key, tool, verdict, author, accept=False)

    async def _decide(self, key: str, tool: str, verdict: Verdict, author: Author, *, accept: bool) -> ShownTool:
        caller, reason = author.caller, text(verdict.reason, "reason")
        if caller.user.role not in DECIDERS:
            raise Fault(403, "Only an administrator decides on tools")
        async with self._transaction(caller.org_id) as connection:
            row = await self._row(connection, key, caller)
            await store.options_locked(connection, row.org_id, row.id)
            lock = _one(await store.read(connection, row.org_id, row.id), tool)
            if verdict.hash not in {lock.offered_hash, lock.accepted_hash if accept else None}:
                raise Fault(409, "hash must be that of what the server offers now: look at the diff again")
            decided = comparing.accepted(lock, verdict.hash) if accept else comparing.rejected(lock)
            decided = msgspec.structs.replace(
                decided,
                access=_access(decided, verdict) if accept else lock.access,
                decided_by=author.name,
                decided_at=datetime.now(UTC),
                decided_reason=reason or None,
            )
            await store.keep(connection, row.org_id, row.id, decided)
            await self.changes.keep(author, "accepted" if accept else "rejected", row, decided)
            return _shown(_one(await store.read(connection, row.org_id, row.id), tool))

    async def _seen(self, offered: OfferedTool) -> Seen:
        builtins = msgspec.to_builtins(offered)
        tool = Tool(**msgspec.structs.asdict(offered))
        lock = Lock(
            tool=tool.name,
            state="pending",
            access="read" if tool.read_only else "write",
            accepted=None,
            accepted_hash=None,
            offered=comparing.storable(dataclasses.asdict(tool)),
            offered_hash=tool_hash(tool),
        )
        flags = await asyncio.to_thread(self.judge.flags, builtins)
        shown = msgspec.convert(comparing.storable(msgspec.to_builtins(flags)), tuple[ToolFlag, ...])
        return Seen(lock=msgspec.structs.replace(lock, flags=shown))

    async def _row(self, connection: Connection, key: str, caller: Caller) -> Installed:
        row = find(key, await connectors.read_all(connection, caller.org_id, tenant_of(caller)))
        if row is None or row.type != "mcp":
            raise Fault(404, NOT_FOUND)
        return row

    @contextlib.asynccontextmanager
    async def _transaction(self, org_id: str) -> AsyncIterator[Connection]:
        try:
            async with self.database.tenant(org_id) as connection:
                yield connection
        except DatabaseUnavailable as error:
            message = "Tools cannot be read or decided on: PostgreSQL does not answer"
            raise Fault(503, message, headers={"Retry-After": "1"}) from error


def _one(locks: dict[str, Lock], tool: str) -> Lock:
    try:
        return locks[tool]
    except KeyError:
        raise Fault(404, NO_TOOL) from None


def _access(lock: Lock, verdict: Verdict) -> ToolAccess:
    reads = lock.offered.get("annotations", {}).get("readOnlyHint") is True
    if verdict.access == "read" and not reads:
        raise Fault(400, "access read is for tools that say of themselves that they only read")
    return verdict.access or ("read" if reads else "write")


def _shown(lock: Lock) -> ShownTool:
    return ShownTool(
        name=lock.tool,
        state=lock.state,
        access=lock.access,
        hash=lock.offered_hash,
        accepted_hash=lock.accepted_hash,
        flags=lock.flags,
        present=lock.present,
        description=str(lock.offered.get("description", "")),
        first_seen_at=lock.first_seen_at,
        changed_at=lock.changed_at,
        decided_by=lock.decided_by,
        decided_at=lock.decided_at,
        decided_reason=lock.decided_reason,
    )
