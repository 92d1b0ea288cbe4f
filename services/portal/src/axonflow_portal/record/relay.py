"""A file passed on while it arrives: never held whole, cut where its source is cut, let go when the reader leaves."""

from __future__ import annotations

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from axonflow_portal.exchange import Download


class Relay(StreamingResponse):
    """A download as a response; a failure on the way ends it with an error, so half a file never looks whole."""

    def __init__(self, download: Download) -> None:
        super().__init__(download.pieces, headers=download.headers)
        self._stack = download.stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and close the source whatever happens."""
        async with self._stack:
            await super().__call__(scope, receive, send)
