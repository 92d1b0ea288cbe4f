"""Usage records as they are written: of an attempt that may never be settled, and of a call that was."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from axonflow_orchestrator.budgets.records import Entry, Hold, Spender, UsageFacts

LONGEST = 500
MOST_USD = Decimal(10) ** 10
_MOST_TOKENS = 10**15
_EIGHT_PLACES = Decimal("0.00000001")


def attempted(spender: Spender, hold: Hold, provider: str, model: str) -> Entry:
    """The record of an attempt, should nobody settle it."""
    return msgspec.structs.replace(
        _of(spender, hold.id, hold.created_at),
        request_id=kept(hold.request_id),
        attempt=hold.attempt,
        provider=kept(provider),
        model=kept(model),
    )


def settled(spender: Spender, hold: Hold | None, facts: UsageFacts) -> Entry:
    """The record of a call."""
    blank = _of(spender, hold.id if hold else str(uuid.uuid4()), hold.created_at if hold else facts.created_at)
    return msgspec.structs.replace(
        blank,
        request_id=kept(facts.request_id),
        attempt=hold.attempt if hold else 1,
        provider=kept(facts.provider),
        model=kept(facts.model),
        request_type=kept(facts.request_type),
        tokens_in=_count(facts.tokens_in),
        tokens_out=_count(facts.tokens_out),
        cached_tokens=_count(facts.cached_tokens),
        reasoning_tokens=_count(facts.reasoning_tokens),
        cost_usd=usd(facts.cost_usd),
        estimated=facts.estimated,
        latency_ms=max(0.0, facts.latency_ms),
        success=facts.success,
        error=kept(facts.error),
    )


def usd(amount: Decimal) -> Decimal:
    """An amount as its column holds it: never negative, eight decimals, no more than anyone will ever pay."""
    if not amount.is_finite() or amount < 0:
        return Decimal(0)
    return min(amount, MOST_USD).quantize(_EIGHT_PLACES, ROUND_HALF_UP)


def kept(text: str) -> str:
    """Text that a column takes: no NUL, no half of a character, not endless."""
    return text[:LONGEST].encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _count(tokens: int) -> int:
    return max(0, min(tokens, _MOST_TOKENS))


def _of(spender: Spender, id_: str, created_at: datetime) -> Entry:
    return Entry(
        id=id_,
        created_at=created_at,
        tenant_id=kept(spender.tenant_id),
        client_id=kept(spender.client_id),
        user_id=kept(spender.user_id),
        team_id=kept(spender.team_id),
        agent_id=kept(spender.agent_id),
        workflow_id=kept(spender.workflow_id),
    )
