"""The layers of the tenants that call.

A request waits for one read, once. It never compiles: what is not compiled yet is judged by google-re2, with the same
matches, until a child process has compiled it and the layer is swapped whole.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from axonflow_database import Connection, Database, DatabaseUnavailable, HeldByTenant, Prints
from axonflow_policy import Policy, TenantRules
from axonflow_policy.policy_set import InvalidPolicy
from axonflow_policy.tenant_rules import written_policy

from axonflow_governance import store
from axonflow_governance.dumps import RuleDumps
from axonflow_governance.errors import CompilerUnavailable, JudgementFailed, PoliciesRefused
from axonflow_governance.layer import Layer

logger = logging.getLogger("axonflow.governance.tenants")

CHANNEL = "axonflow_policies"
# A layer of some ten policies takes 0.1 MiB, its joined set included.
MOST_TENANTS = 256
_RETRY_S = 30.0


class TenantLayers(HeldByTenant[Layer]):
    """Holds the layers, apart from the shared set: neither waits for the other's errors.

    Args:
        database: where the rows are.
        dumps: where compiled layers are found and made.
        most: how many layers are held at once.
    """

    def __init__(self, database: Database, dumps: RuleDumps, *, most: int = MOST_TENANTS) -> None:
        super().__init__(database, CHANNEL, Layer, most=most)
        self._dumps = dumps
        self._compiling: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop following and compiling; the layers stay in force."""
        await super().close()
        for task in self._compiling:
            task.cancel()
        await asyncio.gather(*self._compiling, return_exceptions=True)

    async def layer_of(self, org_id: str, tenant_id: str) -> Layer:
        """The tenant's layer, loaded; it may hold no policy.

        Raises:
            JudgementFailed: it was never loaded and cannot be now; without it no verdict is sound.
        """
        try:
            layer = await self.held_for(org_id, tenant_id)
        except DatabaseUnavailable as error:
            raise JudgementFailed("the tenant's policies cannot be read: PostgreSQL does not answer") from error
        if layer.rules is None:
            raise JudgementFailed("the tenant's policies cannot be judged")
        return layer

    async def prints(self, connection: Connection, org_ids: Iterable[str]) -> Prints:
        """As `store.rule_prints`."""
        return await store.rule_prints(connection, org_ids)

    async def load(self, layer: Layer) -> None:
        """Read a layer; what cannot be judged leaves the one in force."""
        async with self._database.platform() as connection:
            # The prints first: what changes between the two is seen by the next look.
            seen = layer.print_in(await store.rule_prints(connection, [layer.org_id]))
            rows = await store.written_rows(connection, layer.org_id, layer.tenant_id)
        whose = {"org_id": layer.org_id, "tenant_id": layer.tenant_id, "policies": len(rows)}
        try:
            rules = await self._ready(rows)
        except InvalidPolicy as error:
            # As long as nobody mends the row: the layer in force stays, and where there is none, nothing passes.
            logger.error("a tenant's policies cannot be judged: %s", error, extra=whose)  # noqa: TRY400 - the text is all
            layer.seen = seen
            return
        layer.rules, layer.seen = rules, seen
        logger.debug("a tenant's policies are in force", extra={**whose, "engine": rules.engine.name})
        if not rules.is_final:
            logger.info("google-re2 judges a tenant's policies until they are compiled", extra=whose)
            task = asyncio.create_task(self._compile(layer, rules))
            self._compiling.add(task)
            task.add_done_callback(self._compiling.discard)

    async def _ready(self, rows: Sequence[Mapping[str, Any]]) -> TenantRules:
        policies = [written_policy(row) for row in rows]
        rules = await asyncio.to_thread(TenantRules.by_re2, policies)
        dump = await self._dumps.find(rules)
        return rules if dump is None else await _from_dump(policies, dump) or rules

    async def _compile(self, layer: Layer, rules: TenantRules) -> None:
        """Replace what google-re2 judges, unless the layer has changed meanwhile."""
        whose = {"org_id": layer.org_id, "tenant_id": layer.tenant_id}
        while layer.rules is rules:
            try:
                compiled = await _from_dump(rules.policies, await self._dumps.make(rules))
            except PoliciesRefused as error:
                logger.warning("google-re2 goes on judging a tenant's policies: %s", error, extra=whose)
                return
            except CompilerUnavailable as error:
                logger.warning("%s", error, extra=whose)
                await asyncio.sleep(_RETRY_S)
                continue
            if compiled is not None and layer.rules is rules:
                layer.rules = compiled
            return


async def _from_dump(policies: Sequence[Policy], dump: bytes) -> TenantRules | None:
    # Proving takes a millisecond a policy: not on the loop.
    return await asyncio.to_thread(TenantRules.load, policies, dump)
