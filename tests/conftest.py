"""What all tests share: PostgreSQL, made as `support.postgres` says, and how properties are asked."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from axonflow_settings import ServiceSettings
from hypothesis import settings as hypothesis_settings
from support.compiled import compiled_catalogue
from support.postgres import Server, running_server, service_settings

if TYPE_CHECKING:
    from axonflow_database import Database
    from axonflow_policy import PolicySet

# The suite asks the same questions every time; new ones are for `make fuzz`, whose findings stop nobody's change.
hypothesis_settings.register_profile("suite", derandomize=True, deadline=None)
hypothesis_settings.load_profile("suite")


@pytest.fixture(scope="session")
def catalogue_set(tmp_path_factory: pytest.TempPathFactory) -> PolicySet:
    """The product's own policies under the default posture; the workers of a run compile them once."""
    own = tmp_path_factory.getbasetemp()
    return compiled_catalogue(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def postgres_server(catalogue_set: PolicySet) -> Iterator[Server]:
    """This worker's server, with the migrated template in it."""
    with running_server() as server:
        server.make_template(catalogue_set)
        yield server


@pytest.fixture
def database_url(postgres_server: Server) -> Iterator[str]:
    """The owner's URL (a ``DATABASE_URL``) of a fresh, migrated database."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres_server: Server) -> Iterator[str]:
    """As ``database_url``, shared by the tests of a module."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_server: Server) -> Iterator[str]:
    """The owner's URL of a fresh database without any table."""
    with postgres_server.database(template=None) as url:
        yield url


@pytest.fixture
def settings(database_url: str) -> ServiceSettings:
    """Community settings on a fresh, migrated database."""
    return service_settings(database_url)


@pytest_asyncio.fixture
async def database(settings: ServiceSettings) -> AsyncIterator[Database]:
    """Open pools, as the low-privilege roles, on a fresh, migrated database."""
    from axonflow_database import Database

    opened = await Database.open(settings)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def _chaos_server(catalogue_set: PolicySet) -> Iterator[Server]:
    with running_server() as server:
        server.make_template(catalogue_set)
        yield server


@pytest.fixture
def chaos_server(_chaos_server: Server) -> Iterator[Server]:
    """A second server, which a test may ``stop``, ``kill`` and ``start``; it runs again afterwards."""
    yield _chaos_server
    _chaos_server.start()


@pytest.fixture
def chaos_database_url(chaos_server: Server) -> Iterator[str]:
    """The owner's URL of a fresh, migrated database on ``chaos_server``."""
    with chaos_server.database() as url:
        yield url
