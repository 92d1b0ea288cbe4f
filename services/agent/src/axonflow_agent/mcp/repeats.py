"""A governed call under an ``Idempotency-Key`` (agent contract §1.10): judged once, then replayed byte for byte."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Awaitable, Callable

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Action, Phase, Severity, Verdict
from axonflow_database import DatabaseUnavailable
from axonflow_governance import Decision, Particulars
from axonflow_guards import Attempt, IdempotencyKeys, InvalidKey, KeyInUse, KeyReused, KeyScope, StoredReply
from axonflow_policy import Evaluation, Match
from starlette.responses import Response

from axonflow_agent.governed import Call
from axonflow_agent.mcp.content import digest

logger = logging.getLogger("axonflow.agent")

KEY_HEADER = "idempotency-key"
REPLAYED_HEADER = "Idempotent-Replayed"
_FORBIDDEN = 403


@dataclasses.dataclass(frozen=True, slots=True)
class Repeats:
    """The keys of all replicas; where they cannot be looked up, the call is judged anew."""

    keys: IdempotencyKeys

    async def once(self, call: Call, endpoint: str, work: Callable[[], Awaitable[Response]]) -> Response:
        """What ``work`` answers, or what it answered before under the same key; a repetition has a row of its own.

        Raises:
            Fault: 400 for a key that is none, 409 for one that was used for something else or is in use.
        """
        key = call.request.headers.get(KEY_HEADER)
        if key is None:
            return await work()
        caller = call.caller
        scope = KeyScope(caller.org_id, caller.tenant_id, endpoint, key)
        asked = msgspec.json.encode([caller.client_id, caller.user, call.document])

        async def kept(_attempt: Attempt) -> StoredReply:
            answered = await work()
            return StoredReply(answered.status_code, answered.media_type or "", bytes(answered.body))

        try:
            reply, is_replay = await self.keys.once(scope, asked, kept)
        except InvalidKey as error:
            raise Fault(400, str(error)) from error
        except (KeyReused, KeyInUse) as error:
            raise Fault(409, str(error)) from error
        except DatabaseUnavailable:
            if call.recorded:
                raise
            logger.warning("an Idempotency-Key cannot be looked up: the call is judged anew")
            return await work()
        if is_replay:
            await _record_replay(call, endpoint, reply)
        headers = {REPLAYED_HEADER: "true"} if is_replay else {}
        return Response(reply.body, reply.status, headers, media_type=reply.content_type)


async def _record_replay(call: Call, endpoint: str, reply: StoredReply) -> None:
    """The row of a repetition: the same verdict, and which decision it was made in; nothing is judged again."""
    told = msgspec.json.decode(reply.body)
    first = told.get("decision_id", "")
    verdict = Verdict.BLOCKED if reply.status == _FORBIDDEN else Verdict.ALLOWED
    matched = tuple(_match(each, first) for each in told.get("policy_info", {}).get("matched_policies", ()))
    decision = Decision(
        exchange=call.exchange,
        caller=call.caller,
        evaluation=Evaluation(
            verdict=verdict, matches=matched, reason=told.get("block_reason", ""), policy_set_hash=""
        ),
        verdict=verdict,
        phase=Phase.REQUEST,
        excerpt="",
        content_hash=digest(reply.body.decode()),
        redactions=0,
        latency_ms=0.0,
    )
    metadata = {"replay_of": first}
    request_type = f"mcp-{endpoint.rpartition('/')[2]}"
    await call.record(decision, stage=None, particulars=Particulars(request_type=request_type, metadata=metadata))


def _match(told: dict[str, str], decision_id: str) -> Match:
    return Match(
        policy_id=told["policy_id"],
        name=told["policy_name"],
        category=told["category"],
        severity=Severity(told["severity"]),
        priority=0,
        action=Action(told["action"]),
        origin=f"replay:{decision_id}",
        reason="",
        path="",
        spans=(),
    )
