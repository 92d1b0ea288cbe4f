"""A process that serves: when its listener opens, how it ends, and what it says when it cannot start."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import sample_service
from support.serving import SERVERS

SCRIPT = Path(sample_service.__file__)


class Service:
    """The running process; lines of its stdout are read as they come."""

    def __init__(self, **environ: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            env={
                **inherited,
                "DATABASE_URL": "unused",
                "HOST": "127.0.0.1",
                "PYTHONPATH": str(SCRIPT.parents[1]),
                **environ,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def until_listening(self) -> None:
        assert self.line() == "opened"
        assert self.line().startswith("listening")

    def end(self, timeout_s: float = 20) -> tuple[int, str, str]:
        """Exit code, the rest of stdout, stderr."""
        out, err = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, out, err


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(port: int, **environ: str) -> Iterator[Service]:
    service = Service(PORT=str(port), **environ)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
        service.end()


def get(port: int, path: str) -> object:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        return json.loads(body) if response.status == 200 else response.status
    finally:
        connection.close()


class Background(threading.Thread):
    """A request in a thread of its own."""

    def __init__(self, port: int, path: str) -> None:
        super().__init__(daemon=True)
        self.outcome: object = None
        self._ask = lambda: get(port, path)
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._ask()
        except (OSError, http.client.HTTPException) as error:
            self.outcome = error


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_requests_finish_then_closes_and_exits_with_0(port: int, server: str, name: signal.Signals):
    with running(port, AXONFLOW_SERVER=server) as service:
        service.until_listening()
        assert get(port, "/stage") == "serving"
        request = Background(port, "/slow?s=1")
        assert service.line() == "slow"
        service.process.send_signal(name)
        time.sleep(0.3)
        with pytest.raises(ConnectionRefusedError):
            get(port, "/stage")
        assert service.end()[:2] == (0, "closed\n")
        request.join(5)
        assert request.outcome == "draining"


@pytest.mark.parametrize("server", SERVERS)
def test_the_drain_time_is_kept_and_what_runs_longer_is_cut(port: int, server: str):
    with running(port, AXONFLOW_SERVER=server, AXONFLOW_DRAIN_TIMEOUT="1s") as service:
        service.until_listening()
        request = Background(port, "/slow?s=60")
        assert service.line() == "slow"
        service.process.terminate()
        code, out, err = service.end(timeout_s=10)
        assert (code, out) == (0, "closed\n")
        assert "requests were cut" in err
        request.join(5)
        assert request.outcome == 500 if server == "uvicorn" else isinstance(request.outcome, OSError)


@pytest.mark.parametrize("server", SERVERS)
def test_a_second_signal_does_not_wait_for_requests(port: int, server: str):
    with running(port, AXONFLOW_SERVER=server, AXONFLOW_DRAIN_TIMEOUT="60s") as service:
        service.until_listening()
        Background(port, "/slow?s=60")
        assert service.line() == "slow"
        service.process.terminate()
        time.sleep(0.3)
        service.process.terminate()
        assert service.end(timeout_s=10)[:2] == (0, "closed\n")


@pytest.mark.parametrize("where", ["SAMPLE_END_S", "SAMPLE_AFTER_S"])
def test_an_end_that_takes_too_long_is_cut_and_said(port: int, where: str):
    with running(port, AXONFLOW_DRAIN_TIMEOUT="1s", **{where: "60"}) as service:
        service.until_listening()
        service.process.terminate()
        code, out, err = service.end(timeout_s=10)
        assert (code, out) == (1, "" if where == "SAMPLE_END_S" else "closed\n")
        assert "could not close everything in time" in err


def test_the_listener_opens_when_the_start_has_finished(port: int):
    with running(port, SAMPLE_START_S="1") as service:
        assert service.line() == "opened"
        with pytest.raises(ConnectionRefusedError):
            get(port, "/stage")
        assert service.line() == f"listening {port}"
        assert get(port, "/stage") == "serving"


def test_sigterm_during_the_start_ends_it(port: int):
    with running(port, SAMPLE_START_S="60") as service:
        assert service.line() == "opened"
        service.process.terminate()
        assert service.end(timeout_s=10)[0] == 143


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("listening", [True, False], ids=["listening", "bound"])
def test_a_taken_port_is_one_sentence_and_exit_1(port: int, server: str, listening: bool):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        if listening:
            other.listen()
        service = Service(PORT=str(port), AXONFLOW_SERVER=server, SAMPLE_START_S="0.5")
        if not listening:
            # Two sockets may bind one port; the kernel refuses the second that listens.
            assert service.line() == "opened"
            other.listen()
            code, _, err = service.end()
        else:
            code, _, err = service.end()
    assert code == 1
    assert err == f"port {port} on 127.0.0.1 is taken: stop what listens there, or choose another with PORT\n"


def test_each_fault_in_the_settings_is_a_sentence_of_its_own():
    code, out, err = Service(PORT="0", LOG_LEVEL="loud", AXONFLOW_INTERNAL_SERVICE_SECRET="short").end()
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert len(lines) == 3
    assert [line.split()[0] for line in lines] == ["PORT", "LOG_LEVEL", "AXONFLOW_INTERNAL_SERVICE_SECRET"]


def test_a_refusal_of_the_service_is_its_sentence_and_exit_1(port: int):
    code, out, err = Service(PORT=str(port), SAMPLE_MISHAP="the schema is newer than this release").end()
    assert (code, out, err) == (1, "", "the schema is newer than this release\n")


def test_an_address_that_is_not_ours_is_one_sentence():
    code, _, err = Service(PORT="8099", HOST="192.0.2.1").end()
    assert code == 1
    assert err.startswith("192.0.2.1:8099 cannot be opened")
    assert len(err.splitlines()) == 1
