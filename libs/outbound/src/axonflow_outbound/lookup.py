"""Names to addresses, as the machine resolves them; tests put their own in its place."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

from axonflow_outbound.hosts import Address

Lookup = Callable[[str], Awaitable[list[Address]]]
"""Every address of a name; raises ``OSError`` when there is none."""


async def system_lookup(name: str) -> list[Address]:
    """Ask the system's resolver.

    Raises:
        OSError: the name does not resolve.
    """
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(entry[4][0]) for entry in found)
    # A zone (fe80::1%eth0) is cut off: link-local addresses are refused by their range.
    return [ipaddress.ip_address(text.partition("%")[0]) for text in texts]
