"""Opens the tenants' rules."""

from __future__ import annotations

import contextlib

from axonflow_database import Database

from axonflow_orchestrator.tenant_policies.source import RuleSource


async def open_rules(stack: contextlib.AsyncExitStack, database: Database) -> RuleSource:
    """The rules of every tenant, followed until ``stack`` closes.

    Raises:
        DatabaseUnavailable: PostgreSQL does not answer.
    """
    source = RuleSource(database)
    await source.start()
    stack.push_async_callback(source.close)
    return source
