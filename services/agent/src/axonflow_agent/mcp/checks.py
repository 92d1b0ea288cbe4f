"""Judge, mask and record what goes to a connector and what comes back; every MCP plane stands on this.

A plane begins a `CheckedCall`, judges one side or both, records once, and answers::

    checked = checks.begin(call, Ask(connector="crm", operation="query", statement=sql, parameters=parameters))
    await checked.judge_request()
    async with checked.asking():   # cut off from here on, it leaves its row all the same
        if not checked.denied:
            rows = await connector.query(checked.ask.statement, checked.ask.parameters)   # masked, if a policy redacts
            await checked.judge_response(Reply(rows=rows))
        await checked.record()
    return call.json(answer(checked), 403 if checked.denied else 200)
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_governance import Decision, JudgementFailed
from axonflow_policy import Content, Match, PolicySet

from axonflow_agent.governed import Call, unjudged
from axonflow_agent.mcp import content, recording
from axonflow_agent.mcp.exfiltration import Exfiltration, Limits
from axonflow_agent.mcp.masking import Masker

STAGE = "tool"
CUT_OFF = "The call was cut off: what the connector did is not known"
BROKE = "The call failed on a bug: what the connector did is not known"
# Above this a question is taken apart and masked in a thread; answers always are.
_INLINE_CHARS = 8 * 1024


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a connector.

    Attributes:
        connector: its name, or its type where only a check is asked for.
        operation: as the record names it: query, execute, check-input, check-output, or a tool's action.
        statement: the statement, or the operation's text.
    """

    connector: str
    operation: str
    statement: str = ""
    parameters: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector answered: rows, or the message of something that was done.

    Attributes:
        row_count: rows in all, where the answer holds fewer of them.
    """

    rows: Sequence[Any] | None = None
    message: str | None = None
    row_count: int = 0


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One judged side of a call.

    Attributes:
        policies_evaluated: how many policies judge this side.
        redactions: findings that were masked.
    """

    decision: Decision
    policies_evaluated: int
    redactions: int = 0

    @property
    def matches(self) -> tuple[Match, ...]:
        """Every finding, the deciding one first."""
        return self.decision.evaluation.matches


@dataclasses.dataclass(slots=True)
class CheckedCall:
    """The way of one call through its checks.

    Attributes:
        ask: what may be asked: masked, once the request was judged and a policy redacts.
        request: the judged request, if that side was judged.
        response: the judged answer, if that side was judged.
        reply: what may be answered: masked.
        redacted_fields: JSON paths of what was masked in rows.
        exfiltration: how much the rows carry out; None for an answer without rows.
        written: whether its row was given to the record, which keeps it even if nobody waits for that any more.
    """

    checks: Checks
    call: Call
    asked: Ask
    ask: Ask
    request: Side | None = None
    response: Side | None = None
    reply: Reply | None = None
    redacted_fields: tuple[str, ...] = ()
    exfiltration: Exfiltration | None = None
    written: bool = False

    @property
    def last(self) -> Side:
        """The side that was judged last."""
        side = self.response or self.request
        if side is None:
            raise RuntimeError("nothing was judged yet")
        return side

    @property
    def denied(self) -> bool:
        """Whether the call must not go on."""
        return self.last.decision.denied

    @property
    def reason(self) -> str:
        """Why it must not, in words for people; empty when it may."""
        if not self.denied:
            return ""
        decision = self.last.decision
        if decision.verdict is Verdict.NEEDS_APPROVAL:
            return f"Approval is required: {decision.evaluation.reason}"
        return decision.evaluation.reason

    async def judge_request(self) -> Side:
        """Judge what is asked.

        Raises:
            Fault: 503 when no verdict can be made.
        """
        asked = self.asked
        parts = await _apart(asked, content.question, asked.connector, asked.statement, asked.parameters)
        side, masker = await self.checks.judged(self.call, parts, Phase.REQUEST)
        self.request = side
        if masker is not None:
            statement, parameters = await _apart(asked, _masked_question, masker, asked)
            self.ask = msgspec.structs.replace(asked, statement=statement, parameters=parameters)
        return side

    async def judge_response(self, reply: Reply) -> Side:
        """Judge and mask what came back; afterwards `reply` is all that may be answered.

        Raises:
            Fault: 503 when no verdict can be made.
        """
        parts, size = await asyncio.to_thread(_answer_content, reply)
        side, masker = await self.checks.judged(self.call, parts, Phase.RESPONSE, gated=self.request is None)
        self.reply = reply
        if reply.rows is not None:
            self.exfiltration = self.checks.limits.check(max(reply.row_count, len(reply.rows)), size)
            if self.exfiltration.exceeded:
                side = recording.with_match(side, self.exfiltration.match())
        if masker is not None:
            self.reply, self.redacted_fields = await asyncio.to_thread(_masked_reply, masker, reply)
        self.response = side
        return side

    async def record(self, *, failure: str = "", metadata: Mapping[str, Any] | None = None) -> None:
        """Write the call's row and its detail row; nothing may be answered before.

        Args:
            failure: what went wrong beyond policies, in words of ours: no statement, row or secret in it.
            metadata: further members of the row's metadata; any text of the caller in it must have been masked.

        Raises:
            Fault: 503, no place takes the row.
        """
        decision = recording.merged(self.request, self.response)
        particulars = recording.particulars(self, decision, failure, metadata or {})
        self.written = True
        await self.call.record(recording.folded(decision), stage=STAGE, particulars=particulars)

    @contextlib.asynccontextmanager
    async def asking(self, metadata: Mapping[str, Any] | None = None) -> AsyncIterator[None]:
        """Around all that follows the connector being asked: what ends it leaves its row, a drain and a bug too."""
        about = metadata or {}
        try:
            yield
        except asyncio.CancelledError:
            if not self.written:
                await self.record(failure=CUT_OFF, metadata={**about, "interrupted": True})
            raise
        except Fault:
            raise
        except Exception:
            if not self.written:
                await self.record(failure=BROKE, metadata={**about, "status": 500})
            raise


@dataclasses.dataclass(frozen=True, slots=True)
class Checks:
    """What the MCP planes of a process share.

    Attributes:
        limits: of answers in rows.
    """

    limits: Limits

    def begin(self, call: Call, ask: Ask) -> CheckedCall:
        """The start of a call; ``call`` must come from the governor of the MCP planes."""
        return CheckedCall(checks=self, call=call, asked=ask, ask=ask)

    async def judged(
        self, call: Call, parts: Content, phase: Phase, *, gated: bool = True
    ) -> tuple[Side, Masker | None]:
        """The verdict on one side, and what masks it where something is to be masked."""
        decision = await call.judge(parts, phase=phase, tenant_rules=True, gated=gated)
        policy_set = decision.policy_set
        if policy_set is None:
            raise unjudged(JudgementFailed("a verdict came without its set"))
        masker = Masker(policy_set, phase, decision.evaluation.matches)
        side = Side(
            decision=decision,
            policies_evaluated=_judging(policy_set, phase),
            redactions=masker.findings,
        )
        return side, masker if masker.has_work else None


def _judging(policy_set: PolicySet, phase: Phase) -> int:
    skipped = policy_set.posture.skip_categories
    return sum(policy.phases.covers(phase) and policy.category not in skipped for policy in policy_set.policies)


def _answer_content(reply: Reply) -> tuple[Content, int]:
    """All text of an answer, and how many bytes its rows are as JSON."""
    if reply.rows is None:
        return content.message_content(reply.message or ""), 0
    parts = content.rows_content(reply.rows)
    size = sum(len(part.text.encode("utf-8", "replace")) for part in parts.parts if part.structured)
    return parts, size + len(reply.rows) + 1


def _masked_reply(masker: Masker, reply: Reply) -> tuple[Reply, tuple[str, ...]]:
    if reply.rows is None:
        message = reply.message or ""
        masked = masker.text(content.MESSAGE, message)
        fields = (content.MESSAGE,) if masked != message else ()
        return msgspec.structs.replace(reply, message=masked), fields
    made = masker.rows(reply.rows)
    return msgspec.structs.replace(reply, rows=made.rows), made.fields


def _masked_question(masker: Masker, ask: Ask) -> tuple[str, dict[str, Any]]:
    return masker.text(content.STATEMENT, ask.statement), masker.parameters(ask.parameters)


async def _apart(ask: Ask, work: Any, *arguments: Any) -> Any:
    """``work`` here, or in a thread where it could take long."""
    if len(ask.statement) <= _INLINE_CHARS and not ask.parameters:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)
