"""What the linter says of a rule that was just written, beside those that judge with it; told, never refused."""

from __future__ import annotations

import asyncio
import logging

from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import PolicyLint
from axonflow_policy import TenantRule, lint_rule

from axonflow_orchestrator.tenant_policies.reader import RuleReader
from axonflow_orchestrator.tenant_policies.records import StoredRule
from axonflow_orchestrator.tenant_policies.wire import DynamicPolicy, PolicyMetadata, shown

LONGEST_WAIT_S = 5.0
MOST_FINDINGS = 20
MOST_OTHERS = 1000

_log = logging.getLogger("axonflow.orchestrator.tenant_policies")


async def with_findings(reader: RuleReader, row: StoredRule, caller: Caller) -> DynamicPolicy:
    """A written rule, with what the linter found in ``metadata.lint``.

    The rule is written already: where the others cannot be read or compared in time, it is told without findings.
    """
    try:
        others = [each.rule for each in await reader.rows(caller) if each.id != row.id and each.readable]
        work = asyncio.to_thread(_findings, row.rule, others[:MOST_OTHERS])
        found = await asyncio.wait_for(work, LONGEST_WAIT_S)
    except (Fault, TimeoutError):
        _log.warning("rule was not linted", extra={"policy_id": row.id})
        return shown(row)
    return shown(row, PolicyMetadata(lint=found))


def _findings(rule: TenantRule, others: list[TenantRule]) -> tuple[PolicyLint, ...]:
    return tuple(
        PolicyLint(problem=finding.problem.value, message=finding.message, other_id=finding.other_id)
        for finding in lint_rule(rule, others)[:MOST_FINDINGS]
    )
