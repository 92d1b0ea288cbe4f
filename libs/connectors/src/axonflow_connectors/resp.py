"""The Redis protocol (RESP2) as far as a caller of single commands needs it, with a limit on what is read."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

from axonflow_outbound import Dialable

Reply = bytes | int | None | list["Reply"]

_DEEPEST = 8
_END = b"\r\n"


class RespRefused(Exception):
    """The server answered with an error; ``code`` is its first word, such as WRONGTYPE."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RespTooLarge(Exception):
    """The reply is over the limit; the connection can be used no more."""


class RespBroken(Exception):
    """What came is not RESP2."""


class RespConnection:
    """One connection, one command at a time; nothing is sent twice and nothing reconnects."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._left = 0

    @classmethod
    async def dial(cls, target: Dialable, tls: ssl.SSLContext | None) -> RespConnection:
        """Connect to the checked address; the certificate is verified for the name.

        Raises:
            OSError: no connection, or no TLS.
        """
        name = target.host if tls is not None else None
        reader, writer = await asyncio.open_connection(target.address, target.port, ssl=tls, server_hostname=name)
        return cls(reader, writer)

    async def ask(self, command: Sequence[bytes], max_bytes: int) -> Reply:
        """Send one command and read its reply, of at most ``max_bytes`` on the wire.

        Raises:
            RespRefused: the server answered with an error; the connection is still good.
            RespTooLarge, RespBroken, OSError, EOFError: it is not.
        """
        head = b"*%d\r\n" % len(command)
        self._writer.write(head + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in command))
        await self._writer.drain()
        self._left = max_bytes
        return await self._reply(0)

    async def _reply(self, depth: int) -> Reply:
        line = await self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RespRefused(rest.split(b" ", 1)[0].decode("ascii", "replace")[:32])
        if kind == b":":
            return _number(rest)
        if kind == b"$":
            return await self._bulk(_number(rest))
        if kind == b"*" and depth < _DEEPEST:
            count = _number(rest)
            if count > self._left:  # an element takes more than a byte
                raise RespTooLarge
            return None if count < 0 else [await self._reply(depth + 1) for _ in range(count)]
        raise RespBroken

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readuntil(_END)
        except asyncio.LimitOverrunError as error:
            raise RespBroken from error
        self._spend(len(line))
        return line[:-2]

    async def _bulk(self, length: int) -> bytes | None:
        if length < 0:
            return None
        self._spend(length + 2)
        data = await self._reader.readexactly(length + 2)
        if not data.endswith(_END):
            raise RespBroken
        return data[:-2]

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise RespTooLarge

    async def close(self) -> None:
        """Let go of the socket without waiting for the other side."""
        self._writer.transport.abort()


def _number(text: bytes) -> int:
    if not text or len(text) > 20 or not text.removeprefix(b"-").isdigit():
        raise RespBroken
    return int(text)
