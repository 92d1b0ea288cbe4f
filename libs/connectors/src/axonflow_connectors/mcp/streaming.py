"""An MCP server over Streamable HTTP, every request of the SDK's client through the deployment's egress rules."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
from axonflow_outbound import Outbound
from mcp.client.streamable_http import streamable_http_client

from axonflow_connectors.dialling import outbound_faults
from axonflow_connectors.faults import ConnectorFault
from axonflow_connectors.http_answers import refuse_status

LARGEST_ANSWER_BYTES = 16 << 20
_LONGEST_REQUEST_S = 900.0  # calls have their own, shorter time; this ends what nobody waits for
_LONGEST_LISTENING_S = 86_400.0
_LONGEST_GOODBYE_S = 2.0  # whoever closes a connector waits for it, and a server may never answer
_OURS = {"host", "connection", "accept-encoding", "content-length", "transfer-encoding"}
_HELD_CHUNKS = 8


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Carries the SDK's requests; follows no redirect, and never reads more than the limit.

    Attributes:
        failure: why the last request that failed did, for whoever asks the SDK and gets a lesser reason.
    """

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self.failure: ConnectorFault | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer with what came; a request that did not come through is a 502 with its reason in ``failure``."""
        exchange = _Exchange(self, request, await request.aread())
        try:
            status, headers = await asyncio.shield(exchange.head)
            refuse_status(status)
        except ConnectorFault as fault:
            if request.method == "POST":  # a server need not send messages of its own, nor end sessions
                self.failure = fault
            await exchange.aclose()
            return httpx2.Response(502)
        except asyncio.CancelledError:
            await exchange.aclose()
            raise
        return httpx2.Response(status, headers=headers, stream=exchange)

    async def send(self, exchange: _Exchange, request: httpx2.Request, body: bytes) -> None:
        """Run one exchange to its end; in a task of its own, so that nobody's time limit ends another's."""
        listening = request.method == "GET"
        longest = {"GET": _LONGEST_LISTENING_S, "DELETE": _LONGEST_GOODBYE_S}
        with outbound_faults():
            async with self._outbound.stream(
                request.method,
                str(request.url),
                headers={name: value for name, value in request.headers.items() if name not in _OURS},
                body=body or None,
                timeout_s=longest.get(request.method, _LONGEST_REQUEST_S),
                max_bytes=0 if listening else LARGEST_ANSWER_BYTES,
            ) as streamed:
                exchange.head.set_result((streamed.status, dict(streamed.headers)))
                async for chunk in streamed.chunks():
                    await exchange.chunks.put(chunk)


class _Exchange(httpx2.AsyncByteStream):
    """One request under way, and its body for the reader."""

    def __init__(self, transport: CheckedTransport, request: httpx2.Request, body: bytes) -> None:
        self.head: asyncio.Future[tuple[int, dict[str, str]]] = asyncio.get_running_loop().create_future()
        self.chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_HELD_CHUNKS)
        self._transport = transport
        self._task = asyncio.create_task(self._run(request, body))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self.chunks.get()) is not None:
            yield chunk

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})
        if self.head.done() and not self.head.cancelled():
            self.head.exception()
        else:
            self.head.cancel()

    async def _run(self, request: httpx2.Request, body: bytes) -> None:
        """An answer that breaks off ends early: what is left of it is no message, and ``failure`` says why."""
        try:
            await self._transport.send(self, request, body)
        except ConnectorFault as fault:
            if not self.head.done():
                self.head.set_exception(fault)
                return
            self._transport.failure = fault
        await self.chunks.put(None)


class HttpServer:
    """The streams of one server over HTTP."""

    def __init__(self, url: str, headers: Mapping[str, str], outbound: Outbound) -> None:
        self._url = url
        self._headers = dict(headers)
        self.transport = CheckedTransport(outbound)

    @contextlib.asynccontextmanager
    async def streams(self) -> AsyncIterator[Any]:
        """For one connection of an SDK session."""
        client = httpx2.AsyncClient(
            transport=self.transport, headers=self._headers, timeout=None, trust_env=False, follow_redirects=False
        )
        async with (
            client,
            streamable_http_client(self._url, http_client=client, max_sse_event_size=LARGEST_ANSWER_BYTES) as streams,
        ):
            yield streams

    def take_failure(self) -> ConnectorFault | None:
        """Why the last request failed, told once."""
        failure, self.transport.failure = self.transport.failure, None
        return failure
