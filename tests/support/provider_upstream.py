"""A model provider in this process, of whatever wire format: a test scripts what it answers and reads what it got."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from aiohttp import web


@dataclasses.dataclass(frozen=True)
class Asked:
    """One request as it arrived; ``target`` is path and query as they stood on the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answering:
    """What to answer.

    ``delay_s`` passes before the first byte. With ``cut`` the connection ends after the body although its length
    promises more; with ``endless`` the body is repeated until the client goes away; with ``hang_up`` nothing is said.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    delay_s: float = 0.0
    cut: bool = False
    endless: bool = False
    hang_up: bool = False


Script = Callable[[Asked], Answering]


def answering(value: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answering:
    """A JSON answer."""
    return Answering(status=status, body=json.dumps(value).encode(), headers=headers or {})


class ProviderUpstream:
    """The running provider; ``asked`` grows as requests come in, ``script`` decides what each one gets."""

    def __init__(self, script: Script | Answering) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self.script = script

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.method, request.raw_path, request.headers, await request.read())
        self.asked.append(asked)
        answer = self.script if isinstance(self.script, Answering) else self.script(asked)
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.hang_up and request.transport is not None:
            request.transport.close()
        headers = {"Content-Type": "application/json", **answer.headers}
        if answer.cut or answer.endless:
            return await self._unfinished(request, answer, headers)
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    async def _unfinished(
        self, request: web.Request, answer: Answering, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=headers)
        if answer.cut:
            response.content_length = len(answer.body) + 1_000
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await response.write(answer.body)
            while answer.endless:
                await response.write(answer.body)
        if request.transport is not None:
            request.transport.close()
        return response


@contextlib.asynccontextmanager
async def provider_upstream(script: Script | Answering | None = None) -> AsyncIterator[ProviderUpstream]:
    """A provider at ``url`` (no path) on loopback for as long as the block runs."""
    upstream = ProviderUpstream(script or Answering())
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", upstream.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield upstream
    finally:
        await runner.cleanup()
