"""Runs an application's ASGI lifespan: its start before the listener opens, its end within a stated time."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Scope


class Lifespan:
    """Drives one application through its lifespan.

    Attributes:
        state: what the application yielded, shown to each request as ``scope["state"]``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run the application's start to its end.

        Raises:
            Exception: whatever the application raised; it is not served then.
        """
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.create_task(self._run(scope))
        await self._phase("startup")

    async def stop(self) -> None:
        """Run the application's end.

        Raises:
            Exception: whatever the application raised.
        """
        await self._phase("shutdown")
        if self._task is not None:
            await self._task

    async def _run(self, scope: Scope) -> None:
        await self._app(scope, self._inbox.get, self._outbox.put)

    async def _phase(self, phase: str) -> None:
        assert self._task is not None, "start() comes first"  # noqa: S101 - a slip of ours, not an input
        await self._inbox.put({"type": f"lifespan.{phase}"})
        answer = asyncio.create_task(self._outbox.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and answer.result()["type"] == f"lifespan.{phase}.complete":
            return
        answer.cancel()
        # The exception says more than the message of a "failed" event does.
        await self._task
        raise RuntimeError(f"the application ended during {phase}")
