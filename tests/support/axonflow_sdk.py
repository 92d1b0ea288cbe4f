"""The official AxonFlow SDK for Python, each release in a process of its own, with its telemetry off."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRIVER = ROOT / "tests" / "contract" / "axonflow_sdk" / "sdk_driver.py"
RELEASES = ("8.3", "8.4")


def call(method: str, **arguments: Any) -> dict[str, Any]:
    """A call of one client method; a pair (class name, fields) becomes a model of the SDK's own."""
    models = {
        name: {"class": value[0], "fields": value[1]} for name, value in arguments.items() if isinstance(value, tuple)
    }
    plain = {name: value for name, value in arguments.items() if name not in models}
    return {"method": method, "arguments": plain, "models": models}


@dataclasses.dataclass(frozen=True)
class AxonFlowSdk:
    """One release of the SDK."""

    release: str
    tools: Path

    def run(
        self,
        endpoint: str,
        *calls: dict[str, Any],
        client_id: str | None = None,
        client_secret: str | None = None,
        sync: bool = False,
    ) -> list[dict[str, Any]]:
        """What each call gave: ``value``, or ``error`` and ``message``.

        An argument such as ``$0.context_id`` is a field of what an earlier call gave; ``sync`` takes the SDK's client
        without coroutines.
        """
        job = {
            "endpoint": endpoint, "client_id": client_id, "client_secret": client_secret, "calls": calls, "sync": sync,
        }  # fmt: skip
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.tools), "AXONFLOW_TELEMETRY": "off"}
        env["AXONFLOW_CHECKPOINT_URL"] = "http://127.0.0.1:9/"  # should a release not heed the switch: the discard port
        done = subprocess.run(
            (sys.executable, str(DRIVER)),
            input=json.dumps(job),
            env=env,
            text=True,
            capture_output=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answered = json.loads(done.stdout)
        assert answered["version"].startswith(self.release)
        return list(answered["outcomes"])


def axonflow_sdk(release: str) -> AxonFlowSdk:
    """The SDK of ``release`` (``8.3`` or ``8.4``); skips when it is not installed."""
    tools = ROOT / ".tools" / f"sdk-axonflow-{release}"
    if not (tools / "axonflow").is_dir():
        pytest.skip(f"{tools.relative_to(ROOT)} is missing: `make ready-tests` installs it")
    return AxonFlowSdk(release, tools)
