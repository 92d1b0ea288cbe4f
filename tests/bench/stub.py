"""The upstream where Go is missing: answers every request with the bytes of a file (`python -m bench.stub FILE`)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import cast

from bench.wire import content_length, loop_factory, serve_forever


class Stub(asyncio.Protocol):
    def __init__(self, reply: bytes) -> None:
        self._reply = reply
        self._transport: asyncio.Transport | None = None
        self._seen = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._seen += data
        while True:
            end = self._seen.find(b"\r\n\r\n")
            if end < 0:
                return
            whole = end + 4 + content_length(self._seen[:end])
            if len(self._seen) < whole:
                return
            del self._seen[:whole]
            self._transport.write(self._reply)


async def main(reply_file: str) -> None:
    body = Path(reply_file).read_bytes()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    await serve_forever(lambda: Stub(head.encode() + body))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main(sys.argv[1]))
