"""The Python floor: bytes in, the same bytes out, a connection to the upstream for each caller's.

It reads no HTTP at all; what it costs is what asyncio costs (`python -m bench.byte_forwarder HOST PORT`).
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

from bench.wire import loop_factory, serve_forever


class Pipe(asyncio.Protocol):
    """One direction; what it receives goes to the other one's transport."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Pipe | None = None
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            self.early.append(data)
        else:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class Front(Pipe):
    """The caller's side, which opens the other one."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._upstream = (host, port)
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        _, back = await asyncio.get_running_loop().create_connection(Pipe, *self._upstream)
        back.other, self.other = self, back
        assert back.transport is not None
        for data in self.early:
            back.transport.write(data)


async def main(host: str, port: str) -> None:
    await serve_forever(lambda: Front(host, int(port)))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main(*sys.argv[1:3]))
