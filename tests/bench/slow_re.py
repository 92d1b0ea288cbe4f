"""Python's `re`, pattern by pattern, in a process of its own that can be ended, since a search has no time limit."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self


class LimitedRe:
    """Searches a text for every pattern within a limit; once over it, the process is replaced by a new one."""

    def __init__(self, patterns: Sequence[str], limit_s: float) -> None:
        self.limit_s = limit_s
        self._patterns = [pattern.replace(r"\z", r"\Z") for pattern in patterns]
        self._start()

    def took_us(self, text: str) -> float | None:
        """Processor time in microseconds, or None where the limit was not enough."""
        self._here.send(text)
        if self._here.poll(self.limit_s):
            return float(self._here.recv())
        self.close()
        self._start()
        return None

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._here.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, self._patterns), daemon=True)
        self._process.start()
        there.close()
        self._here.recv()  # it has compiled


def _serve(connection: Connection, sources: list[str]) -> None:
    patterns = [re.compile(source) for source in sources]
    connection.send("ready")
    while True:
        text = connection.recv()
        start = time.process_time_ns()
        for pattern in patterns:
            pattern.search(text)
        connection.send((time.process_time_ns() - start) / 1000)
