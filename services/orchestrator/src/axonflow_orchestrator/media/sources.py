"""Where images come from: the request itself, or an address that the client names; never more than the bounds."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from axonflow_contracts.errors import Fault
from axonflow_outbound import EgressRefused, Outbound, OutboundFailed

from axonflow_orchestrator.media.records import MediaItem

MOST_ITEMS = 10
LARGEST_FILE_BYTES = 20 * 1024 * 1024
# All images of a call together: what a request's body may be (rulings section 3), fetched ones included.
LARGEST_CALL_BYTES = 64 * 1024 * 1024
FETCH_TIMEOUT_S = 15.0
LONGEST_URL = 2048
# Below this, a thread costs more than the work.
AT_ONCE_BYTES = 65_536

T = TypeVar("T")


class _Room:
    """Bytes that the images of one call may still take."""

    def __init__(self) -> None:
        self._left = LARGEST_CALL_BYTES

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise Fault(400, f"media is larger than {LARGEST_CALL_BYTES >> 20} MiB together")


@dataclass(frozen=True, slots=True)
class MediaSources:
    """Reads the files of a call.

    Attributes:
        outbound: checks the addresses that clients name.
    """

    outbound: Outbound

    async def read(self, media: Sequence[MediaItem]) -> list[bytes]:
        """The files, in order.

        Raises:
            Fault: 400, one is not there, not what it says, or too large; or all together are.
        """
        if len(media) > MOST_ITEMS:
            raise Fault(400, f"media must hold at most {MOST_ITEMS} images")
        room = _Room()
        return await together(self._one(index, item, room) for index, item in enumerate(media))

    async def _one(self, index: int, item: MediaItem, room: _Room) -> bytes:
        if item.source == "url":
            if item.base64_data or not item.url or len(item.url) > LONGEST_URL:
                raise Fault(400, f"media[{index}] must hold url, and no base64_data")
            return await self._fetched(index, item.url, room)
        if item.url or not item.base64_data:
            raise Fault(400, f"media[{index}] must hold base64_data, and no url")
        if len(item.base64_data) // 4 * 3 > LARGEST_FILE_BYTES + 3:
            raise _too_large(index)
        if len(item.base64_data) <= AT_ONCE_BYTES:
            data = _decoded(index, item.base64_data)
        else:
            data = await asyncio.to_thread(_decoded, index, item.base64_data)
        room.take(len(data))
        return data

    async def _fetched(self, index: int, url: str, room: _Room) -> bytes:
        taken: list[bytes] = []
        try:
            async with self.outbound.stream(
                "GET", url, headers={"accept": "image/*"}, timeout_s=FETCH_TIMEOUT_S, max_bytes=LARGEST_FILE_BYTES
            ) as reply:
                if reply.status != 200:
                    raise Fault(400, f"media[{index}] cannot be fetched: its address answered {reply.status}")
                async for chunk in reply.chunks():
                    room.take(len(chunk))
                    taken.append(chunk)
        except EgressRefused as error:
            raise Fault(400, f"media[{index}] cannot be fetched: {error.message}") from error
        except OutboundFailed as error:
            if error.reason == "oversize":
                raise _too_large(index) from error
            raise Fault(400, f"media[{index}] cannot be fetched: {error.reason}") from error
        return b"".join(taken)


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of it gives, in order; the first failure ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


def _decoded(index: int, text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # a text that is not ASCII
        raise Fault(400, f"media[{index}] base64_data must be base64, without a prefix or blanks") from None
    if len(data) > LARGEST_FILE_BYTES:
        raise _too_large(index)
    return data


def _too_large(index: int) -> Fault:
    return Fault(400, f"media[{index}] is larger than {LARGEST_FILE_BYTES >> 20} MiB")
