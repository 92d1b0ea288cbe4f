"""Keeps one service running: starts it, waits for its health, starts it again when it dies, ends it when asked."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from axonflow_native.log_files import last_sentence
from axonflow_native.processes import ProcessRecord
from axonflow_native.refusal import CannotStart

HEALTH_TIMEOUT_S = 3.0
HEALTH_PAUSE_S = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """How one service is run and where it answers.

    Attributes:
        name: agent, orchestrator or portal.
        command: program and arguments.
        environment: the whole environment of the process.
        health_url: answers 200 once the service can be used.
        log_file: takes what it writes to stdout and stderr.
        working_dir: where it runs.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    health_url: str
    log_file: Path
    working_dir: Path


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """How patient the supervisor is.

    Attributes:
        first_s: pause before the first restart; each further one doubles it.
        longest_s: the longest pause.
        steady_s: a service that lived this long begins with ``first_s`` again.
        tries: a service that never answered and died this often is given up.
        start_limit_s: how long the first start may take.
    """

    first_s: float = 0.25
    longest_s: float = 30.0
    steady_s: float = 30.0
    tries: int = 3
    start_limit_s: float = 180.0


class Keeper:
    """One service and its restarts; ``healthy`` is set once it has answered for the first time."""

    def __init__(self, service: Service, record: ProcessRecord, say: Callable[[str], None], pace: Pace) -> None:
        self.service = service
        self.healthy = asyncio.Event()
        self._record = record
        self._say = say
        self._pace = pace
        self._ending = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    async def keep(self) -> None:
        """Run the service until ``end`` is called.

        Raises:
            CannotStart: it died ``pace.tries`` times without ever answering; holds its last sentence.
        """
        self._idle.clear()
        try:
            await self._keep()
        finally:
            self._idle.set()

    async def _keep(self) -> None:
        deaths, pause_s = 0, self._pace.first_s
        while not self._ending.is_set():
            began = time.monotonic()
            how = await self._run_once()
            if self._ending.is_set():
                return
            deaths += 1
            if not self.healthy.is_set() and deaths >= self._pace.tries:
                raise CannotStart(f"The {self.service.name} cannot start: {self.last_sentence() or how}")
            if time.monotonic() - began >= self._pace.steady_s:
                pause_s = self._pace.first_s
            self._say(f"{self.service.name} ended ({how}); it alone is started again in {pause_s:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause_s)
            pause_s = min(pause_s * 2, self._pace.longest_s)

    async def end(self, grace_s: float) -> None:
        """End the service: SIGTERM, and SIGKILL for it and its children after ``grace_s``."""
        self._ending.set()
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._idle.wait(), grace_s)
        except TimeoutError:
            self._say(f"{self.service.name} did not end within {grace_s:g} s and is killed")
            self._signal(signal.SIGKILL)
            await self._idle.wait()

    def last_sentence(self) -> str:
        """What the service said last since it was started last."""
        return last_sentence(self.service.log_file, self._log_start)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(self._process.pid, number)  # with whatever it started itself
            else:
                self._process.send_signal(number)

    async def _run_once(self) -> str:
        try:
            process = self._process = await self._start()
        except OSError as error:
            return f"it could not be run: {error}"
        self._record.note(self.service.name, process.pid)
        self._say(f"{self.service.name} started, process {process.pid}")
        watching = asyncio.create_task(self._watch_health())
        if self._ending.is_set():  # asked to end while it was being started
            self._signal(signal.SIGTERM)
        try:
            code = await process.wait()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        self._record.forget(self.service.name)
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    async def _start(self) -> asyncio.subprocess.Process:
        with self.service.log_file.open("ab") as log:
            self._log_start = log.tell()
            return await asyncio.create_subprocess_exec(
                *self.service.command,
                env=dict(self.service.environment),
                cwd=self.service.working_dir,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _watch_health(self) -> None:
        while not await asyncio.to_thread(answers, self.service.health_url):  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(HEALTH_PAUSE_S)
        self.healthy.set()
        self._say(f"{self.service.name} answers on {self.service.health_url}")


def answers(url: str) -> bool:
    """Whether a health address says 200 and not that the service is still starting."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return response.status == http.client.OK and _status(body) != "starting"


def _status(body: bytes) -> object:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document.get("status") if isinstance(document, dict) else None
