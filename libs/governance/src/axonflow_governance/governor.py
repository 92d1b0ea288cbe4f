"""The governed call: content to decision, one row, one span; every plane is an adapter around it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import NamedTuple, Protocol

from axonflow_audit import AuditLog, AuditUnavailable, RefusalFold
from axonflow_contracts.caller import Caller
from axonflow_contracts.recording import InputMode
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_policy import Content, Evaluation, PolicySet
from axonflow_telemetry import DecisionTracer

from axonflow_governance.decision import Decision, Exchange, ModelCall, Particulars, Refusal
from axonflow_governance.errors import JudgementFailed
from axonflow_governance.excerpt import excerpt_of
from axonflow_governance.gate import Gate, OpenGate
from axonflow_governance.inputs import InputSealer, JudgedInput, KeptInput, in_edition
from axonflow_governance.recording import Recording
from axonflow_governance.rows import entry_for_call, row_for_refusal
from axonflow_governance.spans import facts_of

logger = logging.getLogger("axonflow.governance")

# A scan of this size takes 0.4 ms; above it the loop would be held too long (measured, one core).
INLINE_SCAN_CHARS = 32 * 1024
_PART_CHARS = 100  # what looking at one more part costs, in characters of text


class CurrentSet(Protocol):
    """Whoever holds the compiled policies."""

    def for_tenant(self, org_id: str, tenant_id: str) -> PolicySet | None:
        """The set that judges a tenant's calls now, or None while none was ever loaded."""
        ...

    async def with_tenant_rules(self, org_id: str, tenant_id: str) -> PolicySet | None:
        """The same with what the tenant and its organisation wrote; raises `JudgementFailed` where that is unknown."""
        ...


class _Judged(NamedTuple):
    evaluation: Evaluation
    excerpt: str
    redactions: int
    content_hash: str
    kept: KeptInput | None


class _Keeping(NamedTuple):
    """What is kept of one input."""

    org_id: str
    row_id: str
    excerpt: bool
    sealer: InputSealer | None

    def kept(self, judged: JudgedInput) -> KeptInput | None:
        return None if self.sealer is None else self.sealer.keep(judged, self.org_id, self.row_id)


class Governor:
    """Judges and records; knows no transport and no plane."""

    def __init__(
        self,
        *,
        policies: CurrentSet,
        audit: AuditLog,
        refusals: RefusalFold,
        tracer: DecisionTracer,
        approvals_act: bool,
        recording: Recording,
        org_id: str,
        gate: Gate | None = None,
    ) -> None:
        self._policies = policies
        self._audit = audit
        self._refusals = refusals
        self._tracer = tracer
        self._approvals_act = approvals_act
        self._recording = recording
        self._org_id = org_id
        self._gate = gate or OpenGate()
        self._scanners = ThreadPoolExecutor(max_workers=2, thread_name_prefix="policy-scan")

    @property
    def can_record(self) -> bool:
        """Whether a row written now would be kept; without that, no call may begin."""
        return self._audit.writable

    async def judge(
        self,
        exchange: Exchange,
        caller: Caller,
        content: Content,
        *,
        phase: Phase = Phase.REQUEST,
        tenant_rules: bool = False,
        gated: bool = True,
    ) -> Decision:
        """Decide on ``content``; the caller must `record` the decision, whatever follows.

        Args:
            exchange: the request that it belongs to.
            caller: for whom.
            content: every text of one side of the call.
            phase: which side.
            tenant_rules: whether the plane also judges by what the tenant and its organisation wrote: MCP checks,
                proxy, plans and gates do; chat completions, pre-check and decide do not (rulings section 4).
            gated: whether an open circuit stops it; the report of a call that was made stops nothing any more.

        Raises:
            JudgementFailed: no set is loaded, the engine failed, or a circuit is open; the call must be refused.
        """
        if gated:
            self._gate.admit(caller)
        policy_set = await self._set_for(caller, tenant_rules=tenant_rules)
        started = time.perf_counter()
        asked = JudgedInput(
            content=content,
            phase=phase,
            is_admin="admin" in caller.user.permissions,
            tenant_rules=tenant_rules,
            gated=gated,
            approvals_act=self._approvals_act,
        )
        judged = await self._judged(policy_set, asked, self._keeping(exchange, caller))
        evaluation = judged.evaluation
        if gated and evaluation.matches and not evaluation.failure:
            self._gate.admit_matches(caller, (match.policy_id for match in evaluation.matches))
        return Decision(
            exchange=exchange,
            caller=caller,
            evaluation=evaluation,
            verdict=in_edition(evaluation.verdict, approvals_act=self._approvals_act),
            phase=phase,
            excerpt=judged.excerpt,
            content_hash=judged.content_hash,
            redactions=judged.redactions,
            kept=judged.kept,
            policy_set=policy_set,
            latency_ms=(time.perf_counter() - started) * 1000,
        )

    async def record(
        self,
        decision: Decision,
        *,
        stage: str | None,
        call: ModelCall | None = None,
        particulars: Particulars | None = None,
    ) -> None:
        """Write the decision's row (and the model call's, if one belongs to it), then emit its span.

        Args:
            decision: what was decided.
            stage: llm, tool or agent, for the span; None emits none.
            call: how the call to the model came out.
            particulars: what the plane adds.

        Raises:
            AuditUnavailable: neither PostgreSQL nor the file took it; the caller must not get its answer.
        """
        try:
            await self._audit.write(entry_for_call(decision, call, particulars))
        finally:
            trace = decision.exchange.trace
            if stage is not None and self._tracer.wants(trace):
                context = particulars.context if particulars else {}
                self._tracer.record(trace, facts_of(decision, stage, context))
        self._tell_gate(decision, call)

    async def refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        """Leave the trace of a request that was turned away before it could be judged."""
        try:
            row = row_for_refusal(exchange, refusal, self._org_id)
            await self._refusals.refuse(row, address=refusal.address, reason=refusal.reason)
        except AuditUnavailable:
            # The request is refused already; there is nothing left to withhold from its sender.
            logger.exception("a refusal left no row: no audit place can be written")

    def close(self) -> None:
        """Stop the scanning threads; scans under way finish."""
        self._scanners.shutdown(wait=True)

    def _tell_gate(self, decision: Decision, call: ModelCall | None) -> None:
        caller = decision.caller
        if decision.verdict is Verdict.BLOCKED:
            self._gate.denied(caller, decision.evaluation.matches[0].policy_id)
        elif call is not None and (call.error or call.status >= HTTPStatus.INTERNAL_SERVER_ERROR):
            self._gate.failed(caller)
        else:
            self._gate.succeeded(caller)

    async def _set_for(self, caller: Caller, *, tenant_rules: bool) -> PolicySet:
        whose = (caller.org_id, caller.tenant_id)
        sets = self._policies
        policy_set = await sets.with_tenant_rules(*whose) if tenant_rules else sets.for_tenant(*whose)
        if policy_set is None:
            raise JudgementFailed("no policy set is loaded")
        return policy_set

    def _keeping(self, exchange: Exchange, caller: Caller) -> _Keeping:
        mode = self._recording.mode_of(caller.org_id, caller.tenant_id)
        sealer = self._recording.sealer if mode is InputMode.SEALED else None
        return _Keeping(caller.org_id, exchange.decision_id, mode is not InputMode.OFF, sealer)

    async def _judged(self, policy_set: PolicySet, asked: JudgedInput, keeping: _Keeping) -> _Judged:
        content = asked.content

        def work() -> _Judged:
            evaluation = policy_set.evaluate(content, asked.phase, is_admin=asked.is_admin)
            if evaluation.failure:
                logger.error("the policy engine failed (%s): the call is blocked", evaluation.failure)
            excerpt, redactions = excerpt_of(content, evaluation) if keeping.excerpt else ("", 0)
            return _Judged(evaluation, excerpt, redactions, content_hash(content), keeping.kept(asked))

        try:
            if sum(len(part.text) + _PART_CHARS for part in content.parts) <= INLINE_SCAN_CHARS:
                return work()
            return await asyncio.get_running_loop().run_in_executor(self._scanners, work)
        except Exception as error:
            logger.exception("the policy engine failed; the call is refused")
            raise JudgementFailed("the policy engine failed") from error


def content_hash(content: Content) -> str:
    """SHA-256 of all judged text, hex; what rows keep as ``query_hash``."""
    digest = hashlib.sha256()
    for part in content.parts:
        digest.update(part.text.encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()
