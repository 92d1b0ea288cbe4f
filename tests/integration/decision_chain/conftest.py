"""An enterprise orchestrator in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from support.record import Record, running_record


@pytest_asyncio.fixture
async def record(database_url: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with running_record(database_url, tmp_path) as record:
        yield record
