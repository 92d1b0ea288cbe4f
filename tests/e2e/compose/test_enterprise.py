"""The enterprise overlay over a community stack: loud when a value is missing, closed without credentials."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator

import pytest
from support.compose_stack import ComposeStack, request

SECRET = secrets.token_hex(32)
VALUES = {
    "ORG_ID": "acme",
    "DATABASE_PASSWORD": "localdev123",
    "AXONFLOW_INTERNAL_SERVICE_SECRET": secrets.token_hex(32),
    "ADMIN_API_KEY": secrets.token_hex(16),
    "JWT_SECRET": secrets.token_hex(32),
    "AXONFLOW_BOOTSTRAP_CLIENT": f"first:{SECRET}",
}
REQUIRED = sorted(set(VALUES) - {"AXONFLOW_BOOTSTRAP_CLIENT"})


@pytest.mark.parametrize("name", REQUIRED)
def test_the_start_names_a_missing_value_and_changes_nothing(stack: ComposeStack, name: str) -> None:
    without = {key: value for key, value in VALUES.items() if key != name}
    refused = stack.run("up", "--detach", overlay=True, **without)
    assert refused.returncode != 0
    assert f"set {name}" in refused.stderr
    assert stack.chat("Still here?").status == 200


@pytest.fixture(scope="module")
def enterprise(stack: ComposeStack) -> Iterator[ComposeStack]:
    """The same project with the overlay on; the community form is put back afterwards."""
    started = stack.run("up", "--detach", overlay=True, **VALUES)
    assert started.returncode == 0, started.stderr
    stack.await_health()
    yield stack
    assert stack.run("up", "--detach").returncode == 0
    stack.await_health()


def _basic(secret: str) -> dict[str, str]:
    credentials = base64.b64encode(f"first:{secret}".encode()).decode()
    return {"Authorization": f"Basic {credentials}", "X-Provider-Key": "sk-compose-test"}


def test_a_caller_without_credentials_is_refused(enterprise: ComposeStack) -> None:
    assert enterprise.chat("Hello").status == 401
    assert enterprise.chat("Hello", headers=_basic("x" * 64)).status == 401


def test_the_bootstrap_client_is_served(enterprise: ComposeStack) -> None:
    assert enterprise.chat("Hello", headers=_basic(SECRET)).status == 200


def test_the_portal_reads_the_agent_with_the_shared_secret(enterprise: ComposeStack) -> None:
    listed = request("GET", f"{enterprise.portal_url}/api/v1/portal/policies").json()
    assert listed["source_errors"] == []
    assert listed["policies"]
