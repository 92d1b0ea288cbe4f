"""What is measured, each as one process on one core: two floors and the gateway on each server."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
from support.gateway import ORG
from support.postgres import Server
from support.processes import start_service, wait_until_healthy

from bench.machine import Cores
from bench.tools import HERE, Tools

DIRECT = "upstream, direct"
GO = "Go forwarder"
BYTES = "Python byte forwarder"
HYPERCORN = "gateway, hypercorn"
UVICORN = "gateway, uvicorn"
GATEWAYS = (HYPERCORN, UVICORN)

# What a small model answers; its length is part of the cost, so it is the same for all.
REPLY = (
    b'{"id":"chatcmpl-9qXbench","object":"chat.completion","created":1754000000,"model":"gpt-4o-mini-2024-07-18",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"'
    + b"A short and friendly answer that a model could have given to this. "
    * 6
    + b'","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":180,'
    b'"completion_tokens":80,"total_tokens":260,"prompt_tokens_details":{"cached_tokens":0}}}'
)


@dataclasses.dataclass(frozen=True, slots=True)
class Contender:
    """A running process that answers chat completions on ``port``."""

    name: str
    port: int
    process: psutil.Process

    def cpu_s(self) -> float:
        """User and system time of the process so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_mib(self) -> float:
        return float(self.process.memory_info().rss) / (1 << 20)


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs during a benchmark.

    Attributes:
        direct: the upstream itself, which answers without anything between.
        contenders: what is measured, in the order of the table.
        databases: by gateway, the URL of the database that its rows go to.
        lacking: what could not be started, and why.
    """

    direct: Contender
    contenders: Sequence[Contender]
    databases: Mapping[str, str]
    lacking: Sequence[str]


@contextlib.contextmanager
def stage(tools: Tools, cores: Cores, server: Server, directory: Path) -> Iterator[Stage]:
    """Start the upstream and all contenders that this machine has."""
    with contextlib.ExitStack() as stack:
        reply = directory / "reply.json"
        reply.write_bytes(REPLY)
        with cores.for_around():
            direct = stack.enter_context(_program(DIRECT, tools.upstream(reply)))
        lacking = [text for text in (cores.lacking,) if text]
        contenders = []
        databases = {}
        with cores.for_measured():
            if (command := tools.go_forwarder(direct.port)) is not None:
                contenders.append(stack.enter_context(_program(GO, command)))
            else:
                lacking.append(f"{GO}: {tools.lacking}; the {BYTES} is the floor")
            contenders.append(stack.enter_context(_program(BYTES, tools.byte_forwarder(direct.port))))
            for name in GATEWAYS:
                word = name.rpartition(" ")[2]
                if importlib.util.find_spec(word) is None:
                    lacking.append(f"{name}: {word} is not installed")
                    continue
                databases[name] = stack.enter_context(server.database())
                env = _gateway_env(databases[name], direct.port, word, directory)
                contenders.append(stack.enter_context(_gateway(name, env, directory / f"{word}.log")))
        yield Stage(direct, contenders, databases, lacking)


def _gateway_env(database_url: str, upstream_port: int, server: str, directory: Path) -> dict[str, str]:
    """Everything as it comes: every policy, durable rows, the access log; only the server is chosen."""
    return {
        "DATABASE_URL": database_url,
        "DEPLOYMENT_MODE": "community",
        "ORG_ID": ORG,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream_port}/v1",
        "AUDIT_FALLBACK_PATH": str(directory / server / "audit_fallback.jsonl"),
        "AXONFLOW_SERVER": server,
    }


@contextlib.contextmanager
def _gateway(name: str, env: Mapping[str, str], log: Path) -> Iterator[Contender]:
    Path(env["AUDIT_FALLBACK_PATH"]).parent.mkdir(parents=True, exist_ok=True)
    service = start_service("axonflow_agent", env, log)
    try:
        wait_until_healthy(service, timeout_s=120)
        yield Contender(name, service.port, psutil.Process(service.process.pid))
    finally:
        service.process.terminate()
        try:
            service.process.wait(30)
        except subprocess.TimeoutExpired:
            service.kill()


@contextlib.contextmanager
def _program(name: str, command: Sequence[str]) -> Iterator[Contender]:
    """A program that prints the port it listens on."""
    environ = {**os.environ, "PYTHONPATH": str(HERE.parent), "GOMAXPROCS": "1"}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.strip().isdigit(), f"{name} did not start"
        yield Contender(name, int(line), psutil.Process(process.pid))
    finally:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()
