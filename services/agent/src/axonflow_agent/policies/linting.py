"""What the linter says of a policy that was just written, beside the product's and the caller's own.

What no policy may be is refused before (`patterns.check_pattern`); these findings may be meant, so they are only told.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import PolicyLint, StaticPolicy
from axonflow_contracts.posture import Posture
from axonflow_database import SYSTEM_ORG
from axonflow_policy import Policy, lint_one
from axonflow_web.paging import LARGEST_LIMIT

from axonflow_agent.policies.query import ListQuery
from axonflow_agent.policies.service import PolicyReader, tenant_transaction
from axonflow_agent.policies.store import StoredPolicy, read_page

LONGEST_WAIT_S = 5.0
MOST_FINDINGS = 20

_log = logging.getLogger(__name__)


async def with_findings(reader: PolicyReader, row: StoredPolicy, caller: Caller) -> StaticPolicy:
    """A written policy in the contract's shape, with what the linter found in ``metadata.lint``.

    The policy is written already: where the others cannot be read or compared in time, it is told without findings.
    """
    shown = reader.shown(row, {})
    try:
        others = await _others(reader, row, caller)
        work = asyncio.to_thread(_findings, row, others, reader.posture)
        found = await asyncio.wait_for(work, LONGEST_WAIT_S)
    except (Fault, TimeoutError):
        _log.warning("policy was not linted", extra={"policy_id": row.policy_id})
        return shown
    return msgspec.structs.replace(shown, metadata=msgspec.structs.replace(shown.metadata, lint=found))


async def _others(reader: PolicyReader, row: StoredPolicy, caller: Caller) -> list[Policy]:
    """The policies that judge beside ``row``, at most `LARGEST_LIMIT` of the stored ones."""
    window = ListQuery(enabled=True, limit=LARGEST_LIMIT)
    async with tenant_transaction(reader.database, caller) as connection:
        stored, _ = await read_page(connection, window, org_id=caller.org_id, tenant_id=caller.tenant_id)
    in_force = reader.in_force()
    system = {each.policy_id for each in stored if each.org_id == SYSTEM_ORG}
    own = [_judged(each) for each in stored if each.org_id != SYSTEM_ORG and each.id != row.id]
    return [*(policy for slug, policy in in_force.items() if slug in system), *own]


def _findings(row: StoredPolicy, others: list[Policy], posture: Posture) -> tuple[PolicyLint, ...]:
    found = lint_one(_judged(row), others, posture)
    told = (finding for finding in found if not finding.is_fatal)
    return tuple(
        PolicyLint(problem=finding.problem.value, message=finding.message, other_id=finding.other_id)
        for finding, _ in zip(told, range(MOST_FINDINGS), strict=False)
    )


def _judged(row: StoredPolicy) -> Policy:
    return Policy(
        id=row.policy_id,
        name=row.name,
        category=row.category,
        tier=row.tier,
        severity=row.severity,
        priority=row.priority,
        pattern=row.pattern,
        reason=row.reason or row.name,
        action=row.action,
        enabled=row.enabled,
        validator=row.validator,
    )
