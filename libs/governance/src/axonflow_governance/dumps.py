"""Compiled layers by their key: kept in PostgreSQL, made in a child process, one child for all who want the same."""

from __future__ import annotations

import asyncio
import logging

from axonflow_database import Connection, Database, DatabaseUnavailable
from axonflow_policy import TenantRules
from axonflow_policy.policy_set import InvalidPolicy
from axonflow_policy.tenant_rules import written_policy

from axonflow_governance import store
from axonflow_governance.compiling import PolicyCompiler
from axonflow_governance.errors import PoliciesRefused

logger = logging.getLogger("axonflow.governance.dumps")


class RuleDumps:
    """Where layers are found compiled, and made.

    Args:
        database: where they are kept; of the platform role, as loading one trusts whoever wrote it.
        compiler: makes them.
    """

    def __init__(self, database: Database, compiler: PolicyCompiler) -> None:
        self._database = database
        self._compiler = compiler
        self._making: dict[tuple[str, ...], asyncio.Task[bytes]] = {}

    async def find(self, rules: TenantRules) -> bytes | None:
        """The dump for ``rules``, if some replica of this kind of machine has made it.

        Raises:
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        if rules.is_final:
            return None
        async with self._database.platform() as connection:
            return await store.load_dump(connection, rules.dump_key)

    async def make(self, rules: TenantRules) -> bytes:
        """Compile ``rules`` in a child and keep the dump; empty where google-re2 judges.

        Raises:
            PoliciesRefused: they cannot be compiled within the limits.
            CompilerUnavailable: no child could be started.
        """
        key = tuple(policy.pattern for policy in rules.policies)
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(rules))
            task.add_done_callback(lambda done: self._made(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is being compiled."""
        for task in self._making.values():
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)

    async def _make(self, rules: TenantRules) -> bytes:
        dump = await self._compiler.compile(rules.policies)
        if dump:
            try:
                async with self._database.platform() as connection:
                    await store.keep_dump(connection, rules.dump_key, dump)
            except DatabaseUnavailable:
                logger.warning("a compiled layer could not be kept: other replicas compile it again")
        return dump

    def _made(self, key: tuple[str, ...], done: asyncio.Task[bytes]) -> None:
        del self._making[key]
        if not done.cancelled():
            done.exception()  # whoever waits is told; nobody may be left


class WriteGate:
    """Admits a change of written policies only with its compiled layer at hand."""

    def __init__(self, dumps: RuleDumps) -> None:
        self._dumps = dumps

    async def admit(self, connection: Connection, org_id: str, tenant_id: str) -> None:
        """Compile what a tenant's policies are within this transaction; called after the change, before its commit.

        Two changes of one organisation follow each other from here on, so each is compiled with those before it.

        Raises:
            PoliciesRefused: they cannot be judged together, or not within the limits; the change must not be made.
            CompilerUnavailable: it cannot be known.
            DatabaseUnavailable: PostgreSQL does not answer.
        """
        await store.lock_rules(connection, org_id)
        rows = await store.written_rows(connection, org_id, tenant_id)
        try:
            rules = await asyncio.to_thread(TenantRules.by_re2, [written_policy(row) for row in rows])
        except InvalidPolicy as error:
            raise PoliciesRefused(str(error)) from error
        if rules.policies and await self._dumps.find(rules) is None:
            await self._dumps.make(rules)
