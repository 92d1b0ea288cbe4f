"""One stack for the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.connector_stack import Stack, connector_stack
from support.postgres import Server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with connector_stack(postgres_server, tmp_path_factory.mktemp("stack")) as stack:
        yield stack
