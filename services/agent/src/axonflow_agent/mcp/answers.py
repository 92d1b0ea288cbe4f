"""What the MCP planes answer (agent contract §1.10): the MCP flavour of ``policy_info``, and the two checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from axonflow_contracts.verdicts import Severity, Tier
from axonflow_policy import CATALOGUE_VERSION, Match

from axonflow_agent.mcp.checks import CheckedCall, Side
from axonflow_agent.mcp.exfiltration import Exfiltration

_RANKS = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
_OVERRIDE = "override:"


def check_input(checked: CheckedCall, *, overrides_act: bool) -> dict[str, Any]:
    """The answer of ``check-input``, the same whether it is allowed or not."""
    side, ask = checked.last, checked.ask
    answer: dict[str, Any] = {
        **_verdict(checked),
        "risk_level": risk_level(side.matches),
        "policy_matches": policy_matches(side.matches, overrides_act=overrides_act),
        "override_available": overrides_act and any(_overridable(match) for match in side.matches[:1]),
        "redaction_evaluated": True,
        "redacted": False,
    }
    existing = _existing_override(side.matches)
    if existing:
        answer["override_existing_id"] = existing
    if checked.denied or side.redactions == 0:
        return answer
    answer |= {"redacted": True, "redacted_statement": ask.statement}
    if ask.parameters != checked.asked.parameters:
        answer["redacted_parameters"] = ask.parameters
    return answer


def check_output(checked: CheckedCall, *, overrides_act: bool) -> dict[str, Any]:
    """The answer of ``check-output``: what was masked, if something was; what is denied is not repeated."""
    side, reply, out = checked.last, checked.reply, checked.exfiltration
    answer: dict[str, Any] = {
        **_verdict(checked),
        "policy_matches": policy_matches(side.matches, overrides_act=overrides_act),
        "redaction_evaluated": True,
        "redacted": bool(checked.redacted_fields) and not checked.denied,
        "redacted_fields": [] if checked.denied else list(checked.redacted_fields),
    }
    if out is not None:
        answer["exfiltration_info"] = exfiltration_check(out)
    if checked.denied or reply is None or not checked.redacted_fields:
        return answer
    if reply.rows is not None:
        answer["redacted_data"] = reply.rows
    else:
        # Adapters of published SDKs take the replacement of a text from either member.
        answer |= {"redacted_message": reply.message, "redacted_data": reply.message}
    return answer


def policy_info(checked: CheckedCall) -> dict[str, Any]:
    """What both judged sides say of the policies."""
    sides = [side for side in (checked.request, checked.response) if side is not None]
    matches = [match for side in sides for match in side.matches]
    info: dict[str, Any] = {
        "policies_evaluated": sum(side.policies_evaluated for side in sides),
        "blocked": checked.denied,
        "redactions_applied": sum(side.redactions for side in sides),
        "processing_time_ms": round(sum(side.decision.latency_ms for side in sides)),
        "matched_policies": [
            {
                "policy_id": match.policy_id,
                "policy_name": match.name,
                "category": match.category,
                "severity": match.severity.value,
                "action": match.action.value,
            }
            for match in _distinct(matches)
        ],
    }
    if checked.denied:
        info["block_reason"] = checked.reason
    if checked.exfiltration is not None:
        info["exfiltration_check"] = exfiltration_check(checked.exfiltration)
    return info


def policy_matches(matches: Iterable[Match], *, overrides_act: bool) -> list[dict[str, Any]]:
    """Each policy once, in the shape of an explanation."""
    return [
        {
            "policy_id": match.policy_id,
            "policy_name": match.name,
            "action": match.action.value,
            "risk_level": match.severity.value,
            "allow_override": overrides_act and _overridable(match),
            "policy_description": match.reason,
            **({"policy_version": CATALOGUE_VERSION} if match.tier is Tier.SYSTEM else {}),
        }
        for match in _distinct(matches)
    ]


def exfiltration_check(out: Exfiltration) -> dict[str, Any]:
    """How much an answer carries out, beside the limits."""
    return msgspec.structs.asdict(out)


def risk_level(matches: Iterable[Match]) -> str:
    """The worst severity of what matched; low without a match."""
    return min((match.severity for match in matches), key=_RANKS.index, default=Severity.LOW).value


def _verdict(checked: CheckedCall) -> dict[str, Any]:
    side: Side = checked.last
    answer: dict[str, Any] = {
        "allowed": not checked.denied,
        "policies_evaluated": side.policies_evaluated,
        "policy_info": policy_info(checked),
        "decision_id": side.decision.exchange.decision_id,
    }
    return {**answer, "block_reason": checked.reason} if checked.denied else answer


def _distinct(matches: Iterable[Match]) -> list[Match]:
    """The first match of each policy: they stand in order of strength."""
    first: dict[str, Match] = {}
    for match in matches:
        first.setdefault(match.policy_id, match)
    return list(first.values())


def _overridable(match: Match) -> bool:
    return match.tier is Tier.SYSTEM and match.severity is not Severity.CRITICAL


def _existing_override(matches: Iterable[Match]) -> str:
    named = (match.origin for match in matches if match.origin.startswith(_OVERRIDE))
    return next(named, "").removeprefix(_OVERRIDE)
