"""An agent for the portal's tests: a real server on loopback that checks tokens and can be told to misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.policies import Pagination, StaticPolicy, StaticPolicyList
from axonflow_internal_auth import TOKEN_HEADER, InvalidToken, TokenVerifier, target_of
from axonflow_settings import Secret
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from support.processes import free_port

SECRET = "stand-in-secret-0123456789abcdef0123456789"


@dataclass
class AgentStandIn:
    """The running stand-in and what it does next.

    Attributes:
        status: what the list answers when it is not 200.
        body: what it answers in place of a list.
        stop_after_page: pages beyond this one are empty, whatever the total says.
        fail_after_page: pages beyond this one are answered 500.
        delay_s: how long it waits before it answers.
        callers: whom each accepted call spoke for.
    """

    port: int
    policies: Sequence[StaticPolicy] = ()
    status: int = 200
    body: bytes | None = None
    stop_after_page: int | None = None
    fail_after_page: int | None = None
    delay_s: float = 0.0
    callers: list[Caller] = field(default_factory=list)
    secret: str = SECRET

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path == "/health":
            return JSONResponse({"status": "healthy"})
        verifier = TokenVerifier((Secret(self.secret),), "agent")
        token = request.headers.get(TOKEN_HEADER, "")
        try:
            caller = await verifier.verify(token, request.method, target_of(request.scope))
        except InvalidToken as error:
            return JSONResponse({"error": {"code": 401, "message": str(error)}}, 401)
        self.callers.append(caller)
        await asyncio.sleep(self.delay_s)
        return self._list(int(request.query_params["page"]), int(request.query_params["page_size"]))

    def _list(self, page: int, size: int) -> Response:
        if self.status != 200:
            headers = {"location": "/elsewhere"} if 300 <= self.status < 400 else None
            return Response(json.dumps({"error": "told to"}), self.status, headers)
        if self.body is not None:
            return Response(self.body, media_type="application/json")
        if self.fail_after_page is not None and page > self.fail_after_page:
            return JSONResponse({"error": {"code": 500, "message": "told to"}}, 500)
        rows = tuple(self.policies[(page - 1) * size : page * size])
        if self.stop_after_page is not None and page > self.stop_after_page:
            rows = ()
        total = len(self.policies)
        pages = Pagination(page=page, page_size=size, total=total, total_pages=-(-total // size))
        return Response(msgspec.json.encode(StaticPolicyList(policies=rows, pagination=pages)))


@contextlib.contextmanager
def agent_stand_in(policies: Sequence[StaticPolicy], *, secret: str = SECRET) -> Iterator[AgentStandIn]:
    """A stand-in that lists ``policies``, for as long as the block runs."""
    agent = AgentStandIn(free_port(), policies, secret=secret)
    config = Config()
    config.bind = [f"127.0.0.1:{agent.port}"]
    config.errorlog = None
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=_run, args=(loop, agent, config, stop), daemon=True)
    thread.start()
    _wait_until_open(agent.port)
    try:
        yield agent
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def _run(loop: asyncio.AbstractEventLoop, agent: AgentStandIn, config: Config, stop: asyncio.Event) -> None:
    asyncio.set_event_loop(loop)
    with contextlib.closing(loop):
        loop.run_until_complete(serve(agent, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]


def _wait_until_open(port: int, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.01)
    raise AssertionError(f"the stand-in does not listen after {timeout_s} s")
