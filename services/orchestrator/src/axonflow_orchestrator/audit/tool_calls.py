"""Reports of tools that ran outside this product, one row each (orchestrator contract section 1.13)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from axonflow_audit import AuditEntry, AuditLog, AuditRow, AuditUnavailable
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Phase, Plane, Verdict

from axonflow_orchestrator.questions import text

REQUEST_TYPE = "tool_call_audit"
LARGEST_BODY = 1 << 20
MOST_POLICIES = 100
LONGEST_NAME = 200
LONGEST_MS = 31_536_000_000  # a year; clients read the number back in 64 bits, and one above breaks a whole list
_FAILED = "the tool call failed"


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """What a client reports; SDKs leave out or null what they do not set."""

    tool_name: str | None = None
    tool_type: str | None = None
    input: Any = None
    output: Any = None
    workflow_id: str | None = None
    step_id: str | None = None
    user_id: str | None = None
    duration_ms: float | None = None
    policies_applied: tuple[str, ...] | None = None
    success: bool | None = None
    error_message: str | None = None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    audit_id: str
    timestamp: datetime
    status: str = "recorded"


@dataclass(frozen=True, slots=True)
class ToolCallRecorder:
    """Writes reports down. Nothing judged their texts, so digests and sizes are kept and never the texts."""

    audit: AuditLog

    async def record(self, call: ToolCall, caller: Caller, *, row_id: str, at: datetime, trace_id: str) -> Recorded:
        """Keep one report; written twice under the same id and moment it is one row.

        Raises:
            Fault: 400 for a member that cannot be, 503 when no row can be kept.
        """
        row = _row(call, caller, row_id, at, trace_id)
        try:
            await self.audit.write(AuditEntry(row))
        except AuditUnavailable as error:
            raise Fault(503, "The tool call cannot be recorded", headers={"Retry-After": "1"}) from error
        return Recorded(audit_id=row_id, timestamp=at)


def _row(call: ToolCall, caller: Caller, row_id: str, at: datetime, trace_id: str) -> AuditRow:
    name = text(call.tool_name, "tool_name")
    if not name or len(name) > LONGEST_NAME:
        raise Fault(400, f"tool_name is required, and has at most {LONGEST_NAME} characters")
    if call.duration_ms is not None and not 0 <= call.duration_ms <= LONGEST_MS:
        raise Fault(400, f"duration_ms must be from 0 to {LONGEST_MS}")
    failed = call.success is False
    return AuditRow(
        org_id=caller.org_id,
        created_at=at,
        id=row_id,
        decision_id=row_id,
        trace_id=trace_id or None,
        tenant_id=caller.tenant_id,
        client_id=caller.client_id,
        user_id=caller.user.id or None,
        user_email=caller.user.email or None,
        user_role=caller.user.role or None,
        plane=Plane.AGENT.value,
        phase=Phase.RESPONSE.value,
        request_type=REQUEST_TYPE,
        verdict=(Verdict.ERROR if failed else Verdict.ALLOWED).value,
        reason=_FAILED if failed else None,
        response_time_ms=call.duration_ms,
        metadata=_metadata(call, name),
    )


def _metadata(call: ToolCall, name: str) -> dict[str, Any]:
    applied = call.policies_applied or ()
    if len(applied) > MOST_POLICIES:
        raise Fault(400, f"policies_applied has at most {MOST_POLICIES} members")
    kept: dict[str, Any] = {
        "tool_name": name,
        "tool_signature": name,
        "tool_type": text(call.tool_type, "tool_type"),
        "workflow_id": text(call.workflow_id, "workflow_id"),
        "step_id": text(call.step_id, "step_id"),
        "reported_user_id": text(call.user_id, "user_id"),
        "policies_applied": [text(each, "policies_applied") for each in applied],
        "success": call.success,
    }
    for part, value in (("input", call.input), ("output", call.output), ("error_message", call.error_message)):
        if value is not None:
            encoded = msgspec.json.encode(value, order="deterministic")
            kept |= {f"{part}_sha256": hashlib.sha256(encoded).hexdigest(), f"{part}_bytes": len(encoded)}
    return {member: value for member, value in kept.items() if value or value is False}
