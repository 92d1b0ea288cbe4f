"""A live connection to one MCP server: opened when first needed, opened again after it broke, with back-off.

The SDK's session lives in a task of its own, since its scopes belong to the task that opened them; calls come from
any. Nothing is ever asked twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import mcp_types
from axonflow_settings import StdioCommand
from mcp.client import ClientSession, IncomingMessage
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.mcp.listing import MOST_PAGES, Listing, listing
from axonflow_connectors.mcp.stdio import stdio_streams
from axonflow_connectors.mcp.streaming import HttpServer

T = TypeVar("T")
START_S = 20.0
RELIST_S = 30.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_CLIENT = mcp_types.Implementation(name="axonflow", version="8.4.0")
# They quote what servers send, in their errors.
_TALKATIVE = ("client", "mcp.client", "mcp.shared", "httpx2")


class Link:
    """One server under one configuration; ``open_streams`` makes the streams of one connection."""

    def __init__(
        self,
        open_streams: Callable[[], AbstractAsyncContextManager[Any]],
        reason: Callable[[], ConnectorFault | None] = lambda: None,
    ) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._open_streams = open_streams
        self._reason = reason
        self._lock = asyncio.Lock()
        self._listing_lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[ClientSession] | None = None
        self._listing: Listing | None = None
        self._listed_at = 0.0
        self._news = False
        self._wait_s = 0.0
        self._not_before = 0.0
        self._closed = False

    @classmethod
    def to_command(cls, command: StdioCommand) -> Link:
        """A child that runs one of the operator's command lines."""
        return cls(lambda: stdio_streams(command))

    @classmethod
    def to_server(cls, server: HttpServer) -> Link:
        """A server over Streamable HTTP."""
        return cls(server.streams, server.take_failure)

    async def listing(self) -> Listing:
        """The tools that the server offers now: what was heard last, unless it said that they changed or is old.

        Raises:
            ConnectorFault: it does not answer, or not in the protocol.
        """
        async with self._listing_lock:
            if self._listing is None or time.monotonic() - self._listed_at > RELIST_S or self._news:
                self._news, self._listed_at = False, time.monotonic()
                self._listing = None  # a listing that fails leaves none behind
                self._listing = await self._ask(_list_all)
            return self._listing

    async def call(self, name: str, arguments: Mapping[str, Any]) -> mcp_types.CallToolResult:
        """Call a tool, once.

        Raises:
            ConnectorFault: there is no result.
        """
        return await self._ask(lambda session: session.call_tool(name, dict(arguments)))

    async def server(self) -> Mapping[str, str]:
        """Who answered.

        Raises:
            ConnectorFault: nobody did.
        """
        session = await self._session()
        info = session.server_info
        return {"server": f"{info.name[:100]} {info.version[:50]}"} if info else {}

    async def close(self) -> None:
        """End the connection, and the child with it."""
        self._closed = True
        await self._drop()

    async def _ask(self, question: Callable[[ClientSession], Awaitable[T]]) -> T:
        session, task = await self._session(), self._task
        asked = asyncio.ensure_future(question(session))
        try:
            # Whoever waits must not wait for a server that is gone.
            await asyncio.wait({asked, *([task] if task else [])}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                raise self._broken(self._reason())
            answer = asked.result()
        except MCPError as error:
            failure = self._reason()
            if failure is not None and failure.kind is FaultKind.TOO_LARGE:
                raise failure from error
            if failure is not None or error.code == mcp_types.CONNECTION_CLOSED:
                raise self._broken(failure) from error
            raise ConnectorFault(FaultKind.FAILED, "The MCP server refused the request") from error
        except (RuntimeError, ValidationError) as error:
            raise ConnectorFault(FaultKind.FAILED, "The MCP server's answer is not usable") from error
        finally:
            asked.cancel()
        self._wait_s = 0.0
        return answer

    def _broken(self, failure: ConnectorFault | None) -> ConnectorFault:
        """What to tell when the connection is no longer usable; the next call opens another."""
        if self._task is not None:
            self._task.cancel()
        self._ready = None
        return failure or ConnectorFault(FaultKind.UNREACHABLE, "The MCP server is gone")

    async def _session(self) -> ClientSession:
        async with self._lock:
            if self._closed:
                raise ConnectorFault(FaultKind.UNREACHABLE, "The connector is closed")
            if self._task is None or self._task.done() or self._ready is None:
                self._refuse_haste()
                await self._drop()
                self._ready = asyncio.get_running_loop().create_future()
                self._task = asyncio.create_task(self._live(self._ready))
            return await asyncio.shield(self._ready)

    def _refuse_haste(self) -> None:
        left = self._not_before - time.monotonic()
        if left > 0:
            raise ConnectorFault(FaultKind.UNREACHABLE, f"The MCP server went away; it is tried again in {left:.1f} s")
        self._wait_s = min(max(_FIRST_WAIT_S, 2 * self._wait_s), _LONGEST_WAIT_S)

    async def _live(self, ready: asyncio.Future[ClientSession]) -> None:
        try:
            async with (
                asyncio.timeout(START_S) as starting,
                self._open_streams() as (received, sent),
                ClientSession(received, sent, client_info=_CLIENT, message_handler=self._heard) as session,
            ):
                await session.initialize()
                starting.reschedule(None)
                ready.set_result(session)
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise
        except ConnectorFault as fault:
            self._unopened(ready, fault)
        except TimeoutError:
            self._unopened(ready, ConnectorFault(FaultKind.TIMEOUT, "The MCP server did not start in time"))
        except Exception as error:  # noqa: BLE001 - whatever the SDK's task groups raise, the server is not usable
            unusable = self._reason() or ConnectorFault(FaultKind.UNREACHABLE, "The MCP server cannot be talked to")
            unusable.__cause__ = error
            self._unopened(ready, unusable)
        finally:
            self._listing = None
            self._not_before = time.monotonic() + self._wait_s
            ready.cancel()

    def _unopened(self, ready: asyncio.Future[ClientSession], fault: ConnectorFault) -> None:
        if not ready.done():
            ready.set_exception(fault)
            ready.exception()  # perhaps nobody waits any more

    async def _heard(self, message: IncomingMessage) -> None:
        """A notice of changed tools; nothing else that a server says of itself is taken."""
        if isinstance(message, mcp_types.ToolListChangedNotification):
            self._news = True

    async def _drop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None


async def _list_all(session: ClientSession) -> Listing:
    pages: list[mcp_types.Tool] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await session.list_tools(params=mcp_types.PaginatedRequestParams(cursor=cursor))
        pages += page.tools
        cursor = page.next_cursor
        if not cursor:
            return listing(pages)
    raise ConnectorFault(FaultKind.TOO_LARGE, "The MCP server's list of tools has no end")
