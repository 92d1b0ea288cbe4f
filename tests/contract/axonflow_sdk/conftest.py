"""Agents in community and enterprise mode, and the official AxonFlow SDKs that call them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.axonflow_sdk import RELEASES, AxonFlowSdk, axonflow_sdk
from support.gateway import Gateway, running_gateway
from support.postgres import Server
from support.upstream import Upstream, running_upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module", params=RELEASES)
def sdk(request: pytest.FixtureRequest) -> AxonFlowSdk:
    return axonflow_sdk(request.param)


@pytest.fixture(scope="module")
def enterprise(
    sdk: AxonFlowSdk, postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """An agent and a database of its own for each release, so that nothing is left from the other's calls."""
    directory = tmp_path_factory.mktemp(f"enterprise-{sdk.release}")
    with postgres_server.database() as url, running_gateway(url, upstream, directory, "enterprise") as gateway:
        yield gateway


@pytest.fixture(scope="module")
def community(
    sdk: AxonFlowSdk, postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """As ``enterprise``, without credentials."""
    directory = tmp_path_factory.mktemp(f"community-{sdk.release}")
    with postgres_server.database() as url, running_gateway(url, upstream, directory) as gateway:
        yield gateway
