"""The official OpenAI SDKs, each release in a process of its own."""

from __future__ import annotations

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class Sdk:
    """One release of an official SDK, run in a process of its own."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]

    def run(
        self, gateway: Gateway, *calls: dict[str, Any], headers: dict[str, str] | None = None
    ) -> list[dict[str, Any]]:
        job = {
            "base_url": gateway.base_url,
            "headers": gateway.headers if headers is None else headers,
            "calls": calls,
        }
        done = subprocess.run(
            self.command, input=json.dumps(job), env=self.env, text=True, capture_output=True, timeout=90, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["outcomes"]


def python_sdk(release: str) -> Sdk:
    """The Python SDK of ``release`` (``2`` or ``newest``); skips when it is not installed."""
    tools = ROOT / ".tools" / f"sdk-openai-{release}"
    if not (tools / "openai").is_dir():
        pytest.skip(f"{tools.relative_to(ROOT)} is missing: `make sdks` installs it")
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tools)}
    return Sdk(f"python-{release}", (sys.executable, str(DRIVERS / "sdk_driver.py")), env)


def node_sdk() -> Sdk:
    """The Node SDK; skips when Node or the SDK is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing: it runs the OpenAI SDK for Node")
    if not (DRIVERS / "node" / "node_modules" / "openai").is_dir():
        pytest.skip("the OpenAI SDK for Node is missing: `make sdks` installs it")
    return Sdk("node", (node, str(DRIVERS / "node" / "driver.mjs")), {"PATH": os.environ["PATH"]})
