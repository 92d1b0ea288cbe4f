"""Asks the orchestrator on behalf of a caller, with the signed token that forwarded requests carry."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from axonflow_telemetry import TraceContext
from yarl import URL

AUDIENCE = "orchestrator"
TIMEOUT_S = 30.0
UNAVAILABLE = "Backend service unavailable"


class Answer(NamedTuple):
    """What the orchestrator said; ``body`` is its JSON, or None for no content."""

    status: int
    body: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Orchestrator:
    """Reaches the orchestrator.

    Attributes:
        session: connections to the services behind the agent.
        minter: signs each request.
        base_url: the orchestrator's address.
    """

    session: aiohttp.ClientSession
    minter: TokenMinter
    base_url: str

    async def ask(
        self,
        caller: Caller,
        trace: TraceContext,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One request as ``caller``; each status is an answer.

        Raises:
            Fault: 502 when there is no answer, or none that is JSON.
        """
        target = f"{path}?{urlencode(query)}" if query else path
        data = b"" if body is None else msgspec.json.encode(body)
        token = self.minter.mint(audience=AUDIENCE, caller=caller, method=method, target=target, body=data)
        headers = {
            TOKEN_HEADER: token,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "traceparent": trace.child_traceparent(),
        }
        try:
            async with asyncio.timeout(TIMEOUT_S), self._sent(method, target, headers, data) as response:
                raw = await response.read()
                return Answer(response.status, msgspec.json.decode(raw) if raw else None)
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            raise Fault(502, UNAVAILABLE, details={"service": AUDIENCE}) from error

    def _sent(
        self, method: str, target: str, headers: Mapping[str, str], data: bytes
    ) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        url = URL(self.base_url + target, encoded=True)
        return self.session.request(method, url, headers=headers, data=data or None, allow_redirects=False)


def segment(value: str) -> str:
    """``value`` as one segment of a path."""
    return quote(value, safe="")
