"""The stack under test, which ``make test-compose`` starts; every test leaves it running and healthy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.compose_stack import STACK_VARIABLE, ComposeStack


@pytest.fixture(scope="session")
def stack() -> ComposeStack:
    """The compose project that runs for these tests."""
    described = os.environ.get(STACK_VARIABLE)
    if described is None:
        pytest.skip("no compose stack runs for the tests: `make test-compose` starts one where an engine can be had")
    return ComposeStack.read(Path(described))
