"""Simulation, impact and conflicts (contract, agent section 3.7): what policies would do, with no trace of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_policy import Policy, TenantRule, find_conflicts, simulate
from axonflow_policy.conflicts import ConflictsAnswer, UnknownPolicy, conflicts_answer
from axonflow_policy.impact import Impact, ImpactAnswer, impact, impact_answer
from axonflow_policy.policy_set import InvalidPolicy, PolicySet
from axonflow_policy.rules import InvalidRule
from axonflow_policy.simulation import InputBody, SimulationAnswer, simulation_answer
from axonflow_settings import Edition, Limits

from axonflow_orchestrator.callers import Readable
from axonflow_orchestrator.tenant_policies.evaluating import RuleEvaluator
from axonflow_orchestrator.tenant_policies.facts import facts_for
from axonflow_orchestrator.tenant_policies.quota import UNLIMITED, take_place
from axonflow_orchestrator.tenant_policies.recorded import RecordedCalls, Window
from axonflow_orchestrator.tenant_policies.refusals import not_found

SIMULATIONS = "policy_simulations"
TIER_RESTRICTED = "TIER_RESTRICTED"


class ImpactBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an impact report: calls that are given, or a window of recorded ones."""

    policy_id: str = ""
    inputs: tuple[InputBody, ...] | None = None
    recorded: Window | None = None


class ConflictsBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a look for conflicts; without a policy all are compared."""

    policy_id: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyTrials:
    """Tries policies out."""

    evaluator: RuleEvaluator
    recorded: RecordedCalls
    edition: Edition
    limits: Limits

    async def simulate(self, body: InputBody, caller: Caller) -> SimulationAnswer:
        """What every policy would do with a call.

        Raises:
            Fault: 400, 403 TIER_RESTRICTED, 429 DAILY_LIMIT_EXCEEDED, 503.
        """
        limit = self.limits.simulations_per_day
        if limit == 0:
            raise self._restricted("Policy simulation")
        if not body.query.strip():
            raise Fault(400, "query is required", code="INVALID_REQUEST")
        static = await self.evaluator.static_set(caller)
        rules = await self.evaluator.reader.in_force(caller)
        usage = await take_place(self.evaluator.reader.database, caller.org_id, SIMULATIONS, limit, self.edition.value)
        started = time.perf_counter()
        made = await asyncio.to_thread(
            simulate,
            facts_for(body, caller, self.evaluator.environment),
            static,
            rules,
            is_admin="admin" in caller.user.permissions,
            approvals_act=self.evaluator.approvals_act,
        )
        return simulation_answer(
            made,
            processing_time_ms=_since(started),
            simulated_at=datetime.now(UTC),
            tier=self.edition.value,
            usage=usage,
        )

    async def impact(self, body: ImpactBody, caller: Caller, readable: Readable) -> ImpactAnswer:
        """What one policy would do with many calls.

        Raises:
            Fault: 400, 403 TIER_RESTRICTED, 404, 429 while others read the record, 503.
        """
        most = self.limits.impact_report_inputs
        if most == 0:
            raise self._restricted("The impact report")
        if not body.policy_id or (body.inputs is None) is (body.recorded is None):
            raise Fault(400, "policy_id is required, and either inputs or recorded", code="INVALID_REQUEST")
        if body.inputs is not None and not (len(body.inputs) > 0 and (most == UNLIMITED or len(body.inputs) <= most)):
            message = f"inputs must be 1 to {most if most != UNLIMITED else 'any number of'} calls"
            raise Fault(400, message, code="INVALID_REQUEST")
        static = await self.evaluator.static_set(caller)
        policy = await self._policy(body.policy_id, static, caller)
        started = time.perf_counter()
        try:
            if body.recorded is not None:
                found = await self.recorded.impact(policy, body.recorded, readable, static.posture)
            else:
                found = await asyncio.to_thread(self._given, policy, body.inputs or (), static, caller)
        except (InvalidPolicy, InvalidRule) as error:
            raise Fault(400, f"The policy cannot be judged: {error}", code="INVALID_REQUEST") from error
        return impact_answer(
            found, processing_time_ms=_since(started), generated_at=datetime.now(UTC), tier=self.edition.value
        )

    async def conflicts(self, body: ConflictsBody, caller: Caller) -> ConflictsAnswer:
        """Pairs of policies that contradict, shadow or repeat each other.

        Raises:
            Fault: 403 TIER_RESTRICTED, 404, 503.
        """
        if self.edition is Edition.COMMUNITY:
            raise self._restricted("Conflict detection")
        static = await self.evaluator.static_set(caller)
        rows = await self.evaluator.reader.rows(caller)
        rules = [row.rule for row in rows if row.readable]
        try:
            found = await asyncio.to_thread(
                find_conflicts, static.policies, rules, policy_id=body.policy_id or "", posture=static.posture
            )
        except UnknownPolicy as error:
            raise not_found() from error
        total = len(static.policies) + len(rules)
        return conflicts_answer(found, total_policies=total, checked_at=datetime.now(UTC), tier=self.edition.value)

    def _given(
        self, policy: Policy | TenantRule, inputs: tuple[InputBody, ...], static: PolicySet, caller: Caller
    ) -> Impact:
        environment = self.evaluator.environment
        facts = [facts_for(each, caller, environment) for each in inputs]
        return impact(policy, facts, posture=static.posture, approvals_act=self.evaluator.approvals_act)

    async def _policy(self, policy_id: str, static: PolicySet, caller: Caller) -> Policy | TenantRule:
        found = next((policy for policy in static.compiled if policy.id == policy_id), None)
        return found or (await self.evaluator.reader.row(policy_id, caller)).rule

    def _restricted(self, what: str) -> Fault:
        message = f"{what} requires an Evaluation or Enterprise license"
        return Fault(403, message, code=TIER_RESTRICTED, details={"tier": self.edition.value})


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
