"""The server's own behaviour on real sockets: deadlines, unread bodies, streams, and what it refuses itself."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from axonflow_web import connection, read_body
from starlette.types import Message, Receive, Scope, Send
from support.serving import SERVERS, body_of, exchange, plain_app, served, status_of

GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
GET_AND_CLOSE = b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def reply(send: Send, body: bytes = b"ok", status: int = 200) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@plain_app
async def ignores_bodies(_scope: Scope, _receive: Receive, send: Send) -> None:
    await reply(send, b"no", 401)


@plain_app
async def counts_bodies(_scope: Scope, receive: Receive, send: Send) -> None:
    await reply(send, str(len(await read_body(receive, 1 << 30))).encode())


@plain_app
async def echoes_path(scope: Scope, _receive: Receive, send: Send) -> None:
    await reply(send, scope["path"].encode())


@pytest.mark.parametrize("server", SERVERS)
async def test_an_answer_before_a_long_body_was_read_reaches_its_client(server: str):
    body = b"x" * 4_000_000
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def answer(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body)
        try:
            return await reader.readuntil(b"\r\n\r\nno")
        finally:
            writer.close()

    async with served(ignores_bodies, server=server) as port, asyncio.timeout(10):
        answers = await asyncio.gather(*(answer(port) for _ in range(5)))
    assert [status_of(each) for each in answers] == [401] * 5


async def test_unread_bodies_leave_no_connection_behind():
    body = b"x" * 2_000_000
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with served(ignores_bodies) as port:
        before = len(asyncio.all_tasks())
        await asyncio.gather(*(exchange(port, head, body) for _ in range(20)))
        async with asyncio.timeout(5):
            while len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("server", SERVERS)
async def test_a_chunked_body_arrives_whole(server: str):
    chunks = b"".join(b"%x\r\n%b\r\n" % (size, b"y" * size) for size in (1, 10, 70_000, 3)) + b"0\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with served(counts_bodies, server=server) as port:
        assert body_of(await exchange(port, head + chunks)) == b"70014"


@pytest.mark.parametrize("server", SERVERS)
async def test_one_connection_carries_many_requests_in_order(server: str):
    requests = b"".join(GET % str(number).encode() for number in range(20)) + GET_AND_CLOSE % b"last"
    async with served(echoes_path, server=server) as port:
        answers = await exchange(port, requests)
    assert [part.split(b"HTTP/1.1")[0] for part in answers.split(b"\r\n\r\n")[1:]] == [
        *(b"/%d" % number for number in range(20)),
        b"/last",
    ]


async def test_a_head_that_drips_in_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.2)
    refused: list[str] = []
    async with served(echoes_path, refused=refused.append) as port:
        assert await exchange(port, b"GET / HTTP/1.1\r\n", b"X-Slow: ", b"1") == b""
    assert refused == ["slow_head"]


async def test_a_silent_connection_is_closed_without_being_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "KEEP_ALIVE_S", 0.2)
    refused: list[str] = []
    async with served(echoes_path, refused=refused.append) as port:
        assert await exchange(port) == b""
        assert body_of(await exchange(port, GET % b"a")) == b"/a"
    assert refused == []


async def test_deadlines_do_not_cut_a_slow_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "KEEP_ALIVE_S", 0.1)
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.1)

    @plain_app
    async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.4)
        await reply(send, b"late")

    async with served(slow) as port:
        assert body_of(await exchange(port, GET_AND_CLOSE % b"")) == b"late"


async def test_a_client_that_reads_nothing_is_cut(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "STALLED_WRITE_S", 0.2)
    refused: list[str] = []
    ended = asyncio.Event()

    @plain_app
    async def endless(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.ensure_future(_disconnect(receive))
        while not gone.done():
            await send({"type": "http.response.body", "body": b"z" * 65_536, "more_body": True})
        ended.set()

    async with served(endless, refused=refused.append) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(GET % b"")
        async with asyncio.timeout(5):
            await ended.wait()
        writer.close()
    assert refused == ["stalled_reader"]


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@pytest.mark.parametrize("server", SERVERS)
async def test_a_stream_arrives_as_it_is_made_and_ends_when_its_client_leaves(server: str):
    left = asyncio.Event()

    @plain_app
    async def events(_scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await receive()
        for number in range(3):
            await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
        await _disconnect(receive)
        left.set()

    async with served(events, server=server) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET % b"")
        async with asyncio.timeout(5):
            await reader.readuntil(b"data: 2\n\n")
            assert not left.is_set()
            writer.close()
            await left.wait()


async def test_a_hang_up_is_told_to_everyone_who_listens():
    told: list[Message] = []

    @plain_app
    async def listens_twice(_scope: Scope, receive: Receive, _send: Send) -> None:
        await _disconnect(receive)
        told.extend([await receive(), await receive()])

    async with served(listens_twice) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET % b"")
        await asyncio.sleep(0.05)
        writer.close()
        async with asyncio.timeout(5):
            while len(told) < 2:
                await asyncio.sleep(0.01)
    assert told == [{"type": "http.disconnect"}] * 2


@pytest.mark.parametrize(
    "upgrade", [b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", b""]
)
async def test_http_2_is_not_spoken(upgrade: bytes):
    async with served(echoes_path) as port:
        request = b"GET /h2c HTTP/1.1\r\nHost: x\r\n" + upgrade + b"\r\n" + GET_AND_CLOSE % b"end"
        answer = await exchange(port, request)
    assert (status_of(answer), body_of(answer).split(b"HTTP/1.1")[0]) == (200, b"/h2c")


REFUSED_BY_THE_SERVER = {
    "two different lengths": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        400,
        "malformed",
    ),
    "the same length twice": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\na",
        400,
        "malformed",
    ),
    "folded header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n 2\r\n\r\n", 400, "malformed"),
    "folded with a tab": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n\t2\r\n\r\n", 400, "malformed"),
    "space before the colon": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A : 1\r\n\r\n", 400, "malformed"),
    "NUL in a value": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n", 400, "malformed"),
    "lone CR in a value": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\rb\r\n\r\n", 400, "malformed"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "malformed"),
    "odd transfer coding": (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
        501,
        "transfer_coding",
    ),
    "two transfer codings": (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        501,
        "transfer_coding",
    ),
    "negative length": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "malformed"),
    "signed length": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na", 400, "malformed"),
    "huge head": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 200_000 + b"\r\n\r\n", 431, "head_too_large"),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "malformed"),
}


@pytest.mark.parametrize("name", REFUSED_BY_THE_SERVER)
async def test_what_the_server_refuses_is_counted_and_answered_in_json(name: str):
    request, status, reason = REFUSED_BY_THE_SERVER[name]
    refused: list[str] = []
    async with served(echoes_path, refused=refused.append) as port:
        answer = await exchange(port, request)
    assert (status_of(answer), refused) == (status, [reason])
    assert b"connection: close" in answer.lower()
    assert body_of(answer).startswith(b'{"error":"bad_request"')


async def test_a_64_kib_credential_reaches_the_service():
    value = b"a" * 65_536
    async with served(echoes_path) as port:
        answer = await exchange(
            port, b"GET /in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic " + value + b"\r\n\r\n"
        )
    assert body_of(answer) == b"/in"


async def test_idle_connections_do_not_keep_others_waiting():
    async with served(echoes_path) as port, contextlib.AsyncExitStack() as stack:
        for _ in range(500):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        assert body_of(await exchange(port, GET_AND_CLOSE % b"quick", wait_s=2)) == b"/quick"
