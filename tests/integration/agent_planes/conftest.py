"""Agents in this process, in both kinds of mode, each shared by the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.planes import Planes, planes
from support.postgres import Server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enterprise(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Planes]:
    directory = tmp_path_factory.mktemp("enterprise")
    with postgres_server.database() as url:
        async with planes(url, directory, AXONFLOW_MAX_BODY_BYTES="65536") as opened:
            yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def community(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Planes]:
    directory = tmp_path_factory.mktemp("community")
    with postgres_server.database() as url:
        async with planes(url, directory, "community") as opened:
            yield opened
