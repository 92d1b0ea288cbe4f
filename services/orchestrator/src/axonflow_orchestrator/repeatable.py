"""Calls that an ``Idempotency-Key`` makes repeatable: answered once, then byte for byte again."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_database import DatabaseUnavailable
from axonflow_guards import Attempt, IdempotencyKeys, InvalidKey, KeyInUse, KeyReused, KeyScope, StoredReply
from axonflow_web import fault_response
from starlette.requests import Request
from starlette.responses import Response

from axonflow_orchestrator.families import surface_of

KEY_HEADER = "idempotency-key"
REPLAYED_HEADER = "idempotent-replayed"
_JSON = "application/json"

Work = Callable[[Attempt], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Repeatable:
    """Runs the work of a call whose endpoint takes keys."""

    keys: IdempotencyKeys

    async def answer(self, request: Request, caller: Caller, body: bytes, work: Work) -> Response:
        """What ``work`` answers, or answered before under the same key.

        Raises:
            Fault: 400 for the key, 409 where it was used for another body or its first call is under way, 503, and
                without a key whatever ``work`` raises.
        """
        key = request.headers.get(KEY_HEADER)
        if key is None:
            return await work(Attempt(datetime.now(UTC), str(uuid.uuid4())))
        path = request.url.path
        scope = KeyScope(caller.org_id, caller.tenant_id, f"{request.method} {path}", key)

        async def once(attempt: Attempt) -> StoredReply:
            return await _kept(path, work, attempt)

        try:
            reply, replayed = await self.keys.once(scope, body, once)
        except InvalidKey as error:
            raise Fault(400, str(error)) from error
        except KeyReused as error:
            raise Fault(409, str(error), code="IDEMPOTENCY_KEY_MISMATCH") from error
        except KeyInUse as error:
            raise Fault(409, str(error), headers={"Retry-After": "1"}) from error
        except DatabaseUnavailable as error:
            message = "The Idempotency-Key cannot be looked up: PostgreSQL does not answer"
            raise Fault(503, message, headers={"Retry-After": "1"}) from error
        headers = {REPLAYED_HEADER: "true"} if replayed else {}
        return Response(reply.body, reply.status, headers, reply.content_type)


async def _kept(path: str, work: Work, attempt: Attempt) -> StoredReply:
    try:
        response = await work(attempt)
    except Fault as fault:
        if fault.status >= 500:
            raise
        response = fault_response(surface_of(path), fault)
    return StoredReply(response.status_code, response.media_type or _JSON, bytes(response.body))
