"""A portal before a real browser; what the machine lacks is named where tests are skipped for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from support.agent_stand_in import SECRET, AgentStandIn, agent_stand_in
from support.policies import catalogue_like
from support.processes import Service, running_service

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
SANDBOXLESS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]  # tests run as root, often in a container


@pytest.fixture(scope="module")  # not longer: while it lives its loop runs in this thread, and no other test's can
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is missing: `apt-get install chromium fonts-dejavu-core` as root")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=SANDBOXLESS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        pytest.skip("axe-core is missing: `npm ci --ignore-scripts` in tests/e2e/portal")
    return AXE.read_text("utf-8")


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentStandIn]:
    with agent_stand_in(catalogue_like()) as running:
        yield running


@pytest.fixture(autouse=True)
def _well_behaved(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test told the agent to do ends with the test."""
    yield
    if "agent" in request.fixturenames:
        agent: AgentStandIn = request.getfixturevalue("agent")
        agent.status, agent.fail_after_page = 200, None


@pytest.fixture(scope="module")
def portal(
    module_database_url: str, agent: AgentStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    env = {
        "DATABASE_URL": module_database_url,
        "AGENT_URL": agent.url,
        "AXONFLOW_INTERNAL_SERVICE_SECRET": SECRET,
    }
    with running_service("axonflow_portal", env, tmp_path_factory.mktemp("portal") / "log") as running:
        yield running
