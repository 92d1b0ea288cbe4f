"""What the benchmark's own servers and clients know of HTTP: where a head ends and how long its body is."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def content_length(head: bytes | bytearray) -> int:
    """The body's length that a head announces; nothing here speaks chunked."""
    found = _CONTENT_LENGTH.search(head)
    return int(found.group(1)) if found else 0


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop  # type: ignore[no-any-return]
    return None


async def serve_forever(protocol: Callable[[], asyncio.Protocol]) -> None:
    """Serve on a port of the system's choice, and print it for whoever started us."""
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
