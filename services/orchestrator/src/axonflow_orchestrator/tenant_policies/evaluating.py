"""Judging what nobody sent: one rule on a query, a tenant's rules on a query, and an MCP statement for the agent."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.process import PolicyDetail, ProcessPolicyInfo
from axonflow_contracts.verdicts import Action, Phase, Verdict
from axonflow_governance import PolicySource
from axonflow_governance.errors import JudgementFailed
from axonflow_policy import Content, Facts, PolicySet, RuleEvaluation, RuleSet, risk_score, simulate
from axonflow_policy.dynamic import RuleMatch
from axonflow_policy.simulation import InputBody, SimulatedPolicy, TracedCondition

from axonflow_orchestrator.tenant_policies.facts import facts_for
from axonflow_orchestrator.tenant_policies.reader import RuleReader
from axonflow_orchestrator.tenant_policies.refusals import FieldProblem, invalid, unknown_rules

_MCP_WORDS = {Action.BLOCK: "block", Action.REQUIRE_APPROVAL: "block", Action.WARN: "warn"}


class RuleTrial(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule would do; ``blocked`` is what it alone would do to the call."""

    policy_id: str
    matched: bool
    blocked: bool
    actions: tuple[str, ...]
    explanation: str
    conditions: tuple[TracedCondition, ...]


class McpBody(InputBody, frozen=True, kw_only=True):
    """A statement for a connector, or what came back from it; the agent asks."""

    connector: str = ""
    operation: str = ""
    statement: str = ""
    response: str = ""
    phase: Phase = Phase.REQUEST


class McpMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that matched; ``action`` is allow, block or warn (agent contract section 1.10)."""

    policy_id: str
    policy_name: str
    policy_type: str
    action: str
    reason: str


class McpEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """``dynamic_policy_info`` of the agent's contract, with the verdict that follows."""

    allowed: bool
    verdict: Verdict
    block_reason: str
    policies_evaluated: int
    matched_policies: tuple[McpMatch, ...]
    required_actions: tuple[str, ...]
    risk_score: float
    rules_hash: str
    orchestrator_reachable: bool
    processing_time_ms: float


@dataclass(frozen=True, slots=True)
class RuleEvaluator:
    """Judges and forgets.

    Attributes:
        policies: the product's and tenants' static policies, which give a call its risk score.
        environment: the deployment's, as rules read it.
        approvals_act: whether asking for approval stops a call in this edition.
    """

    reader: RuleReader
    policies: PolicySource
    environment: str
    approvals_act: bool

    async def try_rule(self, rule_id: str, body: InputBody, caller: Caller) -> RuleTrial:
        """One rule as if it were on and alone.

        Raises:
            Fault: 400, 404, 503.
        """
        _require_query(body)
        row = await self.reader.row(rule_id, caller)
        if not row.readable:
            raise invalid([FieldProblem("conditions", "cannot be read: the policy blocks every call of its tenants")])
        facts = facts_for(body, caller, self.environment)
        static = await self.static_set(caller)
        alone = RuleSet.compile_stored([msgspec.structs.replace(row.rule, enabled=True)])
        made = await asyncio.to_thread(simulate, _with_risk(facts, static), None, alone)
        evaluation = made.outcome
        seen = next((each for each in made.policies if each.policy_id == row.id), None)
        matched = bool(evaluation.applied)
        return RuleTrial(
            policy_id=row.id,
            matched=matched,
            blocked=evaluation.verdict in self._stopping,
            actions=evaluation.required_actions,
            explanation=_explained(row.name, seen, matched=matched),
            conditions=() if seen is None else seen.conditions,
        )

    async def try_query(self, body: InputBody, caller: Caller) -> ProcessPolicyInfo:
        """A query judged by the rules of the caller's tenant, as a proxied one would be.

        Raises:
            Fault: 400, 503.
        """
        _require_query(body)
        rules, static = await self.reader.in_force(caller), await self.static_set(caller)
        started = time.perf_counter()
        facts = _with_risk(facts_for(body, caller, self.environment), static)
        found = await asyncio.to_thread(rules.evaluate, facts, Phase.REQUEST)
        return self._info(found, (time.perf_counter() - started) * 1000)

    async def mcp(self, body: McpBody, caller: Caller) -> McpEvaluation:
        """A statement, or a connector's answer, judged by the rules of the caller's tenant.

        Raises:
            Fault: 503.
        """
        rules, static = await self.reader.in_force(caller), await self.static_set(caller)
        started = time.perf_counter()
        text = body.statement or body.query
        facts = facts_for(msgspec.structs.replace(body, query=text), caller, self.environment)
        facts = msgspec.structs.replace(
            facts,
            connector=body.connector or facts.connector,
            request_type=facts.request_type or "mcp-query",
            response=body.response,
        )
        found = await asyncio.to_thread(rules.evaluate, _with_risk(facts, static), body.phase)
        allowed = found.verdict not in self._stopping
        return McpEvaluation(
            allowed=allowed,
            verdict=found.verdict,
            block_reason="" if allowed else found.reason,
            policies_evaluated=found.judged,
            matched_policies=tuple(_mcp_match(match) for match in found.matches),
            required_actions=found.required_actions,
            risk_score=found.risk_score or 0.0,
            rules_hash=found.rules_hash,
            orchestrator_reachable=True,
            processing_time_ms=round((time.perf_counter() - started) * 1000, 3),
        )

    async def static_set(self, caller: Caller) -> PolicySet:
        """The static policies that a proxied call of the caller is judged by.

        Raises:
            Fault: 503.
        """
        try:
            found = await self.policies.with_tenant_rules(caller.org_id, caller.tenant_id)
        except JudgementFailed as error:
            raise unknown_rules() from error
        if found is None:
            raise unknown_rules()
        return found

    @property
    def _stopping(self) -> frozenset[Verdict]:
        return frozenset({Verdict.BLOCKED, *((Verdict.NEEDS_APPROVAL,) if self.approvals_act else ())})

    def _info(self, found: RuleEvaluation, took_ms: float) -> ProcessPolicyInfo:
        routing = found.routing
        return ProcessPolicyInfo(
            allowed=found.verdict not in self._stopping,
            applied_policies=tuple(match.policy_id for match in found.matches),
            risk_score=found.risk_score or 0.0,
            required_actions=found.required_actions,
            processing_time_ms=round(took_ms, 3),
            database_accessed=False,
            applied_policies_detail=tuple(_detail(match) for match in found.matches),
            severity_policy_id=found.matches[0].policy_id if found.matches else "",
            preferred_provider="" if routing is None else routing.preferred_provider,
            allowed_providers=found.allowed_providers,
            routing_reason="" if routing is None else routing.reason,
        )


def _require_query(body: InputBody) -> None:
    if not body.query.strip():
        raise invalid([FieldProblem("query", "is required")])


def _with_risk(facts: Facts, static: PolicySet) -> Facts:
    if facts.risk_score is not None:
        return facts
    found = static.evaluate(Content.of(facts.query, "query"), Phase.REQUEST)
    return msgspec.structs.replace(facts, risk_score=risk_score(static, found))


def _explained(name: str, seen: SimulatedPolicy | None, *, matched: bool) -> str:
    if matched:
        return f"{name} matches: every condition holds"
    if seen is None:
        return f"{name} is not judged on requests: its fields exist only with a response"
    missing = ", ".join(f"{each.field} {each.operator}" for each in seen.conditions if not each.held)
    return f"{name} does not match: {missing} does not hold" if missing else f"{name} does not match"


def _detail(match: RuleMatch) -> PolicyDetail:
    return PolicyDetail(
        policy_id=match.policy_id,
        policy_name=match.name,
        description=match.description,
        action="" if match.action is None else match.action.value,
        risk_level=_RISK[match.action],
        matched_rule=match.reason,
    )


# Of a rule nothing says how bad a match is but what it asks for.
_RISK = {
    Action.BLOCK: "high",
    Action.REQUIRE_APPROVAL: "high",
    Action.REDACT: "medium",
    Action.WARN: "medium",
    Action.LOG: "low",
    None: "low",
}


def _mcp_match(match: RuleMatch) -> McpMatch:
    return McpMatch(
        policy_id=match.policy_id,
        policy_name=match.name,
        policy_type=match.type,
        action="allow" if match.action is None else _MCP_WORDS.get(match.action, "allow"),
        reason=match.reason,
    )
