"""Runs a service as the process it is in production, and waits until it serves."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclasses.dataclass
class Service:
    """A running service."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def terminate(self, timeout_s: float = 30.0) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)


def start_service(module: str, env: Mapping[str, str], log: Path, *, port: int | None = None) -> Service:
    """Start ``python -m module`` and return at once."""
    port = port or free_port()
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environ = {**inherited, "HOST": "127.0.0.1", "PORT": str(port), "LOG_LEVEL": "info", **env}
    with log.open("ab") as out:
        process = subprocess.Popen([sys.executable, "-W", "error", "-m", module], env=environ, stdout=out, stderr=out)
    return Service(process, port, log)


def wait_until_healthy(service: Service, timeout_s: float = 40.0) -> None:
    """Return when ``/health`` says healthy; raise with the log's end when the process dies or is too slow."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if service.process.poll() is not None:
            raise AssertionError(f"the service ended with {service.process.returncode}:\n{service.output[-4000:]}")
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(f"{service.url}/health", timeout=2) as answer,
        ):
            if b'"healthy"' in answer.read():
                return
        time.sleep(0.05)
    raise AssertionError(f"the service is not healthy after {timeout_s} s:\n{service.output[-4000:]}")


@contextlib.contextmanager
def running_service(module: str, env: Mapping[str, str], log: Path, *, port: int | None = None) -> Iterator[Service]:
    """A healthy service for as long as the block runs."""
    service = start_service(module, env, log, port=port)
    try:
        wait_until_healthy(service)
        yield service
    finally:
        if service.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                service.terminate(15)
        if service.process.poll() is None:
            service.kill()
