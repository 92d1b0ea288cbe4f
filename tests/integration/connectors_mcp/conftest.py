"""One federation, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.federation import Federation, federation_on
from support.postgres import Server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def federation(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Federation]:
    with postgres_server.database() as url:
        async with federation_on(url, tmp_path_factory.mktemp("federation")) as opened:
            yield opened
