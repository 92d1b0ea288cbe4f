"""Threads of one connector's blocking driver: a slow server takes none from its neighbours or from the loop's own pool.

The loop's pool is small, and name look-ups, large bodies and judgements of answers wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST_THREADS = 4


class Threads:
    """At most ``MOST_THREADS`` calls at a time; others wait, within their own time."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="connector")

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What ``work`` gives. Cancelled, it does not begin any more; what has begun goes on unheard."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*arguments, **named))

    def close(self) -> None:
        """Begin nothing further; idle threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
