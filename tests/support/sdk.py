"""The official OpenAI SDKs, each release in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.gateway import Gateway

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "tests" / "contract" / "openai"


class Sdk:
    """One release of an official SDK, in a process that lives as long as the tests that drive it."""

    def __init__(self, name: str, command: tuple[str, ...], env: dict[str, str]) -> None:
        self.name = name
        self.env = env
        self._command = command
        self._process: subprocess.Popen[str] | None = None

    def run(
        self, gateway: Gateway, *calls: dict[str, Any], headers: dict[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """The outcome of each call, made one after the other."""
        job = {
            "base_url": gateway.base_url,
            "headers": gateway.headers if headers is None else headers,
            "calls": calls,
        }
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, f"the driver of {self.name} ended with {process.wait(10)}"
        outcomes: list[dict[str, Any]] = json.loads(line)
        return outcomes

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            with self._process:
                self._process.terminate()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, env=self.env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._process


def python_sdk(release: str) -> Sdk:
    """The Python SDK of ``release`` (``2`` or ``newest``); skips when it is not installed."""
    tools = ROOT / ".tools" / f"sdk-openai-{release}"
    if not (tools / "openai").is_dir():
        pytest.skip(f"{tools.relative_to(ROOT)} is missing: `make ready-tests` installs it")
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tools)}
    return Sdk(f"python-{release}", (sys.executable, str(DRIVERS / "sdk_driver.py")), env)


def node_sdk() -> Sdk:
    """The Node SDK; skips when Node or the SDK is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing: it runs the OpenAI SDK for Node")
    if not (DRIVERS / "node" / "node_modules" / "openai").is_dir():
        pytest.skip("the OpenAI SDK for Node is missing: `make ready-tests` installs it")
    return Sdk("node", (node, str(DRIVERS / "node" / "driver.mjs")), {"PATH": os.environ["PATH"]})
