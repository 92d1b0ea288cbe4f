"""The README's quick start, run as written in a clean checkout."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.checkout import Checkout, temporary_checkout
from support.sdk import ROOT, python_sdk
from support.upstream import Upstream, running_upstream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PORTS = (8080, 8081, 8082, 5432)


def block(name: str) -> str:
    """The code block that follows the README's ``quick-start: name`` mark."""
    text = (ROOT / "README.md").read_text("utf-8")
    found = re.search(rf"<!-- quick-start: {name} -->\n```\w+\n(.*?)\n```", text, re.DOTALL)
    assert found, f"the README has no quick-start block {name}"
    return found[1]


def answer_after(name: str) -> object:
    """The JSON that the README shows below a block."""
    text = (ROOT / "README.md").read_text("utf-8")
    found = re.search(rf"<!-- quick-start: {name} -->.*?```json\n(.*?)\n```", text, re.DOTALL)
    assert found
    return json.loads(found[1])


def taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


@pytest.fixture(scope="module")
def model() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def up(model: Upstream) -> Iterator[Checkout]:
    busy = [str(port) for port in PORTS if taken(port)]
    if busy:
        pytest.skip(f"the quick start uses the default ports, and here {', '.join(busy)} is taken")
    with temporary_checkout(sys.executable, ports={}) as checkout:
        env = {**os.environ, "FORM": "native", "OPENAI_BASE_URL": model.base_url}
        done = subprocess.run(block("up"), shell=True, cwd=checkout.path, env=env, capture_output=True, text=True)  # noqa: S602
        assert done.returncode == 0, done.stdout + done.stderr
        yield checkout


def test_the_sdk_is_answered_through_the_gateway(up: Checkout, model: Upstream, tmp_path: Path):
    sdk = python_sdk("newest")
    script = tmp_path / "client.py"
    script.write_text(block("client"), "utf-8")
    env = {**sdk.env, "OPENAI_API_KEY": "sk-quickstart"}
    done = subprocess.run([sys.executable, str(script)], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "Hello."), done.stderr
    headers = dict(model.received[-1].headers)
    assert headers["Authorization"] == "Bearer sk-quickstart"


def test_the_denial_reads_as_the_readme_shows_it(up: Checkout, model: Upstream):
    heard = len(model.received)
    done = subprocess.run(block("denied"), shell=True, capture_output=True, text=True, timeout=60)  # noqa: S602
    assert json.loads(done.stdout) == answer_after("denied")
    assert len(model.received) == heard
