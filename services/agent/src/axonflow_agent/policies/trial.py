"""``POST /api/policies/test``: what the policies in force would make of a query, without a trace of it (agent §1.9)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_policy import Content, PolicySet


class Judges(Protocol):
    """Whoever holds the compiled policies."""

    def for_tenant(self, org_id: str, tenant_id: str) -> PolicySet | None:
        """The set that judges a tenant's calls now."""
        ...


class TrialBody(msgspec.Struct, frozen=True, kw_only=True):
    """The query to try; whoever it is said to come from changes nothing."""

    query: str | None = None
    user_email: str | None = None
    request_type: str | None = None


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen.

    Attributes:
        reason: why it would be refused, else empty.
        triggered_policies: slugs, the deciding one first.
        checks_performed: the categories that were judged.
    """

    blocked: bool
    reason: str
    triggered_policies: tuple[str, ...]
    checks_performed: tuple[str, ...]
    processing_time_ms: float


@dataclass(frozen=True, slots=True)
class PolicyTrial:
    """Judges and forgets.

    Attributes:
        approvals_act: whether a policy that asks for approval holds a call up in this edition.
    """

    judges: Judges
    approvals_act: bool

    async def run(self, body: TrialBody, caller: Caller) -> TrialResult:
        """Judge ``body.query`` as a request of ``caller``.

        Raises:
            Fault: 400 without a query, 503 before the policies are loaded.
        """
        if not (body.query or "").strip():
            raise Fault(400, "query field is required")
        policy_set = self.judges.for_tenant(caller.org_id, caller.tenant_id)
        if policy_set is None:
            raise Fault(503, "The policies are not loaded yet: try again", headers={"Retry-After": "1"})
        started = time.perf_counter()
        is_admin = "admin" in caller.user.permissions
        content = Content.of(body.query or "", "query")
        found = await asyncio.to_thread(policy_set.evaluate, content, Phase.REQUEST, is_admin=is_admin)
        blocked = found.verdict is Verdict.BLOCKED or (found.verdict is Verdict.NEEDS_APPROVAL and self.approvals_act)
        judged = {policy.category for policy in policy_set.policies if policy.phases.covers(Phase.REQUEST)}
        return TrialResult(
            blocked=blocked,
            reason=found.reason if blocked else "",
            triggered_policies=tuple(dict.fromkeys(match.policy_id for match in found.matches)),
            checks_performed=tuple(sorted(judged - policy_set.posture.skip_categories)),
            processing_time_ms=round((time.perf_counter() - started) * 1000, 3),
        )
