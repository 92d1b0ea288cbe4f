"""Bodies are counted as they arrive, whatever was announced."""

from __future__ import annotations

import asyncio

import pytest
from axonflow_contracts.errors import Fault
from axonflow_web import ClientGone, read_body, replay
from starlette.requests import Request
from starlette.types import Message, Receive
from support.serving import http_scope


def channel(*messages: Message) -> Receive:
    pending = list(messages)

    async def receive() -> Message:
        if not pending:
            await asyncio.Event().wait()
        return pending.pop(0)

    return receive


def part(data: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


async def test_parts_are_joined():
    assert await read_body(channel(part(b"ab"), part(b""), part(b"c"), part(b"", more=False)), 3) == b"abc"


async def test_a_body_of_exactly_the_limit_is_read():
    assert await read_body(channel(part(b"abc", more=False)), 3) == b"abc"


async def test_one_byte_more_is_413_and_closes_the_connection():
    with pytest.raises(Fault) as caught:
        await read_body(channel(part(b"ab"), part(b"cd")), 3)
    assert (caught.value.status, caught.value.headers) == (413, {"connection": "close"})


async def test_an_announced_length_above_the_limit_is_413_before_anything_is_read():
    request = Request(http_scope("POST", headers=[(b"content-length", b"4")]), channel())
    with pytest.raises(Fault) as caught:
        await read_body(request, 3)
    assert caught.value.status == 413


@pytest.mark.parametrize("announced", [b"1", b"0", b"", b"-1", b"x", b"9" * 30])
async def test_a_length_that_lies_does_not_matter(announced: bytes):
    request = Request(http_scope("POST", headers=[(b"content-length", announced)]), channel(part(b"abcd")))
    with pytest.raises(Fault) as caught:
        await read_body(request, 3)
    assert caught.value.status == 413


async def test_a_caller_that_hangs_up_is_gone():
    with pytest.raises(ClientGone):
        await read_body(channel(part(b"ab"), {"type": "http.disconnect"}), 10)


async def test_a_body_that_drips_is_given_up():
    with pytest.raises(Fault) as caught:
        await read_body(channel(part(b"a")), 10, timeout_s=0.02)
    assert caught.value.status == 408


async def test_a_body_can_be_read_again_and_the_hang_up_still_comes():
    receive = replay(b"abc", channel({"type": "http.disconnect"}))
    assert await read_body(receive, 3) == b"abc"
    assert await receive() == {"type": "http.disconnect"}
