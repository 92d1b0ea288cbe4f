"""The Redis wire against a server that means harm: counted before it is read, refused when it is not the protocol."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from axonflow_connectors.resp import Reply, RespBroken, RespConnection, RespRefused, RespTooLarge
from axonflow_outbound import Egress, Outbound


@asynccontextmanager
async def answering(data: bytes) -> AsyncIterator[RespConnection]:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n")
            writer.write(data)
            writer.write_eof()
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with Outbound(Egress.parse("127.0.0.1")) as outbound, server:
        target = await outbound.dialable("127.0.0.1", server.sockets[0].getsockname()[1])
        connection = await RespConnection.dial(target, None)
        try:
            yield connection
        finally:
            await connection.close()
            await ended.wait()


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"+OK\r\n", b"OK"),
        (b":-7\r\n", -7),
        (b"$3\r\na\r\n\r\n", b"a\r\n"),
        (b"$-1\r\n", None),
        (b"$0\r\n\r\n", b""),
        (b"*-1\r\n", None),
        (b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", [b"a", [1]]),
    ],
)
async def test_a_reply_is_read(data: bytes, reply: Reply) -> None:
    async with answering(data) as connection:
        assert await connection.ask([b"GET", b"x"], 100) == reply


@pytest.mark.parametrize(
    "data", [b"$101\r\n", b"*1000000000\r\n", b"$" + b"9" * 19 + b"\r\n", b"*2\r\n$60\r\n" + b"x" * 60 + b"\r\n$60\r\n"]
)
async def test_what_is_over_the_limit_is_not_waited_for(data: bytes) -> None:
    async with answering(data) as connection:
        with pytest.raises(RespTooLarge):
            await asyncio.wait_for(connection.ask([b"GET", b"x"], 100), 5)


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 200 OK\r\n", b"$x\r\n", b"$\r\n", b":1e3\r\n", b"$1\r\nabc", b"*1\r\n" * 20, b"+" + b"x" * 200_000],
)
async def test_what_is_not_the_protocol_is_refused(data: bytes) -> None:
    async with answering(data) as connection:
        with pytest.raises(RespBroken):
            await connection.ask([b"GET", b"x"], 1000)


@pytest.mark.parametrize("data", [b"", b"$5\r\nab", b"*2\r\n:1\r\n", b"+OK"])
async def test_a_reply_that_ends_early_is_a_broken_connection(data: bytes) -> None:
    async with answering(data) as connection:
        with pytest.raises(EOFError):
            await connection.ask([b"GET", b"x"], 1000)


async def test_an_error_gives_its_first_word_alone() -> None:
    async with answering(b"-WRONGTYPE Operation against a key holding secret-value\r\n") as connection:
        with pytest.raises(RespRefused) as refused:
            await connection.ask([b"GET", b"x"], 1000)
    assert str(refused.value) == "WRONGTYPE"
