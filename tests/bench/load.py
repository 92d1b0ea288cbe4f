"""The load generator where Go is missing; the same flags and the same summary as `go/load.go`.

Without a rate it is a closed loop: a connection sends its next request when it has its answer. With one it is an open
loop: requests leave on time, whatever happened to those before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from pathlib import Path
from typing import cast

from bench.wire import content_length, loop_factory

HEAD = (
    "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
    "X-Provider-Key: sk-bench-0123456789\r\nContent-Length: {}\r\n\r\n"
)
BODY = '{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"{}"}}]}}'


class Caller(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, words: list[str], chars: int, seed: int) -> None:
        self._words, self._chars, self._random = words, chars, random.Random(seed)
        self._transport: asyncio.Transport | None = None
        self._seen = bytearray()
        self._answered: asyncio.Future[bool] | None = None
        self.latencies: list[float] = []
        self.failures = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._answer(good=False)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        end = self._seen.find(b"\r\n\r\n")
        if end >= 0 and len(self._seen) >= end + 4 + content_length(self._seen[:end]):
            good = self._seen.startswith(b"HTTP/1.1 200")
            self._seen.clear()
            self._answer(good=good)

    def _answer(self, *, good: bool) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(good)

    async def call(self) -> None:
        if self._transport is None:
            self.failures += 1
            await asyncio.sleep(0.01)  # a dead connection must not spin
            return
        text = " ".join(self._random.choices(self._words, k=self._chars // 7))
        body = BODY.format(text)
        self._answered = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        self._transport.write((HEAD.format(len(body)) + body).encode())
        if await self._answered:
            self.latencies.append((time.perf_counter() - began) * 1000)
        else:
            self.failures += 1

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def closed_loop(callers: list[Caller], seconds: float) -> None:
    end = time.perf_counter() + seconds

    async def loop(caller: Caller) -> None:
        while time.perf_counter() < end:
            await caller.call()

    await asyncio.gather(*map(loop, callers))


async def open_loop(callers: list[Caller], seconds: float, rate: float) -> None:
    free: asyncio.Queue[Caller] = asyncio.Queue()
    for caller in callers:
        free.put_nowait(caller)

    async def one(caller: Caller) -> None:
        await caller.call()
        free.put_nowait(caller)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * rate)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            group.create_task(one(await free.get()))


async def run(arguments: argparse.Namespace) -> dict[str, float]:
    host, _, port = arguments.address.partition(":")
    words = Path(arguments.words).read_text("utf-8").split()
    seed = time.time_ns()
    callers: list[Caller] = []
    for number in range(arguments.connections):
        caller = Caller(words, arguments.chars, seed + number)
        await asyncio.get_running_loop().create_connection(lambda caller=caller: caller, host, int(port))
        callers.append(caller)
    began = time.perf_counter()
    if arguments.rate:
        await open_loop(callers, arguments.seconds, arguments.rate)
    else:
        await closed_loop(callers, arguments.seconds)
    took = time.perf_counter() - began
    for caller in callers:
        caller.close()
    latencies = sorted(latency for caller in callers for latency in caller.latencies)
    last = len(latencies) - 1
    return {
        "requests": len(latencies),
        "failures": sum(caller.failures for caller in callers),
        "seconds": took,
        "p50_ms": latencies[int(last * 0.5)] if latencies else 0.0,
        "p99_ms": latencies[int(last * 0.99)] if latencies else 0.0,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-address", required=True)
    parser.add_argument("-words", required=True)
    parser.add_argument("-connections", type=int, default=32)
    parser.add_argument("-seconds", type=float, default=3)
    parser.add_argument("-rate", type=float, default=0)
    parser.add_argument("-chars", type=int, default=1024)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        print(json.dumps(runner.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
