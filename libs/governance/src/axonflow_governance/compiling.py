"""Compiles tenants' policies in a limited child process: whatever they are, this process goes on serving."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import signal
import sys
from collections.abc import Iterable

import msgspec
from axonflow_policy import Policy

from axonflow_governance import compile_child
from axonflow_governance.compile_child import Job, Outcome
from axonflow_governance.errors import CompilerUnavailable, PoliciesRefused

logger = logging.getLogger("axonflow.governance.compiling")

# All that a child inherits: where this interpreter finds its libraries, on the few machines that need it.
_INHERITED = ("LD_LIBRARY_PATH",)


@dataclasses.dataclass(frozen=True, slots=True)
class CompileLimits:
    """What the policies of one tenant may cost.

    Attributes:
        cpu_s: processor time to compile and to try them.
        wall_s: time until the child is given up; below the database's limit for a statement, as others may wait.
        memory_bytes: address space of the child, its interpreter included.
        scan_ms: processor time for a text of 100 KB.
        dump_bytes: how large the compiled database may be.
    """

    cpu_s: int = 5
    wall_s: float = 8.0
    memory_bytes: int = 512 << 20
    scan_ms: float = 10.0
    dump_bytes: int = 16 << 20


class PolicyCompiler:
    """Starts the children, few at a time."""

    def __init__(self, limits: CompileLimits | None = None, *, children: int = 2) -> None:
        self._limits = limits or CompileLimits()
        self._places = asyncio.Semaphore(children)

    async def compile(self, policies: Iterable[Policy]) -> bytes:
        """The dump of `TenantRules` for ``policies``; empty on a machine without Vectorscan.

        Raises:
            PoliciesRefused: with the engine's reason, or the limit that they went over.
            CompilerUnavailable: no child could be started, or it failed by itself; the policies may be sound.
        """
        limits = self._limits
        job = Job(tuple(policies), limits.cpu_s, limits.memory_bytes, limits.scan_ms, limits.dump_bytes)
        async with self._places:
            answer, code = await self._run(msgspec.json.encode(job))
        if code > 0:
            raise CompilerUnavailable(f"the policies cannot be compiled: the process for it ended with {code}")
        if code < 0:
            raise PoliciesRefused(self._cause_of_death(-code))
        outcome = msgspec.json.decode(answer, type=Outcome)
        if outcome.refused:
            raise PoliciesRefused(outcome.refused)
        return outcome.dump

    async def _run(self, job: bytes) -> tuple[bytes, int]:
        try:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                compile_child.__file__,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={name: os.environ[name] for name in _INHERITED if name in os.environ},
                start_new_session=True,
            )
        except OSError as error:
            raise CompilerUnavailable(f"the policies cannot be compiled now: {error}") from error
        try:
            async with asyncio.timeout(self._limits.wall_s):
                answer, _ = await child.communicate(job)
        except TimeoutError as error:
            raise PoliciesRefused(f"compiling takes more than {self._limits.wall_s:g} s") from error
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await asyncio.shield(child.wait())
        return answer, await child.wait()

    def _cause_of_death(self, number: int) -> str:
        logger.warning("a child that compiled policies was ended by signal %d", number)
        if number in {signal.SIGXCPU, signal.SIGKILL}:  # which of them depends on where it was
            return f"compiling takes more than {self._limits.cpu_s} s of processor time"
        return f"compiling takes more than {self._limits.memory_bytes >> 20} MiB of memory"
