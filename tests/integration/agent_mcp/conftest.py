"""One enterprise agent in this process, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.planes import Planes, planes
from support.postgres import Server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Planes]:
    directory = tmp_path_factory.mktemp("mcp")
    with postgres_server.database() as url:
        async with planes(url, directory, MCP_MAX_ROWS_PER_QUERY="5", MCP_DANGEROUS_COMMAND_ACTION="warn") as opened:
            yield opened
