"""Agent frameworks as their users run them: each in a process of its own, on its own packages, and off the network."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.gateway import PROVIDER_KEY, Gateway, wait_for_rows
from support.upstream import Handler, Upstream, completion

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "contract" / "frameworks"
QUIET = {
    "AXONFLOW_TELEMETRY": "off",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_TESTING": "true",  # else the first run asks on the terminal whether to send traces
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OTEL_SDK_DISABLED": "true",
    "LANGSMITH_TRACING": "false",
}


class Framework:
    """One framework's packages, a folder that it may call home, and its driver in a process that lives as long."""

    def __init__(self, name: str, tools: Path, home: Path, model: Upstream) -> None:
        self.name = name
        self.home = home
        self.model = model
        paths = os.pathsep.join((str(HERE / "loopback"), str(tools)))
        self.env = {  # what a user has set: a provider's key and, for calls that go to the provider itself, its address
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": paths,
            "OPENAI_API_KEY": PROVIDER_KEY,
            "OPENAI_BASE_URL": model.base_url,
            "AXONFLOW_TEST_OUTSIDE": str(home / "outside"),
            **QUIET,
        }
        self._process: subprocess.Popen[str] | None = None

    @property
    def outside(self) -> list[str]:
        """Hosts beyond this machine that anything tried to reach."""
        told = self.home / "outside"
        return told.read_text("utf-8").split() if told.exists() else []

    def run(self, **job: Any) -> dict[str, Any]:
        """What the driver made of ``job``; what the model heard before is forgotten."""
        self.model.received.clear()
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith("{"):  # the rest is what a framework prints for people
                return dict(json.loads(line))
        told = (self.home / "errors").read_text("utf-8")
        raise AssertionError(f"the driver of {self.name} ended with {process.wait(10)}: {told[-2000:]}")

    def run_readme(self, gateway: Gateway, name: str) -> str:
        """What the README's block ``framework: name`` prints, with nothing in it changed but the agent's address."""
        script = self.home / f"readme_{name}.py"
        script.write_text(block(name).replace("http://localhost:8080", gateway.service.url), "utf-8")
        command = (sys.executable, str(script))
        done = subprocess.run(command, env=self.env, cwd=self.home, text=True, capture_output=True, timeout=110)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self) -> None:
        """End the driver."""
        if self._process is not None:
            with self._process:
                self._process.terminate()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            with (self.home / "errors").open("w", encoding="utf-8") as errors:
                self._process = subprocess.Popen(
                    (sys.executable, str(HERE / f"{self.name.split('-', maxsplit=1)[0]}_driver.py")),
                    env=self.env,
                    cwd=self.home,
                    text=True,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                )
        return self._process


@contextlib.contextmanager
def framework(name: str, home: Path, model: Upstream, target: str = "test-frameworks") -> Iterator[Framework]:
    """The framework locked as ``framework-<name>``; skips when it is not installed."""
    tools = ROOT / ".tools" / f"framework-{name}"
    if not tools.is_dir():
        pytest.skip(f"{tools.relative_to(ROOT)} is missing: `make {target}` installs it")
    opened = Framework(name, tools, home, model)
    yield opened
    opened.close()


def calls_a_tool(handler: Handler) -> None:
    """A model that calls the first tool it is offered for the ``person=...;`` in what was asked, then says ``Done.``"""
    asked = json.loads(handler.received.body)
    told = asked["messages"][-1]
    if not asked.get("tools") or told["role"] == "tool":
        handler.answer(200, completion("Done."))
        return
    person = str(told["content"]).split("person=")[-1].split(";")[0]
    body = json.loads(completion())
    function = {"name": asked["tools"][0]["function"]["name"], "arguments": json.dumps({"person": person})}
    call = {"id": "call_1", "type": "function", "function": function}
    body["choices"][0] |= {
        "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": None, "tool_calls": [call]},
    }
    handler.answer(200, json.dumps(body).encode())


def block(name: str) -> str:
    """The code block that follows the README's ``framework: name`` mark."""
    found = re.search(
        rf"<!-- framework: {name} -->\n```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    assert found, f"the README has no block for {name}"
    return found[1]


@dataclasses.dataclass
class Record:
    """Decision rows that came since the last look."""

    gateway: Gateway
    seen: int = 0

    def new(self, wanted: int = 0) -> list[tuple[str, str, str, str]]:
        """Plane, phase, verdict and client of each, oldest first; waits for ``wanted`` that are still on their way."""
        found = wait_for_rows(self.gateway.database_url, "audit_logs", self.seen + wanted)
        fresh, self.seen = found[self.seen :], len(found)
        return [(row["plane"], row["phase"], row["verdict"], row["client_id"]) for row in fresh]
