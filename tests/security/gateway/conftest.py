"""An agent under attack, in community mode and with credentials, each shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.gateway import Gateway, running_gateway
from support.upstream import running_upstream


def _started(mode: str, database_url: str, directory, **env: str) -> Iterator[Gateway]:
    with (
        running_upstream() as upstream,
        running_gateway(database_url, upstream, directory, mode, **env) as gateway,
    ):
        yield gateway


@pytest.fixture(scope="module")
def _community(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    yield from _started("community", module_database_url, tmp_path_factory.mktemp("community"))


@pytest.fixture(scope="module")
def _enterprise(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    # Debug is the level at which libraries talk most.
    directory = tmp_path_factory.mktemp("enterprise")
    yield from _started("enterprise", module_database_url, directory, LOG_LEVEL="debug")


@pytest.fixture
def gateway(_community: Gateway) -> Gateway:
    """In community mode, with an upstream that has forgotten earlier tests."""
    _community.upstream.reset()
    return _community


@pytest.fixture
def guarded(_enterprise: Gateway) -> Gateway:
    """In enterprise mode, logging at debug level."""
    _enterprise.upstream.reset()
    return _enterprise
