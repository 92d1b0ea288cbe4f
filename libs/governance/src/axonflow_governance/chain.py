"""The steps of a request as rows beside its decision, each linked to the one before it."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from axonflow_audit import DecisionChainRow
from axonflow_audit.chains import linked
from axonflow_audit.encoding import ALTERED, cleaned, storable
from axonflow_contracts.caller import Caller
from axonflow_contracts.chain import ChainStep

from axonflow_governance.decision import Exchange

MOST_STEPS = 100  # more than any plane takes: one entry must stay one statement of a sensible size
_json = msgspec.json.Encoder(enc_hook=lambda value: dict(value) if isinstance(value, Mapping) else str(value))


def chain_rows(
    exchange: Exchange, caller: Caller, steps: Sequence[ChainStep], chain_id: str | None = None
) -> tuple[DecisionChainRow, ...]:
    """Rows for ``Particulars.details``; the decision's row tells their number and last hash by itself.

    Args:
        exchange: the request; its decision id and moment are the rows' key.
        caller: for whom.
        steps: in the order in which they were taken; at most `MOST_STEPS` are kept.
        chain_id: the chain that the caller goes on with, as `continued` gives it; None begins one of its own.
    """
    chain = chain_id or exchange.decision_id
    kept = steps[:MOST_STEPS]
    return linked([_row(exchange, caller, step, number, chain) for number, step in enumerate(kept, start=1)])


def continued(header: str | None) -> str | None:
    """The chain that an incoming ``X-AI-Chain-ID`` names, in its canonical form; None unless it is a UUID."""
    try:
        return str(uuid.UUID(header)) if header and len(header) == len(str(uuid.NAMESPACE_DNS)) else None
    except ValueError:
        return None


def _row(exchange: Exchange, caller: Caller, step: ChainStep, number: int, chain_id: str) -> DecisionChainRow:
    row = DecisionChainRow(
        org_id=caller.org_id,
        created_at=exchange.received_at,
        decision_id=exchange.decision_id,
        step_number=number,
        chain_id=chain_id,
        request_id=exchange.decision_id,
        trace_id=exchange.trace.trace_id,
        tenant_id=caller.tenant_id,
        client_id=caller.client_id,
        user_id=caller.user.id or None,
        decision_type=step.step_type.value,
        step_name=step.name,
        system_id=step.system_id,
        model_provider=step.provider,
        model_id=step.model,
        decision_outcome=step.outcome.value,
        policies_evaluated=step.policies_evaluated,
        policy_triggered=step.policy_triggered,
        risk_level=step.risk_level,
        requires_human_review=step.requires_human_review,
        started_at=step.started_at,
        processing_time_ms=round(step.duration_ms, 3) if math.isfinite(step.duration_ms) else 0.0,
        input_hash=step.input_hash,
        output_hash=step.output_hash,
        data_sources=step.data_sources,
        metadata=_plain(step.metadata),
        audit_hash="",
    )
    return storable(row)


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as a reader finds it again: what is no JSON value by itself is text, as it is in the database."""
    if not metadata:
        return {}
    try:
        return _decoded(_json.encode(metadata))
    except UnicodeEncodeError:  # a lone surrogate
        return {**_decoded(_json.encode(cleaned(dict(metadata)))), ALTERED: True}
    except (RecursionError, OverflowError, TypeError, ValueError):  # too deep, or no JSON at all
        return {ALTERED: True}


def _decoded(data: bytes) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.json.decode(data)
    return plain
